"""What Ramp was told of every item, for comparing all three sides."""

from collections.abc import Iterator
from datetime import datetime
from typing import Any

from connections.ramp_simulator.amounts import factor
from connections.ramp_simulator.bill_ledger import bill_entries, told_json
from connections.ramp_simulator.bill_records import Bill
from connections.ramp_simulator.clock import wire_time
from connections.ramp_simulator.money_records import Cashback, Transfer
from connections.ramp_simulator.records import Coded, SyncStatus
from connections.ramp_simulator.tables import Table
from connections.ramp_simulator.world import World

_CHUNK = 500
Row = Coded | Transfer | Cashback | Bill


def entries(world: World, business: str | None = None) -> Iterator[dict[str, Any]]:
    """Every object that is or was ready: its state, and each thing that was said of it.

    Takes the lock for a few hundred rows at a time, so that calls get through in between.
    """
    tables: tuple[Table[Any], ...] = (
        world.transactions,
        world.reimbursements,
        world.transfers,
        world.cashbacks,
        world.bills,
    )
    with world.lock:
        rows: list[Row] = [
            row
            for table in tables
            for row in (table.all() if business is None else table.of(business))
        ]
    for begin in range(0, len(rows), _CHUNK):
        with world.lock:
            chunk = [entry for row in rows[begin : begin + _CHUNK] for entry in _of(world, row)]
        yield from chunk


def _of(world: World, row: Row) -> Iterator[dict[str, Any]]:
    if isinstance(row, Bill):
        yield from bill_entries(world, row)
    elif row.sync_status is not SyncStatus.NOT_SYNC_READY or row.commits:
        yield _entry(row)


def _entry(row: Coded | Transfer | Cashback) -> dict[str, Any]:
    return {
        "business": row.business,
        "object_type": row.object_type,
        "id": row.id,
        "entity_id": row.entity_id,
        "sync_status": row.sync_status,
        "amount": row.minor,
        "currency": row.currency,
        "minor_unit_conversion_rate": factor(row.currency),
        "accounting_date": wire_time(_dated(row)),
        **told_json(row.sync_status, row.synced_at, row.reference_id, row.commits),
        "export_error": row.export_error,
    }


def _dated(row: Coded | Transfer | Cashback) -> datetime:
    return row.accounting_date if isinstance(row, Coded) else row.created_at
