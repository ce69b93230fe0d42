import os
import signal
import subprocess
import sys
import textwrap
import time
from collections.abc import Callable, Iterator
from io import StringIO
from pathlib import Path

import pytest

from rampbridge.embedded.processes import Program, is_alive
from rampbridge.embedded.screen import Screen
from rampbridge.embedded.supervisor import Service, Step, StepFailed, Supervisor, Task, advice

FOREVER = "import time; time.sleep(600)"
STUBBORN = """
import signal, time
signal.signal(signal.SIGTERM, signal.SIG_IGN)
open({flag!r}, "w").close()
time.sleep(600)
"""


class Enough(Exception):
    """Ends a watch, as a signal would."""


class Room:
    """Makes steps from lines of Python, and supervisors that are ended with the test."""

    def __init__(self, directory: Path) -> None:
        self.directory = directory
        self.output = StringIO()
        self.supervisors: list[Supervisor] = []

    def program(self, name: str, code: str) -> Program:
        return Program(
            argv=[sys.executable, "-S", "-c", textwrap.dedent(code)],
            log=self.directory / f"{name}.log",
        )

    def task(self, name: str, code: str, *needs: str, patience: float = 20.0) -> Task:
        program = self.program(name, code)
        return Task(name, name.title(), lambda: program, needs=needs, patience=patience)

    def service(
        self,
        name: str,
        code: str = FOREVER,
        *needs: str,
        complaint: Callable[[float], str] = lambda _: "",
        stop_timeout: float = 10.0,
        is_ready: Callable[[], bool] = lambda: True,
    ) -> Service:
        program = self.program(name, code)
        return Service(
            name,
            name.title(),
            lambda: program,
            is_ready,
            needs=needs,
            complaint=complaint,
            stop_timeout=stop_timeout,
            patience=20.0,
        )

    def supervisor(self, *steps: Step) -> Supervisor:
        supervisor = Supervisor(steps, Screen(self.output))
        self.supervisors.append(supervisor)
        return supervisor

    def note(self, word: str) -> str:
        """Code that writes a word into the shared diary."""
        return f"open({str(self.directory / 'diary')!r}, 'a').write({word!r} + ' ')"

    def diary(self) -> list[str]:
        return (self.directory / "diary").read_text().split()


@pytest.fixture
def room(tmp_path: Path) -> Iterator[Room]:
    room = Room(tmp_path)
    yield room
    for supervisor in room.supervisors:
        supervisor.stop()


def watch_until(supervisor: Supervisor, condition: Callable[[], bool]) -> None:
    """Watch until something has happened, or for a minute."""
    deadline = time.monotonic() + 60

    def clock() -> float:
        if condition() or time.monotonic() > deadline:
            raise Enough
        return time.monotonic()

    supervisor.clock = clock
    with pytest.raises(Enough):
        supervisor.watch()
    supervisor.clock = time.monotonic
    assert condition()


def ends(pid: int) -> bool:
    """Whether a process that was ended is gone, allowing the kernel its moment."""
    deadline = time.monotonic() + 60
    while is_alive(pid) and time.monotonic() < deadline:
        time.sleep(0.02)
    return not is_alive(pid)


class TestBringUp:
    def test_starts_each_step_after_what_it_needs(self, room: Room) -> None:
        supervisor = room.supervisor(
            room.task("third", room.note("third"), "second"),
            room.task("second", room.note("second"), "first"),
            room.task("first", room.note("first")),
        )

        supervisor.bring_up()

        assert room.diary() == ["first", "second", "third"]

    def test_waits_until_a_service_is_ready_before_others_use_it(self, room: Room) -> None:
        sign = room.directory / "sign"
        slow = f"import time; time.sleep(0.3); open({str(sign)!r}, 'w').close(); {FOREVER}"
        supervisor = room.supervisor(
            room.service("server", slow, is_ready=sign.exists),
            room.task("user", f"assert __import__('os').path.exists({str(sign)!r})", "server"),
        )

        supervisor.bring_up()

        assert set(supervisor.pids()) == {"server"}

    def test_stops_at_a_task_that_fails_and_shows_the_end_of_its_log(self, room: Room) -> None:
        supervisor = room.supervisor(room.task("seed", "raise SystemExit('no such customer')"))

        with pytest.raises(
            StepFailed, match=r"(?s)Seed: failed with exit code 1.*no such customer"
        ):
            supervisor.bring_up()

    def test_gives_up_on_a_service_that_ends_at_once(self, room: Room) -> None:
        supervisor = room.supervisor(
            room.service(
                "web", "raise SystemExit('Address already in use')", is_ready=lambda: False
            )
        )

        with pytest.raises(StepFailed, match="taken its port"):
            supervisor.bring_up()

    def test_does_not_wait_for_ever(self, room: Room) -> None:
        supervisor = room.supervisor(room.task("seed", FOREVER, patience=0.3))

        with pytest.raises(StepFailed, match="Seed: no end after 0 seconds"):
            supervisor.bring_up()


