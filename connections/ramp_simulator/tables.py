"""Where records of one kind stand, with what must be found quickly."""

from bisect import bisect_right, insort
from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Sequence
from itertools import islice
from typing import Generic, TypeVar

from connections.ramp_simulator.chart_records import ChartRow
from connections.ramp_simulator.records import Record, Synced, SyncStatus
from connections.ramp_simulator.store import RowKey

R = TypeVar("R", bound=Record)
S = TypeVar("S", bound=Synced)
C = TypeVar("C", bound=ChartRow)


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


class ChartTable(Table[C]):
    """Also knows what a connection has, in order, by the ERP's id and by name: it may be a lot."""

    def __init__(self, kind: type[C], changed: dict[RowKey, Record | None]) -> None:
        super().__init__(kind, changed)
        self._ordered: defaultdict[str, list[C]] = defaultdict(list)
        self._by_external_id: defaultdict[tuple[str, str], dict[str, C]] = defaultdict(dict)
        self._by_name: defaultdict[tuple[str, str], dict[str, C]] = defaultdict(dict)
        self._names: dict[str, str] = {}

    def put(self, row: C) -> C:
        if row.id not in self._rows:
            insort(self._ordered[row.connection_id], row, key=_rank)
            self._by_external_id[row.connection_id, row.external_id][row.id] = row
        name, before = row.name.casefold(), self._names.get(row.id)
        if name != before:
            if before is not None:
                del self._by_name[row.connection_id, before][row.id]
            self._by_name[row.connection_id, name][row.id] = row
            self._names[row.id] = name
        return super().put(row)

    def remove(self, row: C) -> None:
        self._ordered[row.connection_id].remove(row)
        del self._by_external_id[row.connection_id, row.external_id][row.id]
        del self._by_name[row.connection_id, self._names.pop(row.id)][row.id]
        super().remove(row)

    def of_connection(self, connection_id: str, *, after: int = 0) -> Iterator[C]:
        """What it has, in the order of upload, behind the row of that rank."""
        rows = self._ordered[connection_id]
        return islice(rows, bisect_right(rows, after, key=_rank), None)

    def of_external_id(self, connection_id: str, external_id: str) -> Sequence[C]:
        """Several only where a field parts them: two fields may have an option of one id."""
        return list(self._by_external_id[connection_id, external_id].values())

    def named(self, connection_id: str, name: str) -> Sequence[C]:
        """Those of that name, in capitals or not."""
        return sorted(self._by_name[connection_id, name.casefold()].values(), key=_rank)


def _rank(row: Record) -> int:
    return row.seq
