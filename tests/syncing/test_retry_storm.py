"""After Ramp was away for an hour everybody comes back; virtual time, the bucket's arithmetic."""

import heapq
import random
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import timedelta

import pytest

from connections import egress
from rampbridge.lib import token_bucket
from rampbridge.lib.backoff import full_jitter

CUSTOMERS = 200
LISTS = 4
"""Requests that one pull makes."""
FAILED_PULLS = 60
"""Of each customer, in an hour, a minute apart at most."""
PATIENCE = 5.0

Leave = Callable[[float, int], tuple[int, float]]


@dataclass
class RampWithLimit:
    """Counts requests per address: 200 in any 10 s, the rest are 429."""

    recent: deque[float] = field(default_factory=deque)
    answers: list[int] = field(default_factory=list)

    def request(self, at: float) -> bool:
        while self.recent and self.recent[0] <= at - egress.RAMP_WINDOW:
            self.recent.popleft()
        taken = len(self.recent) < egress.RAMP_BUDGET
        if taken:
            self.recent.append(at)
        self.answers.append(200 if taken else 429)
        return taken

    @property
    def refused_share(self) -> float:
        return self.answers.count(429) / len(self.answers)


def wait_after(failures: int, dice: random.Random) -> float:
    """As a poll that broke off plans its next try."""
    return full_jitter(
        failures,
        base=timedelta(seconds=2),
        ceiling=timedelta(seconds=64),
        jitter=dice.random(),
        minimum=timedelta(seconds=1),
    ).total_seconds()


def come_back(leave: Leave, *, seed: int) -> tuple[RampWithLimit, float]:
    """Ramp is back: every customer pulls until it has read its lists. Returns when all had."""
    dice, ramp = random.Random(seed), RampWithLimit()
    queue = [
        (wait_after(FAILED_PULLS, dice), customer, LISTS, 0.0, FAILED_PULLS)
        for customer in range(CUSTOMERS)
    ]
    heapq.heapify(queue)
    at = 0.0
    while queue:
        at, customer, left, waited, failures = heapq.heappop(queue)
        granted, wait = leave(at, left)
        refused = False
        for _ in range(granted):
            if not ramp.request(at):
                refused = True
                break
            left -= 1
        if left == 0:
            continue
        if refused or waited + wait > PATIENCE:
            wait, waited, failures = wait_after(failures + 1, dice), 0.0, failures + 1
        else:
            waited += wait
        heapq.heappush(queue, (at + wait, customer, left, waited, failures))
    return ramp, at


class Bucket:
    """Our own budget, as all processes share it."""

    def __init__(self) -> None:
        self._bucket = token_bucket.full(egress.LIMITS, now=0.0)

    def leave(self, at: float, wanted: int) -> tuple[int, float]:
        self._bucket, grant = token_bucket.take(
            self._bucket, egress.LIMITS, wanted=wanted, urgent=False, now=at
        )
        return grant.tokens, max(grant.wait, 0.01)


@pytest.mark.matrix("S7")
def test_nearly_nobody_is_refused_and_all_are_through_soon() -> None:
    ramp, finished = come_back(Bucket().leave, seed=7)

    assert ramp.answers.count(200) == CUSTOMERS * LISTS
    assert ramp.refused_share < 0.01
    at_best = CUSTOMERS * LISTS / egress.LIMITS.rate
    assert finished < 64 + 3 * at_best


def test_without_the_bucket_ramp_would_refuse_them() -> None:
    """The same storm, everybody at once: what the simulated limit is there to notice."""
    ramp = RampWithLimit()
    for _ in range(CUSTOMERS * LISTS):
        ramp.request(0.0)

    assert ramp.refused_share > 0.5
