"""Tryton's taxes as people choose them on a bill: single percentages, and several at once."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from datetime import date
from typing import Any

from connections.erp.adapters.tryton.models import INACTIVE_TOO, Records
from connections.erp.records import Master, MasterKind

Row = Mapping[str, Any]

FIELDS = (
    *("name", "active", "type", "rate", "parent", "start_date", "end_date"),
    *("invoice_account", "group.kind", "create_date", "write_date"),
)


def taxes(records: Records) -> Sequence[Master]:
    """All taxes of purchases, with the parts of those that are made of others.

    Taxes of sales alone are left out, and so is what they are made of. A tax out of its time is
    inactive, for Tryton would compute nothing for it.
    """
    company = records.catalogue.company()
    rows = records.rpc.read(
        "account.tax",
        [["company", "=", company.id]],
        FIELDS,
        order=[["id", "ASC"]],
        context={**INACTIVE_TOO, "company": company.id},
    )
    today: date = records.rpc.call("model.ir.date.today")
    tree = _Tree(rows, today)
    return [tree.master(row) for root in tree.of_purchases() for row in tree.with_parts(root)]


class _Tree:
    def __init__(self, rows: Sequence[Row], today: date) -> None:
        self._today = today
        self._parts: dict[int | None, list[Row]] = defaultdict(list)
        for row in rows:
            self._parts[row["parent"]].append(row)

    def of_purchases(self) -> Iterator[Row]:
        """Those that are part of no other."""
        for row in self._parts[None]:
            if row["group."] is None or row["group."]["kind"] != "sale":
                yield row

    def with_parts(self, row: Row) -> Iterator[Row]:
        """A tax, and all that it is made of."""
        yield row
        for part in self._parts[row["id"]]:
            yield from self.with_parts(part)

    def master(self, row: Row) -> Master:
        return Master(
            kind=MasterKind.TAX_CODE,
            id=str(row["id"]),
            name=row["name"],
            active=self._counts(row),
            parent=str(row["parent"] or ""),
            updated_at=row["write_date"] or row["create_date"],
            extra=self._extra(row),
        )

    def _extra(self, row: Row) -> dict[str, str]:
        levied = list(self._levied(row))
        if any(one["type"] != "percentage" for one in levied):
            return {}  # a fixed amount is nothing that Ramp knows
        extra = {}
        if row["type"] == "percentage":
            extra["rate"] = format(row["rate"].normalize(), "f")
            extra["account"] = str(row["invoice_account"] or "")
        if self._parts[row["id"]]:
            extra["parts"] = ",".join(str(one["id"]) for one in levied)
        return extra

    def _levied(self, row: Row) -> Iterator[Row]:
        """What a bill is charged on which this tax is chosen."""
        if row["type"] != "none":
            yield row
        for part in self._parts[row["id"]]:
            if self._counts(part):
                yield from self._levied(part)

    def _counts(self, row: Row) -> bool:
        starts, ends = row["start_date"] or date.min, row["end_date"] or date.max
        return bool(row["active"] and starts <= self._today <= ends)
