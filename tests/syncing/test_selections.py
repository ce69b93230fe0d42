"""What is ticked stays ticked: over pages, polls, windows and what becomes of the items."""

from datetime import timedelta

import pytest

from syncing import selections
from syncing.models import Selection, SyncItem
from syncing.queries.items import ItemFilter, matching
from syncing.queries.totals import totals
from syncing.queries.words import Word
from tests.factories import SyncItemFactory, now

pytestmark = pytest.mark.django_db
OPEN = ItemFilter()


def selected(query: str = "") -> set[int]:
    selection = selections.of("maya", query, now=now())
    return set(selections.items(selection, OPEN, now()).values_list("pk", flat=True))


class TestTicking:
    def test_keeps_what_was_ticked_in_several_turns(self) -> None:
        items = [SyncItemFactory.create().pk for _ in range(5)]

        selections.tick("maya", "", items[:2], on=True)
        selections.tick("maya", "", items[2:4], on=True)
        selections.tick("maya", "", items[:1], on=False)

        assert selected() == set(items[1:4])

    def test_ticking_twice_is_ticking_once(self) -> None:
        item = SyncItemFactory.create()

        selections.tick("maya", "", [item.pk], on=True)
        selections.tick("maya", "", [item.pk], on=True)

        assert selections.of("maya", "", now=now()).ids == [item.pk]

    def test_each_person_and_each_list_has_its_own(self) -> None:
        item = SyncItemFactory.create()

        selections.tick("maya", "type=bill", [item.pk], on=True)

        assert selected("type=bill") == {item.pk}
        assert selected() == set()
        assert selections.is_empty(selections.of("tomas", "type=bill", now=now()))

    def test_all_that_match_includes_what_is_on_no_page_yet(self) -> None:
        items = [SyncItemFactory.create().pk for _ in range(3)]

        selections.tick_all("maya", "")
        late = SyncItemFactory.create().pk
        selections.tick("maya", "", items[:1], on=False)

        assert selected() == {*items[1:], late}

    def test_unticking_after_all_and_ticking_again_leaves_no_exception(self) -> None:
        item = SyncItemFactory.create().pk

        selections.tick_all("maya", "")
        selections.tick("maya", "", [item], on=False)
        selections.tick("maya", "", [item], on=True)

        selection = selections.of("maya", "", now=now())
        assert selection.is_all
        assert selection.ids == []

    def test_what_left_the_list_stays_selected(self) -> None:
        item = SyncItemFactory.create()
        selections.tick("maya", "", [item.pk], on=True)

        SyncItem.objects.filter(pk=item.pk).update(state="WITHDRAWN")

        assert selected() == {item.pk}

    def test_more_than_fit_are_refused_and_change_nothing(
        self, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(selections, "MOST", 3)
        items = [SyncItemFactory.create().pk for _ in range(4)]
        selections.tick("maya", "", items[:3], on=True)

        with pytest.raises(selections.TooMany, match="narrow the list"):
            selections.tick("maya", "", items[3:], on=True)

        assert selected() == set(items[:3])

    def test_begins_anew_after_a_day(self) -> None:
        old, new = SyncItemFactory.create().pk, SyncItemFactory.create().pk
        selections.tick_all("maya", "")
        Selection.objects.update(changed_at=now() - timedelta(hours=25))

        assert selected() == set()
        selections.tick("maya", "", [new], on=True)

        assert selected() == {new}
        assert old not in selected()

    def test_what_nobody_touched_for_a_day_is_removed(self) -> None:
        item = SyncItemFactory.create().pk
        selections.tick("tomas", "type=bill", [item], on=True)
        Selection.objects.update(changed_at=now() - timedelta(hours=25))

        selections.tick("maya", "", [item], on=True)

        assert list(Selection.objects.values_list("owner", flat=True)) == ["maya"]


class TestSize:
    def size(self, chosen: ItemFilter = OPEN) -> tuple[int, list[str]]:
        whole = totals(chosen, now=now())
        selection = selections.of("maya", "", now=now())
        found = selections.size(selection, chosen, now(), whole=whole)
        return found.items, [str(money) for money in found.sums]

    def test_counts_ticked_items_and_their_money(self) -> None:
        items = [SyncItemFactory.create(amount_minor=100).pk for _ in range(3)]
        selections.tick("maya", "", items[:2], on=True)

        assert self.size() == (2, ["2.00 USD"])

    def test_all_but_some_is_the_whole_less_those(self) -> None:
        items = [SyncItemFactory.create(amount_minor=100).pk for _ in range(3)]
        SyncItemFactory.create(amount_minor=900, acked=True)
        selections.tick_all("maya", "")
        selections.tick("maya", "", items[:1], on=False)

        assert self.size() == (2, ["2.00 USD"])

    def test_an_exception_that_has_left_the_list_is_not_taken_off_twice(self) -> None:
        items = [SyncItemFactory.create(amount_minor=100) for _ in range(3)]
        selections.tick_all("maya", "")
        selections.tick("maya", "", [items[0].pk], on=False)

        SyncItem.objects.filter(pk=items[0].pk).update(state="WITHDRAWN")

        assert self.size() == (2, ["2.00 USD"])

    def test_counting_is_bounded_where_no_roll_up_knows(
        self, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        for _ in range(4):
            SyncItemFactory.create(label="GitHub")
        chosen = ItemFilter(text="git")

        monkeypatch.setattr("syncing.queries.totals.counted.__kwdefaults__", {"at_most": 3})
        found = totals(chosen, now=now())

        assert (found.items, found.is_all) == (3, False)

    @pytest.mark.parametrize("word", [None, Word.CUSTOMER, Word.QUEUED, Word.UNCERTAIN])
    def test_a_roll_up_and_the_rows_agree(self, word: Word | None) -> None:
        for trait in ({"failed": True}, {"lapsed": True}, {}, {"posting": True}, {"acked": True}):
            SyncItemFactory.create(**trait)
        chosen = ItemFilter(word=word)

        assert totals(chosen, now=now()).items == matching(chosen, now()).count()
