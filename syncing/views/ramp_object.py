"""What Ramp's own object says, read apart from the columns that we copied out of it."""

import uuid
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from typing import Any

from connections.ramp.errors import SchemaSurprise
from connections.ramp.schemas import Coded, LineItem, Selection, Transaction
from connections.ramp.spend import Bill, Reimbursement, Transfer, VendorCredit
from rampbridge.lib.money import Money
from syncing.kinds import KINDS
from syncing.models import SyncItem
from syncing.queries.related import Links

_FIELD_NAMES = {
    "GL_ACCOUNT": "GL account",
    "MERCHANT": "Vendor",
    "TAX_CODE": "Tax code",
    "COST_CENTER": "Cost centre",
}
_ABBREVIATIONS = {"ACH", "RTP", "SWIFT"}
_DIRECTIONS = {
    "BUSINESS_TO_USER": "To the employee",
    "USER_TO_BUSINESS": "From the employee",
}


@dataclass(frozen=True, slots=True)
class CodedLine:
    """One line as people coded it in Ramp."""

    memo: str
    money: Money | None
    codings: Sequence[tuple[str, str]]


@dataclass(frozen=True, slots=True)
class Fact:
    """One thing that Ramp says of an object beside its amount. What is unknown is no fact."""

    label: str
    value: str | date | Money

    @property
    def kind(self) -> str:
        """How the template writes it."""
        match self.value:
            case Money():
                return "money"
            case date():
                return "date"
            case _:
                return "text"


@dataclass(frozen=True, slots=True)
class RampObject:
    """The amount and the coding of an object; neither if we cannot read it."""

    amount: Money | None = None
    sync_status: str = ""
    status: str = ""
    """Where the object itself stands, as far as it matters for what is booked."""
    lines: Sequence[CodedLine] = ()
    facts: Sequence[Fact] = ()
    links: Links = field(default_factory=Links)


def read(object_type: str, body: Mapping[str, Any]) -> RampObject:
    """Read the stored object. What does not fit the contract is not known, never guessed."""
    sync_status = str(body.get("sync_status") or "")
    kind = KINDS.get(object_type)
    if kind is None:
        return RampObject(sync_status=sync_status)
    try:
        one = kind.model.read(body)
    except SchemaSurprise:
        return RampObject(sync_status=sync_status)
    is_payment = object_type == SyncItem.ObjectType.BILL_PAYMENT
    return RampObject(
        amount=kind.snapshot(one).money,
        sync_status=sync_status,
        status=_status(one),
        lines=() if is_payment else list(_lines(one)),
        facts=[fact for fact in (_payment_facts(one) if is_payment else _facts(one)) if fact.value],
        links=_links(one),
    )


def spoken(word: str) -> str:
    """A constant of Ramp's as people read it: `Paid manually`."""
    if word in _ABBREVIATIONS:
        return word
    return word.replace("_", " ").strip().capitalize()


def _status(one: Any) -> str:
    match one:
        case Bill():
            return spoken(one.status_summary or one.status)
        case Transfer():
            return spoken(one.status)
        case Reimbursement():
            return spoken(one.state)
        case _:
            return ""


def _lines(one: Any) -> Iterator[CodedLine]:
    match one:
        case Bill() | VendorCredit():
            lines = one.lines
        case Transaction() | Reimbursement():
            lines = one.line_items
        case _:
            return
    for line in lines:
        yield _line(one, line)


def _line(one: Coded, line: LineItem) -> CodedLine:
    chosen = [selection for selection in one.codings(line) if selection.is_for_erp]
    return CodedLine(line.memo, line.money, [_coding(selection) for selection in chosen])


def _coding(selection: Selection) -> tuple[str, str]:
    info = selection.category_info
    field = _FIELD_NAMES.get(selection.type) or (info.name if info else "") or "Field"
    code = selection.external_code or selection.external_id
    return field, f"{code} {selection.name}".strip()


def _facts(one: Any) -> Iterator[Fact]:
    match one:
        case Transaction():
            yield from _original(one.original_transaction_amount, one.money)
        case Reimbursement():
            yield Fact("Direction", _DIRECTIONS.get(one.direction, spoken(one.direction)))
            yield Fact("Kind", spoken(one.type))
            yield Fact("Distance", f"{one.distance.normalize():f} miles" if one.distance else "")
            yield from _original(one.original_reimbursement_amount, one.money)
        case Bill():
            yield Fact("Invoice number", one.invoice_number)
            yield Fact("Issued", one.issued_at.date() if one.issued_at else "")
            yield Fact("Due", one.due_at.date() if one.due_at else "")
            yield from _set_off(one)
        case Transfer():
            yield Fact("Payment", one.payment_id)
        case VendorCredit():
            yield Fact("Reference", one.reference_number)
            applied, left = one.total_applied_amount, one.remaining_amount
            yield Fact("Set off so far", applied.money if applied else "")
            yield Fact("Remaining", left.money if left else "")
        case _:
            return


def _payment_facts(bill: Any) -> Iterator[Fact]:
    yield Fact("Invoice number", bill.invoice_number)
    yield from _set_off(bill)
    payment = bill.payment
    if payment is None:
        return
    yield Fact("Method", spoken(payment.payment_method))
    paid_on = payment.effective_date or payment.payment_date
    yield Fact("Paid on", paid_on.date() if paid_on else "")
    yield Fact("Payment", payment.customer_friendly_payment_id)
    yield Fact("On the bank statement", payment.trace_id.trace_id if payment.trace_id else "")
    if payment.amount and payment.amount.money != KINDS["bill_payment"].snapshot(bill).money:
        yield Fact("Paid together with others", payment.amount.money)


def _original(stated: Any, settled: Money) -> Iterator[Fact]:
    if stated and stated.money.currency != settled.currency:
        yield Fact("Spent in", stated.money)


def _set_off(bill: Bill) -> Iterator[Fact]:
    for applied in bill.applied_vendor_credits:
        yield Fact("Vendor credit set off", applied.amount.money)


def _links(one: Any) -> Links:
    match one:
        case Bill():
            details = one.payment.details if one.payment else None
            return Links(
                card_transactions=list(_ids(details.transaction_ids if details else ())),
                credits=list(_ids([applied.id for applied in one.applied_vendor_credits])),
            )
        case VendorCredit():
            bills = [applied.bill_id for applied in one.applied_bills]
            return Links(bills=[*_ids(bills), *filter(None, [one.reference_bill_id])])
        case _:
            return Links()


def _ids(texts: Sequence[str]) -> Iterator[uuid.UUID]:
    """Those that are ids; a word in between says nothing of the others."""
    for text in texts:
        try:
            yield uuid.UUID(text)
        except ValueError:
            continue
