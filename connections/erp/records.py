"""What we read from any ERP and what we ask any ERP to book. Pure data: no HTTP, no database.

Amounts are `Decimal` in the document's currency, in whole units (12.34, not 1234), with as many
decimals as the currency has. Ids are the ERP's own, always as text. Durations are seconds.
"""

from __future__ import annotations

import base64
import hashlib
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime
from decimal import Decimal
from enum import StrEnum
from typing import Any, Self


class MasterKind(StrEnum):
    """Reference data that an ERP can list."""

    ACCOUNT = "account"
    VENDOR = "vendor"
    DIMENSION = "dimension"
    DIMENSION_VALUE = "dimension_value"
    TAX_CODE = "tax_code"
    ENTITY = "entity"
    """Companies or subsidiaries that this connection can post into."""


class DocKind(StrEnum):
    """Documents that an ERP can book."""

    JOURNAL = "journal"
    BILL = "bill"
    BILL_PAYMENT = "bill_payment"
    VENDOR_CREDIT = "vendor_credit"


@dataclass(frozen=True, slots=True)
class Ref:
    """Our name for one document: the same for the same Ramp object, everywhere and for ever."""

    tenant: str
    kind: DocKind
    ramp_id: str

    @property
    def full(self) -> str:
        return f"ramp-{self.tenant}-{self.kind}-{self.ramp_id}"

    def short(self, limit: int) -> str:
        """The reference for an ERP field of `limit` characters: `full` if it fits, else a digest.

        16 characters (SAP's XBLNR, the tightest field we know) leave 75 bits of digest.
        """
        if len(self.full) <= limit:
            return self.full
        digest = base64.b32encode(hashlib.sha256(self.full.encode()).digest()).decode().rstrip("=")
        return ("R" + digest)[:limit]

    def to_json(self) -> dict[str, str]:
        return {"tenant": self.tenant, "kind": self.kind.value, "ramp_id": self.ramp_id}

    @classmethod
    def from_json(cls, data: Mapping[str, str]) -> Self:
        return cls(tenant=data["tenant"], kind=DocKind(data["kind"]), ramp_id=data["ramp_id"])


@dataclass(frozen=True, slots=True)
class Master:
    """One record of the ERP's reference data."""

    kind: MasterKind
    id: str
    """The ERP's own id; goes to Ramp as the external id."""
    name: str
    code: str = ""
    active: bool = True
    parent: str = ""
    """The dimension of a value, the account above a sub-account, or the tax that this one is a part
    of: then people choose the whole."""
    classification: str = ""
    """Accounts only: ASSET, LIABILITY, EQUITY, REVENUE or EXPENSE."""
    postable: bool = True
    """False for headings and group accounts, which must not reach Ramp."""
    currency: str = ""
    updated_at: datetime | None = None
    extra: Mapping[str, str] = field(default_factory=dict, repr=False)
    """What only some kinds have; a key is missing where the ERP does not say.

    VENDOR: "email", "country" (ISO 3166, two letters), "merged_into" (the id of the vendor that
    took its place), and in full, so never to be kept or logged, "tax_id" and "bank".
    TAX_CODE: "rate" (a fraction: 0.05 is 5 %) and "account" (the id of what it is booked on) of a
    simple percentage, "parts" (ids, separated by commas) of one that is several at once. One with
    neither a rate nor parts is of a sort that Ramp has no place for.
    """


@dataclass(frozen=True, slots=True)
class Page:
    """A part of the answer to `ErpAdapter.changes`."""

    items: Sequence[Master]
    cursor: str
    """Opaque. Store it only after the page has been applied."""
    complete: bool
    """True on the last page."""
    snapshot: bool
    """True for a full list, in which absence means deletion; False for a delta."""


@dataclass(frozen=True, slots=True)
class Vendor:
    """A vendor as Ramp knows it, to be found or created in the ERP."""

    ref: str
    """Ramp's vendor id."""
    name: str
    email: str = ""
    tax_id: str = ""
    currency: str = ""


@dataclass(frozen=True, slots=True)
class Evidence:
    """A file that belongs to a document: a receipt, an invoice."""

    source: str
    """Names the file for ever: of one document, no two files share it."""
    name: str
    """As people know it, with its ending: "receipt.pdf"."""
    media_type: str
    content: bytes = field(repr=False)


