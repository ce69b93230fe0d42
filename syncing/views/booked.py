"""The frozen document as an accountant reads it: every account with its debit or credit.

The lines of a bill, a payment or a credit name one side only; the other side is the ERP's to make,
and is shown here as it makes it.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from typing import Any

from connections import queries as connection_queries
from rampbridge.lib.money import Money
from syncing.models import SyncItem

_KINDS = {
    "journal": "Journal entry",
    "bill": "Bill",
    "bill_payment": "Payment",
    "vendor_credit": "Vendor credit",
}


@dataclass(frozen=True, slots=True)
class DocumentLine:
    """One line of the document, as an accountant reads it."""

    account_id: str
    account: str
    memo: str
    dimensions: Sequence[tuple[str, str]]
    debit: Money | None
    credit: Money | None


@dataclass(frozen=True, slots=True)
class BookedDocument:
    """The frozen document: its lines, and both sums, which must be equal."""

    kind: str
    posting_date: date
    party: str
    number: str
    """The supplier's own number."""
    lines: Sequence[DocumentLine]
    debits: Money
    credits: Money

    @property
    def total(self) -> Money:
        """What it is over, without a sign."""
        return self.debits


@dataclass(frozen=True, slots=True)
class _Entry:
    """An amount on an account: a debit is above zero."""

    account: str
    amount: Money
    memo: str = ""
    name: str = ""
    dimensions: Mapping[str, str] | None = None


def booked_document(item: SyncItem, document: Mapping[str, Any]) -> BookedDocument:
    """The frozen document with names instead of ids. One query."""
    party = str(document.get("party", ""))
    entries = list(_entries(item, document))
    names = connection_queries.document_names(
        item.connection_id,
        accounts={entry.account for entry in entries if entry.account},
        vendors={party} - {""},
        options={pair for entry in entries for pair in (entry.dimensions or {}).items()},
    )
    of_vendor = names.vendors.get(party, party)
    zero = _zero(item, document)
    return BookedDocument(
        kind=_KINDS.get(str(document["kind"]), str(document["kind"]).replace("_", " ")),
        posting_date=date.fromisoformat(document["posting_date"]),
        party=of_vendor,
        number=str(document.get("number", "")),
        lines=[
            DocumentLine(
                account_id=entry.account,
                account=names.accounts.get(entry.account, "")
                or entry.name.format(vendor=of_vendor),
                memo=entry.memo,
                dimensions=[
                    names.options.get(pair, pair) for pair in (entry.dimensions or {}).items()
                ],
                debit=entry.amount if entry.amount > zero else None,
                credit=-entry.amount if entry.amount < zero else None,
            )
            for entry in entries
        ],
        debits=sum((entry.amount for entry in entries if entry.amount > zero), zero),
        credits=-sum((entry.amount for entry in entries if entry.amount < zero), zero),
    )


def _entries(item: SyncItem, document: Mapping[str, Any]) -> Iterator[_Entry]:
    """Both sides, whatever the document's own lines name."""
    lines = document.get("lines", [])
    match document["kind"]:
        case "journal":
            for line in lines:
                yield _entry(item, document, line, sign=1)
        case "bill_payment":
            for line in lines:
                yield _entry(item, document, line, sign=1, name=_payables(document))
            total = sum(
                (_amount(item, document, line["amount"]) for line in lines), _zero(item, document)
            )
            yield _Entry(str(document.get("bank_account", "")), -total, name="The bank")
        case kind:
            sign = -1 if kind == "vendor_credit" else 1
            own = [entry for line in lines for entry in _with_tax(item, document, line, sign=sign)]
            total = sum((entry.amount for entry in own), _zero(item, document))
            account = str(document.get("payables_account", ""))
            yield from own
            yield _Entry(account, -total, name=_payables(document))


def _with_tax(
    item: SyncItem, document: Mapping[str, Any], line: Mapping[str, Any], *, sign: int
) -> Iterator[_Entry]:
    yield _entry(item, document, line, sign=sign)
    if line.get("tax_amount"):
        tax = _amount(item, document, line["tax_amount"])
        yield _Entry("", tax if sign > 0 else -tax, name="Tax", memo=str(line.get("tax_code", "")))


def _entry(
    item: SyncItem,
    document: Mapping[str, Any],
    line: Mapping[str, Any],
    *,
    sign: int,
    name: str = "",
) -> _Entry:
    amount = _amount(item, document, line["amount"])
    return _Entry(
        account=line["account"],
        amount=amount if sign > 0 else -amount,
        memo=line.get("memo", ""),
        name=name if not line["account"] else "",
        dimensions=line.get("dimensions", {}),
    )


def _payables(document: Mapping[str, Any]) -> str:
    """The ERP's own account for the vendor; the vendor's name is known later."""
    return "Payables to {vendor}" if document.get("party") else "Payables"


def _zero(item: SyncItem, document: Mapping[str, Any]) -> Money:
    return Money(0, str(document["currency"]), item.exponent)


def _amount(item: SyncItem, document: Mapping[str, Any], amount: str) -> Money:
    return Money.from_decimal(Decimal(amount), str(document["currency"]), rate=10**item.exponent)
