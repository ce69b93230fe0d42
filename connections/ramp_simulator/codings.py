"""From the codes that people chose to the selections that Ramp answers with.

A scenario is written before any chart was uploaded, so a transaction keeps ERP codes such as
6200, and each answer looks up what the active connection has under that code. A code that it
does not have gives no selection.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Protocol, TypeVar

from connections.ramp_simulator import chart, seats
from connections.ramp_simulator.chart_records import (
    Account,
    ChartRow,
    CustomField,
    FieldOption,
    TaxCode,
    TaxField,
    Vendor,
)
from connections.ramp_simulator.records import Line
from connections.ramp_simulator.tables import ChartTable, Table
from connections.ramp_simulator.world import World

C = TypeVar("C", bound=ChartRow)


class Codable(Protocol):
    """Anything that people code. Lines may be of any kind of it."""

    @property
    def object_type(self) -> str: ...
    @property
    def seq(self) -> int: ...
    @property
    def lines(self) -> Sequence[Line]: ...
    @property
    def options(self) -> Mapping[str, str]: ...
    @property
    def vendor_name(self) -> str | None: ...
    @property
    def coded_vendor_id(self) -> str | None: ...


@dataclass(slots=True)
class Coding:
    """What a purchase is coded to, split as Ramp does between its body and its lines."""

    body: list[dict[str, Any]]
    lines: list[list[dict[str, Any]]]
    is_deleted: bool


class Codebook:
    """The chart of the active connection of one business, by code."""

    def __init__(self, world: World, business: str) -> None:
        connection = seats.active(world, business)
        self.business = business
        self.connection_id = connection.id if connection else ""
        self.provider = connection.name if connection else ""
        self._vendors = world.vendors
        self.accounts = self._by_code(self._rows_of(world.accounts))
        self.fields = self._rows_of(world.fields)
        self.options = {
            field.id: self._by_code(
                row for row in self._rows_of(world.options) if row.field_id == field.id
            )
            for field in self.fields
        }
        self.tax_codes = self._by_code(self._rows_of(world.tax_codes))
        self.tax_field = next(
            (row for row in self._rows_of(world.tax_fields) if row.is_active), None
        )

    def account(self, code: str | None) -> Account | None:
        return self.accounts.get(code) if code else None

    def vendor_of(self, row: Codable) -> Vendor | None:
        """The accounting vendor that a client chose, else the one that Ramp matches by name."""
        if row.coded_vendor_id and (chosen := self.vendor(row.coded_vendor_id)):
            return chosen
        vendor = self.vendor_named(row.vendor_name) if row.vendor_name else None
        return vendor if vendor and vendor.matches_from <= row.seq else None

    def vendor(self, ramp_id: str) -> Vendor | None:
        vendor = self._vendors.get(ramp_id, self.business)
        return vendor if vendor and vendor.connection_id == self.connection_id else None

    def vendor_of_remote_id(self, external_id: str) -> Vendor | None:
        found = self._vendors.of_external_id(self.connection_id, external_id)
        return found[0] if found else None

    def vendor_named(self, name: str) -> Vendor | None:
        """Of two of one name the active one counts, else the first."""
        found = self._vendors.named(self.connection_id, name)
        return min(found, key=lambda vendor: not vendor.is_active, default=None)

    @property
    def active_tax_codes(self) -> list[TaxCode]:
        """What people may choose from; nothing without the field."""
        rows = self.tax_codes.values() if self.tax_field else ()
        return [row for row in rows if row.is_active]

    def tax_code(self, external_id: str | None) -> TaxCode | None:
        return self.tax_codes.get(external_id) if external_id and self.tax_field else None

    def option(self, field_name: str, code: str) -> tuple[CustomField, FieldOption] | None:
        """The option of that code, in the field of that name if there is one, else in any."""
        fields = sorted(self.fields, key=lambda field: not _is_called(field, field_name))
        for field in fields:
            if option := self.options[field.id].get(code):
                return field, option
        return None

    def _rows_of(self, table: ChartTable[C]) -> list[C]:
        return list(table.of_connection(self.connection_id))

    def _by_code(self, rows: Iterable[C]) -> dict[str, C]:
        """By code, or by the ERP's id where nothing has that code."""
        found: dict[str, C] = {}
        mine = list(rows)
        for row in mine:
            if row.code:
                self._keep_best(found, row.code, row)
        for row in mine:
            found.setdefault(row.external_id, row)
        return found

    @staticmethod
    def _keep_best(found: dict[str, C], key: str, row: C) -> None:
        """Of two with one code the active one counts, else the first."""
        if key not in found or (row.is_active and not found[key].is_active):
            found[key] = row


