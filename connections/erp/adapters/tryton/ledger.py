"""Reading back everything that we have booked in one Tryton company."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from decimal import Decimal
from typing import Any

from connections.erp.adapters.tryton.models import INVOICE, MOVE, STATES, Records
from connections.erp.adapters.tryton.references import VOID_SUFFIX
from connections.erp.ledger_audit import LedgerEntry

LINE = "account.move.line"
PAGE_SIZE = 1000
REFERENCES_PER_CALL = 100
Row = dict[str, Any]


@dataclass(frozen=True, slots=True)
class _Bill:
    """An invoice behind a move. People know its number, not the move's."""

    id: int
    ref: str
    number: str
    move: int | None
    cancelled_by: int | None
    """The move that takes it back."""


@dataclass(slots=True)
class Sides:
    """Both sides of a move in the company's currency, and one in the document's own."""

    debit: Decimal = Decimal(0)
    credit: Decimal = Decimal(0)
    foreign: Decimal = Decimal(0)
    foreign_currency: int | None = None
    amounts: set[Decimal] = field(default_factory=set)
    """Of the single lines, in the document's own currency."""


def ledger_entries(
    records: Records, prefix: str, since: datetime | None = None
) -> Sequence[LedgerEntry]:
    """Account moves with our reference, or made by our user; bills by the move that they post."""
    return [
        entry
        for rows in _pages(records, prefix, since)
        for entry in _entries(records, rows, _bills(records, rows))
    ]


def entries_under(records: Records, refs: Collection[str]) -> Sequence[LedgerEntry]:
    """What stands under our full references: moves, the moves of bills, and their reversals."""
    entries: list[LedgerEntry] = []
    for some in _chunks(sorted(refs), REFERENCES_PER_CALL):
        entries += _entries_under(records, some)
    return entries


def _entries_under(records: Records, refs: Sequence[str]) -> Iterator[LedgerEntry]:
    bills = _bills_where(records, _carries(records, refs))
    of_bills = [move for bill in bills.values() for move in (bill.move, bill.cancelled_by) if move]
    voids = [f"{ref}{VOID_SUFFIX}" for ref in refs]
    rows = _moves(records, ["OR", _carries(records, [*refs, *voids]), [["id", "in", of_bills]]])
    origins = [f"{MOVE},{row['id']}" for row in rows]
    known = {row["id"] for row in rows}
    rows += [row for row in _moves(records, [["origin", "in", origins]]) if row["id"] not in known]
    wanted = set(refs)
    for entry in _entries(records, rows, bills):
        if entry.ref in wanted or entry.reverses in wanted:
            yield entry


def _carries(records: Records, refs: Sequence[str]) -> list[Any]:
    """The condition that a record carries one of the references."""
    field = field_of_reference(records)
    if records.catalogue.company().has_bridge:
        return [[field, "in", list(refs)]]
    return ["OR", *([[field, "like", f"{ref}%"]] for ref in refs)]


def _moves(records: Records, domain: list[Any], *, limit: int | None = None) -> list[Row]:
    field = field_of_reference(records)
    fields = [field, "number", "state", "origin"]
    rows = records.rpc.read(MOVE, domain, fields, limit=limit, order=[["id", "ASC"]])
    for row in rows:
        row["ref"] = first_word(row[field])
    return list(rows)


def _chunks(refs: Sequence[str], size: int) -> Iterator[Sequence[str]]:
    for start in range(0, len(refs), size):
        yield refs[start : start + size]


def _pages(records: Records, prefix: str, since: datetime | None) -> Iterator[list[Row]]:
    field = field_of_reference(records)
    ours = ["create_uid", "=", records.rpc.session().user]
    domain: list[Any] = [["OR", [[field, "like", f"{prefix}%"]], [ours]]]
    if since is not None:
        domain.append(["create_date", ">=", since])
    last_id = 0
    while True:
        rows = _moves(records, [*domain, ["id", ">", last_id]], limit=PAGE_SIZE)
        yield rows
        if len(rows) < PAGE_SIZE:
            return
        last_id = rows[-1]["id"]


def field_of_reference(records: Records) -> str:
    """Where our reference stands; without our add-on it begins the description."""
    return "external_ref" if records.catalogue.company().has_bridge else "description"


def first_word(text: str | None) -> str:
    """Up to the first blank; empty for nothing."""
    return (text or "").split(" ", 1)[0]


def _bills(records: Records, rows: Sequence[Row]) -> dict[str, _Bill]:
    """The invoices that moves without a reference of their own stem from, by origin."""
    ids = [
        int(row["origin"].partition(",")[2])
        for row in rows
        if not row["ref"] and (row["origin"] or "").startswith(f"{INVOICE},")
    ]
    if not ids:
        return {}
    return _bills_where(records, [["id", "in", ids]])


