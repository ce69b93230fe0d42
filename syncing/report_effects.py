"""What a report that was answered does to its members: one statement each, with the timeline.

Each function changes those of `ids` that are in the batch and still in the state it expects.
"""

import uuid
from collections.abc import Mapping, Sequence
from typing import Any

from syncing import circuit, reports
from syncing.models import AckBatch
from syncing.report_body import said
from syncing.statements import as_json, rows, storable

REPORT_REFUSED = "ramp.report_refused"
NO_LONGER_READY = "ramp.no_longer_ready"
"""Posted and then taken back in Ramp. Once it is ready again, it is reported again."""
GONE = "ramp.gone"
UNKNOWN_STATE = "ramp.unknown_state"
REFUSED_REPORTS = frozenset({REPORT_REFUSED, NO_LONGER_READY, GONE, UNKNOWN_STATE})
"""The codes of what is in the ERP and whose report Ramp does not take."""
PAYMENT_LOOK_SECONDS = 3600
"""Between two reports of a payment that Ramp has not completed, such as a cheque on its way."""
PAYMENT_PATIENCE_DAYS = 30
"""For so long. Then a person looks."""

_IS_SENDING = "failure_telling = 'sending'"
_NAMED_BEFORE = """
    (SELECT count(*) FROM syncing_itemevent e WHERE e.item_id = syncing_syncitem.id
     AND e.kind = 'report_refused' AND e.data ->> 'named' = 'true')
"""


def accepted(batch: AckBatch, *, sync_id: str, trace_id: str) -> bool:
    """Close a batch of successes that Ramp took, with all its members, in one statement.

    False if another worker closed it first.
    """
    closed = _change(
        batch,
        list(said(batch)),
        before=_CLOSED,
        where=f"{_IS_ACKED} AND EXISTS (SELECT FROM closed)",
        to=_TO_ACKED,
        event="reported",
        data={"trace": trace_id, "batch": str(batch.pk)},
        also=_SHOWN + _ANSWERED,
        gives="(SELECT count(*) FROM closed)",
        lease=batch.lease_token,
        sync=sync_id,
        trace=trace_id,
        whose=batch.connection_id,
    )
    return closed == 1


def acked(batch: AckBatch, ids: Sequence[uuid.UUID], *, note: str = "", trace_id: str = "") -> None:
    """Ramp has them as synced."""
    _change(
        batch,
        ids,
        where=_IS_ACKED,
        to=_TO_ACKED,
        event="reported",
        text=note,
        data={"trace": trace_id, "batch": str(batch.pk)},
        also=_SHOWN + _ANSWERED,
        whose=batch.connection_id,
    )


_IS_ACKED = "state IN ('ACKING', 'ACKED')"
_TO_ACKED = "state = 'ACKED', state_at = now(), acked_at = coalesce(acked_at, now()), due_at = NULL"
_CLOSED = """
    closed AS (
        UPDATE syncing_ackbatch SET state = 'accepted', closed_at = now(), lease_token = NULL,
            lease_until = NULL, sync_id = %(sync)s, trace_id = %(trace)s
        WHERE id = %(batch)s AND state = 'open' AND lease_token = %(lease)s::uuid
        RETURNING id
    ),
"""
_SHOWN = f"""
    shown AS (
        UPDATE syncing_schedule s SET last_acked_at = now(), {circuit.RAMP_ANSWERED}
        WHERE connection_id = %(whose)s
    ),
"""  # noqa: S608  a constant of this program
# A press of the sync button counts the rows that it has had an answer for.
_ANSWERED = """
    counted AS (
        SELECT count(*) FILTER (WHERE state = 'ACKED') AS succeeded,
               count(*) FILTER (WHERE state = 'READY') AS not_started,
               count(*) FILTER (WHERE state NOT IN ('ACKED', 'READY')) AS failed
        FROM moved
    ), answered AS (
        UPDATE syncing_syncrequest r
        SET first_ack_at = coalesce(r.first_ack_at, now()), last_ack_at = now(),
            succeeded = r.succeeded + c.succeeded, failed = r.failed + c.failed,
            not_started = r.not_started + c.not_started
        FROM counted c
        WHERE r.id = %(request)s AND c.succeeded + c.failed + c.not_started > 0
    )
"""


def mismatch(batch: AckBatch, ids: Sequence[uuid.UUID], code: str, reason: str, why: str) -> None:
    """They are in the ERP, and Ramp does not take it: a person looks."""
    _change(
        batch,
        ids,
        where="state = 'ACKING'",
        to="state = 'MISMATCH', state_at = now(), due_at = NULL, error_at = now(),"
        " error_category = 'needs_integrator', error_origin = 'ramp', error_code = %(code)s,"
        " error_title = %(reason)s, error_fix = '', error_detail = left(%(text)s, 4000)",
        event="held",
        text=why,
        code=code,
        reason=storable(reason)[:300],
    )


def again(batch: AckBatch, ids: Sequence[uuid.UUID], why: str, *, at_most: int = 0) -> None:
    """Back to where a new batch takes them; `at_most` bounds how often one itself is refused."""
    _change(
        batch,
        ids,
        where="state IN ('ACKING', 'ACKED')" + _bound(at_most),
        to="reack_due = (state = 'ACKED'),"
        " state_at = CASE WHEN state = 'ACKING' THEN now() ELSE state_at END,"
        " ack_batch_id = CASE WHEN state = 'ACKING' THEN NULL ELSE ack_batch_id END,"
        " state = CASE WHEN state = 'ACKING' THEN 'POSTED' ELSE state END",
        event="report_refused",
        text=why,
        data={"named": bool(at_most)},
        at_most=at_most,
    )


