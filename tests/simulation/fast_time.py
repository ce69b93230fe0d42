"""A database whose clock runs fast, so that leases of minutes end within a second.

Every time that the engine compares is the database's `now()`. Here a schema in front of the
system's own puts another `now()` in its place, and the workers' monotonic clock runs as fast. No
constant of the program is changed: lease, settle time, time limits and back-offs keep their
proportions, and all of them are as much shorter on the wall.

Not sped up is what the program itself takes. A statement of 5 ms counts as 0.3 s at 60 times, so
workers here are slower and nearer to the end of their leases than real ones, never farther.
"""

import sys
import time
from dataclasses import dataclass
from datetime import UTC, datetime
from types import SimpleNamespace

import psycopg
from django.conf import settings
from django.contrib.postgres.functions import TransactionNow

from connections import egress
from connections.ramp.rate_limit import Lane

_SCHEMA = """
    CREATE SCHEMA fast;
    {functions}
"""
_FUNCTION = """
    CREATE FUNCTION fast.{name}() RETURNS timestamptz LANGUAGE sql {kind} AS $$
        SELECT '{epoch}'::timestamptz + (pg_catalog.{name}() - '{epoch}'::timestamptz) * {speed}
    $$;
"""
_CLOCKS = {"now": "STABLE", "statement_timestamp": "STABLE", "clock_timestamp": "VOLATILE"}


@dataclass(frozen=True, slots=True)
class FastTime:
    """Time that runs `speed` times as fast as the wall's since `epoch`."""

    speed: float
    epoch: datetime

    @classmethod
    def from_now(cls, speed: float) -> "FastTime":
        return cls(speed, datetime.now(UTC))

    def now(self) -> datetime:
        """For the pretend Ramp, so that its clock agrees with the database's."""
        return self.epoch + (datetime.now(UTC) - self.epoch) * self.speed

    def on_the_wall(self, seconds: float) -> float:
        """How long so many seconds of fast time really take."""
        return seconds / self.speed

    def install(self, url: str) -> None:
        """Give a migrated database this time."""
        functions = "".join(
            _FUNCTION.format(name=name, kind=kind, epoch=self.epoch.isoformat(), speed=self.speed)
            for name, kind in _CLOCKS.items()
        )
        with psycopg.connect(url, autocommit=True) as db:
            db.execute(_SCHEMA.format(functions=functions).encode())

    def apply(self) -> None:
        """Let this process and those it forks live in this time. Before its first query."""
        path = "-c search_path=fast,pg_catalog,public"
        settings.DATABASES["default"]["OPTIONS"]["options"] = path
        TransactionNow.template = "now()"  # CURRENT_TIMESTAMP is a keyword: no schema shadows it
        fast = SimpleNamespace(monotonic=lambda: time.monotonic() * self.speed)
        for name, module in sys.modules.items():
            if name.startswith("syncing.") and vars(module).get("time") is time:
                vars(module)["time"] = fast
        # Ramp's budget is counted in wall time by each process, and is not what is tested here.
        vars(egress)["tokens"] = lambda _egress: _NoLimit()


class _NoLimit:
    """A `TokenSource` that gives leave at once."""

    def take(self, lane: Lane) -> float:
        return 0.0

    def freeze(self, seconds: float) -> None:
        """Nobody waits."""
