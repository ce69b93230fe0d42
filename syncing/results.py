"""Write what came of the items in hand, and end the lease on them.

Each function is one statement for a whole chunk. It says `lease_token = mine`, so that a worker
that lost its lease writes nothing (fault X12), and it returns how many rows were still its own.
"""

import uuid
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from types import MappingProxyType
from typing import Any

from connections.erp.records import Posted
from syncing import attachments, circuit, incident_pauses, pauses, releases
from syncing.classifier import SyncFailure
from syncing.reports import SILENT_TYPES
from syncing.statements import execute, storable

Took = Mapping[int, int]
"""Milliseconds of the call to the ERP that told of an item, where there was one."""
_UNKNOWN: Took = MappingProxyType({})


@dataclass(frozen=True, slots=True)
class Refused:
    """One item that the ERP, or our own mapper, definitely did not book."""

    id: int
    failure: SyncFailure
    text: str
    """What the customer reads in Ramp."""
    recheck_seconds: float | None = None
    """Until we look whether its cause is gone; None: only a change or a person releases it."""


@dataclass(frozen=True, slots=True)
class Uncertain:
    """One item that may or may not be booked."""

    id: int
    said: str
    counts: bool = False
    """Whether the attempt uses up the retry budget: not if the ERP as a whole is silent."""
    absent: bool = False
    """The ERP has just been asked and did not have it; nothing was sent since (fault X19)."""


@dataclass(frozen=True, slots=True)
class Confirmed:
    """One item that needs no document of its own, with the one that settles it."""

    id: int
    erp_id: str
    number: str
    url: str
    why: str


@dataclass(frozen=True, slots=True)
class Looked:
    """What was done to find out about one item that is uncertain, in words."""

    id: int
    words: str
    ref: str = ""
    """What the ERP was searched by."""
    took: int | None = None
    """Milliseconds."""


def record_looks(looks: Sequence[Looked]) -> int:
    """Leave a line for each on its timeline: what was searched, and what it brought (P-04)."""
    return execute(
        """
        INSERT INTO syncing_itemevent (item_id, at, kind, text, data, actor)
        SELECT id, now(), 'looked', words,
               jsonb_strip_nulls(jsonb_build_object('searched', nullif(ref, ''), 'ms', ms)), ''
        FROM unnest(%(ids)s::bigint[], %(words)s::text[], %(refs)s::text[], %(took)s::int[])
            AS l(id, words, ref, ms)
        ORDER BY id
        """,
        {
            "ids": [one.id for one in looks],
            "words": [storable(one.words) for one in looks],
            "refs": [one.ref for one in looks],
            "took": [one.took for one in looks],
        },
    )


def record_posted(
    token: uuid.UUID, posted: Sequence[tuple[int, Posted]], took: Took = _UNKNOWN
) -> int:
    """Write the ERP's ids: the documents are booked, whoever booked them. Closes the circuit.

    Ends an automatic pause, also one of many customers, and lets the payments go on that wait for a
    bill among these (rule 10).

    An error that Ramp is just being told stays marked so, for the success must come after it
    (fault K16); one that nobody was told yet is forgotten.
    """
    return execute(
        f"""
        WITH booked AS (
            SELECT * FROM unnest(%(ids)s::bigint[], %(erp_ids)s::text[], %(numbers)s::text[],
                                 %(urls)s::text[], %(fresh)s::bool[], %(totals)s::text[],
                                 %(took)s::int[])
                AS b(id, erp_id, number, url, fresh, total, ms)
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
            RETURNING i.id, b.number, b.fresh, b.total, b.ms, i.connection_id, i.object_type,
                      i.ramp_id
        ), {releases.PAYMENTS_OF_MOVED}, {pauses.BOOKED}, files AS ({attachments.FILES_OF_MOVED}
        ), wishes AS ({attachments.WAKE_WISHES_OF_MOVED}
        ), shown AS (
            UPDATE syncing_schedule s SET last_posted_at = now(), {circuit.ERP_ANSWERED}
            WHERE connection_id IN (SELECT connection_id FROM moved)
            RETURNING s.connection_id
        ), {incident_pauses.BOOKED}
        INSERT INTO syncing_itemevent (item_id, at, kind, text, data, actor)
        SELECT id, now(), CASE WHEN fresh THEN 'posted' ELSE 'found' END, '',
               jsonb_strip_nulls(
                   jsonb_build_object('number', number, 'total', total, 'ms', ms)), ''
        FROM moved
        UNION ALL {releases.payment_lines(_BILL_BOOKED)} UNION ALL {pauses.RESUMED_LINES}
        UNION ALL {incident_pauses.RESUMED_LINES}
        ORDER BY 1
        """,  # noqa: S608  constants of this program
        {
            "ids": [id_ for id_, _ in posted],
            "erp_ids": [result.erp_id for _, result in posted],
            "numbers": [result.number for _, result in posted],
            "urls": [result.url for _, result in posted],
            "fresh": [result.fresh for _, result in posted],
            "totals": [None if one.total is None else str(one.total) for _, one in posted],
            "took": [took.get(id_) for id_, _ in posted],
            "token": token,
        },
    )


