"""Reading back everything that we have booked in one Tryton company."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from typing import Any

from connections.erp.adapters.tryton.models import INVOICE, MOVE, STATES, Records
from connections.erp.adapters.tryton.references import VOID_SUFFIX
from connections.erp.ledger_audit import LedgerEntry

PAGE_SIZE = 1000
Row = dict[str, Any]


@dataclass(frozen=True, slots=True)
class _Bill:
    """An invoice behind a move. People know its number, not the move's."""

    id: int
    ref: str
    number: str
    cancelled_by: int | None
    """The move that takes it back."""


@dataclass(slots=True)
class _Sides:
    """Both sides of a move in the company's currency, and one in the document's own."""

    debit: Decimal = Decimal(0)
    credit: Decimal = Decimal(0)
    foreign: Decimal = Decimal(0)
    foreign_currency: int | None = None


def ledger_entries(
    records: Records, prefix: str, since: datetime | None = None
) -> Sequence[LedgerEntry]:
    """Account moves with our reference, or made by our user; bills by the move that they post."""
    return [
        entry
        for rows in _pages(records, prefix, since)
        for entry in _entries(records, rows, _bills(records, rows))
    ]


def _pages(records: Records, prefix: str, since: datetime | None) -> Iterator[list[Row]]:
    field = _field(records)
    ours = ["create_uid", "=", records.rpc.session().user]
    domain: list[Any] = [["OR", [[field, "like", f"{prefix}%"]], [ours]]]
    if since is not None:
        domain.append(["create_date", ">=", since])
    fields = [field, "number", "state", "origin"]
    last_id = 0
    while True:
        rows = records.rpc.read(
            MOVE, [*domain, ["id", ">", last_id]], fields, limit=PAGE_SIZE, order=[["id", "ASC"]]
        )
        for row in rows:
            row["ref"] = _first_word(row[field])
        yield rows
        if len(rows) < PAGE_SIZE:
            return
        last_id = rows[-1]["id"]


def _field(records: Records) -> str:
    return "external_ref" if records.catalogue.company().has_bridge else "description"


def _first_word(text: str | None) -> str:
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
    field = _field(records)
    found = records.rpc.read(INVOICE, [["id", "in", ids]], [field, "number", "cancel_move"])
    return {
        f"{INVOICE},{row['id']}": _Bill(
            row["id"], _first_word(row[field]), row["number"] or "", row["cancel_move"]
        )
        for row in found
    }


def _entries(
    records: Records, rows: Sequence[Row], bills: Mapping[str, _Bill]
) -> Iterator[LedgerEntry]:
    sides = _sides(records, [row["id"] for row in rows])
    company = records.catalogue.company()
    codes = {currency.id: currency.code for currency in company.currencies.values()}
    behind = {row["id"]: _behind(row, bills) for row in rows}
    refs = {f"{MOVE},{row['id']}": _reference(row, behind[row["id"]]) for row in rows}
    for row in rows:
        bill = behind[row["id"]]
        ref = _reference(row, bill)
        reverses = _reversed_by(row, ref, bill, refs)
        side = sides[row["id"]]
        yield LedgerEntry(
            ref="" if reverses else ref,
            erp_id=str(bill.id if bill else row["id"]),
            number=bill.number if bill else row["number"] or "",
            state=STATES[row["state"]],
            debit=side.debit,
            credit=side.credit,
            total=side.foreign if side.foreign_currency else side.debit,
            currency=codes.get(side.foreign_currency or company.currency.id, ""),
            reverses=reverses,
        )


def _behind(row: Row, bills: Mapping[str, _Bill]) -> _Bill | None:
    return None if row["ref"] else bills.get(row["origin"] or "")


def _reference(row: Row, bill: _Bill | None) -> str:
    return bill.ref if bill else str(row["ref"])


def _reversed_by(row: Row, ref: str, bill: _Bill | None, refs: Mapping[str, str]) -> str:
    """The reference that a move takes back; empty if it is a document of its own."""
    if ref.endswith(VOID_SUFFIX):
        return ref.removesuffix(VOID_SUFFIX)
    if bill is not None:
        return ref if bill.cancelled_by == row["id"] else ""
    return refs.get(row["origin"] or "", "")


def _sides(records: Records, ids: Sequence[int]) -> dict[int, _Sides]:
    sides = {move: _Sides() for move in ids}
    fields = ["move", "debit", "credit", "amount_second_currency", "second_currency"]
    for line in records.rpc.read("account.move.line", [["move", "in", list(ids)]], fields):
        side = sides[line["move"]]
        side.debit += line["debit"]
        side.credit += line["credit"]
        if line["second_currency"]:
            side.foreign_currency = line["second_currency"]
            side.foreign += max(line["amount_second_currency"] or Decimal(0), Decimal(0))
    return sides
