"""Who runs next: logical processes, of which exactly one runs at a time, as the dice have it.

Each is a thread with a database connection of its own. It hands over where it pauses: around
commits, around calls to the outside, at failpoints. There it may also be killed or frozen.
"""

import heapq
import random
import threading
import zlib
from collections import Counter
from collections.abc import Callable
from itertools import count
from typing import Protocol

from tests.simulation.seeded.clock import Clock
from tests.simulation.seeded.processes import (
    BIASED,
    MOMENT,
    NEVER,
    PEACE,
    SHORTLY,
    Gate,
    Killed,
    Process,
    be,
    me,
)

_PATIENCE = 0.02
"""Seconds on the wall until it is looked whether a statement waits for a lock."""


class Sessions(Protocol):
    """Connections to the database, one for each thread."""

    def open(self) -> int:
        """The server's name for the session of this thread."""

    def end(self) -> None:
        """The session of this thread ends as if its process had died; then there is a new one."""


class Stuck(Exception):
    """The run does not come to its end."""


class Scheduler:
    """Runs processes and events in simulated time."""

    def __init__(
        self,
        dice: random.Random,
        clock: Clock,
        waits_for_lock: Callable[[int], bool],
        sessions: Sessions,
    ) -> None:
        self.dice = dice
        self.clock = clock
        self.harm = PEACE
        self.steps = 0
        self.trace = 0
        """A digest of who paused where and when: the same for the same seed."""
        self.passed: Counter[str] = Counter()
        self.struck: Counter[str] = Counter()
        self.frozen: Counter[str] = Counter()
        self.is_broken: Callable[[], bool] = lambda: False
        """Whether the run is over because something is wrong."""
        self.on_commit: Callable[[], None] = lambda: None
        """Called by whoever has just committed a statement by itself."""
        self._waits_for_lock = waits_for_lock
        self._sessions = sessions
        self._processes: list[Process] = []
        self._free: list[Process] = []
        self._events: list[tuple[float, int, Callable[[], object]]] = []
        self._order = count()
        self._turn_over = Gate()
        self._mutex = threading.Lock()

    # -- for the thread that runs the simulation

    def begin(self, name: str, life: Callable[[Process], None], *, skew: float = 0) -> None:
        """A new process. Threads and their connections outlive runs: opening one takes long."""
        process = self._free.pop() if self._free else self._born()
        process.name, process.life, process.skew = name, life, skew
        process.wake, process.is_dead, process.customer = self.clock.seconds, False, ""
        self._processes.append(process)

    def _born(self) -> Process:
        process = Process()
        opened = threading.Event()

        def live() -> None:
            process.backend = self._sessions.open()
            opened.set()
            self._live(process)

        threading.Thread(target=live, daemon=True).start()
        opened.wait()
        return process

    def at(self, seconds: float, event: Callable[[], object]) -> None:
        """Have something happen at a time."""
        heapq.heappush(self._events, (seconds, next(self._order), event))

    def run(self, until: Callable[[], bool], *, latest: float) -> None:
        """Let everybody live until something is so, or is wrong.

        :raises Stuck: if that is not so by `latest`
        """
        while not until() and not self.is_broken():
            now = self.clock.seconds
            ready = [one for one in self._processes if one.wake <= now and not one.is_blocked]
            if ready:
                self._give_turn(ready[0] if len(ready) == 1 else self.dice.choice(ready))
                continue
            self._let_time_pass(latest)

    def end(self) -> None:
        """Kill everybody who still lives."""
        self.harm = PEACE
        for process in self._processes:
            process.is_dead = True
            process.life = None
        while living := [one for one in self._processes if one.is_at_work or one.wake != NEVER]:
            for process in living:
                if not process.is_blocked:
                    self._give_turn(process)
        self._free += self._processes
        self._processes, self._events = [], []
        self.steps = self.trace = 0

    def doom(self, chosen: Callable[[Process], bool]) -> None:
        """Kill others where they stand."""
        for process in self._processes:
            if chosen(process) and process.wake != NEVER:
                process.is_dead = True
                process.wake = min(process.wake, self.clock.seconds)

    def freeze(self, share: float) -> None:
        """Let so many of those who are at work, and outside of transactions, stand still."""
        for process in self._processes:
            is_open = process.wake != NEVER and not process.is_in_transaction
            if is_open and process.is_at_work and self.dice.random() < share:
                self.frozen[process.point] += 1
                process.wake = max(process.wake, self.clock.seconds + self._while_frozen(process))

    def _while_frozen(self, process: Process) -> float:
        longest = MOMENT if process.point in SHORTLY else self.harm.longest_freeze
        return self.dice.uniform(0, longest)

    def any_in_transaction(self) -> bool:
        return any(one.is_in_transaction for one in self._processes)

    def seconds_until_event(self) -> float:
        return self._events[0][0] - self.clock.seconds if self._events else NEVER

    def wake(self, name: str, latest: float) -> None:
        """Let a process that sleeps go on by then."""
        for process in self._processes:
            if process.name == name:
                process.wake = min(process.wake, latest)

    def others_are_idle(self) -> bool:
        mine = me()
        return all(one.wake == NEVER for one in self._processes if one is not mine)

    def wake_one(self) -> None:
        """There is something to do for one of those who wait for that."""
        idle = [one for one in self._processes if one.wake == NEVER and not one.is_blocked]
        if idle:
            self.dice.choice(idle).wake = self.clock.seconds

    def _let_time_pass(self, latest: float) -> None:
        wakes = [one.wake for one in self._processes if not one.is_blocked]
        soonest = min(wakes, default=NEVER)
        if soonest == NEVER and any(one.is_blocked for one in self._processes):
            threading.Event().wait(0.01)  # by somebody who is none of us: PostgreSQL cleans up
            self._settle()
            return
        if self._events and self._events[0][0] <= soonest:
            at, _, event = heapq.heappop(self._events)
            self.clock.seconds = max(self.clock.seconds, at)
            event()
            return
        if soonest > latest:
            raise Stuck(f"Not through after {self.clock.seconds:.0f} simulated seconds.")
        self.clock.seconds = max(self.clock.seconds, soonest)

    def _give_turn(self, process: Process) -> None:
        self.steps += 1
        process.go.open()
        while not self._turn_over.passed(_PATIENCE):
            with self._mutex:
                if process.in_statement and self._waits_for_lock(process.backend):
                    process.is_blocked = True
                    break
        self._settle(but=process)

    def _settle(self, but: Process | None = None) -> None:
        """Who waited for a lock may have it now."""
        for process in self._processes:
            while process.is_blocked and process is not but:
                if self._waits_for_lock(process.backend):
                    break
                threading.Event().wait(0.0002)

    # -- for processes

    def pause(self, point: str) -> None:
        """Perhaps let another run, or die, or sleep long."""
        process = me()
        if process is None:
            return
        self.check_alive(process)
        self.passed[point] += 1
        process.point = point
        step = f"{self.clock.seconds:.6f} {process.name} {point}"
        self.trace = zlib.crc32(step.encode(), self.trace)
        harm, roll = self.harm, self.dice.random()
        deadly = harm.kill * (6 if point == harm.focus else 1)
        if roll < deadly:
            self.struck[point] += 1
            process.is_dead = True
            raise Killed(point)
        if roll < deadly + harm.freeze:
            self.frozen[point] += 1
            self.wait(self._while_frozen(process))
            return
        if self.dice.random() < (harm.at_sends if point in BIASED else harm.switch):
            self.wait(0)

    def wait(self, seconds: float) -> None:
        """Let others run until so much time has passed."""
        process = me()
        if process is None:
            self.clock.seconds += seconds
            return
        self.check_alive(process)
        process.wake = self.clock.seconds + seconds
        self._turn_over.open()
        process.go.passed()
        self.check_alive(process)

    def check_alive(self, process: Process) -> None:
        if process.is_dead:
            raise Killed("It is dead already.")

    def statement(self, process: Process, run: Callable[[], object]) -> object:
        """Run a statement that may have to wait for another process."""
        process.in_statement = True
        try:
            return run()
        finally:
            with self._mutex:
                process.in_statement = False
                was_blocked, process.is_blocked = process.is_blocked, False
                process.wake = self.clock.seconds if was_blocked else process.wake
            if was_blocked:
                process.go.passed()
                if process.is_dead:
                    raise Killed("It died waiting for a lock.")

    def _live(self, process: Process) -> None:
        """What the thread of a process does for ever."""
        be(process)
        while True:
            process.go.passed()
            process.is_at_work = True
            try:
                if process.life is not None and not process.is_dead:
                    process.life(process)
            except Killed:
                self._sessions.end()
            process.is_at_work = False
            if process.life is None:
                self._sessions.end()
                process.wake = NEVER
            else:
                process.wake = self.clock.seconds + self.dice.uniform(0, 5)
            process.is_dead = False
            self._turn_over.open()
