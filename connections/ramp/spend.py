"""What is synced beside card transactions: the parts of Ramp's answers that we read.

Amounts are checked while an object is read, so `money` cannot fail later.
"""

from collections.abc import Sequence
from datetime import date
from typing import Annotated, Self
from uuid import UUID

from pydantic import BeforeValidator, model_validator

from connections.ramp.schemas import (
    Coded,
    CurrencyAmount,
    Ids,
    LineItem,
    MajorUnits,
    Moment,
    Receipts,
    Schema,
    Text,
    empty_for_null,
)
from rampbridge.lib.money import Money

_DAY_LENGTH = len("2026-11-21")


def _day(value: object) -> object:
    """A day stays the day that was written, should Ramp add a time to it."""
    return value[:_DAY_LENGTH] if isinstance(value, str) else value


Day = Annotated[date, BeforeValidator(_day)]
Lines = Annotated[tuple[LineItem, ...], BeforeValidator(empty_for_null)]


class Reimbursement(Coded):
    """What an employee is paid back, or pays back (`direction`)."""

    id: UUID
    amount: MajorUnits | None = None
    """What the payer pays, in `currency`."""
    currency: Text = ""
    payee_amount: CurrencyAmount | None = None
    original_reimbursement_amount: CurrencyAmount | None = None
    direction: Text = ""
    type: Text = ""
    state: Text = ""
    sync_status: Text = ""
    synced_at: Moment | None = None
    accounting_date: Moment | None = None
    transaction_date: Day | None = None
    created_at: Moment | None = None
    updated_at: Moment | None = None
    user_id: UUID | None = None
    user_full_name: Text = ""
    user_email: Text = ""
    employee_id: Text = ""
    merchant: Text = ""
    merchant_id: UUID | None = None
    memo: Text = ""
    distance: MajorUnits | None = None
    """In miles, of a MILEAGE reimbursement."""
    start_location: Text = ""
    end_location: Text = ""
    entity_id: UUID | None = None
    payment_id: Text = ""
    receipts: Receipts = ()
    line_items: Lines = ()

    @property
    def money(self) -> Money:
        """What the business pays; of a USER_TO_BUSINESS one, what the business gets."""
        if self.direction == "USER_TO_BUSINESS" and self.payee_amount:
            return self.payee_amount.money
        if self.amount is None:
            raise ValueError("there is no amount")
        return Money.from_decimal(self.amount, self.currency)

    @model_validator(mode="after")
    def _is_money(self) -> Self:
        _ = self.money
        return self


class BillVendor(Schema):
    """Whom a bill is from. `remote_id` and `remote_code` are the ERP's, where they are linked."""

    id: UUID | None = None
    name: Text = ""
    remote_id: Text = ""
    remote_code: Text = ""
    remote_name: Text = ""


class TraceId(Schema):
    """A cheque number, a wire reference: what the bank statement says. Not in lists."""

    descriptor: Text = ""
    trace_id: Text = ""


class PaymentDetails(Schema):
    """One of card, bank and manual; which, says the payment's method."""

    transaction_ids: Ids = ()
    source_bank_account_id: Text = ""
    manual_payment_method: Text = ""


class BillPayment(Schema):
    """How a bill was paid. Bills paid together share `id` and `amount`, the total of them all."""

    id: Text = ""
    customer_friendly_payment_id: Text = ""
    amount: CurrencyAmount | None = None
    payment_method: Text = ""
    payment_date: Moment | None = None
    effective_date: Moment | None = None
    trace_id: TraceId | None = None
    details: PaymentDetails | None = None


class AppliedCredit(Schema):
    """The part of a vendor credit that was set off against one bill."""

    id: Text = ""
    amount: CurrencyAmount


