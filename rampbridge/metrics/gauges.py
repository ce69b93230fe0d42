"""What Prometheus is told of how things stand: one SELECT per gauge, of its labels and its value.

Those in `LIGHT` read roll-ups and small tables. Those in `HEAVY` go through what is open, or
through the runs of a day; they are read once a minute at the most.
"""

from collections.abc import Sequence
from dataclasses import dataclass

from connections.egress import LIMITS

REAUTHORISE = ("ramp.unauthorised", "erp.auth_expired", "us.no_credentials")
"""What stops a connection until somebody enters new credentials."""


@dataclass(frozen=True, slots=True)
class Gauge:
    """One figure of how things stand."""

    name: str
    help: str
    labels: Sequence[str]
    sql: str
    """Selects the labels as an array of text, and a number."""


_CAN_MOVE = """
    FROM syncing_syncitem i
    JOIN connections_connection c ON c.id = i.connection_id AND c.stage = 'live'
    JOIN syncing_schedule s ON s.connection_id = i.connection_id
    WHERE i.state NOT IN ('ACKED', 'EXTERNAL', 'WITHDRAWN')
      AND (i.state IN ('POSTING', 'POSTED', 'ACKING') OR (i.state = 'READY' AND i.due_at <= now()))
      AND s.blocked_at IS NULL AND (s.resume_at IS NULL OR s.resume_at <= now())
      AND NOT EXISTS (SELECT FROM syncing_pause p
                      WHERE p.connection_id = i.connection_id AND p.resumed_at IS NULL
                        AND p.object_type IN ('', i.object_type))
"""
"""What waits for nobody but us: not what a person, a customer or a silent ERP has to move first.
The first line of the condition is that of the index."""

LIGHT: Sequence[Gauge] = (
    Gauge(
        "items",
        "Items of all customers, by state.",
        ("state", "object_type"),
        """
        SELECT ARRAY[state, object_type], sum(items) FROM syncing_itemtotal
        GROUP BY state, object_type HAVING sum(items) <> 0
        """,
    ),
    Gauge(
        "ramp_rate_tokens_available",
        "Requests that may be sent to Ramp now, by the address that they leave from.",
        ("egress",),
        f"""
        SELECT ARRAY[egress], CASE WHEN now() < frozen_until THEN 0 ELSE least({LIMITS.burst},
            tokens + rate * extract(epoch FROM now() - greatest(refilled_at, frozen_until))) END
        FROM connections_ratebucket
        """,  # noqa: S608  a constant
    ),
    Gauge(
        "circuit_open_connections",
        "Customers whose ERP does not answer, and who are left alone until the next probe.",
        ("adapter",),
        """
        SELECT ARRAY[c.erp_kind], count(*) FILTER (WHERE s.erp_silent_since IS NOT NULL)
        FROM connections_connection c JOIN syncing_schedule s ON s.connection_id = c.id
        WHERE c.stage = 'live' GROUP BY c.erp_kind
        """,
    ),
    Gauge(
        "poll_lag_seconds",
        "How long the poll that is most overdue is overdue; 0 if none is.",
        (),
        """
        SELECT ARRAY[]::text[],
            greatest(0, coalesce(extract(epoch FROM now() - min(s.next_poll_at)), 0))
        FROM syncing_schedule s
        JOIN connections_connection c ON c.id = s.connection_id AND c.stage = 'live'
        """,
    ),
    Gauge(
        "token_expiry_timestamp_seconds",
        "When the first of the tokens for Ramp expires, of customers that are live.",
        ("token",),
        """
        SELECT ARRAY['first'], extract(epoch FROM min(t.expires_at)) FROM connections_ramptoken t
        JOIN connections_connection c ON c.id = t.connection_id AND c.stage = 'live'
        HAVING count(*) > 0
        """,
    ),
    Gauge(
        "connections",
        "Customers by how their connection is. Those that are not live yet are left out.",
        ("status",),
        f"""
        SELECT ARRAY[status], count(word) FROM (
            VALUES ('ok'), ('blocked'), ('reauthorise'), ('paused')
        ) AS statuses (status) LEFT JOIN (
            SELECT CASE
                WHEN s.blocked_at IS NOT NULL AND s.blocked_code IN {REAUTHORISE} THEN 'reauthorise'
                WHEN st.health IN ('Paused', 'Partly paused') THEN 'paused'
                WHEN st.health IN ('Blocked', 'ERP silent', 'Ramp silent') THEN 'blocked'
                ELSE 'ok' END AS word
            FROM syncing_customerstanding st
            JOIN connections_connection c ON c.id = st.connection_id
            JOIN syncing_schedule s ON s.connection_id = st.connection_id
            WHERE c.stage IN ('live', 'paused')
        ) found ON word = status
        GROUP BY status
        """,  # noqa: S608  constants
    ),
    Gauge(
        "worker_last_progress_timestamp_seconds",
        "When a worker last finished something, of those that did within a day.",
        ("worker",),
        """
        SELECT ARRAY[worker], extract(epoch FROM beat_at) FROM syncing_workerbeat
        WHERE beat_at > now() - interval '1 day'
        """,
    ),
    Gauge(
        "fleet_last_round_timestamp_seconds",
        "When the clock last rang and a worker followed: it does every three seconds.",
        (),
        "SELECT ARRAY[]::text[], extract(epoch FROM at) FROM syncing_fleetround",
    ),
    Gauge(
        "outbox_open_batches",
        "Reports that Ramp has not answered yet.",
        (),
        "SELECT ARRAY[]::text[], count(*) FROM syncing_ackbatch WHERE state = 'open'",
    ),
    Gauge(
        "outbox_oldest_age_seconds",
        "How old the oldest of them is; 0 if there is none.",
        (),
        """
        SELECT ARRAY[]::text[], coalesce(extract(epoch FROM now() - min(created_at)), 0)
        FROM syncing_ackbatch WHERE state = 'open'
        """,
    ),
)

