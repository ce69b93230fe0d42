"""Add what this process has counted to the figures of all processes."""

from collections.abc import Mapping
from threading import Lock

import orjson
import structlog
from django.db import DatabaseError

from rampbridge.lib import meters
from rampbridge.lib.meters import Figure
from rampbridge.lib.statements import execute

EVERY_SECONDS = 5.0
KEPT_DAYS = 40
"""Of the figures by day: a promise is held against the last 28."""

log = structlog.get_logger(__name__)


class Writer:
    """Writes down what this process counts, now and then, on a thread that has just ended its work.

    No thread of its own: one that writes by itself would need a database connection for itself too.
    """

    def __init__(self) -> None:
        self._next = 0.0
        self._lock = Lock()

    def write_if_due(self, *, now: float) -> None:
        """Write if it is time to and nobody else of this process is at it.

        :param now: of the monotonic clock
        """
        with self._lock:
            if now < self._next:
                return
            self._next = now + EVERY_SECONDS
        write_down()


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
    """Add to the figures since the beginning and to those of today, in one statement.

    In the order of their names: two processes that write at once wait, and never for each other.
    """
    lines = sorted((name, orjson.dumps(labels).decode(), part, value)
                   for (name, labels, part), value in figures.items())  # fmt: skip
    names, labels, parts, values = (list(column) for column in zip(*lines, strict=True))
    execute(_ADD, {"names": names, "labels": labels, "parts": parts, "values": values})


def prune_days() -> int:
    """Drop figures by day that no promise looks at any more. Returns how many."""
    return execute(
        "DELETE FROM rampbridge_meterday"
        " WHERE day < (statement_timestamp() AT TIME ZONE 'UTC')::date - %s",
        [KEPT_DAYS],
    )


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
    )
    INSERT INTO rampbridge_meterday AS d (day, name, labels, part, value)
    SELECT (statement_timestamp() AT TIME ZONE 'UTC')::date, name, labels, part, value FROM counted
    ON CONFLICT (name, day, labels, part) DO UPDATE SET value = d.value + excluded.value
"""

writer = Writer()
"""This process's."""
