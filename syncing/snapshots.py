"""Store what Ramp says is ready: a page of objects becomes items in one statement."""

import uuid
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from connections.models import Connection
from syncing import releases
from syncing.kinds import Kind, Snapshot
from syncing.models import SyncItem
from syncing.report_effects import NO_LONGER_READY
from syncing.statements import execute, rows, storable

REACK_AFTER_SECONDS = 60
"""An object that we reported may still stand in a list that Ramp made up just before."""
LEFT_ALONE = (
    "Ramp calls it ready to sync. It is left alone, for it was handled outside: take that back to"
    " have rampbridge post it, or mark it as synced in Ramp."
)
CLOCKS_DIFFER_SECONDS = 300
"""By how much Ramp's clock and ours may differ."""
ANNOUNCED_WITHIN_SECONDS = 300
"""Ramp tries to deliver an event for about five minutes (C15); then it is lost."""


@dataclass(frozen=True, slots=True)
class Stored:
    """What a page brought."""

    seen: int = 0
    new: int = 0
    changed: int = 0
    unannounced: int = 0
    """New ones that a webhook should have announced, and none did."""

    def __add__(self, other: "Stored") -> "Stored":
        return Stored(
            self.seen + other.seen,
            self.new + other.new,
            self.changed + other.changed,
            self.unannounced + other.unannounced,
        )


def store_page(
    connection: Connection,
    raw: bytes,
    listed: Sequence[tuple[Kind, Snapshot]],
    *,
    listed_at: datetime,
    arrived_by: str = SyncItem.Arrival.POLL,
    announced: Mapping[str, datetime] | None = None,
) -> Stored:
    """Insert what is new, refresh what may still change, and wake what a change may have mended.

    An item that is under way or through keeps its payload. If Ramp offers it although we reported
    it, it is reported again (fault K18); where Ramp keeps no sync state, a change after the post
    makes it a MISMATCH. What was handled outside stays so, with a line that says it.

    :param raw: the page as it came, with what the database refuses replaced
    :param listed_at: when the list was begun
    :param announced: by object type, since when a webhook should have told of what became ready
    """
    unique = {(kind.object_type, one.ramp_id): (kind, one) for kind, one in listed}
    if not unique:
        return Stored()
    kinds = [kind for kind, _ in unique.values()]
    snapshots = [one for _, one in unique.values()]
    since = announced or {}
    ((new, changed, unannounced),) = rows(
        _STORE,
        {
            "connection": connection.pk,
            "raw": raw.decode(),
            "listed_at": listed_at,
            "reack": REACK_AFTER_SECONDS,
            "no_longer_ready": NO_LONGER_READY,
            "left_alone": LEFT_ALONE,
            "margin": CLOCKS_DIFFER_SECONDS,
            "grace": ANNOUNCED_WITHIN_SECONDS,
            "arrived_by": arrived_by,
            "kinds": sorted({kind.object_type for kind in kinds}),
            "types": [kind.object_type for kind in kinds],
            "phases": [kind.phase for kind in kinds],
            "reported": [bool(kind.sync_type) for kind in kinds],
            "announced": [since.get(kind.object_type) for kind in kinds],
            "ramp_ids": [one.ramp_id for one in snapshots],
            "entities": [one.entity_ramp_id for one in snapshots],
            "labels": [storable(one.label)[:300] for one in snapshots],
            "memos": [storable(one.memo)[:300] for one in snapshots],
            "people": [storable(one.person)[:200] for one in snapshots],
            "dates": [one.accounting_date for one in snapshots],
            "payable": [one.payable_on for one in snapshots],
            "minors": [one.money.minor for one in snapshots],
            "currencies": [one.money.currency for one in snapshots],
            "exponents": [one.money.exponent for one in snapshots],
            "hashes": [one.content_hash for one in snapshots],
            "invoices": [storable(one.invoice_number)[:100] for one in snapshots],
            "cards": [one.card_ramp_id for one in snapshots],
            "changes": [one.changed_at for one in snapshots],
        },
    )
    return Stored(len(snapshots), new, changed, unannounced)


@dataclass(frozen=True, slots=True)
class Vanished:
    """An item that nothing was sent for and that a complete list no longer had."""

    item_id: int
    object_type: str
    ramp_id: uuid.UUID