HEAVY: Sequence[Gauge] = (
    Gauge(
        "oldest_unsynced_age_seconds",
        "How long the oldest item has been ready of those that wait for nobody but us.",
        ("object_type",),
        f"""
        SELECT ARRAY[object_type], extract(epoch FROM now() - min(ready_at))
        FROM (SELECT i.object_type, i.ready_at {_CAN_MOVE}) waiting GROUP BY object_type
        """,  # noqa: S608  constants
    ),
    Gauge(
        "backlog_items",
        "Items that wait for nobody but us, by what brought them here.",
        ("class",),
        f"""
        SELECT ARRAY[class], count(arrived_by) FROM (
            VALUES ('button'), ('webhook'), ('poll'), ('backfill')
        ) AS classes (class) LEFT JOIN (
            SELECT CASE WHEN i.arrived_by IN ('button', 'webhook', 'backfill') THEN i.arrived_by
                ELSE 'poll' END AS arrived_by {_CAN_MOVE}
        ) waiting ON arrived_by = class
        GROUP BY class
        """,  # noqa: S608  constants
    ),
    Gauge(
        "duplicate_documents",
        "Items that stand in an ERP more than once. Must be 0.",
        (),
        """
        SELECT ARRAY[]::text[], count(*) FROM syncing_syncitem
        WHERE state = 'MISMATCH' AND (error_code = 'erp.expense_twice'
            OR error_code = 'erp.booked_otherwise' AND error_title LIKE '%% more than once: %%')
        """,
    ),
    Gauge(
        "clearing_imbalance_connections",
        "Customers whose ERP has booked something else than Ramp was told. Must be 0.",
        (),
        """
        SELECT ARRAY[]::text[], count(DISTINCT connection_id) FROM syncing_syncitem
        WHERE state = 'MISMATCH' AND error_code = 'erp.booked_otherwise'
        """,
    ),
    Gauge(
        "ramp_call_efficiency_ratio",
        "Requests that the pulls of a day took, per page that they had to read. 1 is the least.",
        (),
        """
        SELECT ARRAY[]::text[], sum(calls)::float8 / nullif(sum(pages), 0) FROM syncing_syncrun
        WHERE started_at > now() - interval '1 day' AND finished_at IS NOT NULL
        HAVING sum(pages) > 0
        """,
    ),
    Gauge(
        "webhook_silent_connections",
        "Customers of whom the last two polls found what a webhook should have announced.",
        (),
        """
        SELECT ARRAY[]::text[], count(*) FROM (
            SELECT connection_id, (array_agg(unannounced ORDER BY started_at DESC))[:2] AS missed
            FROM syncing_syncrun
            WHERE started_at > now() - interval '1 day' AND trigger = 'poll'
              AND finished_at IS NOT NULL
            GROUP BY connection_id
        ) last WHERE cardinality(missed) = 2 AND 0 < ALL (missed)
        """,
    ),
)
