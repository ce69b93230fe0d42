"""What a kind of alert is made of. Pure: no rows, no clock, no addresses."""

import uuid
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any

from rampbridge.lib.counting import counted

Thresholds = Mapping[str, Any]
"""What a rule sets, by the names of its kind's fields. `level` and `clear` are always there."""


class Subject(StrEnum):
    """What an alert of a kind is about."""

    FLEET = "fleet"
    ERP = "erp"
    CUSTOMER = "customer"


class Unit(StrEnum):
    """What a kind measures in."""

    SECONDS = "seconds"
    MINUTES = "minutes"
    HOURS = "hours"
    ITEMS = "items"
    RECORDS = "records"
    MONEY = "whole units of the currency"
    PER_MINUTE = "a minute"
    PERCENT = "%"
    TIMES = "times the usual gap"
    POLLS = "polls in a row"
    DELIVERIES = "deliveries in ten minutes"
    LINES = "lines"


@dataclass(frozen=True, slots=True)
class Setting:
    """One thing that a rule of a kind sets."""

    name: str
    label: str
    default: Any
    least: float = 0
    most: float = 10**12
    help: str = ""
    is_text: bool = False
    pattern: str = ""
    """Of a text: what it must look like."""


@dataclass(frozen=True, slots=True)
class Reading:
    """What was measured of one subject at a moment."""

    subject: str
    """A customer's id, perhaps with what sets several of one customer apart; an ERP's name; or
    nothing for the whole fleet."""
    value: float
    name: str = ""
    """As people call the subject."""
    connection_id: uuid.UUID | None = None
    slug: str = ""
    erp_name: str = ""
    owner: str = ""
    tags: Sequence[str] = ()
    facts: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Link:
    """Where to look: a route of ours, what it needs, and a query."""

    route: str
    values: Mapping[str, str] = field(default_factory=dict)
    query: str = ""


@dataclass(frozen=True, slots=True)
class Words:
    """What an alert says."""

    title: str
    """What is wrong."""
    why: str
    """Why it matters."""
    first: str
    """What to do first."""
    link: Link


@dataclass(frozen=True, slots=True)
class Kind:
    """One kind of alert: what it measures, what a rule of it sets, and what it says."""

    key: str
    label: str
    about: str
    """What it watches, as a sentence."""
    subject: Subject
    unit: Unit
    settings: Sequence[Setting]
    words: Callable[[Reading], Words]
    calm: Callable[[str], str]
    """Why it is over, for a subject's name."""
    many: str
    """What is wrong when it is wrong with many customers at once, after their number."""
    listed_at: Link
    """Where many of them are seen together."""
    keep_from: float
    """Readings this bad or worse are kept as history, whatever the rules say."""
    is_falling: bool = False
    """Whether less is worse."""
    covered_by: Sequence[str] = ()
    """While one of these is open, for the fleet or for the customer's ERP, this is nothing new."""
    fits: Callable[[Reading, Thresholds], bool] = lambda _reading, _thresholds: True
    """Whether a reading is one that such a rule speaks of."""

    def is_over(self, value: float, thresholds: Thresholds) -> bool:
        """Whether it is as bad as the rule says."""
        level = float(thresholds["level"])
        return value <= level if self.is_falling else value >= level

    def is_calm(self, value: float | None, thresholds: Thresholds) -> bool:
        """Whether it is well again. No reading at all is well."""
        if value is None:
            return True
        clear = float(thresholds["clear"])
        return value >= clear if self.is_falling else value <= clear

    def is_worse(self, one: float, other: float) -> bool:
        return one < other if self.is_falling else one > other


def levels(
    unit: Unit, level: float, clear: float, *, least: float = 0, most: float = 10**12
) -> tuple[Setting, Setting]:
    """The two that every kind has: where an alert opens, and where it is over."""
    return (
        Setting("level", f"Opens at ({unit})", level, least, most),
        Setting(
            "clear",
            f"Is over at ({unit})",
            clear,
            least,
            most,
            "Better than the first, so that an alert does not come and go around one value.",
        ),
    )


def said(unit: Unit, value: float) -> str:
    """A value in words: "4 h 10 min", "1,204 items", "3.2 times the usual gap"."""
    match unit:
        case Unit.SECONDS:
            return span(value)
        case Unit.MINUTES:
            return span(value * 60)
        case Unit.HOURS:
            return span(value * 3600)
        case Unit.MONEY:
            return f"{value:,.0f}"
        case Unit.PER_MINUTE:
            return f"{value:,.1f} a minute"
        case Unit.PERCENT:
            return f"{value:,.1f} %"
        case Unit.TIMES:
            return f"{value:,.1f} times the usual gap"
        case Unit.ITEMS | Unit.RECORDS | Unit.LINES:
            return counted(round(value), unit.value.removesuffix("s"))
        case _:
            return f"{value:,.0f} {unit}"


def span(seconds: float) -> str:
    """The two largest units: `40 s`, `12 min`, `4 h 10 min`, `2 d 3 h`."""
    whole = max(0, int(seconds))
    if whole < 60:
        return f"{whole} s"
    if whole < 3600:
        return f"{whole // 60} min"
    large, unit, rest, small = (
        (whole // 3600, "h", whole % 3600 // 60, "min")
        if whole < 86_400
        else (whole // 86_400, "d", whole % 86_400 // 3600, "h")
    )
    return f"{large} {unit} {rest} {small}" if rest else f"{large} {unit}"


def of_customer(reading: Reading, query: str = "") -> Link:
    return Link("customer", {"slug": reading.slug}, query)


def settings_of(reading: Reading) -> Link:
    return Link("connection_settings", {"slug": reading.slug})
