"""The sync engine in a pretend world that is drawn from a seed: a few seeds, for each costs a sixth
of a second. CI runs 300 of them by `./run simulate`."""

import json
import subprocess
import sys
from collections import Counter
from pathlib import Path
from typing import Any

import pytest

from rampbridge.embedded.home import ROOT
from tests.simulation import simulate
from tests.simulation.seeded.planted import PLANTED
from tests.simulation.seeded.reached import unreached
from tests.simulation.seeded.room import Tally
from tests.simulation.seeded.shape import CHART_POINTS, MOVE_POINTS, POINTS


def simulated(*arguments: str) -> dict[str, Any]:
    """One run, and what it says."""
    done = subprocess.run(
        [sys.executable, "-m", "tests.simulation.simulate", "--json", *arguments],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.stdout, done.stderr[-4000:]
    return dict(json.loads(done.stdout))


def test_nothing_is_lost_or_doubled_however_work_is_cut_and_mixed() -> None:
    run = simulated("--seeds", "24")

    assert run["broken"] == []
    assert run["runs"] >= 24
    assert run["kills"] > 10
    assert sum(run["faults"].values()) > 10


def test_the_same_seed_is_the_same_world_again() -> None:
    first, again = (simulated("--seed", "3") for _ in range(2))

    assert (first["trace"], first["steps"]) == (again["trace"], again["steps"])
    assert first["trace"]


def test_a_seed_that_finds_something_runs_first_from_then_on(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(simulate, "REGRESS", tmp_path / "regress.txt")
    simulate.REGRESS.write_text("10  # known\n")

    simulate._remember(Tally(broken=[(10, "INV2", "known"), (7, "INV2", "booked\ntwice")]))

    assert simulate._seeds(2) == [10, 7, 1, 2]
    assert "7  # INV2: booked twice (./run simulate --seed 7)\n" in simulate.REGRESS.read_text()


def test_what_was_reached_too_rarely_is_told() -> None:
    tally = Tally(
        seeds=300, passed=Counter(dict.fromkeys((*POINTS, *CHART_POINTS, *MOVE_POINTS), 30))
    )

    assert "erp_504 struck 0 times" in unreached(tally)
    assert not any("passed" in what for what in unreached(tally))
    assert not unreached(Tally(seeds=299))


def test_what_real_processes_broke_is_told(capsys: pytest.CaptureFixture[str]) -> None:
    wrong = dict.fromkeys(("lost", "doubled", "unbalanced", "unexplained"), 0)
    killed = {"kills": 300, **wrong, "errors": 1, "findings": ["broken: Traceback\nKeyError"]}

    simulate._print_run(Tally(seeds=1), 1.0, killed, as_json=False)

    told = capsys.readouterr().out
    assert "broken: Traceback\nKeyError" in told
    assert "Nothing is wrong" not in told


def test_a_planted_bug_is_found_and_the_seed_named() -> None:
    run = simulated("--seeds", "24", "--planted", "shared client")

    seed, invariant, _ = run["broken"][0]
    assert (seed > 0, invariant) == (True, "INV8")


def test_twenty_two_bugs_can_be_planted() -> None:
    assert len(PLANTED) == 22
