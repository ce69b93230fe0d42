"""All records of all businesses, with what must be found quickly."""

import hashlib
import threading
from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any, Generic, TypeVar
from uuid import UUID

from pydantic import TypeAdapter

from connections.ramp_simulator import bill_records, money_records, records
from connections.ramp_simulator.clock import Clock
from connections.ramp_simulator.faults import FaultBook
from connections.ramp_simulator.records import Record, Synced, SyncStatus
from connections.ramp_simulator.store import RowKey, Store
from connections.ramp_simulator.switches import Switches

if TYPE_CHECKING:
    from connections.ramp_simulator.codings import Codebook

R = TypeVar("R", bound=Record)
S = TypeVar("S", bound=Synced)
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


class Table(Generic[R]):
    """Records of one kind. `put` after every change, so that the change is kept."""

    def __init__(self, kind: type[R], changed: dict[RowKey, Record | None]) -> None:
        self.kind = kind
        self._changed = changed
        self._rows: dict[str, R] = {}
        self._by_business: defaultdict[str, dict[str, R]] = defaultdict(dict)
        self.revision: Counter[str] = Counter()

    def get(self, row_id: str, business: str | None = None) -> R | None:
        """The record, or None if there is none or it belongs to another business."""
        row = self._rows.get(row_id)
        return row if row and business in {None, row.business} else None

    def of(self, business: str) -> Iterable[R]:
        return self._by_business[business].values()

    def all(self) -> Iterable[R]:
        return self._rows.values()

    def put(self, row: R) -> R:
        self._rows[row.id] = row
        self._by_business[row.business][row.id] = row
        self.revision[row.business] += 1
        self._changed[self.kind.__name__, row.id] = row
        return row

    def remove(self, row: R) -> None:
        del self._rows[row.id]
        del self._by_business[row.business][row.id]
        self._changed[self.kind.__name__, row.id] = None

    def __len__(self) -> int:
        return len(self._rows)


class SyncedTable(Table[S]):
    """Also knows who is in which sync status, for that is what clients ask for most."""

    def __init__(self, kind: type[S], changed: dict[RowKey, Record | None]) -> None:
        super().__init__(kind, changed)
        self._status: dict[str, SyncStatus] = {}
        self._in_status: defaultdict[tuple[str, SyncStatus], dict[str, S]] = defaultdict(dict)

    def put(self, row: S) -> S:
        before = self._status.get(row.id)
        if before is not row.sync_status:
            if before is not None:
                del self._in_status[row.business, before][row.id]
            self._in_status[row.business, row.sync_status][row.id] = row
            self._status[row.id] = row.sync_status
        return super().put(row)

    def in_status(self, business: str, status: SyncStatus) -> dict[str, S]:
        return self._in_status[business, status]


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
        self.accounts = Table(records.Account, changed)
        self.vendors = Table(records.Vendor, changed)
        self.fields = Table(records.CustomField, changed)
        self.options = Table(records.FieldOption, changed)
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
