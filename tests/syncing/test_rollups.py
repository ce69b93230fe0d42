"""The sums of all customers together, and of an ERP's, whatever has been folded up."""

from collections import Counter

import pytest

from connections.models import Connection
from syncing import rollups
from syncing.models import ItemCount, ItemTotal, SyncItem
from syncing.queries import standing
from syncing.queries.backlog import weights
from syncing.queries.backlog.scope import Scope
from syncing.queries.words import Word
from tests.factories import ConnectionFactory, SyncItemFactory, now

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


def of(erp: str = "", owner: str = "") -> tuple[int, int]:
    """Items and failures of the customers of an ERP or an owner, as pages read them."""
    lines = standing.standings(now=now(), erp=erp, customer_owner=owner)
    failures = weights.causes(Scope(erp=erp, owner=owner))
    return sum(line.items for line in lines), sum(cause.items for cause in failures)


def fold_all(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(rollups, "ROWS_TO_FOLD", 0)
    rollups.fold_totals()


@pytest.fixture
def customer(monkeypatch: pytest.MonkeyPatch) -> Connection:
    """One of two with an ERP: a failure is folded up, an item and a failure are not."""
    connection = ConnectionFactory.create(erp_name="NetSuite", owner="ana.lopes")
    SyncItemFactory.create(connection=ConnectionFactory.create(erp_name="NetSuite"), failed=True)
    SyncItemFactory.create(connection=connection, failed=True)
    fold_all(monkeypatch)
    SyncItemFactory.create(connection=connection)
    SyncItemFactory.create(connection=connection, failed=True)
    return connection


class TestShares:
    @pytest.mark.usefixtures("customer")
    def test_are_those_of_the_customers_items_folded_or_not(
        self, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        before = of(erp="NetSuite"), of(owner="ana.lopes"), of(erp="Xero")
        fold_all(monkeypatch)

        assert before == ((4, 3), (3, 2), (0, 0))
        assert (of(erp="NetSuite"), of(owner="ana.lopes"), of(erp="Xero")) == before

    @pytest.mark.parametrize("is_folded", [True, False])
    def test_go_with_a_customer_to_its_new_erp_and_owner(
        self, customer: Connection, monkeypatch: pytest.MonkeyPatch, *, is_folded: bool
    ) -> None:
        customer.erp_name, customer.owner = "Xero", "li.wei"
        customer.save()
        if is_folded:
            fold_all(monkeypatch)

        assert (of(erp="NetSuite"), of(erp="Xero")) == ((1, 1), (3, 2))
        assert (of(owner="ana.lopes"), of(owner="li.wei")) == ((0, 0), (3, 2))
        assert of(erp="Xero", owner="ana.lopes") == (0, 0)

    def test_stay_when_anything_else_of_a_customer_changes(self, customer: Connection) -> None:
        customer.name = "Northwind"
        customer.save()

        assert (of(erp="NetSuite"), of(owner="ana.lopes")) == ((4, 3), (3, 2))

    def test_end_with_the_customer(
        self, customer: Connection, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        fold_all(monkeypatch)
        SyncItem.objects.filter(connection=customer).delete()
        ItemCount.objects.filter(connection=customer).delete()
        customer.delete()
        fold_all(monkeypatch)

        assert (of(erp="NetSuite"), of(owner="ana.lopes")) == ((1, 1), (0, 0))
