"""What Ramp was told of every item, for comparing all three sides."""

from collections.abc import Iterator
from datetime import datetime
from typing import Any

from connections.ramp_simulator.amounts import factor
from connections.ramp_simulator.clock import wire_time
from connections.ramp_simulator.money_records import Cashback, Transfer
from connections.ramp_simulator.records import Coded, Commit, SyncStatus
from connections.ramp_simulator.world import Table, World

_CHUNK = 500
Row = Coded | Transfer | Cashback


def entries(world: World, business: str | None = None) -> Iterator[dict[str, Any]]:
    """Every object that is or was ready: its state, and each thing that was said of it.

    Takes the lock for a few hundred rows at a time, so that calls get through in between.
    """
    tables: tuple[Table[Any], ...] = (
        world.transactions,
        world.reimbursements,
        world.transfers,
        world.cashbacks,
    )
    with world.lock:
        rows: list[Row] = [
            row
            for table in tables
            for row in (table.all() if business is None else table.of(business))
        ]
    for begin in range(0, len(rows), _CHUNK):
        with world.lock:
            chunk = [_entry(row) for row in rows[begin : begin + _CHUNK] if _belongs(row)]
        yield from chunk


def _belongs(row: Row) -> bool:
    return row.sync_status is not SyncStatus.NOT_SYNC_READY or bool(row.commits)


def _entry(row: Row) -> dict[str, Any]:
    synced_by = _synced_by(row)
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
        "reference": row.reference_id,
        "reference_id": row.reference_id,
        "synced_at": row.synced_at and wire_time(row.synced_at),
        "synced_by": synced_by,
        "by_us": synced_by == "api",
        "export_error": row.export_error,
        "commits": [_commit(commit) for commit in row.commits],
    }


def _dated(row: Row) -> datetime:
    return row.accounting_date if isinstance(row, Coded) else row.created_at


def _synced_by(row: Row) -> str | None:
    if row.sync_status is not SyncStatus.SYNCED:
        return None
    return "export" if row.commits[-1].outcome == "export" else "api"


def _commit(commit: Commit) -> dict[str, Any]:
    return {
        "at": wire_time(commit.at),
        "outcome": commit.outcome,
        "sync_id": commit.sync_id,
        "idempotency_key": commit.idempotency_key,
        "reference_id": commit.reference_id,
        "message": commit.message,
    }
