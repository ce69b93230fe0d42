"""What a message says, as it is kept in its row: a subject, lines, and where to look."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any

from django.conf import settings
from django.urls import reverse

from connections.models import AlertChannel
from syncing.alert_kinds.base import span
from syncing.models import Alert, AlertDelivery

MOST_LINES = 40
"""Of a digest; what is more is counted."""
_LABELS = {"page": "Page", "ticket": "Ticket", "note": "Note"}


def opened(alert: Alert) -> dict[str, Any]:
    lines = [alert.why, f"First: {alert.first_step}"]
    if alert.names:
        lines.append(f"Among them: {', '.join(alert.names)}.")
    return _message(f"[{_LABELS[alert.severity]}] {alert.title}", lines, alert.link, alert)


def resolved(alert: Alert, *, now: datetime) -> dict[str, Any]:
    lasted = span((now - alert.opened_at).total_seconds())
    lines = [f"It had lasted for {lasted}: {alert.title}"]
    return _message(f"[Over] {alert.resolved_because}", lines, alert.link, alert)


def tried(channel: AlertChannel, *, actor: str) -> dict[str, Any]:
    return {
        "subject": f"[Test] Alerts reach {channel.name}",
        "lines": [f"{actor} has sent this to see whether it arrives. Nothing is wrong."],
        "link": _address(reverse("alerts")),
    }


def held(deliveries: Sequence[AlertDelivery]) -> dict[str, Any]:
    """What was held back in quiet hours, in one message."""
    lines = [
        f"{one.created_at:%d %b %H:%M} UTC {one.message['subject']}"
        for one in deliveries[:MOST_LINES]
    ]
    return _digest(f"{len(deliveries)} held back in quiet hours", lines, len(deliveries))


def still_open(alerts: Sequence[Alert], *, now: datetime) -> dict[str, Any]:
    """What is open at the time of the daily digest."""
    lines = [
        f"[{_LABELS[one.severity]}] {one.title}"
        f" Open for {span((now - one.opened_at).total_seconds())}"
        + (f", {one.acknowledged_by} is on it." if one.acknowledged_by else ", nobody is on it.")
        for one in alerts[:MOST_LINES]
    ]
    plural = "" if len(alerts) == 1 else "s"
    return _digest(f"{len(alerts)} alert{plural} open", lines, len(alerts))


def _digest(subject: str, lines: list[str], number: int) -> dict[str, Any]:
    if number > MOST_LINES:
        lines.append(f"And {number - MOST_LINES} more.")
    return {
        "subject": f"[Digest] {subject}",
        "lines": lines,
        "link": _address(reverse("alerts")),
    }


def _message(subject: str, lines: list[str], link: str, alert: Alert) -> dict[str, Any]:
    return {
        "subject": subject,
        "lines": lines,
        "link": _address(link),
        "alert": _address(reverse("alert", kwargs={"pk": alert.pk})),
    }


def _address(path: str) -> str:
    return f"{settings.PUBLIC_URL}{path}"
