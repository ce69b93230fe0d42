"""The close board: whose month is unsynced, by how much, who holds it, and in which order."""

from datetime import UTC, date, datetime, timedelta
from uuid import uuid4

import pytest

from connections.models import Connection
from rampbridge.lib.money import Money
from syncing.models import NO_ENTITY, CloseDay, PeriodChange, PeriodCount, SyncItem
from syncing.queries import close_board
from syncing.queries.close_board import BoardFilter, BoardRow
from tests.factories import ConnectionFactory, ScheduleFactory, SyncItemFactory

pytestmark = pytest.mark.django_db

OCTOBER = date(2026, 10, 1)
IN_TIME = datetime(2026, 11, 2, 12, tzinfo=UTC)
"""The fifth working day after October is Friday, 6 November."""
NEAR = datetime(2026, 11, 4, 12, tzinfo=UTC)


def item(connection: Connection, *traits: str, **shape: object) -> SyncItem:
    shape = {"accounting_date": date(2026, 10, 9)} | shape
    return SyncItemFactory.create(
        connection=connection,
        **dict.fromkeys(traits, True),
        **shape,
    )


def board(now: datetime = IN_TIME, **chosen: str) -> list[BoardRow]:
    return list(close_board.page(BoardFilter(OCTOBER, **chosen), now=now).rows)


class TestPeriodCounts:
    def test_follow_each_item_through_its_life(self) -> None:
        one = item(ConnectionFactory.create(), "posting")
        assert _counts() == {("moving", OCTOBER): (1, 12_345)}

        one.state = SyncItem.State.FAILED
        one.error_category = "user_actionable"
        one.save()
        assert _counts() == {("customer", OCTOBER): (1, 12_345)}

        one.accounting_date, one.amount_minor = date(2026, 11, 3), 5
        one.save()
        assert _counts() == {("customer", date(2026, 11, 1)): (1, 5)}

        one.delete()
        assert _counts() == {}

    def test_put_what_has_no_date_into_the_month_it_came_in(self) -> None:
        late = datetime(2026, 10, 31, 23, 59, tzinfo=UTC)
        item(ConnectionFactory.create(), accounting_date=None, ready_at=late, entity_ramp_id=None)

        assert PeriodCount.objects.get().period == OCTOBER
        assert PeriodCount.objects.get().entity_ramp_id == NO_ENTITY

    def test_count_a_change_only_when_another_set_of_items_is_in_a_month(self) -> None:
        one = item(ConnectionFactory.create(), "posted")
        before = PeriodChange.objects.get().changes

        SyncItem.objects.filter(pk=one.pk).update(state="ACKING")
        SyncItem.objects.filter(pk=one.pk).update(state="ACKED")
        assert PeriodChange.objects.get().changes == before

        SyncItem.objects.filter(pk=one.pk).update(state="MISMATCH")  # what was through is open
        assert PeriodChange.objects.get().changes == before + 1
        SyncItem.objects.filter(pk=one.pk).update(amount_minor=1)
        assert PeriodChange.objects.get().changes == before + 2


