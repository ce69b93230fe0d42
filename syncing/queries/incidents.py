"""Fleet incidents: what is going on, whom it hits, which canaries were tried, what comes next."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.db.models import Case, Count, Exists, F, OuterRef, Q, Sum, Value, When

from rampbridge.lib.keyset import Cursor, KeysetPage, keyset_page
from rampbridge.lib.money import Money
from syncing.models import ErrorGroup, Incident, ItemCount, Pause
from syncing.queries.words import Look
from syncing.states import ItemState

PAGE_SIZE = 25
OPEN_LOOK = Look("Going on", "person", "octagon-alert")
OVER_LOOK = Look("Over", "done", "circle-check")


@dataclass(frozen=True, slots=True)
class Strip:
    """One line at the top of every page."""

    id: int
    erp_name: str
    title: str
    opened_at: datetime
    customers: int
    next_canary_at: datetime | None


@dataclass(frozen=True, slots=True)
class Facts:
    """One incident, in figures."""

    incident: Incident
    paused: int
    """Customers that pause for it now."""
    joined: int
    """Customers that ever did."""
    canaries: int
    next_canary_at: datetime | None
    next_canary: Pause | None
    waiting: int
    sums: Sequence[Money]

    @property
    def is_open(self) -> bool:
        return self.incident.ended_at is None

    @property
    def look(self) -> Look:
        return OPEN_LOOK if self.is_open else OVER_LOOK

    @property
    def ended_by(self) -> str:
        return self.incident.ended_by or "rampbridge"


def incident(pk: int) -> Incident:
    """One incident, and as `has_group` whether the error desk has a page of its cause.

    :raises Incident.DoesNotExist: if there is none
    """
    group = ErrorGroup.objects.filter(pk=OuterRef("fingerprint"))
    return Incident.objects.annotate(has_group=Exists(group)).get(pk=pk)


def facts(incident: Incident) -> Facts:
    """What stands behind an incident. Three queries."""
    pauses = Pause.objects.filter(incident=incident)
    counted = pauses.aggregate(
        joined=Count("pk"),
        paused=Count("pk", filter=Q(resumed_at=None)),
        canaries=Sum("canaries", default=0),
    )
    upcoming = (
        pauses.filter(resumed_at=None, canary_due_at__isnull=False)
        .select_related("connection")
        .order_by("canary_due_at", "pk")
        .first()
    )
    waiting = _waiting(incident) if incident.ended_at is None else []
    return Facts(
        incident=incident,
        **counted,
        next_canary_at=upcoming.canary_due_at if upcoming else None,
        next_canary=upcoming,
        waiting=sum(row["n"] for row in waiting),
        sums=[Money(row["minor"], row["currency"], row["exponent"]) for row in waiting],
    )


def customers(incident: Incident, *, after: Cursor | None) -> KeysetPage[Pause]:
    """A page of the pauses made for it, the newest first. One query."""
    found = Pause.objects.filter(incident=incident).select_related("connection")
    return keyset_page(found, field="paused_at", after=after, size=PAGE_SIZE, newest_first=True)


def newest(*, limit: int = 20) -> list[Incident]:
    """Incidents, those that go on first."""
    is_open = Case(When(ended_at=None, then=Value(0)), default=Value(1))
    return list(Incident.objects.order_by(is_open, F("opened_at").desc(), "-pk")[:limit])


def _waiting(incident: Incident) -> Sequence[Mapping[str, Any]]:
    """What is queued at the customers that pause for it, by currency."""
    found = (
        ItemCount.objects.filter(
            items__gt=0,
            state=ItemState.READY,
            connection__pauses__incident=incident,
            connection__pauses__resumed_at=None,
        )
        .order_by()
        .values("currency", "exponent")
        .annotate(n=Sum("items"), minor=Sum("amount_minor"))
    )
    return list(found)
