"""Notice when webhooks miss something, and what follows from it (R-80, R-81).

A poll that finds new objects which an active subscription should have announced minutes ago has
found a hole: Ramp gives up after about five minutes of trouble, and says nothing.
"""

from datetime import datetime, timedelta

from connections.models import Connection, WebhookSubscription
from connections.ramp.events import EVENTS, announces
from syncing.cadence import BUSY_PULL, Habits, spread_of
from syncing.kinds import LISTS
from syncing.models import SyncRun
from syncing.snapshots import ANNOUNCED_WITHIN_SECONDS
from syncing.statements import rows
from syncing.subscriptions import NOTED_EVERY

MISSED_IN_A_ROW = 2
"""Polls that found a hole, one after the other, before the subscription is called broken. One may
be the outage that we know of."""
RENEWED_AT_MOST_EVERY = timedelta(days=1)
_ANNOUNCED = ", ".join(
    f"('{event}', '{kind.object_type}')"
    for event in EVENTS
    for about in announces([event])
    for kind in LISTS[about]
)
UNHEARD_OF = f"""
    SELECT count(*) AS missed FROM (
        SELECT i.object_type, i.ramp_id, i.ready_at, i.arrived_by FROM syncing_syncitem i
        WHERE i.connection_id = q.connection_id AND i.ready_at > q.last_at
          AND i.ready_at < %(now)s - interval '{ANNOUNCED_WITHIN_SECONDS} seconds'
        ORDER BY i.ready_at DESC, i.id DESC LIMIT 200
    ) i
    WHERE i.arrived_by = 'poll' AND EXISTS (
        SELECT FROM connections_webhooksubscription s
        JOIN (VALUES {_ANNOUNCED}) a (event, object_type) ON s.event_types ? a.event
        WHERE s.connection_id = q.connection_id AND s.status = 'active'
          AND a.object_type = i.object_type
    ) AND NOT EXISTS (
        SELECT FROM syncing_webhookevent e
        WHERE e.connection_id = q.connection_id AND e.object_id = i.ramp_id::text
          AND e.received_at BETWEEN i.ready_at - interval '1 hour'
            AND q.last_at + interval '{NOTED_EVERY}'
    )
"""  # noqa: S608  constants of this program
"""SQL: how many objects polls have found since the last event, `q.last_at`, of a subscription of
`q.connection_id`, although Ramp should have told of them by `now`. It is the only trace where polls
are so frequent that each object is found before Ramp has given up telling of it."""


def habits_of(connection: Connection) -> Habits:
    """What the next poll of a connection is planned by; one statement."""
    ((has_hook, is_quiet, missed, new),) = rows(
        f"""
        SELECT hook.is_there, hook.is_quiet, coalesce(bool_or(unannounced > 0), false),
               coalesce((array_agg(new ORDER BY started_at DESC))[1], 0)
        FROM (
            SELECT count(*) > 0 AS is_there, coalesce(max(greatest(last_event_at, created_at))
                < now() - interval '{ANNOUNCED_WITHIN_SECONDS} seconds', false) AS is_quiet
            FROM connections_webhooksubscription
            WHERE connection_id = %(connection)s AND status = 'active'
        ) hook LEFT JOIN (
            SELECT started_at, unannounced, new FROM syncing_syncrun
            WHERE connection_id = %(connection)s AND trigger = 'poll' AND finished_at IS NOT NULL
            ORDER BY started_at DESC LIMIT %(polls)s
        ) last ON true
        GROUP BY hook.is_there, hook.is_quiet
        """,  # noqa: S608  a constant of this program
        {"connection": connection.pk, "polls": MISSED_IN_A_ROW},
    )
    return Habits(
        time_zone=connection.time_zone,
        spread=spread_of(connection.pk),
        webhooks_work=has_hook and not missed,
        is_missing_events=missed,
        is_busy=new >= BUSY_PULL,
        hook_is_quiet=is_quiet,
    )


def is_broken(connection: Connection, *, now: datetime) -> bool:
    """Whether the subscription should be replaced by a new one: it is active, misses events again
    and again, and has not been replaced today.
    """
    live = WebhookSubscription.objects.filter(connection=connection).exclude(
        status=WebhookSubscription.Status.REMOVED
    )
    newest = live.order_by("-created_at").first()  # perhaps one that waits for its challenge
    if newest is None or newest.created_at > now - RENEWED_AT_MOST_EVERY:
        return False
    active = live.filter(status=WebhookSubscription.Status.ACTIVE).order_by("-created_at").first()
    if active is None:
        return False
    last = SyncRun.objects.filter(
        connection=connection,
        trigger=SyncRun.Trigger.POLL,
        finished_at__isnull=False,
        started_at__gt=active.created_at,
    ).order_by("-started_at")[:MISSED_IN_A_ROW]
    if len(last) == MISSED_IN_A_ROW and all(run.unannounced for run in last):
        return True
    return _unheard_of(connection, since=active.created_at, now=now) >= MISSED_IN_A_ROW


def _unheard_of(connection: Connection, *, since: datetime, now: datetime) -> int:
    """Objects found by polls since the last event, of which no word came although it should have.

    :param since: when the subscription was made; what came before is not held against it
    """
    ((missed,),) = rows(
        f"""
        SELECT missed FROM (
            SELECT %(connection)s::uuid AS connection_id, greatest(%(since)s, max(last_event_at))
                AS last_at
            FROM connections_webhooksubscription
            WHERE connection_id = %(connection)s AND status = 'active'
        ) q CROSS JOIN LATERAL ({UNHEARD_OF}) unheard
        """,  # noqa: S608  constants of this file
        {"connection": connection.pk, "since": since, "now": now},
    )
    return int(missed)
