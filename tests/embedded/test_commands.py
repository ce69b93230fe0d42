from collections.abc import Mapping, Sequence
from pathlib import Path

import pytest

from rampbridge.embedded import commands
from rampbridge.embedded.home import AlreadyRunning


@pytest.fixture
def ran(monkeypatch: pytest.MonkeyPatch) -> list[list[str]]:
    """The commands that would have run, without the interpreter in front."""
    lines: list[list[str]] = []

    def run(command: Sequence[str], environment: Mapping[str, str] | None = None) -> int:
        lines.append(list(command[1:]))
        return 0

    monkeypatch.setattr(commands, "_run", run)
    return lines


def test_without_arguments_it_helps(capsys: pytest.CaptureFixture[str]) -> None:
    assert commands.main([]) == 0
    assert "./run demo" in capsys.readouterr().out


def test_arguments_of_test_go_to_pytest(ran: list[list[str]]) -> None:
    commands.main(["test", "tests/lib", "-x"])

    assert ran == [["-m", "pytest", "tests/lib", "-x"]]


@pytest.mark.parametrize("command", ["test", "coverage"])
def test_all_tests_run_in_several_processes_and_end_in_one_line(
    command: str,
    ran: list[list[str]],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    results = tmp_path / "results.xml"
    monkeypatch.setattr(commands, "RESULTS", results)

    def run(command: Sequence[str]) -> int:
        if "pytest" in command:
            assert command[-5:-1] == ["-n", commands.WORKERS, "--dist", "worksteal"]
            results.write_text(
                '<testsuites><testsuite tests="9" failures="1" errors="1" skipped="2" time="61.4"/>'
                "</testsuites>"
            )
            return 1
        return 0

    monkeypatch.setattr(commands, "_run", run)

    assert commands.main([command]) == 1
    assert capsys.readouterr().out == "Tests took 61 s.\n5 passed, 2 failed, 2 skipped\n"


def test_a_refusal_is_told_and_not_thrown(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def refuse(_: Sequence[str]) -> int:
        raise AlreadyRunning("The demo runs already.")

    monkeypatch.setitem(commands.COMMANDS, "bench", refuse)

    assert commands.main(["bench"]) == 1
    assert capsys.readouterr().err == "The demo runs already.\n"


def test_a_check_that_fails_shows_why(capsys: pytest.CaptureFixture[str]) -> None:
    failing = [commands.PYTHON, "-c", "raise SystemExit('line too long')"]

    assert not commands._passes("lint", failing, {})
    assert "FAILED" in (output := capsys.readouterr().out)
    assert "line too long" in output
