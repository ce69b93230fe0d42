"""Memory of a worker process with 64 slots in steady work, and whether it grows.

What counts is an hour: `--minutes 60`. In ten minutes the slope is known less well, and its
interval says how much less.
"""

import os
import statistics
import time
from collections.abc import Mapping, Sequence
from functools import partial
from threading import Event, Thread

from bench.__main__ import MINUTES
from bench.figures import Measured
from bench.paired import interval
from bench.resident import resident
from bench.stack import (
    CALLS_EACH,
    ERP_SECONDS,
    RAMP_SECONDS,
    TASKS,
    Stack,
    acked,
    running_stack,
)

CUSTOMERS, EACH = 50, 100
STAGE = partial(running_stack, customers=CUSTOMERS)
_EVERY = 2.0
_HOUR = 3600.0
SLOTS = TASKS * CALLS_EACH
Sample = tuple[float, float]
"""Seconds since the beginning, and megabytes."""


def measure(
    stack: Stack,
    *,
    minutes: float | None = None,
    customers: int = CUSTOMERS,
    each: int = EACH,
) -> Mapping[str, Measured]:
    minutes = minutes or float(os.environ.get(MINUTES, "10"))
    connections = stack.connect(customers)
    samples: list[Sample] = []
    with stack.working() as (worker,):
        idle = resident(worker.pid)
        stack.sync(connections, each)
        stack.outside.take_time(ramp=RAMP_SECONDS, erp=ERP_SECONDS)
        before, began, over = acked(), time.monotonic(), Event()

        def look() -> None:
            while not over.wait(_EVERY):
                samples.append((time.monotonic() - began, resident(worker.pid)))

        watch = Thread(target=look)
        watch.start()
        try:
            while time.monotonic() < began + 60 * minutes:
                stack.sync(connections, each)
        finally:
            over.set()
            watch.join()
    late = samples[len(samples) // 3 :]  # until then pools, caches and statements fill
    most = max(megabytes for _, megabytes in samples)
    details = {"minutes": minutes, "objects": acked() - before, "samples": len(samples)}
    return {
        "memory": Measured(
            most,
            {
                "unit": "megabytes",
                "idle": round(idle, 1),
                "for_each_slot": round((most - idle) / SLOTS, 2),
                **details,
            },
        ),
        "memory_slope": Measured(
            slope(late), {"unit": "megabytes an hour", **details}, interval(late, slope)
        ),
    }


def slope(samples: Sequence[Sample]) -> float:
    """Megabytes an hour, by the line that fits best."""
    if len({moment for moment, _ in samples}) < 2:
        return 0.0
    fit = statistics.linear_regression(*zip(*samples, strict=True))
    return fit.slope * _HOUR
