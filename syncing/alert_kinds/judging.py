"""When an alert opens and when it is over: one step of time, for one subject. Pure.

The evaluator takes the step each minute, the preview takes it through a month of history. So what
a preview promises is what happens.
"""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta

from syncing.alert_kinds.base import Kind, Thresholds


@dataclass(frozen=True, slots=True)
class Standing:
    """How one subject stands with one rule."""

    is_open: bool = False
    since: datetime | None = None
    """While it is not open: since when it has been as bad as the rule says. While it is: since when
    it has been well again."""


@dataclass(frozen=True, slots=True)
class Rule:
    """What of a rule decides."""

    kind: Kind
    thresholds: Thresholds
    holds: timedelta
    """How long it must be bad before an alert opens, and well before it is over."""


def step(before: Standing, value: float | None, rule: Rule, *, now: datetime) -> Standing:
    """How it stands now that this was measured; no value means that there is nothing to measure.

    What lies between both levels changes nothing but ends the waiting for either.
    """
    kind, thresholds = rule.kind, rule.thresholds
    if before.is_open:
        moves = kind.is_calm(value, thresholds)
        holds = min(rule.holds, LONGEST_CALM)
    else:
        moves = value is not None and kind.is_over(value, thresholds)
        holds = rule.holds
    if not moves:
        return Standing(before.is_open)
    since = before.since or now
    if now - since >= holds:
        return Standing(not before.is_open)
    return Standing(before.is_open, since)


LONGEST_CALM = timedelta(minutes=15)
"""Nobody wants to read for a day that something is wrong which is well again."""


@dataclass(frozen=True, slots=True)
class Fired:
    """An alert that would have opened."""

    at: datetime
    until: datetime | None
    """None: it would be open still."""
    worst: float


def replay(series: Iterable[tuple[datetime, float | None]], rule: Rule) -> Iterator[Fired]:
    """When one subject's readings would have opened an alert, the oldest first."""
    standing, opened, worst = Standing(), None, 0.0
    for at, value in series:
        was_open = standing.is_open
        standing = step(standing, value, rule, now=at)
        if standing.is_open and value is not None:
            worst = value if not was_open or rule.kind.is_worse(value, worst) else worst
        if standing.is_open and not was_open:
            opened = at
        elif was_open and not standing.is_open and opened is not None:
            yield Fired(opened, at, worst)
            opened = None
    if opened is not None:
        yield Fired(opened, None, worst)


def folded(fired: Iterable[Fired], *, most_apart: int, few_again: int) -> list[Fired]:
    """What many subjects of one rule would be told as: one alert while many are open at once.

    :param most_apart: so many have an alert each
    :param few_again: with so many left it is no longer many
    """
    told: list[Fired] = []
    ends: list[datetime | None] = []
    many: Fired | None = None
    for one in sorted(fired, key=lambda found: found.at):
        ends = [end for end in ends if end is None or end > one.at]
        if many is not None and len(ends) <= few_again:
            many = None
        ends.append(one.until)
        if many is not None:
            continue
        told.append(one)
        if len(ends) > most_apart:
            many = one
    return told
