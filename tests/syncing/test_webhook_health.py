"""When webhooks miss something it is noticed, polls come more often, and the hook is renewed."""

from datetime import UTC, datetime, timedelta

import pytest

from connections.models import Connection, WebhookSubscription
from syncing import webhook_health
from syncing.cadence import BUSY_PULL
from syncing.models import SyncRun, WebhookEvent
from tests.factories import SyncItemFactory
from tests.syncing.world import connection_with_schedule

pytestmark = pytest.mark.django_db

NOW = datetime(2026, 11, 18, 12, tzinfo=UTC)


@pytest.fixture
def connection() -> Connection:
    return connection_with_schedule()


def subscribed(connection: Connection, *, ago: timedelta = timedelta(days=30)) -> None:
    hook = WebhookSubscription.objects.create(
        connection=connection, status=WebhookSubscription.Status.ACTIVE
    )
    WebhookSubscription.objects.filter(pk=hook.pk).update(created_at=NOW - ago)


def polled(connection: Connection, *unannounced: int, new: int = 0, trigger: str = "poll") -> None:
    """Polls of the last hours, the newest last."""
    for hours, missed in enumerate(reversed(unannounced)):
        moment = NOW - timedelta(hours=hours)
        SyncRun.objects.create(
            connection=connection,
            trigger=trigger,
            started_at=moment,
            finished_at=moment,
            unannounced=missed,
            new=max(new, missed),
        )


class TestHabits:
    def test_a_hook_that_misses_nothing_lets_us_ask_less(self, connection: Connection) -> None:
        subscribed(connection)
        polled(connection, 0, 0)

        habits = webhook_health.habits_of(connection)

        assert habits.webhooks_work
        assert not habits.is_missing_events

    def test_without_a_hook_there_is_nothing_to_trust(self, connection: Connection) -> None:
        polled(connection, 0, 0)

        assert not webhook_health.habits_of(connection).webhooks_work

    def test_one_hole_is_enough_to_ask_more(self, connection: Connection) -> None:
        subscribed(connection)
        polled(connection, 3, 0)

        habits = webhook_health.habits_of(connection)

        assert habits.is_missing_events
        assert not habits.webhooks_work

    def test_a_hole_long_ago_is_forgotten(self, connection: Connection) -> None:
        subscribed(connection)
        polled(connection, 3, 0, 0)

        assert not webhook_health.habits_of(connection).is_missing_events

    @pytest.mark.parametrize(("new", "busy"), [(BUSY_PULL, True), (BUSY_PULL - 1, False)])
    def test_a_full_page_of_new_objects_makes_a_connection_busy(
        self, connection: Connection, new: int, busy: bool
    ) -> None:
        polled(connection, 0, new=new)

        assert webhook_health.habits_of(connection).is_busy is busy

    def test_what_a_webhook_brought_says_nothing_of_polls(self, connection: Connection) -> None:
        polled(connection, 0, new=BUSY_PULL, trigger="webhook")

        assert not webhook_health.habits_of(connection).is_busy


class TestRenewal:
    def test_a_hook_that_misses_events_poll_after_poll_is_broken(
        self, connection: Connection
    ) -> None:
        subscribed(connection)
        polled(connection, 1, 2)

        assert webhook_health.is_broken(connection, now=NOW)

    @pytest.mark.parametrize("unannounced", [(2, 0), (0, 2), (2,), ()])
    def test_a_single_hole_may_be_an_outage_that_is_over(
        self, connection: Connection, unannounced: tuple[int, ...]
    ) -> None:
        subscribed(connection)
        polled(connection, *unannounced)

        assert not webhook_health.is_broken(connection, now=NOW)

    def test_it_is_renewed_once_a_day_at_most(self, connection: Connection) -> None:
        subscribed(connection, ago=timedelta(hours=23))
        polled(connection, 1, 2)

        assert not webhook_health.is_broken(connection, now=NOW)

    def test_one_that_waits_for_its_challenge_is_not_asked_for_again(
        self, connection: Connection
    ) -> None:
        subscribed(connection)
        polled(connection, 1, 2)
        successor = WebhookSubscription.objects.create(connection=connection)
        WebhookSubscription.objects.filter(pk=successor.pk).update(
            created_at=NOW - timedelta(hours=1)
        )

        assert not webhook_health.is_broken(connection, now=NOW)

    def test_what_the_hook_before_it_missed_is_not_held_against_it(
        self, connection: Connection
    ) -> None:
        subscribed(connection, ago=timedelta(days=2))
        polled(connection, 1, 2)
        SyncRun.objects.update(started_at=NOW - timedelta(days=3))

        assert not webhook_health.is_broken(connection, now=NOW)

    def test_one_that_tells_nothing_is_broken_however_often_polls_are_quicker(
        self, connection: Connection
    ) -> None:
        subscribed(connection)
        WebhookSubscription.objects.update(event_types=["transactions.ready_to_sync"])
        polled(connection, 0, 0)
        for minutes in (20, 30):
            SyncItemFactory.create(
                connection=connection, arrived_by="poll", ready_at=NOW - timedelta(minutes=minutes)
            )

        assert webhook_health.is_broken(connection, now=NOW)

    def test_one_that_has_told_since_is_not(self, connection: Connection) -> None:
        subscribed(connection)
        WebhookSubscription.objects.update(
            event_types=["transactions.ready_to_sync"], last_event_at=NOW - timedelta(minutes=10)
        )
        polled(connection, 0, 0)
        for minutes in (20, 30):
            SyncItemFactory.create(
                connection=connection, arrived_by="poll", ready_at=NOW - timedelta(minutes=minutes)
            )

        assert not webhook_health.is_broken(connection, now=NOW)

    def test_what_came_right_after_an_event_was_noted_is_not_missed(
        self, connection: Connection
    ) -> None:
        """In a storm the hook's row is not written for each event."""
        subscribed(connection)
        noted_at = NOW - timedelta(minutes=10)
        WebhookSubscription.objects.update(
            event_types=["transactions.ready_to_sync"], last_event_at=noted_at
        )
        for milliseconds in (200, 300):
            item = SyncItemFactory.create(
                connection=connection,
                arrived_by="poll",
                ready_at=noted_at + timedelta(milliseconds=milliseconds),
            )
            WebhookEvent.objects.create(
                event_id=f"event-{item.pk}",
                connection=connection,
                event_type="transactions.ready_to_sync",
                object_id=str(item.ramp_id),
                raw=b"",
                received_at=noted_at + timedelta(milliseconds=500),
            )

        assert not webhook_health.is_broken(connection, now=NOW)
