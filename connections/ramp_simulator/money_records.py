"""Money that moves besides card purchases and bills: claims of people, and the card's own account.

A statement says what the card's account owed, was charged and was paid in a span of time.
"""

from dataclasses import dataclass, field
from datetime import date, datetime
from enum import StrEnum
from typing import ClassVar

from connections.ramp_simulator.records import Coded, Record, Synced


class Direction(StrEnum):
    BUSINESS_TO_USER = "BUSINESS_TO_USER"
    USER_TO_BUSINESS = "USER_TO_BUSINESS"


@dataclass(slots=True, kw_only=True)
class Reimbursement(Coded):
    """Someone paid for the business, or pays the business back. Amounts are positive both ways.

    `minor` is what is paid out; `original_minor` what was spent, where that was other money.
    """

    object_type: ClassVar[str] = "reimbursement"

    person_id: str
    direction: Direction
    kind: str
    state: str
    merchant_name: str
    transaction_date: date
    created_at: datetime
    submitted_at: datetime | None = None
    approved_at: datetime | None = None
    original_minor: int | None = None
    original_currency: str | None = None
    payment_id: str | None = None
    distance: float | None = None


@dataclass(slots=True, kw_only=True)
class Transfer(Synced):
    """A payment of the card's account out of the business's bank."""

    object_type: ClassVar[str] = "transfer"

    status: str
    created_at: datetime
    payment_id: str
    bank_account_id: str
    statement_id: str | None = None


@dataclass(slots=True, kw_only=True)
class Cashback(Synced):
    """What Ramp gives back on what was spent."""

    object_type: ClassVar[str] = "cashback"

    created_at: datetime
    statement_id: str | None = None


class LineKind(StrEnum):
    CARD_TRANSACTION = "CARD_TRANSACTION"
    CASHBACK = "CASHBACK"
    TRANSFER_PAYMENT = "TRANSFER_PAYMENT"


@dataclass(slots=True, kw_only=True)
class StatementLine:
    """`id` is that of the transaction, cashback or transfer."""

    id: str
    kind: LineKind
    created_at: datetime
    cleared_at: datetime | None = None


@dataclass(slots=True, kw_only=True)
class Section:
    """One entity's share in minor units, all counted up: ending is what is owed then."""

    id: str
    entity_id: str
    opening: int
    charges: int = 0
    credits: int = 0
    payments: int = 0

    @property
    def ending(self) -> int:
        return self.opening + self.charges - self.credits - self.payments


@dataclass(slots=True, kw_only=True)
class Statement(Record):
    """Of all entities, or of those whose sections it has. `end` is the first moment after it."""

    currency: str
    begin: datetime
    end: datetime
    sections: list[Section]
    preceding_id: str | None = None
    lines: list[StatementLine] = field(default_factory=list)
