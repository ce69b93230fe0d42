"""A bill as Ramp shows it."""

from typing import Any

from connections.ramp_simulator import files
from connections.ramp_simulator.amounts import currency_amount
from connections.ramp_simulator.bill_codings import coding_of, payee_of
from connections.ramp_simulator.bill_records import (
    CARD_METHODS,
    Bill,
    BillPayment,
    InventoryLine,
)
from connections.ramp_simulator.calls import Call
from connections.ramp_simulator.clock import wire_time
from connections.ramp_simulator.codings import book_of
from connections.ramp_simulator.payees import vendor_of_bill
from connections.ramp_simulator.records import Line
from connections.ramp_simulator.world import World

SUMMARIES = (
    "APPROVAL_PENDING",
    "APPROVAL_REJECTED",
    "ARCHIVED",
    "AWAITING_RELEASE",
    "BLOCKED",
    "HELD_BY_PROVIDER",
    "ON_HOLD",
    "PAYMENT_COMPLETED",
    "PAYMENT_DETAILS_MISSING",
    "PAYMENT_ERROR",
    "PAYMENT_NOT_INSTRUCTED",
    "PAYMENT_PROCESSING",
    "PAYMENT_READY",
    "PAYMENT_SCHEDULED",
    "PENDING_VENDOR_APPROVAL",
    "WAITING_FOR_TRANSACTION_MATCH",
    "WAITING_FOR_VENDOR",
)
_BY_APPROVAL = {
    "INITIALIZED": "APPROVAL_PENDING",
    "PENDING": "APPROVAL_PENDING",
    "REJECTED": "APPROVAL_REJECTED",
    "TERMINATED": "APPROVAL_REJECTED",
}


def summary(bill: Bill) -> str:
    """Where a bill is between its arrival and its payment, in one word."""
    if bill.archived_at:
        return "ARCHIVED"
    if bill.status == "PAID":
        return "PAYMENT_COMPLETED"
    if bill.payment_id:
        return "PAYMENT_PROCESSING"
    if bill.approval_status in _BY_APPROVAL:
        return _BY_APPROVAL[bill.approval_status]
    return "PAYMENT_SCHEDULED" if bill.planned_method else "PAYMENT_DETAILS_MISSING"


def payment_of(world: World, bill: Bill) -> BillPayment | None:
    return world.bill_payments.get(bill.payment_id) if bill.payment_id else None


def bill_json(world: World, call: Call, bill: Bill, *, with_trace: bool = False) -> dict[str, Any]:
    """`with_trace`: the bank's reference of a payment, which lists do not show."""
    coded = coding_of(world, bill)
    owner = world.people.get(bill.owner_id)
    assert owner is not None
    return {
        "id": bill.id,
        "entity_id": bill.entity_id,
        "amount": currency_amount(bill.minor, bill.currency),
        "fx_conversion_rate": bill.fx_rate,
        "status": bill.status,
        "approval_status": bill.approval_status,
        "status_summary": summary(bill),
        "sync_status": bill.sync_status,
        "enable_accounting_sync": bill.is_sync_enabled,
        "issued_at": wire_time(bill.issued_at),
        "due_at": wire_time(bill.due_at),
        "accounting_date": wire_time(bill.accounting_date or bill.issued_at),
        "created_at": wire_time(bill.created_at),
        "archived_at": bill.archived_at and wire_time(bill.archived_at),
        "vendor": vendor_of_bill(book_of(world, bill.business), payee_of(world, bill)),
        "vendor_contact_id": payee_of(world, bill).contact_id,
        "bill_owner": {
            "id": owner.id,
            "first_name": owner.first_name,
            "last_name": owner.last_name,
        },
        "invoice_urls": files.invoice_urls(world, call, bill),
        "line_items": [
            _line_json(line, selections)
            for line, selections in zip(bill.lines, coded.lines, strict=True)
        ],
        "inventory_line_items": [
            goods_json(goods, selections) | _ORDERED_NOTHING
            for goods, selections in zip(bill.inventory_lines, coded.inventory_lines, strict=True)
        ],
        "accounting_field_selections": coded.body,
        "applied_vendor_credits": [
            {"id": credit_id, "amount": currency_amount(minor, bill.currency)}
            for credit_id, minor in bill.credits.items()
        ],
        "item_receipt_ids": [],
        "draft_bill_id": None,
        "draft_bill_created_at": None,
        "payment": _payment_json(world, bill, with_trace=with_trace),
        **_only_if_set(bill),
    }


