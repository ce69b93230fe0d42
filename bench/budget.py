"""How much of Ramp's 20 requests a second we use when twice as many are wanted, and how often we go
beyond it.

Several processes draw on the real bucket in PostgreSQL for two minutes of virtual time, each with
several threads. Ramp counts what arrives in any ten seconds, and requests take their time to get
there, some more than others. The value is what Ramp answered, of what its limit allows.
"""

import heapq
import random
from collections.abc import Iterator
from contextlib import contextmanager
from itertools import count

from bench.figures import Measured
from bench.service import Stuck
from bench.virtual_clock import VirtualClock
from connections import egress
from connections.ramp.rate_limit import Lane
from connections.ramp_simulator.rate_limit import LIMIT, WINDOW, RollingWindow

PROCESSES, THREADS = 4, 4
SECONDS = 120.0
CEILING = LIMIT / WINDOW.total_seconds()
THREAD_WANTS = 2 * CEILING / (PROCESSES * THREADS)
"""Requests a second; all threads together want twice what Ramp allows."""
USUAL_WAY, LATE_WAY, IS_LATE = 0.05, 0.5, 0.01
"""Seconds that a request is on its way at most; one in a hundred may take longer."""
EXACT = 0.001
"""No sleep ends more exactly than that."""
RETRY_AFTER = 2.0
MOST_REFUSED = 0.005
SEED = 1


@contextmanager
def virtual_clock() -> Iterator[VirtualClock]:
    clock = VirtualClock()
    with clock.rules():
        yield clock


STAGE = virtual_clock


def measure(clock: VirtualClock, seconds: float = SECONDS) -> Measured:
    world = _World(clock)
    world.run(until=seconds)
    used = world.answered / (CEILING * seconds)
    refused = world.refused / (world.answered + world.refused)
    if refused > MOST_REFUSED:
        raise Stuck(f"Ramp refused {refused:.1%} of the requests.")
    return Measured(
        used,
        {
            "seconds": seconds,
            "wanted_per_second": 2 * CEILING,
            "answered": world.answered,
            "refused": world.refused,
            "refused_share": round(refused, 5),
        },
    )


class _World:
    """Our threads and Ramp's count, moved from event to event."""

    def __init__(self, clock: VirtualClock) -> None:
        self.answered = self.refused = 0
        self._clock = clock
        self._dice = random.Random(SEED)
        self._window = RollingWindow()
        self._sources = [
            egress.EgressTokens("bench", clock=clock.monotonic) for _ in range(PROCESSES)
        ]
        self._order = count()  # of two events at a time the older one is first
        self._events: list[tuple[float, int, int, bool]] = []
        for thread in range(PROCESSES * THREADS):
            self._at(self._dice.uniform(0, 1 / THREAD_WANTS), thread, is_arrival=False)

    def run(self, *, until: float) -> None:
        while self._events[0][0] < until:
            at, _, thread, is_arrival = heapq.heappop(self._events)
            self._clock.spend(at - self._clock.seconds)
            if is_arrival:
                self._arrive(thread)
            else:
                self._ask(thread)

    def _ask(self, thread: int) -> None:
        """A thread wants to send: it gets leave, or sleeps for as long as it is told to."""
        now = self._clock.seconds
        wait = self._sources[thread % PROCESSES].take(Lane.ORDINARY)
        if wait:
            self._at(now + max(wait, EXACT), thread, is_arrival=False)
            return
        longest = LATE_WAY if self._dice.random() < IS_LATE else USUAL_WAY
        self._at(now + self._dice.uniform(0, longest), thread, is_arrival=True)
        self._at(now + self._dice.expovariate(THREAD_WANTS), thread, is_arrival=False)

    def _arrive(self, thread: int) -> None:
        if self._window.admit("us", self._clock.now()):
            self.answered += 1
        else:
            self.refused += 1
            self._sources[thread % PROCESSES].freeze(RETRY_AFTER)

    def _at(self, seconds: float, thread: int, *, is_arrival: bool) -> None:
        heapq.heappush(self._events, (seconds, next(self._order), thread, is_arrival))
