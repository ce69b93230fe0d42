"""Run set-based SQL: one statement, in a transaction of its own or as a part of the caller's."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import orjson
from django.db import connection as database
from django.db import transaction

from rampbridge.lib.text import storable as storable  # as much a part of writing a row as the rest


def execute(sql: str, params: Any) -> int:
    """Run one statement. Returns the rows it touched."""
    with transaction.atomic(savepoint=False), database.cursor() as cursor:
        cursor.execute(sql, params)
        return int(cursor.rowcount)


def rows(sql: str, params: Any) -> list[tuple[Any, ...]]:
    """Run one statement. Returns what it selects or gives back."""
    with transaction.atomic(savepoint=False), database.cursor() as cursor:
        cursor.execute(sql, params)
        return list(cursor.fetchall())


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
