"""An object of Ramp that we cannot make sense of becomes one visible item; its neighbours go on.

Either its form is not as Ramp's contract says (fault P10), or it stands in Ramp in a way for which
Ramp has a word that we do not know (R-55).
"""

import json
import logging
import uuid
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.db import transaction

from connections.models import Connection
from connections.ramp.pages import Malformed, Page
from connections.ramp.schemas import Schema
from syncing import results
from syncing.classifier import SyncFailure, unknown_standing, unreadable
from syncing.engine import for_people
from syncing.kinds import Kind
from syncing.models import SyncItem
from syncing.statements import rows, storable

logger = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Odd:
    """An object to be put aside, and why."""

    id: str
    raw: Any
    label: str
    failure: SyncFailure

    @classmethod
    def unreadable(cls, malformed: Malformed) -> "Odd":
        return cls(malformed.id, malformed.raw, "Unreadable", unreadable(malformed.reason))

    @classmethod
    def unknown(cls, kind: Kind, one: Any, raw: Any) -> "Odd":
        return cls(
            str(one.id), raw, kind.snapshot(one).label, unknown_standing(kind.unknown_words(one))
        )


def quarantine(
    connection: Connection,
    kind: Kind,
    odd: Odd,
    *,
    listed_at: datetime,
    arrived_by: str = SyncItem.Arrival.POLL,
) -> None:
    """Put an object aside as an item that says what is odd about it.

    Its item, if nothing was sent for it, gives up the old content: Ramp says something else now.
    """
    try:
        ramp_id = uuid.UUID(odd.id)
    except ValueError:
        logger.error(  # noqa: TRY400  the traceback says nothing that the reason does not
            "Ramp listed an object without a readable id.", extra={"reason": odd.failure.detail}
        )
        return
    with transaction.atomic():
        found = rows(
            _STORE,
            {
                "connection": connection.pk,
                "type": kind.object_type,
                "phase": kind.phase,
                "ramp_id": ramp_id,
                "label": storable(odd.label)[:300],
                "code": odd.failure.code,
                "detail": storable(odd.failure.detail),
                "listed_at": listed_at,
                "arrived_by": arrived_by,
                "raw": _storable_json(odd.raw),
            },
        )
        for (item_id,) in found:
            results.record_refused(None, for_people([(item_id, odd.failure)]))


def _storable_json(raw: Any) -> str:
    page: Page[Schema] = Page(json.dumps(raw, default=str).encode(), (), (), None)
    return page.storable.decode()


# Gives back the item in READY; nothing if it is aside for this already, or on its way into the
# ERP. An empty content hash marks an item whose object we can make nothing of.
_STORE = """
    WITH known AS (
        UPDATE syncing_syncitem SET seen_ready_at = now()
        WHERE connection_id = %(connection)s AND object_type = %(type)s
          AND ramp_id = %(ramp_id)s AND phase = %(phase)s AND state = 'FAILED'
          AND content_hash = '' AND error_code = %(code)s AND error_detail = %(detail)s
        RETURNING id
    ), stored AS (
        INSERT INTO syncing_syncitem AS i (
            connection_id, object_type, ramp_id, phase, label, memo, person, amount_minor,
            currency, exponent, content_hash, state, state_at, ready_at, due_at,
            seen_ready_at, snapshot_at, arrived_by, attempts, claims_without_result,
            report_attempt, reack_due, failure_telling, erp_ref, erp_id, erp_number, erp_url,
            error_category, error_origin, error_code, error_title, error_fix, error_text,
            error_detail, blocked_by)
        SELECT %(connection)s, %(type)s, %(ramp_id)s, %(phase)s, %(label)s, '', '', 0, 'USD', 2,
            '', 'READY', now(), now(), now(), now(), %(listed_at)s, %(arrived_by)s, 0, 0, 0,
            false, '', '', '', '', '', '', '', '', '', '', '', '', ''
        WHERE NOT EXISTS (SELECT FROM known)
        ON CONFLICT (connection_id, object_type, ramp_id, phase) DO UPDATE SET
            seen_ready_at = now(), snapshot_at = excluded.snapshot_at, content_hash = '',
            state = 'READY', state_at = now(), due_at = now(), attempts = 0
        WHERE i.state IN ('READY', 'FAILED', 'WITHDRAWN')
        RETURNING i.id
    )
    INSERT INTO syncing_itempayload AS p (item_id, ramp)
    SELECT id, %(raw)s::jsonb FROM stored
    ON CONFLICT (item_id) DO UPDATE SET ramp = excluded.ramp
    RETURNING item_id
"""
