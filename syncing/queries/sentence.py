"""How a customer stands, in one sentence (P-02). Pure.

It is made of parts, so that a page can keep its times true; `as_text` is the same for everything
that cannot.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum

from rampbridge.lib.money import Money
from syncing.queries.health import Health

_MINUTE, _HOUR, _DAY = timedelta(minutes=1), timedelta(hours=1), timedelta(days=1)


class Kind(StrEnum):
    """How a part is shown."""

    STRONG = "strong"
    TEXT = "text"
    AGO = "ago"
    AGE = "age"
    MONEY = "money"


@dataclass(frozen=True, slots=True)
class Part:
    """A piece of the sentence; what goes between pieces is in the texts."""

    kind: Kind
    value: str | datetime | Money


@dataclass(frozen=True, slots=True)
class Situation:
    """What the sentence tells of."""

    health: Health
    last_export_at: datetime | None = None
    done_today: int = 0
    waiting: int = 0
    waiting_for: str = ""
    """What most of them wait for, as a noun: `closed period`."""
    needs_person: int = 0
    needs_person_for: str = ""
    uncertain: int = 0
    retrying: int = 0
    queued: int = 0
    oldest_at: datetime | None = None
    unsynced: Sequence[Money] = ()


def sentence(of: Situation) -> list[Part]:
    """`Working. Last export 12 min ago (41 ok). 3 blocked on customer (closed period), 1 uncertain,
    oldest 2 h 10 min, 14,220.00 USD unsynced.`"""
    parts = [Part(Kind.STRONG, f"{of.health.label}.")]
    if of.health.severity and of.health.meaning:
        parts.append(_text(f" {of.health.meaning}"))
    parts += _export(of)
    counts = _counts(of)
    if not counts and of.oldest_at is None:
        return [*parts, _text(" Nothing waits.")]
    parts.append(_text(f" {', '.join(counts)}" if counts else " Some wait"))
    if of.oldest_at:
        parts += [_text(", oldest "), Part(Kind.AGE, of.oldest_at)]
    for place, money in enumerate(of.unsynced):
        parts += [_text(" and " if place else ", "), Part(Kind.MONEY, money)]
    return [*parts, _text(" unsynced." if of.unsynced else ".")]


def _text(words: str) -> Part:
    return Part(Kind.TEXT, words)


def _export(of: Situation) -> list[Part]:
    if of.last_export_at is None:
        return [_text(" Nothing was exported yet.")]
    ok = f" ({of.done_today:,} ok in 24 h)." if of.done_today else " (none in 24 h)."
    return [_text(" Last export "), Part(Kind.AGO, of.last_export_at), _text(ok)]


def _counts(of: Situation) -> list[str]:
    found = []
    if of.needs_person:
        verb = "needs" if of.needs_person == 1 else "need"
        found.append(f"{of.needs_person:,} {verb} a person{_because(of.needs_person_for)}")
    if of.waiting:
        found.append(f"{of.waiting:,} blocked on customer{_because(of.waiting_for)}")
    if of.uncertain:
        found.append(f"{of.uncertain:,} uncertain")
    if of.retrying:
        found.append(f"{of.retrying:,} retrying")
    if of.queued:
        found.append(f"{of.queued:,} under way")
    return found


def _because(noun: str) -> str:
    return f" ({noun})" if noun else ""


def as_text(parts: Sequence[Part], *, now: datetime) -> str:
    """The sentence as words alone."""
    return "".join(_said(part, now) for part in parts)


def _said(part: Part, now: datetime) -> str:
    match part.value:
        case datetime() as at:
            span = _span(max(now - at, timedelta()))
            return f"{span} ago" if part.kind is Kind.AGO else span
        case Money() as money:
            return f"{money.decimal:,f} {money.currency}"
        case text:
            return text


def _span(length: timedelta) -> str:
    """The two largest units, as pages write them."""
    if length < _MINUTE:
        return f"{int(length.total_seconds())} s"
    if length < _HOUR:
        return f"{length // _MINUTE} min"
    large, rest = (
        (f"{length // _HOUR} h", f"{length % _HOUR // _MINUTE} min")
        if length < _DAY
        else (f"{length // _DAY} d", f"{length % _DAY // _HOUR} h")
    )
    return large if rest.startswith("0 ") else f"{large} {rest}"


_NOUNS = {
    "period_closed": "closed period",
    "account_inactive": "inactive account",
    "dimension_inactive": "inactive dimension",
    "dimension_required": "missing dimension",
    "vendor_missing": "missing vendor",
    "vendor_inactive": "inactive vendor",
    "tax_code_invalid": "wrong tax code",
    "duplicate_number": "number taken",
    "exchange_rate_missing": "missing exchange rate",
    "bill_not_posted": "bill not booked",
    "approval_needed": "missing approval",
    "subscription_lapsed": "lapsed subscription",
    "auth_expired": "expired sign-in",
    "forbidden": "missing permission",
    "rejected_payload": "refused by the ERP",
    "unknown": "unknown reason",
}


def noun_of(code: str) -> str:
    """A cause in two words, from its stable code: `erp.period_closed` is a `closed period`."""
    name = code.rpartition(".")[2]
    return _NOUNS.get(name, name.replace("_", " "))