def book_of(world: World, business: str) -> Codebook:
    """The business's codebook, read again only if its chart has changed since.

    Vendors do not count: there may be many, so they are looked up where they stand.
    """
    charts: tuple[Table[Any], ...] = (
        world.connections,
        world.accounts,
        world.fields,
        world.options,
        world.tax_fields,
        world.tax_codes,
    )
    revision = sum(table.revision[business] for table in charts)
    known = world.codebooks.get(business)
    if known is None or known[0] != revision:
        known = world.codebooks[business] = (revision, Codebook(world, business))
    return known[1]


def coding(book: Codebook, row: Codable) -> Coding:
    """The selections of what was coded, and whether one of them was deleted since."""
    chosen: list[ChartRow] = []
    body: list[dict[str, Any]] = []
    if vendor := book.vendor_of(row):
        chosen.append(vendor)
        body.append(_selection(book, vendor, "MERCHANT", _native(book, "Merchant")))
    shared = {name: code for line in row.lines[:1] for name, code in line.options.items()}
    for name, code in {**shared, **row.options}.items():
        found = book.option(name, code)
        if found and not found[0].is_splittable:
            chosen.append(found[1])
            body.append(_selection(book, found[1], "OTHER", _custom(found[0])))
    lines = [_line(book, row, line, chosen) for line in row.lines]
    return Coding(body=body, lines=lines, is_deleted=any(not one.is_active for one in chosen))


def missing_fields(book: Codebook, row: Codable) -> list[str]:
    """Names of the fields that must be coded before it can be ready, and are not."""
    shown = coding(book, row)
    missing = []
    for field in book.fields:
        places = shown.lines if field.is_splittable else [shown.body]
        is_coded = all(
            any(selection["category_info"]["id"] == field.id for selection in place)
            for place in places
        )
        if field.is_active and row.object_type.upper() in field.is_required_for and not is_coded:
            missing.append(field.name)
    return missing


def _line(book: Codebook, row: Codable, line: Line, chosen: list[ChartRow]) -> list[dict[str, Any]]:
    selections = []
    if account := book.account(line.account_code):
        chosen.append(account)
        selections.append(_selection(book, account, "GL_ACCOUNT", _native(book, "Category")))
    if book.tax_field and (tax_code := book.tax_code(line.tax_code)):
        chosen.append(tax_code)
        selections.append(_selection(book, tax_code, "TAX_CODE", _custom(book.tax_field)))
    for name, code in {**row.options, **line.options}.items():
        found = book.option(name, code)
        if found and found[0].is_splittable:
            chosen.append(found[1])
            selections.append(_selection(book, found[1], "OTHER", _custom(found[0])))
    return selections


def _selection(
    book: Codebook, row: ChartRow, kind: str, category: dict[str, Any]
) -> dict[str, Any]:
    """Emits the kind both at the top and in `category_info`; sources disagree on the first."""
    selection = {
        "id": row.id,
        "external_id": row.external_id,
        "name": row.name,
        "provider_name": book.provider,
        "type": kind,
        "source": {"type": "USER"},
        "category_info": category | {"type": kind},
    }
    return selection | ({} if row.code is None else {"external_code": row.code})


def _native(book: Codebook, name: str) -> dict[str, Any]:
    return {"id": chart.category_id(book.business, name), "external_id": name, "name": name}


def _custom(field: CustomField | TaxField) -> dict[str, Any]:
    return {"id": field.id, "external_id": field.external_id, "name": field.name}


def _is_called(field: CustomField, name: str) -> bool:
    names = {field.name.casefold(), field.external_id.casefold()}
    return name.casefold() in names
