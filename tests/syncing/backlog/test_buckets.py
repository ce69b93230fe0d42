"""What comes and goes, counted in the items' own transaction and folded into buckets."""

from collections import Counter
from datetime import datetime, timedelta

import pytest
from django.db.models import Sum

from connections.models import Connection
from syncing.backlog.folding import fold, rebuild
from syncing.latency_bins import BOUNDS, percentile
from syncing.models import FlowBucket, FlowEntry, LatencyBucket, Span, SyncItem
from syncing.models.flow_triggers import by_their_times
from syncing.queries.buckets import EVERYTHING, Scope, done_by_type, flow, latencies
from tests.factories import ConnectionFactory, SyncItemFactory, now

pytestmark = pytest.mark.django_db


def counted(span: Span = Span.DAY, scope: Scope = EVERYTHING) -> Counter[tuple[str, str]]:
    since = now() - timedelta(days=4)
    found: Counter[tuple[str, str]] = Counter()
    for line in flow(span, since=since, scope=scope):
        found[line.change, line.detail] += line.items
    return found


def hours_ago(hours: float) -> datetime:
    return now() - timedelta(hours=hours)


@pytest.fixture
def customer() -> Connection:
    return ConnectionFactory.create(erp_name="Tryton", owner="maya")


@pytest.fixture
def item(customer: Connection) -> SyncItem:
    return SyncItemFactory.create(connection=customer, ready_at=now(), amount_minor=500)


def finish(item: SyncItem, **values: object) -> None:
    """Through every step, one statement each."""
    steps: list[dict[str, object]] = [
        {"state": "POSTING", "lease_token": item.ramp_id},
        {"state": "POSTED", "erp_id": "7", "lease_token": None},
        {"state": "ACKING"},
        {"state": "ACKED", "acked_at": now(), **values},
    ]
    for step in steps:
        SyncItem.objects.filter(pk=item.pk).update(state_at=now(), **step)


class TestCounting:
    def test_an_item_arrives_and_is_done_at_the_first_try(self, item: SyncItem) -> None:
        finish(item)

        assert counted() == {("arrived", ""): 1, ("done", "first"): 1}

    def test_what_had_failed_before_is_not_done_at_the_first_try(
        self, customer: Connection
    ) -> None:
        item = SyncItemFactory.create(connection=customer, failed=True)
        SyncItem.objects.filter(pk=item.pk).update(state="READY", due_at=now())

        finish(item)

        assert counted()["done", "again"] == 1
        assert counted()["done", "first"] == 0

    def test_what_failed_is_counted_with_whose_fault_it_is(self, item: SyncItem) -> None:
        SyncItem.objects.filter(pk=item.pk).update(
            state="FAILED", state_at=now(), error_category="user_actionable"
        )

        assert counted()["failed", "user_actionable"] == 1

    def test_what_is_no_longer_done_is_taken_off(self, item: SyncItem) -> None:
        finish(item)

        SyncItem.objects.filter(pk=item.pk).update(
            state="MISMATCH", state_at=now(), error_code="ramp.changed", error_title="Changed.",
            error_category="needs_integrator", error_at=now(),
        )  # fmt: skip

        assert counted() == {("arrived", ""): 1}

    def test_another_amount_changes_the_money_and_not_the_count(self, item: SyncItem) -> None:
        SyncItem.objects.filter(pk=item.pk).update(amount_minor=750)

        entries = FlowEntry.objects.filter(change="arrived")
        assert entries.aggregate(Sum("items"), Sum("amount_minor")) == {
            "items__sum": 1,
            "amount_minor__sum": 750,
        }

    def test_a_step_that_changes_no_count_leaves_no_row_of_one(self, item: SyncItem) -> None:
        before = FlowEntry.objects.exclude(change="moved").count()

        SyncItem.objects.filter(pk=item.pk).update(
            state="POSTING", lease_token=item.ramp_id, state_at=now()
        )

        assert FlowEntry.objects.exclude(change="moved").count() == before
        assert FlowEntry.objects.get(change="moved").detail == "READY>POSTING"

    def test_a_deleted_item_never_came(self, item: SyncItem) -> None:
        item.delete()

        assert counted() == {}