@dataclass(frozen=True, slots=True)
class Complete:
    """A list that was read to its end: what was not seen since it was begun is not on it."""

    object_types: Sequence[str]
    entity_id: uuid.UUID | None
    """The one entity that it was of; None is all."""
    began_at: datetime


def not_listed(connection_id: uuid.UUID, lists: Sequence[Complete], limit: int) -> list[Vanished]:
    """What these lists no longer had, the longest unseen first."""
    if not lists:
        return []
    params = {**not_listed_params(connection_id, lists), "limit": limit}
    return [Vanished(*row) for row in rows(f"{NOT_LISTED} LIMIT %(limit)s", params)]


NOT_LISTED = """
    SELECT i.id, i.object_type, i.ramp_id
    FROM syncing_syncitem i
    JOIN unnest(%(listed)s::text[], %(listed_entities)s::uuid[], %(lists_began)s::timestamptz[])
        AS list(object_type, entity, began_at)
        ON i.object_type = list.object_type AND i.seen_ready_at < list.began_at
        AND (list.entity IS NULL OR i.entity_ramp_id = list.entity)
    WHERE i.connection_id = %(connection)s AND i.state IN ('READY', 'FAILED')
    ORDER BY i.seen_ready_at, i.id
"""
"""SQL: what complete lists no longer had, the longest unseen first."""


def not_listed_params(connection_id: uuid.UUID, lists: Sequence[Complete]) -> dict[str, Any]:
    """The parameters of `NOT_LISTED`."""
    each = [(type_, one) for one in lists for type_ in one.object_types]
    return {
        "connection": connection_id,
        "listed": [type_ for type_, _ in each],
        "listed_entities": [one.entity_id for _, one in each],
        "lists_began": [one.began_at for _, one in each],
    }


def oldest_open(connection_id: uuid.UUID, object_type: str) -> datetime | None:
    """When the oldest object was created in Ramp that we have not sent yet."""
    ((oldest,),) = rows(
        """
        SELECT min((p.ramp ->> 'created_at')::timestamptz)
        FROM syncing_syncitem i JOIN syncing_itempayload p ON p.item_id = i.id
        WHERE i.connection_id = %s AND i.object_type = %s AND i.state IN ('READY', 'FAILED')
            AND i.content_hash <> ''  -- else nothing is known of it
        """,
        [connection_id, object_type],
    )
    assert oldest is None or isinstance(oldest, datetime)
    return oldest


def leave(item_id: int, state: str, *, why: str) -> bool:
    """Put an item aside as EXTERNAL or WITHDRAWN. False if it moved on meanwhile.

    The payment of such a bill looks again what it has to wait for.
    """
    return bool(
        execute(
            f"""
            WITH moved AS (
                UPDATE syncing_syncitem
                SET state = %(state)s, state_at = now(), due_at = NULL, blocked_by = '',
                    error_category = '', error_origin = '', error_code = '', error_title = '',
                    error_fix = '', error_text = '', error_detail = '', failure_telling =
                        CASE WHEN failure_telling = 'sending' THEN 'sending' ELSE '' END
                WHERE id = %(id)s AND state IN ('READY', 'FAILED')
                RETURNING id, connection_id, object_type, ramp_id
            ), {releases.PAYMENTS_OF_MOVED}
            INSERT INTO syncing_itemevent (item_id, at, kind, text, data, actor)
            SELECT id, now(), lower(%(state)s), %(why)s, '{{}}'::jsonb, '' FROM moved
            UNION ALL {releases.payment_lines("Its bill will not be posted by rampbridge.")}
            """,  # noqa: S608  constants of this program
            {"id": item_id, "state": state, "why": why},
        )
    )


def database_now() -> datetime:
    """The database's clock, the only one that times are compared by."""
    ((moment,),) = rows("SELECT now()", None)
    assert isinstance(moment, datetime)
    return moment