@dataclass(frozen=True, slots=True)
class Line:
    """One line of a document."""

    account: str
    """BILL_PAYMENT: may be empty, for what the bill is owed on stands in the ERP."""
    amount: Decimal
    """JOURNAL: debit positive, credit negative. All other kinds: positive."""
    memo: str = ""
    dimensions: Mapping[str, str] = field(default_factory=dict)
    """Dimension id to value id."""
    tax_code: str = ""
    tax_amount: Decimal | None = None
    party: str = ""
    """Vendor id, on a control account."""
    applies_to: Ref | None = None
    """BILL_PAYMENT: the bill that this line settles, by our reference."""
    applies_to_id: str = ""
    """What the ERP calls that bill, by Ramp, when we do not know to have posted it. It counts if
    nothing carries our reference: what a database has forgotten does."""
    base_of: tuple[str, ...] = ()
    """JOURNAL: ids of the tax rates that `tax_code` levies on this line. Their amounts are lines of
    their own."""
    tax_of: str = ""
    """JOURNAL: id of the tax rate of which this line is the tax."""

    @property
    def taxes(self) -> Sequence[str]:
        """Ids of all tax codes and rates that it names."""
        return [tax for tax in (self.tax_code, *self.base_of, self.tax_of) if tax]

    def to_json(self) -> dict[str, Any]:
        taxed = {"base_of": list(self.base_of), "tax_of": self.tax_of}
        return {
            "account": self.account,
            "amount": str(self.amount),
            "memo": self.memo,
            "dimensions": dict(self.dimensions),
            "tax_code": self.tax_code,
            "tax_amount": _text_or_none(self.tax_amount),
            "party": self.party,
            "applies_to": self.applies_to.to_json() if self.applies_to else None,
            "applies_to_id": self.applies_to_id,
            # Left out where empty: so lines keep the digest that they had before there was tax.
            **{name: value for name, value in taxed.items() if value},
        }

    @classmethod
    def from_json(cls, data: Mapping[str, Any]) -> Self:
        return cls(
            account=data["account"],
            amount=Decimal(data["amount"]),
            memo=data["memo"],
            dimensions=dict(data["dimensions"]),
            tax_code=data["tax_code"],
            tax_amount=_decimal_or_none(data["tax_amount"]),
            party=data["party"],
            applies_to=Ref.from_json(data["applies_to"]) if data["applies_to"] else None,
            applies_to_id=data["applies_to_id"],
            base_of=tuple(data.get("base_of", ())),
            tax_of=data.get("tax_of", ""),
        )


@dataclass(frozen=True, slots=True)
class Document:
    """What one Ramp object becomes in the ERP. Frozen before it is first sent."""

    ref: Ref
    kind: DocKind
    posting_date: date
    currency: str
    """ISO 4217."""
    lines: Sequence[Line]
    party: str = ""
    """Vendor id; required on all kinds but JOURNAL."""
    number: str = ""
    """The supplier's own invoice number."""
    due: date | None = None
    bank_account: str = ""
    """BILL_PAYMENT: ERP id of the account that the money leaves."""
    exchange_rate: Decimal | None = None
    """Units of the company's currency for one of the document's. None: the ERP's rate."""
    memo: str = ""
    url: str = ""
    """Back to the object in Ramp."""
    entity: str = ""
    """Subsidiary or company inside the ERP, where it holds several."""
    payables_account: str = ""
    """BILL, VENDOR_CREDIT: what the vendor is owed on. Empty: the ERP's own for the vendor."""

    @property
    def total(self) -> Decimal:
        """The sum of the lines: zero for a journal that balances."""
        return sum((line.amount for line in self.lines), Decimal(0))

    @property
    def gross(self) -> Decimal:
        """The sum of the lines with their taxes: what a bill asks for."""
        taxes = (line.tax_amount for line in self.lines if line.tax_amount is not None)
        return sum(taxes, self.total)

    @property
    def fingerprint(self) -> str:
        """Digest of all that is booked. Another one under a known reference is REF_REUSED.

        Wording (memos, the link to Ramp) is left out: other words, same document.
        """
        booked = self.to_json()
        del booked["memo"], booked["url"]
        for line in booked["lines"]:
            del line["memo"]
        if not self.payables_account:  # documents from before there was one keep their digest
            del booked["payables_account"]
        canonical = json.dumps(booked, sort_keys=True, separators=(",", ":"), ensure_ascii=False)
        return hashlib.sha256(canonical.encode()).hexdigest()

    def to_json(self) -> dict[str, Any]:
        """Lossless: decimals and dates as text. `from_json` gives an equal document."""
        return {
            "ref": self.ref.to_json(),
            "kind": self.kind.value,
            "posting_date": self.posting_date.isoformat(),
            "currency": self.currency,
            "lines": [line.to_json() for line in self.lines],
            "party": self.party,
            "number": self.number,
            "due": self.due.isoformat() if self.due else None,
            "bank_account": self.bank_account,
            "exchange_rate": _text_or_none(self.exchange_rate),
            "memo": self.memo,
            "url": self.url,
            "entity": self.entity,
            "payables_account": self.payables_account,
        }

    @classmethod
    def from_json(cls, data: Mapping[str, Any]) -> Self:
        """Read what `to_json` wrote.

        :raises KeyError, ValueError, decimal.InvalidOperation: if it was not written by `to_json`
        """
        return cls(
            ref=Ref.from_json(data["ref"]),
            kind=DocKind(data["kind"]),
            posting_date=date.fromisoformat(data["posting_date"]),
            currency=data["currency"],
            lines=tuple(Line.from_json(line) for line in data["lines"]),
            party=data["party"],
            number=data["number"],
            due=date.fromisoformat(data["due"]) if data["due"] else None,
            bank_account=data["bank_account"],
            exchange_rate=_decimal_or_none(data["exchange_rate"]),
            memo=data["memo"],
            url=data["url"],
            entity=data["entity"],
            payables_account=data.get("payables_account", ""),
        )


