"""The time of a simulated run: it moves when nobody has anything to do before then.

PostgreSQL is told before each transaction, so that within one `now()` stands still, as it should.
"""

from datetime import UTC, datetime, timedelta

import psycopg

BEGAN = datetime(2026, 11, 2, 12, tzinfo=UTC)
"""A Monday at noon."""
SESSION = (
    "-c search_path=virtual,pg_catalog,public -c jit=off -c plan_cache_mode=force_generic_plan"
    " -c enable_seqscan=off"
)
"""Options of connections that are to live in this time; plans are kept, for they cost the most."""
_CLOCKS = ("now", "statement_timestamp", "clock_timestamp")
_FUNCTION = """
    CREATE FUNCTION virtual.{name}() RETURNS timestamptz STABLE LANGUAGE sql AS
    $$ SELECT pg_catalog.current_setting('virtual.now')::timestamptz $$;
"""


class Clock:
    """Seconds since the run began, the same for everybody but for how wrong a worker's own is."""

    def __init__(self) -> None:
        self.seconds = 0.0

    def now(self) -> datetime:
        return BEGAN + timedelta(seconds=self.seconds)

    def statement(self) -> bytes:
        """SQL that tells a session the time."""
        return f"SET virtual.now = '{self.now().isoformat()}'".encode()


_DEFAULTS = """
    SELECT format('ALTER TABLE %s ALTER %I SET DEFAULT virtual.now()', c.oid::regclass, a.attname)
    FROM pg_attrdef d JOIN pg_class c ON c.oid = d.adrelid
    JOIN pg_attribute a ON a.attrelid = d.adrelid AND a.attnum = d.adnum
    WHERE pg_get_expr(d.adbin, d.adrelid) ~* '(now|timestamp)\\(\\)|current_timestamp'
"""
"""Statements for all columns that are the time by themselves: they know their function by now."""


def install(url: str) -> None:
    """Give a migrated database functions that hide its own clocks."""
    functions = "".join(_FUNCTION.format(name=name) for name in _CLOCKS)
    with psycopg.connect(url, autocommit=True) as db:
        db.execute(f"CREATE SCHEMA virtual; {functions}".encode())
        for (statement,) in db.execute(_DEFAULTS).fetchall():
            db.execute(statement.encode())
