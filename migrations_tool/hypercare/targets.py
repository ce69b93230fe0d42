"""What has to hold during hypercare, as our rows show it now. Few statements, nothing is called."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Any

from connections.mirror import plan
from migrations_tool import page_memory
from migrations_tool.models import ConnectionMigration, Evidence
from migrations_tool.proofs import newest
from rampbridge.lib.statements import execute, rows
from syncing.classifier import ErrorCategory
from syncing.states import ItemState

READING = "hypercare.reading"
ERROR_PERCENT = 2
"""Of all items, where the old integration's own rate is not known."""
OLDEST = timedelta(hours=24)
UNANSWERED = timedelta(days=3)
FRESH = timedelta(hours=24)
"""How long a reading is worth something."""
READ_WITHIN = timedelta(hours=13)
"""Ramp is read every twelve hours at weekends, else more often: an hour of which that is not true
is not watched."""
MOST_PERCENT = 10
"""Of errors, however badly the old integration did."""
_ON_THE_WAY = (ItemState.READY, ItemState.POSTING, ItemState.POSTED, ItemState.ACKING)
_THROUGH = (ItemState.ACKED, ItemState.POSTED, ItemState.ACKING)
_STUCK = (ItemState.FAILED, ItemState.REVIEW, ItemState.MISMATCH)


@dataclass(frozen=True, slots=True)
class Target:
    """One thing that has to hold."""

    code: str
    title: str
    words: str
    is_met: bool
    fix: str = ""


@dataclass(frozen=True, slots=True)
class Day:
    """What happened on one day since the switch, by the customer's calendar."""

    day: date
    posted: int
    reported: int
    stuck: int
    outside: int
    not_watched: int = 0
    """Hours of it in which nobody looked, from the end of the cutover check on."""


@dataclass(frozen=True, slots=True)
class Held:
    """How long the targets have held without a break."""

    since: datetime | None
    days: int
    of: int
    not_watched: int = 0
    """Hours since then that nobody watched."""

    @property
    def is_enough(self) -> bool:
        return self.days >= self.of


def targets(migration: ConnectionMigration, *, now: datetime) -> list[Target]:
    """All of them, as they are now."""
    found = _figures(migration, now)
    return [
        _flow(found),
        _errors(migration, found),
        _backlog(found.oldest, now),
        _drift(migration),
        _outside(found.outside),
        _unanswered(found.unanswered),
    ]