def record_confirmed(confirmed: Sequence[Confirmed]) -> int:
    """Mark queued items as POSTED that another document has settled already; nothing is sent."""
    return execute(
        """
        WITH settled AS (
            SELECT * FROM unnest(%(ids)s::bigint[], %(erp_ids)s::text[], %(numbers)s::text[],
                                 %(urls)s::text[], %(whys)s::text[])
                AS b(id, erp_id, number, url, why)
        ), moved AS (
            UPDATE syncing_syncitem i
            SET state = 'POSTED', state_at = now(), posted_at = now(), due_at = now(),
                erp_id = b.erp_id, erp_number = b.number, erp_url = b.url, blocked_by = '',
                error_category = '', error_origin = '', error_code = '', error_title = '',
                error_fix = '', error_text = '', error_detail = '', failure_telling =
                    CASE WHEN i.failure_telling = 'sending' THEN 'sending' ELSE '' END
            FROM settled b WHERE i.id = b.id AND i.state = 'READY'
            RETURNING i.id, b.number, b.why
        )
        INSERT INTO syncing_itemevent (item_id, at, kind, text, data, actor)
        SELECT id, now(), 'found', why, jsonb_build_object('number', number), ''
        FROM moved ORDER BY id
        """,
        {
            "ids": [one.id for one in confirmed],
            "erp_ids": [one.erp_id for one in confirmed],
            "numbers": [one.number for one in confirmed],
            "urls": [one.url for one in confirmed],
            "whys": [one.why for one in confirmed],
        },
    )


def record_refused(
    token: uuid.UUID | None, refused: Sequence[Refused], took: Took = _UNKNOWN
) -> int:
    """Put items aside as FAILED with the judgement and the text for Ramp. None of them is booked.

    Without a token the items must still be READY (refused by our own mapper before any call).
    Ramp is told unless it shows exactly this text already, or keeps no sync state of the type.
    """
    return execute(
        f"""
        WITH judged AS ({_JUDGED}), moved AS (
            UPDATE syncing_syncitem i
            SET state = 'FAILED', state_at = now(), due_at = now() + j.recheck * interval '1s',
                claims_without_result = 0, lease_token = NULL, lease_until = NULL,
                may_be_in_erp_until = NULL,
                failure_telling = CASE
                    WHEN i.object_type = ANY(%(silent)s) THEN ''
                    WHEN i.failure_telling = 'sending' THEN 'sending'
                    WHEN i.failure_telling = 'told' AND i.error_text = j.said THEN 'told'
                    ELSE 'due' END,
                error_category = j.category, error_origin = j.origin, error_code = j.code,
                error_title = j.title, error_fix = j.fix, error_text = j.said,
                error_detail = j.detail, error_at = now(), blocked_by = j.cause
            FROM judged j
            WHERE i.id = j.id
              AND ((%(token)s::uuid IS NULL AND i.state = 'READY')
                   OR (i.state = 'POSTING' AND i.lease_token = %(token)s))
            RETURNING i.id, i.connection_id, i.object_type, j.title, j.fix, j.code, j.category,
                      j.origin, j.cause, j.detail, j.ms
        ), {pauses.REFUSED}
        INSERT INTO syncing_itemevent (item_id, at, kind, text, data, actor)
        SELECT id, now(), 'refused', title || ' ' || fix,
               jsonb_strip_nulls(jsonb_build_object(
                   'code', code, 'category', category, 'detail', left(detail, 1000),
                   'ms', ms)), ''
        FROM moved ORDER BY id
        """,  # noqa: S608  a constant of this file
        {**_judgements(refused, took), "token": token, "silent": list(SILENT_TYPES)},
    )