class Bill(Coded):
    """A vendor's invoice, with its payment once there is one."""

    id: UUID
    entity_id: UUID | None = None
    amount: CurrencyAmount
    fx_conversion_rate: MajorUnits | None = None
    """From the invoice's currency to the payer's."""
    status: Text = ""
    approval_status: Text = ""
    status_summary: Text = ""
    sync_status: Text = ""
    enable_accounting_sync: bool | None = None
    remote_id: Text = ""
    invoice_number: Text = ""
    issued_at: Moment | None = None
    due_at: Moment | None = None
    accounting_date: Moment | None = None
    posting_date: Moment | None = None
    paid_at: Moment | None = None
    created_at: Moment | None = None
    archived_at: Moment | None = None
    vendor: Annotated[BillVendor, BeforeValidator(lambda value: value or {})] = BillVendor()
    memo: Text = ""
    vendor_memo: Text = ""
    invoice_urls: Ids = ()
    """Pre-signed: they open for whoever holds them, for a while."""
    line_items: Lines = ()
    inventory_line_items: Lines = ()
    applied_vendor_credits: Annotated[
        tuple[AppliedCredit, ...], BeforeValidator(empty_for_null)
    ] = ()
    payment: BillPayment | None = None

    @property
    def money(self) -> Money:
        """What the vendor asks for, in the invoice's currency."""
        return self.amount.money

    @property
    def lines(self) -> Sequence[LineItem]:
        """Expense lines and inventory lines; together they make up the bill."""
        return (*self.line_items, *self.inventory_line_items)


class Transfer(Schema):
    """A payment of the card balance to Ramp."""

    id: UUID
    amount: CurrencyAmount
    entity_id: UUID | None = None
    status: Text = ""
    sync_status: Text = ""
    bank_account_id: Text = ""
    payment_id: Text = ""
    created_at: Moment | None = None

    @property
    def money(self) -> Money:
        return self.amount.money


class Cashback(Schema):
    """What Ramp credits to the card balance."""

    id: UUID
    amount: CurrencyAmount
    entity_id: UUID | None = None
    sync_status: Text = ""
    created_at: Moment | None = None

    @property
    def money(self) -> Money:
        return self.amount.money


class AppliedBill(Schema):
    """A bill that a part of a vendor credit was set off against."""

    bill_id: Text = ""
    amount: CurrencyAmount


AppliedBills = Annotated[tuple[AppliedBill, ...], BeforeValidator(empty_for_null)]


class VendorCredit(Coded):
    """What a vendor owes back. It has no sync state in Ramp."""

    id: UUID
    vendor_id: UUID | None = None
    entity_id: UUID | None = None
    accounting_date: Day | None = None
    created_at: Moment | None = None
    reference_number: Text = ""
    reference_bill_id: UUID | None = None
    total_amount: CurrencyAmount
    total_applied_amount: CurrencyAmount | None = None
    remaining_amount: CurrencyAmount | None = None
    applied_bills: AppliedBills = ()
    applied_draft_bills: AppliedBills = ()
    expense_line_items: Lines = ()
    inventory_line_items: Lines = ()

    @property
    def money(self) -> Money:
        return self.total_amount.money

    @property
    def lines(self) -> Sequence[LineItem]:
        """Expense lines and inventory lines; together they make up the credit."""
        return (*self.expense_line_items, *self.inventory_line_items)


class BalanceSection(Schema):
    """A statement's sums of one entity in one currency."""

    id: Text = ""
    entity_id: UUID | None = None
    opening_balance: CurrencyAmount
    charges: CurrencyAmount
    credits: CurrencyAmount
    payments: CurrencyAmount
    ending_balance: CurrencyAmount


class StatementLine(Schema):
    """One object on a statement: `type` is CARD_TRANSACTION, CASHBACK or TRANSFER_PAYMENT."""

    id: UUID | None = None
    type: Text = ""
    created_at: Moment | None = None
    cleared_at: Moment | None = None


class Card(Schema):
    """A payment card. Its number is Ramp's secret; its end is printed on receipts."""

    id: UUID
    last_four: Text = ""


class Statement(Schema):
    """A card statement. The list has those of other entities too: look at the sections."""

    id: UUID
    start_date: Moment
    end_date: Moment
    balance_sections: Annotated[tuple[BalanceSection, ...], BeforeValidator(empty_for_null)] = ()
    statement_lines: Annotated[tuple[StatementLine, ...], BeforeValidator(empty_for_null)] = ()
    preceding_statement_id: UUID | None = None


class Receipt(Schema):
    """A receipt's picture, behind an address that opens for an hour."""

    id: UUID
    receipt_url: Text = ""
    transaction_id: UUID | None = None
    user_id: UUID | None = None
    created_at: Moment | None = None
