from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from django.conf import settings
from django.db.models import F
from django.db.models.functions import Now

from connections.mirror import schedule
from connections.mirror.schedule import Due, LeaseLost
from connections.mirror.troubles import Trouble
from connections.models import Connection, Mirror
from tests.connections.world import new_connection

pytestmark = pytest.mark.django_db

LONG_AGO = datetime(2026, 1, 1, tzinfo=UTC)
NEVER = datetime(2099, 1, 1, tzinfo=UTC)
OVER = Trouble("ramp.unavailable", "Ramp did not answer.", "Wait.", needs_person=False)
LOCKED = Trouble("erp.forbidden", "No rights.", "Grant them.", needs_person=True)


@pytest.fixture
def connection() -> Connection:
    connection = new_connection(time_zone="America/Denver")
    schedule.ensure(connection)
    return connection


def nothing_due(**but: datetime | None) -> None:
    times = dict.fromkeys(("read_due_at", "full_due_at", "push_due_at", "verify_due_at"), NEVER)
    Mirror.objects.update(**{**times, **but})


class TestEnsure:
    def test_makes_all_of_a_new_chart_due(self, connection: Connection) -> None:
        lease = schedule.take(connection.pk)

        assert lease
        assert lease.due == Due(read=True, full=True, push=True)

    def test_leaves_a_schedule_as_it_is(self, connection: Connection) -> None:
        nothing_due()

        schedule.ensure(connection)

        assert schedule.due() == []


class TestTake:
    def test_gives_a_chart_to_one_worker(self, connection: Connection) -> None:
        assert schedule.due() == [connection.pk]
        assert schedule.take(connection.pk)

        assert schedule.take(connection.pk) is None
        assert schedule.due() == []

    def test_takes_over_from_a_worker_that_died(self, connection: Connection) -> None:
        first = schedule.take(connection.pk)
        Mirror.objects.update(lease_until=LONG_AGO)

        second = schedule.take(connection.pk)

        assert first
        assert second
        with pytest.raises(LeaseLost):
            first.keep()
        second.keep()

    def test_gives_nothing_where_nothing_is_due(self, connection: Connection) -> None:
        nothing_due()

        assert schedule.take(connection.pk) is None

    def test_leaves_closed_customers_alone(self, connection: Connection) -> None:
        Connection.objects.update(stage="closed")

        assert schedule.due() == []
        assert schedule.take(connection.pk) is None

    def test_uploads_by_itself_only_where_that_is_wanted(self, connection: Connection) -> None:
        Mirror.objects.update(is_automatic=False)
        nothing_due(push_due_at=LONG_AGO)

        lease = schedule.take(connection.pk)

        assert lease
        assert not lease.due.push

    def test_uploads_where_a_person_says_so(self, connection: Connection) -> None:
        Mirror.objects.update(is_automatic=False)
        nothing_due()
        schedule.upload_soon(connection.pk, actor="ines")

        lease = schedule.take(connection.pk)

        assert lease
        assert lease.due == Due(read=True, push=True)
        assert lease.asked_by == "ines"

    def test_reading_alone_uploads_nothing_where_people_upload_by_hand(
        self, connection: Connection
    ) -> None:
        nothing_due(push_due_at=LONG_AGO)
        schedule.plan_uploads(connection.pk, is_automatic=False)
        schedule.ensure(connection)
        schedule.read_soon(connection.pk, actor="ines")

        lease = schedule.take(connection.pk)

        assert lease
        assert lease.due == Due(read=True)

    def test_is_not_rung_for_uploads_that_nobody_wants(self, connection: Connection) -> None:
        nothing_due()
        schedule.plan_uploads(connection.pk, is_automatic=False)
        schedule.upload_soon(connection.pk, actor="ines")
        lease = schedule.take(connection.pk)
        assert lease
        schedule.done(lease, lease.due)

        assert Mirror.objects.get().push_due_at is None

    def test_uploads_at_once_when_it_is_to_do_so_by_itself_again(
        self, connection: Connection
    ) -> None:
        nothing_due()
        schedule.plan_uploads(connection.pk, is_automatic=False)
        assert schedule.take(connection.pk) is None

        assert schedule.plan_uploads(connection.pk, is_automatic=True)

        lease = schedule.take(connection.pk)
        assert lease
        assert lease.due == Due(push=True)


class TestDone:
    def test_says_when_it_is_due_again(self, connection: Connection) -> None:
        lease = schedule.take(connection.pk)
        assert lease

        schedule.done(lease, lease.due)

        mirror = Mirror.objects.get()
        now = mirror.last_read_at
        assert now
        assert mirror.last_full_at == now
        assert mirror.read_due_at == now + timedelta(seconds=settings.CHART_READ_SECONDS)
        assert mirror.push_due_at == now + timedelta(seconds=settings.CHART_UPLOAD_SECONDS)
        assert mirror.lease_token is None

    def test_puts_whole_lists_into_the_customers_night(self, connection: Connection) -> None:
        lease = schedule.take(connection.pk)
        assert lease

        schedule.done(lease, lease.due)

        mirror = Mirror.objects.annotate(now=Now()).get()
        assert mirror.full_due_at
        there = mirror.full_due_at.astimezone(ZoneInfo("America/Denver"))
        assert 1 <= there.hour < 4
        assert mirror.now < mirror.full_due_at <= mirror.now + timedelta(days=1)

    def test_keeps_what_was_asked_for_meanwhile(self, connection: Connection) -> None:
        lease = schedule.take(connection.pk)
        assert lease
        schedule.upload_soon(connection.pk, actor="ines")

        schedule.done(lease, lease.due)

        again = schedule.take(connection.pk)
        assert again
        assert again.asked_by == "ines"
        assert again.due.push

    def test_writes_nothing_for_who_lost_the_lease(self, connection: Connection) -> None:
        lease = schedule.take(connection.pk)
        assert lease
        Mirror.objects.update(lease_until=LONG_AGO)
        schedule.take(connection.pk)

        with pytest.raises(LeaseLost):
            schedule.done(lease, lease.due)
        with pytest.raises(LeaseLost):
            schedule.failed(lease, lease.due, OVER)


class TestFailed:
    def test_tries_again_ever_more_rarely(self, connection: Connection) -> None:
        for _ in range(6):
            nothing_due(push_due_at=LONG_AGO)
            lease = schedule.take(connection.pk)
            assert lease
            schedule.failed(lease, lease.due, OVER)

        mirror = Mirror.objects.annotate(wait=F("push_due_at") - Now()).get()
        assert mirror.failures == 6
        assert timedelta(0) < mirror.wait <= timedelta(hours=1)
        assert mirror.read_due_at == NEVER

    def test_tells_of_time_only_when_it_takes_long(self, connection: Connection) -> None:
        for failures in range(1, schedule.SHOWN_AFTER + 1):
            nothing_due(push_due_at=LONG_AGO)
            lease = schedule.take(connection.pk)
            assert lease
            schedule.failed(lease, lease.due, OVER)
            assert bool(Mirror.objects.get().blocked_title) is (failures == schedule.SHOWN_AFTER)

    def test_tells_at_once_what_a_person_must_do(self, connection: Connection) -> None:
        lease = schedule.take(connection.pk)
        assert lease

        schedule.failed(lease, lease.due, LOCKED)

        mirror = Mirror.objects.get()
        assert (mirror.blocked_title, mirror.blocked_fix) == ("No rights.", "Grant them.")
        assert mirror.blocked_at is not None
        assert schedule.due() == []
