"""How much faster one customer is served than by a tool that makes seven calls for each object.

Five of 100 ms and two of 300, one after the other, as we counted when we ran its code.
"""

from functools import partial

from bench.figures import Measured
from bench.paired import PAIRS
from bench.speed import existing, times_as_fast
from bench.stack import Stack, running_stack

STAGE = partial(running_stack, customers=2)
OBJECTS, THEIRS = 400, 6


def measure(
    stack: Stack, *, each: int = OBJECTS, theirs: int = THEIRS, pairs: int = PAIRS
) -> Measured:
    return times_as_fast(stack, existing, customers=1, each=each, theirs=theirs, pairs=pairs)
