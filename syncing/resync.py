"""Begin one customer anew: every list from its start, every failed or waiting item once more.

Nothing is read or posted here. It is all wishes in rows, which the workers answer, and what is
posted, reported or being sent is left as it is: an item's identity keeps it from coming twice.
"""

import logging
import uuid
from collections.abc import Sequence
from dataclasses import dataclass

from django.db import transaction

from connections import audit
from connections.models import Connection
from syncing import poll_schedule, reconciliation
from syncing.kinds import LISTS
from syncing.models import PullCursor, Schedule, SyncItem
from syncing.statements import rows
from syncing.undecided import nobody_is_asked

AT_ONCE = 2000
"""Items that are queued in one transaction."""
WHY = "Re-sync of this customer."

logger = logging.getLogger(__name__)


class NotResyncable(Exception):
    """The customer cannot be synced anew as asked. The message is fit to show."""


@dataclass(frozen=True, slots=True)
class Begun:
    """What a re-sync has set going."""

    lists: Sequence[str]
    """Read from their start by the next pull."""
    forgotten: int
    """Places in lists that were remembered: how far they were read, and when last."""
    failed: int
    waiting: int
    """Items queued again, by how they stood."""


def resync(connection: Connection, *, actor: str, lists: Sequence[str] = ()) -> Begun:
    """Set going that everything is read, posted and compared again; of some lists only, if named.

    It can be repeated. A pull that is at work is told to stop, for it would go on in mid-list.

    :raises NotResyncable: if the customer is not live, or has a list not switched on
    """
    wanted = _checked(connection, lists)
    with transaction.atomic():
        forgotten = _forget(connection, wanted, actor)
        audit.record(
            actor,
            "runs.resync",
            f"Began anew: {', '.join(wanted)}.",
            connection_id=connection.pk,
        )
    types = [kind.object_type for name in wanted for kind in LISTS[name]]
    queued = _queue(connection.pk, types, actor)
    reconciliation.run_soon(connection.pk)
    begun = Begun(
        wanted, forgotten, queued.count("FAILED"), queued.count(SyncItem.State.READY.value)
    )
    logger.info(
        "A re-sync was asked for.",
        extra={"connection": connection.slug, "lists": list(wanted), "actor": actor},
    )
    return begun


def _checked(connection: Connection, lists: Sequence[str]) -> Sequence[str]:
    if connection.stage != Connection.Stage.LIVE:
        stage = connection.get_stage_display().lower()
        raise NotResyncable(f"{connection.name} is {stage}: nothing is read from Ramp or the ERP.")
    switched_on = [name for name in LISTS if name in connection.object_types]
    for name in lists:
        if name not in switched_on:
            there_are = ", ".join(switched_on)
            raise NotResyncable(
                f"{connection.name} syncs no type called {name!r}. Name some of: {there_are}."
            )
    return [name for name in switched_on if not lists or name in lists]


def _forget(connection: Connection, lists: Sequence[str], actor: str) -> int:
    """Forget how far lists were read, and want them read now. The poll lease is taken away first,
    so that a pull at work cannot write its place into the rows again."""
    Schedule.objects.filter(pk=connection.pk).update(
        poll_lease=None, poll_lease_until=None, fetch_asked_by=actor
    )
    forgotten, _ = PullCursor.objects.filter(connection=connection, object_type__in=lists).delete()
    everything = set(lists) == set(connection.object_types) & set(LISTS)
    poll_schedule.fetch_soon(connection.pk, types=poll_schedule.EVERYTHING if everything else lists)
    return forgotten


def _queue(connection_id: uuid.UUID, object_types: Sequence[str], actor: str) -> list[str]:
    """Queue what has failed or waits. Returns how each of them stood."""
    queued: list[str] = []
    params = {
        "connection": connection_id, "types": list(object_types), "limit": AT_ONCE,
        "why": WHY, "actor": actor,
    }  # fmt: skip
    while found := rows(_QUEUE, params):
        queued += [state for (state,) in found]
    return queued


# As `releases.release` does it, of all causes. What somebody has in hand is passed over.
_QUEUE = f"""
    WITH idle AS (
        SELECT id, state FROM syncing_syncitem
        WHERE connection_id = %(connection)s AND object_type = ANY(%(types)s)
          AND (state = 'FAILED' OR (state = 'READY' AND (due_at IS NULL OR due_at > now())))
          AND {nobody_is_asked("syncing_syncitem")}
        ORDER BY id LIMIT %(limit)s FOR UPDATE SKIP LOCKED
    ), moved AS (
        UPDATE syncing_syncitem i
        SET state = 'READY', due_at = now(), attempts = 0, blocked_by = '',
            state_at = CASE WHEN i.state = 'READY' THEN i.state_at ELSE now() END,
            error_category = '', error_origin = '', error_code = '', error_title = '',
            error_fix = '', error_detail = '', failure_telling =
                CASE WHEN i.failure_telling = 'due' THEN '' ELSE i.failure_telling END
        FROM idle WHERE i.id = idle.id
        RETURNING i.id, idle.state
    ), told AS (
        INSERT INTO syncing_itemevent (item_id, at, kind, text, data, actor)
        SELECT id, now(), 'released', %(why)s, '{{}}', %(actor)s FROM moved ORDER BY id
    )
    SELECT state FROM moved
"""  # noqa: S608  a constant of this program
