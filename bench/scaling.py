"""How much of the work is serial: objects a second with 1, 2, 4, ... 64 slots, fitted.

    X(n) = n X(1) / (1 + s (n - 1))

What all slots must wait for one after the other (a lock, a row, a process that has only one thread
of Python at a time) shows as `s`. Counted is what the ERP has booked between two moments in the
middle of a run, so that neither the beginning nor the end of one tells.
"""

import math
import time
from collections.abc import Sequence
from functools import partial

from bench.figures import Measured
from bench.pretend_erp import CALLS
from bench.stack import (
    CALLS_EACH,
    ERP_SECONDS,
    RAMP_SECONDS,
    Stack,
    acked,
    running_stack,
    wait_until,
)
from connections import services
from connections.models import Connection
from syncing import poll_schedule

SLOTS = (1, 2, 4, 8, 16, 32, 64)
SECONDS = 15.0
_SETTLE_SECONDS = 3.0
STAGE = partial(running_stack, customers=max(SLOTS) // CALLS_EACH)
_STEPS = 1000


def measure(stack: Stack, *, slots: Sequence[int] = SLOTS, seconds: float = SECONDS) -> Measured:
    connections = stack.connect(max(1, max(slots) // CALLS_EACH))
    stack.outside.take_time(ramp=RAMP_SECONDS, erp=ERP_SECONDS)
    with stack.working():
        speeds = [(number, _speed(stack, connections, number, seconds)) for number in slots]
    return Measured(
        serial_share(speeds),
        {"objects_a_second": {number: round(speed, 2) for number, speed in speeds}},
    )


def _speed(stack: Stack, connections: Sequence[Connection], slots: int, seconds: float) -> float:
    """Objects a second that are booked by so many slots."""
    working = connections[: max(1, slots // CALLS_EACH)]
    calls = str(min(slots, CALLS_EACH))
    for connection in working:
        settings = {"url": stack.outside.erp_url, CALLS: calls}
        services.change_erp_credential(connection, settings)
    lasts = seconds + 2 * _SETTLE_SECONDS
    each = round(slots / ERP_SECONDS * lasts / len(working))
    stack.buy(working, each)
    before, wanted = stack.outside.booked(), acked() + each * len(working)
    for connection in working:
        poll_schedule.fetch_soon(connection.pk, types=["transaction"])
    wait_until(lambda: stack.outside.booked() > before, seconds=60)
    time.sleep(_SETTLE_SECONDS)
    first, began = stack.outside.booked(), time.monotonic()
    time.sleep(seconds)
    booked, took = stack.outside.booked() - first, time.monotonic() - began
    wait_until(lambda: acked() >= wanted, seconds=600)
    return booked / took


def serial_share(speeds: Sequence[tuple[int, float]]) -> float:
    """The `s` that fits best: with the smallest squares of the logarithms' differences."""

    def error(share: float) -> float:
        shape = [
            math.log(speed) - math.log(number / (1 + share * (number - 1)))
            for number, speed in speeds
        ]
        mean = sum(shape) / len(shape)  # the best logarithm of X(1)
        return sum((one - mean) ** 2 for one in shape)

    return min((step / _STEPS for step in range(_STEPS)), key=error)
