"""Card transactions: ready when a person marks them so in Ramp (R-51)."""

from collections.abc import Iterator
from datetime import datetime
from uuid import UUID

from connections.ramp.bodies import TransactionFilters
from connections.ramp.client import RampClient
from connections.ramp.pages import Page
from connections.ramp.schemas import Transaction
from syncing.kinds.base import Kind, Scope, Snapshot, Standing, day_of, digest, standing_of
from syncing.posting.transactions import posting_date


def _ready(ramp: RampClient, scope: Scope) -> Iterator[Page[Transaction]]:
    filters: TransactionFilters = {"sync_status": "SYNC_READY"}
    if scope.entity_id:
        filters["entity_id"] = scope.entity_id
    if scope.from_date:
        filters["from_date"] = scope.from_date
    if scope.to_date:
        filters["to_date"] = scope.to_date
    if scope.requested:
        filters["requested_to_sync"] = True
    return ramp.transactions(start=scope.start, page_size=scope.page_size, **filters)


def _synced_since(ramp: RampClient, since: datetime) -> Iterator[Page[Transaction]]:
    return ramp.transactions(sync_status="SYNCED", synced_after=since)


def _body(ramp: RampClient, ramp_id: UUID) -> bytes:
    return ramp.transaction_body(ramp_id)


def _standing(bought: Transaction) -> Standing:
    return standing_of(bought.sync_status)


def snapshot_of(bought: Transaction) -> Snapshot:
    """What lists and search need of a transaction, and the digest of what a document needs."""
    return Snapshot(
        ramp_id=bought.id,
        entity_ramp_id=bought.entity_id,
        label=bought.merchant_name or "Card transaction",
        memo=bought.memo,
        person=bought.card_holder.name if bought.card_holder else "",
        accounting_date=day_of(bought, posting_date),
        money=bought.money,
        content_hash=content_hash(bought),
        card_ramp_id=bought.card_id,
        changed_at=bought.updated_at,
    )


def content_hash(bought: Transaction) -> str:
    """Digest of all that a document is made from, and of nothing that reporting changes in Ramp.

    What needs a vendor first makes no document (R-37), so that too is a part of it.
    """
    needs_vendor = bought.requires_accounting_vendor_creation_to_sync
    return digest(
        bought,
        {
            *({"requires_accounting_vendor_creation_to_sync"} if needs_vendor else ()),
            "id",
            "amount",
            "currency_code",
            "entity_amount",
            "accounting_date",
            "user_transaction_time",
            "entity_id",
            "merchant_name",
            "memo",
            "line_items",
            "accounting_field_selections",
        },
    )


TRANSACTION = Kind(
    object_type="transaction",
    phase=0,
    sync_type="TRANSACTION_SYNC",
    model=Transaction,
    ready=_ready,
    synced_since=_synced_since,
    body=_body,
    standing=_standing,
    snapshot=snapshot_of,
)