def wait_for_payment(batch: AckBatch, ids: Sequence[uuid.UUID], why: str) -> None:
    """Ramp has not completed these payments: report them later. One line on the timeline is
    enough."""
    _change(
        batch,
        ids,
        where="state = 'ACKING' AND posted_at > now() - %(patience)s * interval '1 day'",
        to="state = 'POSTED', state_at = now(), ack_batch_id = NULL,"
        " due_at = now() + %(seconds)s * interval '1s'",
        event="waiting",
        text="Ramp has not completed the payment yet. It is reported once it has.",
        only="NOT EXISTS (SELECT FROM syncing_itemevent e"
        " WHERE e.item_id = moved.id AND e.kind = 'waiting' AND e.text = %(text)s)",
        data={"said": why[:1000]},
        patience=PAYMENT_PATIENCE_DAYS,
        seconds=PAYMENT_LOOK_SECONDS,
    )


def tell_again(batch: AckBatch, ids: Sequence[uuid.UUID], why: str, *, at_most: int = 0) -> None:
    """Their failure goes into a new batch, if there still is one."""
    _change(
        batch,
        ids,
        where=_IS_SENDING + _bound(at_most),
        to="failure_telling = CASE WHEN state IN ('FAILED', 'READY') THEN 'due' ELSE '' END",
        event="report_refused",
        text=why,
        data={"named": bool(at_most)},
        at_most=at_most,
    )


def give_up_telling(batch: AckBatch, ids: Sequence[uuid.UUID], why: str) -> None:
    """Whatever of the batch is still on its way is not told."""
    _change(
        batch,
        ids,
        where=_IS_SENDING,
        to="failure_telling = ''",
        event="report_refused",
        text=why,
    )


def told(batch: AckBatch, ids: Sequence[uuid.UUID], *, trace_id: str) -> None:
    """The error stands in Ramp, unless another one has come up since the batch was frozen."""
    says = said(batch)
    now_says = dict(reports.items_in(batch).values_list("ramp_id", "error_text"))
    current = [ramp_id for ramp_id in ids if now_says.get(ramp_id) == says[ramp_id][0]]
    data = {"trace": trace_id, "batch": str(batch.pk)}
    _change(
        batch,
        current,
        where=_IS_SENDING,
        to="failure_telling = 'told'",
        event="failure_told",
        data=data,
        also=_ANSWERED,
    )
    _change(
        batch,
        [ramp_id for ramp_id in ids if ramp_id not in set(current)],
        where=_IS_SENDING,
        to="failure_telling = CASE WHEN state = 'FAILED' THEN 'due' ELSE '' END",
        event="failure_told",
        data=data,
    )


def leave(batch: AckBatch, ids: Sequence[uuid.UUID], state: str, why: str) -> None:
    """Nothing was sent for them, and Ramp no longer wants them."""
    _change(
        batch,
        ids,
        where="state IN ('READY', 'FAILED')",
        to="state = %(to_state)s, state_at = now(), due_at = NULL, failure_telling = '',"
        " error_category = '', error_origin = '', error_code = '', error_title = '',"
        " error_fix = '', error_text = '', error_detail = '', blocked_by = ''",
        event=state.lower(),
        text=why,
        to_state=state,
    )


def _bound(at_most: int) -> str:
    return f" AND {_NAMED_BEFORE} + 1 < %(at_most)s" if at_most else ""


def _change(
    batch: AckBatch,
    ids: Sequence[uuid.UUID],
    *,
    where: str,
    to: str,
    event: str,
    text: str = "",
    data: Mapping[str, Any] | None = None,
    also: str = "nothing AS (SELECT)",
    only: str = "true",
    before: str = "",
    gives: str = "0",
    **params: Any,
) -> int:
    """Change members of a batch and write one line on each timeline. `where` guards the old state.

    `where`, `to`, `before` and `also` (more that goes with it), `only` (who gets a line) and
    `gives` (what is returned) are SQL of this file.
    """
    if not ids:
        return 0
    link = "ack_batch_id" if batch.outcome == AckBatch.Outcome.SUCCESS else "failure_batch_id"
    ((given,),) = rows(
        f"""
        WITH {before} moved AS (
            UPDATE syncing_syncitem SET {to}
            WHERE {link} = %(batch)s AND ramp_id = ANY(%(ids)s) AND {where} RETURNING id, state
        ), {also}, told AS (
            INSERT INTO syncing_itemevent (item_id, at, kind, text, data, actor)
            SELECT id, now(), %(event)s, %(text)s, %(data)s::jsonb, '' FROM moved
            WHERE {only} ORDER BY id
        )
        SELECT {gives}
        """,  # noqa: S608  the pieces are constants of this file
        {
            "batch": batch.pk,
            "request": batch.sync_request_id,
            "ids": list(ids),
            "event": event,
            "text": text,
            "data": as_json(data or {}),
            **params,
        },
    )
    return int(given)