def record_retry(
    token: uuid.UUID, refused: Sequence[Refused], *, counts: bool, took: Took = _UNKNOWN
) -> int:
    """Queue items again after their `recheck_seconds`; none of them is booked.

    `counts` says whether the attempt uses up the items' retry budget: not if the whole ERP was
    unavailable, for then it was not about them (fault X17).
    """
    return execute(
        f"""
        WITH judged AS ({_JUDGED}), moved AS (
            UPDATE syncing_syncitem i
            SET state = 'READY', state_at = now(), due_at = now() + j.recheck * interval '1s',
                attempts = attempts - CASE WHEN %(counts)s THEN 0 ELSE 1 END,
                claims_without_result = 0, lease_token = NULL, lease_until = NULL,
                may_be_in_erp_until = NULL, error_category = j.category, error_origin = j.origin,
                error_code = j.code, error_title = j.title, error_fix = j.fix,
                error_detail = j.detail, error_at = now(), blocked_by = ''
            FROM judged j
            WHERE i.id = j.id AND i.state = 'POSTING' AND i.lease_token = %(token)s
            RETURNING i.id, j.title, j.code, j.detail, j.ms, i.due_at, i.attempts
        )
        INSERT INTO syncing_itemevent (item_id, at, kind, text, data, actor)
        SELECT id, now(), 'retrying', title,
               jsonb_strip_nulls(jsonb_build_object(
                   'code', code, 'next', due_at, 'attempt', attempts,
                   'detail', left(detail, 1000), 'ms', ms)), ''
        FROM moved ORDER BY id
        """,  # noqa: S608  a constant of this file
        {**_judgements(refused, took), "token": token, "counts": counts},
    )


def record_waiting(token: uuid.UUID | None, waiting: Sequence[tuple[int, str, str]]) -> int:
    """Let items wait for something else: READY, not due, and nothing of them is booked.

    :param waiting: id, cause and words of each. `releases.release_waiting` frees all of a cause.

    Without a token the items must still be READY (nothing was sent). Whoever ends the cause must
    do so in an earlier transaction than it frees them, and this must run after a look at the cause
    that was made with the items locked; else the two could miss each other.
    """
    return execute(
        """
        WITH asked AS (
            SELECT * FROM unnest(%(ids)s::bigint[], %(causes)s::text[], %(words)s::text[])
                AS a(id, cause, words)
        ), moved AS (
            UPDATE syncing_syncitem i
            SET state = 'READY', due_at = NULL,
                state_at = CASE WHEN i.state = 'READY' THEN i.state_at ELSE now() END,
                blocked_by = a.cause, error_title = a.words, error_category = '',
                error_origin = '', error_code = '', error_fix = '', error_detail = '',
                attempts = i.attempts - CASE WHEN i.state = 'READY' THEN 0 ELSE 1 END,
                claims_without_result = 0, lease_token = NULL, lease_until = NULL,
                may_be_in_erp_until = NULL
            FROM asked a
            WHERE i.id = a.id
              AND ((%(token)s::uuid IS NULL AND i.state = 'READY')
                   OR (i.state = 'POSTING' AND i.lease_token = %(token)s))
            RETURNING i.id, a.cause, a.words
        )
        INSERT INTO syncing_itemevent (item_id, at, kind, text, data, actor)
        SELECT id, now(), 'waiting', words, jsonb_build_object('cause', cause), ''
        FROM moved ORDER BY id
        """,
        {
            "ids": [id_ for id_, _, _ in waiting],
            "causes": [storable(cause)[:200] for _, cause, _ in waiting],
            "words": [storable(words)[:300] for _, _, words in waiting],
            "token": token,
        },
    )


