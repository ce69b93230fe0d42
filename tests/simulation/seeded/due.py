"""When there is something to do next, and whether there is nothing left to do."""

from collections.abc import Sequence

from connections.ramp_simulator.bill_records import BillSyncStatus
from connections.ramp_simulator.records import SyncStatus
from syncing.statements import rows
from tests.simulation.seeded.clock import BEGAN
from tests.simulation.seeded.company import Company

_NEXT = """
    SELECT extract(epoch FROM min(at) - now())::float8 FROM (
        SELECT CASE WHEN poll_lease_until IS NULL
               THEN least(next_poll_at, fetch_due_at) ELSE poll_lease_until END AS at
        FROM syncing_schedule WHERE connection_id = ANY(%(ids)s)
        UNION ALL
        SELECT greatest(i.due_at, i.may_be_in_erp_until, s.resume_at, s.work_lease_until)
        FROM syncing_syncitem i JOIN syncing_schedule s USING (connection_id)
        WHERE connection_id = ANY(%(ids)s) AND state IN ('READY', 'POSTING', 'FAILED')
            AND i.due_at IS NOT NULL
        UNION ALL
        SELECT due_at FROM syncing_syncitem
        WHERE connection_id = ANY(%(ids)s) AND state = 'POSTED'
        UNION ALL
        SELECT greatest(due_at, lease_until) FROM syncing_ackbatch
        WHERE connection_id = ANY(%(ids)s) AND state = 'open'
        UNION ALL
        SELECT now() FROM syncing_syncrequest
        WHERE connection_id = ANY(%(ids)s) AND state = 'open'
    ) times
"""
_UNDER_WAY = """
    SELECT EXISTS (
        SELECT FROM syncing_syncitem WHERE connection_id = ANY(%(ids)s)
            AND (state IN ('POSTING', 'POSTED', 'ACKING')
                 OR state = 'READY' AND due_at IS NOT NULL
                 OR failure_telling IN ('due', 'sending') OR reack_due)
    ) OR EXISTS (
        SELECT FROM syncing_ackbatch WHERE connection_id = ANY(%(ids)s) AND state = 'open'
    ) OR EXISTS (
        SELECT FROM syncing_syncrequest WHERE connection_id = ANY(%(ids)s) AND state = 'open'
    ) OR EXISTS (
        SELECT FROM syncing_schedule WHERE connection_id = ANY(%(ids)s)
            AND (coalesce(last_poll_at < to_timestamp(%(healed)s), true)
                OR last_pull_started_at < to_timestamp(%(healed)s)
                OR poll_lease_until IS NOT NULL OR fetch_due_at IS NOT NULL)
    )
"""
_LEFT = """
    SELECT object_type, state, blocked_by, error_title, error_detail, due_at,
           may_be_in_erp_until, attempts, failure_telling
    FROM syncing_syncitem WHERE connection_id = ANY(%(ids)s)
        AND state NOT IN ('ACKED', 'WITHDRAWN', 'EXTERNAL') LIMIT 5
"""


def seconds_until_next(companies: Sequence[Company]) -> float:
    """Until something is due by itself; at least the pause between two rings."""
    ((seconds,),) = rows(_NEXT, _of(companies))
    return 60.0 if seconds is None else max(5.0, seconds)


def is_quiet(companies: Sequence[Company], healed_at: float) -> bool:
    """Whether everybody was polled since all was well, and nothing is left to do."""
    healed = BEGAN.timestamp() + healed_at
    ((is_busy,),) = rows(_UNDER_WAY, _of(companies) | {"healed": healed})
    return not is_busy


def passed_over(companies: Sequence[Company]) -> list[str]:
    """Who has a document to post, is free to, and was not rung for lately."""
    found = rows(
        """
        SELECT c.slug FROM connections_connection c
        JOIN syncing_schedule s ON s.connection_id = c.id
        WHERE c.id = ANY(%(ids)s) AND coalesce(s.rung_at < now() - interval '6s', true)
            AND s.work_lease_until IS NULL AND s.resume_at IS NULL AND s.blocked_code = ''
            AND EXISTS (SELECT FROM syncing_syncitem i WHERE i.connection_id = c.id
                        AND i.state = 'READY' AND i.due_at <= now() - interval '6s')
            AND NOT EXISTS (SELECT FROM syncing_pause p WHERE p.connection_id = c.id)
        ORDER BY c.slug
        """,
        _of(companies),
    )
    return [slug for (slug,) in found]


def is_half_read(companies: Sequence[Company]) -> bool:
    """Whether the next pull goes on in a list that it began to read before."""
    ((found,),) = rows(
        "SELECT EXISTS (SELECT FROM syncing_pullcursor"
        " WHERE connection_id = ANY(%(ids)s) AND began_at IS NOT NULL)",
        _of(companies),
    )
    return bool(found)


def is_unheard_of(companies: Sequence[Company]) -> bool:
    """Whether Ramp has something ready that we do not know: the next poll must bring it."""
    ready = {
        (row.object_type, row.id)
        for one in companies
        for row in (*one.business.transactions(), *one.business.reimbursements())
        if row.sync_status is SyncStatus.SYNC_READY
    }
    ready |= {
        ("bill_payment" if row.sync_status is BillSyncStatus.BILL_SYNCED else "bill", row.id)
        for one in companies
        for row in one.business.bills(sync_ready=True)
    }
    known = rows(
        "SELECT object_type, ramp_id::text FROM syncing_syncitem"
        " WHERE connection_id = ANY(%(ids)s)",
        _of(companies),
    )
    return not ready <= set(known)


def left(companies: Sequence[Company]) -> list[tuple[object, ...]]:
    """What still moves, and why it might not; for people."""
    blocked = rows(
        "SELECT blocked_title, resume_at, next_poll_at, fetch_due_at, poll_lease_until"
        " FROM syncing_schedule WHERE connection_id = ANY(%(ids)s)",
        _of(companies),
    )
    return [*rows(_LEFT, _of(companies)), *blocked]


def _of(companies: Sequence[Company]) -> dict[str, object]:
    return {"ids": [one.connection.pk for one in companies]}
