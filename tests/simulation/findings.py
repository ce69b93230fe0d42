"""What an audit looks at, customer by customer, and what it finds."""

from collections import Counter, defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Self

from connections.erp.adapters.in_memory import InMemoryErp
from connections.erp.adapters.in_memory_books import Entry
from connections.erp.records import DocKind
from connections.models import Connection
from connections.ramp_simulator.app import Simulator
from connections.ramp_simulator.handles import BusinessHandle
from syncing.models import SyncItem


@dataclass
class Findings:
    """What is wrong, a line each. All empty is good."""

    lost: list[str] = field(default_factory=list)
    """Not known to us, stuck, or said to be booked and not in the ledger."""
    doubled: list[str] = field(default_factory=list)
    unbalanced: list[str] = field(default_factory=list)
    unexplained: list[str] = field(default_factory=list)
    """In the ledger although we believe not, or told to Ramp otherwise."""
    has_forgotten: bool = False
    """Whether PostgreSQL has, some of what it had committed."""
    states: Counter[str] = field(default_factory=Counter)
    types: Counter[str] = field(default_factory=Counter)
    """Items by type of object; and bills settled by card, vendors to be made, files."""


@dataclass(frozen=True, slots=True)
class Company:
    """One customer on the three sides."""

    connection: Connection
    sim: Simulator
    business: BusinessHandle
    erp: InMemoryErp
    items: Mapping[tuple[str, str], SyncItem]
    """By object type and Ramp's id."""
    booked: Mapping[tuple[str, DocKind], Sequence[Entry]]
    """By what documents carry: Ramp's id and the kind of reference."""

    @classmethod
    def of(cls, connection: Connection, sim: Simulator, erp: InMemoryErp) -> Self:
        booked: dict[tuple[str, DocKind], list[Entry]] = defaultdict(list)
        for entry in erp.books.entries:
            booked[entry.doc.ref.ramp_id, entry.doc.ref.kind].append(entry)
        items = SyncItem.objects.filter(connection=connection)
        return cls(
            connection,
            sim,
            sim.business(connection.slug),
            erp,
            {(item.object_type, str(item.ramp_id)): item for item in items},
            dict(booked),
        )

    def documents(self, ramp_id: str, kind: DocKind) -> Sequence[Entry]:
        return self.booked.get((ramp_id, kind), ())
