"""The set-based SQL of the hot path: take a chunk, hold it, write what came of it.

Every outside call sits between two of these functions, each its own transaction (architecture 3.5).
Time is the database's `now()`; worker clocks are never compared with each other. Every write by a
holder says `lease_token = mine`, so that a worker that lost its lease writes nothing (fault X12).
"""

import uuid
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import orjson
from django.db import connection as database
from django.db import transaction

from connections.erp.records import Document, Posted
from syncing.classifier import SyncFailure
from syncing.models import ItemEvent

CHUNK = 25
LEASE_SECONDS = 60
FRESH_SECONDS = 15 * 60
"""A snapshot older than this is read again before it is posted (reliability rule 7)."""
ALONE_AFTER = 3
POISON_AFTER = 5
"""Claims without a result until an item is claimed alone, and until it is given up (rule 11)."""

Kind = ItemEvent.Kind


@dataclass(frozen=True, slots=True)
class Claimed:
    """One item in a worker's hands."""

    id: int
    object_type: str
    ramp_id: uuid.UUID
    entity_ramp_id: str
    body: str
    """The object as Ramp gave it, as JSON text: amounts must not become floats."""
    document: dict[str, Any] | None
    attempts: int
    claims: int


@dataclass(frozen=True, slots=True)
class Refused:
    """One item that the ERP, or our own mapper, definitely did not book."""

    id: int
    failure: SyncFailure
    text: str
    """What the customer reads in Ramp."""
    recheck_seconds: float | None = None
    """When to look whether its cause is gone; None: only a change in Ramp or a person releases it."""


@dataclass(frozen=True, slots=True)
class Blocked:
    """One of the items that share a cause."""

    cause: str
    item: Claimed


@contextmanager
def only_worker(
    connection_id: uuid.UUID, seconds: float = LEASE_SECONDS
) -> Iterator[uuid.UUID | None]:
    """Hold a connection's work lease: one writer per ERP company. None if another has it."""
    token = uuid.uuid4()
    held = _execute(
        """
        UPDATE syncing_schedule SET work_lease = %s, work_lease_until = now() + %s * interval '1s'
        WHERE connection_id = %s AND (work_lease_until IS NULL OR work_lease_until < now())
        """,
        [token, seconds, connection_id],
    )
    try:
        yield token if held else None
    finally:
        if held:
            _execute(
                "UPDATE syncing_schedule SET work_lease = NULL, work_lease_until = NULL"
                " WHERE connection_id = %s AND work_lease = %s",
                [connection_id, token],
            )


def keep_working(
    connection_id: uuid.UUID, token: uuid.UUID, seconds: float = LEASE_SECONDS
) -> bool:
    """Extend the work lease. False if it was lost: stop."""
    return bool(
        _execute(
            "UPDATE syncing_schedule SET work_lease_until = now() + %s * interval '1s'"
            " WHERE connection_id = %s AND work_lease = %s",
            [seconds, connection_id, token],
        )
    )


def lock_ready(connection_id: uuid.UUID, limit: int = CHUNK) -> list[Claimed]:
    """Lock the next due items that were read recently; only inside a transaction.

    Items that several workers have died on come alone, so that they cannot take others along.
    """
    rows = _lock_ready(connection_id, limit, f"i.claims_without_result < {ALONE_AFTER}")
    return rows or _lock_ready(connection_id, 1, f"i.claims_without_result >= {ALONE_AFTER}")


def _lock_ready(connection_id: uuid.UUID, limit: int, which: str) -> list[Claimed]:
    return _claimed(
        f"""
        SELECT i.id, i.object_type, i.ramp_id, coalesce(i.entity_ramp_id::text, ''), p.ramp::text,
               NULL::jsonb, i.attempts, i.claims_without_result
        FROM syncing_syncitem i JOIN syncing_itempayload p ON p.item_id = i.id
        WHERE i.connection_id = %s AND i.state = 'READY' AND i.due_at <= now()
          AND i.snapshot_at > now() - %s * interval '1s' AND {which}
        ORDER BY i.due_at, i.id
        LIMIT %s
        FOR UPDATE OF i SKIP LOCKED
        """,  # noqa: S608  `which` is one of two constants above
        [connection_id, FRESH_SECONDS, limit],
    )


