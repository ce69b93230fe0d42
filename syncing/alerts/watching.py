"""Look whether anything is wrong, once a minute: open alerts, close them, and have people told.

One alert per rule and subject, which the database sees to as well. What many customers have at once
is one alert about all of them; what an open alert of the fleet or of an ERP explains is none.
"""

import logging
from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from django.db import transaction
from django.urls import reverse

from syncing.alert_kinds import KINDS, Kind, Reading
from syncing.alert_kinds.base import Link
from syncing.alert_kinds.judging import Rule, Standing, step
from syncing.alerts import history, telling
from syncing.alerts.counting import count_open
from syncing.alerts.measuring import measure_each
from syncing.models import Alert, AlertRound, AlertRule, AlertWatch
from syncing.statements import only_one

MOST_APART = 10
"""So many customers of one rule have an alert each; more are one alert about many."""
FEW_AGAIN = 5
"""With so many left of many it is over, and each has its own."""
SHOWN_NAMES = 10
NOT_AGAIN_WITHIN = timedelta(seconds=20)
"""Both the clock and the watch call. Who comes right after another leaves it."""

logger = logging.getLogger(__name__)


@dataclass(slots=True)
class Round:
    """What one look has changed."""

    opened: list[Alert] = field(default_factory=list)
    resolved: list[Alert] = field(default_factory=list)
    unmeasured: Sequence[str] = ()


@dataclass(slots=True)
class _Held:
    """What is known before the look, and grows with it."""

    alerts: dict[int, dict[str, Alert]]
    """Open ones by rule and subject."""
    watches: dict[int, dict[str, datetime]]
    open_now: set[tuple[str, str]]
    """Kind and subject of every open alert: what explains others."""


def watch(*, now: datetime) -> Round | None:
    """Take a round. None if somebody else is at it, or has just been."""
    with only_one("alerts") as is_mine:
        if not is_mine:
            return None
        kept = AlertRound.objects.filter(pk=1).first()
        if kept is not None and kept.at is not None and now - kept.at < NOT_AGAIN_WITHIN:
            return None
        return _watch(now)


def _watch(now: datetime) -> Round:
    rules = [
        rule
        for rule in AlertRule.objects.filter(is_on=True).prefetch_related("channels").order_by("pk")
        if rule.kind in KINDS
    ]
    readings, failed = measure_each(_wanted(rules), now=now)
    history.keep(readings, now=now)
    if now.minute == 0:
        history.thin(now=now)
    with transaction.atomic():
        done = _judge_all(rules, readings, now)
        done.unmeasured = failed
        telling.fold_held(now=now)
        telling.send_digests(now=now)
        _write_round(failed, now)
    for one in done.opened:
        logger.warning("An alert was opened.", extra={"alert": one.pk, "title": one.title})
    return done


def _wanted(rules: Sequence[AlertRule]) -> dict[str, float]:
    """From where on each kind is measured: what any rule, or the history, still asks about."""
    wanted = {key: kind.keep_from for key, kind in KINDS.items()}
    for rule in rules:
        clear = float(rule.thresholds["clear"])
        if KINDS[rule.kind].is_worse(wanted[rule.kind], clear):
            wanted[rule.kind] = clear
    return wanted


def _judge_all(
    rules: Sequence[AlertRule], readings: Mapping[str, Sequence[Reading]], now: datetime
) -> Round:
    held = _held()
    done = Round()
    order = list(KINDS)
    for rule in sorted(rules, key=lambda one: order.index(one.kind)):
        if rule.kind in readings:
            _judge(rule, readings[rule.kind], held, done, now)
    _close_orphans(rules, held, done, now)
    return done


def _held() -> _Held:
    alerts: dict[int, dict[str, Alert]] = defaultdict(dict)
    open_now = set()
    for one in Alert.objects.filter(resolved_at=None).select_related("rule"):
        alerts[one.rule_id][one.subject] = one
        open_now.add((one.rule.kind, one.subject))
    watches: dict[int, dict[str, datetime]] = defaultdict(dict)
    for rule_id, subject, since in AlertWatch.objects.values_list("rule_id", "subject", "since"):
        watches[rule_id][subject] = since
    return _Held(alerts, watches, open_now)


