"""The fleet's lines: right within a round after anything changed, and cheap while nothing does."""

from datetime import date, datetime, timedelta

import pytest
from django.db import connections
from pytest_django import DjangoAssertNumQueries

from connections.models import Connection, Credential, Mirror
from syncing import pauses
from syncing.fleet import history
from syncing.fleet.keeping import keep_up
from syncing.models import CustomerStanding, FleetRound, Schedule, StandingChange, SyncItem
from syncing.queries import fleet
from tests.factories import (
    ConnectionFactory,
    LedgerAccountFactory,
    ScheduleFactory,
    SyncItemFactory,
    now,
)

pytestmark = pytest.mark.django_db


@pytest.fixture
def customer() -> Connection:
    connection = ScheduleFactory.create().connection
    keep_up(now=now())
    return connection


def line(connection: Connection) -> CustomerStanding:
    return CustomerStanding.objects.get(pk=connection.pk)


class TestKeepUp:
    def test_gives_a_new_customer_its_line(self) -> None:
        connection = ConnectionFactory.create(stage="setting_up")

        keep_up(now=now())

        assert line(connection).health == "Setting up"

    def test_costs_a_handful_of_statements_while_nothing_happens(
        self, customer: Connection, django_assert_max_num_queries: DjangoAssertNumQueries
    ) -> None:
        with django_assert_max_num_queries(9):  # three of them open and close, two are locks
            assert keep_up(now=now()) == 0

    def test_touches_nobody_but_those_of_whom_something_changed(self, customer: Connection) -> None:
        other = ScheduleFactory.create().connection
        keep_up(now=now())
        seen = line(other).as_of

        SyncItemFactory.create(connection=customer, failed=True)

        assert keep_up(now=now()) == 1
        assert line(customer).failed_items == 1
        assert line(other).as_of == seen

    def test_agrees_with_the_customers_own_page(self, customer: Connection) -> None:
        SyncItemFactory.create(connection=customer, failed=True, amount_minor=12_00)
        SyncItemFactory.create(connection=customer, lapsed=True, amount_minor=30_00)
        SyncItemFactory.create(connection=customer, acked=True)
        moment = now()

        keep_up(now=moment)

        row, found = fleet.rows([customer.pk], now=moment)[0], line(customer)
        assert found.words == {word: items for word, items in row.words.items() if items}
        assert (found.open_items, found.uncertain_items) == (row.open_items, row.uncertain)
        assert found.unsynced == [[42_00, "USD", 2]]
        assert (found.health, found.party) == (row.health.label, row.party)
        assert found.oldest_at == row.oldest_at

    @pytest.mark.parametrize(
        ("changes", "health"),
        [
            ({"blocked_at": now(), "blocked_title": "Expired."}, "Blocked"),
            ({"resume_at": now() + timedelta(days=1)}, "ERP silent"),  # from when tests are found
            ({"poll_failures": 3}, "Ramp silent"),
        ],
    )
    def test_hears_of_what_stops_a_customer(
        self, customer: Connection, changes: dict[str, object], health: str
    ) -> None:
        Schedule.objects.filter(pk=customer.pk).update(**changes)

        keep_up(now=now())

        assert line(customer).health == health

    def test_is_not_rung_for_by_leases_and_polls(self, customer: Connection) -> None:
        Schedule.objects.filter(pk=customer.pk).update(rung_at=now(), last_posted_at=now())

        assert StandingChange.objects.count() == 0

    def test_hears_of_pauses_and_of_their_end(self, customer: Connection) -> None:
        pauses.pause(customer, "bill", "Audit.", "maya")
        keep_up(now=now())
        assert line(customer).health == "Partly paused"

        pauses.resume(customer, "bill", "Audit is over.", "maya")
        keep_up(now=now())
        assert line(customer).health == "Working"

    def test_hears_of_a_changed_stage_and_takes_the_line_of_a_closed_one(
        self, customer: Connection
    ) -> None:
        Connection.objects.filter(pk=customer.pk).update(stage="paused")
        keep_up(now=now())
        assert line(customer).health == "Paused"

        Connection.objects.filter(pk=customer.pk).update(stage="closed")
        keep_up(now=now())
        assert not CustomerStanding.objects.exists()

    def test_counts_the_charts_differences_once_it_was_read(self, customer: Connection) -> None:
        mirror = Mirror.objects.create(connection=customer)
        LedgerAccountFactory.create(connection=customer, ramp_id=None)
        keep_up(now=now())
        assert line(customer).drifting == 0

        Mirror.objects.filter(pk=mirror.pk).update(last_read_at=now())
        keep_up(now=now())

        assert line(customer).drifting == 1

    def test_sees_what_time_alone_changes(self, customer: Connection) -> None:
        SyncItemFactory.create(connection=customer, due_at=now())
        keep_up(now=now())
        assert line(customer).health == "Working"

        keep_up(now=now() + timedelta(minutes=16))

        assert line(customer).health == "Slow"

    def test_says_as_of_when_all_lines_are_right(self, customer: Connection) -> None:
        moment = now() + timedelta(minutes=1)

        keep_up(now=moment)

        assert FleetRound.objects.get().at == moment

    def test_says_so_only_once_nothing_is_left(
        self, customer: Connection, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr("syncing.fleet.changes.MOST_CHANGES", 2)
        before = FleetRound.objects.get().at
        SyncItemFactory.create_batch(3, connection=customer)

        keep_up(now=now())
        assert FleetRound.objects.get().at == before

        keep_up(now=now())
        assert FleetRound.objects.get().at > before

    def test_hears_when_credentials_end(self, customer: Connection) -> None:
        moment = now() + timedelta(days=9)
        erp = Credential.objects.create(connection=customer, side="erp")
        Credential.objects.create(connection=customer, side="ramp", expires_at=moment)
        keep_up(now=now())
        assert line(customer).expires_at == moment

        Credential.objects.filter(pk=erp.pk).update(expires_at=moment - timedelta(days=2))
        keep_up(now=now())

        assert line(customer).expires_at == moment - timedelta(days=2)

    def test_leaves_the_work_to_whoever_is_at_it(self, customer: Connection) -> None:
        SyncItemFactory.create(connection=customer)
        other = connections.create_connection("default")
        with other.cursor() as cursor:
            cursor.execute("SELECT pg_advisory_lock(hashtextextended('fleet', 0))")

            assert keep_up(now=now()) == 0
            cursor.execute("SELECT pg_advisory_unlock_all()")
        other.close()

        assert keep_up(now=now()) == 1


class TestFigures:
    def test_are_of_all_customers(self, customer: Connection) -> None:
        Schedule.objects.filter(pk=customer.pk).update(poll_failures=3)
        SyncItemFactory.create_batch(2, connection=customer, failed=True)
        ScheduleFactory.create()

        keep_up(now=now())

        known = FleetRound.objects.get()
        assert (known.customers, known.in_trouble, known.failed_items) == (2, 1, 2)
        assert known.severities == sum(one.severity for one in CustomerStanding.objects.all())

    def test_leave_out_who_is_closed(self, customer: Connection) -> None:
        Connection.objects.filter(pk=customer.pk).update(stage="closed")

        keep_up(now=now())

        assert FleetRound.objects.get().customers == 0

    def test_tell_of_each_round_whether_or_not_all_lines_are_right(
        self, customer: Connection, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr("syncing.fleet.changes.MOST_CHANGES", 2)
        before = FleetRound.objects.get().at
        SyncItemFactory.create_batch(3, connection=customer, failed=True)

        keep_up(now=now())

        known = FleetRound.objects.get()
        assert (known.failed_items, known.at) == (3, before)


class TestDays:
    def test_a_new_line_counts_what_its_items_say(self) -> None:
        connection = ScheduleFactory.create().connection
        for days in (0, 3, 3):
            SyncItemFactory.create(
                connection=connection, acked=True, acked_at=now() - timedelta(days=days)
            )
        SyncItemFactory.create(connection=connection, failed=True)

        keep_up(now=now())

        days = line(connection).days
        assert (days[-1], days[-4], len(days)) == ([1, 1], [2, 0], 14)
        assert sum(done for done, _ in days) == 3

    def test_counts_on_as_items_go_through_and_fail(self, customer: Connection) -> None:
        items = SyncItemFactory.create_batch(3, connection=customer, state="ACKING")
        SyncItem.objects.filter(pk__in=[one.pk for one in items]).update(
            state="ACKED", acked_at=now()
        )
        SyncItemFactory.create(connection=customer, failed=True)

        keep_up(now=now())

        assert line(customer).days[-1] == [3, 1]

    def test_starts_a_day_when_it_is_midnight_where_the_customer_is(self) -> None:
        connection = ScheduleFactory.create(connection__time_zone="Asia/Tokyo").connection
        evening = datetime.fromisoformat("2026-05-14T23:30:00+09:00")
        keep_up(now=evening)
        SyncItemFactory.create(connection=connection, failed=True)
        keep_up(now=evening)

        keep_up(now=evening + timedelta(hours=1))

        assert line(connection).days[-2:] == [[0, 1], [0, 0]]
        assert line(connection).day == date(2026, 5, 15)

    def test_forgets_everything_after_a_fortnight_without_a_look(self) -> None:
        days = history.moved_on([[5, 1]] * 14, date(2026, 5, 1), date(2026, 6, 1))

        assert days == history.empty()

    def test_stays_as_it_is_if_the_clock_of_a_customer_is_set_back(self) -> None:
        days = [[number, 0] for number in range(14)]

        assert history.moved_on(days, date(2026, 5, 2), date(2026, 5, 1)) == days
