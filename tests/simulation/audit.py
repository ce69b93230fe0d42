"""What must be true when all is quiet: Ramp's truth, the ledgers' truth, and what we believe.

Independent of the program's own reconciliation, which is under test as well.
"""

from collections.abc import Sequence
from decimal import Decimal

from connections.erp.adapters.in_memory_books import Entry
from connections.erp.records import DocKind, Document
from connections.models import Connection
from connections.ramp_simulator.app import Simulator
from connections.ramp_simulator.records import SyncStatus
from syncing.models import SyncItem
from tests.simulation import audit_bills, audit_errands
from tests.simulation.expected import Due, everything_in
from tests.simulation.findings import Company, Findings
from tests.simulation.ledgers import Ledgers

CARD = "2150"
_OPEN = {"READY", "POSTING", "POSTED", "ACKING"}
_BOOKED = {"POSTED", "ACKING", "ACKED"}
_WITHOUT = {"READY", "FAILED", "EXTERNAL", "WITHDRAWN"}
_NEEDS_A_PERSON = {"FAILED", "REVIEW", "MISMATCH", "WITHDRAWN"}


def audit(sim: Simulator, ledgers: Ledgers, *, has_forgotten: bool = False) -> Findings:
    """Compare all customers' objects on the three sides.

    :param has_forgotten: PostgreSQL has, some of what it had committed
    """
    found = Findings(has_forgotten=has_forgotten)
    for connection in Connection.objects.order_by("slug"):
        company = Company.of(connection, sim, ledgers.companies[connection.slug])
        due = everything_in(sim, company.business)
        for one in due:
            _check(company, one, found)
        strange = company.booked.keys() - {one.key for one in due}
        found.unexplained += [f"{one} is booked and not in Ramp" for one in sorted(strange)]
        _check_totals(company, found)
        audit_bills.check(company, found)
        audit_errands.check(company, found)
    return found


def _check(company: Company, due: Due, found: Findings) -> None:
    item = company.items.get((due.object_type, due.ramp_id))
    docs = company.documents(*due.key)
    state = item.state if item else "unknown"
    found.states[state] += 1
    found.types[due.object_type] += 1
    says = (
        f"{due.object_type} {due.ramp_id} is {due.status} in Ramp, {state} here"
        f" and booked {len(docs)} times in {company.connection.slug}"
    )
    if len(docs) > 1 or (docs and due.confirmed_by):
        found.doubled.append(says)
    if found.has_forgotten and state in ("unknown", "EXTERNAL") and len(docs) == 1:
        found.types["forgotten"] += 1
        return  # that it was through; Ramp and the ledger know it all the same
    if item is None:
        if docs or due.status is SyncStatus.SYNC_READY:
            found.lost.append(says)
        return
    told = [commit.reference_id for commit in due.commits if commit.reference_id]
    settled_by = company.documents(due.ramp_id, due.confirmed_by) if due.confirmed_by else docs
    if (
        (state in _OPEN and not _waits_for_a_person(company, item))
        or ((state in _BOOKED or told) and not settled_by)
        or (state == "ACKED" and due.is_reported and due.status is not SyncStatus.SYNCED)
    ):
        found.lost.append(f"{says}: {item.error_title or item.blocked_by}")
    # A post that is forgotten is doubted once its turn comes, and that waits for the bill.
    is_doubted = found.has_forgotten and _waits_for_a_person(company, item)
    if docs and state in _WITHOUT and not is_doubted:
        found.unexplained.append(says)
    if state == "FAILED" and not (item.error_category and item.error_title and item.error_text):
        found.unexplained.append(f"{says}, and says not why")
    if any(number not in {one.number for one in settled_by} for number in told):
        found.unexplained.append(f"{says}, and Ramp was told {told}")
    _check_amounts(due, item, docs, found)


def _waits_for_a_person(company: Company, item: SyncItem) -> bool:
    """What pays a bill that a person must see to waits in sight until they have."""
    if item.state != "READY" or item.due_at or not item.error_title:
        return False
    cause, _, ramp_id = item.blocked_by.partition(":")
    bill = company.items.get(("bill", ramp_id))
    return cause == "bill" and bill is not None and bill.state in _NEEDS_A_PERSON


def _check_amounts(due: Due, item: SyncItem, docs: Sequence[Entry], found: Findings) -> None:
    for entry in docs:
        debits = sum((line.amount for line in entry.doc.lines if line.amount > 0), Decimal(0))
        if (
            (entry.doc.kind is DocKind.JOURNAL and entry.doc.total != 0)
            or debits != abs(item.money.decimal)
            or abs(item.amount_minor) != abs(due.minor)
        ):
            found.unbalanced.append(f"{entry.number} over {debits} for {due.minor} of {due}")


def _check_totals(company: Company, found: Findings) -> None:
    """INV5, on the clearing account: to the cent what is booked of the purchases."""
    bought = {row.id: row for row in company.business.transactions()}
    entries = [
        entry
        for (ramp_id, _), entries in company.booked.items()
        for entry in entries
        if ramp_id in bought
    ]
    expected = Decimal(0)
    for ramp_id in {entry.doc.ref.ramp_id for entry in entries}:
        item = company.items.get(("transaction", ramp_id))
        expected += item.money.decimal if item else Decimal(bought[ramp_id].minor).scaleb(-2)
    owed = sum((_on_card(entry.doc) for entry in entries), Decimal(0))
    if owed != -expected:
        found.unbalanced.append(
            f"{company.connection.slug} has {owed} of purchases on {CARD}, not {-expected}"
        )


def _on_card(doc: Document) -> Decimal:
    """What a document debits the card's account with; it credits it if it pays a bill by card."""
    if doc.bank_account == CARD:
        return -doc.gross
    return sum((line.amount for line in doc.lines if line.account == CARD), Decimal(0))