def _judge(
    rule: AlertRule, readings: Sequence[Reading], held: _Held, done: Round, now: datetime
) -> None:
    kind = KINDS[rule.kind]
    spec = Rule(kind, rule.thresholds, timedelta(minutes=rule.holds_minutes))
    mine = {
        one.subject: one
        for one in readings
        if is_in_scope(rule, one) and kind.fits(one, rule.thresholds)
    }
    open_ = held.alerts.get(rule.pk, {})
    many = open_.get(Alert.MANY)
    over = [
        alert
        for subject, alert in open_.items()
        if alert is not many and _has_ended(alert, mine.get(subject), spec, now)
    ]
    _close(over, rule, held, done, now)
    waiting, due = _waiting(mine, open_, held.watches.get(rule.pk, {}), kind, spec, held, now)
    if many is not None:
        waiting |= dict.fromkeys((one.subject for one in due), now - spec.holds)
        if _many_has_ended(many, mine, spec, now):
            _close([many], rule, held, done, now)
    elif len(due) + len(open_) - len(over) > MOST_APART:
        _open([_about_many(rule, kind, due, now)], rule, held, done, now)
        waiting |= dict.fromkeys((one.subject for one in due), now - spec.holds)
    else:
        _open([_about_one(rule, kind, one, now) for one in due], rule, held, done, now)
    _keep_watches(rule, waiting, held)


def is_in_scope(rule: AlertRule, reading: Reading) -> bool:
    """Whether a rule is about whom a reading is of. What is about no customer is about all."""
    scope = AlertRule.Scope
    match rule.scope:
        case scope.ERP:
            return not reading.erp_name or reading.erp_name == rule.scope_value
        case scope.OWNER:
            return reading.connection_id is None or reading.owner == rule.scope_value
        case scope.TAG:
            return reading.connection_id is None or rule.scope_value in reading.tags
        case scope.CUSTOMER:
            return reading.connection_id is None or reading.slug == rule.scope_value
        case _:
            return True


def _waiting(
    mine: Mapping[str, Reading],
    open_: Mapping[str, Alert],
    since: Mapping[str, datetime],
    kind: Kind,
    spec: Rule,
    held: _Held,
    now: datetime,
) -> tuple[dict[str, datetime], list[Reading]]:
    """Who is bad and not for long enough, and who is to have an alert, the worst first."""
    waiting: dict[str, datetime] = {}
    due: list[Reading] = []
    for subject, reading in mine.items():
        if subject in open_ or _is_covered(kind, reading, held):
            continue
        standing = step(Standing(since=since.get(subject)), reading.value, spec, now=now)
        if standing.is_open:
            due.append(reading)
        elif standing.since:
            waiting[subject] = standing.since
    return waiting, due


def _is_covered(kind: Kind, reading: Reading, held: _Held) -> bool:
    """Whether an open alert of the fleet, or of its ERP, says it already."""
    return any(
        (key, subject) in held.open_now
        for key in kind.covered_by
        for subject in ("", reading.erp_name)
    )


def _has_ended(alert: Alert, reading: Reading | None, spec: Rule, now: datetime) -> bool:
    """Take one step with an open alert; while it stays open it says what is true now."""
    value = reading.value if reading else None
    standing = step(Standing(is_open=True, since=alert.calm_since), value, spec, now=now)
    alert.calm_since, alert.seen_at = standing.since, now
    if reading is not None:
        alert.value = reading.value
        if spec.kind.is_worse(reading.value, alert.worst):
            alert.worst = reading.value
        if standing.since is None:
            _write_words(alert, spec.kind, reading)
    if standing.is_open:
        alert.save(update_fields=_MEASURED)
    return not standing.is_open


_MEASURED = (
    "calm_since", "seen_at", "value", "worst", "title", "why", "first_step", "link", "names",
)  # fmt: skip


def _many_has_ended(alert: Alert, mine: Mapping[str, Reading], spec: Rule, now: datetime) -> bool:
    bad = [one for one in mine.values() if not spec.kind.is_calm(one.value, spec.thresholds)]
    if len(bad) > FEW_AGAIN:
        alert.calm_since = None
        _write_many(alert, spec.kind, bad)
    else:
        alert.calm_since = alert.calm_since or now
    alert.value, alert.worst = len(bad), max(alert.worst, len(bad))
    alert.seen_at = now
    if alert.calm_since is not None and now - alert.calm_since >= spec.holds:
        return True
    alert.save(update_fields=_MEASURED)
    return False


