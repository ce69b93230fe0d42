"""What our own parts have left behind in the database, read in two statements."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.db import connection as database

from connections.egress import LIMITS
from rampbridge.models import Process
from syncing.statements import from_json

WATCHED_TABLES = (
    "syncing_syncitem",
    "syncing_schedule",
    "syncing_itemcount",
    "syncing_flowentry",
    "syncing_standingchange",
)
"""Written so often that they swell if nobody cleans up after."""


@dataclass(frozen=True, slots=True)
class Running:
    """A process, and what it has finished."""

    name: str
    kind: Process.Kind
    queues: Sequence[str]
    release: str
    started_at: datetime
    seen_at: datetime
    """When it last finished anything."""
    tasks: int


@dataclass(frozen=True, slots=True)
class Budget:
    """What is left of Ramp's limit for one address of ours."""

    egress: str
    tokens: float
    rate: float
    is_frozen: bool


@dataclass(frozen=True, slots=True)
class Facts:
    """As of one moment. None is: never yet."""

    now: datetime
    last_round_at: datetime | None
    waiting: int
    """Items that are due, of customers who are live and not stopped; counted up to a thousand, and
    looked for among five thousand."""
    open_reports: int
    oldest_report_at: datetime | None
    next_poll_at: datetime | None
    """The most overdue, or the next one."""
    last_event_at: datetime | None
    unhandled_events: int
    oldest_unhandled_at: datetime | None
    refused_events: int
    """In the last 24 hours."""
    sampled_at: datetime | None
    recounted_at: datetime | None
    findings: int
    """Of the recount, in the last 24 hours."""
    budgets: Sequence[Budget]
    processes: Sequence[Running]

    def of(self, kind: Process.Kind) -> list[Running]:
        return [one for one in self.processes if one.kind == kind]


@dataclass(frozen=True, slots=True)
class DatabaseFacts:
    """How PostgreSQL is."""

    version: str
    size: int
    """Bytes."""
    connections: int
    most_connections: int
    longest_transaction: float
    """Seconds that the oldest one of ours has been open."""
    replicas: int
    replica_lag: float
    """Seconds that the slowest replica is behind."""
    swollen: Mapping[str, float]
    """Dead rows per living one, of tables that have many."""


def service_facts() -> Facts:
    """What every part says of itself. One statement, of small tables and indexes."""
    with database.cursor() as cursor:
        cursor.execute(_SERVICE)
        columns = [column.name for column in cursor.description or ()]
        found: dict[str, Any] = dict(zip(columns, cursor.fetchone() or (), strict=True))
    return Facts(
        **{
            **found,
            "budgets": [Budget(**line) for line in from_json(found["budgets"]) or ()],
            "processes": [_running(line) for line in from_json(found["processes"]) or ()],
        }
    )


def database_facts() -> DatabaseFacts:
    """What PostgreSQL says of itself. One statement; what we may not see counts as none."""
    with database.cursor() as cursor:
        cursor.execute(_DATABASE, {"tables": list(WATCHED_TABLES)})
        columns = [column.name for column in cursor.description or ()]
        found: dict[str, Any] = dict(zip(columns, cursor.fetchone() or (), strict=True))
    return DatabaseFacts(**{**found, "swollen": from_json(found["swollen"]) or {}})


def _running(line: dict[str, Any]) -> Running:
    times = {name: datetime.fromisoformat(line[name]) for name in ("started_at", "seen_at")}
    return Running(**{**line, "kind": Process.Kind(line["kind"]), **times})


