"""Run set-based SQL: one statement, in a transaction of its own or as a part of the caller's."""

from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager, nullcontext
from typing import Any

import psycopg
from django.db import connection as database
from django.db import transaction
from django.db.backends.utils import CursorWrapper
from psycopg._queries import PostgresQuery


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


def kept_rows(sql: str, params: Any) -> list[tuple[Any, ...]]:
    """`rows` of a statement that is asked again and again, and that the database keeps ready for as
    long as the connection lives.

    Only for what is found by keys: a plan that is kept knows nothing of the values.
    """
    database.close_if_health_check_failed()
    database.ensure_connection()
    kept = _KeptCursor(database.connection)
    with _transaction(), _kept_from_the_second_time_on(), _as_django_s(kept) as cursor:
        cursor.execute(sql, params)
        return list(cursor.fetchall())


@contextmanager
def _kept_from_the_second_time_on() -> Iterator[None]:
    """For these statements alone: of all others psycopg would count the last hundred, and hold on
    to their texts, in which the ORM has written the values of whole batches.
    """
    connection: psycopg.Connection[Any] = database.connection
    connection.prepare_threshold = 1
    try:
        yield
    finally:
        connection.prepare_threshold = None


class _KeptCursor(psycopg.Cursor[Any]):
    """Knows what it asked last, which Django's log of statements reads off the cursor."""

    def _convert_query(self, query: Any, params: Any = None) -> PostgresQuery:
        self._query = super()._convert_query(query, params)
        return self._query


def _as_django_s(cursor: psycopg.Cursor[Any]) -> CursorWrapper:
    """In Django's own wrapper, or nobody would see the statement who counts or logs them."""
    wrapped: CursorWrapper = database._prepare_cursor(cursor)  # type: ignore[attr-defined]  # noqa: SLF001
    return wrapped


def _transaction() -> AbstractContextManager[object]:
    """The caller's. Outside of one a statement is one by itself, without two trips more."""
    return transaction.atomic(savepoint=False) if database.in_atomic_block else nullcontext()
