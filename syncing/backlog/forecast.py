"""When the backlog will be through, at the rate of the last hour, and what holds it up. Pure."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta

FARTHEST = timedelta(days=30)
"""What takes longer is not foretold: nobody's last hour says so much."""


@dataclass(frozen=True, slots=True)
class Pressure:
    """How much there is to do, how fast it goes, and what is known to be in the way."""

    moving: int
    """Open items that go through without anybody."""
    for_customers: int
    """Items that wait for customers."""
    for_us: int
    """Items that wait for people here."""
    arrived_per_hour: float
    done_per_hour: float
    erps_at_limit: int = 0
    """Customers with something due whose ERP bears no more calls, or does not answer."""
    paused: int = 0
    """Customers of whom a type, or everything, is paused."""
    ramp_frozen_until: datetime | None = None
    """Ramp has said that we ask too much."""
    ramp_share: float = 1.0
    """How much of the usual rate Ramp's budget gives now."""


@dataclass(frozen=True, slots=True)
class Forecast:
    """What is said of it, as a sentence, and what limits it, as one line each."""

    words: str
    limits: tuple[str, ...]
    clears_at: datetime | None = None
    is_clear: bool = False
    """Whether nothing is left that goes through by itself."""
    waits_for_people: bool = False
    """Whether something is left that people have to move."""
    is_growing: bool = False


def forecast(pressure: Pressure, *, now: datetime) -> Forecast:
    """Look ahead, as if the last hour went on for ever.

    What waits for people is left out: no rate says when they will have time.
    """
    limits = tuple(_limits(pressure, now))
    net = pressure.done_per_hour - pressure.arrived_per_hour
    if not pressure.moving:
        left = pressure.for_customers + pressure.for_us
        words = "Everything is through." if not left else "All that is left waits for people."
        return Forecast(words, limits, is_clear=True, waits_for_people=bool(left))
    if pressure.done_per_hour <= 0:
        return Forecast("Nothing went through in the last hour.", limits, is_growing=True)
    if net <= 0:
        more = (
            f"{-net:,.0f} more an hour arrive than go through"
            if round(-net)
            else ("as much arrives as goes through")
        )
        return Forecast(f"Does not clear at the current rate: {more}.", limits, is_growing=net < 0)
    takes = timedelta(hours=min(pressure.moving / net, FARTHEST / timedelta(hours=1) + 1))
    if takes > FARTHEST:
        words = f"Takes more than {FARTHEST.days} days at the current rate."
        return Forecast(words, limits)
    clears_at = now + takes
    return Forecast(f"Clears {_when(clears_at, now)} at the current rate.", limits, clears_at)


def _when(moment: datetime, now: datetime) -> str:
    if moment.date() == now.date():
        return f"at {moment:%H:%M} UTC"
    return f"on {moment:%-d %b at %H:%M} UTC"


def _limits(pressure: Pressure, now: datetime) -> Iterator[str]:
    if pressure.ramp_frozen_until and pressure.ramp_frozen_until > now:
        yield (
            f"Ramp's budget: Ramp asked us to wait until {pressure.ramp_frozen_until:%H:%M:%S} UTC."
        )
    elif pressure.ramp_share < 0.9:
        yield f"Ramp's budget: down to {pressure.ramp_share:.0%} since Ramp last refused us."
    if pressure.erps_at_limit:
        yield (
            "ERP concurrency: the ERP of"
            f" {_customers(pressure.erps_at_limit)} takes no more, or does not answer."
        )
    if pressure.paused:
        yield f"Paused: {_customers(pressure.paused)}."
    if pressure.for_customers:
        yield f"Blocked on customers: {_items(pressure.for_customers)}."
    if pressure.for_us:
        yield f"Blocked on us: {_items(pressure.for_us)}."


def _customers(number: int) -> str:
    return f"{number:,} customer{'' if number == 1 else 's'}"


def _items(number: int) -> str:
    return f"{number:,} item{'' if number == 1 else 's'}"
