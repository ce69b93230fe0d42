"""A business as tests and the admin interface hold it: every act of its people, kept at once."""

from collections.abc import Sequence
from decimal import Decimal
from typing import Any

from connections.ramp_simulator import ledger, people
from connections.ramp_simulator.amounts import minor_units
from connections.ramp_simulator.bill_handles import BillHandle
from connections.ramp_simulator.chart_handles import ChartHandle
from connections.ramp_simulator.migration_handles import MigrationHandle
from connections.ramp_simulator.money_handles import DEPARTMENT, MoneyHandle
from connections.ramp_simulator.people import Edit, Merchant, NotPossible, Purchase
from connections.ramp_simulator.records import (
    Business,
    Coded,
    SyncStatus,
    Transaction,
)
from connections.ramp_simulator.world import World


class BusinessHandle(ChartHandle, MoneyHandle, BillHandle, MigrationHandle):
    """One business of the pretend Ramp. Records it hands out are live."""

    def __init__(self, world: World, record: Business) -> None:
        self._world = world
        self.record = record
        self.key = record.key
        self.id = record.id
        self.client_id = record.client_id
        self.client_secret = record.client_secret

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

    def grant_scopes(self, scopes: Sequence[str]) -> None:
        """What tokens minted from now on may do."""
        with self._world.change():
            self.record.scopes = list(scopes)
            self._world.businesses.put(self.record)

    def remove_scope(self, scope: str) -> None:
        """The app may not do that any more, tokens that are out included.

        :raises NotPossible: if it was not allowed to before
        """
        if scope not in self.record.scopes:
            raise NotPossible(f"{self.record.name}'s app does not have {scope}.")
        with self._world.change():
            self.grant_scopes([one for one in self.record.scopes if one != scope])
            for token in self._world.tokens.of(self.key):
                token.scopes = [one for one in token.scopes if one != scope]
                self._world.tokens.put(token)

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
