"""All records of all businesses, with what must be found quickly."""

import hashlib
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any
from uuid import UUID

from pydantic import TypeAdapter

from connections.ramp_simulator import bill_records, chart_records, money_records, records
from connections.ramp_simulator.clock import Clock
from connections.ramp_simulator.faults import FaultBook
from connections.ramp_simulator.records import Record
from connections.ramp_simulator.store import RowKey, Store
from connections.ramp_simulator.switches import Switches
from connections.ramp_simulator.tables import ChartTable, SyncedTable, Table

if TYPE_CHECKING:
    from connections.ramp_simulator.codings import Codebook

_COUNTER: RowKey = ("counter", "ids")


class Ids:
    """Ids that look random, and are the same again for the same seed and the same history."""

    def __init__(self, seed: int) -> None:
        self._seed = seed
        self.used = 0

    def rank(self) -> int:
        self.used += 1
        return self.used

    def uuid(self) -> str:
        return str(UUID(bytes=self._digest()[:16], version=4))

    def secret(self, prefix: str, length: int = 40) -> str:
        return prefix + self._digest().hex()[:length]

    def _digest(self) -> bytes:
        return hashlib.sha256(f"{self._seed}:{self.rank()}".encode()).digest()


class World:
    """Everything the pretend Ramp knows, behind one lock."""

    def __init__(self, *, clock: Clock, seed: int, store: Store, switches: Switches) -> None:
        self.lock = threading.RLock()
        self.clock = clock
        self.ids = Ids(seed)
        self.switches = switches
        self.faults = FaultBook(seed)
        self.deliveries_owed = threading.Event()
        self.codebooks: dict[str, tuple[int, Codebook]] = {}
        self._store = store
        changed = self._changed = dict[RowKey, Record | None]()
        self.businesses = Table(records.Business, changed)
        self.entities = Table(records.Entity, changed)
        self.people = Table(records.Person, changed)
        self.tokens = Table(records.Token, changed)
        self.connections = Table(records.Connection, changed)
        self.accounts = ChartTable(chart_records.Account, changed)
        self.vendors = ChartTable(chart_records.Vendor, changed)
        self.fields = ChartTable(chart_records.CustomField, changed)
        self.options = ChartTable(chart_records.FieldOption, changed)
        self.tax_rates = ChartTable(chart_records.TaxRate, changed)
        self.tax_fields = ChartTable(chart_records.TaxField, changed)
        self.tax_codes = ChartTable(chart_records.TaxCode, changed)
        self.item_fields = ChartTable(chart_records.ItemField, changed)
        self.items = ChartTable(chart_records.Item, changed)
        self.transactions = SyncedTable(records.Transaction, changed)
        self.reimbursements = SyncedTable(money_records.Reimbursement, changed)
        self.transfers = SyncedTable(money_records.Transfer, changed)
        self.cashbacks = SyncedTable(money_records.Cashback, changed)
        self.statements = Table(money_records.Statement, changed)
        self.payees = Table(bill_records.Payee, changed)
        self.bills = Table(bill_records.Bill, changed)
        self.bill_payments = Table(bill_records.BillPayment, changed)
        self.vendor_credits = Table(bill_records.VendorCredit, changed)
        self.receipts = Table(bill_records.Receipt, changed)
        self.used_keys = Table(records.UsedKey, changed)
        self.sync_requests = Table(records.SyncRequest, changed)
        self.webhooks = Table(records.Webhook, changed)
        self.deliveries = Table(records.Delivery, changed)
        self.held_deliveries = Table(records.HeldDelivery, changed)
        self._tables: dict[str, Table[Any]] = {
            value.kind.__name__: value for value in vars(self).values() if isinstance(value, Table)
        }
        self._codecs = {name: TypeAdapter(table.kind) for name, table in self._tables.items()}

    @contextmanager
    def change(self) -> Iterator[None]:
        """Hold the lock, and keep what changed before anyone is told of it."""
        with self.lock:
            try:
                yield
            finally:
                self._keep()

    def load(self) -> bool:
        """Take over what the store holds; False if it holds nothing."""
        with self.lock:
            rows: list[Record] = []
            for kind, _, body in self._store.rows():
                if kind == _COUNTER[0]:
                    self.ids.used = int(body)
                else:
                    rows.append(self._codecs[kind].validate_json(body))
            for row in sorted(rows, key=lambda row: row.seq):
                self._tables[type(row).__name__].put(row)
            self._changed.clear()
            return bool(rows)

    def business(self, key: str) -> records.Business:
        """:raises KeyError: if there is no such business"""
        for business in self.businesses.of(key):
            return business
        raise KeyError(key)

    def keep(self, row: Record) -> None:
        """Put a record into the table of its kind."""
        self._tables[type(row).__name__].put(row)

    def close(self) -> None:
        with self.lock:
            self._store.close()

    def _keep(self) -> None:
        if not self._changed:
            return
        bodies: dict[RowKey, bytes | None] = {
            (kind, row_id): None if row is None else self._codecs[kind].dump_json(row)
            for (kind, row_id), row in self._changed.items()
        }
        bodies[_COUNTER] = str(self.ids.used).encode()
        self._store.write(bodies)
        self._changed.clear()
