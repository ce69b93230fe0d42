"""What must be true when all is quiet, of each customer on the three sides."""

from collections import defaultdict
from collections.abc import Sequence
from decimal import Decimal

from connections.erp.adapters.in_memory_books import Entry
from connections.ramp_simulator.records import Synced, SyncStatus
from syncing.models import SyncItem
from tests.simulation.seeded.company import Company
from tests.simulation.seeded.findings import Book

_VISIBLE = {"FAILED", "REVIEW", "MISMATCH", "WITHDRAWN", "EXTERNAL"}
_WITHOUT = {"FAILED", "WITHDRAWN", "EXTERNAL"}


def check(companies: Sequence[Company], book: Book, *, has_forgotten: bool) -> None:
    """Compare all customers' objects on the three sides."""
    for company in companies:
        _Audit(company, book, has_forgotten).check()


class _Audit:
    def __init__(self, company: Company, book: Book, has_forgotten: bool) -> None:
        self._company = company
        self._book = book
        self._has_forgotten = has_forgotten
        self._items = {
            (one.object_type, str(one.ramp_id)): one
            for one in SyncItem.objects.filter(connection=company.connection)
        }
        self._booked: dict[str, list[Entry]] = defaultdict(list)
        for entry in company.erp.books.entries:
            self._booked[entry.doc.ref.ramp_id].append(entry)

    def check(self) -> None:
        business = self._company.business
        objects: list[Synced] = [
            *business.transactions(),
            *business.reimbursements(),
            *business.transfers(),
            *business.cashbacks(),
        ]
        for one in objects:
            self._check_one(one)
        for strange in self._booked.keys() - {one.id for one in objects}:
            self._book.breaks("INV1", f"{strange} is booked and not in Ramp")
        self._check_totals(objects)

    def _check_one(self, one: Synced) -> None:
        item = self._items.get((one.object_type, one.id))
        entries = self._booked.get(one.id, [])
        state = item.state if item else "unknown"
        says = (
            f"{one.object_type} {one.id} is {one.sync_status} in Ramp, {state} here and booked"
            f" {len(entries)} times"
        )
        if len(entries) > 1:
            self._book.breaks("INV2", says)
        if self._has_forgotten and len(entries) == 1 and state in ("unknown", "EXTERNAL"):
            return  # that it was through is forgotten; Ramp and the ERP know it all the same
        if item is None:
            if entries or one.sync_status is SyncStatus.SYNC_READY:
                self._book.breaks("INV1", says)
            return
        if state not in _VISIBLE and (state != "ACKED" or not entries):
            self._book.breaks("INV1", says)
        if (entries and state in _WITHOUT) or (state == "MISMATCH" and not entries):
            self._book.breaks("INV1", says)
        numbers = {entry.number for entry in entries}
        if any(one_.reference_id and one_.reference_id not in numbers for one_ in one.commits):
            self._book.breaks("INV3", says)
        if state == "ACKED" and one.sync_status is not SyncStatus.SYNCED:
            self._book.breaks("INV3", says)
        if state in ("FAILED", "REVIEW", "MISMATCH") and not (
            item.error_category and item.error_title
        ):
            self._book.breaks("INV12", f"{says}, and says not why")
        if state == "FAILED" and not item.error_text:
            self._book.breaks("INV12", f"{says}, and has no words for the customer")

    def _check_totals(self, objects: Sequence[Synced]) -> None:
        """INV5: what Ramp had ready is booked, to the cent, or visibly not."""
        ready = sum((abs(one.minor) for one in objects if one.id in self._booked), 0)
        booked = sum(
            (
                sum((line.amount for line in entries[0].doc.lines if line.amount > 0), Decimal(0))
                for entries in self._booked.values()
            ),
            Decimal(0),
        )
        changed = any(one.minor for one in objects if self._was_changed(one))
        if booked.scaleb(2) != ready and not changed:
            self._book.breaks("INV5", f"{booked} is booked of {ready}")

    def _was_changed(self, one: Synced) -> bool:
        """Somebody changed it after it had been posted; the nightly comparison shows that."""
        item = self._items.get((one.object_type, one.id))
        return item is not None and item.amount_minor != one.minor
