"""Calls to Ramp, made over the fewest possible: customers large and small, objects of every type.

Ramp allows 200 calls in 10 seconds to our address, whatever the number of customers. Every call
that brings nothing is a customer that waits.
"""

from collections.abc import Sequence

from bench import spend
from bench.figures import Measured
from bench.virtual_service import VirtualService, virtual_service
from syncing.models import SyncItem

STAGE = virtual_service
LARGEST = 5000
COUNTS = tuple(round(LARGEST * (number / 49) ** 8) for number in range(50))
"""Objects of each customer: 0 to 5,000, and most have few."""


def measure(service: VirtualService, counts: Sequence[int] = COUNTS) -> Measured:
    connections = [service.connect(f"customer-{number}") for number in range(len(counts))]
    spent = [spend.mixed(count, service.dice) for count in counts]
    for connection, what in zip(connections, spent, strict=True):
        spend.spend(service.business(connection.slug), what)
    service.forget_calls()
    service.fetch(connections)
    service.drain()
    assert not SyncItem.objects.exclude(state="ACKED").exists(), "everything is through"
    made, fewest = service.calls, sum(what.fewest_calls for what in spent)
    return Measured(
        sum(made.values()) / fewest,
        {
            "customers": len(counts),
            "objects": sum(what.objects for what in spent),
            "fewest": fewest,
            "made": made,
        },
    )
