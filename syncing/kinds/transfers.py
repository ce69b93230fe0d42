"""Payments of the card balance, and cashback on it: ready by themselves (R-52)."""

from collections.abc import Iterator
from datetime import datetime
from uuid import UUID

from connections.ramp.bodies import CashbackFilters, TransferFilters
from connections.ramp.client import RampClient
from connections.ramp.pages import Page
from connections.ramp.spend import Cashback, Transfer
from syncing.decisions import Action, transfer_action
from syncing.kinds.base import Kind, Scope, Snapshot, Standing, day_of, digest, standing_of
from syncing.posting.transfers import posting_date


def _ready_transfers(ramp: RampClient, scope: Scope) -> Iterator[Page[Transfer]]:
    filters: TransferFilters = {"sync_status": "SYNC_READY"}
    if scope.entity_id:
        filters["entity_id"] = scope.entity_id
    if scope.from_date:
        filters["from_date"] = scope.from_date
    if scope.to_date:
        filters["to_date"] = scope.to_date
    return ramp.transfers(start=scope.start, page_size=scope.page_size, **filters)


def _ready_cashbacks(ramp: RampClient, scope: Scope) -> Iterator[Page[Cashback]]:
    filters: CashbackFilters = {"sync_status": "SYNC_READY"}
    if scope.entity_id:
        filters["entity_id"] = scope.entity_id
    if scope.from_date:
        filters["from_date"] = scope.from_date
    if scope.to_date:
        filters["to_date"] = scope.to_date
    return ramp.cashbacks(start=scope.start, page_size=scope.page_size, **filters)


def _synced_transfers(ramp: RampClient, _since: datetime) -> Iterator[Page[Transfer]]:
    """All that ever were: Ramp filters them by no time of syncing."""
    return ramp.transfers(sync_status="SYNCED")


def _synced_cashbacks(ramp: RampClient, _since: datetime) -> Iterator[Page[Cashback]]:
    """As with transfers."""
    return ramp.cashbacks(sync_status="SYNCED")


def _transfer_body(ramp: RampClient, ramp_id: UUID) -> bytes:
    return ramp.transfer_body(ramp_id)


def _cashback_body(ramp: RampClient, ramp_id: UUID) -> bytes:
    return ramp.cashback_body(ramp_id)


def _transfer_standing(transfer: Transfer) -> Standing:
    """Ramp may list one as ready that is still under way: it comes once it is completed."""
    standing = standing_of(transfer.sync_status)
    if standing is Standing.READY and transfer_action(transfer)[0] is Action.WAIT:
        return Standing.NOT_READY
    return standing


def _cashback_standing(cashback: Cashback) -> Standing:
    return standing_of(cashback.sync_status)


def _transfer_snapshot(transfer: Transfer) -> Snapshot:
    return _snapshot(transfer, "Payment to Ramp", _MADE_FROM | {"status", "bank_account_id"})


def _cashback_snapshot(cashback: Cashback) -> Snapshot:
    return _snapshot(cashback, "Cashback", _MADE_FROM)


def _snapshot(credit: Transfer | Cashback, label: str, made_from: set[str]) -> Snapshot:
    return Snapshot(
        ramp_id=credit.id,
        entity_ramp_id=credit.entity_id,
        label=label,
        memo="",
        person="",
        accounting_date=day_of(credit, posting_date),
        money=credit.money,
        content_hash=digest(credit, made_from),
    )


_MADE_FROM = {"id", "amount", "entity_id", "created_at"}

TRANSFER = Kind(
    object_type="transfer",
    phase=0,
    sync_type="TRANSFER_SYNC",
    model=Transfer,
    ready=_ready_transfers,
    synced_since=_synced_transfers,
    body=_transfer_body,
    standing=_transfer_standing,
    snapshot=_transfer_snapshot,
)

CASHBACK = Kind(
    object_type="cashback",
    phase=0,
    sync_type="STATEMENT_CREDIT_SYNC",
    model=Cashback,
    ready=_ready_cashbacks,
    synced_since=_synced_cashbacks,
    body=_cashback_body,
    standing=_cashback_standing,
    snapshot=_cashback_snapshot,
)
