"""Start programs in the order of their needs, keep them running, and end them all.

One thread and one loop. Everything starts as soon as what it needs is there, so slow steps overlap.
A service that ends is started again, sooner or later by how often it has just ended.
"""

import signal
import subprocess
import time
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from pathlib import Path

from rampbridge.embedded import processes
from rampbridge.embedded.processes import Program
from rampbridge.embedded.screen import Activity, Screen

PAUSE = 0.1
CHECK_SECONDS = 5.0
LONGEST_WAIT = 15.0
GOOD_LIFE = 20.0  # seconds after which a service counts as healthy, and its crashes are forgotten
TASK_STOP = 5.0
PATIENCE = 3  # crashes in a row before we say what may be wrong; while starting, before we give up


class StepFailed(Exception):
    """The programs cannot be brought up. The message says why and what to do."""


@dataclass(frozen=True, slots=True)
class Task:
    """Something to run to its end."""

    name: str
    title: str
    program: Callable[[], Program]
    needs: tuple[str, ...] = ()
    expected: float = 1.0
    patience: float = 300.0


@dataclass(frozen=True, slots=True)
class Service:
    """Something to keep running.

    `prepare` runs before each start. `is_ready` says when others may begin to use it. `complaint`
    is asked every few seconds, with its age, and gives a reason to start it anew, or nothing.
    """

    name: str
    title: str
    program: Callable[[], Program]
    is_ready: Callable[[], bool]
    needs: tuple[str, ...] = ()
    expected: float = 1.0
    patience: float = 60.0
    prepare: Callable[[], None] = lambda: None
    complaint: Callable[[float], str] = lambda _age: ""
    stop_timeout: float = 30.0


Step = Task | Service


@dataclass(slots=True)
class Child:
    """A step and the process that now works for it, if one does."""

    step: Step
    activity: Activity
    program: Program | None = None
    process: subprocess.Popen[bytes] | None = None
    started_at: float = 0.0
    checked_at: float = 0.0
    done: bool = False
    crashes: int = 0
    start_at: float = 0.0

    @property
    def is_running(self) -> bool:
        return self.process is not None and self.process.poll() is None