def begin_posting(
    token: uuid.UUID, documents: Sequence[tuple[int, Document]], settle: float
) -> None:
    """Make the intent durable: freeze each document and enter POSTING, before anything is sent.

    `settle` is how many seconds a request may live on in the ERP after we gave it up.
    """
    _execute(
        """
        WITH frozen AS (
            SELECT * FROM unnest(%(ids)s::bigint[], %(refs)s::text[], %(docs)s::jsonb[])
                AS f(id, ref, document)
        ), kept AS (
            UPDATE syncing_itempayload p SET document = f.document FROM frozen f WHERE p.item_id = f.id
        ), moved AS (
            UPDATE syncing_syncitem i
            SET state = 'POSTING', state_at = now(), lease_token = %(token)s, erp_ref = f.ref,
                lease_until = now() + %(lease)s * interval '1s',
                may_be_in_erp_until = now() + (%(lease)s + %(settle)s) * interval '1s',
                attempts = attempts + 1, claims_without_result = claims_without_result + 1
            FROM frozen f WHERE i.id = f.id AND i.state = 'READY'
            RETURNING i.id, i.attempts
        )
        INSERT INTO syncing_itemevent (item_id, at, kind, text, data, actor)
        SELECT id, now(), 'sent', '', jsonb_build_object('attempt', attempts), '' FROM moved ORDER BY id
        """,
        {
            "ids": [id_ for id_, _ in documents],
            "refs": [document.ref.full for _, document in documents],
            "docs": [_json(document.to_json()) for _, document in documents],
            "token": token,
            "lease": LEASE_SECONDS,
            "settle": settle,
        },
    )


def take_over_lost(
    connection_id: uuid.UUID, token: uuid.UUID, settle: float, limit: int = CHUNK
) -> list[Claimed]:
    """Take over documents whose worker was not heard of again and whose requests have died out."""
    rows = _take_over(connection_id, token, settle, limit, f"< {ALONE_AFTER}")
    return rows or _take_over(connection_id, token, settle, 1, f">= {ALONE_AFTER}")


def _take_over(
    connection_id: uuid.UUID, token: uuid.UUID, settle: float, limit: int, claims: str
) -> list[Claimed]:
    return _claimed(
        f"""
        WITH lost AS (
            SELECT id FROM syncing_syncitem
            WHERE connection_id = %(connection)s AND state = 'POSTING'
              AND may_be_in_erp_until < now() AND due_at <= now()
              AND claims_without_result {claims}
            ORDER BY may_be_in_erp_until, id LIMIT %(limit)s
            FOR UPDATE SKIP LOCKED
        ), mine AS (
            UPDATE syncing_syncitem i
            SET lease_token = %(token)s, lease_until = now() + %(lease)s * interval '1s',
                may_be_in_erp_until = now() + (%(lease)s + %(settle)s) * interval '1s',
                claims_without_result = claims_without_result + 1
            FROM lost WHERE i.id = lost.id
            RETURNING i.*
        )
        SELECT i.id, i.object_type, i.ramp_id, coalesce(i.entity_ramp_id::text, ''), p.ramp::text,
               p.document, i.attempts, i.claims_without_result
        FROM mine i JOIN syncing_itempayload p ON p.item_id = i.id ORDER BY i.id
        """,  # noqa: S608  `claims` is one of two constants above
        {
            "connection": connection_id,
            "token": token,
            "lease": LEASE_SECONDS,
            "settle": settle,
            "limit": limit,
        },
    )