class TestSteps:
    def test_add_up_what_is_within_each(self, item: SyncItem) -> None:
        since = now().replace(minute=0, second=0, microsecond=0) - timedelta(hours=5)
        for hours in (0, 1, 2):
            finish(
                SyncItemFactory.create(connection=item.connection),
                acked_at=since + timedelta(hours=hours),
            )
        fold()

        lines = flow(Span.HOUR, since=since, changes=["done"], step=timedelta(hours=2))
        bins = latencies(Span.HOUR, since=since, step=timedelta(hours=2))

        assert [(line.at - since, line.items) for line in lines] == [
            (timedelta(0), 2),
            (timedelta(hours=2), 1),
        ]
        assert [(at - since, sum(counted.values())) for at, counted in sorted(bins.items())] == [
            (timedelta(0), 2),
            (timedelta(hours=2), 1),
        ]


class TestFolding:
    @pytest.mark.parametrize("span", [Span.MINUTE, Span.HOUR, Span.DAY])
    def test_changes_no_sum(self, item: SyncItem, span: Span) -> None:
        finish(item)
        before = counted(span)

        fold()
        SyncItemFactory.create(connection=item.connection)

        assert before
        assert counted(span) == before + Counter({("arrived", ""): 1})

    @pytest.mark.parametrize("span", [Span.MINUTE, Span.HOUR, Span.DAY])
    @pytest.mark.parametrize(
        "scope",
        [
            Scope(erp_name="Tryton"),
            Scope(owner="maya"),
            Scope(erp_name="Tryton", owner="maya"),
            Scope(erp_name="Tryton", object_type="BILL"),
            Scope(object_type="BILL"),
        ],
    )
    def test_changes_no_sum_of_some_customers(
        self, item: SyncItem, span: Span, scope: Scope
    ) -> None:
        finish(item)
        SyncItemFactory.create(connection=item.connection, object_type="BILL")
        SyncItemFactory.create(connection=ConnectionFactory.create(erp_name="Other", owner=""))
        before = counted(span, scope), latencies(Span.HOUR, since=hours_ago(2), scope=scope)

        fold()

        assert before[0]
        assert (
            counted(span, scope),
            latencies(Span.HOUR, since=hours_ago(2), scope=scope),
        ) == before
        assert counted(span, Scope(erp_name="Nobody's")) == {}

    def test_changes_nothing_of_what_one_customer_has_done_by_type(self, item: SyncItem) -> None:
        bill, old, others = (
            SyncItemFactory.create(connection=item.connection, object_type="bill"),
            SyncItemFactory.create(connection=item.connection),
            SyncItemFactory.create(),
        )
        for one in (item, bill, others):
            finish(one)
        finish(old, acked_at=hours_ago(30))
        before = done_by_type(item.connection_id, since=hours_ago(24))

        fold()

        assert before == {"transaction": 1, "bill": 1}
        assert done_by_type(item.connection_id, since=hours_ago(24)) == before

    def test_leaves_nothing_to_fold_and_adds_to_what_there_is(self, customer: Connection) -> None:
        for _ in range(2):
            SyncItemFactory.create(connection=customer, ready_at=hours_ago(2), currency="USD")
            fold()

        assert not FlowEntry.objects.exists()
        assert FlowBucket.objects.get(span=Span.DAY, connection=customer).items == 2

    def test_keeps_minutes_of_the_fleet_only_and_hours_of_all(self, item: SyncItem) -> None:
        fold()

        spans = FlowBucket.objects.values_list("span", "connection")
        assert set(spans) == {
            ("minute", None), ("hour", None), ("day", None), ("all", None), ("hours", None),
            ("hour", item.connection_id), ("day", item.connection_id),
        }  # fmt: skip

    def test_knows_what_is_too_old_to_be_kept(self, customer: Connection) -> None:
        SyncItemFactory.create(connection=customer, ready_at=now() - timedelta(days=100))

        fold()

        kept = FlowBucket.objects.values_list("span", "connection").distinct()
        assert {*map(tuple, kept)} == {("all", None), ("day", None)}

    @pytest.mark.parametrize(
        ("scope", "found"),
        [
            (Scope(erp_name="Tryton"), 1),
            (Scope(erp_name="Xero"), 0),
            (Scope(owner="maya"), 1),
            (Scope(owner="tom"), 0),
            (Scope(object_type="bill"), 0),
        ],
    )
    def test_can_be_narrowed_before_and_after(
        self, item: SyncItem, scope: Scope, found: int
    ) -> None:
        assert item.pk
        assert counted(scope=scope)["arrived", ""] == found
        fold()
        assert counted(scope=scope)["arrived", ""] == found

    def test_of_one_customer_and_entity(self, item: SyncItem) -> None:
        other = SyncItemFactory.create(entity_ramp_id=item.ramp_id)
        fold()

        assert counted(scope=Scope(connection_id=item.connection_id))["arrived", ""] == 1
        scope = Scope(connection_id=other.connection_id, entity_ramp_id=item.ramp_id)
        assert counted(scope=scope)["arrived", ""] == 1

    def test_rebuilt_from_the_items_they_are_the_same(self, item: SyncItem) -> None:
        finish(item)
        for owner in ("maya", "maya", "tom"):
            customer = ConnectionFactory.create(erp_name="Tryton", owner=owner)
            finish(SyncItemFactory.create(connection=customer, ready_at=hours_ago(24 * 100)))
            SyncItemFactory.create(connection=customer, ready_at=hours_ago(24 * 100 + 5))
        fold()
        keys = ("span", "at", "connection", "owner", "change", "detail", "items", "amount_minor")
        kept = FlowBucket.objects.exclude(change="moved")
        before = set(kept.values_list(*keys))
        bins = set(LatencyBucket.objects.values_list("span", "connection", "bin", "items"))
        FlowBucket.objects.all().delete()
        LatencyBucket.objects.all().delete()

        rebuild(by_their_times("syncing_syncitem", 1))

        assert set(kept.values_list(*keys)) == before
        assert set(LatencyBucket.objects.values_list("span", "connection", "bin", "items")) == bins


