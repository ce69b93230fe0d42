"""What must be true when all is quiet: Ramp's truth, the ledgers' truth, and what we believe.

Independent of the program's own reconciliation, which is under test as well.
"""

from collections import Counter, defaultdict
from dataclasses import dataclass, field
from decimal import Decimal

from connections.erp.adapters.in_memory_books import Entry
from connections.models import Connection
from connections.ramp_simulator.app import Simulator
from connections.ramp_simulator.handles import BusinessHandle
from connections.ramp_simulator.records import Synced, SyncStatus, Transaction
from syncing.models import SyncItem
from tests.simulation.ledgers import Ledgers

CARD = "2150"
_OPEN = {"READY", "POSTING", "POSTED", "ACKING"}
_BOOKED = {"POSTED", "ACKING", "ACKED"}
_WITHOUT = {"READY", "FAILED", "EXTERNAL", "WITHDRAWN"}


@dataclass
class Findings:
    """What is wrong, a line each. All empty is good."""

    lost: list[str] = field(default_factory=list)
    """Not known to us, stuck, or said to be booked and not in the ledger."""
    doubled: list[str] = field(default_factory=list)
    unbalanced: list[str] = field(default_factory=list)
    unexplained: list[str] = field(default_factory=list)
    """In the ledger although we believe not, or told to Ramp otherwise."""
    states: Counter[str] = field(default_factory=Counter)
    objects: int = 0

    @property
    def is_clean(self) -> bool:
        return not (self.lost or self.doubled or self.unbalanced or self.unexplained)


def audit(sim: Simulator, ledgers: Ledgers) -> Findings:
    """Compare all customers' objects on the three sides."""
    found = Findings()
    for connection in Connection.objects.order_by("slug"):
        ours = {str(item.ramp_id): item for item in SyncItem.objects.filter(connection=connection)}
        booked: dict[str, list[Entry]] = defaultdict(list)
        for entry in ledgers.companies[connection.slug].books.entries:
            booked[entry.doc.ref.ramp_id].append(entry)
        rows = everything_in(sim.business(connection.slug))
        for row in rows:
            _check(row, ours.get(row.id), booked.pop(row.id, []), found)
        found.unexplained += [f"{ramp_id} is booked and not in Ramp" for ramp_id in booked]
        _check_totals(connection.slug, rows, ours, ledgers, found)
    return found


def everything_in(business: BusinessHandle) -> list[Synced]:
    """Every object of the types that customers here sync."""
    return [
        *business.transactions(),
        *business.reimbursements(),
        *business.transfers(),
        *business.cashbacks(),
    ]


def _check(row: Synced, item: SyncItem | None, docs: list[Entry], found: Findings) -> None:
    found.objects += 1
    state = item.state if item else "unknown"
    found.states[state] += 1
    says = f"{row.id} is {row.sync_status} in Ramp, {state} here and booked {len(docs)} times"
    told = [commit.reference_id for commit in row.commits if commit.reference_id]
    if len(docs) > 1:
        found.doubled.append(says)
    if item is None:
        if docs or row.sync_status is SyncStatus.SYNC_READY:
            found.lost.append(says)
        return
    if state in _OPEN or (state in _BOOKED and not docs) or (told and not docs):
        found.lost.append(says)
    if docs and state in _WITHOUT:
        found.unexplained.append(says)
    if state == "FAILED" and not (item.error_category and item.error_title and item.error_text):
        found.unexplained.append(f"{says}, and says not why")
    if state == "ACKED" and row.sync_status is not SyncStatus.SYNCED:
        found.lost.append(says)
    for doc in docs:
        _check_document(row, item, doc, told, found)


def _check_document(
    row: Synced, item: SyncItem, entry: Entry, told: list[str], found: Findings
) -> None:
    debits = sum((line.amount for line in entry.doc.lines if line.amount > 0), Decimal(0))
    if (
        entry.doc.total != 0
        or debits != abs(item.money.decimal)
        or abs(item.amount_minor) != abs(row.minor)
    ):
        found.unbalanced.append(f"{entry.number} over {debits} for {row.minor} of {row.id}")
    if any(reference != entry.number for reference in told):
        found.unexplained.append(f"{row.id} is {entry.number}, and Ramp was told {told}")


def _check_totals(
    slug: str,
    rows: list[Synced],
    ours: dict[str, SyncItem],
    ledgers: Ledgers,
    found: Findings,
) -> None:
    """INV5, on the clearing account: to the cent what is booked of the purchases."""
    bought = {row.id for row in rows if isinstance(row, Transaction)}
    entries = [
        entry for entry in ledgers.companies[slug].books.entries if entry.doc.ref.ramp_id in bought
    ]
    booked = {entry.doc.ref.ramp_id for entry in entries}
    expected = sum((ours[one].money.decimal for one in booked if one in ours), Decimal(0))
    owed = sum(
        (line.amount for entry in entries for line in entry.doc.lines if line.account == CARD),
        Decimal(0),
    )
    if owed != -expected:
        found.unbalanced.append(f"{slug} has {owed} of purchases on {CARD}, not {-expected}")