def record_posted(token: uuid.UUID, posted: Sequence[tuple[int, Posted]]) -> int:
    """Write the ERP's ids: the documents are booked, whoever booked them. Returns how many were mine."""
    return _execute(
        """
        WITH booked AS (
            SELECT * FROM unnest(%(ids)s::bigint[], %(erp_ids)s::text[], %(numbers)s::text[],
                                 %(urls)s::text[], %(fresh)s::bool[]) AS b(id, erp_id, number, url, fresh)
        ), moved AS (
            UPDATE syncing_syncitem i
            SET state = 'POSTED', state_at = now(), posted_at = now(), due_at = now(),
                erp_id = b.erp_id, erp_number = b.number, erp_url = b.url,
                claims_without_result = 0, lease_token = NULL, lease_until = NULL,
                may_be_in_erp_until = NULL, error_category = '', error_origin = '', error_code = '',
                error_title = '', error_fix = '', error_text = '', error_detail = '',
                blocked_by = '', failure_telling =
                    CASE WHEN i.failure_telling = 'sending' THEN 'sending' ELSE '' END
            FROM booked b
            WHERE i.id = b.id AND i.state = 'POSTING' AND i.lease_token = %(token)s
            RETURNING i.id, b.number, b.fresh, i.connection_id
        ), shown AS (
            UPDATE syncing_schedule SET last_posted_at = now()
            WHERE connection_id IN (SELECT connection_id FROM moved)
        )
        INSERT INTO syncing_itemevent (item_id, at, kind, text, data, actor)
        SELECT id, now(), CASE WHEN fresh THEN 'posted' ELSE 'found' END, '',
               jsonb_build_object('number', number), ''
        FROM moved ORDER BY id
        """,
        {
            "ids": [id_ for id_, _ in posted],
            "erp_ids": [result.erp_id for _, result in posted],
            "numbers": [result.number for _, result in posted],
            "urls": [result.url for _, result in posted],
            "fresh": [result.fresh for _, result in posted],
            "token": token,
        },
    )


def record_refused(token: uuid.UUID | None, refused: Sequence[Refused]) -> int:
    """Put items aside as FAILED with the judgement and the text for Ramp. Nothing of them is booked.

    Without a token the items must still be READY (refused by our own mapper before any call).
    Ramp is told unless it shows exactly this text already.
    """
    return _execute(
        """
        WITH judged AS (
            SELECT * FROM unnest(%(ids)s::bigint[], %(categories)s::text[], %(origins)s::text[],
                %(codes)s::text[], %(titles)s::text[], %(fixes)s::text[], %(texts)s::text[],
                %(details)s::text[], %(causes)s::text[], %(rechecks)s::float[])
                AS j(id, category, origin, code, title, fix, said, detail, cause, recheck)
        ), moved AS (
            UPDATE syncing_syncitem i
            SET state = 'FAILED', state_at = now(),
                due_at = now() + j.recheck * interval '1s',
                claims_without_result = 0, lease_token = NULL, lease_until = NULL,
                may_be_in_erp_until = NULL,
                failure_telling = CASE
                    WHEN i.failure_telling = 'sending' THEN 'sending'
                    WHEN i.failure_telling = 'told' AND i.error_text = left(j.said, 1000) THEN 'told'
                    ELSE 'due' END,
                error_category = j.category, error_origin = j.origin, error_code = left(j.code, 60),
                error_title = left(j.title, 300), error_fix = left(j.fix, 500),
                error_text = left(j.said, 1000), error_detail = left(j.detail, 4000),
                error_at = now(), blocked_by = left(j.cause, 200)
            FROM judged j
            WHERE i.id = j.id
              AND ((%(token)s::uuid IS NULL AND i.state = 'READY')
                   OR (i.state = 'POSTING' AND i.lease_token = %(token)s))
            RETURNING i.id, j.title, j.fix, j.code, j.category, j.detail
        )
        INSERT INTO syncing_itemevent (item_id, at, kind, text, data, actor)
        SELECT id, now(), 'refused', title || ' ' || fix,
               jsonb_build_object('code', code, 'category', category, 'detail', left(detail, 1000)), ''
        FROM moved ORDER BY id
        """,
        {**_judgements(refused), "token": token},
    )


