"""How much faster than the naive loop one customer is served whose ERP takes eight calls at a time.

Ramp takes a tenth of a second over a call and the ERP three: the loop needs half a second per
object, and nobody can need less than an eighth of what the ERP takes.
"""

from functools import partial

from bench.figures import Measured
from bench.paired import PAIRS
from bench.speed import naive, times_as_fast
from bench.stack import Stack, running_stack

STAGE = partial(running_stack, customers=2)
OBJECTS, THEIRS = 400, 12


def measure(
    stack: Stack, *, each: int = OBJECTS, theirs: int = THEIRS, pairs: int = PAIRS
) -> Measured:
    return times_as_fast(stack, naive, customers=1, each=each, theirs=theirs, pairs=pairs)
