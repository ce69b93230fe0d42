"""What the page of the drain shows: a countdown by type, and the bills in flight."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Any

from migrations_tool.drain import progress, readings
from migrations_tool.drain.words import NAMES, many
from migrations_tool.models import BillInFlight, ConnectionMigration, DrainReading, Watch
from migrations_tool.steps import Step
from rampbridge.lib import charts
from rampbridge.lib.money import Money
from syncing.queries.ramp_links import address_in_ramp

BILLS_SHOWN = 200
TREND_SHOWN = 60
"""Readings that the small picture of the trend has."""


@dataclass(frozen=True, slots=True)
class Left:
    """One object that is still ready."""

    label: str
    money: Money | None
    on: date | None
    url: str


@dataclass(frozen=True, slots=True)
class TypeLine:
    """One type in the countdown."""

    name: str
    label: str
    count: int
    amounts: Sequence[Money]
    oldest: date | None
    unclear: int
    refused: str
    first: Sequence[Left]

    @property
    def more(self) -> int:
        """Objects that are not listed by name."""
        return self.count - len(self.first)


@dataclass(frozen=True, slots=True)
class Trend:
    """How it goes, in a sentence."""

    words: str
    picture: charts.Spark | None
    first: int
    """What was ready when the picture begins."""


@dataclass(frozen=True, slots=True)
class BillLine:
    """One bill in flight."""

    bill: BillInFlight
    url: str

    @property
    def money(self) -> Money:
        return Money(self.bill.amount_minor, self.bill.currency, self.bill.exponent)

    @property
    def key(self) -> str:
        """As a form sends it."""
        return str(self.bill.pk)

    @property
    def status(self) -> str:
        """Ramp's word, as a person reads it."""
        return self.bill.status_words


def countdown(migration: ConnectionMigration, *, now: datetime) -> dict[str, Any]:
    """The part that is looked at again and again. Two statements."""
    found = readings.until_the_switch(migration)[:TREND_SHOWN]
    last = found[0] if found else None
    watch = Watch.objects.filter(migration=migration, step=Step.DRAIN).first()
    return {
        "reading": last,
        "types": [_line(name, ready) for name, ready in _in_order(last)],
        "trend": _trend(found),
        "zero": progress.zero_run(found),
        "watch_trouble": watch.trouble if watch else "",
        "is_old": bool(last and now - last.at > progress.FRESH and not migration.flipped_at),
    }


def panel(migration: ConnectionMigration, *, now: datetime) -> dict[str, Any]:
    """All of it. Three statements."""
    bills = readings.bills(migration)
    flying = [one for one in bills if one.gone_at is None][: BILLS_SHOWN + 1]
    lines = [BillLine(one, address_in_ramp("bill", one.ramp_id)) for one in flying]
    gone = sorted(
        ((one.gone_at, one.pk, one) for one in bills if one.gone_at is not None), reverse=True
    )
    return countdown(migration, now=now) | {
        "bills": lines[:BILLS_SHOWN],
        "has_more_bills": len(lines) > BILLS_SHOWN,
        "gone": [
            BillLine(one, address_in_ramp("bill", one.ramp_id)) for *_, one in gone[:BILLS_SHOWN]
        ],
        "decisions": BillInFlight.Decision.choices,
        "undecided": sum(not line.bill.decision for line in lines[:BILLS_SHOWN]),
    }


def _in_order(last: DrainReading | None) -> list[tuple[str, Mapping[str, Any]]]:
    if last is None:
        return []
    return [(name, last.ready[name]) for name in NAMES if name in last.ready]


def _line(name: str, ready: Mapping[str, Any]) -> TypeLine:
    exponents = ready.get("exponents", {})
    amounts = [
        Money(minor, currency, exponents.get(currency, 2))
        for currency, minor in sorted(ready["amounts"].items())
    ]
    return TypeLine(
        name=name,
        label=many(name).capitalize(),
        count=ready["count"],
        amounts=amounts,
        oldest=_day(ready.get("oldest", "")),
        unclear=ready.get("unclear", 0),
        refused=ready.get("refused", ""),
        first=[_left(name, one) for one in ready.get("first", ())],
    )


def _left(name: str, one: Mapping[str, Any]) -> Left:
    has_money = "minor" in one
    money = Money(one["minor"], one["currency"], one["exponent"]) if has_money else None
    url = address_in_ramp(name, one["id"]) if one["id"] else ""
    return Left(one["label"], money, _day(one.get("on", "")), url)


def _day(text: str) -> date | None:
    return date.fromisoformat(text) if text else None


def _trend(found: Sequence[DrainReading]) -> Trend | None:
    if not found:
        return None
    totals = [one.total for one in reversed(found)]
    picture = charts.spark(totals) if len(totals) > 1 and max(totals) else None
    return Trend(_trend_words(found), picture, totals[0])


def _trend_words(found: Sequence[DrainReading]) -> str:
    total, pace = found[0].total, progress.pace(found)
    if total == 0 or pace is None:
        return ""
    if left := pace.left(total):
        return f"About {pace.per_hour:,.0f} fewer an hour: nothing is left in {_span(left)}."
    if pace.per_hour < 0:
        return f"About {-pace.per_hour:,.0f} more an hour: more becomes ready than is synced."
    return f"No change for {_span(pace.measured)}."


def _span(length: timedelta) -> str:
    minutes = max(1, round(length / timedelta(minutes=1)))
    if minutes < 90:
        return f"{minutes} min"
    hours = minutes / 60
    return f"{hours:.0f} h" if hours < 48 else f"{hours / 24:.0f} days"
