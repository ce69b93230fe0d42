"""Seconds and memory to compare every item of a fleet with its ledger, as every night does.

A million items of a thousand customers, against a ledger that is a table of its own: so many lines
are answered as an ERP would be asked for them, and nothing of it is in our memory. A few documents
were deleted or changed there, and exactly those must be found.
"""

import os
import time
from collections.abc import Collection, Mapping, Sequence
from datetime import UTC, datetime, timedelta
from decimal import Decimal

from django.db import connection as database

from bench.__main__ import FLEET_ITEMS
from bench.figures import Measured
from bench.load.loading import load
from bench.processor_time import processor_time
from bench.resident import forget_peak, peak
from bench.service import Stuck
from connections.erp.ledger_audit import LedgerEntry
from connections.erp.records import State
from connections.models import Connection
from syncing.ledger_comparison import compare_with_ledger
from syncing.statements import rows

ITEMS_PER_CUSTOMER = 1000
PLANTED = 10
"""Documents that are gone, and as many that are over another amount."""
EVER = timedelta(days=3650)
_MILLION = 1_000_000
_MAKE_LEDGER = """
    SET session_replication_role = replica;
    UPDATE syncing_syncitem SET erp_ref = 'ramp-bench-' || id
    WHERE state = 'ACKED';
    SET session_replication_role = origin;
    CREATE TABLE bench_ledger AS
    SELECT erp_ref AS ref, erp_number AS number, currency, posted_at,
           abs(amount_minor)::numeric / 10::numeric ^ exponent AS amount
    FROM syncing_syncitem WHERE state = 'ACKED';
    ALTER TABLE bench_ledger ADD PRIMARY KEY (ref);
    VACUUM ANALYZE syncing_syncitem, bench_ledger;
"""


class TableLedger:
    """An ERP whose books are a table; see `connections.erp.ledger_audit.AuditableErp`."""

    def entries_under(self, refs: Collection[str]) -> Sequence[LedgerEntry]:
        found = rows(
            "SELECT ref, number, amount, currency FROM bench_ledger WHERE ref = ANY(%s)",
            [list(refs)],
        )
        return [_entry(*row) for row in found]

    def ledger_entries(
        self, prefix: str, *, since: datetime | None = None
    ) -> Sequence[LedgerEntry]:
        found = rows(
            "SELECT ref, number, amount, currency FROM bench_ledger"
            " WHERE starts_with(ref, %s) AND (%s::timestamptz IS NULL OR posted_at >= %s)",
            [prefix, since, since],
        )
        return [_entry(*row) for row in found]


def measure(_: None, *, items: int | None = None) -> Mapping[str, Measured]:
    items = items or int(os.environ.get(FLEET_ITEMS, _MILLION))
    load(customers=max(items // ITEMS_PER_CUSTOMER, 1), items=items, now=datetime.now(UTC))
    with database.cursor() as cursor:
        for statement in _MAKE_LEDGER.split(";")[:-1]:
            cursor.execute(statement)
    _plant()
    connections, ledger = list(Connection.objects.all()), TableLedger()
    forget_peak()
    before, began = processor_time(), time.perf_counter()
    compared = found = 0
    for connection in connections:
        one = compare_with_ledger(connection, ledger, window=EVER)
        compared += one.items
        found += sum(one.found.values())
    took, used = time.perf_counter() - began, processor_time() - before
    if found != 2 * PLANTED:
        raise Stuck(f"{found} differences were found, and {2 * PLANTED} were planted.")
    details = {"compared": compared, "customers": len(connections), "found": found}
    return {
        "reconciliation": Measured(
            used.total * _MILLION / compared,
            {
                "unit": "processor seconds per million, ours and PostgreSQL's",
                "wall_per_million": round(took * _MILLION / compared, 1),
                **details,
            },
        ),
        "reconciliation_memory": Measured(peak(), {"unit": "megabytes at most", **details}),
    }


def _plant() -> None:
    with database.cursor() as cursor:
        cursor.execute(
            "DELETE FROM bench_ledger WHERE ref IN"
            " (SELECT ref FROM bench_ledger ORDER BY md5(ref) LIMIT %s)",
            [PLANTED],
        )
        cursor.execute(
            "UPDATE bench_ledger SET amount = amount + 1 WHERE ref IN"
            " (SELECT ref FROM bench_ledger ORDER BY md5(ref) LIMIT %s)",
            [PLANTED],
        )


def _entry(ref: str, number: str, amount: Decimal, currency: str) -> LedgerEntry:
    return LedgerEntry(
        ref=ref,
        erp_id=number,
        number=number,
        state=State.POSTED,
        debit=amount,
        credit=amount,
        total=amount,
        currency=currency,
    )
