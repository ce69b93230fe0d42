"""Objects as Ramp writes them: reimbursements, bills, transfers, cashbacks, vendor credits."""

import uuid
from typing import Any

from rampbridge.lib.money import MINOR_UNITS

ENTITY = uuid.UUID("00000000-0000-4000-8000-0000000000e1")
Body = dict[str, Any]


def amount(minor: int, currency: str = "USD") -> Body:
    """A `CurrencyAmount`."""
    return {
        "amount": minor,
        "currency_code": currency,
        "minor_unit_conversion_rate": 10 ** MINOR_UNITS[currency],
    }


def selection(kind: str, option: str, *, field: str = "", name: str = "") -> Body:
    """One coding. Its type stands with the field, as bills have it."""
    return {
        "id": str(uuid.uuid4()),
        "external_id": option,
        "external_code": None,
        "name": name or option,
        "provider_name": "rampbridge",
        "category_info": {
            "id": str(uuid.uuid4()),
            "external_id": field or kind.title(),
            "name": field or kind.title(),
            "type": kind,
        },
    }


def account(option: str) -> Body:
    return selection("GL_ACCOUNT", option, field="Category")


def vendor(option: str) -> Body:
    return selection("MERCHANT", option, field="Merchant")


def line(minor: int | None, currency: str = "USD", *codings: Body, memo: str = "") -> Body:
    """A line of a bill, a reimbursement or a vendor credit."""
    return {
        "amount": None if minor is None else amount(minor, currency),
        "memo": memo,
        "accounting_field_selections": list(codings),
    }


def reimbursement(minor: int = 9000, currency: str = "USD", **changes: Any) -> Body:
    """What an employee spent, paid back, coded to 6300. The header is a number in major units."""
    body = {
        "id": str(uuid.uuid4()),
        "amount": minor / 10 ** MINOR_UNITS[currency],
        "currency": currency,
        "original_reimbursement_amount": amount(minor, currency),
        "payee_amount": None,
        "direction": "BUSINESS_TO_USER",
        "type": "OUT_OF_POCKET",
        "state": "REIMBURSED",
        "sync_status": "SYNC_READY",
        "synced_at": None,
        "accounting_date": None,
        "transaction_date": "2026-11-05",
        "created_at": "2026-11-06T08:00:00+00:00",
        "submitted_at": "2026-11-06T08:00:00+00:00",
        "user_id": str(uuid.uuid4()),
        "user_full_name": "Ada Byron",
        "merchant": "Blue Bottle",
        "merchant_id": None,
        "memo": "team breakfast",
        "distance": None,
        "entity_id": str(ENTITY),
        "payment_id": None,
        "receipts": [],
        "line_items": [line(minor, currency, account("6300"))],
        "accounting_field_selections": [],
    }
    return body | changes


def bill(minor: int = 11000, currency: str = "USD", **changes: Any) -> Body:
    """An invoice of one line, coded to 6200 and the vendor `acme`, not paid yet."""
    body_id = str(uuid.uuid4())
    body = {
        "id": body_id,
        "entity_id": str(ENTITY),
        "amount": amount(minor, currency),
        "fx_conversion_rate": "1",
        "status": "OPEN",
        "approval_status": "APPROVED",
        "status_summary": "PAYMENT_READY",
        "sync_status": "NOT_SYNCED",
        "enable_accounting_sync": True,
        "invoice_number": f"INV-{body_id[:8]}",
        "issued_at": "2026-11-03T00:00:00+00:00",
        "due_at": "2026-12-03T00:00:00+00:00",
        "accounting_date": "2026-11-05T00:00:00+00:00",
        "created_at": "2026-11-04T09:00:00+00:00",
        "archived_at": None,
        "vendor": {"id": str(uuid.uuid4()), "name": "Acme Hosting", "type": "BUSINESS"},
        "memo": "November",
        "invoice_urls": [],
        "line_items": [line(minor, currency, account("6200"))],
        "inventory_line_items": [],
        "accounting_field_selections": [vendor("acme")],
        "applied_vendor_credits": [],
        "payment": None,
    }
    return body | changes


def payment(
    minor: int, currency: str = "USD", method: str = "ACH", *, manual: str = "", **changes: Any
) -> Body:
    """How a bill was paid; bills paid together share the whole of it."""
    body = {
        "id": str(uuid.uuid4()),
        "customer_friendly_payment_id": "A6PMDVX628",
        "amount": amount(minor, currency),
        "payment_method": method,
        "payment_date": "2026-11-09T00:00:00+00:00",
        "effective_date": "2026-11-10T00:00:00+00:00",
        "trace_id": None,
        "details": {"manual_payment_method": manual} if manual else None,
    }
    return body | changes


def paid(body: Body, by: Body | None = None, **changes: Any) -> Body:
    """The bill, paid: by ACH and in full unless it says otherwise."""
    whole = body["amount"]
    by = by or payment(whole["amount"], whole["currency_code"])
    paid_at = "2026-11-12T10:00:00+00:00"
    return body | {"status": "PAID", "paid_at": paid_at, "payment": by} | changes


def transfer(minor: int = 500000, currency: str = "USD", **changes: Any) -> Body:
    """A completed payment of the card balance."""
    body = {
        "id": str(uuid.uuid4()),
        "amount": amount(minor, currency),
        "entity_id": str(ENTITY),
        "status": "COMPLETED",
        "sync_status": "SYNC_READY",
        "bank_account_id": str(uuid.uuid4()),
        "payment_id": "P-1001",
        "created_at": "2026-11-05T06:00:00+00:00",
    }
    return body | changes


def cashback(minor: int = 1234, currency: str = "USD", **changes: Any) -> Body:
    body = {
        "id": str(uuid.uuid4()),
        "amount": amount(minor, currency),
        "entity_id": str(ENTITY),
        "sync_status": "SYNC_READY",
        "created_at": "2026-11-05T06:00:00+00:00",
    }
    return body | changes


def vendor_credit(minor: int = 3000, currency: str = "USD", **changes: Any) -> Body:
    """A credit of one line, coded to 6200 and the vendor `acme`, not used yet."""
    body_id = str(uuid.uuid4())
    body = {
        "id": body_id,
        "vendor_id": str(uuid.uuid4()),
        "entity_id": str(ENTITY),
        "accounting_date": "2026-11-05",
        "created_at": "2026-11-05T06:00:00+00:00",
        "reference_number": f"CM-{body_id[:8]}",
        "reference_bill_id": None,
        "total_amount": amount(minor, currency),
        "total_applied_amount": amount(0, currency),
        "remaining_amount": amount(minor, currency),
        "applied_bills": [],
        "applied_draft_bills": [],
        "expense_line_items": [line(minor, currency, account("6200"))],
        "inventory_line_items": [],
        "accounting_field_selections": [vendor("acme")],
    }
    return body | changes
