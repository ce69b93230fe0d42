"""What set-based SQL needs around it: statements, locks by name, JSON in and out."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import orjson

from rampbridge.lib.statements import execute as execute
from rampbridge.lib.statements import rows as rows
from rampbridge.lib.text import storable as storable  # as much a part of writing a row as the rest


@contextmanager
def only_one(name: str) -> Iterator[bool]:
    """Whether nobody else is at this work now, by its name. Who finds another at it leaves it.

    A lock of the session, not of a transaction: outside calls are made while it is held, and it
    ends with the process.
    """
    ((is_mine,),) = rows("SELECT pg_try_advisory_lock(hashtextextended(%s, 0))", [name])
    try:
        yield bool(is_mine)
    finally:
        if is_mine:
            rows("SELECT pg_advisory_unlock(hashtextextended(%s, 0))", [name])


def as_json(value: Any) -> str:
    """The text of a jsonb parameter."""
    return orjson.dumps(value).decode()


def from_json(value: str | None) -> Any:
    """Django hands jsonb over as text in raw cursors."""
    return None if value is None else orjson.loads(value)
