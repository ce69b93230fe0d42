"""A business as tests hold it: its accounting connections, and the charts in them."""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from connections.ramp_simulator import bodies, chart, custom_fields, seats, taxes
from connections.ramp_simulator.chart_records import ChartRow, CustomField, FieldOption
from connections.ramp_simulator.money_handles import DEPARTMENT
from connections.ramp_simulator.people import NotPossible
from connections.ramp_simulator.records import Business, Connection, ConnectionType
from connections.ramp_simulator.tables import ChartTable
from connections.ramp_simulator.world import World


class ChartHandle:
    """The part of `BusinessHandle` that is about the seat of the ERP and what it has uploaded."""

    _world: World
    record: Business
    key: str

    @property
    def connection(self) -> Connection | None:
        """Whoever has the active accounting seat."""
        return seats.active(self._world, self.key)

    def upload_chart(
        self,
        *,
        accounts: Sequence[Mapping[str, Any]] = (),
        departments: Sequence[Mapping[str, Any]] = (),
        vendors: Sequence[Mapping[str, Any]] = (),
        tax_codes: Sequence[Mapping[str, Any]] = (),
        connection_name: str = "rampbridge",
    ) -> Connection:
        """Upload as a client would over the API, leaving out what is there already.

        A tax code brings its own rate along: `id`, `name`, `rate`, and `account_id`, the ERP's id
        of a GL account.
        """
        with self._world.change():
            connection = self.connection or self.occupy_seat(connection_name)
            world = self._world
            known = {
                row.external_id
                for table in (world.accounts, world.vendors, world.options, world.tax_codes)
                for row in _rows(table, connection)
            }
            if new := [row for row in accounts if row["id"] not in known]:
                uploads = [bodies.AccountUpload.model_validate(row) for row in new]
                chart.add_accounts(world, connection, uploads)
            if new := [row for row in vendors if row["id"] not in known]:
                chart.add_vendors(
                    world, connection, [bodies.VendorUpload.model_validate(row) for row in new]
                )
            if new := [row for row in departments if row["id"] not in known]:
                self._upload_departments(connection, new)
            if new := [row for row in tax_codes if row["id"] not in known]:
                self._upload_tax_codes(connection, new)
            return connection

    def occupy_seat(
        self, name: str, connection_type: ConnectionType | str = ConnectionType.API
    ) -> Connection:
        """Somebody connects an accounting system; whoever had the seat loses it."""
        with self._world.change():
            return seats.occupy(self._world, self.key, name, ConnectionType(connection_type))

    def connect_directly(
        self, name: str = "QuickBooks Online", *, options: Mapping[str, str] | None = None
    ) -> Connection:
        """Somebody connects an ERP that Ramp itself reads (M6); `options` of a field by id."""
        with self._world.change():
            connection = self.occupy_seat(name, ConnectionType.DIRECT)
            if options:
                rows = [{"id": one, "name": value} for one, value in options.items()]
                self._upload_departments(connection, rows)
            return connection

    def disconnect(self, *, give_back: bool = False) -> None:
        """Whoever has the seat loses it; `give_back`: the API connection before gets it again.

        :raises NotPossible: if nobody has it, or there is none to give it back to
        """
        with self._world.change():
            connection = self._seated()
            connection.is_active = False
            self._world.connections.put(connection)
            if not give_back:
                return
            former = [
                row
                for row in self._world.connections.of(self.key)
                if row.connection_type is ConnectionType.API and row is not connection
            ]
            if not former:
                raise NotPossible(f"{self.record.name} had no API connection before.")
            seats.link(self._world, former[-1])

    def revoke_connection(self) -> None:
        """Somebody takes its leave away from whoever has the seat.

        :raises NotPossible: if nobody has it
        """
        with self._world.change():
            connection = self._seated()
            connection.is_active, connection.is_revoked = False, True
            self._world.connections.put(connection)

    def flip_switch(self, name: str, *, on: bool) -> None:
        """Somebody sets one of the connection's switches in Ramp's pages.

        :raises NotPossible: if nobody has the seat, or there is no such switch
        """
        with self._world.change():
            connection = self._seated()
            if name not in bodies.ConnectionSettings.model_fields:
                raise NotPossible(f"There is no switch {name}.")
            connection.settings[name] = on
            self._world.connections.put(connection)

    def import_accounts(self, accounts: Sequence[Mapping[str, str]]) -> None:
        """Into whatever connection has the seat, as from a file; all are of expenses."""
        with self._world.change():
            uploads = [
                bodies.AccountUpload(classification="EXPENSE", **account) for account in accounts
            ]
            chart.add_accounts(self._world, self._seated(), uploads)

    def change_in_ramp(
        self,
        kind: str,
        external_id: str,
        *,
        name: str | None = None,
        code: str | None = None,
        is_active: bool | None = None,
        is_hidden: bool | None = None,
        display_name: str | None = None,
    ) -> ChartRow:
        """Somebody changes a record of the active chart in Ramp's pages.

        `kind` is account, vendor, field, option, tax_rate or tax_code.

        :raises NotPossible: if there is no such record, or it cannot be hidden
        """
        with self._world.change():
            table, row = self._charted(kind, external_id)
            if is_hidden is not None:
                if not isinstance(row, FieldOption):
                    raise NotPossible("Only options are hidden.")
                row.is_hidden = is_hidden
            if display_name is not None and isinstance(row, FieldOption | CustomField):
                row.display_name = display_name
            row.name = name or row.name
            row.code = row.code if code is None else code or None
            row.is_active = row.is_active if is_active is None else is_active
            row.updated_at = self._world.clock()
            table.put(row)
            return row

    def charted(self) -> dict[str, Iterator[ChartRow]]:
        """What the active chart has, by kind.

        :raises NotPossible: if nobody has the seat
        """
        connection = self._seated()
        return {kind: table.of_connection(connection.id) for kind, table in self._charts().items()}

    def _charted(self, kind: str, external_id: str) -> tuple[ChartTable[Any], ChartRow]:
        tables = self._charts()
        if kind not in tables:
            raise NotPossible(f"There is no kind {kind}; there are {', '.join(tables)}.")
        found = tables[kind].of_external_id(self._seated().id, external_id)
        if not found:
            raise NotPossible(f"{self.record.name} has no {kind} {external_id} in Ramp.")
        return tables[kind], found[0]

    def _charts(self) -> dict[str, ChartTable[Any]]:
        world = self._world
        return {
            "account": world.accounts,
            "vendor": world.vendors,
            "field": world.fields,
            "option": world.options,
            "tax_rate": world.tax_rates,
            "tax_code": world.tax_codes,
        }

    def _seated(self) -> Connection:
        if self.connection is None:
            raise NotPossible(f"{self.record.name} has no active accounting connection.")
        return self.connection

    def _upload_departments(
        self, connection: Connection, rows: Sequence[Mapping[str, Any]]
    ) -> None:
        field = custom_fields.add_field(
            self._world,
            connection,
            bodies.FieldCreate(
                id=DEPARTMENT.lower(),
                name=DEPARTMENT,
                input_type="SINGLE_CHOICE",
                is_splittable=True,
            ),
        )
        uploads = [
            bodies.OptionUpload(id=row["id"], value=row["name"], code=row.get("code"))
            for row in rows
        ]
        custom_fields.add_options(self._world, connection, field, uploads)

    def _upload_tax_codes(self, connection: Connection, rows: Sequence[Mapping[str, Any]]) -> None:
        world = self._world
        rates = [
            bodies.TaxRateUpload(
                id=row["id"],
                name=row["name"],
                rate=row["rate"],
                accounting_gl_account_id=chart.ramp_id(connection.id, "account", row["account_id"]),
            )
            for row in rows
        ]
        taxes.add_rates(world, connection, rates)
        if not _rows(world.tax_fields, connection):
            taxes.add_field(world, connection, "Tax code")
        codes = [
            bodies.TaxCodeUpload(id=row["id"], name=row["name"], tax_rate_ids=[row["id"]])
            for row in rows
        ]
        taxes.add_codes(world, connection, codes)


def _rows(table: ChartTable[Any], connection: Connection) -> list[ChartRow]:
    return list(table.of_connection(connection.id))