# What comes anew after the database has forgotten commits may be one of those that it forgot
# altogether: unless Ramp has touched it since, it is taken for older than that (rule 12).
# One statement per page: 100 objects cost one round trip. Only rows that nothing has been sent for
# take new content; a change of content queues them again. A bill and its payment are two rows of
# `listed` with one body.
_STORE = """
    WITH page AS (
        SELECT DISTINCT ON (body ->> 'id') body ->> 'id' AS id, body
        FROM jsonb_array_elements(%(raw)s::jsonb -> 'data') AS d(body)
    ), listed AS (
        SELECT s.*, page.body FROM unnest(
            %(types)s::text[], %(phases)s::smallint[], %(reported)s::boolean[],
            %(announced)s::timestamptz[], %(ramp_ids)s::uuid[], %(entities)s::uuid[],
            %(labels)s::text[], %(memos)s::text[], %(people)s::text[], %(dates)s::date[],
            %(payable)s::date[], %(minors)s::bigint[], %(currencies)s::text[],
            %(exponents)s::smallint[],
            %(hashes)s::text[], %(invoices)s::text[], %(cards)s::uuid[], %(changes)s::timestamptz[]
        ) AS s(object_type, phase, reported, announced, ramp_id, entity, label, memo, person, day,
               payable_on, minor, currency, exponent, hash, invoice_number, card, changed_at)
        JOIN page ON lower(page.id) = s.ramp_id::text
    ), before AS (
        SELECT i.id, i.object_type, i.ramp_id, i.phase, i.state, i.content_hash, i.acked_at
        FROM syncing_syncitem i
        WHERE i.connection_id = %(connection)s AND i.object_type = ANY(%(kinds)s)
            AND i.ramp_id = ANY(%(ramp_ids)s::uuid[])  -- a join would read all of the connection's
    ), stored AS (
        INSERT INTO syncing_syncitem AS i (
            connection_id, object_type, ramp_id, phase, entity_ramp_id, label, memo, person,
            accounting_date, payable_on, amount_minor, currency, exponent, content_hash,
            invoice_number, card_last_four, state, state_at,
            ready_at, due_at, seen_ready_at, snapshot_at, arrived_by, attempts,
            claims_without_result, report_attempt, reack_due, failure_telling, erp_ref, erp_id,
            erp_number, erp_url, error_category, error_origin, error_code, error_title, error_fix,
            error_text, error_detail, blocked_by)
        SELECT %(connection)s, object_type, ramp_id, phase, entity, label, memo, person, day,
            payable_on, minor, currency, exponent, hash, invoice_number,
            coalesce((SELECT c.last_four FROM connections_paymentcard c
                WHERE c.connection_id = %(connection)s AND c.ramp_id = card), ''),
            'READY', now(),
            coalesce((SELECT d.changed_at - interval '1ms' FROM syncing_databaseidentity d
                WHERE d.suspect_until > now() AND coalesce(listed.changed_at
                    < d.changed_at + %(margin)s * interval '1s', true)), now()),
            now(),
            now(), %(listed_at)s, %(arrived_by)s, 0, 0, 0, false,
            '', '', '', '', '', '', '', '', '', '', '', '', ''
        FROM listed ORDER BY object_type, ramp_id
        ON CONFLICT (connection_id, object_type, ramp_id, phase) DO UPDATE SET
            seen_ready_at = now(), snapshot_at = excluded.snapshot_at,
            content_hash = excluded.content_hash, entity_ramp_id = excluded.entity_ramp_id,
            label = excluded.label, memo = excluded.memo, person = excluded.person,
            accounting_date = excluded.accounting_date, payable_on = excluded.payable_on,
            amount_minor = excluded.amount_minor, currency = excluded.currency,
            exponent = excluded.exponent,
            invoice_number = excluded.invoice_number, card_last_four = excluded.card_last_four,
            state = 'READY',
            state_at = CASE WHEN i.state = 'READY' THEN i.state_at ELSE now() END,
            due_at = now(), attempts = 0, blocked_by = '',
            error_category = '', error_origin = '', error_code = '', error_title = '',
            error_fix = '', error_detail = '', failure_telling =
                CASE WHEN i.failure_telling = 'due' THEN '' ELSE i.failure_telling END
        WHERE i.state = 'WITHDRAWN'
            OR (i.state IN ('READY', 'FAILED') AND i.content_hash <> excluded.content_hash)
        RETURNING i.id, i.object_type, i.ramp_id, i.phase
    ), unchanged AS (
        UPDATE syncing_syncitem i SET seen_ready_at = now(), snapshot_at = %(listed_at)s
        FROM before b JOIN listed USING (object_type, ramp_id, phase)
        WHERE i.id = b.id AND b.state IN ('READY', 'FAILED') AND b.content_hash = listed.hash
        RETURNING i.id, i.object_type, i.ramp_id, i.phase, i.state
    ), renewed AS (  -- what is tried again, or has waited, uses what is no content of it too
        UPDATE syncing_itempayload p SET ramp = listed.body
        FROM unchanged u JOIN listed USING (object_type, ramp_id, phase)
        WHERE p.item_id = u.id AND (u.state = 'FAILED' OR u.state = 'READY' AND u.phase > 0)
            AND p.ramp <> listed.body
    ), offered_again AS (
        UPDATE syncing_syncitem i SET reack_due = true
        FROM before b JOIN listed USING (object_type, ramp_id, phase)
        WHERE i.id = b.id AND listed.reported AND b.state = 'ACKED' AND NOT i.reack_due
            AND b.acked_at < %(listed_at)s - %(reack)s * interval '1s'
    ), readied_again AS (
        UPDATE syncing_syncitem i
        SET state = 'POSTED', state_at = now(), due_at = now(), ack_batch_id = NULL,
            error_category = '', error_origin = '', error_code = '', error_title = '',
            error_fix = '', error_detail = ''
        FROM before b JOIN listed USING (object_type, ramp_id, phase)
        WHERE i.id = b.id AND i.state = 'MISMATCH' AND i.error_code = %(no_longer_ready)s
        RETURNING i.id
    ), offered_outside AS (  -- once: what people have handled is left alone, and says so
        UPDATE syncing_syncitem i SET seen_ready_at = now()
        FROM before b JOIN listed USING (object_type, ramp_id, phase)
        WHERE i.id = b.id AND b.state = 'EXTERNAL' AND i.state = 'EXTERNAL'
            AND i.seen_ready_at < i.state_at
            AND i.state_at < %(listed_at)s - %(reack)s * interval '1s'
        RETURNING i.id
    ), disagreeing AS (
        UPDATE syncing_syncitem i
        SET state = 'MISMATCH', state_at = now(), due_at = NULL, error_at = now(),
            content_hash = listed.hash, error_category = 'needs_integrator', error_origin = 'ramp',
            error_code = 'ramp.changed_after_posting', error_fix = '', error_detail = '',
            error_title = 'It was changed in Ramp after it had been posted.'
        FROM before b JOIN listed USING (object_type, ramp_id, phase)
        WHERE i.id = b.id AND NOT listed.reported AND i.state = 'ACKED'
            AND b.content_hash <> listed.hash
        RETURNING i.id, i.error_title
    ), kept AS (
        INSERT INTO syncing_itempayload AS p (item_id, ramp)
        SELECT stored.id, listed.body FROM stored JOIN listed USING (object_type, ramp_id, phase)
        ON CONFLICT (item_id) DO UPDATE SET ramp = excluded.ramp
    ), told AS (
        INSERT INTO syncing_itemevent (item_id, at, kind, text, data, actor)
        SELECT stored.id, now(),
            CASE WHEN before.state IN ('READY', 'FAILED') THEN 'changed' ELSE 'ready' END,
            '', '{}'::jsonb, ''
        FROM stored LEFT JOIN before USING (object_type, ramp_id, phase)
        UNION ALL
        SELECT id, now(), 'held', error_title, '{}', '' FROM disagreeing
        UNION ALL
        SELECT id, now(), 'released', 'Ready again in Ramp: it is reported once more.', '{}', ''
        FROM readied_again
        UNION ALL
        SELECT id, now(), 'note', %(left_alone)s, '{}', '' FROM offered_outside
        ORDER BY 1
        RETURNING item_id, kind
    )
    SELECT count(*) FILTER (WHERE told.kind = 'ready'),
           count(*) FILTER (WHERE told.kind = 'changed'),
           count(*) FILTER (WHERE told.kind = 'ready' AND listed.changed_at > listed.announced
                            AND listed.changed_at < now() - %(grace)s * interval '1s')
    FROM told LEFT JOIN stored ON stored.id = told.item_id
    LEFT JOIN listed USING (object_type, ramp_id, phase)
"""
