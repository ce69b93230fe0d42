"""Alerts: what is open or was, and saying that somebody looks after one."""

from datetime import datetime
from typing import Annotated, Literal

from django.http import HttpRequest
from django.utils import timezone
from ninja import Field, Query, Router, Schema
from pydantic import StringConstraints

from rampbridge.lib.keyset import keyset_page
from syncing.alerts import acts
from syncing.api.access import HANDLE, READ, caller_of
from syncing.api.filters import Body, NothingThere, Paging
from syncing.api.schemas import CustomerRef, Text, address_of
from syncing.models import Alert

router = Router(tags=["Alerts"])
WHICH = {"open": True, "over": False}


class AlertPaging(Paging):
    state: Literal["open", "over"] = Field("open", description="What is wrong now, or what was.")


class AlertOut(Schema):
    """One thing that is wrong, or was."""

    id: int
    kind: str = Field(description="What was watched, such as `erp_broken`.")
    rule: str
    severity: Literal["page", "ticket", "note"]
    title: str = Field(description="What is wrong.")
    why: str = Field(description="Why it matters.")
    first_step: str = Field(description="What to do first.")
    customer: CustomerRef | None = Field(description="Null: it is about more than one.")
    value: float = Field(description="As last measured, in the unit of its kind.")
    worst: float
    opened_at: datetime
    acknowledged_at: datetime | None
    acknowledged_by: str = Field(description="Who looks after it; empty: nobody.")
    note: str
    resolved_at: datetime | None
    resolved_because: str
    url: str


class AlertPage(Schema):
    items: list[AlertOut]
    next: str | None


class AcknowledgeIn(Body):
    note: Annotated[Text, StringConstraints(max_length=300)] = Field(
        "", description="What is known or done about it."
    )


@router.get("", auth=READ, response=AlertPage, summary="List alerts")
def list_alerts(request: HttpRequest, paging: Query[AlertPaging]) -> AlertPage:
    """What is open, the newest first; or what is over, the last that ended first."""
    is_open = WHICH[paging.state]
    page = keyset_page(
        Alert.objects.filter(resolved_at__isnull=is_open).select_related("rule", "connection"),
        field="opened_at" if is_open else "resolved_at",
        after=paging.cursor(),
        size=paging.limit,
        newest_first=True,
    )
    return AlertPage(
        items=[_out(one) for one in page.rows], next=str(page.next) if page.next else None
    )


@router.get("/{int:pk}", auth=READ, response=AlertOut, summary="Show one alert")
def show_alert(request: HttpRequest, pk: int) -> AlertOut:
    return _out(_alert(pk))


@router.post("/{int:pk}/acknowledge", auth=HANDLE, response=AlertOut, summary="Look after an alert")
def acknowledge(request: HttpRequest, pk: int, body: AcknowledgeIn) -> AlertOut:
    """Say that the key's owner looks after it. It stays open until what is wrong is over."""
    alert = _alert(pk)
    acts.acknowledge(
        alert=alert, actor=caller_of(request).actor, now=timezone.now(), note=body.note
    )
    return _out(_alert(pk))


def _alert(pk: int) -> Alert:
    found = Alert.objects.select_related("rule", "connection").filter(pk=pk).first()
    if found is None:
        raise NothingThere("There is no such alert. GET /api/v1/alerts lists them.")
    return found


def _out(alert: Alert) -> AlertOut:
    same = (
        "id", "severity", "title", "why", "first_step", "value", "worst", "opened_at",
        "acknowledged_at", "acknowledged_by", "note", "resolved_at", "resolved_because",
    )  # fmt: skip
    return AlertOut(
        **{name: getattr(alert, name) for name in same},
        kind=alert.rule.kind,
        rule=alert.rule.name,
        customer=CustomerRef.of(alert.connection) if alert.connection else None,
        url=address_of("alert", alert.pk),
    )
