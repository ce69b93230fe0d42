"""Failpoints: nothing unless armed, and then exactly what was ordered."""

import os
import signal
from collections.abc import Iterator
from pathlib import Path

import pytest

from rampbridge.lib import failpoints


@pytest.fixture(autouse=True)
def _disarmed() -> Iterator[None]:
    yield
    failpoints.arm("")


@pytest.fixture
def log(tmp_path: Path) -> Path:
    return tmp_path / "strikes"


def fate_of(*passed: str, wanted: str, log: Path | None = None, seed: int = 0) -> signal.Signals:
    """What ends, or freezes, a process that passes these failpoints."""
    child = os.fork()
    if child == 0:
        failpoints.arm(wanted, seed=seed, log=log)
        for name in passed:
            failpoints.hit(name)
        os.kill(os.getpid(), signal.SIGTERM)  # its natural end, without pytest's
    _, status = os.waitpid(child, os.WUNTRACED)
    if os.WIFSTOPPED(status):
        os.kill(child, signal.SIGKILL)
        os.waitpid(child, 0)
        return signal.Signals(os.WSTOPSIG(status))
    return signal.Signals(os.WTERMSIG(status))


def test_an_armed_failpoint_kills_at_once() -> None:
    assert fate_of("before_report", wanted="before_report") is signal.SIGKILL


def test_others_pass() -> None:
    assert fate_of("after_report", wanted="before_report") is signal.SIGTERM
    assert fate_of("before_report", wanted="") is signal.SIGTERM


def test_a_number_names_the_passage() -> None:
    twice, thrice = ["before_report"] * 2, ["before_report"] * 3

    assert fate_of(*twice, wanted="before_report:3") is signal.SIGTERM
    assert fate_of(*thrice, wanted="before_report:3") is signal.SIGKILL


def test_a_stop_freezes_in_place_of_killing() -> None:
    assert fate_of("before_report", wanted="before_report:stop") is signal.SIGSTOP


def test_a_probability_is_about_as_often_as_it_says(log: Path) -> None:
    passages = ["before_report"] * 5

    ends = [
        fate_of(*passages, wanted="before_report=0.2", log=log, seed=seed) for seed in range(40)
    ]

    killed = ends.count(signal.SIGKILL)
    assert 15 < killed < 38, "two thirds of the forty, give or take"
    assert log.read_text().splitlines() == ["before_report SIGKILL"] * killed


@pytest.mark.parametrize(
    ("wanted", "why"),
    [
        ("before_lunch", "no failpoint 'before_lunch'"),
        ("before_report=often", "'often' is no probability"),
        ("before_report=2", "'2' is no probability"),
        ("before_report:0", "neither a number nor"),
        ("before_report:halt", "neither a number nor"),
    ],
)
def test_a_slip_of_the_pen_is_refused(wanted: str, why: str) -> None:
    with pytest.raises(failpoints.BadFailpoint, match=why):
        failpoints.arm(wanted)


def test_every_failpoint_is_passed_somewhere() -> None:
    code = "\n".join(
        path.read_text()
        for directory in ("migrations_tool", "syncing", "connections", "tests/simulation")
        for path in (Path(__file__).resolve().parents[2] / directory).rglob("*.py")
    )

    assert {name for name in failpoints.NAMES if f'hit("{name}")' not in code} == set()
