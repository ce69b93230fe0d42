"""What `status --verify` does: Ramp, us and the ERP compared whole, item by item, to the cent.

Pure but for reading our rows. The nightly comparison of a customer is `syncing.reconciliation`.

The three sides are read one after the other while work goes on, so each is read where a difference
could only be a fault: Ramp first, then our rows, then the ERP, then our rows again for what was new
in the ERP.
"""

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field

from connections.erp.ledger_audit import LedgerEntry
from connections.erp.records import State
from connections.models import Connection
from rampbridge.lib.money import Money
from syncing.models import SyncItem
from syncing.states import ItemState

HAS_DOCUMENT = frozenset({ItemState.POSTED, ItemState.ACKING, ItemState.ACKED, ItemState.MISMATCH})
Key = tuple[str, str]
"""Object type and Ramp id: a bill and its payment share the id."""
MAY_HAVE_DOCUMENT = HAS_DOCUMENT | {ItemState.POSTING, ItemState.REVIEW}
"""The states in which a document of ours in the ERP is explained."""


@dataclass(frozen=True, slots=True)
class RampRow:
    """What Ramp was told of one object."""

    object_type: str
    ramp_id: str
    sync_status: str
    reference: str
    """The reference of the report that Ramp accepted; empty if there was none."""
    by_us: bool
    """Synced by a report, not by the Export button."""
    money: Money

    @property
    def name(self) -> str:
        return f"{self.object_type} {self.ramp_id}"


@dataclass(frozen=True, slots=True)
class OurItem:
    """What we believe of one object."""

    object_type: str
    ramp_id: str
    ref: str
    """Empty where the document of another item books it: bills paid by card."""
    state: str
    number: str
    money: Money

    @property
    def name(self) -> str:
        return f"{self.object_type} {self.ramp_id}"


@dataclass(slots=True)
class Differences:
    """What does not agree, in words that name the item. All empty is good."""

    missing: list[str] = field(default_factory=list)
    """Said to be booked, or ready in Ramp, and not there."""
    doubled: list[str] = field(default_factory=list)
    """Several documents under one reference."""
    unbalanced: list[str] = field(default_factory=list)
    """Documents whose debits and credits differ, or whose amount is not the item's."""
    unexplained: list[str] = field(default_factory=list)
    """There, and nobody knows why."""

    def __iadd__(self, other: "Differences") -> "Differences":
        self.missing += other.missing
        self.doubled += other.doubled
        self.unbalanced += other.unbalanced
        self.unexplained += other.unexplained
        return self

    @property
    def is_clean(self) -> bool:
        return not (self.missing or self.doubled or self.unbalanced or self.unexplained)

    def counts(self) -> dict[str, int]:
        return {
            "missing": len(self.missing),
            "doubled": len(self.doubled),
            "unbalanced": len(self.unbalanced),
            "unexplained": len(self.unexplained),
        }


def our_items(connection: Connection) -> dict[Key, OurItem]:
    """Our rows of one connection."""
    rows = SyncItem.objects.filter(connection=connection).values_list(
        "object_type",
        "ramp_id",
        "erp_ref",
        "state",
        "erp_number",
        "amount_minor",
        "currency",
        "exponent",
    )
    return {
        (type_, str(ramp_id)): OurItem(
            type_, str(ramp_id), ref, state, number, Money(minor, currency, exponent)
        )
        for type_, ramp_id, ref, state, number, minor, currency, exponent in rows.iterator()
    }


def compare(
    ramp: Sequence[RampRow],
    before: Mapping[Key, OurItem],
    erp: Sequence[LedgerEntry],
    after: Mapping[Key, OurItem],
) -> Differences:
    """The differences between the three sides of one customer.

    `before` and `after` are our rows as read before and after the ERP was.
    """
    posted = [entry for entry in erp if entry.state is not State.DRAFT]
    by_ref = {entry.ref: entry for entry in posted if entry.ref}
    found = Differences()
    _compare_ramp(ramp, after, found)
    _compare_items(before.values(), by_ref, found)
    _compare_ledger(posted, {item.ref: item for item in after.values() if item.ref}, found)
    return found


def _compare_ramp(ramp: Iterable[RampRow], ours: Mapping[Key, OurItem], found: Differences) -> None:
    for row in ramp:
        item = ours.get((row.object_type, row.ramp_id))
        if item is None and row.sync_status == "SYNC_READY":
            found.missing.append(f"{row.name} is ready in Ramp and unknown to us")
        elif row.by_us and (item is None or item.state not in HAS_DOCUMENT):
            state = item.state if item else "unknown"
            found.missing.append(f"{row.name} is synced in Ramp by us, and {state} here")
        elif row.by_us and item is not None and row.reference != item.number:
            found.unexplained.append(
                f"{row.name} was reported to Ramp as {row.reference}, but is {item.number}"
            )
        if item is not None and row.by_us and item.money != row.money:
            found.unbalanced.append(f"{row.name} is {row.money} in Ramp and {item.money} here")


def _compare_items(
    ours: Iterable[OurItem], by_ref: Mapping[str, LedgerEntry], found: Differences
) -> None:
    for item in ours:
        if item.state not in HAS_DOCUMENT or not item.ref:
            continue
        entry = by_ref.get(item.ref)
        if entry is None:
            found.missing.append(f"{item.name} is {item.state} and not in the ERP")
        elif entry.number != item.number:
            found.unexplained.append(
                f"{item.name} is {entry.number} in the ERP and {item.number} here"
            )
        elif not entry.is_over(item.money.decimal):
            total = entry.debit if entry.total is None else entry.total
            found.unbalanced.append(
                f"{item.name} is {item.money} and {entry.number} is over {total}"
            )


def _compare_ledger(
    posted: Sequence[LedgerEntry], by_ref: Mapping[str, OurItem], found: Differences
) -> None:
    counts = Counter(entry.ref for entry in posted if entry.ref)
    found.doubled += [f"{ref} stands {n} times" for ref, n in counts.items() if n > 1]
    for entry in posted:
        if entry.debit != entry.credit:
            found.unbalanced.append(
                f"{entry.number} has debits {entry.debit} and credits {entry.credit}"
            )
        item = by_ref.get(entry.ref or entry.reverses or entry.follows)
        if item is None or item.state not in MAY_HAVE_DOCUMENT:
            state = f"its item is {item.state}" if item else "no item has its reference"
            found.unexplained.append(f"{entry.number or entry.erp_id} is in the ERP, and {state}")
