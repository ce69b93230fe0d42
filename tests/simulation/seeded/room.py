"""A database and the seams around it, in which one seed after the other is run."""

import logging
import os
import random
import time
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from unittest.mock import patch

import django
import psycopg

from tests.plugins import migrated
from tests.simulation.seeded import clock
from tests.simulation.seeded.planted import PLANTED

_TICKS = os.sysconf("SC_CLK_TCK")


@dataclass
class Tally:
    """What many runs came to."""

    seeds: int = 0
    seconds: float = 0
    """Of processor time, PostgreSQL's counted."""
    steps: int = 0
    trace: int = 0
    """The sum of all seeds' digests, see `Scheduler.trace`: the same for the same seeds."""
    kills: Counter[str] = field(default_factory=Counter)
    freezes: Counter[str] = field(default_factory=Counter)
    passed: Counter[str] = field(default_factory=Counter)
    faults: Counter[str] = field(default_factory=Counter)
    acts: Counter[str] = field(default_factory=Counter)
    ends: Counter[str] = field(default_factory=Counter)
    """By type of object and state, what all came to in the end."""
    broken: list[tuple[int, str, str]] = field(default_factory=list)
    """Seeds, the invariants that they break, and the words."""

    def add(self, other: "Tally") -> None:
        self.seeds += other.seeds
        self.seconds += other.seconds
        self.steps += other.steps
        self.trace += other.trace
        self.kills += other.kills
        self.freezes += other.freezes
        self.passed += other.passed
        self.faults += other.faults
        self.acts += other.acts
        self.ends += other.ends
        self.broken += other.broken

    @classmethod
    def read(cls, said: Mapping[str, Any]) -> "Tally":
        """What another process has written as JSON."""
        tally = cls(**{**said, "broken": [tuple(one) for one in said["broken"]]})
        for name, value in said.items():
            if isinstance(value, dict):
                setattr(tally, name, Counter(value))
        return tally


_TEMPLATE = "simulation"


def prepare(server: str) -> None:
    """Migrate what all databases on this server are copies of.

    Nobody cleans up behind the seeds' backs: where a row lies, and with it the order in which a
    statement finds rows, would hang on when that was.
    """
    with psycopg.connect(server, autocommit=True) as db:
        db.execute("ALTER SYSTEM SET autovacuum = off")
        db.execute("SELECT pg_reload_conf()")
    migrated.restore_into(server, _TEMPLATE)
    clock.install(psycopg.conninfo.make_conninfo(server, dbname=_TEMPLATE))


@contextmanager
def opened(server: str, name: str) -> Iterator[str]:
    """A database of its own on a prepared server, as long as the block."""
    with psycopg.connect(server, autocommit=True, dbname="postgres") as db:
        db.execute(f"CREATE DATABASE {name} TEMPLATE {_TEMPLATE} STRATEGY file_copy".encode())
    try:
        yield psycopg.conninfo.make_conninfo(server, dbname=name)
    finally:
        with psycopg.connect(server, autocommit=True, dbname="postgres") as db:
            db.execute(f"DROP DATABASE IF EXISTS {name} WITH (FORCE)".encode())


def run(url: str, seeds: Iterable[int], *, planted: str = "", stops: bool = False) -> Tally:
    """Run seeds in this process, with a bug planted if one is named.

    :param stops: at the first seed that breaks anything
    """
    _set_up(url)
    from tests.simulation.seeded import clone
    from tests.simulation.seeded.life import Life, Lines
    from tests.simulation.seeded.scheduler import Scheduler
    from tests.simulation.seeded.seams import DjangoSessions, Seams

    tally, seams, lines = Tally(), Seams(), Lines()
    with ExitStack() as stack:
        watcher = stack.enter_context(psycopg.connect(url, autocommit=True))

        def waits_for_lock(backend: int) -> bool:
            # Locks are given by who lets go of them; who gets one may notice only later.
            found = watcher.execute(
                "SELECT EXISTS (SELECT FROM pg_locks WHERE pid = %s AND NOT granted)", [backend]
            )
            return bool(found.fetchall()[0][0])

        scheduler = Scheduler(random.Random(0), seams.clock, waits_for_lock, DjangoSessions())
        seams.scheduler = scheduler
        stack.enter_context(seams.installed())
        stack.enter_context(
            patch("connections.clients.shared_http_client", lambda *_: lines.client)
        )
        if planted:
            stack.enter_context(PLANTED[planted](url))
        clone.template()
        began = _spent(watcher)
        for seed in seeds:
            life = Life(seed, seams, scheduler, lines)
            book = life.run()
            tally.seeds += 1
            tally.steps += life.steps
            tally.trace += life.trace
            tally.faults += book.faults
            tally.acts += book.acts
            tally.ends += book.ends
            tally.broken += [(seed, *what) for what in book.broken[:1]]
            if stops and book.broken:
                break
        tally.seconds = _spent(watcher) - began
        tally.kills, tally.freezes = scheduler.struck, scheduler.frozen
        tally.passed = scheduler.passed
    return tally


def _set_up(url: str) -> None:
    os.environ["DATABASE_URL"] = url
    os.environ["DJANGO_SETTINGS_MODULE"] = "rampbridge.settings"
    os.environ["LOG_LEVEL"] = "ERROR"
    django.setup()
    from django.conf import settings

    logging.getLogger().handlers = [logging.NullHandler()]  # what is logged is looked at, not shown
    settings.DATABASES["default"]["OPTIONS"] |= {"options": clock.SESSION, "prepare_threshold": 0}


def _spent(watcher: psycopg.Connection) -> float:
    """Processor seconds of this process and of its sessions in PostgreSQL."""
    found = watcher.execute("SELECT pid FROM pg_stat_activity WHERE datname = current_database()")
    return time.process_time() + sum(_spent_by(pid) for (pid,) in found)


def _spent_by(pid: int) -> float:
    try:
        fields = Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()
    except OSError:
        return 0.0
    return (int(fields[11]) + int(fields[12])) / _TICKS
