"""Counts and amounts by type, entity and state: as small for a million objects as for one. Pure."""

import copy
from collections.abc import Mapping
from datetime import date
from typing import Any

from rampbridge.lib.money import Money

READY, NOT_READY, SYNCED, UNKNOWN = "ready", "not_ready", "synced", "unknown"
UNTRACKED = "untracked"
"""Ramp keeps no sync state of it (vendor credits)."""
UNSYNCED = "unsynced"
"""Only while bills are counted: what is left of it after those that are ready is not ready."""

Sum = dict[str, Any]
"""`{"count": 3, "amounts": {"USD": 1234}}`, amounts in minor units."""


class Tally:
    """Adds up. `data` is JSON, so that whoever goes on after a crash goes on from it."""

    def __init__(
        self, data: Mapping[str, Any] | None = None, *, late_before: date | None = None
    ) -> None:
        """:param late_before: what is of an earlier day and still ready was left behind"""
        self.late_before = late_before
        self.data: dict[str, Any] = copy.deepcopy(dict(data or {}))
        self.data.setdefault("left_behind", 0)
        for part in ("types", "exponents", "unknown", "malformed", "beside"):
            self.data.setdefault(part, {})

    def add(self, object_type: str, entity: str, state: str, money: Money) -> None:
        """One object more."""
        of_entity = self.data["types"].setdefault(object_type, {}).setdefault(entity, {})
        self._put(of_entity, state, money)

    def add_beside(self, what: str, money: Money) -> None:
        """One more of something that cuts across the states, such as bills in flight."""
        self._put(self.data["beside"], what, money)

    def ready_since(self, day: date | None) -> None:
        """One that is ready, of that day: was it left behind by whoever should have synced it?"""
        if day is not None and self.late_before is not None and day < self.late_before:
            self.data["left_behind"] += 1

    def unknown(self, object_type: str, word: str) -> None:
        """Ramp has used a word that nobody here knows."""
        words = self.data["unknown"].setdefault(object_type, {})
        words[word] = words.get(word, 0) + 1

    def malformed(self, object_type: str, count: int) -> None:
        """Objects that are not as Ramp documents them, and of which nothing is known."""
        if count:
            found = self.data["malformed"]
            found[object_type] = found.get(object_type, 0) + count

    def settle_unsynced(self) -> None:
        """What is neither synced nor ready is not ready. Nothing goes below zero, should an object
        have become ready between the two readings.
        """
        for entities in self.data["types"].values():
            for states in entities.values():
                unsynced = states.pop(UNSYNCED, None)
                if unsynced is not None:
                    left = _less(unsynced, states.get(READY, _nothing()))
                    if left["count"]:
                        states[NOT_READY] = left

    def totals(self) -> dict[str, dict[str, Sum]]:
        """By type and state, of all entities."""
        return {name: _together(entities.values()) for name, entities in self.data["types"].items()}

    def _put(self, sums: dict[str, Sum], key: str, money: Money) -> None:
        minor = self._minor(money)
        one = sums.setdefault(key, _nothing())
        one["count"] += 1
        one["amounts"][money.currency] = one["amounts"].get(money.currency, 0) + minor

    def _minor(self, money: Money) -> int:
        """In the finest unit that Ramp has used for this currency so far."""
        known: int = self.data["exponents"].setdefault(money.currency, money.exponent)
        if money.exponent > known:
            self._refine(money.currency, 10 ** (money.exponent - known))
            self.data["exponents"][money.currency] = known = money.exponent
        factor: int = 10 ** (known - money.exponent)
        return money.minor * factor

    def _refine(self, currency: str, factor: int) -> None:
        every = [
            one
            for entities in self.data["types"].values()
            for states in entities.values()
            for one in states.values()
        ]
        for one in [*every, *self.data["beside"].values()]:
            if currency in one["amounts"]:
                one["amounts"][currency] *= factor


def _nothing() -> Sum:
    return {"count": 0, "amounts": {}}


def _less(whole: Sum, part: Sum) -> Sum:
    count = max(whole["count"] - part["count"], 0)
    amounts = {
        currency: minor - part["amounts"].get(currency, 0)
        for currency, minor in whole["amounts"].items()
    }
    return {"count": count, "amounts": {name: minor for name, minor in amounts.items() if minor}}


def _together(entities: Any) -> dict[str, Sum]:
    summed: dict[str, Sum] = {}
    for states in entities:
        for state, one in states.items():
            into = summed.setdefault(state, _nothing())
            into["count"] += one["count"]
            for currency, minor in one["amounts"].items():
                into["amounts"][currency] = into["amounts"].get(currency, 0) + minor
    return summed
