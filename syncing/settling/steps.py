"""What every way of settling does to an item: one guarded statement, with its line and its name.

The states that a step may come from stand in its WHERE. Whoever comes second, be it a person or a
worker, moves nothing and is told so.
"""

from collections.abc import Mapping, Sequence
from typing import Any

from syncing import attachments, releases
from syncing.statements import as_json, execute, rows, storable

_NO_ERROR = """
    error_category = '', error_origin = '', error_code = '', error_title = '', error_fix = '',
    error_text = '', error_detail = '', blocked_by = ''
"""
_UNTOLD = """
    failure_telling = CASE WHEN i.failure_telling = 'sending' THEN 'sending' ELSE '' END
"""
"""An error that Ramp is just being told stays marked so: what comes of it follows (fault K16)."""
_NO_LEASE = """
    claims_without_result = 0, lease_token = NULL, lease_until = NULL, may_be_in_erp_until = NULL
"""

TO_ADOPTED = f"""
    state = 'POSTED', state_at = now(), posted_at = now(), due_at = now(), erp_id = %(erp_id)s,
    erp_number = %(number)s, erp_url = %(url)s, erp_ref = %(ref)s, ack_batch_id = NULL,
    {_NO_LEASE}, {_NO_ERROR}, {_UNTOLD}
"""
TO_QUEUE = f"""
    state = 'READY', state_at = now(), due_at = now(), attempts = 0, was_absent = false,
    {_NO_LEASE}, {_NO_ERROR}, {_UNTOLD}
"""
TO_OUTSIDE = f"""
    state = 'EXTERNAL', state_at = now(), due_at = NULL, {_NO_LEASE}, {_NO_ERROR}, {_UNTOLD}
"""
TO_REVIEW = f"""
    state = 'REVIEW', state_at = now(), due_at = NULL, {_NO_LEASE}, {_UNTOLD},
    error_category = 'needs_integrator', error_origin = 'erp', error_code = 'erp.review',
    error_title = %(title)s, error_fix = '', error_text = '', error_detail = '', blocked_by = '',
    error_at = now()
"""
TO_AGREED = f"""
    state = 'ACKED', state_at = now(), due_at = NULL, acked_at = coalesce(i.acked_at, now()),
    {_NO_ERROR}
"""
TO_REPORT = f"""
    state = 'POSTED', state_at = now(), due_at = now(), ack_batch_id = NULL, {_NO_ERROR}
"""


AS_ASKED = "i.state_at <= (SELECT d.asked_at FROM syncing_settlement d WHERE d.id = %(settlement)s)"
"""SQL: the item `i` stands as it did when somebody decided. Sent again meanwhile and back in the
same state, it is another question: what the first person saw says nothing of it."""


def move(
    ids: Sequence[int],
    *,
    to: str,
    only: str,
    text: str,
    actor: str,
    event: str = "settled",
    data: Mapping[str, Any] | None = None,
    with_files: bool = False,
    frees: str = "",
    **params: Any,
) -> list[int]:
    """Take items one step. Returns which moved: those of `ids` for which `only` still holds.

    :param to: one of this file's constants
    :param only: SQL over the item `i`: the states that it may come from; a constant of ours
    :param with_files: queue the files that Ramp has, as a post does
    :param frees: what the timeline of payments says that waited for a bill among them; a constant
        of ours. Empty: they go on waiting
    """
    files = f", files AS ({attachments.FILES_OF_MOVED})" if with_files else ""
    freed = f", {releases.PAYMENTS_OF_MOVED}" if frees else ""
    lines = f"UNION ALL {releases.payment_lines(frees)}" if frees else ""
    moved = rows(
        f"""
        WITH moved AS (
            UPDATE syncing_syncitem i SET {to}
            WHERE i.id = ANY(%(ids)s) AND ({only})
            RETURNING i.id, i.connection_id, i.object_type, i.ramp_id
        ){files}{freed}, woken AS (
            UPDATE syncing_attachment a SET due_at = now(), error_title = '', error_fix = ''
            FROM moved m WHERE a.item_id = m.id AND a.state = 'due'
        ), told AS (
            INSERT INTO syncing_itemevent (item_id, at, kind, text, data, actor)
            SELECT id, now(), %(event)s, %(text)s, %(data)s::jsonb, %(actor)s FROM moved
            {lines} ORDER BY 1
        )
        SELECT id FROM moved
        """,  # noqa: S608  the pieces are constants of this program
        {
            "ids": list(ids),
            "event": event,
            "text": storable(text),
            "data": as_json(data or {}),
            "actor": actor,
            **params,
        },
    )
    return [item_id for (item_id,) in moved]


def note(
    ids: Sequence[int],
    text: str,
    *,
    actor: str,
    event: str = "settled",
    data: Mapping[str, Any] | None = None,
) -> None:
    """Leave a line on timelines; nothing moves."""
    execute(
        """
        INSERT INTO syncing_itemevent (item_id, at, kind, text, data, actor)
        SELECT id, now(), %(event)s, %(text)s, %(data)s::jsonb, %(actor)s
        FROM unnest(%(ids)s::bigint[]) AS i(id) ORDER BY id
        """,
        {
            "ids": list(ids),
            "event": event,
            "text": storable(text),
            "data": as_json(data or {}),
            "actor": actor,
        },
    )
