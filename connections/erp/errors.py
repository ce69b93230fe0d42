"""The one error of every ERP adapter, and the words it is made of.

ErpError(code, title, fix, outcome, ...)
  code      which of 23 things happened, in any ERP; the ERP's own code travels in `erp_code`
  category  who acts: follows from the code by one table
  outcome   what the ERP holds now: nothing, or nobody knows
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum

from connections.erp.records import MasterKind


class Category(StrEnum):
    """Who gets a document moving again."""

    USER = "user"
    """The customer's accountant."""
    TRANSIENT = "transient"
    """Time: send it again unchanged."""
    INTEGRATOR = "integrator"
    """Us: code, mapping or contract is wrong."""


class Code(StrEnum):
    """What happened, in one vocabulary for all ERPs."""

    PERIOD_CLOSED = "period_closed"
    ACCOUNT_INACTIVE = "account_inactive"
    DIMENSION_INACTIVE = "dimension_inactive"
    DIMENSION_REQUIRED = "dimension_required"
    VENDOR_MISSING = "vendor_missing"
    VENDOR_INACTIVE = "vendor_inactive"
    TAX_CODE_INVALID = "tax_code_invalid"
    DUPLICATE_NUMBER = "duplicate_number"
    """Another document carries this supplier's invoice number."""
    EXCHANGE_RATE_MISSING = "exchange_rate_missing"
    """The ERP knows no rate for the document's currency on its date."""
    BILL_NOT_POSTED = "bill_not_posted"
    """A payment came before its bill."""
    OVERPAYMENT = "overpayment"
    APPROVAL_NEEDED = "approval_needed"
    SUBSCRIPTION_LAPSED = "subscription_lapsed"
    AUTH_EXPIRED = "auth_expired"
    """The customer must connect again."""
    FORBIDDEN = "forbidden"
    """The integration's user lacks a permission."""
    RATE_LIMITED = "rate_limited"
    ERP_UNAVAILABLE = "erp_unavailable"
    TIMEOUT = "timeout"
    CONFLICT = "conflict"
    """Somebody changed the record meanwhile: read again, send again."""
    UNBALANCED = "unbalanced"
    REJECTED_PAYLOAD = "rejected_payload"
    """Something we should have prevented."""
    REF_REUSED = "ref_reused"
    """Our reference stands in the ERP with other content."""
    UNKNOWN = "unknown"


CATEGORY: Mapping[Code, Category] = {
    Code.PERIOD_CLOSED: Category.USER,
    Code.ACCOUNT_INACTIVE: Category.USER,
    Code.DIMENSION_INACTIVE: Category.USER,
    Code.DIMENSION_REQUIRED: Category.USER,
    Code.VENDOR_MISSING: Category.USER,
    Code.VENDOR_INACTIVE: Category.USER,
    Code.TAX_CODE_INVALID: Category.USER,
    Code.DUPLICATE_NUMBER: Category.USER,
    Code.EXCHANGE_RATE_MISSING: Category.USER,
    Code.OVERPAYMENT: Category.USER,
    Code.APPROVAL_NEEDED: Category.USER,
    Code.SUBSCRIPTION_LAPSED: Category.USER,
    Code.AUTH_EXPIRED: Category.USER,
    Code.FORBIDDEN: Category.USER,
    Code.RATE_LIMITED: Category.TRANSIENT,
    Code.ERP_UNAVAILABLE: Category.TRANSIENT,
    Code.TIMEOUT: Category.TRANSIENT,
    Code.CONFLICT: Category.TRANSIENT,
    Code.BILL_NOT_POSTED: Category.TRANSIENT,
    Code.UNBALANCED: Category.INTEGRATOR,
    Code.REJECTED_PAYLOAD: Category.INTEGRATOR,
    Code.REF_REUSED: Category.INTEGRATOR,
    Code.UNKNOWN: Category.INTEGRATOR,
}


class Outcome(StrEnum):
    """What a failed call may have left behind."""

    NOT_POSTED = "not_posted"
    """The ERP certainly holds nothing of it in its ledger: correct and send again."""
    UNKNOWN = "unknown"
    """It may be booked: `find` before any other `post`, unless the ERP enforces our reference."""


@dataclass(eq=False)
class ErpError(Exception):
    """A call to an ERP that failed. Adapters raise nothing else.

    `title` and `fix` are fit to show to the customer's accountant; they name the ERP's own record.
    """

    code: Code
    title: str
    """What happened: "The period March 2026 is closed in Tryton." """
    fix: str
    """What to do: "Reopen it, or change the date in Ramp, then retry." """
    outcome: Outcome = Outcome.NOT_POSTED
    erp_code: str = ""
    """The ERP's code or error class: "6210", "PeriodNotFoundError"."""
    erp_message: str = ""
    """As the ERP said it."""
    reference: str = ""
    """The ERP's trace id, for its support desk."""
    retry_after: float | None = None
    """Seconds, where the ERP asked for them."""
    subject: tuple[MasterKind, str] | None = None
    """The record to blame (kind, ERP id), so that a page can name and link it."""
    category: Category = field(init=False)

    def __post_init__(self) -> None:
        self.category = CATEGORY[self.code]
        Exception.__init__(self, self.title)

    def __str__(self) -> str:
        said = " ".join(part for part in (self.erp_code, self.erp_message) if part)
        return f"{self.code}: {self.title}" + (f" [{said}]" if said else "")