def record_retry(token: uuid.UUID, refused: Sequence[Refused], *, counts: bool) -> int:
    """Queue items again after their `recheck_seconds`; nothing of them is booked.

    `counts` says whether the attempt uses up the items' retry budget: not if the whole ERP was
    unavailable, for then it was not about them (fault X17).
    """
    return _execute(
        """
        WITH judged AS (
            SELECT * FROM unnest(%(ids)s::bigint[], %(categories)s::text[], %(origins)s::text[],
                %(codes)s::text[], %(titles)s::text[], %(fixes)s::text[], %(texts)s::text[],
                %(details)s::text[], %(causes)s::text[], %(rechecks)s::float[])
                AS j(id, category, origin, code, title, fix, said, detail, cause, recheck)
        ), moved AS (
            UPDATE syncing_syncitem i
            SET state = 'READY', state_at = now(), due_at = now() + j.recheck * interval '1s',
                attempts = attempts - CASE WHEN %(counts)s THEN 0 ELSE 1 END,
                claims_without_result = 0, lease_token = NULL, lease_until = NULL,
                may_be_in_erp_until = NULL,
                error_category = j.category, error_origin = j.origin, error_code = left(j.code, 60),
                error_title = left(j.title, 300), error_fix = left(j.fix, 500),
                error_detail = left(j.detail, 4000), error_at = now(), blocked_by = ''
            FROM judged j
            WHERE i.id = j.id AND i.state = 'POSTING' AND i.lease_token = %(token)s
            RETURNING i.id, j.title, j.code, j.detail, i.due_at, i.attempts
        )
        INSERT INTO syncing_itemevent (item_id, at, kind, text, data, actor)
        SELECT id, now(), 'retrying', title,
               jsonb_build_object('code', code, 'next', due_at, 'attempt', attempts,
                                  'detail', left(detail, 1000)), ''
        FROM moved ORDER BY id
        """,
        {**_judgements(refused), "token": token, "counts": counts},
    )


def record_uncertain(
    token: uuid.UUID, errors: Sequence[tuple[int, str]], settle: float, recheck_seconds: float
) -> int:
    """End the lease of items whose answer was lost; they stay POSTING until it can be settled."""
    return _execute(
        """
        WITH lost AS (SELECT * FROM unnest(%(ids)s::bigint[], %(said)s::text[]) AS l(id, said)),
        moved AS (
            UPDATE syncing_syncitem i
            SET lease_until = now(), may_be_in_erp_until = now() + %(settle)s * interval '1s',
                due_at = now() + %(recheck)s * interval '1s', claims_without_result = 0,
                error_detail = left(l.said, 4000), error_at = now()
            FROM lost l WHERE i.id = l.id AND i.state = 'POSTING' AND i.lease_token = %(token)s
            RETURNING i.id, l.said
        )
        INSERT INTO syncing_itemevent (item_id, at, kind, text, data, actor)
        SELECT id, now(), 'uncertain', '', jsonb_build_object('detail', left(said, 1000)), ''
        FROM moved ORDER BY id
        """,
        {
            "ids": [id_ for id_, _ in errors],
            "said": [said for _, said in errors],
            "token": token,
            "settle": settle,
            "recheck": recheck_seconds,
        },
    )


def record_held(token: uuid.UUID, state: str, reasons: Sequence[tuple[int, str]]) -> int:
    """Park items for a person: REVIEW (unknown outcome, nothing to ask) or MISMATCH."""
    return _execute(
        """
        WITH held AS (SELECT * FROM unnest(%(ids)s::bigint[], %(reasons)s::text[]) AS h(id, reason)),
        moved AS (
            UPDATE syncing_syncitem i
            SET state = %(state)s, state_at = now(), due_at = NULL, claims_without_result = 0,
                lease_token = NULL, lease_until = NULL, error_category = 'needs_integrator',
                error_origin = 'erp', error_code = 'erp.' || lower(%(state)s), error_title = h.reason,
                error_fix = '', error_at = now()
            FROM held h WHERE i.id = h.id AND i.state = 'POSTING' AND i.lease_token = %(token)s
            RETURNING i.id, h.reason
        )
        INSERT INTO syncing_itemevent (item_id, at, kind, text, data, actor)
        SELECT id, now(), 'held', reason, '{}', '' FROM moved ORDER BY id
        """,
        {
            "ids": [id_ for id_, _ in reasons],
            "reasons": [reason[:300] for _, reason in reasons],
            "state": state,
            "token": token,
        },
    )


def give_back(token: uuid.UUID, ids: Sequence[int]) -> int:
    """Queue items again that were claimed but certainly not sent (deadline, shutdown)."""
    return _execute(
        """
        UPDATE syncing_syncitem
        SET state = 'READY', state_at = now(), due_at = now(), attempts = attempts - 1,
            claims_without_result = 0, lease_token = NULL, lease_until = NULL,
            may_be_in_erp_until = NULL
        WHERE id = ANY(%s) AND state = 'POSTING' AND lease_token = %s
        """,
        [list(ids), token],
    )


