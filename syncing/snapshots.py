"""Store what Ramp says is ready: a page of objects becomes items in one statement."""

import uuid
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from connections.models import Connection
from syncing.kinds import Snapshot
from syncing.models import SyncItem
from syncing.statements import execute, rows, storable

REACK_AFTER_SECONDS = 60
"""An object that we reported may still stand in a list that Ramp made up just before."""


@dataclass(frozen=True, slots=True)
class Stored:
    """What a page brought."""

    seen: int = 0
    new: int = 0
    changed: int = 0

    def __add__(self, other: "Stored") -> "Stored":
        return Stored(self.seen + other.seen, self.new + other.new, self.changed + other.changed)


def store_page(
    connection: Connection,
    object_type: str,
    raw: bytes,
    snapshots: Sequence[Snapshot],
    *,
    listed_at: datetime,
) -> Stored:
    """Insert what is new, refresh what may still change, and wake what a change may have mended.

    An item that is under way or through keeps its payload; if Ramp offers it although we reported
    it, it is reported again (fault K18). `listed_at` is when the list was begun.
    """
    if not snapshots:
        return Stored()
    ((new, changed),) = rows(
        _STORE,
        {
            "connection": connection.pk,
            "type": object_type,
            "raw": raw.decode(),
            "listed_at": listed_at,
            "reack": REACK_AFTER_SECONDS,
            "ramp_ids": [one.ramp_id for one in snapshots],
            "entities": [one.entity_ramp_id for one in snapshots],
            "labels": [storable(one.label)[:300] for one in snapshots],
            "memos": [storable(one.memo)[:300] for one in snapshots],
            "people": [storable(one.person)[:200] for one in snapshots],
            "dates": [one.accounting_date for one in snapshots],
            "minors": [one.money.minor for one in snapshots],
            "currencies": [one.money.currency for one in snapshots],
            "exponents": [one.money.exponent for one in snapshots],
            "hashes": [one.content_hash for one in snapshots],
        },
    )
    return Stored(len(snapshots), new, changed)


def not_listed_since(
    connection_id: uuid.UUID, since: datetime, limit: int
) -> list[tuple[int, uuid.UUID]]:
    """Items nothing was sent for that a complete list, begun at `since`, no longer had."""
    return list(
        SyncItem.objects.filter(
            connection_id=connection_id,
            state__in=[SyncItem.State.READY, SyncItem.State.FAILED],
            seen_ready_at__lt=since,
        )
        .order_by("seen_ready_at", "id")
        .values_list("id", "ramp_id")[:limit]
    )


def leave(item_id: int, state: str, *, why: str) -> bool:
    """Put an item aside as EXTERNAL or WITHDRAWN. False if it moved on meanwhile."""
    return bool(
        execute(
            """
            WITH moved AS (
                UPDATE syncing_syncitem
                SET state = %(state)s, state_at = now(), due_at = NULL, blocked_by = '',
                    error_category = '', error_origin = '', error_code = '', error_title = '',
                    error_fix = '', error_text = '', error_detail = '', failure_telling =
                        CASE WHEN failure_telling = 'sending' THEN 'sending' ELSE '' END
                WHERE id = %(id)s AND state IN ('READY', 'FAILED') RETURNING id
            )
            INSERT INTO syncing_itemevent (item_id, at, kind, text, data, actor)
            SELECT id, now(), lower(%(state)s), %(why)s, '{}', '' FROM moved
            """,
            {"id": item_id, "state": state, "why": why},
        )
    )


def database_now() -> datetime:
    """The database's clock, the only one that times are compared by."""
    ((moment,),) = rows("SELECT now()", None)
    assert isinstance(moment, datetime)
    return moment