def _about_one(rule: AlertRule, kind: Kind, reading: Reading, now: datetime) -> Alert:
    alert = Alert(
        rule=rule,
        subject=reading.subject,
        subject_name=reading.name[:200],
        connection_id=reading.connection_id,
        severity=rule.severity,
        opened_at=now,
        seen_at=now,
        value=reading.value,
        worst=reading.value,
    )
    _write_words(alert, kind, reading)
    return alert


def _about_many(rule: AlertRule, kind: Kind, due: Sequence[Reading], now: datetime) -> Alert:
    alert = Alert(
        rule=rule,
        subject=Alert.MANY,
        subject_name=f"{len(due)} customers",
        severity=rule.severity,
        opened_at=now,
        seen_at=now,
        value=len(due),
        worst=len(due),
    )
    _write_many(alert, kind, due)
    return alert


def _write_words(alert: Alert, kind: Kind, reading: Reading) -> None:
    words = kind.words(reading)
    alert.title, alert.why = words.title[:500], words.why[:500]
    alert.first_step, alert.link = words.first[:700], _path(words.link)


def _write_many(alert: Alert, kind: Kind, bad: Sequence[Reading]) -> None:
    words = kind.words(bad[0])
    alert.title = f"{len(bad):,} customers {kind.many}."
    alert.why = "So many at once have a cause in common."
    alert.first_step = f"Look for what they share, beginning with the worst. {words.first}"[:700]
    alert.link = _path(kind.listed_at)
    alert.names = [one.name for one in bad[:SHOWN_NAMES]]


def _path(link: Link) -> str:
    path = reverse(link.route, kwargs=dict(link.values))
    return f"{path}?{link.query}" if link.query else path


def _open(
    alerts: Sequence[Alert], rule: AlertRule, held: _Held, done: Round, now: datetime
) -> None:
    for one in alerts:
        one.save(force_insert=True)
        held.open_now.add((rule.kind, one.subject))
    telling.tell_opened(alerts, rule, now=now)
    done.opened += alerts


def _close(
    alerts: Sequence[Alert],
    rule: AlertRule,
    held: _Held,
    done: Round,
    now: datetime,
    *,
    because: str = "",
) -> None:
    for one in alerts:
        one.resolved_at = now
        one.resolved_because = (because or _why_over(one, KINDS[rule.kind]))[:300]
        one.save(update_fields=[*_MEASURED, "resolved_at", "resolved_because"])
        held.open_now.discard((rule.kind, one.subject))
    telling.tell_resolved(alerts, rule, now=now)
    done.resolved += alerts


def _why_over(alert: Alert, kind: Kind) -> str:
    if alert.subject == Alert.MANY:
        left = f"{alert.value:.0f} customers still {kind.many}" if alert.value else "None is left"
        return f"It is no longer many: {left}."
    return kind.calm(alert.subject_name)


def _close_orphans(rules: Sequence[AlertRule], held: _Held, done: Round, now: datetime) -> None:
    """Alerts of rules that were switched off, or are of a kind that is no more."""
    judged = {rule.pk for rule in rules}
    for rule_id, alerts in held.alerts.items():
        left = list(alerts.values())
        if rule_id not in judged and left and left[0].rule.kind in KINDS:
            _close(left, left[0].rule, held, done, now, because="Its rule was switched off.")


def _keep_watches(rule: AlertRule, waiting: Mapping[str, datetime], held: _Held) -> None:
    known = held.watches.get(rule.pk, {})
    gone = [subject for subject in known if subject not in waiting]
    if gone:
        AlertWatch.objects.filter(rule=rule, subject__in=gone).delete()
    AlertWatch.objects.bulk_create(
        [
            AlertWatch(rule=rule, subject=subject, since=since)
            for subject, since in waiting.items()
            if subject not in known
        ],
        ignore_conflicts=True,
    )


def _write_round(failed: Sequence[str], now: datetime) -> None:
    problem = ""
    if failed:
        labels = ", ".join(KINDS[key].label for key in failed)
        problem = f"Could not be measured: {labels}. The log says why."[:300]
    AlertRound.objects.get_or_create(pk=1, defaults={"since": now})
    AlertRound.objects.filter(pk=1).update(at=now, problem=problem)
    count_open()
