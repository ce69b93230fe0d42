"""Looking for documents that do not carry our reference: for people who decide, beyond the port."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from decimal import Decimal
from typing import Any, Protocol, Self, runtime_checkable

from connections.erp.records import DocKind, State

MOST_FOUND = 20
"""Documents of one search. Who finds more must ask for less."""


@dataclass(frozen=True, slots=True)
class FoundDocument:
    """A document in an ERP, whoever made it, with what a person tells it by."""

    kind: DocKind
    erp_id: str
    number: str
    """The number people use for it in the ERP; empty for a draft."""
    posting_date: date | None
    total: Decimal
    """In `currency`, without a sign: of a journal its debits, of others their gross amount."""
    currency: str
    state: State
    party: str = ""
    """The vendor's name."""
    party_id: str = ""
    supplier_number: str = ""
    """Of a bill: the vendor's own number."""
    ref: str = ""
    """Our full reference, if it carries one."""
    url: str = ""
    memo: str = ""

    def to_json(self) -> dict[str, Any]:
        return {
            "kind": self.kind.value,
            "erp_id": self.erp_id,
            "number": self.number,
            "posting_date": self.posting_date.isoformat() if self.posting_date else None,
            "total": str(self.total),
            "currency": self.currency,
            "state": self.state.value,
            "party": self.party,
            "party_id": self.party_id,
            "supplier_number": self.supplier_number,
            "ref": self.ref,
            "url": self.url,
            "memo": self.memo,
        }

    @classmethod
    def from_json(cls, data: Mapping[str, Any]) -> Self:
        """Read what `to_json` wrote."""
        day = data["posting_date"]
        return cls(
            kind=DocKind(data["kind"]),
            erp_id=data["erp_id"],
            number=data["number"],
            posting_date=date.fromisoformat(day) if day else None,
            total=Decimal(data["total"]),
            currency=data["currency"],
            state=State(data["state"]),
            party=data["party"],
            party_id=data["party_id"],
            supplier_number=data["supplier_number"],
            ref=data["ref"],
            url=data["url"],
            memo=data["memo"],
        )


@dataclass(frozen=True, slots=True)
class Likeness:
    """What a document would look like that somebody else made of the same thing."""

    kind: DocKind
    amount: Decimal
    """Without a sign."""
    currency: str
    around: date
    within: timedelta
    """Before and after `around`."""
    party_id: str = ""
    """The vendor's id in the ERP, where it is known: documents of others are left out."""
    supplier_number: str = ""
    """Of a bill: one of the vendor's with this number is found whatever its amount and date."""


@runtime_checkable
class SearchableErp(Protocol):
    """An adapter that finds documents by more than our reference. Reads only."""

    def documents_numbered(self, kind: DocKind, number: str) -> Sequence[FoundDocument]:
        """Documents of a kind with that number, of the ERP or of the supplier, or with that id.

        :raises ErpError: if the ERP cannot be asked
        """
        ...

    def documents_like(self, likeness: Likeness) -> Sequence[FoundDocument]:
        """Documents over that amount around that day, drafts too; at most `MOST_FOUND`.

        :raises ErpError: if the ERP cannot be asked
        """
        ...