# One statement per page: 100 objects cost one round trip. Only rows that nothing has been sent for
# take new content; a change of content queues them again.
_STORE = """
    WITH page AS (
        SELECT DISTINCT ON (body ->> 'id') body ->> 'id' AS id, body
        FROM jsonb_array_elements(%(raw)s::jsonb -> 'data') AS d(body)
    ), listed AS (
        SELECT s.*, page.body FROM unnest(
            %(ramp_ids)s::uuid[], %(entities)s::uuid[], %(labels)s::text[],
            %(memos)s::text[], %(people)s::text[], %(dates)s::date[], %(minors)s::bigint[],
            %(currencies)s::text[], %(exponents)s::smallint[], %(hashes)s::text[]
        ) AS s(ramp_id, entity, label, memo, person, day, minor, currency, exponent, hash)
        JOIN page ON lower(page.id) = s.ramp_id::text
    ), before AS (
        SELECT i.id, i.ramp_id, i.state, i.content_hash
        FROM syncing_syncitem i
        WHERE i.connection_id = %(connection)s AND i.object_type = %(type)s AND i.phase = 0
            AND i.ramp_id = ANY(%(ramp_ids)s::uuid[])  -- a join would read all of the connection's
    ), stored AS (
        INSERT INTO syncing_syncitem AS i (
            connection_id, object_type, ramp_id, phase, entity_ramp_id, label, memo, person,
            accounting_date, amount_minor, currency, exponent, content_hash, state, state_at,
            ready_at, due_at, seen_ready_at, snapshot_at, attempts, claims_without_result,
            report_attempt, reack_due, failure_telling, erp_ref, erp_id, erp_number, erp_url,
            error_category, error_origin, error_code, error_title, error_fix, error_text,
            error_detail, blocked_by)
        SELECT %(connection)s, %(type)s, ramp_id, 0, entity, label, memo, person, day, minor,
            currency, exponent, hash, 'READY', now(), now(), now(), now(), %(listed_at)s, 0, 0, 0,
            false, '', '', '', '', '', '', '', '', '', '', '', '', ''
        FROM listed ORDER BY ramp_id
        ON CONFLICT (connection_id, object_type, ramp_id, phase) DO UPDATE SET
            seen_ready_at = now(), snapshot_at = excluded.snapshot_at,
            content_hash = excluded.content_hash, entity_ramp_id = excluded.entity_ramp_id,
            label = excluded.label, memo = excluded.memo, person = excluded.person,
            accounting_date = excluded.accounting_date, amount_minor = excluded.amount_minor,
            currency = excluded.currency, exponent = excluded.exponent,
            state = 'READY',
            state_at = CASE WHEN i.state = 'READY' THEN i.state_at ELSE now() END,
            due_at = now(), attempts = 0, blocked_by = '',
            error_category = '', error_origin = '', error_code = '', error_title = '',
            error_fix = '', error_detail = '', failure_telling =
                CASE WHEN i.failure_telling = 'due' THEN '' ELSE i.failure_telling END
        WHERE i.state = 'WITHDRAWN'
            OR (i.state IN ('READY', 'FAILED') AND i.content_hash <> excluded.content_hash)
        RETURNING i.id, i.ramp_id
    ), unchanged AS (
        UPDATE syncing_syncitem i SET seen_ready_at = now(), snapshot_at = %(listed_at)s
        FROM before b JOIN listed USING (ramp_id)
        WHERE i.id = b.id AND b.state IN ('READY', 'FAILED') AND b.content_hash = listed.hash
    ), offered_again AS (
        UPDATE syncing_syncitem i SET reack_due = true
        FROM before b
        WHERE i.id = b.id AND b.state = 'ACKED' AND NOT i.reack_due
            AND i.acked_at < %(listed_at)s - %(reack)s * interval '1s'
    ), kept AS (
        INSERT INTO syncing_itempayload AS p (item_id, ramp)
        SELECT stored.id, listed.body FROM stored JOIN listed USING (ramp_id)
        ON CONFLICT (item_id) DO UPDATE SET ramp = excluded.ramp
    ), told AS (
        INSERT INTO syncing_itemevent (item_id, at, kind, text, data, actor)
        SELECT stored.id, now(),
            CASE WHEN before.state IN ('READY', 'FAILED') THEN 'changed' ELSE 'ready' END,
            '', '{}', ''
        FROM stored LEFT JOIN before USING (ramp_id)
        ORDER BY stored.id
        RETURNING kind
    )
    SELECT count(*) FILTER (WHERE kind = 'ready'), count(*) FILTER (WHERE kind = 'changed')
    FROM told
"""
