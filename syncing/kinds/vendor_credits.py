"""Vendor credits: Ramp keeps no sync state of them, so what is new is what we have not yet."""

from collections.abc import Iterator
from datetime import datetime, timedelta
from uuid import UUID

from connections.ramp.bodies import VendorCreditFilters
from connections.ramp.client import RampClient
from connections.ramp.pages import Page
from connections.ramp.spend import VendorCredit
from syncing.kinds.base import Kind, Scope, Snapshot, Standing, day_of, digest
from syncing.posting.vendor_credits import posting_date

OVERLAP = timedelta(days=7)
"""A credit changed within this time after its creation is seen to have changed by the next poll;
later changes are the daily reconciliation's to find."""


def _ready(ramp: RampClient, scope: Scope) -> Iterator[Page[VendorCredit]]:
    filters: VendorCreditFilters = {"include_fully_used": True}
    if scope.entity_id:
        filters["entity_id"] = scope.entity_id
    if scope.from_date:
        filters["from_created_at"] = scope.from_date
    if scope.to_date:
        filters["to_created_at"] = scope.to_date
    return ramp.vendor_credits(start=scope.start, page_size=scope.page_size, **filters)


def _synced_since(_ramp: RampClient, _since: datetime) -> Iterator[Page[VendorCredit]]:
    """Nobody can mark a vendor credit as synced."""
    return iter(())


def _body(ramp: RampClient, ramp_id: UUID) -> bytes:
    return ramp.vendor_credit_body(ramp_id)


def _standing(_credit: VendorCredit) -> Standing:
    return Standing.READY


def _standing_by_word(_status: str) -> Standing:
    return Standing.READY


def _snapshot(credit: VendorCredit) -> Snapshot:
    return Snapshot(
        ramp_id=credit.id,
        entity_ramp_id=credit.entity_id,
        label=f"Vendor credit {credit.reference_number}".rstrip(),
        memo=credit.reference_number,
        person="",
        accounting_date=day_of(credit, posting_date),
        money=credit.money,
        content_hash=digest(credit, _MADE_FROM),
        invoice_number=credit.reference_number,
    )


_MADE_FROM = {
    "id",
    "vendor_id",
    "entity_id",
    "accounting_date",
    "reference_number",
    "total_amount",
    "expense_line_items",
    "inventory_line_items",
    "accounting_field_selections",
}

VENDOR_CREDIT = Kind(
    object_type="vendor_credit",
    phase=0,
    sync_type="",
    model=VendorCredit,
    ready=_ready,
    synced_since=_synced_since,
    body=_body,
    standing=_standing,
    snapshot=_snapshot,
    standing_by_word=_standing_by_word,
    overlap=OVERLAP,
)
