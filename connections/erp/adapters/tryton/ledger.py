"""Reading back everything that we have booked in one Tryton company."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from decimal import Decimal
from typing import Any

from connections.erp.adapters.tryton.models import INVOICE, MOVE, STATES, Records
from connections.erp.adapters.tryton.references import VOID_SUFFIX
from connections.erp.ledger_audit import LedgerEntry

PAGE_SIZE = 1000
Row = dict[str, Any]


def ledger_entries(records: Records, prefix: str) -> Sequence[LedgerEntry]:
    """Account moves with our reference, or made by our user; bills by the move that they post."""
    return [
        entry
        for rows in _pages(records, prefix)
        for entry in _entries(records, rows, _bill_references(records, rows))
    ]


def _pages(records: Records, prefix: str) -> Iterator[list[Row]]:
    has_bridge = records.catalogue.company().has_bridge
    field = "external_ref" if has_bridge else "description"
    ours = ["create_uid", "=", records.rpc.session().user]
    domain = ["OR", [[field, "like", f"{prefix}%"]], [ours]]
    fields = [field, "number", "state", "origin"]
    last_id = 0
    while True:
        rows = records.rpc.read(
            MOVE, [domain, ["id", ">", last_id]], fields, limit=PAGE_SIZE, order=[["id", "ASC"]]
        )
        for row in rows:
            row["ref"] = (row[field] or "").split(" ", 1)[0]
        yield rows
        if len(rows) < PAGE_SIZE:
            return
        last_id = rows[-1]["id"]


def _bill_references(records: Records, rows: Sequence[Row]) -> dict[str, str]:
    """Our references of the invoices that moves stem from, by their origin."""
    ids = [
        int(row["origin"].partition(",")[2])
        for row in rows
        if not row["ref"] and (row["origin"] or "").startswith(f"{INVOICE},")
    ]
    if not ids:
        return {}
    field = "external_ref" if records.catalogue.company().has_bridge else "description"
    bills = records.rpc.read(INVOICE, [["id", "in", ids]], [field])
    return {f"{INVOICE},{bill['id']}": (bill[field] or "").split(" ", 1)[0] for bill in bills}


def _entries(records: Records, rows: Sequence[Row], bills: dict[str, str]) -> Iterator[LedgerEntry]:
    sides = _sides(records, [row["id"] for row in rows])
    refs = {f"{MOVE},{row['id']}": _reference(row, bills) for row in rows}
    for row in rows:
        ref = refs[f"{MOVE},{row['id']}"]
        is_void = ref.endswith(VOID_SUFFIX)
        reverses = ref.removesuffix(VOID_SUFFIX) if is_void else refs.get(row["origin"] or "", "")
        debit, credit = sides[row["id"]]
        yield LedgerEntry(
            ref="" if is_void or reverses else ref,
            erp_id=str(row["id"]),
            number=row["number"] or "",
            state=STATES[row["state"]],
            debit=debit,
            credit=credit,
            reverses=reverses,
        )


def _reference(row: Row, bills: dict[str, str]) -> str:
    reference: str = row["ref"] or bills.get(row["origin"] or "", "")
    return reference


def _sides(records: Records, ids: Sequence[int]) -> dict[int, tuple[Decimal, Decimal]]:
    sides = dict.fromkeys(ids, (Decimal(0), Decimal(0)))
    fields = ["move", "debit", "credit"]
    for line in records.rpc.read("account.move.line", [["move", "in", list(ids)]], fields):
        debit, credit = sides[line["move"]]
        sides[line["move"]] = (debit + line["debit"], credit + line["credit"])
    return sides
