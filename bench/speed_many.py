"""How much faster than the naive loop fifty customers are served by 64 slots.

One worker process with eight tasks, each with eight calls under way. All of it is the real program:
beat, broker, worker, PostgreSQL. The objects are so many that Ramp's budget does not decide.
"""

from functools import partial

from bench.figures import Measured
from bench.paired import PAIRS
from bench.speed import naive, times_as_fast
from bench.stack import Stack, running_stack

CUSTOMERS, EACH, THEIRS = 50, 200, 12
STAGE = partial(running_stack, customers=CUSTOMERS + 1)


def measure(
    stack: Stack,
    *,
    customers: int = CUSTOMERS,
    each: int = EACH,
    theirs: int = THEIRS,
    pairs: int = PAIRS,
) -> Measured:
    return times_as_fast(stack, naive, customers=customers, each=each, theirs=theirs, pairs=pairs)
