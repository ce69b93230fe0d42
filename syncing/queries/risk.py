"""How soon somebody should look at a customer: one number to sort by. Pure.

Broken connections first, band by band; within a band what people must do, what is late, how much
money waits. Around the end of a month all of that counts half as much again, for books are closed
then. Nobody reads the number: it only puts lines in order.
"""

import math
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import date, datetime, timedelta

from rampbridge.lib.money import Money

SLA = timedelta(hours=4)
"""What waits longer than this is late, whoever's move it is."""
BROKEN_FROM = 3
"""Severity of `Health` from which on nothing, or not everything, goes through."""
BAND = 100.0
PEOPLE = 20.0
CUSTOMER = 10.0
SLOW = 5.0
MOST_AGE = 20.0
MOST_AMOUNT = 20.0
FREE_AMOUNT = 100.0
"""US dollars below which an amount says nothing."""
CLOSING = 1.5
DAYS_BEFORE_CLOSE = 3
DAYS_AFTER_CLOSE = 5

DOLLARS: Mapping[str, float] = {
    "USD": 1, "EUR": 1.1, "GBP": 1.3, "CHF": 1.1, "CAD": 0.7, "AUD": 0.65, "NZD": 0.6,
    "JPY": 0.0067, "CNY": 0.14, "HKD": 0.13, "SGD": 0.75, "KRW": 0.00073, "INR": 0.012,
    "SEK": 0.1, "NOK": 0.1, "DKK": 0.15, "PLN": 0.25, "CZK": 0.044, "HUF": 0.0028,
    "RON": 0.22, "ILS": 0.27, "AED": 0.27, "SAR": 0.27, "BRL": 0.18, "MXN": 0.055,
    "COP": 0.00025, "CLP": 0.0011, "ARS": 0.001, "ZAR": 0.055, "TRY": 0.03, "THB": 0.03,
    "PHP": 0.018, "IDR": 0.000063, "VND": 0.00004, "KWD": 3.2, "BHD": 2.6, "JOD": 1.4,
}  # fmt: skip
"""US dollars for one unit, as far as an order needs. Amounts on screen are never converted."""


@dataclass(frozen=True, slots=True)
class RiskFacts:
    """What the number follows from."""

    severity: int = 0
    """As `Health` has it."""
    oldest_at: datetime | None = None
    worth: float = 0.0
    needs_us: bool = False
    """An item needs a person here, or its outcome is uncertain."""
    needs_customer: bool = False


def worth(sums: Iterable[Money]) -> float:
    """Amounts of any currencies, roughly in US dollars. An unknown currency counts one for one."""
    return sum(abs(float(one.decimal)) * DOLLARS.get(one.currency, 1.0) for one in sums)


def risk(facts: RiskFacts, *, now: datetime, today: date) -> float:
    """The higher, the sooner to look.

    :param today: the date where the customer is
    """
    open_work = _people(facts) + _age(facts.oldest_at, now) + _amount(facts.worth)
    closing = CLOSING if _is_closing(today) else 1.0
    return round(_broken(facts.severity) + open_work * closing, 3)


def _broken(severity: int) -> float:
    """A band each, wider than all else together."""
    if severity >= BROKEN_FROM:
        return severity * BAND
    return SLOW if severity == 2 else 0.0


def _people(facts: RiskFacts) -> float:
    if facts.needs_us:
        return PEOPLE
    return CUSTOMER if facts.needs_customer else 0.0


def _age(oldest_at: datetime | None, now: datetime) -> float:
    """Nothing at first, a little as time runs, more with each doubling of what is allowed."""
    if oldest_at is None:
        return 0.0
    share = max((now - oldest_at) / SLA, 0.0)
    late = 4 + 3 * math.log2(share) if share > 1 else 4 * share
    return min(late, MOST_AGE)


def _amount(dollars: float) -> float:
    """Four points for each further digit above a hundred dollars."""
    if dollars <= FREE_AMOUNT:
        return 0.0
    return min(4 * math.log10(dollars / FREE_AMOUNT), MOST_AMOUNT)


def _is_closing(today: date) -> bool:
    """Whether a month is about to be closed, or is just being closed."""
    ahead = today + timedelta(days=DAYS_BEFORE_CLOSE)
    return ahead.month != today.month or today.day <= DAYS_AFTER_CLOSE
