"""What we send to Ramp. Ramp refuses a whole batch for one key that it does not know."""

from collections.abc import Sequence
from datetime import datetime
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


class ChartFilters(TypedDict, total=False):
    """Without `is_active`, records come whether active or not."""

    remote_id: str
    is_active: bool
    code: str


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


class ConnectionSettings(TypedDict, total=False):
    """Switches of an API connection. Those not named stay as they are."""

    entity_selection_enabled: bool
    transaction_sync_button_enabled: bool
    reimbursement_sync_button_enabled: bool
    transaction_accounting_vendor_creation_on_sync_enabled: bool
    vendor_credits_enabled: bool
