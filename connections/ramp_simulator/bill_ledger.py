"""What Ramp was told of bills and of their payments, a row for each, named by the bill's id."""

from collections.abc import Iterator
from datetime import datetime
from typing import Any

from connections.ramp_simulator.amounts import factor
from connections.ramp_simulator.bill_records import Bill, Phase
from connections.ramp_simulator.bill_states import bill_status, payment_status
from connections.ramp_simulator.clock import wire_time
from connections.ramp_simulator.records import Commit, SyncStatus
from connections.ramp_simulator.world import World


def bill_entries(world: World, bill: Bill) -> Iterator[dict[str, Any]]:
    """None of a bill that never was ready. A payment's amount is this bill's part of it."""
    payable = bill.minor - sum(bill.credits.values())
    paid_at = bill.paid_at or bill.issued_at
    phases: tuple[tuple[str, SyncStatus, Phase, int, datetime], ...] = (
        (
            "bill",
            bill_status(world, bill),
            bill.booking,
            bill.minor,
            bill.accounting_date or bill.issued_at,
        ),
        ("bill_payment", payment_status(bill), bill.settling, payable, paid_at),
    )
    for object_type, status, phase, minor, dated in phases:
        if status is not SyncStatus.NOT_SYNC_READY or phase.commits:
            yield {
                "business": bill.business,
                "object_type": object_type,
                "id": bill.id,
                "entity_id": bill.entity_id,
                "sync_status": status,
                "amount": minor,
                "currency": bill.currency,
                "minor_unit_conversion_rate": factor(bill.currency),
                "accounting_date": wire_time(dated),
                **told_json(status, phase.synced_at, phase.reference_id, phase.commits),
                "export_error": phase.export_error,
            }


def told_json(
    status: SyncStatus, synced_at: datetime | None, reference: str | None, commits: list[Commit]
) -> dict[str, Any]:
    """Who reported what of an object, and when."""
    synced_by = None
    if status is SyncStatus.SYNCED:
        outcome = commits[-1].outcome
        synced_by = outcome if outcome in {"export", "provider"} else "api"
    return {
        "reference": reference,
        "reference_id": reference,
        "synced_at": synced_at and wire_time(synced_at),
        "synced_by": synced_by,
        "by_us": synced_by == "api",
        "commits": [_commit_json(commit) for commit in commits],
    }


def _commit_json(commit: Commit) -> dict[str, Any]:
    return {
        "at": wire_time(commit.at),
        "outcome": commit.outcome,
        "sync_id": commit.sync_id,
        "idempotency_key": commit.idempotency_key,
        "reference_id": commit.reference_id,
        "message": commit.message,
    }