def held(migration: ConnectionMigration, *, now: datetime) -> Held:
    """How long every target was met, counted in hours in which somebody looked, from the end of the
    cutover check or the last time that one was not met. An hour that nobody watched counts for
    nothing, and breaks nothing."""
    of = migration.hypercare_days
    last = last_reading(migration)
    if last is None or not last.is_good:
        return Held(None, 0, of)
    since, watched = page_memory.once(migration, "held", lambda: _since(migration, now))
    if since is None:
        return Held(None, 0, of)
    passed = max(int((now - since).total_seconds() // 3600), 0)
    return Held(since, watched // 24, of, not_watched=max(passed - watched, 0))


def _since(migration: ConnectionMigration, now: datetime) -> tuple[datetime | None, int]:
    """The end of the cutover check, or the first good reading after a bad one if there was one; and
    the whole hours since then that were watched and met."""
    [(since, watched)] = rows(
        """
        WITH began AS (
            SELECT greatest(c.done_at, (
                SELECT min(e.at) FROM migrations_tool_evidence e
                WHERE e.migration_id = %(migration)s AND e.code = %(code)s AND e.is_good
                AND e.at > (
                    SELECT max(b.at) FROM migrations_tool_evidence b
                    WHERE b.migration_id = %(migration)s AND b.code = %(code)s AND NOT b.is_good
                )
            )) AS at
            FROM migrations_tool_steprecord c
            WHERE c.migration_id = %(migration)s AND c.step = 'cutover' AND c.done_at IS NOT NULL
        )
        SELECT (SELECT at FROM began), (
            SELECT count(*) FROM migrations_tool_watchedhour
            WHERE migration_id = %(migration)s AND was_met
            AND hour >= date_trunc('hour', (SELECT at FROM began))
            AND hour < date_trunc('hour', %(now)s::timestamptz)
        )
        """,
        {"migration": migration.pk, "code": READING, "now": now},
    )
    return since, watched


def note_hour(migration: ConnectionMigration, *, was_met: bool, now: datetime) -> None:
    """Note that this hour is watched: the targets were read in it, and Ramp was read lately. Again
    changes only what is no longer met."""
    execute(
        """
        INSERT INTO migrations_tool_watchedhour (migration_id, hour, was_met)
        SELECT %(migration)s, date_trunc('hour', %(now)s::timestamptz), %(was_met)s
        WHERE EXISTS (
            SELECT FROM syncing_schedule
            WHERE connection_id = %(connection)s AND last_poll_at >= %(polled)s
        )
        ON CONFLICT (migration_id, hour) DO UPDATE
        SET was_met = migrations_tool_watchedhour.was_met AND excluded.was_met
        """,
        {
            "migration": migration.pk,
            "now": now,
            "was_met": was_met,
            "connection": migration.connection_id,
            "polled": now - READ_WITHIN,
        },
    )


def last_reading(migration: ConnectionMigration) -> Evidence | None:
    return newest(migration, READING)


def days(migration: ConnectionMigration, *, now: datetime, limit: int = 31) -> list[Day]:
    """Day by day since the switch, by the customer's calendar, the newest first. A day of hypercare
    on which nothing came has a line too, for it may be one that nobody watched."""
    if migration.flipped_at is None:
        return []
    found = rows(
        """
        WITH told AS (
            SELECT (posted_at AT TIME ZONE %(zone)s)::date AS day, 1 AS posted, 0 AS reported,
                   0 AS stuck, 0 AS outside, 0 AS watched
            FROM syncing_syncitem WHERE connection_id = %(connection)s AND posted_at >= %(since)s
            UNION ALL
            SELECT (acked_at AT TIME ZONE %(zone)s)::date, 0, 1, 0, 0, 0
            FROM syncing_syncitem WHERE connection_id = %(connection)s AND acked_at >= %(since)s
            UNION ALL
            SELECT (state_at AT TIME ZONE %(zone)s)::date, 0, 0,
                   (state <> 'EXTERNAL')::int, (state = 'EXTERNAL')::int, 0
            FROM syncing_syncitem WHERE connection_id = %(connection)s AND state_at >= %(since)s
              AND state IN ('FAILED', 'REVIEW', 'MISMATCH', 'EXTERNAL')
            UNION ALL
            SELECT (hour AT TIME ZONE %(zone)s)::date, 0, 0, 0, 0, 1
            FROM migrations_tool_watchedhour WHERE migration_id = %(migration)s
            UNION ALL
            SELECT given::date, 0, 0, 0, 0, 0 FROM generate_series(
                (
                    SELECT date_trunc('day', done_at AT TIME ZONE %(zone)s)
                    FROM migrations_tool_steprecord
                    WHERE migration_id = %(migration)s AND step = 'cutover'
                ),
                %(now)s::timestamptz AT TIME ZONE %(zone)s,
                interval '1 day'
            ) given
        )
        SELECT day, sum(posted)::int, sum(reported)::int, sum(stuck)::int, sum(outside)::int,
            greatest(0, floor(extract(epoch FROM
                least((day + 1)::timestamp AT TIME ZONE %(zone)s, %(now)s::timestamptz)
                - greatest(day::timestamp AT TIME ZONE %(zone)s, coalesce((
                    SELECT done_at FROM migrations_tool_steprecord
                    WHERE migration_id = %(migration)s AND step = 'cutover'
                ), %(now)s::timestamptz))
            ) / 3600) - sum(watched))::int
        FROM told GROUP BY day ORDER BY day DESC LIMIT %(limit)s
        """,
        {
            "zone": migration.connection.time_zone,
            "connection": migration.connection_id,
            "migration": migration.pk,
            "since": migration.flipped_at,
            "now": now,
            "limit": limit,
        },
    )
    return [Day(*row) for row in found]


def allowed_percent(migration: ConnectionMigration) -> int:
    """The old integration's own error rate, where the inventory has told; else our own measure."""
    known: Any = migration.baseline.get("error_percent")
    if not isinstance(known, int | str):
        return ERROR_PERCENT
    return min(max(int(known), ERROR_PERCENT), MOST_PERCENT)


@dataclass(frozen=True, slots=True)
class _Figures:
    """What the items of a customer say."""

    stuck: int
    through: int
    oldest: datetime | None
    """On the way since then."""
    outside: int
    unanswered: int
    has_booked: bool
    """Since the switch."""
    stopped: str
    """What stops the customer's sync, in words; empty if nothing does."""


def _figures(migration: ConnectionMigration, now: datetime) -> _Figures:
    found = rows(
        """
        SELECT counted.stuck, counted.through,
            (
                SELECT min(ready_at) FROM syncing_syncitem
                WHERE connection_id = %(connection)s AND state = ANY(%(on_the_way)s)
            ),
            (
                SELECT count(*) FROM syncing_syncitem i
                WHERE connection_id = %(connection)s AND state = 'EXTERNAL'
                AND state_at >= coalesce(%(flipped)s::timestamptz, '-infinity')
                AND NOT EXISTS (SELECT FROM syncing_settlement s WHERE s.item_id = i.id)
            ),
            (
                SELECT count(*) FROM syncing_syncitem
                WHERE connection_id = %(connection)s AND state = 'FAILED'
                AND error_category = %(theirs)s AND error_at < %(unanswered)s
            ),
            EXISTS (
                SELECT FROM syncing_syncitem WHERE connection_id = %(connection)s
                AND posted_at >= coalesce(%(flipped)s::timestamptz, '-infinity')
            ),
            coalesce(
                (
                    SELECT blocked_title || ' ' || blocked_fix FROM syncing_schedule
                    WHERE connection_id = %(connection)s AND blocked_at IS NOT NULL
                ),
                (
                    SELECT 'Paused: ' || reason FROM syncing_pause
                    WHERE connection_id = %(connection)s AND resumed_at IS NULL
                    ORDER BY object_type, id LIMIT 1
                ),
                ''
            )
        FROM (
            SELECT coalesce(sum(items) FILTER (WHERE state = ANY(%(stuck)s)), 0)::bigint AS stuck,
                coalesce(sum(items) FILTER (WHERE state = ANY(%(through)s)), 0)::bigint AS through
            FROM syncing_itemcount WHERE connection_id = %(connection)s
        ) counted
        """,
        {
            "connection": migration.connection_id,
            "flipped": migration.flipped_at,
            "on_the_way": [str(one) for one in _ON_THE_WAY],
            "stuck": [str(one) for one in _STUCK],
            "through": [str(one) for one in _THROUGH],
            "theirs": str(ErrorCategory.USER_ACTIONABLE),
            "unanswered": now - UNANSWERED,
        },
    )
    return _Figures(*found[0])


def _flow(found: _Figures) -> Target:
    """Where nothing comes, nothing can go wrong either: that proves nothing."""
    title = "Something arrives"
    if found.stopped:
        fix = "Have it mended or resumed: see the customer's page."
        return Target("flow", title, found.stopped.strip(), is_met=False, fix=fix)
    if found.has_booked:
        return Target("flow", title, "It is booked in the ERP.", is_met=True)
    words = "Nothing has been booked since the switch, so nothing is proved."
    fix = "Ask the customer to mark one object ready in Ramp, and see it arrive."
    return Target("flow", title, words, is_met=False, fix=fix)


def _errors(migration: ConnectionMigration, found: _Figures) -> Target:
    stuck = found.stuck
    all_of_them = stuck + found.through
    allowed = allowed_percent(migration)
    is_met = stuck * 100 <= allowed * all_of_them
    words = f"{stuck:,} of {all_of_them:,} wait for somebody; at most {allowed} % may."
    return Target(
        "errors", "Errors", words, is_met, "Work through the customer's errors by their cause."
    )


def _backlog(oldest: datetime | None, now: datetime) -> Target:
    fix = "See what it waits for: a pause, its bill, or the ERP."
    if oldest is None:
        return Target("backlog", "Oldest in the backlog", "Nothing waits.", is_met=True)
    hours = int((now - oldest).total_seconds() // 3600)
    words = f"The oldest waits for {hours} h; {OLDEST.total_seconds() // 3600:.0f} h at most."
    return Target("backlog", "Oldest in the backlog", words, now - oldest <= OLDEST, fix)


def _drift(migration: ConnectionMigration) -> Target:
    count = sum(one.count for one in plan.drift_counts(migration.connection))
    words = f"{count:,} records differ between the ERP and Ramp." if count else "None."
    return Target(
        "drift", "Chart differences", words, not count, "Upload what is new, on the chart's page."
    )


def _outside(count: int) -> Target:
    words = f"{count:,} marked as synced by somebody else." if count else "None."
    fix = "Find out who marks them: the old provider must not, nor anybody by hand."
    return Target("outside", "Marked as synced outside", words, not count, fix)


def _unanswered(count: int) -> Target:
    words = (
        f"{count:,} wait for the customer for over {UNANSWERED.days} days." if count else "None."
    )
    return Target(
        "unanswered",
        "Left undone by the customer",
        words,
        not count,
        "Call the contact and go through them together.",
    )


def unmet(found: Sequence[Target]) -> str:
    return " ".join(f"{one.title}: {one.words}" for one in found if not one.is_met)
