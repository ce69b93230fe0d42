"""What the benchmarks of speed share: contestants in turns, against sides that take their time."""

from collections.abc import Callable, Mapping
from typing import Any

from bench.figures import Measured
from bench.opponents.existing_tool import sync_one_by_one
from bench.opponents.naive_loop import seconds_per_object
from bench.outside import Outside, Purchases
from bench.paired import in_turns, ratio
from bench.stack import ERP_SECONDS, RAMP_SECONDS, TASKS, Stack
from connections.models import Connection

Opponent = Callable[[Outside, Mapping[str, Any], int], float]
"""Syncs so many objects of a business and tells the seconds that each took."""


def naive(outside: Outside, business: Mapping[str, Any], count: int) -> float:
    return seconds_per_object(outside, business, count)


def existing(outside: Outside, business: Mapping[str, Any], count: int) -> float:
    return sync_one_by_one(outside, business, count) / count


def times_as_fast(
    stack: Stack,
    opponent: Opponent,
    *,
    customers: int,
    each: int,
    theirs: int,
    pairs: int,
    warm_up: int = 25,
) -> Measured:
    """Objects a second of ours, with so many customers, over those of the opponent, with one.

    :param theirs: objects that the opponent syncs in a turn, which are enough to know its speed
    """
    *ours, other = stack.connect(customers + 1)
    Connection.objects.filter(pk=other.pk).update(stage=Connection.Stage.CLOSED)
    business = stack.outside.business(other.slug)

    def we() -> float:
        return len(ours) * each / stack.sync(ours, each)

    def they() -> float:
        stack.outside.buy(other.slug, Purchases(theirs))
        return 1 / opponent(stack.outside, business, theirs)

    with stack.working(tasks=TASKS):
        stack.sync(ours, warm_up)
        stack.outside.take_time(ramp=RAMP_SECONDS, erp=ERP_SECONDS)
        measured = in_turns(we, they, pairs=pairs)
    return ratio(measured, unit="objects a second", customers=customers, objects=len(ours) * each)
