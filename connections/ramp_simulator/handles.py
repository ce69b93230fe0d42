"""A business as tests and the admin interface hold it: every act of its people, kept at once."""

from collections.abc import Mapping, Sequence
from decimal import Decimal
from typing import Any

from connections.ramp_simulator import bodies, chart, custom_fields, ledger, people, seats
from connections.ramp_simulator.amounts import minor_units
from connections.ramp_simulator.bill_handles import BillHandle
from connections.ramp_simulator.money_handles import DEPARTMENT, MoneyHandle
from connections.ramp_simulator.people import Edit, Merchant, NotPossible, Purchase
from connections.ramp_simulator.records import (
    Business,
    Coded,
    Connection,
    ConnectionType,
    SyncStatus,
    Transaction,
)
from connections.ramp_simulator.world import World


class BusinessHandle(MoneyHandle, BillHandle):
    """One business of the pretend Ramp. Records it hands out are live."""

    def __init__(self, world: World, record: Business) -> None:
        self._world = world
        self.record = record
        self.key = record.key
        self.id = record.id
        self.client_id = record.client_id
        self.client_secret = record.client_secret

    @property
    def connection(self) -> Connection | None:
        """Whoever has the active accounting seat."""
        return seats.active(self._world, self.key)

    def transaction(self, transaction_id: str) -> Transaction:
        """:raises NotPossible: if this business has no such transaction"""
        row = self._world.transactions.get(transaction_id, self.key)
        if row is None:
            raise NotPossible(f"{self.record.name} has no transaction {transaction_id}.")
        return row

    def transactions(self, status: SyncStatus | str | None = None) -> list[Transaction]:
        with self._world.lock:
            if status is None:
                return list(self._world.transactions.of(self.key))
            found = self._world.transactions.in_status(self.key, SyncStatus(status))
            return sorted(found.values(), key=lambda row: row.seq)

    def create_transaction(
        self,
        amount: Decimal | float | str | None = None,
        *,
        minor: int | None = None,
        merchant: Merchant | str = "Staples",
        department: str | None = None,
        ready: bool = False,
        **details: Any,
    ) -> Transaction:
        """Spend money: `amount` in major units or `minor`; `details` are those of `Purchase`."""
        if minor is None:
            minor = minor_units(Decimal("42.50") if amount is None else amount, self._currency)
        if isinstance(merchant, str):
            merchant = Merchant(name=merchant)
        options = dict(details.pop("options", {}))
        if department:
            options[DEPARTMENT] = department
        purchase = Purchase(minor=minor, merchant=merchant, options=options, **details)
        with self._world.change():
            row = people.spend(self._world, self.key, purchase)
            if ready:
                people.mark_ready(self._world, row)
            return row

    def mark_ready(self, row_id: str, *, by_force: bool = False) -> None:
        """A transaction or a reimbursement; `by_force` also one that Ramp would refuse."""
        with self._world.change():
            people.mark_ready(self._world, self._coded(row_id), by_force=by_force)

    def take_back(self, row_id: str) -> None:
        """Un-ready a transaction or a reimbursement."""
        with self._world.change():
            people.take_back(self._world, self._coded(row_id))

    def clear(self, transaction_id: str) -> None:
        with self._world.change():
            people.clear(self._world, self.transaction(transaction_id))

    def edit(self, row_id: str, **changes: Any) -> None:
        """Change memo, accounting_date, account_code, options, vendor_name or minor.

        Of a transaction or a reimbursement.
        """
        with self._world.change():
            people.edit(self._world, self._coded(row_id), Edit(**changes))

    def press_export(self, row_id: str | None = None) -> list[str]:
        """Export one transaction or reimbursement, or all ready transactions; the ids."""
        with self._world.change():
            rows: Sequence[Coded] = (
                self.transactions(SyncStatus.SYNC_READY)
                if row_id is None
                else [self._coded(row_id)]
            )
            for row in rows:
                people.press_export(self._world, row)
            return [row.id for row in rows]

    def upload_chart(
        self,
        *,
        accounts: Sequence[Mapping[str, Any]] = (),
        departments: Sequence[Mapping[str, Any]] = (),
        vendors: Sequence[Mapping[str, Any]] = (),
        connection_name: str = "rampbridge",
    ) -> Connection:
        """Upload as a client would over the API, leaving out what is there already."""
        with self._world.change():
            connection = self.connection or self.occupy_seat(connection_name)
            world = self._world
            known = {
                row.external_id
                for table in (world.accounts, world.vendors, world.options)
                for row in table.of(self.key)
                if row.connection_id == connection.id
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
            return connection

    def occupy_seat(
        self, name: str, connection_type: ConnectionType | str = ConnectionType.API
    ) -> Connection:
        """Somebody connects an accounting system; whoever had the seat loses it."""
        with self._world.change():
            world = self._world
            if incumbent := self.connection:
                incumbent.is_active = False
                world.connections.put(incumbent)
            now = world.clock()
            return world.connections.put(
                Connection(
                    id=world.ids.uuid(),
                    seq=world.ids.rank(),
                    business=self.key,
                    name=name,
                    connection_type=ConnectionType(connection_type),
                    is_active=True,
                    settings=bodies.ConnectionSettings().model_dump(),
                    created_at=now,
                    last_linked_at=now,
                )
            )

    def grant_scopes(self, scopes: Sequence[str]) -> None:
        """What tokens minted from now on may do."""
        with self._world.change():
            self.record.scopes = list(scopes)
            self._world.businesses.put(self.record)

    def expire_tokens(self) -> None:
        with self._world.change():
            for token in self._world.tokens.of(self.key):
                token.expires_at = self._world.clock()
                self._world.tokens.put(token)

    def revoke_tokens(self) -> None:
        with self._world.change():
            for token in list(self._world.tokens.of(self.key)):
                self._world.tokens.remove(token)

    def forget_keys(self) -> None:
        """Idempotency keys grow older than Ramp remembers."""
        with self._world.change():
            for key in list(self._world.used_keys.of(self.key)):
                self._world.used_keys.remove(key)

    def ledger(self) -> list[dict[str, Any]]:
        return list(ledger.entries(self._world, self.key))

    def _coded(self, row_id: str) -> Coded:
        return self._world.reimbursements.get(row_id, self.key) or self.transaction(row_id)

    @property
    def _currency(self) -> str:
        return self.record.currency

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
