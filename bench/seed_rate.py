"""Seeds a second of the simulation on two cores: how many of them a night can hold.

By processor time, PostgreSQL's counted, so that neighbours do not count. A seed that finds anything
breaks the run off.
"""

import json
import subprocess
import sys

from bench.figures import Measured
from bench.service import Stuck
from rampbridge.embedded.home import ROOT

SEEDS, CORES = 300, 2


def measure(_: None, *, wanted: int = SEEDS) -> Measured:
    done = subprocess.run(
        [sys.executable, "-m", "tests.simulation.simulate", "--json", "--seeds", str(wanted)],
        cwd=ROOT,
        stdout=subprocess.PIPE,
        text=True,
        check=False,
    )
    if not done.stdout:
        raise Stuck("The simulation has broken down.")
    said = json.loads(done.stdout)
    if said["broken"]:
        raise Stuck(f"Seeds found something: {said['broken'][:5]}")
    return Measured(
        CORES * said["seeds"] / said["seconds"],
        {
            "unit": "seeds a second on two cores",
            "seeds": said["seeds"],
            "processor_seconds": round(said["seconds"], 1),
            "wall_seconds": said["wall"],
            "steps": said["steps"],
        },
    )