class State(StrEnum):
    """Where a document stands in the ERP."""

    DRAFT = "draft"
    """Created but not in the ledger: somebody died between the two steps. `post` finishes it."""
    PENDING = "pending"
    """Accepted, booked later: bulk jobs, SOAP queues, file drops. `find` tells when."""
    POSTED = "posted"
    VOID = "void"


@dataclass(frozen=True, slots=True)
class Posted:
    """A document as the ERP holds it."""

    ref: Ref
    erp_id: str
    number: str
    """The number people use for it in the ERP; empty for a draft."""
    state: State
    url: str = ""
    """Opens it in the ERP."""
    fresh: bool = True
    """False: it was there before this call."""
    total: Decimal | None = None
    """Read back for reconciliation: a journal's debits, any other document's gross amount."""
    kind: DocKind | None = None
    """What was found, where the ERP tells a bill's payment from an expense: both may carry the
    reference of a card transaction."""


class Idempotency(StrEnum):
    """How far the ERP itself keeps a reference from being booked twice."""

    UNIQUE_KEY = "unique_key"
    """It refuses a second document with our reference (class K)."""
    REPLAY_KEY = "replay_key"
    """It repeats its first answer for `replay_window` seconds (class K within them)."""
    LOOKUP = "lookup"
    """It only lets us search: single flight, and a settle delay after a lost answer (class L)."""
    NONE = "none"
    """It neither enforces nor finds our reference: a lost answer needs a person (class N)."""


@dataclass(frozen=True, slots=True)
class Capabilities:
    """What the engine must know of an ERP. Durations in seconds."""

    documents: frozenset[DocKind]
    idempotency: Idempotency
    replay_window: float = 0
    settle: float = 0
    """Until `find` is sure to see a document whose answer was lost."""
    delta: frozenset[MasterKind] = frozenset()
    """Kinds that `changes` can list incrementally."""
    delta_window_days: int | None = None
    batch: int = 1
    """Documents that `post_many` takes well in one call."""
    batch_atomic: bool = False
    """True: one bad document stops its whole batch."""
    concurrency: int = 1
    """Writers per ERP company."""
    per_minute: int | None = None
    """Requests that the ERP allows."""
    ref_limit: int = 64
    shows_closed_until: bool = False
    asynchronous: bool = False
    """`post` may answer PENDING."""
    attachments: bool = False
    """Files can be attached to documents that are in the ledger."""
    largest_attachment: int = 0
    """Bytes of the largest file it takes."""


def _text_or_none(value: Decimal | None) -> str | None:
    return None if value is None else str(value)


def _decimal_or_none(value: str | None) -> Decimal | None:
    return None if value is None else Decimal(value)
