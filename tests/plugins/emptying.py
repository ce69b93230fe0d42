"""Empty the tables after tests that commit: row by row, for nearly all of them are empty.

Django truncates every table, which gives each of them and of their indexes a new file and takes
half a second. Deleting what little there is takes a few milliseconds.
"""

from collections.abc import Callable, Sequence
from typing import Any, Protocol

from django.db.backends.postgresql.operations import DatabaseOperations

_MOST_BYTES = 16 * 1024 * 1024
"""In all tables together. Above it there are so many rows that it is quicker to truncate."""
_EMPTY = """
    DO $$
    DECLARE
        named text;
    BEGIN
        LOCK TABLE {tables} IN ACCESS EXCLUSIVE MODE;  -- waits for who still writes, as TRUNCATE
        IF (SELECT sum(pg_relation_size(one::regclass)) FROM unnest({names}) one) > {most} THEN
            TRUNCATE {tables};
            RETURN;
        END IF;
        SET LOCAL session_replication_role = replica;  -- TRUNCATE fires no triggers either
        FOREACH named IN ARRAY {names} LOOP
            EXECUTE 'DELETE FROM ' || named;
        END LOOP;
        SET LOCAL session_replication_role = origin;
    END $$;
"""


class _Patcher(Protocol):
    def setattr(self, target: type, name: str, value: Callable[..., Any]) -> None: ...


def install(patcher: _Patcher) -> None:
    """Let `flush` delete, on servers of our own: it takes a superuser."""
    patcher.setattr(DatabaseOperations, "sql_flush", _sql_flush)


def _sql_flush(
    operations: DatabaseOperations, style: object, tables: Sequence[str], **_: object
) -> list[str]:
    if not tables:
        return []
    quoted = [operations.quote_name(name) for name in tables]
    names = "ARRAY[" + ", ".join(f"'{name}'" for name in quoted) + "]"
    return [_EMPTY.format(tables=", ".join(quoted), names=names, most=_MOST_BYTES)]
