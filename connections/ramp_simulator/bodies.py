"""Bodies that clients send. Under `/accounting/` an unknown key refuses the whole body."""

from decimal import Decimal
from typing import Annotated, Literal
from uuid import UUID

from pydantic import BaseModel, ConfigDict, Field, StrictBool

Classification = Literal[
    "ANY", "ASSET", "CREDCARD", "EQUITY", "EXPENSE", "LIABILITY", "REVENUE", "UNKNOWN"
]
RequiredFor = Literal[
    "BILL",
    "BILL_PAYMENT",
    "INVOICE",
    "PURCHASE_ORDER",
    "REIMBURSEMENT",
    "SPEND_PROGRAM",
    "TRANSACTION",
    "TRANSFER_LEDGER_ENTRY_MAPPING",
    "VENDOR_CREDIT",
]
SyncType = Literal[
    "ACCRUAL_SYNC",
    "BANKING_TRANSACTION_SYNC",
    "BILL_PAYMENT_SYNC",
    "BILL_SYNC",
    "BROKERAGE_ORDER_SYNC",
    "PAYEE_SYNC",
    "REIMBURSEMENT_SYNC",
    "STATEMENT_CREDIT_SYNC",
    "TRACKING_CATEGORY_OPTION_SYNC",
    "TRANSACTION_SYNC",
    "TRANSFER_SYNC",
    "WALLET_TRANSFER_SYNC",
]
Text = Annotated[str, Field(min_length=1)]
Rate = Annotated[Decimal, Field(ge=0, allow_inf_nan=False)]
"""A fraction, as text or as a number."""


class Strict(BaseModel):
    model_config = ConfigDict(extra="forbid")


class OfConnection(Strict):
    accounting_connection_id: UUID | None = None


class ConnectionSettings(Strict):
    entity_selection_enabled: StrictBool = False
    reimbursement_sync_button_enabled: StrictBool = False
    transaction_accounting_vendor_creation_on_sync_enabled: StrictBool = False
    transaction_sync_button_enabled: StrictBool = False
    vendor_credits_enabled: StrictBool = False


class ConnectionCreate(Strict):
    remote_provider_name: Text
    settings: ConnectionSettings = ConnectionSettings()
    is_active: StrictBool = True
    reactivate: StrictBool = False


class ConnectionPatch(Strict):
    settings: ConnectionSettings = ConnectionSettings()


class AccountUpload(Strict):
    id: Text
    name: Text
    classification: Classification
    code: str | None = None


class AccountsUpload(OfConnection):
    gl_accounts: list[AccountUpload] = Field(min_length=1, max_length=500)


class VendorUpload(Strict):
    id: Text
    name: Text
    code: str | None = None


class VendorsUpload(OfConnection):
    vendors: list[VendorUpload] = Field(min_length=1, max_length=500)


class FieldCreate(OfConnection):
    id: Text
    name: Text
    input_type: Literal["BOOLEAN", "FREE_FORM_TEXT", "SINGLE_CHOICE"]
    display_name: str | None = None
    is_splittable: StrictBool = False
    is_required_for: list[RequiredFor] = []


class OptionUpload(Strict):
    id: Text
    value: Text
    code: str | None = None
    display_name: str | None = None


class OptionsUpload(OfConnection):
    field_id: UUID
    options: list[OptionUpload] = Field(min_length=1, max_length=500)


class TaxRateUpload(Strict):
    """Connections of the API must name a GL account, by Ramp's id."""

    id: Text
    name: Text
    rate: Rate
    accounting_gl_account_id: UUID


class TaxRatesUpload(OfConnection):
    tax_rates: list[TaxRateUpload] = Field(min_length=1, max_length=500)


class TaxRatePatch(OfConnection):
    name: Text | None = None
    rate: Rate | None = None
    accounting_gl_account_id: UUID | None = None


class OnlyFieldCreate(OfConnection):
    """The tax code field, or the inventory item: there is one at most."""

    name: Text
    display_name: str | None = None


class OnlyFieldPatch(OfConnection):
    name: Text | None = None
    display_name: str | None = None


class TaxCodeUpload(Strict):
    id: Text
    name: Text
    tax_rate_ids: list[str] = []


class TaxCodesUpload(OfConnection):
    options: list[TaxCodeUpload] = Field(min_length=1, max_length=500)


class TaxCodePatch(OfConnection):
    name: Text | None = None
    tax_rate_ids: list[str] | None = None


class ItemUpload(Strict):
    id: Text
    name: Text
    gl_account_id: UUID | None = None


class ItemsUpload(OfConnection):
    options: list[ItemUpload] = Field(min_length=1, max_length=500)


class ItemPatch(OfConnection):
    name: Text | None = None
    reactivate: Literal[True] | None = None


class RowPatch(OfConnection):
    """A change to an account or a vendor. An empty code takes the code away."""

    name: Text | None = None
    code: str | None = None
    reactivate: Literal[True] | None = None


class FieldPatch(OfConnection):
    name: Text | None = None
    display_name: str | None = None
    is_splittable: StrictBool | None = None


class OptionPatch(Strict):
    value: Text | None = None
    code: str | None = None
    display_name: str | None = None
    visibility: Literal["HIDDEN", "VISIBLE"] | None = None
    reactivate: Literal[True] | None = None


class PayeePatch(BaseModel):
    """A change to one of Ramp's own vendors. At most one of the two ids."""

    accounting_vendor_remote_id: Text | None = None
    vendor_tracking_category_option_id: UUID | None = None
    is_active: StrictBool | None = None


class SuccessfulSync(Strict):
    id: UUID
    reference_id: Text
    deep_link_url: str | None = None


class SyncError(Strict):
    message: Text


class FailedSync(Strict):
    id: UUID
    error: SyncError


class SyncCreate(Strict):
    idempotency_key: Text
    sync_type: SyncType
    successful_syncs: list[SuccessfulSync] = Field(default=[], min_length=1, max_length=5000)
    failed_syncs: list[FailedSync] = Field(default=[], min_length=1, max_length=5000)
    sync_request_id: UUID | None = None


class ReadyToSync(Strict):
    object_type: Literal["REIMBURSEMENT", "TRANSACTION"]
    object_ids: list[UUID] = Field(min_length=1, max_length=500)


class CodingSelection(Strict):
    """By Ramp's ids; of the last two keys one must be there."""

    field_id: UUID
    field_option_id: UUID | None = None
    free_form_text: str | None = None


class CodingCreate(Strict):
    """Sources disagree about the name of the list, so both are taken (C12)."""

    object_type: Literal["TRANSACTION"]
    object_id: UUID
    accounting_field_selections: list[CodingSelection] = []
    accounting_coding_selections: list[CodingSelection] = []


class WebhookCreate(BaseModel):
    endpoint_url: Text
    event_types: list[str] = Field(min_length=1)
    additional_headers: dict[str, str] = Field(default={}, max_length=5)


class WebhookVerify(BaseModel):
    challenge: str


class MockEvent(BaseModel):
    event_type: str
    object_id: UUID
    object_metadata: dict[str, object]
