"""The two conditions of the drain, from our rows alone."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any
from zoneinfo import ZoneInfo

from migrations_tool.drain import progress, readings
from migrations_tool.drain.words import NAMES, counted, listed, many, times
from migrations_tool.models import ConnectionMigration, DrainReading
from migrations_tool.wizard import Gate, Light

ZERO, BILLS = "drain.zero_twice", "drain.bills"
_ZERO_TITLE = "Nothing is ready, seen twice 15 minutes apart"
_BILLS_TITLE = "Each bill in flight is decided"


def gates(migration: ConnectionMigration, *, now: datetime) -> Sequence[Gate]:
    """As of the switch, once there was one: afterwards nothing of it can change."""
    until = migration.flipped_at
    newest = readings.until_the_switch(migration)
    return [
        _zero(migration, newest, until or now),
        _bills(migration, newest[0] if newest else None),
    ]


def _zero(migration: ConnectionMigration, newest: Sequence[DrainReading], now: datetime) -> Gate:
    if not newest:
        return _gate(
            Light.UNKNOWN,
            "Nothing has been read yet.",
            "Check now. Once the plan is done, it is read every minute by itself.",
        )
    last = newest[0]
    if refused := progress.refused(last):
        why = last.ready[refused[0]]["refused"]
        return _gate(
            Light.RED,
            f"Ramp does not list {listed([many(name) for name in refused])}, so nobody knows what"
            f" is left: {why}",
            "Give the app in Ramp what it lacks, then check again.",
        )
    zone = ZoneInfo(migration.connection.time_zone)
    if last.total:
        return _gate(Light.RED, _left(last), _how(migration), left=last.total)
    zero = progress.zero_run(newest)
    assert zero is not None  # the newest reading is zero
    if not zero.is_proven:
        return _gate(
            Light.UNKNOWN,
            f"Nothing has been ready since {times(zero.since, zone)}.",
            f"It is read again by itself; after {times(zero.proven_at, zone)} it counts.",
        )
    if now - zero.last > progress.FRESH:
        return _gate(
            Light.UNKNOWN,
            f"Nothing was ready at {times(zero.last, zone)}, but nobody has looked since.",
            "Check now.",
        )
    return _gate(
        Light.GREEN,
        f"Nothing has been ready since {times(zero.since, zone)}, seen last at"
        f" {times(zero.last, zone)}.",
    )


def _left(reading: DrainReading) -> str:
    ready = ((name, reading.ready.get(name, {}).get("count", 0)) for name in NAMES)
    parts = [counted(count, name) for name, count in ready if count]
    return f"Still ready: {listed(parts)}."


def _how(migration: ConnectionMigration) -> str:
    old = migration.old_provider_name or "the old integration"
    return f"Have {old} sync them; what it cannot sync, mark as not ready in Ramp."


def _gate(light: Light, words: str, fix: str = "", *, left: int | None = None) -> Gate:
    return Gate(ZERO, _ZERO_TITLE, light, words, fix, may_be_waived=True, left=left)


def _bills(migration: ConnectionMigration, last: DrainReading | None) -> Gate:
    def gate(light: Light, words: str, fix: str = "", **more: Any) -> Gate:
        return Gate(BILLS, _BILLS_TITLE, light, words, fix, may_be_waived=True, **more)

    flying = [one for one in readings.bills(migration) if one.gone_at is None]
    undecided = sum(not one.decision for one in flying)
    if undecided:
        of = f"{undecided} of {counted(len(flying), 'bill')}"
        return gate(
            Light.RED,
            f"Without a decision: {of} in flight. The switch does not carry them along.",
            "Decide for each: pay it before, hold it, or create it anew afterwards.",
            left=undecided,
            mended_here=True,
        )
    if last is None:
        return gate(Light.UNKNOWN, "Nobody has looked for bills in flight yet.", "Check now.")
    if why := last.ready.get("bill", {}).get("refused"):
        return gate(
            Light.RED,
            f"Ramp does not list bills, so nobody knows which are in flight: {why}",
            "Give the app in Ramp what it lacks, then check again.",
        )
    if not flying:
        return gate(Light.GREEN, "No bill is in flight.")
    return gate(Light.GREEN, f"Every bill in flight is decided: {len(flying)}.")
