"""A month is called clean by people, and only as long as nothing changes in it (R-122, R-146)."""

from datetime import UTC, date, datetime, timedelta
from uuid import uuid4

import pytest
from django.db import DatabaseError, transaction

from connections.models import AuditLine, Connection
from syncing.closing import days, snapshots, stamps
from syncing.models import CloseSnapshot, PeriodStamp, SyncItem
from syncing.queries import close_board, close_months, close_since
from syncing.queries.close_board import BoardFilter
from tests.factories import ConnectionFactory
from tests.syncing.closing.world import item

pytestmark = pytest.mark.django_db
OCTOBER = date(2026, 10, 1)
MOMENT = datetime(2026, 11, 4, 12, tzinfo=UTC)


def call_clean(connection: Connection, **more: object) -> PeriodStamp:
    given = {"entity_id": None, "actor": "ana", "now": MOMENT, "period": OCTOBER} | more
    return stamps.stamp(connection=connection, **given)  # type: ignore[arg-type]


def state_of(connection: Connection) -> str:
    (row,) = close_board.page(BoardFilter(OCTOBER, text=connection.name), now=MOMENT).rows
    return row.state


class TestStamps:
    def test_one_person_calls_a_month_clean_where_nothing_is_unsynced(self) -> None:
        connection = ConnectionFactory.create()
        item(connection, "acked")
        assert state_of(connection) == "ready"

        made = call_clean(connection)

        assert state_of(connection) == "clean"
        assert (made.state, made.snapshot.items, made.open_items) == ("standing", 1, 0)
        assert AuditLine.objects.get(act="close.stamp").subject_id == made.snapshot.name

    def test_something_unsynced_takes_a_reason_and_a_second_person(self) -> None:
        connection = ConnectionFactory.create()
        item(connection, "failed")

        with pytest.raises(stamps.NotStamped, match=r"1 item of October 2026 is unsynced\."):
            call_clean(connection)
        assert not CloseSnapshot.objects.exists(), "a refusal leaves nothing"
        asked = call_clean(connection, reason="Accrued by hand")
        assert state_of(connection) == "red"
        with pytest.raises(stamps.NotStamped, match="somebody else"):
            stamps.decide(stamp=asked, agrees=True, because="", actor="ana")
        stamps.decide(stamp=asked, agrees=True, because="", actor="tom")

        assert state_of(connection) == "clean"

    def test_what_was_asked_for_is_not_granted_once_the_month_is_another(self) -> None:
        connection = ConnectionFactory.create()
        item(connection, "failed")
        asked = call_clean(connection, reason="Accrued by hand")
        item(connection, "acked")

        with pytest.raises(stamps.NotStamped, match="Something has changed"):
            stamps.decide(stamp=asked, agrees=True, because="", actor="tom")
        stamps.decide(stamp=asked, agrees=False, because="Look again", actor="tom")

        assert PeriodStamp.objects.get().state == "refused"

    def test_the_database_too_wants_two(self) -> None:
        connection = ConnectionFactory.create()
        item(connection, "failed")
        asked = call_clean(connection, reason="Accrued by hand")

        with pytest.raises(DatabaseError), transaction.atomic():
            PeriodStamp.objects.filter(pk=asked.pk).update(state="standing", decided_by="ana")

    def test_a_month_is_flagged_by_what_arrives_and_not_by_what_goes_through(self) -> None:
        connection = ConnectionFactory.create()
        failed = item(connection, "failed")
        asked = call_clean(connection, reason="Accrued by hand")
        stamps.decide(stamp=asked, agrees=True, because="", actor="tom")
        SyncItem.objects.filter(pk=failed.pk).update(state="READY")
        SyncItem.objects.filter(pk=failed.pk).update(
            state="EXTERNAL", error_category="", error_code=""
        )
        assert state_of(connection) == "clean"

        late = item(connection, "acked")

        assert state_of(connection) == "flagged"
        late.delete()
        assert state_of(connection) == "flagged", "that it came and went stays told"
        call_clean(connection)
        assert state_of(connection) == "clean"
        first = PeriodStamp.objects.order_by("pk").first()
        assert first
        assert first.state == "withdrawn"

    def test_entities_are_called_clean_one_by_one(self) -> None:
        connection = ConnectionFactory.create()
        us, uk = uuid4(), uuid4()
        item(connection, "acked", entity_ramp_id=us)
        item(connection, "acked", entity_ramp_id=uk)

        call_clean(connection, entity_id=us)
        assert state_of(connection) == "ready"
        call_clean(connection, entity_id=uk)
        assert state_of(connection) == "clean"

        item(connection, "failed", entity_ramp_id=uk)
        assert state_of(connection) == "red"
        said = {one.stamp.entity_ramp_id: one.holds
                for one in close_months.stamps_of(connection.pk, OCTOBER)}  # fmt: skip
        assert said == {us: True, uk: False}

    def test_is_refused_twice_before_the_end_and_after_it_was_taken_back(self) -> None:
        connection = ConnectionFactory.create(time_zone="America/Los_Angeles")
        item(connection, "acked")
        early = datetime(2026, 11, 1, 5, tzinfo=UTC)  # still October there

        with pytest.raises(stamps.NotStamped, match="has not ended yet"):
            call_clean(connection, now=early)
        made = call_clean(connection)
        with pytest.raises(stamps.NotStamped, match="ana has called it clean already"):
            call_clean(connection, actor="tom")
        stamps.withdraw(stamp=made, because="A bill is missing", actor="tom")
        assert state_of(connection) == "ready"
        with pytest.raises(stamps.NotStamped, match="does not stand"):
            stamps.withdraw(stamp=made, because="", actor="tom")


