"""From our documents to the values that Tryton creates its records from."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from decimal import ROUND_HALF_EVEN, Decimal
from typing import Any

from connections.erp.adapters.tryton.catalogue import Catalogue, Currency
from connections.erp.adapters.tryton.errors import ERP
from connections.erp.errors import Code
from connections.erp.records import DocKind, Document, Line, MasterKind
from connections.erp.refusals import refusal

Values = dict[str, Any]

JOURNAL_TYPES: Mapping[DocKind, str] = {
    DocKind.JOURNAL: "general",
    DocKind.BILL: "expense",
    DocKind.VENDOR_CREDIT: "expense",
    DocKind.BILL_PAYMENT: "cash",
}


@dataclass(frozen=True, slots=True)
class Party:
    """What a bill takes over from its vendor."""

    id: int
    name: str
    active: bool
    payable_account: int | None
    address: int | None


@dataclass(frozen=True, slots=True)
class Amount:
    """One line's amount as Tryton keeps it: signed, in the company's currency and in its own."""

    company: Decimal
    foreign: Decimal | None = None


def journal(doc: Document, catalogue: Catalogue) -> Values:
    """Values for an `account.move`.

    :raises ErpError: for what can be told without Tryton, and with PERIOD_CLOSED
    """
    if not doc.lines:
        raise refusal(Code.REJECTED_PAYLOAD, erp=ERP, what=": it has no lines")
    if doc.total != 0:
        raise refusal(Code.UNBALANCED, erp=ERP, what=f" by {doc.total} {doc.currency}")
    signed = [line.amount for line in doc.lines]
    return _move(doc, catalogue, doc.lines, signed)


def payment(doc: Document, catalogue: Catalogue, accounts: Sequence[int]) -> Values:
    """Values for the `account.move` of a payment: one line per bill, then the bank.

    `accounts` are the payable accounts of the bills, in the order of the lines.
    """
    lines = [
        Line(account=str(account), amount=line.amount, memo=line.memo, party=doc.party)
        for line, account in zip(doc.lines, accounts, strict=True)
    ]
    bank = Line(account=doc.bank_account, amount=-doc.total, memo=doc.memo)
    lines.append(bank)
    return _move(doc, catalogue, lines, [line.amount for line in lines])


def bill(doc: Document, catalogue: Catalogue, party: Party) -> Values:
    """Values for an `account.invoice`: a bill, or with negative quantities a vendor credit."""
    company = catalogue.company()
    currency = catalogue.currency(doc.currency)
    catalogue.open_period(doc.posting_date)
    if currency != company.currency:
        # Tryton converts by its own rate, whatever the document says; without one it would fail.
        catalogue.rate(currency, doc.posting_date)
    _check_party(doc, party)
    quantity = -1 if doc.kind == DocKind.VENDOR_CREDIT else 1
    return {
        "type": "in",
        "company": company.id,
        "currency": currency.id,
        "party": party.id,
        "invoice_address": party.address,
        "account": _payables(doc, party),
        "journal": company.journals.get(JOURNAL_TYPES[doc.kind]),
        "reference": one_line(doc.number) or None,
        "description": one_line(doc.memo) or None,
        "invoice_date": doc.posting_date,
        "accounting_date": doc.posting_date,
        "payment_term_date": doc.due or doc.posting_date,
        "lines": [["create", [_bill_line(line, quantity, doc, catalogue) for line in doc.lines]]],
    }


REVERSED_FIELDS = (
    "account",
    "debit",
    "credit",
    "party",
    "description",
    "second_currency",
    "amount_second_currency",
    "tax_lines.amount",
    "tax_lines.type",
    "tax_lines.tax",
)


def reversal(move: Values, lines: Sequence[Values], on: date) -> Values:
    """Values for the opposite of an `account.move`, without its period and description.

    `lines` as read with `REVERSED_FIELDS`.
    """
    return {
        "company": move["company"],
        "journal": move["journal"],
        "date": on,
        "origin": f"account.move,{move['id']}",
        "lines": [["create", [_opposite(line) for line in lines]]],
    }


def _opposite(line: Values) -> Values:
    foreign = line["amount_second_currency"]
    taxes = [
        _tax_line(tax["type"], tax["tax"], -tax["amount"]) for tax in line.get("tax_lines.", ())
    ]
    return {
        **{name: line[name] for name in REVERSED_FIELDS if "." not in name},
        "debit": line["credit"],
        "credit": line["debit"],
        "amount_second_currency": None if foreign is None else -foreign,
        "tax_lines": [["create", taxes]] if taxes else [],
    }


def bill_total(doc: Document) -> Decimal:
    """The gross total that Tryton must arrive at."""
    return -doc.gross if doc.kind == DocKind.VENDOR_CREDIT else doc.gross


def one_line(text: str) -> str:
    """Tryton refuses line breaks in a line of text."""
    return " ".join(text.split())


def _payables(doc: Document, party: Party) -> int | None:
    return record_id(doc.payables_account) if doc.payables_account else party.payable_account


def _check_party(doc: Document, party: Party) -> None:
    if not party.active:
        # Tryton itself would book it without a word.
        raise refusal(
            Code.VENDOR_INACTIVE,
            erp=ERP,
            what=party.name,
            subject=(MasterKind.VENDOR, str(party.id)),
        )
    if _payables(doc, party) is None or party.address is None:
        lacks = "address" if party.address is None else "payable account"
        error = refusal(Code.VENDOR_MISSING, erp=ERP, subject=(MasterKind.VENDOR, str(party.id)))
        error.title = f"The vendor {party.name} has no {lacks} in {ERP}."
        error.fix = f"Enter one in {ERP}, then retry."
        raise error


def _bill_line(line: Line, quantity: int, doc: Document, catalogue: Catalogue) -> Values:
    company = catalogue.company()
    currency = catalogue.currency(doc.currency)
    _check_digits(line.amount, currency)
    values: Values = {
        "type": "line",
        "company": company.id,
        "currency": currency.id,
        "invoice_type": "in",
        "account": record_id(line.account),
        "quantity": quantity,
        "unit_price": line.amount,
        "description": one_line(line.memo) or None,
    }
    if line.tax_code:
        values["taxes"] = [["add", [record_id(line.tax_code)]]]
    if line.dimensions:
        values["analytic_accounts"] = [["create", _analytic_entries(line.dimensions)]]
    return values


def _analytic_entries(dimensions: Mapping[str, str]) -> list[Values]:
    return [
        {"root": record_id(dimension), "account": record_id(value)}
        for dimension, value in dimensions.items()
    ]


def _move(
    doc: Document,
    catalogue: Catalogue,
    lines: Sequence[Line],
    signed: Sequence[Decimal],
) -> Values:
    company = catalogue.company()
    currency = catalogue.currency(doc.currency)
    amounts = _amounts(doc, signed, currency, catalogue)
    second = currency if currency != company.currency else None
    return {
        "company": company.id,
        "journal": company.journals.get(JOURNAL_TYPES[doc.kind]),
        "period": catalogue.open_period(doc.posting_date).id,
        "date": doc.posting_date,
        "description": one_line(doc.memo) or None,
        "lines": [
            [
                "create",
                [
                    _move_line(line, amount, second, doc)
                    for line, amount in zip(lines, amounts, strict=True)
                ],
            ]
        ],
    }


def _move_line(line: Line, amount: Amount, second: Currency | None, doc: Document) -> Values:
    sides = {"debit": max(amount.company, Decimal(0)), "credit": max(-amount.company, Decimal(0))}
    values: Values = {
        "account": record_id(line.account),
        **sides,
        "description": one_line(line.memo) or None,
    }
    if line.party:
        values["party"] = record_id(line.party)
    if second is not None:
        values["second_currency"] = second.id
        values["amount_second_currency"] = amount.foreign
    if line.base_of or line.tax_of:
        values["tax_lines"] = [["create", _tax_lines(line, amount)]]
    if line.dimensions:
        values["analytic_lines"] = [
            [
                "create",
                [
                    {"account": record_id(value), "date": doc.posting_date, **sides}
                    for value in line.dimensions.values()
                ],
            ]
        ]
    return values


def _tax_lines(line: Line, amount: Amount) -> list[Values]:
    """What Tryton's tax report is made of: an amount of a bill is above zero, of a credit below."""
    bases = [_tax_line("base", record_id(rate), amount.company) for rate in line.base_of]
    own = [_tax_line("tax", record_id(line.tax_of), amount.company)] if line.tax_of else []
    return bases + own