def expense_json(line: Line, selections: list[dict[str, Any]]) -> dict[str, Any]:
    """A line as bills and vendor credits both have it."""
    shown = {
        "amount": currency_amount(line.minor, line.currency),
        "accounting_field_selections": selections,
    }
    return shown | ({"memo": line.memo} if line.memo else {})


def goods_json(goods: InventoryLine, selections: list[dict[str, Any]]) -> dict[str, Any]:
    """The number of pieces under the name it had in 2025 and under the one it has since."""
    return expense_json(goods.line, selections) | {
        "quantity": goods.quantity,
        "unit_quantity": goods.quantity,
        "unit_price": currency_amount(goods.unit_minor, goods.line.currency),
    }


_ORDERED_NOTHING: dict[str, Any] = {
    "purchase_order_line_item_id": None,
    "item_receipt_line_item_ids": [],
}


def _line_json(line: Line, selections: list[dict[str, Any]]) -> dict[str, Any]:
    return expense_json(line, selections) | _ORDERED_NOTHING


def _only_if_set(bill: Bill) -> dict[str, Any]:
    """Keys that Ramp leaves out where there is nothing to say."""
    values = {
        "invoice_number": bill.invoice_number,
        "memo": bill.memo,
        "vendor_memo": bill.vendor_memo,
        "remote_id": bill.remote_id,
        "deep_link_url": bill.deep_link_url,
        "posting_date": bill.posting_date and wire_time(bill.posting_date),
        "paid_at": bill.paid_at and wire_time(bill.paid_at),
    }
    return {key: value for key, value in values.items() if value is not None}


def _payment_json(world: World, bill: Bill, *, with_trace: bool) -> dict[str, Any] | None:
    payment = payment_of(world, bill)
    if payment is None:
        return _planned_json(bill) if bill.planned_method else None
    trace = None
    if with_trace and payment.trace:
        trace = dict(zip(("descriptor", "trace_id"), payment.trace, strict=True))
    return {
        "id": payment.id,
        "customer_friendly_payment_id": payment.customer_friendly_id,
        "amount": currency_amount(payment.minor, payment.currency),
        "payment_method": payment.method,
        "payment_date": wire_time(payment.payment_date),
        "effective_date": wire_time(payment.effective_date),
        "trace_id": trace,
        "details": _details(payment),
    }


def _planned_json(bill: Bill) -> dict[str, Any]:
    """How it is going to be paid; there is no payment yet."""
    return {
        "id": None,
        "customer_friendly_payment_id": None,
        "amount": currency_amount(bill.minor - sum(bill.credits.values()), bill.currency),
        "payment_method": bill.planned_method,
        "payment_date": None,
        "effective_date": None,
        "trace_id": None,
        "details": {},
    }


def _details(payment: BillPayment) -> dict[str, Any]:
    if payment.method in CARD_METHODS:
        return {
            "spend_limit_id": payment.spend_limit_id,
            "transaction_ids": payment.transaction_ids,
        }
    if payment.method == "PAID_MANUALLY":
        return {"manual_payment_method": "OTHER"}
    return {
        "approval_status": "APPROVED",
        "is_same_day": False,
        "source_bank_account_id": payment.bank_account_id,
        "vendor_account_id": payment.payee_account_id,
    }
