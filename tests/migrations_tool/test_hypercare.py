"""Targets have to hold for the agreed days; then the migration is finished with a report."""

from datetime import UTC, datetime, timedelta

import pytest
from django.utils import timezone

from migrations_tool import services
from migrations_tool.hypercare import targets
from migrations_tool.hypercare.handler import HypercareHandler
from migrations_tool.models import (
    ConnectionMigration,
    Evidence,
    Report,
    StepRecord,
    WatchedHour,
)
from migrations_tool.steps import Path, Step
from migrations_tool.wizard import Gate, Light
from migrations_tool.work import Work
from syncing import pauses
from syncing.models import Schedule, SyncItem
from tests.factories import ConnectionFactory, SyncItemFactory

pytestmark = pytest.mark.django_db

BEGAN = datetime(2026, 11, 2, 9, tzinfo=UTC)


@pytest.fixture
def migration() -> ConnectionMigration:
    """The cutover check is done; a week of hypercare is agreed."""
    started = services.start(
        ConnectionFactory.create(), path=Path.MIGRATION, actor="ines", now=BEGAN - timedelta(days=9)
    )
    started.flipped_at = BEGAN
    started.save(update_fields=["flipped_at"])
    done = StepRecord.objects.filter(migration=started, step=Step.CUTOVER)
    done.update(status="done", done_at=BEGAN)
    SyncItemFactory.create(
        connection=started.connection, state="ACKED", posted_at=BEGAN, acked_at=BEGAN
    )
    return started


def read(migration: ConnectionMigration, now: datetime) -> None:
    """Ramp was read an hour ago, and now the targets are."""
    Schedule.objects.update_or_create(
        connection=migration.connection,
        defaults={"last_poll_at": now - timedelta(hours=1)},
        create_defaults={"next_poll_at": now, "last_poll_at": now - timedelta(hours=1)},
    )
    HypercareHandler().watch(Work(migration, Step.HYPERCARE, "rampbridge", lambda: now))


def watched(migration: ConnectionMigration, since: datetime, hours: int) -> None:
    """Somebody looked in each of these hours, and all was well."""
    WatchedHour.objects.bulk_create(
        [
            WatchedHour(migration=migration, hour=since + timedelta(hours=number), was_met=True)
            for number in range(hours)
        ],
        ignore_conflicts=True,
    )


def gate(migration: ConnectionMigration, now: datetime) -> Gate:
    (found,) = HypercareHandler().gates(migration, now=now)
    return found


def test_a_day_is_not_enough(migration: ConnectionMigration) -> None:
    day = BEGAN + timedelta(days=1)
    watched(migration, BEGAN, 24)
    read(migration, day)

    assert gate(migration, day).light is Light.UNKNOWN
    assert gate(migration, day).words == "Held for 1 of 7 days so far."


def test_the_agreed_days_are(migration: ConnectionMigration) -> None:
    day = BEGAN + timedelta(days=7)
    watched(migration, BEGAN, 7 * 24)
    read(migration, day)

    assert gate(migration, day).light is Light.GREEN


def test_where_nothing_arrives_nothing_is_proved(migration: ConnectionMigration) -> None:
    SyncItem.objects.update(posted_at=BEGAN - timedelta(days=1))
    day = BEGAN + timedelta(days=7)
    read(migration, day)

    assert gate(migration, day).light is Light.RED
    assert "Nothing has been booked since the switch" in gate(migration, day).words


@pytest.mark.parametrize("stopped_by", ["a pause", "a block"])
def test_what_is_stopped_does_not_hold(migration: ConnectionMigration, stopped_by: str) -> None:
    connection = migration.connection
    if stopped_by == "a pause":
        pauses.pause(connection, "bill", "Month end.", "omar")
    else:
        Schedule.objects.update_or_create(
            connection=connection,
            defaults={"next_poll_at": BEGAN, "blocked_at": BEGAN, "blocked_title": "Month end."},
        )
    day = BEGAN + timedelta(days=7)
    read(migration, day)

    assert gate(migration, day).light is Light.RED
    assert "Month end." in gate(migration, day).words


