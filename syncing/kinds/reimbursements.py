"""Reimbursements of both directions: ready when a person marks them so in Ramp (R-51)."""

from collections.abc import Iterator
from dataclasses import replace
from datetime import datetime
from uuid import UUID

from connections.ramp.bodies import ReimbursementFilters
from connections.ramp.client import RampClient
from connections.ramp.pages import Page
from connections.ramp.spend import Reimbursement
from syncing.kinds.base import Kind, Scope, Snapshot, Standing, day_of, digest, standing_of
from syncing.posting.reimbursements import posting_date

_TO_USER, _TO_BUSINESS = "BUSINESS_TO_USER", "USER_TO_BUSINESS"
_SECOND = f"{_TO_BUSINESS}:"
"""In front of a cursor of the second list."""


def _ready(ramp: RampClient, scope: Scope) -> Iterator[Page[Reimbursement]]:
    filters: ReimbursementFilters = {"sync_status": "SYNC_READY"}
    if scope.entity_id:
        filters["entity_id"] = scope.entity_id
    if scope.from_date:
        filters["from_date"] = scope.from_date
    if scope.to_date:
        filters["to_date"] = scope.to_date
    if scope.requested:
        filters["requested_to_sync"] = True
    return _both_directions(ramp, filters, scope.start or "", scope.page_size)


def _both_directions(
    ramp: RampClient, filters: ReimbursementFilters, start: str, page_size: int
) -> Iterator[Page[Reimbursement]]:
    """Ramp hides what employees pay back unless asked for it, so one list follows the other.

    Their cursors are told apart by a prefix, so that the two can be read in turns like one.
    """
    to_user: ReimbursementFilters = {**filters, "direction": _TO_USER}
    to_business: ReimbursementFilters = {**filters, "direction": _TO_BUSINESS}
    second = start.removeprefix(_SECOND) if start.startswith(_SECOND) else None
    if second is None:
        for page in ramp.reimbursements(start=start or None, page_size=page_size, **to_user):
            yield replace(page, next_cursor=page.next_cursor or _SECOND)
    for page in ramp.reimbursements(start=second or None, page_size=page_size, **to_business):
        yield replace(page, next_cursor=page.next_cursor and _SECOND + page.next_cursor)


def _synced_since(ramp: RampClient, since: datetime) -> Iterator[Page[Reimbursement]]:
    for direction in (_TO_USER, _TO_BUSINESS):
        yield from ramp.reimbursements(
            sync_status="SYNCED", synced_after=since, direction=direction
        )


def _body(ramp: RampClient, ramp_id: UUID) -> bytes:
    return ramp.reimbursement_body(ramp_id)


def _standing(spent: Reimbursement) -> Standing:
    return standing_of(spent.sync_status)


def _snapshot(spent: Reimbursement) -> Snapshot:
    return Snapshot(
        ramp_id=spent.id,
        entity_ramp_id=spent.entity_id,
        label=spent.merchant or spent.user_full_name or "Reimbursement",
        memo=spent.memo,
        person=spent.user_full_name,
        accounting_date=day_of(spent, posting_date),
        money=spent.money,
        content_hash=digest(spent, _MADE_FROM),
        changed_at=spent.updated_at,
    )


_MADE_FROM = {
    "id",
    "amount",
    "currency",
    "payee_amount",
    "original_reimbursement_amount",
    "direction",
    "type",
    "accounting_date",
    "transaction_date",
    "user_full_name",
    "merchant",
    "memo",
    "entity_id",
    "line_items",
    "accounting_field_selections",
}

REIMBURSEMENT = Kind(
    object_type="reimbursement",
    phase=0,
    sync_type="REIMBURSEMENT_SYNC",
    model=Reimbursement,
    ready=_ready,
    synced_since=_synced_since,
    body=_body,
    standing=_standing,
    snapshot=_snapshot,
)
