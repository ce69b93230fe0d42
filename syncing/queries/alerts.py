"""Alerts, rules and messages as pages list them. Few rows each, however many customers."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from django.db.models import Count, Prefetch, Q

from connections.models import AlertChannel
from rampbridge.lib.keyset import Cursor, KeysetPage, keyset_page
from syncing.alert_kinds import KINDS, Kind, Unit, said
from syncing.models import Alert, AlertDelivery, AlertRound, AlertRule
from syncing.queries.words import Look

PAGE_SIZE = 50
MOST_OPEN = 200
LATE_AFTER = timedelta(minutes=5)
"""Without a look for so long, nobody looks."""
SEVERITIES: Mapping[str, Look] = {
    "page": Look("Page", "person", "octagon-alert"),
    "ticket": Look("Ticket", "customer", "triangle-alert"),
    "note": Look("Note", "neutral", "info"),
}
STATES: Mapping[str, Look] = {
    AlertDelivery.State.WAITING: Look("Waits for its turn", "neutral", "clock"),
    AlertDelivery.State.HELD: Look("Held until quiet hours end", "neutral", "moon"),
    AlertDelivery.State.SENDING: Look("Being sent", "work", "send"),
    AlertDelivery.State.SENT: Look("Sent", "done", "circle-check"),
    AlertDelivery.State.FOLDED: Look("In a digest", "done", "layers"),
    AlertDelivery.State.GIVEN_UP: Look("Given up", "person", "octagon-alert"),
}
_RETRYING = Look("Tried again", "retry", "rotate-ccw")
_OVER = Look("Over", "done", "circle-check")
_TAKEN = Look("Looked after", "work", "user")
_ON = Look("On", "done", "circle-check")
_OFF = Look("Off", "neutral", "circle-slash")
_MUTED = Look("Muted", "customer", "pause")


@dataclass(frozen=True, slots=True)
class AlertRow:
    """One alert, with its looks."""

    alert: Alert

    @property
    def severity(self) -> Look:
        return SEVERITIES[self.alert.severity]

    @property
    def standing(self) -> Look | None:
        """None: it is open, and nobody looks after it."""
        if self.alert.resolved_at:
            return _OVER
        return _TAKEN if self.alert.acknowledged_at else None

    @property
    def kind(self) -> Kind | None:
        return KINDS.get(self.alert.rule.kind)

    @property
    def value(self) -> str:
        return self._said(self.alert.value)

    @property
    def worst(self) -> str:
        return self._said(self.alert.worst)

    def _said(self, value: float) -> str:
        if self.alert.subject == Alert.MANY:
            return f"{value:,.0f} customers"
        return said(self.kind.unit, value) if self.kind else f"{value:g}"

    @property
    def lasted(self) -> timedelta | None:
        return self.alert.resolved_at - self.alert.opened_at if self.alert.resolved_at else None


@dataclass(frozen=True, slots=True)
class RuleRow:
    """One rule, with what it sets in words."""

    rule: AlertRule
    open_alerts: int
    look: Look

    @property
    def kind(self) -> Kind | None:
        return KINDS.get(self.rule.kind)

    @property
    def severity(self) -> Look:
        return SEVERITIES[self.rule.severity]

    @property
    def holds(self) -> str:
        """How long it must last; empty: it opens at once."""
        minutes = self.rule.holds_minutes
        return said(Unit.MINUTES, minutes) if minutes else ""

    @property
    def opens_at(self) -> str:
        if self.kind is None:
            return ""
        word = "or less" if self.kind.is_falling else "or more"
        level = said(self.kind.unit, float(self.rule.thresholds["level"]))
        currency = self.rule.thresholds.get("currency", "")
        return f"{currency} {level} {word}".strip()


@dataclass(frozen=True, slots=True)
class DeliveryRow:
    """One message, with its look."""

    delivery: AlertDelivery

    @property
    def look(self) -> Look:
        one = self.delivery
        if one.state == AlertDelivery.State.WAITING and one.attempts:
            return _RETRYING
        return STATES[AlertDelivery.State(one.state)]

    @property
    def is_tried_again(self) -> bool:
        return self.look is _RETRYING

    @property
    def may_be_tried(self) -> bool:
        return self.delivery.state == AlertDelivery.State.GIVEN_UP


def open_alerts() -> list[AlertRow]:
    """What is open: pages first, what nobody looks after before the rest, then the oldest."""
    order = {"page": 0, "ticket": 1, "note": 2}
    found = Alert.objects.filter(resolved_at=None).select_related("rule", "connection")
    rows = [AlertRow(one) for one in found.order_by("opened_at", "pk")[:MOST_OPEN]]
    return sorted(
        rows, key=lambda row: (order[row.alert.severity], row.alert.acknowledged_at is not None)
    )


def over(*, after: Cursor | None) -> tuple[KeysetPage[Alert], list[AlertRow]]:
    """Alerts that have ended, the newest first."""
    found = Alert.objects.filter(resolved_at__isnull=False).select_related("rule", "connection")
    page = keyset_page(found, field="resolved_at", after=after, size=PAGE_SIZE, newest_first=True)
    return page, [AlertRow(one) for one in page.rows]


def alert(pk: int) -> AlertRow:
    """One alert.

    :raises Alert.DoesNotExist: if there is none
    """
    return AlertRow(Alert.objects.select_related("rule", "connection").get(pk=pk))


def before(row: AlertRow, *, size: int = 10) -> list[AlertRow]:
    """What the same rule found earlier about the same subject."""
    found = Alert.objects.filter(
        rule=row.alert.rule, subject=row.alert.subject, pk__lt=row.alert.pk
    ).select_related("rule")
    return [AlertRow(one) for one in found.order_by("-opened_at")[:size]]


def messages_of(row: AlertRow) -> list[DeliveryRow]:
    found = row.alert.deliveries.select_related("channel", "digest").order_by("created_at", "pk")
    return [DeliveryRow(one) for one in found[:100]]


def rules(*, now: datetime) -> list[RuleRow]:
    """Every rule, by what it is about."""
    order = list(KINDS)
    found = AlertRule.objects.annotate(
        open_alerts=Count("alerts", filter=Q(alerts__resolved_at=None))
    ).prefetch_related(Prefetch("channels", AlertChannel.objects.order_by("name")))
    rows = [RuleRow(one, one.open_alerts, rule_look(one, now=now)) for one in found]
    return sorted(
        rows, key=lambda row: (order.index(row.rule.kind) if row.kind else 99, row.rule.pk)
    )


def rule_look(rule: AlertRule, *, now: datetime) -> Look:
    if not rule.is_on:
        return _OFF
    return _MUTED if rule.muted_until and now < rule.muted_until else _ON


def channels() -> Sequence[AlertChannel]:
    """Every channel, with the number of rules that it hears of."""
    return list(AlertChannel.objects.annotate(heard=Count("rules")).order_by("name"))


def deliveries(
    *, channel: int | None = None, state: str = "", after: Cursor | None = None
) -> tuple[KeysetPage[AlertDelivery], list[DeliveryRow]]:
    """Messages, the newest first."""
    found = AlertDelivery.objects.select_related("channel", "alert")
    if channel:
        found = found.filter(channel_id=channel)
    if state:
        found = found.filter(state=state)
    page = keyset_page(found, field="created_at", after=after, size=PAGE_SIZE, newest_first=True)
    return page, [DeliveryRow(one) for one in page.rows]


def last_round() -> AlertRound | None:
    return AlertRound.objects.filter(pk=1).first()


def nobody_looks(kept: AlertRound | None, *, now: datetime) -> bool:
    """Whether nobody has looked for longer than it can take."""
    return kept is None or kept.at is None or now - kept.at > LATE_AFTER
