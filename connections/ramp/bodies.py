"""What we send to Ramp. Ramp refuses a whole batch for one key that it does not know."""

from collections.abc import Sequence
from datetime import date, datetime
from typing import Literal, NotRequired, TypedDict
from uuid import UUID


class GLAccountUpload(TypedDict):
    id: str
    """The ERP's id."""
    name: str
    classification: str
    code: NotRequired[str]


class VendorUpload(TypedDict):
    id: str
    name: str
    code: NotRequired[str]


class FieldOptionUpload(TypedDict):
    id: str
    value: str
    code: NotRequired[str]
    display_name: NotRequired[str]


class FieldUpload(TypedDict):
    id: str
    name: str
    input_type: str
    display_name: NotRequired[str]
    is_splittable: NotRequired[bool]
    is_required_for: NotRequired[Sequence[str]]


class RecordChanges(TypedDict, total=False):
    """For GL accounts and vendors."""

    name: str
    code: str
    reactivate: Literal[True]


class FieldChanges(TypedDict, total=False):
    name: str
    display_name: str
    is_splittable: bool


class FieldOptionChanges(TypedDict, total=False):
    value: str
    code: str
    display_name: str
    visibility: Literal["HIDDEN", "VISIBLE"]
    reactivate: Literal[True]


class TaxRateUpload(TypedDict):
    id: str
    name: str
    rate: str
    """A fraction: "0.05" is 5 %."""
    accounting_gl_account_id: str
    """Ramp's id of the GL account, not the ERP's."""


class TaxRateChanges(TypedDict, total=False):
    name: str
    rate: str
    accounting_gl_account_id: str


class TaxFieldChanges(TypedDict, total=False):
    name: str
    display_name: str


class TaxCodeUpload(TypedDict):
    id: str
    name: str
    tax_rate_ids: NotRequired[Sequence[str]]
    """The ERP's ids of its rates."""


class TaxCodeChanges(TypedDict, total=False):
    name: str
    tax_rate_ids: Sequence[str]


class InventoryFieldChanges(TypedDict, total=False):
    name: str
    display_name: str


class InventoryOptionUpload(TypedDict):
    id: str
    name: str
    gl_account_id: NotRequired[str]
    """Ramp's id of the GL account, not the ERP's."""


class InventoryOptionChanges(TypedDict, total=False):
    name: str
    reactivate: Literal[True]


class ChartFilters(TypedDict, total=False):
    """Without `is_active`, records come whether active or not."""

    remote_id: str
    is_active: bool
    code: str
    start: str
    """Ramp's id of a record: only those that follow it."""


class FieldFilters(TypedDict, total=False):
    remote_id: str
    is_active: bool


class TransactionFilters(TypedDict, total=False):
    """Ramp ignores filters it does not know and then sends everything: look again at what came."""

    sync_status: str
    requested_to_sync: bool
    synced_after: datetime
    has_no_sync_commits: bool
    state: str
    entity_id: UUID
    from_date: datetime
    to_date: datetime
    merchant_id: UUID
    statement_id: UUID
    order_by_date_asc: bool
    order_by_date_desc: bool


class ReimbursementFilters(TypedDict, total=False):
    """Without `direction`, Ramp hides what employees pay back (USER_TO_BUSINESS)."""

    direction: str
    state: str
    sync_status: str
    sync_ready: bool
    requested_to_sync: bool
    has_no_sync_commits: bool
    synced_after: datetime
    updated_after: datetime
    entity_id: UUID
    user_id: UUID
    from_date: datetime
    to_date: datetime
    from_transaction_date: datetime
    to_transaction_date: datetime
    from_submitted_at: datetime
    to_submitted_at: datetime
    has_been_approved: bool
    trip_id: UUID


class BillFilters(TypedDict, total=False):
    """`sync_ready` is a filter only: no bill says of itself whether it is ready (R-56)."""

    sync_ready: bool
    sync_status: str
    payment_status: str
    status_summaries: str
    """Several, with commas between them."""
    approval_status: str
    payment_method: str
    entity_id: UUID
    vendor_id: UUID
    invoice_number: str
    remote_id: str
    payment_id: str
    customer_friendly_payment_id: str
    draft_bill_id: UUID
    is_accounting_sync_enabled: bool
    payment_details_missing: bool
    is_archived: bool
    """Without it, archived bills are hidden."""
    from_created_at: datetime
    to_created_at: datetime
    from_due_date: datetime
    to_due_date: datetime
    from_issued_date: datetime
    to_issued_date: datetime
    from_paid_at: datetime
    to_paid_at: datetime
    from_payment_date: date
    to_payment_date: date


class TransferFilters(TypedDict, total=False):
    sync_status: str
    status: str
    entity_id: UUID
    statement_id: UUID
    has_no_sync_commits: bool
    from_date: datetime
    to_date: datetime


class CashbackFilters(TypedDict, total=False):
    sync_status: str
    sync_ready: bool
    entity_id: UUID
    statement_id: UUID
    from_date: datetime
    to_date: datetime


class VendorCreditFilters(TypedDict, total=False):
    """Without `include_fully_used`, credits that are used up are hidden."""

    entity_id: UUID
    from_created_at: datetime
    to_created_at: datetime
    from_accounting_date: date
    to_accounting_date: date
    include_fully_used: bool


class StatementFilters(TypedDict, total=False):
    from_date: datetime
    to_date: datetime


class RampVendorFilters(TypedDict, total=False):
    """`name` finds parts of names. Without `is_active`, vendors come whether active or not."""

    name: str
    is_active: bool
    from_created_at: datetime
    vendor_owner_id: UUID


class CodingSelection(TypedDict):
    """One coding to write: Ramp's ids (`ramp_id`) of the field and the option, not the ERP's."""

    field_id: str
    field_option_id: NotRequired[str]
    free_form_text: NotRequired[str]


class ConnectionSettings(TypedDict, total=False):
    """Switches of an API connection. Those not named stay as they are."""

    entity_selection_enabled: bool
    transaction_sync_button_enabled: bool
    reimbursement_sync_button_enabled: bool
    transaction_accounting_vendor_creation_on_sync_enabled: bool
    vendor_credits_enabled: bool
