"""Run set-based SQL: one statement, in a transaction of its own or as a part of the caller's."""

from typing import Any

from django.db import connection as database
from django.db import transaction


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
