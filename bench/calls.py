"""Calls to Ramp, made over minimal.

Minimal for a connection with n ready transactions that a webhook announced: one list call per 100
of them, and one even if there are none, for only asking tells; one report per 500 of them. Minimal
for a poll that finds nothing new: one call for each list, of reimbursements two, for Ramp lists
their directions apart. The token is there already.

Ramp allows 200 calls in 10 seconds to our address, whatever the number of customers. Every call
that brings nothing is a customer that waits.
"""

from collections.abc import Sequence
from math import ceil

from bench.figures import Measured
from bench.service import Service
from syncing.kinds import LISTS

CUSTOMERS = (
    "harbor-coffee",
    "northwind-robotics",
    "atelier-lumiere",
    "pennine-outdoor",
    "verde-clinics",
)
READY = (0, 1, 100, 430, 1000)
PAGE, REPORT = 100, 500
POLL = len(LISTS) + 1


def measure(service: Service, ready: Sequence[int] = READY) -> Measured:
    connections = [service.connect(slug) for slug in CUSTOMERS[: len(ready)]]
    service.outside.forget_ramp_calls()
    for connection, count in zip(connections, ready, strict=True):
        service.buy(connection, count)
    service.drain()
    for connection in connections:
        service.poll(connection)
    service.drain()
    made = service.outside.ramp_calls()
    announced = sum(max(1, ceil(count / PAGE)) + ceil(count / REPORT) for count in ready)
    minimal = announced + len(connections) * POLL
    return Measured(
        sum(made.values()) / minimal, {"ready": list(ready), "minimal": minimal, "made": made}
    )
