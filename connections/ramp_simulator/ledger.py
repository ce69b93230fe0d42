"""What Ramp was told of every item, for comparing all three sides."""

from collections.abc import Iterator
from typing import Any

from connections.ramp_simulator.amounts import factor
from connections.ramp_simulator.clock import wire_time
from connections.ramp_simulator.records import Commit, SyncStatus, Transaction
from connections.ramp_simulator.world import World

_CHUNK = 500


def entries(world: World, business: str | None = None) -> Iterator[dict[str, Any]]:
    """Every transaction that is or was ready: its state, and each thing that was said of it.

    Takes the lock for a few hundred rows at a time, so that calls get through in between.
    """
    with world.lock:
        tables = world.transactions
        rows = list(tables.all() if business is None else tables.of(business))
    for begin in range(0, len(rows), _CHUNK):
        with world.lock:
            chunk = [_entry(row) for row in rows[begin : begin + _CHUNK] if _belongs(row)]
        yield from chunk


def _belongs(row: Transaction) -> bool:
    return row.sync_status is not SyncStatus.NOT_SYNC_READY or bool(row.commits)


def _entry(row: Transaction) -> dict[str, Any]:
    return {
        "business": row.business,
        "id": row.id,
        "entity_id": row.entity_id,
        "sync_status": row.sync_status,
        "amount": row.minor,
        "currency": row.currency,
        "minor_unit_conversion_rate": factor(row.currency),
        "accounting_date": wire_time(row.accounting_date),
        "reference_id": row.reference_id,
        "synced_at": row.synced_at and wire_time(row.synced_at),
        "synced_by": _synced_by(row),
        "export_error": row.export_error,
        "commits": [_commit(commit) for commit in row.commits],
    }


def _synced_by(row: Transaction) -> str | None:
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