class TestSnapshots:
    def test_freeze_a_month_under_a_name_that_people_can_say(self) -> None:
        connection = ConnectionFactory.create()
        item(connection, "acked", amount_minor=100)
        failed = item(connection, "failed", amount_minor=7)
        item(connection, accounting_date=date(2026, 11, 1))

        made = snapshots.take_of_period(
            connection=connection, period=OCTOBER, entity_id=None, actor="ana"
        )

        assert snapshots.named(made.name.lower()) == made
        assert snapshots.named(made.name[:-1] + "x") is None
        assert snapshots.named("RB-0000") is None
        figures = {(line.standing, line.then_items, line.then.minor)
                   for line in close_since.lines(made)}  # fmt: skip
        assert figures == {("Done", 1, 100), ("Waiting for customer", 1, 7)}
        assert made.figures["unsynced"] == [failed.pk]
        with pytest.raises(DatabaseError, match=r"[Cc]annot update"), transaction.atomic():
            CloseSnapshot.objects.filter(pk=made.pk).update(items=0)

    def test_have_another_checksum_once_a_state_or_an_amount_is_another(self) -> None:
        connection = ConnectionFactory.create()
        one = item(connection, "acked")
        taken = [_take(connection), _take(connection)]

        SyncItem.objects.filter(pk=one.pk).update(amount_minor=1)
        taken.append(_take(connection))
        SyncItem.objects.filter(pk=one.pk).update(state="MISMATCH")
        taken.append(_take(connection))

        assert taken[0] == taken[1]
        assert len(set(taken)) == 3

    def test_tell_what_has_happened_since(self) -> None:
        connection = ConnectionFactory.create()
        failed = item(connection, "failed")
        made = snapshots.take_of_period(
            connection=connection, period=OCTOBER, entity_id=None, actor="ana"
        )
        SyncItem.objects.filter(pk=failed.pk).update(state="READY")
        SyncItem.objects.filter(pk=failed.pk).update(state="WITHDRAWN", error_category="")
        came = item(connection, ready_at=made.taken_at + timedelta(minutes=1))
        item(connection, ready_at=made.taken_at + timedelta(minutes=1),
             accounting_date=date(2026, 11, 2))  # fmt: skip

        since = close_since.since(made)

        assert since
        assert list(since.arrived) == [came]
        assert (since.then_unsynced, since.through, since.aside, since.left) == (1, 0, 1, 0)
        assert not all(line.is_same for line in close_since.lines(made))


class TestCloseDay:
    def test_is_the_fifth_working_day_until_somebody_says_otherwise(self) -> None:
        connection = ConnectionFactory.create()
        item(connection)
        assert days.working_day_of(connection) == 5

        days.set_working_day(connection=connection, working_day=3, actor="ana")

        (row,) = close_board.of_customer(connection.pk, now=MOMENT)
        assert row.close_on == date(2026, 11, 4)
        assert AuditLine.objects.get(act="close.day").data == {"before": 5, "after": 3}


def _take(connection: Connection) -> str:
    made = snapshots.take_of_period(
        connection=connection, period=OCTOBER, entity_id=None, actor="ana"
    )
    return made.checksum
