"""What has to hold during hypercare, as our rows show it now. Few statements, nothing is called."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Any

from django.db.models import Min, Sum

from connections.mirror import plan
from migrations_tool.models import ConnectionMigration, Evidence
from migrations_tool.proofs import newest
from migrations_tool.steps import Step
from rampbridge.lib.statements import rows
from syncing.classifier import ErrorCategory
from syncing.models import ItemCount, SyncItem
from syncing.states import ItemState

READING = "hypercare.reading"
ERROR_PERCENT = 2
"""Of all items, where the old integration's own rate is not known."""
OLDEST = timedelta(hours=24)
UNANSWERED = timedelta(days=3)
FRESH = timedelta(hours=24)
"""How long a reading is worth something."""
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


@dataclass(frozen=True, slots=True)
class Held:
    """How long the targets have held without a break."""

    since: datetime | None
    days: int
    of: int

    @property
    def is_enough(self) -> bool:
        return self.days >= self.of


def targets(migration: ConnectionMigration, *, now: datetime) -> list[Target]:
    """All of them, as they are now."""
    return [
        _errors(migration),
        _backlog(migration, now),
        _drift(migration),
        _outside(migration),
        _unanswered(migration, now),
    ]


def held(migration: ConnectionMigration, *, now: datetime) -> Held:
    """Since when no reading was bad, counted from the end of the cutover check."""
    began = migration.steps.filter(step=Step.CUTOVER).values_list("done_at", flat=True).first()
    readings = Evidence.objects.filter(migration=migration, code=READING)
    bad = readings.filter(is_good=False).order_by("-at", "-pk").first()
    last = readings.order_by("-at", "-pk").first()
    of = migration.hypercare_days
    if began is None or last is None or not last.is_good:
        return Held(None, 0, of)
    after_bad = readings.filter(is_good=True)
    if bad is not None:
        after_bad = after_bad.filter(at__gt=bad.at)
    first_good = after_bad.order_by("at", "pk").values_list("at", flat=True).first()
    since = max(began, first_good) if bad is not None and first_good else began
    return Held(since, max((now - since).days, 0), of)


def last_reading(migration: ConnectionMigration) -> Evidence | None:
    return newest(migration, READING)


def days(migration: ConnectionMigration, *, limit: int = 31) -> list[Day]:
    """Day by day since the switch, the newest first."""
    if migration.flipped_at is None:
        return []
    found = rows(
        """
        WITH told AS (
            SELECT (posted_at AT TIME ZONE %(zone)s)::date AS day, 1 AS posted, 0 AS reported,
                   0 AS stuck, 0 AS outside
            FROM syncing_syncitem WHERE connection_id = %(connection)s AND posted_at >= %(since)s
            UNION ALL
            SELECT (acked_at AT TIME ZONE %(zone)s)::date, 0, 1, 0, 0
            FROM syncing_syncitem WHERE connection_id = %(connection)s AND acked_at >= %(since)s
            UNION ALL
            SELECT (state_at AT TIME ZONE %(zone)s)::date, 0, 0,
                   (state <> 'EXTERNAL')::int, (state = 'EXTERNAL')::int
            FROM syncing_syncitem WHERE connection_id = %(connection)s AND state_at >= %(since)s
              AND state IN ('FAILED', 'REVIEW', 'MISMATCH', 'EXTERNAL')
        )
        SELECT day, sum(posted)::int, sum(reported)::int, sum(stuck)::int, sum(outside)::int
        FROM told GROUP BY day ORDER BY day DESC LIMIT %(limit)s
        """,
        {
            "zone": migration.connection.time_zone,
            "connection": migration.connection_id,
            "since": migration.flipped_at,
            "limit": limit,
        },
    )
    return [Day(*row) for row in found]


def allowed_percent(migration: ConnectionMigration) -> int:
    """The old integration's own error rate, where the inventory has told; else our own measure."""
    known: Any = migration.baseline.get("error_percent")
    return max(int(known), ERROR_PERCENT) if isinstance(known, int | str) else ERROR_PERCENT


def _errors(migration: ConnectionMigration) -> Target:
    counted = dict(
        ItemCount.objects.filter(connection_id=migration.connection_id)
        .values_list("state")
        .annotate(Sum("items"))
    )
    stuck = sum(counted.get(one, 0) for one in _STUCK)
    all_of_them = stuck + sum(counted.get(one, 0) for one in _THROUGH)
    allowed = allowed_percent(migration)
    is_met = stuck * 100 <= allowed * all_of_them
    words = f"{stuck:,} of {all_of_them:,} need somebody; {allowed} % may."
    return Target(
        "errors", "Errors", words, is_met, "Work through the customer's errors by their cause."
    )


def _backlog(migration: ConnectionMigration, now: datetime) -> Target:
    oldest = SyncItem.objects.filter(
        connection_id=migration.connection_id, state__in=_ON_THE_WAY
    ).aggregate(Min("ready_at"))["ready_at__min"]
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


def _outside(migration: ConnectionMigration) -> Target:
    outside = SyncItem.objects.filter(
        connection_id=migration.connection_id, state=ItemState.EXTERNAL
    )
    if migration.flipped_at is not None:
        outside = outside.filter(state_at__gte=migration.flipped_at)
    count = outside.exclude(settlements__isnull=False).count()
    words = f"{count:,} marked as synced by somebody else." if count else "None."
    fix = "Find out who marks them: the old provider must not, nor anybody by hand."
    return Target("outside", "Marked as synced outside", words, not count, fix)


def _unanswered(migration: ConnectionMigration, now: datetime) -> Target:
    count = SyncItem.objects.filter(
        connection_id=migration.connection_id,
        state=ItemState.FAILED,
        error_category=ErrorCategory.USER_ACTIONABLE,
        error_at__lt=now - UNANSWERED,
    ).count()
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
