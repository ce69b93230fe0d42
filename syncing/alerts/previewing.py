"""Whether a rule would have fired in the last thirty days: its kept readings, taken step by step.

Of before somebody began to look there are only roll-ups by the hour, and of most kinds nothing.
"""

from collections import defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from django.db import OperationalError, transaction

from syncing.alert_kinds import Kind, Reading, Thresholds
from syncing.alert_kinds.judging import LONGEST_CALM, Rule, folded, replay
from syncing.alerts.history import SLOT
from syncing.alerts.past import EARLIER
from syncing.alerts.watching import FEW_AGAIN, MOST_APART, is_in_scope
from syncing.models import AlertRound, AlertRule
from syncing.statements import execute, from_json, rows

WINDOW = timedelta(days=30)
MOST_SUBJECTS = 200
"""Of which the history is read. With more, the number is a lower bound."""
PATIENCE_MS = 400
"""For roll-ups of before anybody looked: somebody is filling in a form meanwhile."""
HOUR = timedelta(hours=1)

Series = list[tuple[datetime, float | None]]


@dataclass(frozen=True, slots=True)
class Firing:
    """One alert that there would have been."""

    name: str
    at: datetime
    until: datetime | None
    worst: float


@dataclass(frozen=True, slots=True)
class Preview:
    """What a rule would have done."""

    firings: Sequence[Firing]
    """The newest first."""
    since: datetime | None
    """Where the history begins; None: there is none."""
    by_hour_until: datetime | None
    """Until then only one value an hour is known."""
    is_cut: bool
    """There were more subjects than were looked at."""


def preview(
    *,
    kind: Kind,
    thresholds: Thresholds,
    holds: timedelta,
    scope: str,
    scope_value: str,
    now: datetime,
) -> Preview:
    """Take the last thirty days through the very steps that the watch takes."""
    begins = AlertRound.objects.filter(pk=1).values_list("since", flat=True).first()
    rule = Rule(kind, thresholds, holds)
    scoped = AlertRule(scope=scope, scope_value=scope_value)
    series: dict[str, Series] = defaultdict(list)
    names: dict[str, str] = {}
    earlier_since = _earlier(kind, scoped, rule, begins or now, now, series, names)
    subjects = _kept(kind, scoped, rule, now, series, names)
    fired = [(subject, one) for subject, points in series.items() for one in replay(points, rule)]
    told = folded([one for _, one in fired], most_apart=MOST_APART, few_again=FEW_AGAIN)
    firings = [
        Firing(names[subject], one.at, one.until, one.worst)
        for subject, one in fired
        if any(one is kept for kept in told)
    ]
    since = min((one for one in (earlier_since, begins) if one), default=None)
    return Preview(
        firings=sorted(firings, key=lambda one: one.at, reverse=True),
        since=max(since, now - WINDOW) if since else None,
        by_hour_until=begins if earlier_since and begins else (now if earlier_since else None),
        is_cut=subjects >= MOST_SUBJECTS,
    )


def _kept(
    kind: Kind,
    scoped: AlertRule,
    rule: Rule,
    now: datetime,
    series: dict[str, Series],
    names: dict[str, str],
) -> int:
    """Add what the watch has measured. Two statements. Returns of how many subjects."""
    level = float(rule.thresholds["level"])
    found = rows(
        _SUBJECTS.format(beyond="<=" if kind.is_falling else ">="),
        {
            "kind": kind.key,
            "level": level,
            "since": now - WINDOW,
            "most": MOST_SUBJECTS,
            "scope": scoped.scope,
            "value": scoped.scope_value,
        },
    )
    subjects = [subject for (subject,) in found]
    last: dict[str, datetime] = {}
    for subject, name, at, values, facts in rows(
        _HOURS, {"kind": kind.key, "subjects": subjects, "since": now - WINDOW}
    ):
        names[subject] = name or "The fleet"
        if subject in last and at - last[subject] > HOUR:
            series[subject] += _well_from(last[subject] + HOUR)
        told = from_json(facts) or {}
        for at_, value in _slots(at, from_json(values), now):
            reading = Reading(subject, value or 0, facts=told)
            fits = value is not None and kind.fits(reading, rule.thresholds)
            series[subject].append((at_, value if fits else None))
        last[subject] = at
    for subject, at in last.items():
        if now - at > HOUR:
            series[subject] += _well_from(at + HOUR)
    return len(subjects)


