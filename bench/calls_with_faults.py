"""Calls to Ramp over the fewest possible, while Ramp is ill.

One call in twenty fails: refused (500, 503), cut off, or done and its answer lost (504). One in a
hundred is told 429. One object in a thousand is taken back between its post and its report, which
then is refused as a whole (7062). Each of them costs about one call more; many more is a retry
storm, and makes an ill Ramp worse.
"""

from collections.abc import Sequence
from typing import Any

from bench import spend
from bench.calls import COUNTS
from bench.figures import Measured
from bench.virtual_service import VirtualService, virtual_service
from connections.erp.records import Document
from connections.ramp_simulator.handles import BusinessHandle
from syncing.models import SyncItem

STAGE = virtual_service
FAULTS: Sequence[tuple[str, float, dict[str, Any]]] = (
    ("answer", 0.01, {"status": 500}),
    ("answer", 0.01, {"status": 503}),
    ("hang_up", 0.01, {}),
    ("hang_up_after", 0.01, {}),
    ("lost_answer", 0.01, {"status": 504}),
    ("answer", 0.01, {"status": 429, "headers": {"Retry-After": "2"}}),
)
TAKEN_BACK = 0.001


def measure(service: VirtualService, counts: Sequence[int] = COUNTS) -> Measured:
    connections = [service.connect(f"customer-{number}") for number in range(len(counts))]
    spent = [spend.mixed(count, service.dice) for count in counts]
    owner: dict[str, BusinessHandle] = {}
    for connection, what in zip(connections, spent, strict=True):
        business = service.business(connection.slug)
        spend.spend(business, what)
        owner |= {one.id: business for one in business.transactions("SYNC_READY")}
    taken_back = []

    def take_back_some(doc: Document) -> None:
        business = owner.get(doc.ref.ramp_id)
        if business is not None and service.dice.random() < TAKEN_BACK:
            business.take_back(doc.ref.ramp_id)
            taken_back.append(doc.ref.ramp_id)

    service.on_booked = take_back_some
    for kind, probability, details in FAULTS:
        service.ramp.fault(kind, probability=probability, times=None, **details)
    service.forget_calls()
    service.fetch(connections)
    service.drain()
    made, fewest = service.calls, sum(what.fewest_calls for what in spent)
    mismatched = SyncItem.objects.filter(state="MISMATCH").count()
    assert mismatched == len(taken_back), "what was taken back, and nothing else, waits for people"
    return Measured(
        sum(made.values()) / fewest,
        {
            "customers": len(counts),
            "objects": sum(what.objects for what in spent),
            "taken_back": len(taken_back),
            "fewest": fewest,
            "made": made,
            "failed": sum(
                count
                for (_, status), count in service.ramp.service.statuses.items()
                if status >= 400 or not status
            ),
        },
    )
