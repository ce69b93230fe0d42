"""What is told to Ramp: which results go into a batch, and whose turn it is to send it."""

import uuid
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from itertools import groupby
from operator import itemgetter

from django.db.models import Count, Q, QuerySet

from syncing.kinds import KINDS
from syncing.models import AckBatch, SyncItem
from syncing.report_body import Line, Request, said
from syncing.statements import execute, rows

LEASE_SECONDS = 90
"""Longer than Ramp's longest answer (60 s) and our time-out (65 s)."""
SYNC_TYPES: Mapping[str, str] = {
    kind.object_type: kind.sync_type for kind in KINDS.values() if kind.sync_type
}
"""By object type, in the order that they are reported: a bill before its payment (rule 10)."""
SILENT_TYPES = tuple(kind.object_type for kind in KINDS.values() if not kind.sync_type)
"""Ramp keeps no sync state of these: in the ERP they are through, and their failures stay here."""

_SILENT = f"'{{{','.join(SILENT_TYPES)}}}'"
_AFTER_ITS_BILL = """
    (i.object_type <> 'bill_payment' OR NOT EXISTS (
        SELECT FROM syncing_syncitem bill
        WHERE bill.connection_id = i.connection_id AND bill.object_type = 'bill'
          AND bill.ramp_id = i.ramp_id AND bill.phase = 0
          AND bill.acked_at IS NULL AND bill.state NOT IN ('ACKED', 'EXTERNAL')))
"""
"""Ramp takes the payment only once it has the bill (rule 10). A bill that was synced before us has
no row here."""
SUCCESS_WAITS = f"""
    i.state = 'POSTED' AND (i.due_at IS NULL OR i.due_at <= now())
    AND i.object_type <> ALL({_SILENT}) AND {_AFTER_ITS_BILL}
"""
FAILURE_WAITS = (
    f"i.failure_telling = 'due' AND i.state IN ('FAILED', 'READY') AND {_AFTER_ITS_BILL}"
)
"""READY: what an outage of hours holds up (fault X17), and what the sync button had no time for."""
UNTOLD_WAITS = f"i.state = 'POSTED' AND i.object_type = ANY({_SILENT})"
"""What Ramp keeps no sync state of is only marked as through."""


@dataclass(frozen=True, slots=True)
class Due:
    """What a connection has to tell Ramp now."""

    results: frozenset[str]
    """The outcomes (see `AckBatch.Outcome`) that go into new batches."""
    batches: bool
    """Whether a batch that exists is to be sent, perhaps again."""
    requests: tuple[Request, ...] = ()
    """Presses of the sync button that wait for answers."""
    untold: bool = False
    """Whether something is through without a report; no reason to call Ramp."""

    def __bool__(self) -> bool:
        return bool(self.results) or self.batches


@dataclass(frozen=True, slots=True)
class Patience:
    """How long a result waits for company at most, in seconds."""

    ordinary: float
    backlog: float
    """While `many` and more wait to be posted: nobody watches, and a report costs a call."""
    button: float
    """While somebody waits at the sync button."""
    many: int


def due(connection_id: uuid.UUID, full: int, patience: Patience) -> Due:
    """What to report now. Results: once nothing else is being posted, or those of one type fill a
    batch, or one waits long.
    """
    ((successes, failures, batches, ours, theirs, untold),) = rows(
        _DUE,
        {
            "c": connection_id,
            "full": full,
            "ordinary": patience.ordinary,
            "backlog": patience.backlog,
            "button": patience.button,
            "many": patience.many,
        },
    )
    outcomes = {AckBatch.Outcome.SUCCESS: successes, AckBatch.Outcome.FAILURE: failures}
    return Due(
        results=frozenset(str(one) for one, waits in outcomes.items() if waits),
        batches=bool(batches),
        requests=tuple(map(Request, ours or (), theirs or ())),
        untold=bool(untold),
    )