def _bills_where(records: Records, domain: list[Any]) -> dict[str, _Bill]:
    field = field_of_reference(records)
    found = records.rpc.read(INVOICE, domain, [field, "number", "move", "cancel_move"])
    return {
        f"{INVOICE},{row['id']}": _Bill(
            row["id"], first_word(row[field]), row["number"] or "", row["move"], row["cancel_move"]
        )
        for row in found
    }


def _entries(
    records: Records, rows: Sequence[Row], bills: Mapping[str, _Bill]
) -> Iterator[LedgerEntry]:
    both = sides(records, [row["id"] for row in rows])
    company = records.catalogue.company()
    codes = {currency.id: currency.code for currency in company.currencies.values()}
    behind = {row["id"]: _behind(row, bills) for row in rows}
    refs = {f"{MOVE},{row['id']}": _reference(row, behind[row["id"]]) for row in rows}
    strangers = [
        row["id"]
        for row in rows
        if not (refs[f"{MOVE},{row['id']}"] or refs.get(row["origin"] or ""))
    ]
    follows = _followed(records, strangers)
    for row in rows:
        bill = behind[row["id"]]
        ref = _reference(row, bill)
        reverses = _reversed_by(row, ref, bill, refs)
        side = both[row["id"]]
        yield LedgerEntry(
            ref="" if reverses else ref,
            erp_id=str(bill.id if bill else row["id"]),
            number=bill.number if bill else row["number"] or "",
            state=STATES[row["state"]],
            debit=side.debit,
            credit=side.credit,
            total=side.foreign if side.foreign_currency else side.debit,
            currency=codes.get(side.foreign_currency or company.currency.id, ""),
            amounts=frozenset(side.amounts),
            reverses=reverses,
            follows=follows.get(row["id"], ""),
        )


def _behind(row: Row, bills: Mapping[str, _Bill]) -> _Bill | None:
    """The bill that a move books or takes back. A payment made by hand stems from it as well."""
    bill = None if row["ref"] else bills.get(row["origin"] or "")
    return bill if bill and row["id"] in (bill.move, bill.cancelled_by) else None


def _reference(row: Row, bill: _Bill | None) -> str:
    return bill.ref if bill else str(row["ref"])


def _reversed_by(row: Row, ref: str, bill: _Bill | None, refs: Mapping[str, str]) -> str:
    """The reference that a move takes back; empty if it is a document of its own."""
    if ref.endswith(VOID_SUFFIX):
        return ref.removesuffix(VOID_SUFFIX)
    if bill is not None:
        return ref if bill.cancelled_by == row["id"] else ""
    return refs.get(row["origin"] or "", "")


def _followed(records: Records, moves: Sequence[int]) -> dict[int, str]:
    """The references of the documents that moves without any were reconciled with, by move.

    A payment at another rate than its bill's leaves a difference, which Tryton books by itself.
    """
    if not moves:
        return {}
    mine = _reconciled(records, [["move", "in", list(moves)]])
    if not mine:
        return {}
    others = _reconciled(
        records,
        [["reconciliation", "in", sorted(set(mine.values()))], ["move", "not in", list(moves)]],
    )
    ours = {row["id"]: row["ref"] for row in _moves(records, [["id", "in", sorted(others)]])}
    by_reconciliation = {others[move]: ref for move, ref in sorted(ours.items()) if ref}
    return {
        move: by_reconciliation[number]
        for move, number in mine.items()
        if number in by_reconciliation
    }


def _reconciled(records: Records, domain: list[Any]) -> dict[int, int]:
    """The reconciliation that a line of each move is in."""
    lines = records.rpc.read(
        LINE, [*domain, ["reconciliation", "!=", None]], ["move", "reconciliation"]
    )
    return {line["move"]: line["reconciliation"] for line in lines}


def sides(records: Records, ids: Sequence[int]) -> dict[int, Sides]:
    """Both sides of moves, by their ids."""
    sides = {move: Sides() for move in ids}
    fields = ["move", "debit", "credit", "amount_second_currency", "second_currency"]
    for line in records.rpc.read(LINE, [["move", "in", list(ids)]], fields):
        side = sides[line["move"]]
        side.debit += line["debit"]
        side.credit += line["credit"]
        if line["second_currency"]:
            side.foreign_currency = line["second_currency"]
            side.foreign += max(line["amount_second_currency"] or Decimal(0), Decimal(0))
            side.amounts.add(abs(line["amount_second_currency"] or Decimal(0)))
        else:
            side.amounts.add(abs(line["debit"] - line["credit"]))
    return sides