class TestWatch:
    def test_starts_a_killed_service_again(self, room: Room) -> None:
        supervisor = room.supervisor(room.service("worker"))
        supervisor.bring_up()
        killed = supervisor.pids()["worker"]

        os.kill(killed, signal.SIGKILL)
        watch_until(supervisor, lambda: supervisor.pids().get("worker", killed) != killed)

        assert "Worker: ended by signal 9. Starting it again" in room.output.getvalue()

    def test_survives_ten_kills_in_a_row(self, room: Room) -> None:
        supervisor = room.supervisor(room.service("worker"))
        supervisor.bring_up()
        supervisor.children["worker"].crashes = 9
        killed = supervisor.pids()["worker"]

        os.kill(killed, signal.SIGKILL)
        watch_until(supervisor, lambda: bool(supervisor.children["worker"].start_at))

        assert supervisor.children["worker"].crashes == 10
        assert supervisor.children["worker"].start_at - time.monotonic() <= 15.0

    def test_restarts_a_service_that_lives_but_does_not_work(
        self, room: Room, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr("rampbridge.embedded.supervisor.CHECK_SECONDS", 0.0)
        complaints = ["No progress for 60 seconds."]
        supervisor = room.supervisor(
            room.service("worker", complaint=lambda _: complaints.pop() if complaints else "")
        )
        supervisor.bring_up()
        before = supervisor.pids()["worker"]

        watch_until(supervisor, lambda: supervisor.pids().get("worker", before) != before)

        assert "Worker: No progress for 60 seconds. Starting it again." in room.output.getvalue()


class TestStop:
    def test_ends_everything_with_what_it_started(self, room: Room) -> None:
        grandchild = room.directory / "pid"
        code = f"""
        import subprocess, sys, time
        child = subprocess.Popen([sys.executable, "-S", "-c", "import time; time.sleep(600)"])
        open({str(grandchild)!r}, "w").write(str(child.pid))
        time.sleep(600)
        """
        supervisor = room.supervisor(
            room.service(
                "web", code, is_ready=lambda: grandchild.exists() and bool(grandchild.read_text())
            )
        )
        supervisor.bring_up()
        pids = [supervisor.pids()["web"], int(grandchild.read_text())]

        supervisor.stop()

        assert all(ends(pid) for pid in pids)

    def test_ends_users_before_what_they_use_even_through_a_task(self, room: Room) -> None:
        def polite(word: str) -> str:
            sign = str(room.directory / word)
            return (
                "import signal, sys, time\n"
                f"signal.signal(signal.SIGTERM, lambda *_: ({room.note(word)}, sys.exit()))\n"
                f"open({sign!r}, 'w').close()\n"
                "time.sleep(600)"
            )  # fmt: skip

        supervisor = room.supervisor(
            room.service(
                "database", polite("database"), is_ready=(room.directory / "database").exists
            ),
            room.task("migrations", "pass", "database"),
            room.service(
                "web", polite("web"), "migrations", is_ready=(room.directory / "web").exists
            ),
        )
        supervisor.bring_up()

        supervisor.stop()

        assert room.diary() == ["web", "database"]

    def test_kills_what_does_not_listen(self, room: Room) -> None:
        flag = room.directory / "flag"
        supervisor = room.supervisor(
            room.service(
                "web", STUBBORN.format(flag=str(flag)), stop_timeout=0.2, is_ready=flag.exists
            )
        )
        supervisor.bring_up()
        pid = supervisor.pids()["web"]

        supervisor.stop()

        assert ends(pid)
        assert "was killed" in room.output.getvalue()


def test_children_end_with_a_killed_parent(tmp_path: Path) -> None:
    code = f"""
    import sys, time
    from pathlib import Path
    from rampbridge.embedded.processes import Program, start
    argv = [sys.executable, "-S", "-c", {FOREVER!r}]
    child = start(Program(argv=argv, log=Path({str(tmp_path / "log")!r})))
    print(child.pid, flush=True)
    time.sleep(600)
    """
    parent = subprocess.Popen(
        [sys.executable, "-c", textwrap.dedent(code)], stdout=subprocess.PIPE, text=True
    )
    assert parent.stdout
    child = int(parent.stdout.readline())
    while b"tether.py" in Path(f"/proc/{child}/cmdline").read_bytes():
        time.sleep(0.01)  # until the tether has made way for the program

    parent.kill()
    parent.communicate()

    assert ends(child)


@pytest.mark.parametrize(
    ("log", "words"),
    [
        ("OSError: [Errno 28] No space left on device: 'x'", "disk is full"),
        ("[Errno 98] Address already in use", "taken its port"),
        ("nothing we know", ""),
    ],
)
def test_advice_names_the_remedy(log: str, words: str) -> None:
    assert words in advice(log, Path("/somewhere/demo.log"))
    assert bool(advice(log, Path("/somewhere/demo.log"))) == bool(words)