def _well_from(at: datetime) -> Series:
    """Nothing was kept from then on, so it was well for long enough to be over."""
    return [(at, None), (at + LONGEST_CALM, None)]


def _slots(
    hour: datetime, values: Sequence[float | None], now: datetime
) -> Iterator[tuple[datetime, float | None]]:
    for number, value in enumerate(values):
        at = hour + SLOT * number
        if at <= now:
            yield at, value


def _earlier(
    kind: Kind,
    scoped: AlertRule,
    rule: Rule,
    begins: datetime,
    now: datetime,
    series: dict[str, Series],
    names: dict[str, str],
) -> datetime | None:
    """Add what roll-ups tell of before the watch began. Since when they do."""
    since = now - WINDOW
    if kind.key not in EARLIER or begins <= since:
        return None
    earliest: datetime | None = None
    last: dict[str, datetime] = {}
    for subject, name, slug, erp_name, owner, tags, at, value in _past(kind, rule, since, begins):
        told = Reading(subject, value, name, None, slug, erp_name, owner, tuple(tags or ()))
        earliest = min(earliest or at, at)
        if not _is_meant(scoped, told):
            continue
        names[subject] = name
        if subject in last and at - last[subject] > HOUR:
            series[subject] += _well_from(last[subject] + HOUR)
        series[subject].append((at, value))
        last[subject] = at
    for subject, at in last.items():
        series[subject] += _well_from(at + HOUR)
    return earliest


def _past(kind: Kind, rule: Rule, since: datetime, until: datetime) -> list[tuple[Any, ...]]:
    """What roll-ups know; nothing if they are too large to be looked through while one waits."""
    try:
        with transaction.atomic():
            execute("SET LOCAL statement_timeout = %s", [PATIENCE_MS])
            found = rows(
                EARLIER[kind.key],
                {
                    "since": since,
                    "until": until,
                    "level": float(rule.thresholds["level"]),
                    "currency": rule.thresholds.get("currency", ""),
                    "most": MOST_SUBJECTS * 24 * 30,
                },
            )
            execute("SET LOCAL statement_timeout = 0", [])
            return found
    except OperationalError:
        return []


def _is_meant(scoped: AlertRule, reading: Reading) -> bool:
    if scoped.scope in (AlertRule.Scope.ALL, AlertRule.Scope.ERP):
        return is_in_scope(scoped, reading)
    match scoped.scope:
        case AlertRule.Scope.OWNER:
            return reading.owner == scoped.scope_value
        case AlertRule.Scope.TAG:
            return scoped.scope_value in reading.tags
        case _:
            return reading.slug == scoped.scope_value


_SUBJECTS = """
    SELECT h.subject FROM syncing_alerthour h
    LEFT JOIN connections_connection c ON c.id = CASE
        WHEN h.subject ~ '^[0-9a-f]{{8}}-[0-9a-f-]{{27}}' THEN left(h.subject, 36)::uuid END
    WHERE h.kind = %(kind)s AND h.worst {beyond} %(level)s AND h.at > %(since)s
      AND CASE %(scope)s
          WHEN 'erp' THEN coalesce(c.erp_name, h.subject) IN (%(value)s, '')
          WHEN 'owner' THEN c.id IS NULL OR c.owner = %(value)s
          WHEN 'tag' THEN c.id IS NULL OR %(value)s = ANY(c.tags)
          WHEN 'customer' THEN c.id IS NULL OR c.slug = %(value)s
          ELSE true END
    GROUP BY h.subject ORDER BY h.subject LIMIT %(most)s
"""
_HOURS = """
    SELECT subject, name, at, "values"::text, facts::text FROM syncing_alerthour
    WHERE kind = %(kind)s AND subject = ANY(%(subjects)s) AND at > %(since)s
    ORDER BY subject, at
"""
