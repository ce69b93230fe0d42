"""What must be true when all is quiet, of each customer on the three sides."""

from collections.abc import Sequence
from decimal import Decimal

from connections.ramp_simulator.app import Simulator
from connections.ramp_simulator.records import SyncStatus
from syncing import card_bills
from syncing.models import SyncItem
from tests.simulation import audit_bills
from tests.simulation import findings as three_sides
from tests.simulation.expected import Due, everything_in
from tests.simulation.seeded.company import Company
from tests.simulation.seeded.findings import Book

_VISIBLE = {"FAILED", "REVIEW", "MISMATCH", "WITHDRAWN", "EXTERNAL"}
_WITHOUT = {"FAILED", "WITHDRAWN", "EXTERNAL"}
_NEEDS_A_PERSON = {"FAILED", "REVIEW", "MISMATCH", "WITHDRAWN"}


def check(sim: Simulator, companies: Sequence[Company], book: Book, *, has_forgotten: bool) -> None:
    """Compare all customers' objects on the three sides."""
    for company in companies:
        if company.business.bills():
            card_bills.find_twice(company.connection)  # as each night does
        _Audit(sim, company, book, has_forgotten).check()


class _Audit:
    def __init__(self, sim: Simulator, company: Company, book: Book, has_forgotten: bool) -> None:
        self._book = book
        self._has_forgotten = has_forgotten
        self._due = everything_in(sim, company.business)
        self._seen = three_sides.Company.of(company.connection, sim, company.erp)

    def check(self) -> None:
        for due in self._due:
            self._check_one(due)
        for strange in self._seen.booked.keys() - {due.key for due in self._due}:
            self._book.breaks("INV1", f"{strange} is booked and not in Ramp")
        self._check_totals()
        self._check_bills()

    def _check_one(self, due: Due) -> None:
        item = self._seen.items.get((due.object_type, due.ramp_id))
        entries = self._seen.documents(*due.key)
        state = item.state if item else "unknown"
        says = (
            f"{due.object_type} {due.ramp_id} is {due.status} in Ramp, {state} here and booked"
            f" {len(entries)} times"
        )
        self._book.ends[f"{due.object_type} {state}"] += 1
        if len(entries) > 1 or (entries and due.confirmed_by):
            self._book.breaks("INV2", says)
        if self._has_forgotten and len(entries) == 1 and state in ("unknown", "EXTERNAL"):
            return  # that it was through is forgotten; Ramp and the ERP know it all the same
        if item is None:
            if entries or due.status is SyncStatus.SYNC_READY:
                self._book.breaks("INV1", says)
            return
        settled_by = (
            self._seen.documents(due.ramp_id, due.confirmed_by) if due.confirmed_by else entries
        )
        is_visible = state in _VISIBLE or self._waits_for_a_person(item)
        if not is_visible and (state != "ACKED" or not settled_by):
            self._book.breaks("INV1", says)
        if (entries and state in _WITHOUT) or (state == "MISMATCH" and not settled_by):
            self._book.breaks("INV1", says)
        numbers = {entry.number for entry in settled_by}
        if any(one.reference_id and one.reference_id not in numbers for one in due.commits):
            self._book.breaks("INV3", says)
        if state == "ACKED" and due.status is not SyncStatus.SYNCED:
            self._book.breaks("INV3", says)
        if state in ("FAILED", "REVIEW", "MISMATCH") and not (
            item.error_category and item.error_title
        ):
            self._book.breaks("INV12", f"{says}, and says not why")
        if state == "FAILED" and not item.error_text:
            self._book.breaks("INV12", f"{says}, and has no words for the customer")

    def _waits_for_a_person(self, item: SyncItem) -> bool:
        """What pays a bill that a person must see to waits in sight until they have."""
        cause, _, ramp_id = item.blocked_by.partition(":")
        bill = self._seen.items.get(("bill", ramp_id))
        waits = item.state == "READY" and item.due_at is None and bool(item.error_title)
        return waits and cause == "bill" and bill is not None and bill.state in _NEEDS_A_PERSON

    def _check_totals(self) -> None:
        """INV5: what Ramp had ready is booked, to the cent, or visibly not."""
        for due in self._due:
            if self._may_be_changed(due):
                continue
            for entry in self._seen.documents(*due.key)[:1]:
                lines = [line.amount for line in entry.doc.lines if line.amount > 0]
                booked = sum(lines, Decimal(0))
                if booked.scaleb(2) != abs(due.minor):
                    self._book.breaks("INV5", f"{booked} is booked of {due}")

    def _may_be_changed(self, due: Due) -> bool:
        """Somebody changed it after it had been posted; the nightly comparison shows that, unless
        we have forgotten it."""
        item = self._seen.items.get((due.object_type, due.ramp_id))
        return item is None or item.amount_minor != due.minor

    def _check_bills(self) -> None:
        """What the ledger's payments make of each bill, as the kill test looks at it."""
        found = three_sides.Findings(has_forgotten=self._has_forgotten)
        audit_bills.check(self._seen, found)
        for invariant, what in (
            ("INV2", found.doubled),
            ("INV5", found.lost),
            # Which card pays a bill that is forgotten is read again only in the night.
            ("INV12", [] if self._has_forgotten else found.unexplained),
        ):
            for words in what:
                self._book.breaks(invariant, words)
        self._book.ends += found.types
