"""CPU seconds of this process and of the PostgreSQL server it works on."""

import os
import resource
from dataclasses import dataclass
from pathlib import Path

from django.db import connection as database

_TICK = os.sysconf("SC_CLK_TCK")


@dataclass(frozen=True, slots=True)
class ProcessorTime:
    """User and system time so far."""

    ours: float
    postgres: float

    @property
    def total(self) -> float:
        return self.ours + self.postgres

    def __sub__(self, before: "ProcessorTime") -> "ProcessorTime":
        return ProcessorTime(self.ours - before.ours, self.postgres - before.postgres)

    def per_thousand(self, objects: int) -> dict[str, float]:
        scale = 1000 / objects
        return {"ours": round(self.ours * scale, 4), "postgres": round(self.postgres * scale, 4)}


def processor_time() -> ProcessorTime:
    """The time used so far, of all threads and of every process of the server, ended ones too."""
    used = resource.getrusage(resource.RUSAGE_SELF)
    return ProcessorTime(used.ru_utime + used.ru_stime, seconds_of(_server()))


def _server() -> int:
    """The server's first process: the parent of the one that serves us."""
    with database.cursor() as cursor:
        cursor.execute("SELECT pg_backend_pid()")
        (backend,) = cursor.fetchone()
    return int(_stat(backend)[1])


def seconds_of(parent: int) -> float:
    """CPU seconds so far of a process and all its children, ended ones too."""
    ticks = 0
    for directory in Path("/proc").iterdir():
        if not directory.name.isdecimal():
            continue
        try:
            stat = _stat(int(directory.name))
        except (FileNotFoundError, ProcessLookupError):  # it ended while we looked
            continue
        own, of_ended_children = sum(map(int, stat[11:13])), sum(map(int, stat[13:15]))
        if int(directory.name) == parent:
            ticks += own + of_ended_children
        elif int(stat[1]) == parent:
            ticks += own
    return ticks / _TICK


def _stat(pid: int) -> list[str]:
    """The fields of /proc/PID/stat after the name, which may hold anything."""
    return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
