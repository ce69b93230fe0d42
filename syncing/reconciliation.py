"""The daily comparison of Ramp, us and the ERP, connection by connection.

    Ramp's ready lists   is everything known to us?            -> items, as any pull makes them
    Ramp's synced lists  synced outside? changed since?        -> EXTERNAL, MISMATCH
    the ERP's ledger     deleted, taken back, another amount?  -> MISMATCH
    our own rows         in the ERP, and still not reported?   -> a line that says why

What it finds is the state of an item and a line of its timeline; the row of the run only counts.
"""

import logging
import uuid
from collections import Counter
from datetime import datetime, timedelta

from django.contrib.postgres.functions import TransactionNow

from connections.erp.errors import ErpError
from connections.erp.ledger_audit import AuditableErp
from connections.erp.port import ErpAdapter
from connections.mappings import MappingSet
from connections.models import Connection
from connections.ramp import errors
from connections.ramp.client import RampClient
from syncing import (
    cadence,
    card_bills,
    card_statements,
    evidence,
    findings,
    mismatches,
    payment_cards,
    polling,
)
from syncing.classifier import ErrorCategory, SyncFailure, classify, classify_ramp
from syncing.ledger_comparison import compare_with_ledger
from syncing.models import Reconciliation, SyncRun
from syncing.ramp_comparison import RampComparison
from syncing.statements import execute, rows

WINDOW = timedelta(days=35)
"""How far back the ledger is compared: beyond the closing of the month before."""
OVERLAP = timedelta(days=1)
"""Between two comparisons of what Ramp has synced."""
UNREPORTED_HOURS = 6
LEASE = timedelta(hours=1)
"""A comparison that died, or met a side that was down for the moment, is due again after it."""
_RESULTS = [
    "finished_at",
    "in_ramp",
    "items",
    "in_erp",
    "ready_in_ramp",
    "ready_and_known",
    "found",
    "problem",
]


logger = logging.getLogger(__name__)


def connections_due(*, limit: int = 50) -> list[uuid.UUID]:
    """Live connections whose comparison is due, or not planned yet."""
    found = rows(
        """
        SELECT s.connection_id FROM syncing_schedule s
        JOIN connections_connection c ON c.id = s.connection_id
        WHERE c.stage = 'live' AND (s.reconcile_due_at IS NULL OR s.reconcile_due_at <= now())
        ORDER BY s.reconcile_due_at NULLS FIRST LIMIT %s
        """,
        [limit],
    )
    return [connection_id for (connection_id,) in found]


def plan(connection: Connection, *, now: datetime) -> None:
    """Plan the next comparison for the customer's next night."""
    habits = cadence.Habits(connection.time_zone, cadence.spread_of(connection.pk))
    execute(
        "UPDATE syncing_schedule SET reconcile_due_at = now() + %s WHERE connection_id = %s",
        [cadence.next_night_in(habits, now=now), connection.pk],
    )


def is_planned(connection: Connection) -> bool:
    """Whether somebody has said when the connection is compared."""
    return connection.schedule.reconcile_due_at is not None


def run_soon(connection_id: uuid.UUID) -> None:
    """Compare without waiting for the night."""
    execute(
        "UPDATE syncing_schedule SET reconcile_due_at = now() WHERE connection_id = %s",
        [connection_id],
    )


def reconcile(
    connection: Connection,
    ramp: RampClient,
    erp: ErpAdapter,
    mappings: MappingSet,
    *,
    now: datetime,
    jitter: float,
) -> Reconciliation | None:
    """Compare one connection with Ramp and its ERP. None if another worker is at it, or it is not
    due.

    A side that cannot be read is named on the row; what the other one tells is settled all the
    same, and nothing is concluded from half a list.
    """
    if not _take(connection):
        return None
    run = Reconciliation.objects.create(connection=connection, started_at=TransactionNow())
    found: Counter[str] = Counter()
    failures: list[SyncFailure] = []
    try:
        failures += _compare_ramp(connection, ramp, mappings, run, found, now=now, jitter=jitter)
    except errors.RampError as error:
        failures.append(classify_ramp(error))
    try:
        _compare_erp(connection, erp, run, found)
    except ErpError as error:
        failures.append(classify(error, erp_name=connection.erp_name))
    found["expense_twice"] += card_bills.find_twice(connection)
    found["unreported"] += findings.note_unreported(connection.pk, after_hours=UNREPORTED_HOURS)
    run.found = {kind: number for kind, number in sorted(found.items()) if number}
    run.problem = " ".join(dict.fromkeys(failure.title for failure in failures))
    run.finished_at = TransactionNow()
    run.save(update_fields=_RESULTS)
    if not any(failure.category is ErrorCategory.TRANSIENT for failure in failures):
        plan(connection, now=now)  # otherwise once more when the lease is over
    logger.info(
        "A connection was compared with both sides.",
        extra={"connection": connection.slug, "found": dict(run.found), "problem": run.problem},
    )
    return run


def _compare_ramp(
    connection: Connection,
    ramp: RampClient,
    mappings: MappingSet,
    run: Reconciliation,
    found: Counter[str],
    *,
    now: datetime,
    jitter: float,
) -> list[SyncFailure]:
    """Returns why single lists could not be read."""
    trigger = SyncRun.Trigger.RECONCILE
    pulled = polling.pull(connection, ramp, trigger=trigger, now=now, jitter=jitter)
    if pulled is not None:
        run.ready_in_ramp = pulled.seen
        run.ready_and_known = pulled.seen - pulled.new
        found["not_announced"] += pulled.new
    comparison = RampComparison(connection, ramp, mappings, since=_since(connection))
    try:
        comparison.run()
    finally:
        run.in_ramp = comparison.objects
        found.update(comparison.found)
    found["reported_again"] += mismatches.retry_mismatches(connection, ramp)
    found["late_files"] += evidence.look_for_late(connection, ramp, since=now - WINDOW)
    card_statements.mirror_statements(connection, ramp, now=now)
    payment_cards.mirror_cards(connection, ramp)
    return [classify_ramp(error) for error in comparison.unread]


def _since(connection: Connection) -> datetime:
    """A day before the last complete comparison; since it was connected, if there was none."""
    last = (
        Reconciliation.objects.filter(connection=connection, finished_at__isnull=False, problem="")
        .order_by("-started_at")
        .values_list("started_at", flat=True)
        .first()
    )
    return max(connection.created_at, last - OVERLAP) if last else connection.created_at


def _compare_erp(
    connection: Connection, erp: ErpAdapter, run: Reconciliation, found: Counter[str]
) -> None:
    if not isinstance(erp, AuditableErp):
        return
    compared = compare_with_ledger(connection, erp, window=WINDOW)
    run.items, run.in_erp = compared.items, compared.documents
    found.update(compared.found)


def _take(connection: Connection) -> bool:
    return bool(
        execute(
            "UPDATE syncing_schedule SET reconcile_due_at = now() + %s"
            " WHERE connection_id = %s AND reconcile_due_at <= now()",
            [LEASE, connection.pk],
        )
    )
