"""Logical processes: what one is, what may happen to it, and the gate where it waits its turn."""

import _thread
import threading
from collections.abc import Callable
from dataclasses import dataclass, field

NEVER = float("inf")
_local = threading.local()


class Killed(BaseException):
    """This process is no more: nothing of it runs on, and nothing is put in order."""


@dataclass(frozen=True, slots=True)
class Harm:
    """How likely things are to happen to whoever pauses."""

    switch: float = 0.25
    at_sends: float = 0.75
    """Right after a send and right before a commit, where races are lost."""
    kill: float = 0.0
    freeze: float = 0.0
    longest_freeze: float = 240.0
    focus: str = ""
    """The point at which processes of this run die most easily."""


PEACE = Harm()
BIASED = frozenset({"before_commit", "after_erp_post", "after_report", "erp_sent", "ramp_sent"})
SHORTLY = frozenset({"before_erp_post", "during_erp_post", "after_takeover_commit"})
"""Where nobody is frozen for longer than a moment: who checks that there is time left for a call,
and then sleeps, is the one thing that no lease can guard against (fault X11)."""
MOMENT = 8.0


class Gate:
    """Shut; who comes to it waits until it is opened, and shuts it again. One opens, one passes.

    A bare lock: it takes a fifth of a semaphore's time, and there are hundreds of turns to a run.
    """

    def __init__(self) -> None:
        lock = _thread.allocate_lock()
        lock.acquire()
        self.open = lock.release
        self._acquire = lock.acquire

    def passed(self, patience: float = -1) -> bool:
        """Whether it was opened before so many seconds on the wall had passed."""
        return self._acquire(True, patience)


@dataclass(eq=False)
class Process:
    """One logical process. Killed, it begins its life anew."""

    name: str = ""
    wake: float = 0.0
    skew: float = 0.0
    """By how much its own clock is wrong, in seconds (fault T6)."""
    customer: str = ""
    """Whom it works for now."""
    point: str = ""
    """Where it paused last."""
    is_dead: bool = False
    is_in_transaction: bool = False
    is_at_work: bool = False
    """Between its birth and its death, idle or not."""
    in_statement: bool = False
    is_blocked: bool = False
    backend: int = 0
    life: Callable[["Process"], None] | None = None
    go: Gate = field(default_factory=Gate)


def be(process: Process) -> None:
    """This thread is this process, for ever."""
    _local.process = process


def me() -> Process | None:
    """The process whose thread this is; None in the thread that runs the simulation."""
    return getattr(_local, "process", None)