@dataclass(slots=True)
class Supervisor:
    """Runs steps. `changed` is called whenever processes have come or gone."""

    steps: Iterable[Step]
    screen: Screen
    changed: Callable[["Supervisor"], None] = lambda _: None
    clock: Callable[[], float] = time.monotonic
    children: dict[str, Child] = field(default_factory=dict)

    def bring_up(self) -> None:
        """Run every task and start every service.

        :raises StepFailed: when one of them does not work
        """
        waiting = {step.name: step for step in self.steps}
        while waiting or not all(child.done for child in self.children.values()):
            for step in list(waiting.values()):
                if all(self._is_done(need) for need in step.needs):
                    self._begin(waiting.pop(step.name))
            for child in self.children.values():
                self._advance(child)
            self.screen.show([c.activity for c in self.children.values() if not c.done])
            time.sleep(PAUSE)

    def watch(self) -> None:
        """Keep the services running. Ends only by an exception, such as a signal handler's."""
        while True:
            for child in self.children.values():
                if isinstance(child.step, Service):
                    self._keep(child, child.step)
            time.sleep(PAUSE)

    def stop(self) -> None:
        """End every process, each before what it needs."""
        left = {name: child for name, child in self.children.items() if child.process}
        while left:
            needed = {need for name in left for need in self._all_needs(name)}
            free = [name for name in left if name not in needed]
            self._end([left.pop(name) for name in free])
        self.changed(self)

    def _all_needs(self, name: str) -> set[str]:
        direct = self.children[name].step.needs
        return {*direct, *(need for one in direct for need in self._all_needs(one))}

    def pids(self) -> dict[str, int]:
        """The processes that now run, by the names of their steps."""
        running = {name: child.process for name, child in self.children.items() if child.is_running}
        return {name: process.pid for name, process in running.items() if process}

    def _is_done(self, name: str) -> bool:
        return name in self.children and self.children[name].done

    def _begin(self, step: Step) -> None:
        child = Child(step, Activity(step.title, step.expected))
        self.children[step.name] = child
        self._start(child)

    def _start(self, child: Child) -> None:
        if isinstance(child.step, Service):
            child.step.prepare()
        child.program = child.step.program()
        child.process = processes.start(child.program)
        child.started_at = child.checked_at = self.clock()
        child.start_at = 0.0
        self.changed(self)

    def _advance(self, child: Child) -> None:
        if isinstance(child.step, Service):
            self._keep(child, child.step)
        if child.done:
            return
        if isinstance(child.step, Task):
            self._finish_task(child)
        elif child.is_running and child.step.is_ready():
            self._finished(child)
        self._check_patience(child)

    def _check_patience(self, child: Child) -> None:
        if not child.done and child.activity.seconds > child.step.patience:
            limit = f"{child.step.patience:.0f} seconds"
            raise StepFailed(f"{child.step.title}: no end after {limit}.\n{_evidence(child)}")

    def _finish_task(self, child: Child) -> None:
        code = child.process.poll() if child.process else None
        if code == 0:
            self._finished(child)
        elif code is not None:
            raise StepFailed(f"{child.step.title}: failed {_how(code)}.\n{_evidence(child)}")

    def _finished(self, child: Child) -> None:
        child.done = True
        if isinstance(child.step, Task):
            child.process = None
        self.screen.finished(child.activity)

    def _keep(self, child: Child, service: Service) -> None:
        now = self.clock()
        if child.start_at:
            if now >= child.start_at:
                self._start(child)
        elif not child.is_running:
            self._note_crash(child, service, now)
        elif child.done and now - child.checked_at > CHECK_SECONDS:
            child.checked_at = now
            if reason := service.complaint(now - child.started_at):
                self.screen.say(f"{service.title}: {reason} Starting it again.")
                self._end([child])
                self._start(child)

    def _note_crash(self, child: Child, service: Service, now: float) -> None:
        code = child.process.poll() if child.process else 0
        if child.process:
            processes.kill_group(child.process.pid)
        child.crashes = child.crashes + 1 if now - child.started_at < GOOD_LIFE else 1
        if child.crashes >= PATIENCE and not child.done:
            raise StepFailed(f"{service.title}: ends at once {_how(code)}.\n{_evidence(child)}")
        wait = min(0.25 * 2 ** (child.crashes - 1), LONGEST_WAIT)
        child.start_at = now + wait
        self.screen.say(f"{service.title}: ended {_how(code)}. Starting it again in {wait:.1f} s.")
        if (
            child.crashes % PATIENCE == 0 and code != -signal.SIGKILL
        ):  # killed: its log knows nothing
            self.screen.say(_evidence(child))

    def _end(self, children: list[Child]) -> None:
        for child in children:
            if child.process and child.program:
                processes.ask_to_end(child.process, child.program)
        for child in children:
            limit = child.step.stop_timeout if isinstance(child.step, Service) else TASK_STOP
            if child.process and not processes.await_end(child.process, timeout=limit):
                self.screen.say(f"{child.step.title}: did not end by itself and was killed.")


def _how(code: int | None) -> str:
    if code is None:
        return "(unknown)"
    return f"by signal {-code}" if code < 0 else f"with exit code {code}"


def _evidence(child: Child) -> str:
    """The end of a step's log, and what to do about it where we know."""
    if child.program is None:
        return ""
    text = processes.tail(child.program.log)
    lines = "\n".join(f"    {line}" for line in text.splitlines())
    parts = [f"The end of {child.program.log}:", lines, advice(text, child.program.log)]
    return "\n".join(part for part in parts if part)


KNOWN_TROUBLE = {
    "No space left on device": "The disk is full. Free some space and start again: {disk}",
    "Address already in use": "Another program has just taken its port. Start again, and a free "
    "one is chosen.",
    "Permission denied": "A file here belongs to someone else. Run it as the same user as before.",
    "Cannot allocate memory": "The machine is out of memory. Close something and start again.",
}


def advice(log: str, where: Path) -> str:
    """What to do about trouble that we know by its words, or nothing."""
    known = (text for words, text in KNOWN_TROUBLE.items() if words in log)
    return next(known, "").format(disk=where.parent)
