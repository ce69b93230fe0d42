"""What a worker process of the kill test does: answer doorbells until it is told to end."""

import os
import random
import signal
import time
import traceback
from collections.abc import Callable
from pathlib import Path

import psycopg
from django.db import connection as database
from psycopg.errors import AdminShutdown, CannotConnectNow, CrashShutdown, ReadOnlySqlTransaction

from syncing import stopping, tasks

_IDLE_SECONDS = 0.25
"""Until a worker looks again after there was nothing to do. Looking all the time would take the
machine from those that work."""
_GOING_DOWN = (AdminShutdown, CrashShutdown, CannotConnectNow)
_END = "\x1e\n"
"""Behind each exception that is noted. Within one there are empty lines, and several tracebacks."""


class Desk:
    """Doorbells that ring in this process, and are answered in any order, as many workers would."""

    def __init__(self, errors: Path, dice: random.Random) -> None:
        self._rung: list[tuple[Callable[..., None], dict[str, str]]] = []
        self._errors, self._dice = errors, dice
        tasks.ring = lambda doorbell, **about: self._rung.append((doorbell, about))

    def answer_all(self) -> int:
        """Sweep, and answer whatever rings. Returns how many doorbells that were."""
        self._rung.append((tasks.sweep, {}))
        heard = 0
        while self._rung and not stopping.is_asked():
            heard += 1
            self._answer(*self._rung.pop(self._dice.randrange(len(self._rung))))
        return heard

    def forget(self) -> None:
        """Lose what has rung, as a broker does that is flushed (fault I1)."""
        del self._rung[:]

    def _answer(self, doorbell: Callable[..., None], about: dict[str, str]) -> None:
        try:
            doorbell(**about)
        except Exception as error:  # noqa: BLE001  as Celery would: the next one rings all the same
            if _has_database() and not _is_of_outage(error):
                note(self._errors)
            else:
                database.close()


def work(errors: Path, dice: random.Random) -> None:
    """Be a worker process with a beat of its own, until SIGTERM (fault I7)."""
    desk = Desk(errors, dice)
    signal.signal(signal.SIGTERM, lambda *_: stopping.ask())
    signal.signal(signal.SIGUSR1, lambda *_: desk.forget())
    parent = os.getppid()
    while os.getppid() == parent and not stopping.is_asked():
        heard = desk.answer_all()
        time.sleep(0.005 if heard > 1 else _IDLE_SECONDS)


def note(errors: Path) -> None:
    """Write the exception at hand where the run's outcome tells it."""
    with errors.open("a") as file:
        file.write(traceback.format_exc() + _END)


def noted(errors: Path) -> list[str]:
    """The exceptions that processes have noted, each whole, with those that it came from."""
    said = errors.read_text() if errors.exists() else ""
    return [one for one in said.split(_END) if one]


def _has_database() -> bool:
    """Whether it answers on the connection in use; if not, no wonder that something broke."""
    return database.connection is not None and database.is_usable()


def _is_of_outage(error: Exception) -> bool:
    """Whether the database itself says that it was away, or is not the main one yet.

    It may answer again by now: Django drops a connection that breaks within a transaction, and what
    gives a lease or a lock back on the way out opens another. A worker that was frozen, or waited
    for an ERP, while the server restarted is as far as that at once.
    """
    cause = error.__cause__
    if isinstance(cause, psycopg.OperationalError) and cause.sqlstate is None:
        return True  # a connection that was not made, or is no more: what a server says has a code
    return isinstance(cause, (*_GOING_DOWN, ReadOnlySqlTransaction))
