"""The hash that people sign: over the facts of a report, not over how they are printed. Pure."""

import hashlib
import json
from collections.abc import Mapping
from typing import Any


def digest_of(facts: Mapping[str, Any]) -> str:
    """SHA-256 of the facts as canonical JSON: the same facts give the same hash, whatever the
    order of their keys.

    :raises TypeError: if they hold anything but text, whole numbers, truth values, lists and maps
    """
    _check(facts)
    text = json.dumps(facts, sort_keys=True, separators=(",", ":"), ensure_ascii=False)
    return hashlib.sha256(text.encode()).hexdigest()


def _check(value: object) -> None:
    """A float has no one way to be written, and a database gives it back in another."""
    match value:
        case None | bool() | int() | str():
            return
        case dict():
            for key, one in value.items():
                if not isinstance(key, str):
                    raise TypeError(f"{key!r} is no name of a fact.")
                _check(one)
        case list() | tuple():
            for one in value:
                _check(one)
        case _:
            raise TypeError(f"{value!r} cannot be a fact.")
