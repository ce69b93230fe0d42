"""Notice when webhooks miss something, and what follows from it (R-80, R-81).

A poll that finds new objects which an active subscription should have announced minutes ago has
found a hole: Ramp gives up after about five minutes of trouble, and says nothing.
"""

from datetime import datetime, timedelta

from connections.models import Connection, WebhookSubscription
from syncing.cadence import BUSY_PULL, Habits, spread_of
from syncing.models import SyncRun
from syncing.statements import rows

MISSED_IN_A_ROW = 2
"""Polls that found a hole, one after the other, before the subscription is called broken. One may
be the outage that we know of."""
RENEWED_AT_MOST_EVERY = timedelta(days=1)


def habits_of(connection: Connection) -> Habits:
    """What the next poll of a connection is planned by; one statement."""
    ((has_hook, missed, new),) = rows(
        """
        SELECT EXISTS (SELECT FROM connections_webhooksubscription w
                       WHERE w.connection_id = %(connection)s AND w.status = 'active'),
               coalesce(bool_or(unannounced > 0), false),
               coalesce((array_agg(new ORDER BY started_at DESC))[1], 0)
        FROM (SELECT started_at, unannounced, new FROM syncing_syncrun
              WHERE connection_id = %(connection)s AND trigger = 'poll'
                AND finished_at IS NOT NULL
              ORDER BY started_at DESC LIMIT %(polls)s) last
        """,
        {"connection": connection.pk, "polls": MISSED_IN_A_ROW},
    )
    return Habits(
        time_zone=connection.time_zone,
        spread=spread_of(connection.pk),
        webhooks_work=has_hook and not missed,
        is_missing_events=missed,
        is_busy=new >= BUSY_PULL,
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
    return len(last) == MISSED_IN_A_ROW and all(run.unannounced for run in last)
