"""Tryton's JSON: decimals, dates, times and bytes travel as objects that name their class."""

from __future__ import annotations

import base64
import json
from datetime import UTC, date, datetime, time
from decimal import Decimal
from typing import Any


def dumps(value: Any) -> bytes:
    """As Tryton reads it."""
    return json.dumps(value, default=_to_wire, separators=(",", ":")).encode()


def loads(text: bytes) -> Any:
    """What Tryton wrote.

    :raises ValueError: if it is not JSON
    """
    return json.loads(text, object_hook=_from_wire)


def _to_wire(value: object) -> dict[str, Any]:
    match value:
        case Decimal():
            return {"__class__": "Decimal", "decimal": str(value)}
        case datetime():
            moment = value.astimezone(UTC)
            return {
                "__class__": "datetime",
                "year": moment.year,
                "month": moment.month,
                "day": moment.day,
                "hour": moment.hour,
                "minute": moment.minute,
                "second": moment.second,
                "microsecond": moment.microsecond,
            }
        case date():
            return {
                "__class__": "date",
                "year": value.year,
                "month": value.month,
                "day": value.day,
            }
        case bytes():
            return {"__class__": "bytes", "base64": base64.b64encode(value).decode()}
        case _:
            raise TypeError(f"Tryton has no form for {type(value)}")


def _from_wire(value: dict[str, Any]) -> Any:
    match value.get("__class__"):
        case "Decimal":
            return Decimal(value["decimal"])
        case "date":
            return date(value["year"], value["month"], value["day"])
        case "datetime":
            day = date(value["year"], value["month"], value["day"])
            clock = time(value["hour"], value["minute"], value["second"], value["microsecond"])
            return datetime.combine(day, clock, tzinfo=UTC)
        case "bytes":
            return base64.b64decode(value["base64"])
        case _:
            return value