class TestBoard:
    def test_tells_what_is_unsynced_per_currency_and_who_holds_it(self) -> None:
        harbor = ConnectionFactory.create(name="Harbor")
        ScheduleFactory.create(connection=harbor, posts_per_second=1.0)
        item(harbor, "acked")
        item(harbor, "failed", amount_minor=500)
        item(harbor, "broken", currency="JPY", exponent=0, amount_minor=70)
        item(harbor, "failed", accounting_date=date(2026, 9, 30))
        item(harbor, "lapsed", amount_minor=1, lease_until=IN_TIME - timedelta(minutes=1))

        (row,) = board()

        assert (row.unsynced, row.done, row.earlier) == (3, 1, 1)
        assert row.sums == [Money(70, "JPY", 0), Money(501, "USD", 2)]
        held_by = [(one.word, one.items) for one in row.blockers]
        assert held_by == [("needs-a-person", 1), ("uncertain", 1), ("waiting-for-customer", 1)]
        assert row.forecast
        assert row.forecast.outlook == "held"

    def test_turns_red_three_days_before_the_customers_own_close(self) -> None:
        usual, late = ConnectionFactory.create(name="Usual"), ConnectionFactory.create(name="Late")
        for one in (usual, late):
            item(one)
        CloseDay.objects.create(
            connection=late, working_day=8, changed_by="ana", changed_at=IN_TIME
        )

        assert {row.name: row.state for row in board(IN_TIME)} == {"Usual": "open", "Late": "open"}
        assert {row.name: row.state for row in board(NEAR)} == {"Usual": "red", "Late": "open"}

    def test_closes_at_midnight_where_the_customer_is(self) -> None:
        item(ConnectionFactory.create(time_zone="America/New_York"))

        (row,) = board()

        assert row.close_on == date(2026, 11, 6)
        assert row.close_at == datetime(2026, 11, 7, 5, tzinfo=UTC)

    def test_puts_a_bill_that_is_due_soon_before_larger_sums(self) -> None:
        large, due, later = (ConnectionFactory.create(name=n) for n in ("Large", "Due", "Later"))
        item(large, amount_minor=9_000_000)
        for one, days in ((due, 3), (later, 30)):
            payable = IN_TIME.date() + timedelta(days=days)
            item(one, object_type="bill", amount_minor=100, payable_on=payable)

        found = board()

        assert [row.name for row in found] == ["Due", "Large", "Later"]
        assert (found[0].bills_due, found[0].payable_on) == (1, date(2026, 11, 5))

    def test_goes_on_behind_the_last_row_of_a_page(self) -> None:
        for n in range(5):
            item(ConnectionFactory.create(name=f"C{n}"), amount_minor=100 * (n // 2 + 1))
        item(ConnectionFactory.create(name="Due"), object_type="bill", amount_minor=1,
             payable_on=date(2026, 11, 3))  # fmt: skip
        seen: list[str] = []
        after = ""

        while True:
            page = close_board.page(BoardFilter(OCTOBER), after=after, now=IN_TIME, size=2)
            seen += [row.name for row in page.rows]
            after = page.next
            if not after:
                break

        assert seen == [row.name for row in board()]
        assert len(seen) == len(set(seen)) == 6

    def test_is_narrowed_by_name_erp_owner_and_state(self) -> None:
        mine = ConnectionFactory.create(name="100% Mine", owner="ana", erp_name="NetSuite")
        item(mine)
        item(ConnectionFactory.create(name="Other"), "acked")

        assert [row.name for row in board(text="100%")] == ["100% Mine"]
        assert [row.name for row in board(erp="NetSuite", owner="ana")] == ["100% Mine"]
        assert [row.name for row in board(owner="-")] == ["Other"]
        assert [row.name for row in board(state="ready")] == ["Other"]
        counts = close_board.page(BoardFilter(OCTOBER, state="red"), now=IN_TIME).counts
        assert counts == {"open": 1, "ready": 1}

    def test_forecasts_when_the_queue_is_through(self) -> None:
        connection = ConnectionFactory.create()
        ScheduleFactory.create(connection=connection, posts_per_second=0.01)
        item(connection)
        item(connection, accounting_date=date(2026, 9, 3), entity_ramp_id=uuid4())

        (row,) = board()

        assert row.forecast
        assert row.forecast.clean_at == IN_TIME + timedelta(seconds=200)
        assert row.forecast.outlook == "on-time"

    def test_leaves_closed_customers_out(self) -> None:
        item(ConnectionFactory.create(stage="closed"))

        assert board() == []


def _counts() -> dict[tuple[str, date], tuple[int, int]]:
    return {
        (one.standing, one.period): (one.items, one.amount_minor)
        for one in PeriodCount.objects.filter(items__gt=0)
    }