def release(
    connection_id: uuid.UUID, *, cause: str = "", ids: Sequence[int] = (), why: str, actor: str = ""
) -> int:
    """Queue failed items again, by their shared cause or one by one. Returns how many."""
    return _execute(
        """
        WITH moved AS (
            UPDATE syncing_syncitem
            SET state = 'READY', state_at = now(), due_at = now(), attempts = 0, blocked_by = '',
                error_category = '', error_origin = '', error_code = '', error_title = '',
                error_fix = '', error_detail = ''
            WHERE connection_id = %(connection)s AND state = 'FAILED'
              AND ((%(cause)s <> '' AND blocked_by = %(cause)s) OR id = ANY(%(ids)s::bigint[]))
            RETURNING id
        )
        INSERT INTO syncing_itemevent (item_id, at, kind, text, data, actor)
        SELECT id, now(), 'released', %(why)s, '{}', %(actor)s FROM moved ORDER BY id
        """,
        {
            "connection": connection_id,
            "cause": cause,
            "ids": list(ids),
            "why": why,
            "actor": actor,
        },
    )


def hurry(item_id: int, *, actor: str) -> int:
    """Make a queued item due now. Returns 1, or 0 if it is no longer queued."""
    return _execute(
        """
        WITH moved AS (
            UPDATE syncing_syncitem SET due_at = now() WHERE id = %s AND state = 'READY' RETURNING id
        )
        INSERT INTO syncing_itemevent (item_id, at, kind, text, data, actor)
        SELECT id, now(), 'released', 'Retried.', '{}', %s FROM moved
        """,
        [item_id, actor],
    )


def blocked_samples(connection_id: uuid.UUID, limit: int = 20) -> list[Blocked]:
    """One failed item of each shared cause that is due for another look."""
    with database.cursor() as cursor:
        cursor.execute(
            """
            SELECT DISTINCT ON (i.blocked_by) i.blocked_by, i.id, i.object_type, i.ramp_id,
                   coalesce(i.entity_ramp_id::text, ''), p.ramp::text, i.attempts
            FROM syncing_syncitem i JOIN syncing_itempayload p ON p.item_id = i.id
            WHERE i.connection_id = %s AND i.state = 'FAILED' AND i.due_at <= now()
              AND i.blocked_by <> ''
            ORDER BY i.blocked_by, i.id LIMIT %s
            """,
            [connection_id, limit],
        )
        return [
            Blocked(cause, Claimed(id_, type_, ramp_id, entity, body, None, attempts, 0))
            for cause, id_, type_, ramp_id, entity, body, attempts in cursor.fetchall()
        ]


def recheck_later(connection_id: uuid.UUID, cause: str, seconds: float) -> None:
    """Look at a cause again after so many seconds; all its items wait for the same look."""
    _execute(
        "UPDATE syncing_syncitem SET due_at = now() + %s * interval '1s'"
        " WHERE connection_id = %s AND state = 'FAILED' AND blocked_by = %s",
        [seconds, connection_id, cause],
    )


def _judgements(refused: Sequence[Refused]) -> dict[str, list[Any]]:
    failures = [row.failure for row in refused]
    return {
        "ids": [row.id for row in refused],
        "categories": [failure.category.value for failure in failures],
        "origins": [failure.origin.value for failure in failures],
        "codes": [failure.code for failure in failures],
        "titles": [failure.title for failure in failures],
        "fixes": [failure.fix for failure in failures],
        "texts": [row.text for row in refused],
        "details": [failure.detail for failure in failures],
        "causes": [failure.blocked_by for failure in failures],
        "rechecks": [row.recheck_seconds for row in refused],
    }


def _claimed(sql: str, params: Any) -> list[Claimed]:
    with database.cursor() as cursor:
        cursor.execute(sql, params)
        return [
            Claimed(id_, type_, ramp_id, entity, body, _loads(document), attempts, claims)
            for id_, type_, ramp_id, entity, body, document, attempts, claims in cursor.fetchall()
        ]


def _execute(sql: str, params: Any) -> int:
    """Run one statement in its own transaction, or in the caller's. Returns the rows it touched."""
    with transaction.atomic(), database.cursor() as cursor:
        cursor.execute(sql, params)
        return cursor.rowcount


def _json(value: Any) -> str:
    return orjson.dumps(value).decode()


def _loads(value: str | None) -> Any:
    """Django hands JSONB over as text in raw cursors."""
    return None if value is None else orjson.loads(value)
