"""What is posted in the ERP and refused by Ramp: report it again once Ramp takes it."""

import uuid
from collections.abc import Sequence
from datetime import datetime

from connections.models import Connection
from connections.ramp.client import RampClient
from syncing.kinds import KINDS
from syncing.models import SyncItem
from syncing.refused_reports import MARGIN, read_again
from syncing.report_effects import REFUSED_REPORTS
from syncing.reports import SYNC_TYPES
from syncing.statements import execute
from syncing.verdicts import Verdict

MOST_AT_ONCE = 500
"""Mismatches read again in one night; the oldest first."""


def retry_mismatches(connection: Connection, ramp: RampClient) -> int:
    """Read again what Ramp would not take the report of, and queue what it takes by now.

    Meant for once a night. Returns how many items left MISMATCH. What differs for another reason,
    such as a document that was changed in the ERP, is left to a person.

    :raises RampError: if Ramp cannot be read now; what was settled until then stays settled
    """
    settled = 0
    for object_type, ids in _held(connection).items():
        kind = KINDS[object_type]
        since = min(ids.values()) - MARGIN
        found = read_again(kind, ramp, ids, since=since)
        groups: dict[Verdict, list[uuid.UUID]] = {}
        for ramp_id, one in found.items():
            groups.setdefault(one.verdict, []).append(ramp_id)
        settled += _leave(
            connection, object_type, groups.get(Verdict.READY, []), "POSTED",
            event="released", why="Ramp calls it ready to sync: it is reported once more.",
        )  # fmt: skip
        settled += _leave(
            connection, object_type, groups.get(Verdict.SYNCED, []), "ACKED",
            event="reported", why="Ramp has it as synced by now.",
        )  # fmt: skip
    return settled


def _held(connection: Connection) -> dict[str, dict[uuid.UUID, datetime]]:
    """What Ramp refused the report of, by type, and when it was posted."""
    held: dict[str, dict[uuid.UUID, datetime]] = {}
    items = SyncItem.objects.filter(
        connection=connection,
        state=SyncItem.State.MISMATCH,
        error_code__in=sorted(REFUSED_REPORTS),
        object_type__in=list(SYNC_TYPES),
        posted_at__isnull=False,
    )
    for object_type, ramp_id, posted_at in items.order_by("state_at", "id").values_list(
        "object_type", "ramp_id", "posted_at"
    )[:MOST_AT_ONCE]:
        assert posted_at is not None  # asked for above
        held.setdefault(object_type, {})[ramp_id] = posted_at
    return held


def _leave(
    connection: Connection,
    object_type: str,
    ids: Sequence[uuid.UUID],
    state: str,
    *,
    event: str,
    why: str,
) -> int:
    if not ids:
        return 0
    return execute(
        """
        WITH moved AS (
            UPDATE syncing_syncitem
            SET state = %(state)s, state_at = now(), ack_batch_id = NULL,
                due_at = CASE WHEN %(state)s = 'POSTED' THEN now() END,
                acked_at = CASE WHEN %(state)s = 'ACKED' THEN now() ELSE acked_at END,
                error_category = '', error_origin = '', error_code = '', error_title = '',
                error_fix = '', error_text = '', error_detail = ''
            WHERE connection_id = %(connection)s AND object_type = %(type)s
              AND ramp_id = ANY(%(ids)s) AND state = 'MISMATCH' AND error_code = ANY(%(codes)s)
            RETURNING id
        )
        INSERT INTO syncing_itemevent (item_id, at, kind, text, data, actor)
        SELECT id, now(), %(event)s, %(why)s, '{}', '' FROM moved ORDER BY id
        """,
        {
            "connection": connection.pk,
            "type": object_type,
            "ids": list(ids),
            "codes": sorted(REFUSED_REPORTS),
            "state": state,
            "event": event,
            "why": why,
        },
    )
