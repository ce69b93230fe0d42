"""One malformed object of Ramp becomes one visible item; its neighbours go on (fault P10)."""

import json
import logging
import uuid
from datetime import datetime

from django.db import transaction

from connections.models import Connection
from connections.ramp.pages import Malformed, Page
from connections.ramp.schemas import Transaction
from syncing import results
from syncing.classifier import unreadable
from syncing.engine import for_person
from syncing.statements import rows

logger = logging.getLogger(__name__)


def quarantine(
    connection: Connection, object_type: str, malformed: Malformed, *, listed_at: datetime
) -> None:
    """Put an object that we cannot read aside, as an item that says so.

    Its item, if nothing was sent for it, gives up the old content: Ramp says something else now.
    """
    try:
        ramp_id = uuid.UUID(malformed.id)
    except ValueError:
        logger.error(  # noqa: TRY400  the traceback says nothing that the reason does not
            "Ramp listed an object without a readable id.", extra={"reason": malformed.reason}
        )
        return
    with transaction.atomic():
        item_id = _store(connection, object_type, ramp_id, malformed, listed_at)
        if item_id is not None:
            failure = unreadable(malformed.reason)
            results.record_refused(None, [for_person(item_id, failure)])


def _store(
    connection: Connection,
    object_type: str,
    ramp_id: uuid.UUID,
    malformed: Malformed,
    listed_at: datetime,
) -> int | None:
    """Its item, in READY; None if it is in quarantine already, or on its way into the ERP.

    An empty content hash marks an item whose object cannot be read.
    """
    raw = json.dumps(malformed.raw, default=str).encode()
    page: Page[Transaction] = Page(raw, (), (), None)
    found = rows(
        """
        WITH known AS (
            UPDATE syncing_syncitem SET seen_ready_at = now()
            WHERE connection_id = %(connection)s AND object_type = %(type)s
              AND ramp_id = %(ramp_id)s AND phase = 0 AND state = 'FAILED' AND content_hash = ''
            RETURNING id
        ), stored AS (
            INSERT INTO syncing_syncitem AS i (
                connection_id, object_type, ramp_id, phase, label, memo, person, amount_minor,
                currency, exponent, content_hash, state, state_at, ready_at, due_at,
                seen_ready_at, snapshot_at, attempts, claims_without_result, report_attempt,
                reack_due, failure_telling, erp_ref, erp_id, erp_number, erp_url,
                error_category, error_origin, error_code, error_title, error_fix, error_text,
                error_detail, blocked_by)
            SELECT %(connection)s, %(type)s, %(ramp_id)s, 0, 'Unreadable', '', '', 0, 'USD', 2, '',
                'READY', now(), now(), now(), now(), %(listed_at)s, 0, 0, 0, false,
                '', '', '', '', '', '', '', '', '', '', '', '', ''
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
        """,
        {
            "connection": connection.pk,
            "type": object_type,
            "ramp_id": ramp_id,
            "listed_at": listed_at,
            "raw": page.storable.decode(),
        },
    )
    return int(found[0][0]) if found else None
