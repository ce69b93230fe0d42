"""Selections of bills and vendor credits: like those of purchases, but without a top-level type.

The vendor is coded once, on the body; it is whom people linked the bill's vendor to.
"""

from dataclasses import dataclass, field
from typing import Any

from connections.ramp_simulator.bill_records import Bill, Payee, VendorCredit
from connections.ramp_simulator.codings import Codebook, Coding, book_of, coding, missing_fields
from connections.ramp_simulator.payees import accounting_vendor
from connections.ramp_simulator.records import Line
from connections.ramp_simulator.world import World

_ONLY_ON_PURCHASES = ("type", "source")


@dataclass(slots=True, kw_only=True)
class _Coded:
    """A bill or a vendor credit as `codings` reads it."""

    object_type: str
    seq: int
    lines: list[Line]
    options: dict[str, str]
    coded_vendor_id: str | None
    vendor_name: str | None = field(default=None, init=False)


@dataclass(slots=True)
class BillCoding:
    """Selections of the body, of the expense lines and of the inventory lines."""

    body: list[dict[str, Any]]
    lines: list[list[dict[str, Any]]]
    inventory_lines: list[list[dict[str, Any]]]
    is_deleted: bool

    def ids(self) -> set[str]:
        places = (self.body, *self.lines, *self.inventory_lines)
        return {selection["id"] for place in places for selection in place}


def coding_of(world: World, row: Bill | VendorCredit) -> BillCoding:
    """The selections, and whether one of them was deleted since."""
    book = book_of(world, row.business)
    shown: Coding = coding(book, _view(world, book, row))
    lines = [[_shaped(selection) for selection in line] for line in shown.lines]
    return BillCoding(
        body=[_shaped(selection) for selection in shown.body],
        lines=lines[: len(row.lines)],
        inventory_lines=lines[len(row.lines) :],
        is_deleted=shown.is_deleted,
    )


def lacks_fields(world: World, bill: Bill) -> bool:
    """Whether a field that bills require is not coded."""
    book = book_of(world, bill.business)
    return bool(missing_fields(book, _view(world, book, bill)))


def payee_of(world: World, row: Bill | VendorCredit) -> Payee:
    payee = world.payees.get(row.payee_id)
    assert payee is not None
    return payee


def _view(world: World, book: Codebook, row: Bill | VendorCredit) -> _Coded:
    vendor = accounting_vendor(book, payee_of(world, row))
    return _Coded(
        object_type="bill" if isinstance(row, Bill) else "vendor_credit",
        seq=row.seq,
        lines=[*row.lines, *(goods.line for goods in row.inventory_lines)],
        options=row.options,
        coded_vendor_id=vendor.id if vendor else None,
    )


def _shaped(selection: dict[str, Any]) -> dict[str, Any]:
    kept = {key: value for key, value in selection.items() if key not in _ONLY_ON_PURCHASES}
    return {"external_code": None} | kept