class TestLatency:
    def test_is_known_by_bin_before_and_after_folding(self, customer: Connection) -> None:
        item = SyncItemFactory.create(connection=customer, ready_at=now() - timedelta(seconds=100))
        finish(item)
        ((_, bins),) = latencies(Span.DAY, since=hours_ago(30)).items()
        (number,) = bins

        assert BOUNDS[number - 1] <= 100 < BOUNDS[number]

        fold()
        scope = Scope(connection_id=customer.pk)
        assert list(latencies(Span.DAY, since=hours_ago(30), scope=scope).values()) == [bins]
        assert list(latencies(Span.HOUR, since=hours_ago(30)).values()) == [bins]

    def test_a_percentile_lies_within_its_bin(self) -> None:
        half = percentile({11: 50, 13: 50}, 0.5)
        late = percentile({11: 50, 13: 50}, 0.95)

        assert half is not None
        assert late is not None
        assert half.total_seconds() == BOUNDS[11]
        assert BOUNDS[12] < late.total_seconds() < BOUNDS[13]

    def test_of_nothing_there_is_none(self) -> None:
        assert percentile({}, 0.5) is None

    def test_what_is_beyond_all_bins_counts_as_the_last_bound(self) -> None:
        last = percentile({len(BOUNDS): 3}, 0.5)

        assert last is not None
        assert last.total_seconds() == BOUNDS[-1]
