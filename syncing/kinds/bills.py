"""Bills, and their payments: two items of one object (R-53 to R-56).

`sync_ready=true` lists both what is due as a bill and what is due as a payment, so one list brings
the two. The list of payments alone is for whoever wants nothing else.
"""

from collections.abc import Iterator
from dataclasses import replace
from datetime import datetime, timedelta
from uuid import UUID

from connections.ramp.bodies import BillFilters
from connections.ramp.client import RampClient
from connections.ramp.pages import Page
from connections.ramp.spend import Bill
from rampbridge.lib.money import Money
from syncing.cannot_post import CreditsDoNotFit
from syncing.decisions import Action, decide, owed
from syncing.kinds.base import Kind, Scope, Snapshot, Standing, day_of, digest
from syncing.posting.bills import payment_date, posting_date

_MOMENT = timedelta(seconds=1)


def _ready(ramp: RampClient, scope: Scope) -> Iterator[Page[Bill]]:
    return _list(ramp, scope, {"sync_ready": True})


def _ready_payments(ramp: RampClient, scope: Scope) -> Iterator[Page[Bill]]:
    return _list(ramp, scope, {"sync_ready": True, "sync_status": "BILL_SYNCED"})


def _list(ramp: RampClient, scope: Scope, filters: BillFilters) -> Iterator[Page[Bill]]:
    if scope.entity_id:
        filters["entity_id"] = scope.entity_id
    if scope.from_date:
        filters["from_created_at"] = scope.from_date
    if scope.to_date:
        filters["to_created_at"] = scope.to_date
    return ramp.bills(start=scope.start, page_size=scope.page_size, **filters)


def _synced_since(ramp: RampClient, _since: datetime) -> Iterator[Page[Bill]]:
    """All that ever were: Ramp filters bills by no time of change (F-05)."""
    yield from ramp.bills(sync_status="BILL_SYNCED")
    yield from ramp.bills(sync_status="BILL_AND_PAYMENT_SYNCED")


def _synced_payments_since(ramp: RampClient, _since: datetime) -> Iterator[Page[Bill]]:
    return ramp.bills(sync_status="BILL_AND_PAYMENT_SYNCED")


def _body(ramp: RampClient, ramp_id: UUID) -> bytes:
    return ramp.bill_body(ramp_id)


def _is_listed(ramp: RampClient, bill: Bill) -> bool:
    """No bill says of itself whether it is ready, so the list is asked for this one (R-56)."""
    filters: BillFilters = {"sync_ready": True}
    if bill.created_at:
        filters["from_created_at"] = bill.created_at - _MOMENT
        filters["to_created_at"] = bill.created_at + _MOMENT
    if bill.vendor.id:
        filters["vendor_id"] = bill.vendor.id
    return any(one.id == bill.id for page in ramp.bills(**filters) for one in page.items)


def _standing(bill: Bill) -> Standing:
    match decide(bill).bill:
        case Action.POST:
            return Standing.READY
        case Action.NOTHING if bill.sync_status != "NOT_SYNCED":
            return Standing.SYNCED
        case Action.HOLD:
            return Standing.UNKNOWN
        case _:
            return Standing.NOT_READY


def _payment_standing(bill: Bill) -> Standing:
    """What is held for how it was paid is ready: its mapper holds it, and says why."""
    due = decide(bill)
    match due.payment:
        case Action.POST | Action.CONFIRM:
            return Standing.READY
        case Action.NOTHING if bill.sync_status == "BILL_AND_PAYMENT_SYNCED":
            return Standing.SYNCED
        case Action.HOLD:
            return Standing.UNKNOWN if due.bill is Action.HOLD else Standing.READY
        case _:
            return Standing.NOT_READY


def _standing_by_word(status: str) -> Standing:
    match status:
        case "" | "NOT_SYNCED":
            return Standing.READY
        case "BILL_SYNCED" | "BILL_AND_PAYMENT_SYNCED":
            return Standing.SYNCED
        case _:
            return Standing.UNKNOWN


def _payment_standing_by_word(status: str) -> Standing:
    match status:
        case "" | "NOT_SYNCED":
            return Standing.NOT_READY  # there may be no payment yet, and its bill is seen anyway
        case "BILL_SYNCED":
            return Standing.READY
        case "BILL_AND_PAYMENT_SYNCED":
            return Standing.SYNCED
        case _:
            return Standing.UNKNOWN


def _unknown_words(bill: Bill) -> str:
    return decide(bill).reason


def _snapshot(bill: Bill) -> Snapshot:
    return Snapshot(
        ramp_id=bill.id,
        entity_ramp_id=bill.entity_id,
        label=bill.vendor.name or "Bill",
        memo=_memo(bill),
        person="",
        accounting_date=day_of(bill, posting_date),
        money=bill.money,
        content_hash=digest(bill, _MADE_FROM),
        invoice_number=bill.invoice_number,
        payable_on=bill.due_at.date() if bill.due_at else None,
        changed_at=bill.created_at,
    )


def _payment_snapshot(bill: Bill) -> Snapshot:
    return replace(
        _snapshot(bill),
        accounting_date=day_of(bill, payment_date),
        money=_owed(bill),
        content_hash=digest(bill, _PAYMENT_MADE_FROM),
        changed_at=bill.paid_at or bill.created_at,
    )


def _owed(bill: Bill) -> Money:
    try:
        return owed(bill)
    except CreditsDoNotFit:
        return bill.money  # it is held by its mapper, which says so


def _memo(bill: Bill) -> str:
    """What people search for: the invoice's number first."""
    return ", ".join(part for part in (bill.invoice_number, bill.memo) if part)


_MADE_FROM = {
    "id",
    "amount",
    "fx_conversion_rate",
    "accounting_date",
    "posting_date",
    "issued_at",
    "due_at",
    "entity_id",
    "invoice_number",
    "vendor",
    "memo",
    "vendor_memo",
    "line_items",
    "inventory_line_items",
    "accounting_field_selections",
}
_PAYMENT_MADE_FROM = {
    "id": True,
    "amount": True,
    "fx_conversion_rate": True,
    "status": True,
    "paid_at": True,
    "entity_id": True,
    "invoice_number": True,
    "vendor": True,
    "applied_vendor_credits": True,
    "payment": {  # without the trace id, which lists do not have
        "id",
        "customer_friendly_payment_id",
        "amount",
        "payment_method",
        "payment_date",
        "effective_date",
        "details",
    },
}

BILL = Kind(
    object_type="bill",
    phase=0,
    sync_type="BILL_SYNC",
    model=Bill,
    ready=_ready,
    synced_since=_synced_since,
    body=_body,
    standing=_standing,
    snapshot=_snapshot,
    standing_by_word=_standing_by_word,
    unknown_words=_unknown_words,
    is_listed=_is_listed,
)

BILL_PAYMENT = Kind(
    object_type="bill_payment",
    phase=1,
    sync_type="BILL_PAYMENT_SYNC",
    model=Bill,
    ready=_ready_payments,
    synced_since=_synced_payments_since,
    body=_body,
    standing=_payment_standing,
    snapshot=_payment_snapshot,
    standing_by_word=_payment_standing_by_word,
    unknown_words=_unknown_words,
    is_listed=_is_listed,
)
