"""Finding documents that somebody else has made, by number or by looks. Reads only."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from connections.erp.adapters.tryton.documents import record_id
from connections.erp.adapters.tryton.ledger import LINE, field_of_reference, first_word, sides
from connections.erp.adapters.tryton.models import INVOICE, MODELS, STATES, Records
from connections.erp.records import DocKind
from connections.erp.search import MOST_FOUND, FoundDocument, Likeness

Row = dict[str, Any]
_CREDIT_KINDS = frozenset({DocKind.VENDOR_CREDIT})


def documents_numbered(records: Records, kind: DocKind, number: str) -> Sequence[FoundDocument]:
    """See `connections.erp.search.SearchableErp`."""
    number = number.strip()
    if not number:
        return []
    ways: list[Any] = [[["number", "=", number]]]
    if MODELS[kind] == INVOICE:
        ways.append([["reference", "=", number]])
    if number.isascii() and number.isdigit() and len(number) <= 9:  # what an id can be
        ways.append([["id", "=", record_id(number)]])
    return _found(records, kind, ["OR", *ways])


def documents_like(records: Records, likeness: Likeness) -> Sequence[FoundDocument]:
    """See `connections.erp.search.SearchableErp`."""
    first, last = likeness.around - likeness.within, likeness.around + likeness.within
    if MODELS[likeness.kind] != INVOICE:
        domain: list[Any] = [
            ["date", ">=", first],
            ["date", "<=", last],
            [
                "OR",
                [["lines.debit", "=", likeness.amount]],
                [["lines.amount_second_currency", "=", likeness.amount]],
            ],
        ]
        if likeness.party_id.isdigit():
            domain.append(["lines.party", "=", record_id(likeness.party_id)])
        return _found(records, likeness.kind, domain)
    return _bills_like(
        records, likeness, [["invoice_date", ">=", first], ["invoice_date", "<=", last]]
    )


def _bills_like(records: Records, likeness: Likeness, days: list[Any]) -> Sequence[FoundDocument]:
    """A total is worked out by Tryton and cannot be searched by, so it is compared here."""
    whose: list[Any] = []
    if likeness.party_id.isdigit():
        whose = [["party", "=", record_id(likeness.party_id)]]
    found = {
        one.erp_id: one
        for one in _found(records, likeness.kind, [*whose, *days], limit=20 * MOST_FOUND)
        if one.total == likeness.amount
    }
    if likeness.supplier_number:
        numbered = [*whose, ["reference", "=", likeness.supplier_number]]
        found |= {one.erp_id: one for one in _found(records, likeness.kind, numbered)}
    return list(found.values())[:MOST_FOUND]


def _found(
    records: Records, kind: DocKind, domain: list[Any], *, limit: int = MOST_FOUND
) -> Sequence[FoundDocument]:
    if MODELS[kind] == INVOICE:
        return _invoices(records, kind, domain, limit)
    return _moves(records, kind, domain, limit)


def _invoices(
    records: Records, kind: DocKind, domain: list[Any], limit: int
) -> Sequence[FoundDocument]:
    field = field_of_reference(records)
    rows = records.rpc.read(
        INVOICE,
        [["type", "=", "in"], domain],
        [
            *dict.fromkeys([field, "description"]),
            "number",
            "reference",
            "state",
            "invoice_date",
            "total_amount",
            "currency.code",
            "party",
            "party.rec_name",
        ],
        limit=limit,
        order=[["id", "DESC"]],
    )
    # A bill and a credit are one model, told apart by the sign.
    wanted = [row for row in rows if (row["total_amount"] < 0) == (kind in _CREDIT_KINDS)]
    return [
        FoundDocument(
            kind=kind,
            erp_id=str(row["id"]),
            number=row["number"] or "",
            posting_date=row["invoice_date"],
            total=abs(row["total_amount"]),
            currency=row["currency."]["code"],
            state=STATES[row["state"]],
            party=row["party."]["rec_name"] if row["party"] else "",
            party_id=str(row["party"] or ""),
            supplier_number=row["reference"] or "",
            ref=_reference(row[field]),
            url=records.url(INVOICE, row["id"]),
            memo=row["description"] or "",
        )
        for row in wanted
    ]


def _moves(
    records: Records, kind: DocKind, domain: list[Any], limit: int
) -> Sequence[FoundDocument]:
    field = field_of_reference(records)
    rows = records.rpc.read(
        MODELS[kind],
        domain,
        [*dict.fromkeys([field, "description"]), "number", "state", "date"],
        limit=limit,
        order=[["id", "DESC"]],
    )
    ids = [row["id"] for row in rows]
    both = sides(records, ids)
    parties = _parties(records, ids)
    company = records.catalogue.company()
    codes = {currency.id: currency.code for currency in company.currencies.values()}
    found = []
    for row in rows:
        side, (party_id, party) = both[row["id"]], parties.get(row["id"], ("", ""))
        found.append(
            FoundDocument(
                kind=kind,
                erp_id=str(row["id"]),
                number=row["number"] or "",
                posting_date=row["date"],
                total=side.foreign if side.foreign_currency else side.debit,
                currency=codes.get(side.foreign_currency or company.currency.id, ""),
                state=STATES[row["state"]],
                party=party,
                party_id=party_id,
                ref=_reference(row[field]),
                url=records.url(MODELS[kind], row["id"]),
                memo=row["description"] or "",
            )
        )
    return found


def _parties(records: Records, moves: Sequence[int]) -> dict[int, tuple[str, str]]:
    """Id and name of the party that lines of a move name, by move."""
    lines = records.rpc.read(
        LINE,
        [["move", "in", list(moves)], ["party", "!=", None]],
        ["move", "party", "party.rec_name"],
    )
    return {line["move"]: (str(line["party"]), line["party."]["rec_name"]) for line in lines}


def _reference(text: str | None) -> str:
    """Our reference, where the field has one: a description may begin with any word."""
    word = first_word(text)
    return word if word.startswith("ramp-") else ""