def record_uncertain(
    token: uuid.UUID,
    lost: Sequence[Uncertain],
    settle: float,
    recheck_seconds: float,
    *,
    took: Took = _UNKNOWN,
) -> int:
    """End the lease of items whose answer was lost; they stay POSTING until it can be settled."""
    return execute(
        """
        WITH lost AS (
            SELECT * FROM unnest(%(ids)s::bigint[], %(said)s::text[], %(counts)s::bool[],
                                 %(absent)s::bool[], %(took)s::int[])
                AS l(id, said, counts, absent, ms)
        ), moved AS (
            UPDATE syncing_syncitem i
            SET lease_until = now(), may_be_in_erp_until = now() + %(settle)s * interval '1s',
                due_at = now() + %(recheck)s * interval '1s', claims_without_result = 0,
                attempts = attempts - CASE WHEN l.counts THEN 0 ELSE 1 END,
                error_detail = l.said, error_at = now(), was_absent = l.absent
            FROM lost l WHERE i.id = l.id AND i.state = 'POSTING' AND i.lease_token = %(token)s
            RETURNING i.id, l.said, l.ms
        )
        INSERT INTO syncing_itemevent (item_id, at, kind, text, data, actor)
        SELECT id, now(), 'uncertain', '',
               jsonb_strip_nulls(jsonb_build_object('detail', left(said, 1000), 'ms', ms)), ''
        FROM moved ORDER BY id
        """,
        {
            "ids": [one.id for one in lost],
            "said": [storable(one.said)[:4000] for one in lost],
            "counts": [one.counts for one in lost],
            "absent": [one.absent for one in lost],
            "took": [took.get(one.id) for one in lost],
            "token": token,
            "settle": settle,
            "recheck": recheck_seconds,
        },
    )


def record_held(token: uuid.UUID, state: str, reasons: Sequence[tuple[int, str]]) -> int:
    """Park items for a person: REVIEW (unknown outcome, nothing to ask) or MISMATCH."""
    return execute(
        """
        WITH held AS (
            SELECT * FROM unnest(%(ids)s::bigint[], %(reasons)s::text[]) AS h(id, reason)
        ), moved AS (
            UPDATE syncing_syncitem i
            SET state = %(state)s, state_at = now(), due_at = NULL, claims_without_result = 0,
                lease_token = NULL, lease_until = NULL, error_category = 'needs_integrator',
                error_origin = 'erp', error_code = 'erp.' || lower(%(state)s),
                error_title = h.reason, error_fix = '', error_at = now()
            FROM held h WHERE i.id = h.id AND i.state = 'POSTING' AND i.lease_token = %(token)s
            RETURNING i.id, h.reason
        )
        INSERT INTO syncing_itemevent (item_id, at, kind, text, data, actor)
        SELECT id, now(), 'held', reason, '{}', '' FROM moved ORDER BY id
        """,
        {
            "ids": [id_ for id_, _ in reasons],
            "reasons": [storable(reason)[:300] for _, reason in reasons],
            "state": state,
            "token": token,
        },
    )


def give_back(token: uuid.UUID, ids: Sequence[int]) -> int:
    """Queue items again that were claimed but certainly not sent (deadline, shutdown)."""
    return execute(
        """
        UPDATE syncing_syncitem
        SET state = 'READY', state_at = now(), due_at = now(), attempts = attempts - 1,
            claims_without_result = 0, lease_token = NULL, lease_until = NULL,
            may_be_in_erp_until = NULL
        WHERE id = ANY(%s) AND state = 'POSTING' AND lease_token = %s
        """,
        [list(ids), token],
    )


_BILL_BOOKED = "Its bill is in the ERP."
_JUDGED = """
    SELECT * FROM unnest(%(ids)s::bigint[], %(categories)s::text[], %(origins)s::text[],
        %(codes)s::text[], %(titles)s::text[], %(fixes)s::text[], %(texts)s::text[],
        %(details)s::text[], %(causes)s::text[], %(rechecks)s::float[], %(took)s::int[])
        AS j(id, category, origin, code, title, fix, said, detail, cause, recheck, ms)
"""


def _judgements(refused: Sequence[Refused], took: Took) -> dict[str, list[Any]]:
    failures = [row.failure for row in refused]
    return {
        "ids": [row.id for row in refused],
        "categories": [failure.category.value for failure in failures],
        "origins": [failure.origin.value for failure in failures],
        "codes": [failure.code[:60] for failure in failures],
        "titles": [storable(failure.title)[:300] for failure in failures],
        "fixes": [storable(failure.fix)[:500] for failure in failures],
        "texts": [storable(row.text)[:1000] for row in refused],
        "details": [storable(failure.detail)[:4000] for failure in failures],
        "causes": [storable(failure.blocked_by)[:200] for failure in failures],
        "rechecks": [row.recheck_seconds for row in refused],
        "took": [took.get(row.id) for row in refused],
    }