def _tax_line(kind: str, tax: int, amount: Decimal) -> Values:
    return {"type": kind, "tax": tax, "amount": amount}


def _amounts(
    doc: Document, signed: Sequence[Decimal], currency: Currency, catalogue: Catalogue
) -> list[Amount]:
    for amount in signed:
        _check_digits(amount, currency)
    own = catalogue.company().currency
    if currency == own:
        return [Amount(amount) for amount in signed]
    rate = doc.exchange_rate or catalogue.rate(currency, doc.posting_date)
    step = Decimal(1).scaleb(-own.digits)
    converted = [(amount * rate).quantize(step, ROUND_HALF_EVEN) for amount in signed]
    # Each line is rounded by itself; what that leaves over goes where it weighs least.
    largest = max(range(len(converted)), key=lambda index: abs(converted[index]))
    converted[largest] -= sum(converted, Decimal(0))
    return [Amount(*pair) for pair in zip(converted, signed, strict=True)]


def _check_digits(amount: Decimal, currency: Currency) -> None:
    if amount != amount.quantize(Decimal(1).scaleb(-currency.digits)):
        what = f": {amount} has more decimals than {currency.code}"
        raise refusal(Code.REJECTED_PAYLOAD, erp=ERP, what=what)


def record_id(text: str) -> int:
    """Tryton's ids are numbers.

    :raises ErpError: REJECTED_PAYLOAD for anything else
    """
    if not text.isdigit():
        raise refusal(Code.REJECTED_PAYLOAD, erp=ERP, what=f": {text!r} is no id of a record")
    return int(text)
