"""The events of Ramp's webhooks that we know, and what each one tells (contract 10)."""

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from enum import StrEnum


class Tells(StrEnum):
    """What an event is good for. What is true is read from Ramp all the same."""

    READY = "ready"
    """Something may be ready to sync, or not any more."""
    REQUESTED = "requested"
    """The sync button was pressed; the event carries the request's id (contract 9)."""
    SYNCED = "synced"
    """Somebody, perhaps we, has marked an object as synced."""
    RECEIPT = "receipt"
    """A receipt came, perhaps after the object was posted."""


@dataclass(frozen=True, slots=True)
class Event:
    """One type of event."""

    tells: Tells
    about: str
    """The list that has the object, as `Connection.object_types` names it."""


EVENTS: Mapping[str, Event] = {
    "transactions.ready_to_sync": Event(Tells.READY, "transaction"),
    "transactions.sync_requested": Event(Tells.REQUESTED, "transaction"),
    "transactions.synced": Event(Tells.SYNCED, "transaction"),
    "transactions.receipt_added": Event(Tells.RECEIPT, "transaction"),
    "reimbursements.ready_to_sync": Event(Tells.READY, "reimbursement"),
    "reimbursements.sync_requested": Event(Tells.REQUESTED, "reimbursement"),
    "bills.ready_to_sync": Event(Tells.READY, "bill"),
    "bills.approved": Event(Tells.READY, "bill"),
    "bills.rejected": Event(Tells.READY, "bill"),
    "bills.paid": Event(Tells.READY, "bill"),
    "bills.archived": Event(Tells.READY, "bill"),
}
"""Not `bills.created`: it comes before there is anything to sync, or together with
`bills.ready_to_sync`."""


def wanted(lists: Collection[str]) -> list[str]:
    """The events to subscribe to for these lists. A token needs the scope of each (contract 10)."""
    return [name for name, event in EVENTS.items() if event.about in lists]


def announces(event_types: Collection[str]) -> set[str]:
    """The lists of which a subscription to these events tells what becomes ready."""
    return {
        event.about
        for name, event in EVENTS.items()
        if event.tells is Tells.READY and name.endswith(".ready_to_sync") and name in event_types
    }
