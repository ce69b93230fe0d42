"""What Ramp says must be in the ledgers: each object, and of a bill each of its two phases."""

from collections.abc import Iterator
from dataclasses import dataclass, field

from connections.erp.records import DocKind
from connections.ramp_simulator.app import Simulator
from connections.ramp_simulator.bill_records import CARD_METHODS, Bill, VendorCredit
from connections.ramp_simulator.bill_states import bill_status, payment_status
from connections.ramp_simulator.handles import BusinessHandle
from connections.ramp_simulator.records import Commit, Synced, SyncStatus


@dataclass(frozen=True, slots=True)
class Due:
    """One item that there should be, and the document that it should make."""

    object_type: str
    ramp_id: str
    minor: int
    status: SyncStatus
    commits: list[Commit] = field(default_factory=list)
    ref_kind: DocKind = DocKind.JOURNAL
    phase: int = 0
    confirmed_by: DocKind | None = None
    """The kind of the document, of the same object, with whose number Ramp is told that it is
    done: there is none of its own."""
    is_reported: bool = True
    """Whether Ramp keeps a sync state of it."""

    @property
    def key(self) -> tuple[str, DocKind]:
        """What its document carries."""
        return self.ramp_id, self.ref_kind


def everything_in(sim: Simulator, business: BusinessHandle) -> list[Due]:
    """All items that the objects of one business come to."""
    objects: list[Synced] = [
        *business.transactions(),
        *business.reimbursements(),
        *business.transfers(),
        *business.cashbacks(),
    ]
    return [
        *(_coded(row) for row in objects),
        *(due for bill in business.bills() for due in _bill(sim, business, bill)),
        *(_credit(row) for row in business.vendor_credits()),
    ]


def owed(bill: Bill) -> int:
    """Minor units that vendor credits leave to pay."""
    return bill.minor - sum(bill.credits.values())


def is_by_card(business: BusinessHandle, bill: Bill) -> bool:
    payment = business.bill_payment(bill.id)
    return payment is not None and payment.method in CARD_METHODS


def _coded(row: Synced) -> Due:
    return Due(row.object_type, row.id, row.minor, row.sync_status, row.commits)


def _bill(sim: Simulator, business: BusinessHandle, bill: Bill) -> Iterator[Due]:
    status = bill_status(sim.world, bill)
    yield Due("bill", bill.id, bill.minor, status, bill.booking.commits, DocKind.BILL)
    if bill.status == "PAID":
        is_confirmed = is_by_card(business, bill) or not owed(bill)
        yield Due(
            "bill_payment",
            bill.id,
            owed(bill),
            payment_status(bill),
            bill.settling.commits,
            DocKind.BILL_PAYMENT,
            phase=1,
            confirmed_by=DocKind.BILL if is_confirmed else None,
        )


def _credit(row: VendorCredit) -> Due:
    return Due(
        "vendor_credit",
        row.id,
        row.minor,
        SyncStatus.SYNC_READY,
        ref_kind=DocKind.VENDOR_CREDIT,
        is_reported=False,
    )
