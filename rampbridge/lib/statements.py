"""Run set-based SQL: one statement, in a transaction of its own or as a part of the caller's."""

from contextlib import AbstractContextManager, nullcontext
from typing import Any

from django.db import connection as database
from django.db import transaction


def execute(sql: str, params: Any) -> int:
    """Run one statement. Returns the rows it touched."""
    with _transaction(), database.cursor() as cursor:
        cursor.execute(sql, params)
        return int(cursor.rowcount)


def rows(sql: str, params: Any) -> list[tuple[Any, ...]]:
    """Run one statement. Returns what it selects or gives back."""
    with _transaction(), database.cursor() as cursor:
        cursor.execute(sql, params)
        return list(cursor.fetchall())


def _transaction() -> AbstractContextManager[object]:
    """The caller's. Outside of one a statement is one by itself, without two trips more."""
    return transaction.atomic(savepoint=False) if database.in_atomic_block else nullcontext()
