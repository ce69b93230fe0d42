"""When a bill, or the payment of one, may be reported on; and what is told of its changes."""

from connections.ramp_simulator.bill_codings import lacks_fields
from connections.ramp_simulator.bill_records import Bill, BillSyncStatus
from connections.ramp_simulator.records import SyncStatus
from connections.ramp_simulator.webhooks import announce
from connections.ramp_simulator.world import World


def is_bill_ready(world: World, bill: Bill) -> bool:
    """Whether a BILL_SYNC may come: approved, or merely there, as the switch has it."""
    return (
        _may_sync(bill)
        and bill.sync_status is BillSyncStatus.NOT_SYNCED
        and (bill.approval_status == "APPROVED" or world.switches.bills_ready_when == "created")
        and not lacks_fields(world, bill)
    )


def is_payment_ready(bill: Bill) -> bool:
    """Whether a BILL_PAYMENT_SYNC may come."""
    is_booked = bill.sync_status is BillSyncStatus.BILL_SYNCED
    return _may_sync(bill) and is_booked and bill.status == "PAID"


def is_ready(world: World, bill: Bill) -> bool:
    """What the filter `sync_ready` finds."""
    return is_bill_ready(world, bill) or is_payment_ready(bill)


def keep(world: World, bill: Bill, *, was_ready: bool, notify: bool = True) -> None:
    """Keep a change, and tell that the bill became ready by it if it did."""
    world.bills.put(bill)
    if notify and not was_ready and is_ready(world, bill):
        announce(world, bill.business, "bills.ready_to_sync", bill.id)


def bill_status(world: World, bill: Bill) -> SyncStatus:
    """How far the bill itself is, in the words of all other objects."""
    if bill.sync_status is not BillSyncStatus.NOT_SYNCED:
        return SyncStatus.SYNCED
    return SyncStatus.SYNC_READY if is_bill_ready(world, bill) else SyncStatus.NOT_SYNC_READY


def payment_status(bill: Bill) -> SyncStatus:
    """How far its payment is, in the words of all other objects."""
    if bill.sync_status is BillSyncStatus.BILL_AND_PAYMENT_SYNCED:
        return SyncStatus.SYNCED
    return SyncStatus.SYNC_READY if is_payment_ready(bill) else SyncStatus.NOT_SYNC_READY


def _may_sync(bill: Bill) -> bool:
    return bill.is_sync_enabled and bill.archived_at is None
