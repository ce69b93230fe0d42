"""Where each kind of document lives in Tryton, and what every way of booking needs."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from connections.erp.adapters.tryton.catalogue import Catalogue
from connections.erp.adapters.tryton.documents import Party, record_id
from connections.erp.adapters.tryton.errors import ERP
from connections.erp.adapters.tryton.rpc import TrytonRpc
from connections.erp.errors import Code, ErpError
from connections.erp.records import DocKind, Document, Line, Posted, Ref, State
from connections.erp.refusals import refusal

MOVE = "account.move"
INVOICE = "account.invoice"

MODELS: Mapping[DocKind, str] = {
    DocKind.JOURNAL: MOVE,
    DocKind.BILL_PAYMENT: MOVE,
    DocKind.BILL: INVOICE,
    DocKind.VENDOR_CREDIT: INVOICE,
}

STATES: Mapping[str, State] = {
    "draft": State.DRAFT,
    "validated": State.DRAFT,
    "posted": State.POSTED,
    "paid": State.POSTED,
    "cancelled": State.VOID,
    "void": State.VOID,
}

# A deactivated vendor or account is still the one that a document names.
INACTIVE_TOO = {"active_test": False}


@dataclass(frozen=True, slots=True)
class Bill:
    """A bill that a payment settles."""

    id: int
    account: int


class Records:
    """Reading that all ways of booking share."""

    def __init__(self, rpc: TrytonRpc, catalogue: Catalogue) -> None:
        self.rpc = rpc
        self.catalogue = catalogue

    def posted(
        self,
        ref: Ref,
        *,
        erp_id: int,
        number: str | None,
        state: str,
        fresh: bool,
        total: Decimal | None,
        kind: DocKind | None = None,
    ) -> Posted:
        """A record of Tryton's as the port knows it."""
        return Posted(
            ref=ref,
            erp_id=str(erp_id),
            number=number or "",
            state=STATES[state],
            url=self.url(MODELS[ref.kind], erp_id),
            fresh=fresh,
            total=None if total is None else abs(total),
            kind=kind,
        )

    def url(self, model: str, erp_id: int) -> str:
        """Opens a record in Tryton's web client."""
        account = self.rpc.account
        return f"{account.url}/#{account.database}/model/{model}/{erp_id}"

    def parties(self, ids: Iterable[str]) -> dict[str, Party]:
        """Vendors by id, inactive ones too; unknown ones are left out."""
        wanted = sorted({record_id(party) for party in ids if party.isdigit()})
        if not wanted:
            return {}
        rows = self.rpc.read(
            "party.party",
            [["id", "in", wanted]],
            ["rec_name", "active", "account_payable", "addresses"],
            context={**INACTIVE_TOO, "company": self.catalogue.company().id},
        )
        default = self.catalogue.company().payable_account
        return {str(row["id"]): _party(row, default) for row in rows}

    def totals(self, move_ids: Sequence[int]) -> dict[int, Decimal]:
        """The debits of account moves."""
        lines = self.rpc.read(
            "account.move.line", [["move", "in", list(move_ids)]], ["move", "debit"]
        )
        totals = dict.fromkeys(move_ids, Decimal(0))
        for line in lines:
            totals[line["move"]] += line["debit"]
        return totals


def party_of(doc: Document, parties: Mapping[str, Party]) -> Party:
    """:raises ErpError: VENDOR_MISSING"""
    if doc.party not in parties:
        raise refusal(Code.VENDOR_MISSING, erp=ERP, what=f"vendor {doc.party}" if doc.party else "")
    return parties[doc.party]


def bill_by_id(line: Line, party: Party) -> list[list[Any]]:
    """The domain of the vendor's bill that has the id which somebody else gave Ramp.

    That may as well be a number: no other vendor's bill is paid for it.
    """
    by_id = ["id", "=", record_id(line.applies_to_id)]
    return [by_id, ["type", "=", "in"], ["party", "=", party.id]]


def bill_not_posted(line: Line) -> ErpError:
    return refusal(
        Code.BILL_NOT_POSTED,
        erp=ERP,
        erp_message=line.applies_to.full if line.applies_to else line.applies_to_id,
    )


def _party(row: Mapping[str, Any], payable_account: int | None) -> Party:
    addresses = row["addresses"]
    return Party(
        id=row["id"],
        name=row["rec_name"],
        active=row["active"],
        payable_account=row["account_payable"] or payable_account,
        address=addresses[0] if addresses else None,
    )
