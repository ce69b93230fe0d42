"""Two contestants in turns on one machine: what counts is the ratio of each pair.

A noisy neighbour slows both of a pair, so their ratio is steadier than either. The median is told,
with the interval in which it lies eight times out of ten when the pairs are drawn anew.
"""

import random
import statistics
from collections.abc import Callable, Sequence
from typing import Any

from bench.figures import Measured

PAIRS = 7
_DRAWN_ANEW = 1000


def in_turns(
    first: Callable[[], float], second: Callable[[], float], *, pairs: int = PAIRS
) -> list[tuple[float, float]]:
    """Measure both in turns: A, B, A, B. What each gave, pair by pair."""
    return [(first(), second()) for _ in range(pairs)]


def ratio(pairs: Sequence[tuple[float, float]], **details: object) -> Measured:
    """The median of the first by the second, and its interval."""
    ratios = [first / second for first, second in pairs]
    told = {
        "pairs": len(pairs),
        "first": round(statistics.median(first for first, _ in pairs), 4),
        "second": round(statistics.median(second for _, second in pairs), 4),
    }
    return Measured(statistics.median(ratios), told | details, interval(ratios))


def interval(
    values: Sequence[Any], of: Callable[[Sequence[Any]], float] = statistics.median
) -> tuple[float, float]:
    """From the 10th to the 90th of 100 figures, each of as many values drawn from these."""
    dice = random.Random(1)
    drawn = sorted(of(dice.choices(values, k=len(values))) for _ in range(_DRAWN_ANEW))
    return drawn[_DRAWN_ANEW // 10], drawn[-_DRAWN_ANEW // 10]
