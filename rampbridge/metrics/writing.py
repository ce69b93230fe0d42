"""Add what this process has counted to the figures of all processes."""

import os
import socket
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import timedelta
from threading import Lock

import orjson
import structlog
from django.db import DatabaseError

from rampbridge.lib import measures, meters
from rampbridge.lib.meters import Figure
from rampbridge.lib.statements import execute
from rampbridge.models import Process

EVERY_SECONDS = 5.0
KEPT_DAYS = 40
"""Of the figures by day: a promise is held against the last 28."""
BY_THE_MINUTE = (measures.RAMP_REQUESTS.name,)
"""Meters whose last minutes somebody looks at."""
KEPT_MINUTES = timedelta(hours=2)
GONE_AFTER = timedelta(days=1)

log = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True)
class Self:
    """What this process is."""

    kind: Process.Kind
    release: str
    queues: Sequence[str] = ()


class Writer:
    """Writes down what this process counts, now and then, on a thread that has just ended its work.

    No thread of its own: one that writes by itself would need a database connection for itself too.
    """

    def __init__(self) -> None:
        self._next = 0.0
        self._lock = Lock()
        self._self: Self | None = None

    def introduce(self, about: Self) -> None:
        """Say what this process is. From now on it is shown among those that run."""
        self._self = about
        self._next = 0.0

    def write_if_due(self, *, now: float) -> None:
        """Write if it is time to and nobody else of this process is at it.

        :param now: of the monotonic clock
        """
        with self._lock:
            if now < self._next:
                return
            self._next = now + EVERY_SECONDS
        write_down()
        if self._self:
            _be_seen(self._self)


def write_down() -> None:
    """Write what was counted. Where the database does not take it, it is kept for the next time."""
    figures = meters.take()
    if not figures:
        return
    try:
        add(figures)
    except DatabaseError as error:
        meters.give_back(figures)
        log.warning("figures_not_written", cause=str(error))


def add(figures: Mapping[Figure, float]) -> None:
    """Add to the figures since the beginning, of today and of this minute, in one statement.

    In the order of their names: two processes that write at once wait, and never for each other.
    """
    lines = sorted((name, orjson.dumps(labels).decode(), part, float(value))
                   for (name, labels, part), value in figures.items())  # fmt: skip
    names, labels, parts, values = (list(column) for column in zip(*lines, strict=True))
    execute(
        _ADD,
        {
            "names": names,
            "labels": labels,
            "parts": parts,
            "values": values,
            "by_the_minute": list(BY_THE_MINUTE),
        },
    )


def _be_seen(about: Self) -> None:
    try:
        execute(
            """
            INSERT INTO rampbridge_process (name, kind, queues, release, started_at, seen_at)
            VALUES (%s, %s, %s, %s, now(), now())
            ON CONFLICT (name) DO UPDATE SET seen_at = now(), release = excluded.release,
                queues = excluded.queues, kind = excluded.kind
            """,
            [
                process_name(),
                about.kind,
                orjson.dumps(list(about.queues)).decode(),
                about.release,
            ],
        )
    except DatabaseError as error:
        log.warning("process_not_seen", cause=str(error))


def process_name() -> str:
    """This process, by its machine and number: the name of its progress beat, too."""
    return f"{socket.gethostname()}:{os.getpid()}"


def tidy_up() -> None:
    """Drop figures that nobody looks at any more, and processes that are long gone."""
    execute("DELETE FROM rampbridge_meterminute WHERE minute < now() - %s", [KEPT_MINUTES])
    execute(
        "DELETE FROM rampbridge_meterday"
        " WHERE day < (statement_timestamp() AT TIME ZONE 'UTC')::date - %s",
        [KEPT_DAYS],
    )
    execute("DELETE FROM rampbridge_process WHERE seen_at < now() - %s", [GONE_AFTER])


_ADD = """
    WITH counted AS (
        SELECT name, labels::jsonb AS labels, part, value
        FROM unnest(%(names)s::text[], %(labels)s::text[], %(parts)s::text[], %(values)s::float8[])
            WITH ORDINALITY AS figures(name, labels, part, value, place)
        ORDER BY place
    ), since_the_beginning AS (
        INSERT INTO rampbridge_meter AS m (name, labels, part, value)
        SELECT name, labels, part, value FROM counted
        ON CONFLICT (name, labels, part) DO UPDATE SET value = m.value + excluded.value
    ), of_this_minute AS (
        INSERT INTO rampbridge_meterminute AS l (minute, name, labels, part, value)
        SELECT date_trunc('minute', statement_timestamp()), name, labels, part, value
        FROM counted WHERE name = ANY(%(by_the_minute)s)
        ON CONFLICT (name, minute, labels, part) DO UPDATE SET value = l.value + excluded.value
    )
    INSERT INTO rampbridge_meterday AS d (day, name, labels, part, value)
    SELECT (statement_timestamp() AT TIME ZONE 'UTC')::date, name, labels, part, value FROM counted
    ON CONFLICT (name, day, labels, part) DO UPDATE SET value = d.value + excluded.value
"""

writer = Writer()
"""This process's."""
