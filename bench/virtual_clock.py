"""Time that moves only when somebody spends it, for PostgreSQL and for Python alike.

So a wait costs nothing, and what comes out is the same on any machine.
"""

from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from datetime import UTC, datetime, timedelta
from unittest.mock import patch

from django.contrib.postgres.functions import TransactionNow
from django.db import connection as database

BEGAN = datetime(2026, 11, 2, 12, tzinfo=UTC)
_SCHEMA = "virtual"
_CLOCKS = ("now", "statement_timestamp", "clock_timestamp")


class VirtualClock:
    """Seconds since it began."""

    def __init__(self, began: datetime = BEGAN) -> None:
        self._began = began
        self.seconds = 0.0

    def monotonic(self) -> float:
        return self.seconds

    def now(self) -> datetime:
        return self._began + timedelta(seconds=self.seconds)

    def spend(self, seconds: float) -> None:
        """Let time pass, for everybody."""
        self.seconds += seconds
        self._tell_database()

    def _tell_database(self) -> None:
        with database.cursor() as cursor:
            cursor.execute("SELECT set_config('virtual.now', %s, false)", [self.now().isoformat()])

    @contextmanager
    def rules(self) -> Iterator[None]:
        """Whoever asks for the time, in this process or on its database connection, is told this.

        Functions of a schema of our own hide PostgreSQL's. CURRENT_TIMESTAMP cannot be hidden, so
        Django's function says `now()` meanwhile.
        """
        with ExitStack() as undo:
            with database.cursor() as cursor:
                cursor.execute(f"CREATE SCHEMA IF NOT EXISTS {_SCHEMA}")
                for name in _CLOCKS:
                    cursor.execute(
                        f"CREATE OR REPLACE FUNCTION {_SCHEMA}.{name}() RETURNS timestamptz"
                        " STABLE LANGUAGE sql AS"
                        " $$ SELECT pg_catalog.current_setting('virtual.now')::timestamptz $$"
                    )
                cursor.execute(f"SET search_path = {_SCHEMA}, pg_catalog, public")
            undo.callback(_forget)
            self._tell_database()
            undo.enter_context(patch.object(TransactionNow, "template", "now()"))
            undo.enter_context(patch("django.utils.timezone.now", self.now))
            undo.enter_context(patch("time.monotonic", self.monotonic))
            undo.enter_context(patch("time.sleep", self.spend))
            yield


def _forget() -> None:
    with database.cursor() as cursor:
        cursor.execute("RESET search_path")
        cursor.execute(f"DROP SCHEMA {_SCHEMA} CASCADE")