_DUE = f"""
    WITH asked AS MATERIALIZED (
        SELECT id, sync_request_id FROM syncing_syncrequest
        WHERE connection_id = %(c)s AND state = 'open' AND ends_at > now()
    ), patience AS MATERIALIZED (
        SELECT now() - CASE
            WHEN EXISTS (SELECT FROM asked) THEN %(button)s
            WHEN (SELECT count(*) FROM (SELECT FROM syncing_syncitem WHERE connection_id = %(c)s
                  AND state = 'READY' AND due_at <= now() LIMIT %(many)s) waiting) >= %(many)s
            THEN %(backlog)s
            ELSE %(ordinary)s
            END * interval '1s' AS since
    ), now_or_later AS MATERIALIZED (
        SELECT NOT EXISTS (SELECT FROM syncing_syncitem WHERE connection_id = %(c)s
                           AND state = 'READY' AND due_at <= now()
                           AND snapshot_at > now() - interval '15 minutes')
            AND NOT EXISTS (SELECT FROM syncing_syncitem WHERE connection_id = %(c)s
                            AND state = 'POSTING' AND lease_until > now())
            OR EXISTS (SELECT FROM syncing_syncitem, patience WHERE connection_id = %(c)s
                       AND state = 'POSTED' AND posted_at < since)
            OR EXISTS (SELECT FROM syncing_syncitem, patience WHERE connection_id = %(c)s
                       AND failure_telling = 'due' AND error_at < since)
            OR EXISTS (SELECT FROM syncing_syncitem i JOIN asked ON asked.id = i.sync_request_id
                       WHERE i.connection_id = %(c)s AND i.reack_due)
            OR EXISTS (SELECT FROM (SELECT object_type FROM syncing_syncitem
                WHERE connection_id = %(c)s AND state = 'POSTED' LIMIT 3 * %(full)s) posted
                GROUP BY object_type HAVING count(*) >= %(full)s) AS now
    )
    SELECT now AND (EXISTS (SELECT FROM syncing_syncitem i WHERE i.connection_id = %(c)s
                            AND {SUCCESS_WAITS})
                 OR EXISTS (SELECT FROM syncing_syncitem WHERE connection_id = %(c)s
                            AND reack_due)),
           now AND EXISTS (SELECT FROM syncing_syncitem i WHERE i.connection_id = %(c)s
                           AND {FAILURE_WAITS}),
           EXISTS (SELECT FROM syncing_ackbatch WHERE connection_id = %(c)s
                   AND state = 'open' AND due_at <= now()),
           (SELECT array_agg(id ORDER BY id) FROM asked),
           (SELECT array_agg(sync_request_id ORDER BY id) FROM asked),
           EXISTS (SELECT FROM syncing_syncitem i WHERE i.connection_id = %(c)s
                   AND {UNTOLD_WAITS})
    FROM now_or_later
"""  # noqa: S608  the pieces are constants of this file


def lock_lines(
    connection_id: uuid.UUID, outcome: str, limit: int, requests: Sequence[Request] = ()
) -> list[tuple[str, Request | None, list[Line]]]:
    """Lock the results that wait to be told, and return them as they may go together: of one type,
    and answering one press of the sync button or none. Only inside a transaction.

    Those of `requests` come first, then the oldest; `limit` is for all of them together. A success
    waits while a failure of the same item is on its way, so that the last word is the success
    (fault K16).
    """
    success = outcome == AckBatch.Outcome.SUCCESS
    found = rows(
        f"""
        SELECT i.object_type,
               CASE WHEN i.sync_request_id = ANY(%(requests)s::uuid[]) THEN i.sync_request_id END
                   AS answers,
               i.id, i.ramp_id, i.erp_number, i.erp_id, i.erp_url, i.error_text, i.report_attempt
        FROM syncing_syncitem i
        WHERE i.connection_id = %(c)s AND i.object_type = ANY(%(types)s)
          AND ({_SUCCESSES if success else FAILURE_WAITS})
        ORDER BY answers NULLS LAST, i.object_type, i.id LIMIT %(limit)s
        FOR UPDATE OF i SKIP LOCKED
        """,  # noqa: S608  the pieces are constants of this file
        {
            "c": connection_id,
            "types": list(SYNC_TYPES),
            "requests": [one.id for one in requests],
            "limit": limit,
        },
    )
    known = {one.id: one for one in requests}
    return [
        (
            object_type,
            known.get(request),
            [
                Line(id_, ramp_id, (number or erp_id) if success else text, attempt + 1, url)
                for _, _, id_, ramp_id, number, erp_id, url, text, attempt in group
            ],
        )
        for (object_type, request), group in groupby(found, key=itemgetter(0, 1))
    ]


_SUCCESSES = f"(({SUCCESS_WAITS}) OR i.reack_due) AND i.failure_telling <> 'sending'"


