"""Kills and recoveries a second of the kill test: how many of them a night can hold.

A cycle is a process that is forked, works, dies at a failpoint, and what it left being taken up by
others. What recovers wrongly breaks the run off.
"""

import logging
import os
import tempfile
from pathlib import Path

from bench.figures import Measured
from bench.service import Stuck
from tests.simulation import kills
from tests.simulation.outcome import Wanted

KILLS, SEED = 300, 7


def measure(_: None, *, wanted: int = KILLS) -> Measured:
    logging.disable(logging.WARNING)  # each of the deaths would be told
    with tempfile.TemporaryDirectory(prefix="rb-") as room:
        outcome = kills.run(Wanted(wanted, SEED), os.environ["DATABASE_URL"], Path(room))
    if not outcome.is_clean:
        raise Stuck(f"What was killed did not recover: {outcome.findings[:5]}")
    return Measured(
        outcome.kills_per_second,
        {
            "unit": "kills and recoveries a second",
            "kills": outcome.kills,
            "seconds": outcome.seconds,
            "objects": outcome.objects,
            "lost": outcome.lost,
            "doubled": outcome.doubled,
            "unbalanced": outcome.unbalanced,
        },
    )
