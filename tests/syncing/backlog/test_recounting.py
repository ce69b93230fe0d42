"""The job that counts the roll-ups again finds what was planted, names it and mends it."""

from datetime import timedelta

import pytest
from django.db import connection as database
from django.db.models import F, Sum

from syncing import rollups
from syncing.backlog import recounting
from syncing.backlog.folding import fold
from syncing.models import (
    ErrorCount,
    ErrorShare,
    ErrorTotal,
    FlowBucket,
    ItemCount,
    ItemShare,
    ItemTotal,
    PeriodCount,
    RecountFinding,
    RecountRound,
    Span,
    SyncItem,
)
from tests.factories import ConnectionFactory, SyncItemFactory, now

pytestmark = pytest.mark.django_db


@pytest.fixture
def item() -> SyncItem:
    connection = ConnectionFactory.create()
    SyncItemFactory.create(connection=connection, failed=True, amount_minor=900)
    item = SyncItemFactory.create(connection=connection, amount_minor=500)
    fold()
    return item


def whole_round() -> int:
    """All turns of one round; how many lines differed."""
    RecountRound.objects.update(round_ended_at=None)
    wrong = 0
    for _ in range(10):
        wrong += recounting.recount(now=now())
        if RecountRound.objects.get().round_ended_at:
            return wrong
    raise AssertionError("the round does not end")


def without_triggers(statement: str) -> None:
    with database.cursor() as cursor:
        cursor.execute("SET LOCAL session_replication_role = replica")
        cursor.execute(statement)
        cursor.execute("SET LOCAL session_replication_role = origin")


class TestRecount:
    def test_finds_nothing_wrong_where_triggers_counted(self, item: SyncItem) -> None:
        assert item.pk
        assert whole_round() == 0
        assert RecountRound.objects.get().customers == 1

    def test_finds_and_mends_a_planted_difference(self, item: SyncItem) -> None:
        planted = ItemCount.objects.filter(connection=item.connection, state="READY")
        planted.update(items=F("items") + 3, amount_minor=F("amount_minor") + 70)

        assert whole_round() == 1

        finding = RecountFinding.objects.get()
        assert (finding.roll_up, finding.connection_id) == (
            "items of a customer",
            item.connection_id,
        )
        assert finding.keys["state"] == "READY"
        assert (finding.items_kept, finding.items_found) == (4, 1)
        assert (finding.minor_kept, finding.minor_found) == (570, 500)
        assert planted.get().items == 1
        assert whole_round() == 0

    def test_finds_an_item_that_went_around_the_triggers_everywhere(self, item: SyncItem) -> None:
        without_triggers(f"DELETE FROM syncing_itemwords WHERE item_id = {item.pk}")
        without_triggers(f"DELETE FROM syncing_syncitem WHERE id = {item.pk}")

        whole_round()

        assert set(RecountFinding.objects.values_list("roll_up", flat=True)) >= {
            "items of a customer", "all items", "days of a customer",
        }  # fmt: skip
        sums = ItemTotal.objects.filter(state="READY").aggregate(n=Sum("items"))
        assert sums["n"] == 0
        fold()
        whole_round()
        assert whole_round() == 0

    def test_mends_open_failures(self, item: SyncItem) -> None:
        ErrorCount.objects.filter(connection=item.connection).delete()

        assert whole_round() == 1

        assert RecountFinding.objects.get().roll_up == "failures of a customer"
        assert ErrorCount.objects.get().items == 1

    def test_mends_the_months_of_the_close_board(self, item: SyncItem) -> None:
        PeriodCount.objects.filter(connection=item.connection, standing="moving").update(items=9)

        assert whole_round() == 1

        finding = RecountFinding.objects.get()
        assert (finding.roll_up, finding.items_kept) == ("months of a customer", 9)
        assert PeriodCount.objects.get(standing="moving").items == 1

    def test_mends_the_sums_of_all(self, item: SyncItem) -> None:
        assert item.pk
        ErrorTotal.objects.all().delete()

        assert whole_round() == 2

        found = set(RecountFinding.objects.values_list("roll_up", flat=True))
        assert found == {"all failures", "failures of an ERP and owner"}
        assert whole_round() == 0

    def test_mends_the_shares_of_an_erp_and_an_owner(
        self, item: SyncItem, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        assert item.pk
        monkeypatch.setattr(rollups, "ROWS_TO_FOLD", 0)
        rollups.fold_totals()
        ItemShare.objects.filter(state="READY").update(items=F("items") + 4, owner="li.wei")
        ErrorShare.objects.all().delete()

        assert whole_round() == 3

        assert set(RecountFinding.objects.values_list("roll_up", flat=True)) == {
            "items of an ERP and owner", "failures of an ERP and owner",
        }  # fmt: skip
        kept = ItemShare.objects.filter(state="READY").values_list("owner", "items")
        assert dict(kept) == {"": 1, "li.wei": 0}
        assert ErrorShare.objects.get().items == 1
        assert whole_round() == 0

    def test_mends_the_days_of_customers_and_of_all(self, item: SyncItem) -> None:
        FlowBucket.objects.filter(span=Span.DAY, connection=item.connection).update(
            items=F("items") + 5
        )
        FlowBucket.objects.filter(span=Span.DAY, connection=None).update(items=F("items") + 1)
        FlowBucket.objects.filter(span=Span.FLEET_DAY).update(items=F("items") + 2)

        FlowBucket.objects.filter(span=Span.FLEET_DAY, erp_name="Tryton").update(items=9)

        assert whole_round() == 4

        assert whole_round() == 0
        kept = FlowBucket.objects.filter(span=Span.FLEET_DAY, change="arrived")
        # What the fleet's day had too much is taken off where no ERP is named: nobody knows whose.
        assert dict(kept.values_list("erp_name", "items")) == {"": 2, "Tryton": 3}
        days = FlowBucket.objects.filter(span=Span.DAY, change="arrived")
        assert days.filter(connection=None).aggregate(n=Sum("items"))["n"] == 2
        assert days.filter(connection=item.connection).aggregate(n=Sum("items"))["n"] == 2

    def test_mends_the_hours_that_a_worker_of_before_them_did_not_add_up(
        self, item: SyncItem
    ) -> None:
        assert item.pk
        hours = FlowBucket.objects.filter(span=Span.FLEET_HOUR, change="arrived")
        before = set(hours.values_list("at", "erp_name", "owner", "items"))
        assert before
        FlowBucket.objects.filter(span=Span.FLEET_HOUR).delete()

        assert whole_round() > 0
        assert whole_round() == 0

        assert set(hours.values_list("at", "erp_name", "owner", "items")) == before

    def test_rests_between_rounds(self, item: SyncItem) -> None:
        assert item.pk
        whole_round()
        ended = RecountRound.objects.get().round_ended_at
        ItemTotal.objects.all().delete()

        assert recounting.recount(now=now()) == 0
        RecountRound.objects.update(round_ended_at=now() - timedelta(hours=21))
        assert recounting.recount(now=now()) == 0  # the customers come first
        assert recounting.recount(now=now()) == 4  # two lines, each of all and of an ERP

        assert RecountRound.objects.get().round_ended_at != ended

    def test_takes_many_customers_in_several_turns(
        self, item: SyncItem, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        SyncItemFactory.create()
        monkeypatch.setattr(recounting, "MOST_ITEMS", 1)

        recounting.recount(now=now())

        assert RecountRound.objects.get().customers == 1
        assert item.pk
        whole_round()
        assert RecountRound.objects.get().customers == 2
