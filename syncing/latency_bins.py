"""Bins for how long items took, in seconds, and what percentiles can be read from them. Pure.

They are fine enough for a figure on a page, and hold the bounds that the monitoring's histogram
needs, so that one count serves both.
"""

from collections.abc import Mapping
from datetime import timedelta

BOUNDS: tuple[float, ...] = (
    0.5, 1, 2, 3, 5, 7, 10, 15, 20, 30, 45, 60, 90, 120, 180, 240, 300, 450, 600, 900, 1200, 1800,
    2700, 3600, 5400, 7200, 10_800, 14_400, 21_600, 28_800, 43_200, 64_800, 86_400, 129_600,
    172_800, 259_200, 432_000, 604_800, 1_209_600, 2_592_000,
)  # fmt: skip
"""The upper ends. Bin n holds what took less than `BOUNDS[n]`, the last one all the rest."""

SQL_BOUNDS = f"ARRAY[{', '.join(f'{bound:g}' for bound in BOUNDS)}]::float8[]"
"""For `width_bucket(seconds, ...)`, which gives the number of the bin."""


def percentile(bins: Mapping[int, int], share: float) -> timedelta | None:
    """About how long so large a share of the items took at the most; None if there are none.

    Within a bin it is taken to run evenly. What took longer than the last bound counts as that.

    :param bins: items by bin
    :param share: 0.95 for the 95th percentile
    """
    total = sum(bins.values())
    if total <= 0:
        return None
    wanted, passed = total * share, 0
    for number in sorted(bins):
        items = bins[number]
        if items > 0 and passed + items >= wanted:
            return timedelta(seconds=_within(number, (wanted - passed) / items))
        passed += items
    return timedelta(seconds=BOUNDS[-1])


def _within(number: int, share: float) -> float:
    if number >= len(BOUNDS):
        return BOUNDS[-1]
    low = BOUNDS[number - 1] if number else 0.0
    return low + (BOUNDS[number] - low) * share
