"""The sums of all customers together, whatever has been folded up."""

from collections import Counter

import pytest

from syncing import rollups
from syncing.models import ItemTotal, SyncItem
from syncing.queries import standing
from syncing.queries.words import Word
from tests.factories import SyncItemFactory, now

pytestmark = pytest.mark.django_db


def sums() -> Counter[tuple[str, str, int]]:
    found: Counter[tuple[str, str, int]] = Counter()
    for row in ItemTotal.objects.all():
        found[row.object_type, row.state, row.amount_minor // (row.items or 1)] += row.items
    return +found


def recounted() -> Counter[tuple[str, str, int]]:
    items = SyncItem.objects.values_list("object_type", "state", "amount_minor")
    return Counter(items)


@pytest.fixture
def fleet() -> list[SyncItem]:
    """Items of several customers, some of which have moved on, and one that is gone."""
    items = [SyncItemFactory.create(amount_minor=500) for _ in range(4)]
    items.append(SyncItemFactory.create(failed=True, amount_minor=500))
    SyncItem.objects.filter(pk=items[0].pk).update(state="WITHDRAWN")
    SyncItem.objects.filter(pk=items[1].pk).delete()
    return items


@pytest.mark.usefixtures("fleet")
class TestTotals:
    def test_are_those_of_the_items_at_any_time(self) -> None:
        assert sums() == recounted()

    def test_stay_so_when_they_are_folded_up(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(rollups, "ROWS_TO_FOLD", 2)
        rows = ItemTotal.objects.count()

        assert rollups.fold_totals() < rows

        assert sums() == recounted()
        assert ItemTotal.objects.count() == len(recounted())

    def test_are_left_alone_while_they_are_few(self) -> None:
        rows = ItemTotal.objects.count()

        rollups.fold_totals()

        assert ItemTotal.objects.count() == rows

    def test_are_what_the_navigation_counts(self) -> None:
        counts = standing.by_word(standing.standings(now=now()))

        assert (counts[Word.QUEUED], counts[Word.CUSTOMER], counts[Word.WITHDRAWN]) == (2, 1, 1)
