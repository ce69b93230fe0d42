"""The customer switches providers in Ramp's pages, and what survives it.

What was ready for the old connection is ready no more, and bills in flight stay behind. Codings
come along as far as the customer's field mapping, a code or a name leads to the new chart.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import chain
from typing import Any, TypeVar

from connections.ramp_simulator import seats
from connections.ramp_simulator.bill_records import Bill, BillSyncStatus, VendorCredit
from connections.ramp_simulator.chart_records import ChartRow, CustomField, Vendor
from connections.ramp_simulator.codings import Codebook
from connections.ramp_simulator.people import NotPossible
from connections.ramp_simulator.records import Coded, Connection, Line, SyncStatus
from connections.ramp_simulator.tables import SyncedTable
from connections.ramp_simulator.world import World

C = TypeVar("C", bound=ChartRow)
CodedRow = Coded | Bill | VendorCredit
"""Whatever people code."""


@dataclass(frozen=True, slots=True)
class FieldMapping:
    """What the customer chooses while switching: old ids to new ones, each as its ERP has it.

    A field that is not named is left out. `records` are accounts, vendors and tax codes; what is
    not named here is looked for by its code, then by its name.
    """

    fields: Mapping[str, str] = field(default_factory=dict)
    options: Mapping[str, str] = field(default_factory=dict)
    accounts: Mapping[str, str] = field(default_factory=dict)
    vendors: Mapping[str, str] = field(default_factory=dict)
    tax_codes: Mapping[str, str] = field(default_factory=dict)


def switch(world: World, business: str, name: str, mapping: FieldMapping) -> Connection:
    """Give the seat to the connection of that name, which must be marked ready.

    :raises NotPossible: if none of that name is offered, or there is none to leave
    """
    old = seats.active(world, business)
    rows = world.connections.of(business)
    new = next((row for row in rows if row.name == name and row.is_ready_to_migrate), None)
    if old is None or new is None:
        raise NotPossible(f"Switch Providers does not offer {name}.")
    before = Codebook(world, business)
    old.is_active = False
    world.connections.put(old)
    new.is_ready_to_migrate = False
    seats.link(world, new)
    _lose_what_is_ready(world, business)
    _Carrier(before, Codebook(world, business), mapping).carry(world)
    return new


def switch_back(world: World, business: str, connection_id: str) -> Connection:
    """The connection that was left has the seat again, as if its provider had been reconnected.

    :raises NotPossible: if the business has no such connection
    """
    connection = world.connections.get(connection_id, business)
    if connection is None:
        raise NotPossible(f"There is no connection {connection_id}.")
    if incumbent := seats.active(world, business):
        incumbent.is_active = False
        world.connections.put(incumbent)
    return seats.link(world, connection)


def _lose_what_is_ready(world: World, business: str) -> None:
    """Only what was synced before is settled; the rest has to be made ready anew."""
    tables: Sequence[SyncedTable[Any]] = (
        world.transactions,
        world.reimbursements,
        world.transfers,
        world.cashbacks,
    )
    for table in tables:
        for row in list(table.in_status(business, SyncStatus.SYNC_READY).values()):
            row.sync_status, row.sync_request_id = SyncStatus.NOT_SYNC_READY, None
            table.put(row)
    for bill in world.bills.of(business):
        if bill.sync_status is not BillSyncStatus.BILL_AND_PAYMENT_SYNCED:
            bill.is_sync_enabled = False
            world.bills.put(bill)


class _Carrier:
    """Rewrites codings from one chart to the next."""

    def __init__(self, old: Codebook, new: Codebook, mapping: FieldMapping) -> None:
        self._old = old
        self._new = new
        self._mapping = mapping
        self._likes: dict[str, Any] = {}
        self._new_fields = {row.external_id: row for row in new.fields}

    def carry(self, world: World) -> None:
        business = self._old.business
        for row in coded_rows(world, business):
            row.options = self._options(row.options)
            for line in lines_of(row):
                self._carry_line(line)
            if isinstance(row, Coded) and row.coded_vendor_id:
                row.coded_vendor_id = self._vendor_id(world, row.coded_vendor_id)
            world.keep(row)
        for payee in world.payees.of(business):
            payee.linked_to = self._linked(world, payee.linked_to)
            world.payees.put(payee)

    def _carry_line(self, line: Line) -> None:
        account = self._old.account(line.account_code)
        new = self._like(account, self._new.accounts.values(), self._mapping.accounts)
        line.account_code = (new.code or new.external_id) if new else None
        tax_code = self._old.tax_code(line.tax_code)
        tax = self._like(tax_code, self._new.tax_codes.values(), self._mapping.tax_codes)
        line.tax_code = tax.external_id if tax else None
        line.options = self._options(line.options)

    def _options(self, options: Mapping[str, str]) -> dict[str, str]:
        return dict(self._carried(options))

    def _carried(self, options: Mapping[str, str]) -> Iterator[tuple[str, str]]:
        for name, code in options.items():
            old = self._old.option(name, code)
            new_field = old and self._field(old[0])
            if old is None or new_field is None:
                continue
            offered = self._new.options[new_field.id].values()
            if found := self._like(old[1], offered, self._mapping.options):
                yield new_field.name, found.code or found.external_id

    def _field(self, old: CustomField) -> CustomField | None:
        return self._new_fields.get(self._mapping.fields.get(old.external_id, ""))

    def _vendor_id(self, world: World, old_id: str) -> str | None:
        found = self._vendor(world, self._old.vendor(old_id))
        return found.id if found else None

    def _linked(self, world: World, linked_to: str | None) -> str | None:
        """A vendor to be paid stays linked, if its accounting vendor has a like."""
        if linked_to is None:
            return None
        old = self._old.vendor_of_remote_id(linked_to) or self._old.vendor_named(linked_to)
        found = self._vendor(world, old)
        return found.external_id if found else None

    def _vendor(self, world: World, old: Vendor | None) -> Vendor | None:
        offered = world.vendors.of_connection(self._new.connection_id)
        return self._like(old, offered, self._mapping.vendors)

    def _like(self, old: C | None, offered: Iterable[C], chosen: Mapping[str, str]) -> C | None:
        """What takes a record's place; looked for once, for a chart may be large."""
        if old is None:
            return None
        if old.id not in self._likes:
            self._likes[old.id] = _alike(old, offered, chosen)
        found: C | None = self._likes[old.id]
        return found


def _alike(old: C, offered: Iterable[C], chosen: Mapping[str, str]) -> C | None:
    """What the customer has chosen for it, else what has its code, else what has its name."""
    rows = [row for row in offered if row.is_active]
    if old.external_id in chosen:
        return next((row for row in rows if row.external_id == chosen[old.external_id]), None)
    by_code = (row for row in rows if old.code and row.code == old.code)
    by_name = (row for row in rows if row.name.casefold() == old.name.casefold())
    return next(chain(by_code, by_name), None)


def coded_rows(world: World, business: str) -> list[CodedRow]:
    """Everything of a business that people code."""
    return [
        *world.transactions.of(business),
        *world.reimbursements.of(business),
        *world.bills.of(business),
        *world.vendor_credits.of(business),
    ]


def lines_of(row: CodedRow) -> Iterator[Line]:
    yield from row.lines
    if not isinstance(row, Coded):
        yield from (goods.line for goods in row.inventory_lines)
