"""The simulator's own time, in UTC and whole seconds like Ramp's answers."""

from collections.abc import Callable
from datetime import UTC, datetime

Clock = Callable[[], datetime]


def system_clock() -> datetime:
    return datetime.now(UTC)


def wire_time(moment: datetime) -> str:
    """`2026-03-04T05:06:07+00:00`, the one shape Ramp uses in answers."""
    return moment.astimezone(UTC).isoformat(timespec="seconds")
