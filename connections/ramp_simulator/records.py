"""What the pretend Ramp knows. Every record belongs to one business and has an id and a rank.

`seq` is the order of creation; it is what lists are paged by unless they say otherwise.
"""

from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from typing import ClassVar


class SyncStatus(StrEnum):
    NOT_SYNC_READY = "NOT_SYNC_READY"
    SYNC_READY = "SYNC_READY"
    SYNCED = "SYNCED"


class ConnectionType(StrEnum):
    API = "API"
    CSV = "CSV"
    DIRECT = "DIRECT"


@dataclass(slots=True, kw_only=True)
class Record:
    id: str
    seq: int
    business: str


@dataclass(slots=True, kw_only=True)
class Business(Record):
    key: str
    name: str
    currency: str
    country: str
    website: str
    phone: str
    client_id: str
    client_secret: str
    scopes: list[str]
    created_at: datetime


@dataclass(slots=True, kw_only=True)
class Entity(Record):
    name: str
    currency: str
    is_primary: bool
    created_at: datetime


@dataclass(slots=True, kw_only=True)
class Person(Record):
    """A card holder; in the scenarios each person has one card."""

    first_name: str
    last_name: str
    employee_id: str
    department_id: str
    department_name: str
    location_id: str
    location_name: str
    card_id: str
    entity_id: str


@dataclass(slots=True, kw_only=True)
class Token(Record):
    """An access token; its `id` is the token itself."""

    scopes: list[str]
    expires_at: datetime


@dataclass(slots=True, kw_only=True)
class Connection(Record):
    name: str
    connection_type: ConnectionType
    is_active: bool
    settings: dict[str, bool]
    created_at: datetime
    last_linked_at: datetime | None = None
    is_tombstone: bool = False
    is_revoked: bool = False
    is_ready_to_migrate: bool = False


@dataclass(slots=True, kw_only=True)
class Line:
    """A line of a transaction. What it is coded to is kept as codes, see `codings`.

    `tax_code` is the ERP's id of one.
    """

    minor: int
    currency: str
    converted_minor: int | None
    memo: str = ""
    account_code: str | None = None
    tax_code: str | None = None
    options: dict[str, str] = field(default_factory=dict)


@dataclass(slots=True, kw_only=True)
class Commit:
    """One thing the client told about an item, or someone's press on Export."""

    at: datetime
    outcome: str
    sync_id: str | None = None
    idempotency_key: str | None = None
    reference_id: str | None = None
    message: str | None = None


@dataclass(slots=True, kw_only=True)
class Synced(Record):
    """What a client books and reports back, and what it said of it so far."""

    object_type: ClassVar[str]

    entity_id: str
    minor: int
    currency: str
    sync_status: SyncStatus
    updated_at: datetime
    synced_at: datetime | None = None
    reference_id: str | None = None
    export_error: str | None = None
    sync_request_id: str | None = None
    commits: list[Commit] = field(default_factory=list)


@dataclass(slots=True, kw_only=True)
class Coded(Synced):
    """What people code. `vendor_name` finds the accounting vendor, unless a client chose one."""

    lines: list[Line]
    memo: str | None
    accounting_date: datetime
    vendor_name: str | None = None
    coded_vendor_id: str | None = None
    options: dict[str, str] = field(default_factory=dict)
    receipts: list[str] = field(default_factory=list)


@dataclass(slots=True, kw_only=True)
class Transaction(Coded):
    object_type: ClassVar[str] = "transaction"

    person_id: str
    state: str
    merchant_id: str
    merchant_name: str
    merchant_category_code: str
    sk_category_id: int
    sk_category_name: str
    user_transaction_time: datetime
    settlement_date: datetime | None = None
    original_minor: int | None = None
    original_currency: str | None = None
    original_transaction_id: str | None = None
    card_present: bool = False
    city: str | None = None
    country: str | None = None
    statement_id: str | None = None


@dataclass(slots=True, kw_only=True)
class UsedKey(Record):
    """An idempotency key that was used; `id` is business and key together."""

    sync_id: str
    body_digest: str


class RowOutcome(StrEnum):
    WAITING = "waiting"
    SUCCESS = "success"
    FAILURE = "failure"
    TIMED_OUT = "timed_out"


@dataclass(slots=True, kw_only=True)
class RequestedRow:
    """An object that was asked for, and what its client answered when."""

    object_id: str
    outcome: RowOutcome = RowOutcome.WAITING
    at: datetime | None = None
    reference_id: str | None = None
    message: str | None = None

    @property
    def result(self) -> str:
        """As the page shows it: `waiting`, `synced`, or `failed: ...`."""
        if self.outcome in {RowOutcome.FAILURE, RowOutcome.TIMED_OUT}:
            return f"failed: {self.message}"
        return "synced" if self.outcome is RowOutcome.SUCCESS else self.outcome.value


@dataclass(slots=True, kw_only=True)
class SyncRequest(Record):
    """Someone pressed the sync button; rows unanswered by `expires_at` become failed."""

    object_type: str
    pressed_at: datetime
    expires_at: datetime
    rows: list[RequestedRow]
    is_over: bool = False


@dataclass(slots=True, kw_only=True)
class Webhook(Record):
    endpoint_url: str
    event_types: list[str]
    additional_headers: dict[str, str]
    secret: str
    challenge: str
    status: str
    created_at: datetime
    updated_at: datetime


@dataclass(slots=True, kw_only=True)
class Delivery(Record):
    """A webhook still owed to someone."""

    webhook_id: str
    event_type: str
    event_id: str | None
    body: str
    due_at: datetime
    attempts: int = 0
    is_signed_wrong: bool = False


@dataclass(slots=True, kw_only=True)
class HeldDelivery(Delivery):
    """A webhook that waits, so that it comes after the one that follows it."""
