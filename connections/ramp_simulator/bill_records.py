"""Bills and what belongs to them: vendors to be paid, payments, vendor credits, receipts."""

from dataclasses import dataclass, field
from datetime import date, datetime
from enum import StrEnum

from connections.ramp_simulator.records import Commit, Line, Record


class BillSyncStatus(StrEnum):
    NOT_SYNCED = "NOT_SYNCED"
    BILL_SYNCED = "BILL_SYNCED"
    BILL_AND_PAYMENT_SYNCED = "BILL_AND_PAYMENT_SYNCED"


CARD_METHODS = frozenset(
    {"AUTOMATIC_CARD_PAYMENT", "CARD", "ONE_TIME_CARD", "ONE_TIME_CARD_DELIVERY"}
)


@dataclass(slots=True, kw_only=True)
class Payee(Record):
    """A bill-pay vendor of Ramp's, which is neither a merchant nor an accounting vendor.

    `linked_to` is the accounting vendor people chose for it, by the ERP's id or by its name.
    `has_remote_id` False hides the ERP's id from bills, which then only carry its code and name.
    `paid_before` is what it got in the last year besides the bills kept here, in minor units.
    """

    name: str
    country: str
    state: str | None
    owner_id: str
    contact_id: str
    created_at: datetime
    linked_to: str | None = None
    has_remote_id: bool = True
    is_active: bool = True
    email: str | None = None
    merchant_id: str | None = None
    paid_before: int = 0


@dataclass(slots=True, kw_only=True)
class InventoryLine:
    """Goods by the piece; coded like any other line."""

    quantity: int
    unit_minor: int
    line: Line


@dataclass(slots=True, kw_only=True)
class Phase:
    """What was said of a bill, or of its payment, so far."""

    synced_at: datetime | None = None
    reference_id: str | None = None
    export_error: str | None = None
    commits: list[Commit] = field(default_factory=list)


@dataclass(slots=True, kw_only=True)
class Bill(Record):
    """A vendor's invoice of `minor` in its own currency; `fx_rate` leads to the payer's.

    `planned_method` is how it is to be paid, until there is a payment. Credits are minor units
    by vendor credit.
    """

    entity_id: str
    payee_id: str
    owner_id: str
    minor: int
    currency: str
    fx_rate: str
    approval_status: str
    created_at: datetime
    issued_at: datetime
    due_at: datetime
    lines: list[Line]
    status: str = "OPEN"
    sync_status: BillSyncStatus = BillSyncStatus.NOT_SYNCED
    is_sync_enabled: bool = True
    invoice_number: str | None = None
    accounting_date: datetime | None = None
    posting_date: datetime | None = None
    paid_at: datetime | None = None
    archived_at: datetime | None = None
    memo: str | None = None
    vendor_memo: str | None = None
    inventory_lines: list[InventoryLine] = field(default_factory=list)
    options: dict[str, str] = field(default_factory=dict)
    invoices: int = 1
    planned_method: str | None = None
    payment_id: str | None = None
    credits: dict[str, int] = field(default_factory=dict)
    remote_id: str | None = None
    deep_link_url: str | None = None
    booking: Phase = field(default_factory=Phase)
    settling: Phase = field(default_factory=Phase)


@dataclass(slots=True, kw_only=True)
class BillPayment(Record):
    """One movement of money for one bill or for several; `minor` is all of it."""

    customer_friendly_id: str
    method: str
    minor: int
    currency: str
    payment_date: datetime
    effective_date: datetime
    trace: tuple[str, str] | None = None
    transaction_ids: list[str] = field(default_factory=list)
    spend_limit_id: str | None = None
    bank_account_id: str | None = None
    payee_account_id: str | None = None


@dataclass(slots=True, kw_only=True)
class VendorCredit(Record):
    """What a vendor owes the business. `applied` is minor units by bill."""

    payee_id: str
    entity_id: str
    minor: int
    currency: str
    accounting_date: date
    created_at: datetime
    lines: list[Line]
    reference_number: str | None = None
    reference_bill_id: str | None = None
    inventory_lines: list[InventoryLine] = field(default_factory=list)
    options: dict[str, str] = field(default_factory=dict)
    applied: dict[str, int] = field(default_factory=dict)

    @property
    def applied_minor(self) -> int:
        return sum(self.applied.values())


@dataclass(slots=True, kw_only=True)
class Receipt(Record):
    """A picture of a receipt. It may come long after the purchase."""

    person_id: str
    created_at: datetime
    transaction_id: str | None = None