def test_a_bad_day_begins_the_count_anew(migration: ConnectionMigration) -> None:
    stuck = SyncItemFactory.create(connection=migration.connection, state="EXTERNAL")
    read(migration, BEGAN + timedelta(days=5))
    stuck.delete()
    read(migration, BEGAN + timedelta(days=6))
    watched(migration, BEGAN, 7 * 24)
    day = BEGAN + timedelta(days=7)
    read(migration, day)

    assert gate(migration, day).light is Light.UNKNOWN
    assert "Held for 1 of 7 days" in gate(migration, day).words


def test_what_is_not_met_says_what_to_do(migration: ConnectionMigration) -> None:
    SyncItemFactory.create(connection=migration.connection, state="EXTERNAL")
    SyncItemFactory.create(
        connection=migration.connection, state="FAILED", error_category="user_actionable"
    )
    read(migration, timezone.now())

    found = {one.code: one for one in targets.targets(migration, now=timezone.now())}
    assert not found["outside"].is_met
    assert "old provider must not" in found["outside"].fix
    assert not found["errors"].is_met
    assert gate(migration, timezone.now()).light is Light.RED


def test_a_reading_is_kept_once_a_day_and_when_it_changes(
    migration: ConnectionMigration,
) -> None:
    for minutes in (0, 10, 20):
        read(migration, BEGAN + timedelta(minutes=minutes))
    assert Evidence.objects.filter(code=targets.READING).count() == 1

    read(migration, BEGAN + timedelta(days=1))
    assert Evidence.objects.filter(code=targets.READING).count() == 2


def test_hours_that_nobody_watched_are_shown_and_count_for_nothing(
    migration: ConnectionMigration,
) -> None:
    day = BEGAN + timedelta(days=7)
    watched(migration, BEGAN, 24)
    watched(migration, day - timedelta(hours=10), 10)
    read(migration, day)

    assert gate(migration, day).light is Light.UNKNOWN
    assert "Held for 1 of 7 days so far." in gate(migration, day).words
    assert f"Not watched, and not counted: {6 * 24 - 10} hours." in gate(migration, day).words
    second = targets.days(migration, now=day)[4]
    assert (second.day.isoformat(), second.not_watched) == ("2026-11-05", 24)


def test_an_hour_is_not_watched_while_ramp_is_not_read(migration: ConnectionMigration) -> None:
    read(migration, BEGAN)
    Schedule.objects.update(last_poll_at=BEGAN - timedelta(days=1))
    work = Work(migration, Step.HYPERCARE, "rampbridge", lambda: BEGAN + timedelta(hours=1))
    HypercareHandler().watch(work)

    assert [one.hour for one in WatchedHour.objects.all()] == [BEGAN]


def test_an_hour_with_a_bad_moment_does_not_count(migration: ConnectionMigration) -> None:
    read(migration, BEGAN)
    stuck = SyncItemFactory.create(connection=migration.connection, state="EXTERNAL")
    read(migration, BEGAN + timedelta(minutes=10))
    stuck.delete()
    read(migration, BEGAN + timedelta(minutes=20))

    assert not WatchedHour.objects.get().was_met


def test_a_day_is_one_where_the_customer_is(migration: ConnectionMigration) -> None:
    migration.connection.time_zone = "America/Los_Angeles"
    evening = datetime(2026, 11, 2, 23, 50, tzinfo=UTC)
    read(migration, evening)
    read(migration, evening + timedelta(minutes=20))
    assert Evidence.objects.filter(code=targets.READING).count() == 1

    read(migration, evening + timedelta(hours=9))
    assert Evidence.objects.filter(code=targets.READING).count() == 2


def test_the_old_integrations_own_rate_is_allowed_within_reason(
    migration: ConnectionMigration,
) -> None:
    for known, allowed in ((0, 2), (5, 5), (40, 10)):
        migration.baseline = {"error_percent": known}
        assert targets.allowed_percent(migration) == allowed


def test_each_day_since_the_switch_is_counted(migration: ConnectionMigration) -> None:
    SyncItemFactory.create(connection=migration.connection, state="EXTERNAL")

    found = targets.days(migration, now=timezone.now())

    assert sum(day.outside for day in found) == 1
    assert sum(day.stuck for day in found) == 0


def test_the_end_is_a_finished_migration_and_a_report(migration: ConnectionMigration) -> None:
    work = Work(migration, Step.HYPERCARE, "ines", timezone.now)

    HypercareHandler().completed(work)

    migration.refresh_from_db()
    assert migration.state == ConnectionMigration.State.FINISHED
    assert Report.objects.get(migration=migration).kind == Report.Kind.CLOSING
