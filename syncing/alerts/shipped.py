"""The rules that come with the program. People change and switch them off like their own."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from syncing.alert_kinds import KINDS, fleet, flow, links
from syncing.alert_kinds.thresholds import checked, defaults
from syncing.models import AlertRule

_PAGE, _TICKET, _NOTE = AlertRule.Severity


@dataclass(frozen=True, slots=True)
class Shipped:
    """One rule as it comes. Its name in `shipped_as` is its kind's, or says what sets it apart."""

    kind: str
    name: str
    severity: AlertRule.Severity
    holds_minutes: int = 0
    sets: Mapping[str, Any] = field(default_factory=dict)
    shipped_as: str = ""


RULES: Sequence[Shipped] = (
    Shipped(fleet.WORKER, "No worker is at work", _PAGE),
    Shipped(fleet.STILL, "Items are due and nothing moves", _PAGE, 1),
    Shipped(fleet.ERP, "An ERP is broken", _PAGE, 1),
    Shipped(fleet.RAMP_FAILS, "Ramp fails one request in twenty", _PAGE, 5),
    Shipped(fleet.RECOUNT, "Our counts were wrong", _TICKET),
    Shipped(flow.AGE, "An item is older than four hours", _PAGE, 5),
    Shipped(flow.ITEMS, "A customer has a thousand items waiting", _TICKET, 30),
    Shipped(flow.AMOUNT, "A customer has USD 250,000 waiting", _TICKET, 60),
    Shipped(flow.OUTBOX, "Ramp does not take a report", _PAGE, 1),
    Shipped(flow.UNCERTAIN, "Uncertain for over an hour", _TICKET),
    Shipped(flow.MISMATCH, "Ramp and the ERP disagree", _PAGE),
    Shipped(flow.DUPLICATES, "Something is booked twice", _PAGE),
    Shipped(flow.OUTSIDE, "Somebody else syncs", _NOTE),
    Shipped(flow.BUTTON, "The sync button takes over four minutes", _PAGE),
    Shipped(links.SILENT, "A customer's ERP does not answer", _TICKET, 1),
    Shipped(links.BLOCKED, "A customer is stopped", _TICKET),
    Shipped(links.RAMP, "Ramp does not answer", _TICKET, 5),
    Shipped(links.GAP, "A webhook has stopped", _TICKET, 2),
    Shipped(links.REFUSED, "Webhooks with a wrong signature", _PAGE),
    Shipped(links.EXPIRY, "Access ends within two days", _TICKET),
    Shipped(links.DRIFT, "A chart differs for a day", _NOTE, 1440),
    Shipped(links.LAG, "Polls are overdue", _PAGE, 10),
)


def ship(**_: Any) -> None:
    """Make the rules that are not there yet, after every migrate; what people changed stays."""
    AlertRule.objects.bulk_create([_row(one) for one in RULES], ignore_conflicts=True)


def _row(one: Shipped) -> AlertRule:
    kind = KINDS[one.kind]
    return AlertRule(
        name=one.name,
        shipped_as=one.shipped_as or one.kind,
        kind=one.kind,
        thresholds=checked(kind, {**defaults(kind), **one.sets}),
        severity=one.severity,
        holds_minutes=one.holds_minutes,
    )
