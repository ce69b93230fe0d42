"""Start child processes that cannot outlive us, and end them."""

import os
import signal
import subprocess
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

TETHER = Path(__file__).with_name("tether.py")


@dataclass(frozen=True, slots=True)
class Program:
    """A program to run beside us.

    `before` stands first in the command line, for launchers such as `unshare`. `is_tethered` says
    that such a launcher sees to it that the program ends with us.
    """

    argv: Sequence[str]
    log: Path
    env: Mapping[str, str] = field(default_factory=dict)
    cwd: Path | None = None
    before: Sequence[str] = ()
    is_tethered: bool = False
    stop_signal: signal.Signals = signal.SIGTERM


def start(program: Program) -> subprocess.Popen[bytes]:
    """Start a program in a process group of its own, with its output appended to its log.

    Call it from the main thread: the kernel ends the child when the *thread* that started it ends.
    """
    ours = [
        sys.executable,
        "-I",
        "-S",
        str(TETHER),
        str(int(program.stop_signal)),
        str(os.getpid()),
    ]
    tether = [] if program.is_tethered else ours
    with program.log.open("ab") as log:
        return subprocess.Popen(
            [*program.before, *tether, *program.argv],
            env={**os.environ, **program.env},
            cwd=program.cwd,
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=subprocess.STDOUT,
            start_new_session=True,
        )


def ask_to_end(process: subprocess.Popen[bytes], program: Program) -> None:
    """Send the signal that the program understands as a wish. Only once: twice may mean "now"."""
    if process.poll() is None:
        process.send_signal(program.stop_signal)


def await_end(process: subprocess.Popen[bytes], *, timeout: float) -> bool:
    """Wait for a program and end all it left. False if it had to be killed."""
    gentle = True
    try:
        process.wait(timeout)
    except subprocess.TimeoutExpired:
        gentle = False
    kill_group(process.pid)
    process.wait()
    return gentle


def kill_group(group: int) -> None:
    """Kill what is left of a process group, if anything is."""
    try:
        os.killpg(group, signal.SIGKILL)
    except ProcessLookupError:
        return


def is_alive(pid: int) -> bool:
    """Whether a process with this id runs. A zombie counts as gone."""
    try:
        status = Path(f"/proc/{pid}/stat").read_text()
    except (FileNotFoundError, ProcessLookupError):
        return False
    return status.rpartition(")")[2].split()[0] != "Z"


def tail(path: Path, lines: int = 12) -> str:
    """The last lines of a log, for a message about what went wrong."""
    if not path.exists():
        return ""
    with path.open("rb") as log:
        log.seek(max(0, path.stat().st_size - 16_384))
        return "\n".join(log.read().decode(errors="replace").splitlines()[-lines:])
