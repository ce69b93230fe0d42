"""Real processes killed in the middle of their work: everything is booked once, or visibly not.

The runs are processes of their own, because they fork and must have no threads before.
"""

import json
import os
import subprocess
import sys
from typing import Any

import pytest

from rampbridge.embedded.home import ROOT
from rampbridge.lib import failpoints
from syncing.models import SyncItem
from tests.simulation import disasters
from tests.simulation.kills import HOPELESS_AFTER, LEAST_STRIKES, never_passed
from tests.simulation.strikes import WORKER_FAILPOINTS, armament

KILLS = 300
BESIDE_TYPES = ("settled by card", "vendor", "file")
"""What a run must have seen too, or its audit has looked at nothing of it."""


def run_of(*arguments: str) -> dict[str, Any]:
    """One run on the server of these tests, and what it says."""
    measured = {name for name in os.environ if name.startswith("COVERAGE")}
    done = subprocess.run(
        [sys.executable, "-m", "tests.simulation.kills", "--json", *arguments],
        # Killed processes have no coverage to give, and measuring doubles the time.
        env={name: value for name, value in os.environ.items() if name not in measured},
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.stdout, done.stderr[-4000:]
    return dict(json.loads(done.stdout))


@pytest.mark.matrix("W1", "W2", "W3", "P1", "P2", "X1", "X3", "X4", "X5", "X6", "X8", "X9")
@pytest.mark.matrix("X10", "X12", "X24", "K1", "K2", "K3", "K4", "K13", "K14", "K19", "T3", "I11")
@pytest.mark.matrix("I1", "I3", "I4", "I5", "I7", "I10")
def test_hundreds_of_kills_lose_nothing_and_double_nothing() -> None:
    """INV1 to INV6 after SIGKILLs at every failpoint, on ERPs of the classes K, L and N, while the
    broker is flushed, PostgreSQL stops hard and falls back, workers are restarted in turn, and
    three beats ring at once."""
    outcome = run_of("--kills", str(KILLS), "--seed", "7")

    wrong = ("lost", "doubled", "unbalanced", "unexplained", "errors")
    assert {name: outcome[name] for name in wrong} == dict.fromkeys(wrong, 0), outcome["findings"]
    assert outcome["kills"] >= KILLS
    assert outcome["freezes"] > 0
    assert outcome["disasters"].keys() == set(disasters.ORDER)
    assert outcome["ended"] > 0
    assert min(outcome["failpoints"].values()) >= LEAST_STRIKES
    assert outcome["failpoints"].keys() == failpoints.OF_SPEND
    assert outcome["states"]["ACKED"] > outcome["objects"] / 2
    assert outcome["types"].keys() >= {*SyncItem.ObjectType, *BESIDE_TYPES}


def test_a_failpoint_that_nobody_passes_ends_the_run_soon() -> None:
    """And not when its time is up, half an hour later."""
    others = dict.fromkeys(failpoints.OF_SPEND - {"after_coding"}, HOPELESS_AFTER // 20)

    assert never_passed(others, kills=100) == ["after_coding"]
    assert never_passed(others, kills=1000) == []
    assert never_passed({"before_report": HOPELESS_AFTER - 1}, kills=1) == []
    assert never_passed(dict.fromkeys(failpoints.OF_SPEND, 100), kills=1) == []


def test_whoever_passes_a_failpoint_that_has_not_struck_dies() -> None:
    """So that one which has not struck by the end was not passed, however seldom it is."""
    others = dict.fromkeys(WORKER_FAILPOINTS - {"after_acked_commit"}, 1)

    armed = failpoints.parse(armament("worker", others))

    assert armed.pop("after_acked_commit").probability == 1
    assert max(strike.probability for strike in armed.values()) < 1


@pytest.mark.parametrize("safeguard", ["settle", "intent"])
def test_without_a_safeguard_the_same_run_finds_documents_doubled(safeguard: str) -> None:
    """What would not be found if the harness were blind."""
    outcome = run_of("--seed", "7", "--without", safeguard)

    assert outcome["doubled"] > 0