_SERVICE = f"""
    SELECT statement_timestamp() AS now,
        (SELECT at FROM syncing_fleetround) AS last_round_at,
        (SELECT count(*) FROM (
            SELECT FROM (
                SELECT connection_id FROM syncing_syncitem
                WHERE state = 'READY' AND due_at <= statement_timestamp() - interval '10 seconds'
                LIMIT 5000
            ) i
            JOIN syncing_schedule s ON s.connection_id = i.connection_id
            JOIN connections_connection c ON c.id = i.connection_id
            WHERE c.stage = 'live' AND s.blocked_at IS NULL
              AND (s.resume_at IS NULL OR s.resume_at <= statement_timestamp())
            LIMIT 1000
        ) due) AS waiting,
        reports.n AS open_reports, reports.oldest AS oldest_report_at,
        (SELECT min(s.next_poll_at) FROM syncing_schedule s
         JOIN connections_connection c ON c.id = s.connection_id AND c.stage = 'live'
        ) AS next_poll_at,
        (SELECT received_at FROM syncing_webhookevent ORDER BY received_at DESC, id DESC LIMIT 1
        ) AS last_event_at,
        unhandled.n AS unhandled_events, unhandled.oldest AS oldest_unhandled_at,
        (SELECT coalesce(sum(deliveries), 0) FROM syncing_webhookevent
         WHERE event_type = 'refused' AND received_at > statement_timestamp() - interval '1 day'
        ) AS refused_events,
        (SELECT max(at) FROM syncing_sampleround) AS sampled_at,
        (SELECT last_at FROM syncing_recountround) AS recounted_at,
        (SELECT count(*) FROM syncing_recountfinding
         WHERE at > statement_timestamp() - interval '1 day') AS findings,
        (SELECT jsonb_agg(jsonb_build_object(
            'egress', egress, 'rate', rate, 'is_frozen', statement_timestamp() < frozen_until,
            'tokens', least({LIMITS.burst}, tokens + rate * greatest(0, extract(
                epoch FROM statement_timestamp() - greatest(refilled_at, frozen_until)))))
            ORDER BY egress) FROM connections_ratebucket) AS budgets,
        (SELECT jsonb_agg(jsonb_build_object(
            'name', p.name, 'kind', p.kind, 'queues', p.queues, 'release', p.release,
            'started_at', p.started_at, 'seen_at', greatest(p.seen_at, b.beat_at),
            'tasks', coalesce(b.tasks, 0)) ORDER BY p.kind DESC, p.seen_at DESC, p.name)
         FROM rampbridge_process p LEFT JOIN syncing_workerbeat b ON b.worker = p.name
         WHERE p.seen_at > statement_timestamp() - interval '1 hour') AS processes
    FROM (
        SELECT count(*) AS n, min(created_at) AS oldest FROM syncing_ackbatch WHERE state = 'open'
    ) reports, (
        SELECT count(*) AS n, min(received_at) AS oldest FROM (
            SELECT e.received_at FROM syncing_webhookevent e
            JOIN connections_connection c ON c.id = e.connection_id AND c.stage = 'live'
            WHERE e.handled_at IS NULL LIMIT 1000
        ) kept
    ) unhandled
"""  # noqa: S608  constants
_DATABASE = """
    SELECT current_setting('server_version') AS version,
        pg_database_size(current_database())::bigint AS size,
        (SELECT count(*) FROM pg_stat_activity WHERE datname = current_database()) AS connections,
        current_setting('max_connections')::int AS most_connections,
        (SELECT coalesce(max(extract(epoch FROM statement_timestamp() - xact_start)), 0)::float
         FROM pg_stat_activity
         WHERE datname = current_database() AND pid <> pg_backend_pid()
           AND backend_type = 'client backend') AS longest_transaction,
        (SELECT count(*) FROM pg_stat_replication) AS replicas,
        (SELECT coalesce(max(extract(epoch FROM replay_lag)), 0)::float FROM pg_stat_replication
        ) AS replica_lag,
        (SELECT jsonb_object_agg(relname, round(n_dead_tup::numeric / greatest(n_live_tup, 1), 2))
         FROM pg_stat_user_tables
         WHERE relname = ANY(%(tables)s) AND n_dead_tup > 100000 AND n_dead_tup > n_live_tup / 2
        )::text AS swollen
"""
