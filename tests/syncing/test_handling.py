"""Assign, tag, put off and comment, on any number of items at once (P-07)."""

from datetime import UTC, datetime, timedelta

import pytest
from pytest_django import DjangoAssertNumQueries

from connections.models import AuditLine
from syncing import handling
from syncing.models import Comment, Handling, SyncItem
from syncing.queries.items import ONLY, SHOWN, ItemFilter, hidden_by_snoozing, matching
from tests.factories import SyncItemFactory, now

pytestmark = pytest.mark.django_db


def notes(item: SyncItem) -> list[tuple[str, str]]:
    return list(item.events.filter(kind="note").order_by("pk").values_list("text", "actor"))


def listed(chosen: ItemFilter) -> set[int]:
    return set(matching(chosen, now()).values_list("pk", flat=True))


class TestAssigning:
    def test_gives_items_to_somebody_and_says_so_on_each(self) -> None:
        items = [SyncItemFactory.create() for _ in range(3)]

        before = handling.assign([item.pk for item in items], owner="tomas", actor="maya")

        assert before == dict.fromkeys([item.pk for item in items], "")
        assert set(Handling.objects.values_list("owner", flat=True)) == {"tomas"}
        assert notes(items[0]) == [("Assigned to tomas.", "maya")]

    def test_leaves_those_alone_that_have_them_already(self) -> None:
        item = SyncItemFactory.create()
        handling.assign([item.pk], owner="tomas", actor="maya")

        assert handling.assign([item.pk], owner="tomas", actor="maya") == {}
        assert len(notes(item)) == 1

    def test_takes_as_many_statements_for_many_as_for_one(
        self, django_assert_num_queries: DjangoAssertNumQueries
    ) -> None:
        ids = [SyncItemFactory.create().pk for _ in range(30)]

        with django_assert_num_queries(2):
            handling.assign(ids, owner="tomas", actor="maya")

    def test_lists_show_mine_and_nobodys(self) -> None:
        mine, nobodys, given_back = (SyncItemFactory.create().pk for _ in range(3))
        handling.assign([mine, given_back], owner="maya", actor="maya")
        handling.assign([given_back], owner="", actor="maya")

        assert listed(ItemFilter(owner="maya")) == {mine}
        assert listed(ItemFilter(owner="")) == {nobodys, given_back}


class TestTagging:
    def test_files_items_under_a_tag_and_takes_it_off(self) -> None:
        item = SyncItemFactory.create()
        handling.tag([item.pk], tag="  Month  End ", actor="maya")
        assert listed(ItemFilter(tag="month end")) == {item.pk}

        handling.untag([item.pk], tag="month end", actor="maya")

        assert listed(ItemFilter(tag="month end")) == set()
        assert [text for text, _ in notes(item)] == [
            "Tagged month end.",
            "Tag month end taken off.",
        ]

    def test_an_item_bears_so_many_tags_and_no_more(self) -> None:
        item = SyncItemFactory.create()
        for n in range(handling.MOST_TAGS):
            handling.tag([item.pk], tag=f"tag {n}", actor="maya")

        assert handling.tag([item.pk], tag="one more", actor="maya") == {}

    @pytest.mark.parametrize("text", ["", "  ", "<b>", "-", "x" * 41])
    def test_what_is_no_tag_is_refused_in_words(self, text: str) -> None:
        with pytest.raises(handling.NotHandled, match="A tag has up to 40"):
            handling.tag([], tag=text, actor="maya")


class TestSnoozing:
    def test_open_lists_leave_them_out_and_can_say_how_many(self) -> None:
        later, here = SyncItemFactory.create(), SyncItemFactory.create()
        handling.snooze(
            [later.pk], until=now() + timedelta(days=1), reason="Period opens Monday", actor="maya"
        )

        assert listed(ItemFilter()) == {here.pk}
        assert hidden_by_snoozing(ItemFilter(), now()).count() == 1
        assert listed(ItemFilter(snoozed=SHOWN)) == {later.pk, here.pk}
        assert listed(ItemFilter(snoozed=ONLY)) == {later.pk}
        assert listed(ItemFilter(everything=True)) == {later.pk, here.pk}
        assert "Period opens Monday" in notes(later)[0][0]

    def test_they_come_back_by_themselves(self) -> None:
        item = SyncItemFactory.create()
        handling.snooze([item.pk], until=now() - timedelta(seconds=1), actor="maya")

        assert listed(ItemFilter()) == {item.pk}
        assert not hidden_by_snoozing(ItemFilter(), now()).exists()

    def test_shows_them_again_at_once_when_asked(self) -> None:
        item = SyncItemFactory.create()
        handling.snooze([item.pk], until=datetime(2099, 1, 1, tzinfo=UTC), actor="maya")

        handling.snooze([item.pk], until=None, actor="tomas")

        assert listed(ItemFilter()) == {item.pk}
        assert notes(item)[-1] == ("Shown in lists again.", "tomas")


class TestPuttingBack:
    def test_gives_each_back_to_whoever_had_it(self) -> None:
        first, second = SyncItemFactory.create().pk, SyncItemFactory.create().pk
        handling.assign([first], owner="tomas", actor="maya")
        before = handling.assign([first, second], owner="maya", actor="maya")

        handling.put_back(before, "owner", set_by_job="maya", actor="maya")

        owners = dict(Handling.objects.values_list("item_id", "owner"))
        assert owners == {first: "tomas", second: ""}

    def test_leaves_alone_what_somebody_has_changed_since(self) -> None:
        item = SyncItemFactory.create().pk
        before = handling.assign([item], owner="maya", actor="maya")
        handling.assign([item], owner="hannah", actor="hannah")

        assert handling.put_back(before, "owner", set_by_job="maya", actor="maya") == {}
        assert Handling.objects.get().owner == "hannah"

    def test_leaves_alone_what_somebody_has_put_off_anew_since(self) -> None:
        item = SyncItemFactory.create().pk
        first, later = (datetime(2099, 1, day, tzinfo=UTC) for day in (1, 2))
        handling.snooze([item], until=first, actor="maya")
        before = handling.snooze([item], until=None, actor="maya")
        handling.snooze([item], until=later, actor="hannah")

        assert handling.put_back(before, "snoozed_until", set_by_job=None, actor="maya") == {}
        assert Handling.objects.get().snoozed_until == later


class TestCommenting:
    def test_stands_on_the_timeline_with_its_author_and_an_audit_line(self) -> None:
        item = SyncItemFactory.create()

        handling.comment(item, text=" Asked the controller. ", author="maya")

        assert Comment.objects.get().text == "Asked the controller."
        assert notes(item) == [("Asked the controller.", "maya")]
        line = AuditLine.objects.get()
        assert (line.actor, line.act, line.subject_id) == ("maya", "items.comment", str(item.pk))

    def test_saying_nothing_is_refused(self) -> None:
        with pytest.raises(handling.NotHandled, match="Write something"):
            handling.comment(SyncItemFactory.create(), text=" ", author="maya")
