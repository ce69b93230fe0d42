"""Our pull against tools that read from APIs, in turns, on the same pages of the same Ramp.

dlt writes what it reads to files, a tap of singer-sdk keeps nothing; we have it in PostgreSQL,
judged new or changed, and counted for the pages. The tools stand in an environment of their own,
which the first run makes and which needs a package index for it.
"""

import json
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

import httpx

from bench.cpu_pull import pull
from bench.figures import Measured
from bench.opponents.existing_tool import API, renew
from bench.outside import Purchases, outside_processes
from bench.paired import PAIRS, ratio
from bench.pretend_ramp import slug_of
from bench.processor_time import processor_time
from bench.service import Service, Stuck, serving
from rampbridge.embedded.home import ROOT
from syncing.lists import PAGES_PER_TURN

OBJECTS = 100 * PAGES_PER_TURN
OPPONENTS = ROOT / "bench" / "opponents"
WHERE = ROOT / "var" / "bench" / "opponents"


@contextmanager
def STAGE() -> Iterator[Service]:  # noqa: N802  as every benchmark names it
    with outside_processes(businesses=PAIRS + 1) as outside, serving(outside) as service:
        yield service


def measure(
    service: Service, *, objects: int = OBJECTS, pairs: int = PAIRS
) -> Mapping[str, Measured]:
    python = _tools()
    _ours(service, slug_of(pairs), 100)  # what a process reads once
    turns = [_turn(service, python, slug_of(number), objects) for number in range(pairs)]
    unit = "processor seconds per 1,000"
    return {
        "pull_dlt": ratio([(dlt, ours) for ours, dlt, _ in turns], unit=unit, objects=objects),
        "pull_singer": ratio(
            [(ours, singer) for ours, _, singer in turns], unit=unit, objects=objects
        ),
    }


def _turn(service: Service, python: Path, slug: str, objects: int) -> tuple[float, float, float]:
    """What ours, dlt and singer-sdk take for 1,000 objects."""
    ours = _ours(service, slug, objects)
    base_url = service.outside.ramp_url + API
    with httpx.Client(base_url=base_url, trust_env=False) as http:
        renew(http, service.outside.business(slug))
        token = http.headers["Authorization"].removeprefix("Bearer ")
    with tempfile.TemporaryDirectory(prefix="rb-") as room:
        dlt = _theirs(python, "pull_dlt.py", objects, base_url, token, room)
    return ours, dlt, _theirs(python, "pull_singer.py", objects, base_url, token)


def _ours(service: Service, slug: str, objects: int) -> float:
    connection = service.connect(slug)
    service.outside.buy(slug, Purchases(objects))
    before = processor_time()
    run = pull(connection)
    used = (processor_time() - before).total
    if run is None or run.new != objects:
        raise Stuck(f"The pull brought {run and run.new} of {objects} objects.")
    return used * 1000 / objects


def _theirs(python: Path, script: str, objects: int, *arguments: str) -> float:
    done = subprocess.run(
        [python, OPPONENTS / script, *arguments], capture_output=True, text=True, check=False
    )
    if done.returncode:
        raise Stuck(f"{script} broke off:\n{done.stderr[-2000:]}")
    told = json.loads(done.stdout.splitlines()[-1])
    if told["rows"] != objects:
        raise Stuck(f"{script} read {told['rows']} of {objects} objects.")
    return float(told["seconds"]) * 1000 / objects


def _tools() -> Path:
    """The Python of the environment in which the tools are, made if need be."""
    python, wanted = WHERE / "bin" / "python", OPPONENTS / "requirements.txt"
    made_of = WHERE / wanted.name
    if made_of.exists() and made_of.read_text() == wanted.read_text():
        return python
    for command in (
        [sys.executable, "-m", "venv", "--clear", str(WHERE)],
        [str(python), "-m", "pip", "install", "--quiet", "-r", str(wanted)],
    ):
        done = subprocess.run(command, capture_output=True, text=True, check=False)
        if done.returncode:
            raise Stuck(f"The tools cannot be installed:\n{done.stderr[-2000:]}")
    made_of.write_text(wanted.read_text())
    return python