def freeze(batch: AckBatch, lines: Sequence[Line], *, take: bool = False) -> None:
    """Make a batch durable, and the lines' items its members. It is due from now.

    It knows then when it was made, for whoever sends it goes by that if Ramp refuses it.

    :param take: have the lease on it at once, as `take_open_batch` gives it
    """
    if batch.outcome == AckBatch.Outcome.FAILURE:
        changes, where = "failure_telling = 'sending', failure_batch_id = %(batch)s", "true"
    else:
        changes, where = _ENTER_SUCCESS, "state IN ('POSTED', 'ACKED')"
    batch.lease_token, batch.tries = (uuid.uuid4(), 1) if take else (None, 0)
    ((batch.created_at,),) = rows(
        f"""
        WITH frozen AS (
            INSERT INTO syncing_ackbatch (id, connection_id, sync_type, sync_request_id, outcome,
                state, key, body, size, created_at, due_at, tries, lease_token, lease_until,
                sync_id, trace_id, problem)
            VALUES (%(batch)s, %(connection)s, %(sync_type)s, %(request)s, %(outcome)s, 'open',
                %(key)s, %(body)s, %(size)s, now(), now(), %(tries)s, %(lease)s::uuid,
                CASE WHEN %(lease)s::uuid IS NOT NULL THEN now() + %(seconds)s * interval '1s' END,
                '', '', '')
            RETURNING created_at
        ), entered AS (
            UPDATE syncing_syncitem SET report_attempt = report_attempt + 1, {changes}
            WHERE id = ANY(%(ids)s) AND {where}
        )
        SELECT created_at FROM frozen
        """,  # noqa: S608  the pieces are constants of this file
        {
            "batch": batch.pk,
            "connection": batch.connection_id,
            "sync_type": batch.sync_type,
            "request": batch.sync_request_id,
            "outcome": batch.outcome,
            "key": batch.key,
            "body": bytes(batch.body),
            "size": batch.size,
            "tries": batch.tries,
            "lease": batch.lease_token,
            "seconds": LEASE_SECONDS,
            "ids": [line.id for line in lines],
        },
    )


# What is reported once more (fault K18) stays ACKED.
_ENTER_SUCCESS = """
    ack_batch_id = %(batch)s,
    reack_due = reack_due AND state <> 'ACKED',
    state_at = CASE WHEN state = 'POSTED' THEN now() ELSE state_at END,
    state = CASE WHEN state = 'POSTED' THEN 'ACKING' ELSE state END
"""


def finish_untold(connection_id: uuid.UUID) -> int:
    """Mark as through what is in the ERP and has no sync state in Ramp. Returns how many."""
    return execute(
        f"""
        WITH moved AS (
            UPDATE syncing_syncitem i
            SET state = 'ACKED', state_at = now(), acked_at = now(), due_at = NULL
            WHERE i.connection_id = %(c)s AND {UNTOLD_WAITS} RETURNING i.id
        )
        INSERT INTO syncing_itemevent (item_id, at, kind, text, data, actor)
        SELECT id, now(), 'note', %(why)s, '{{}}', '' FROM moved ORDER BY id
        """,  # noqa: S608  the pieces are constants of this file
        {
            "c": connection_id,
            "why": "Ramp keeps no sync state of this type, so there is nothing to report.",
        },
    )


def take_open_batch(connection_id: uuid.UUID) -> AckBatch | None:
    """Take the oldest open batch that is due; nobody else sends it until the lease is over.

    What answers the sync button goes first.
    """
    taken = AckBatch.objects.raw(
        """
        UPDATE syncing_ackbatch
        SET lease_token = %s, lease_until = now() + %s * interval '1s', tries = tries + 1
        WHERE id = (
            SELECT id FROM syncing_ackbatch
            WHERE connection_id = %s AND state = 'open' AND due_at <= now()
              AND (lease_until IS NULL OR lease_until < now())
            ORDER BY sync_request_id IS NULL, due_at, id LIMIT 1 FOR UPDATE SKIP LOCKED)
        RETURNING *
        """,
        [uuid.uuid4(), LEASE_SECONDS, connection_id],
    )
    return next(iter(taken), None)


def has_company(batch: AckBatch, *, since: datetime) -> bool:
    """Whether two parts of what was split have been refused lately, this one counted."""
    alike = AckBatch.objects.filter(
        connection=batch.connection_id, sync_type=batch.sync_type, outcome=batch.outcome
    )
    refused = alike.filter(Q(state=AckBatch.State.REJECTED) | Q(pk=batch.pk), created_at__gte=since)
    of_one_split = refused.values("created_at").annotate(refused=Count("pk"))  # one transaction
    return of_one_split.filter(refused__gt=1).exists()


def members(batch: AckBatch) -> list[uuid.UUID]:
    """The Ramp ids in a batch, in the order of its body."""
    return list(said(batch))


def lines_of(batch: AckBatch) -> list[Line]:
    """A batch's lines as they would stand in a next batch: one report attempt later."""
    says = said(batch)
    found = items_in(batch).order_by("id").values_list("id", "ramp_id", "report_attempt")
    return [
        Line(id_, ramp_id, says[ramp_id][0], attempt + 1, says[ramp_id][1])
        for id_, ramp_id, attempt in found
    ]


def items_in(batch: AckBatch) -> QuerySet[SyncItem]:
    """The items that are members of a batch."""
    if batch.outcome == AckBatch.Outcome.SUCCESS:
        return SyncItem.objects.filter(ack_batch=batch)
    return SyncItem.objects.filter(failure_batch=batch)
