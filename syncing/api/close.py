"""Closing months: the board with the page's own filters, one customer's months, and snapshots."""

import uuid
from datetime import date, datetime
from typing import Any, Literal

from django.http import HttpRequest
from django.utils import timezone
from ninja import Field, Query, Router, Schema, Status

from rampbridge.lib.keyset import keyset_page
from rampbridge.lib.money import Money
from syncing.api.access import HANDLE, READ, caller_of
from syncing.api.filters import (
    NO_CURSOR,
    Body,
    NothingThere,
    Paging,
    check,
    customer_named,
    invalid,
    parameters,
    refuse_others,
)
from syncing.api.schemas import CustomerRef, MoneyOut, Text, address_of
from syncing.close_forms import BoardFilterForm
from syncing.closing import snapshots
from syncing.models import CloseSnapshot, PeriodStanding
from syncing.queries import close_board
from syncing.queries.close_board import BoardRow
from syncing.queries.close_facts import Part

router = Router(tags=["Close"])

WORDS = {
    "period": "The month, such as 2026-10, of the last thirteen. Empty: the one that ended last.",
    "q": "Part of the customer's name.",
    "erp": "The ERP as the customer calls it.",
    "owner": "Who looks after the customer: a user name; `-` is nobody.",
    "state": "How the month stands.",
}
_MONTH = {"type": "string", "pattern": r"^$|^2\d{3}-(0[1-9]|1[0-2])$", "format": "month"}
FILTERS: list[dict[str, Any]] = [
    {**one, "schema": _MONTH} if one["name"] == "period" else one
    for one in parameters(BoardFilterForm({}, today=date(2026, 1, 1)), WORDS)
]
State = Literal["red", "flagged", "open", "ready", "clean"]


class PartOut(Schema):
    """What of a month stands where, per entity and currency."""

    entity: uuid.UUID | None = Field(description="Ramp's id; null: of no entity.")
    standing: PeriodStanding = Field(description="Whose move it is; `moving` goes by itself.")
    items: int
    amount: MoneyOut

    @classmethod
    def of(cls, part: Part) -> "PartOut":
        return cls(
            entity=None if part.is_of_no_entity else part.entity_id,
            standing=PeriodStanding(part.standing),
            items=part.items,
            amount=MoneyOut.of(part.money),
        )


class ForecastOut(Schema):
    """What becomes of it if nobody does anything else."""

    outlook: str
    text: str
    clean_at: datetime | None

    @classmethod
    def of(cls, row: BoardRow) -> "ForecastOut | None":
        if row.forecast is None:
            return None
        told = row.forecast
        return cls(outlook=told.outlook.value, text=told.text, clean_at=told.clean_at)


class MonthOut(Schema):
    """One customer's month."""

    customer: CustomerRef
    period: str = Field(description="The month.", examples=["2026-10"])
    state: State
    unsynced: int
    done: int
    unsynced_amounts: list[MoneyOut] = Field(description="Per currency, never added up.")
    parts: list[PartOut]
    close_on: date = Field(description="The customer's close day.")
    close_at: datetime = Field(description="Its end where the customer is.")
    bills_due: int = Field(description="Unsynced bills that must be paid within a week, or had to.")
    first_bill_due: date | None
    second_person_asked: bool
    forecast: ForecastOut | None
    url: str

    @classmethod
    def of(cls, row: BoardRow) -> "MonthOut":
        return cls(
            customer=CustomerRef(slug=row.slug, name=row.name),
            period=row.month,
            state=row.state,  # type: ignore[arg-type]  # the keys of STATES
            unsynced=row.unsynced,
            done=row.done,
            unsynced_amounts=[MoneyOut.of(money) for money in row.sums],
            parts=[PartOut.of(part) for part in row.parts],
            close_on=row.close_on,
            close_at=row.close_at,
            bills_due=row.bills_due,
            first_bill_due=row.payable_on,
            second_person_asked=row.is_asked,
            forecast=ForecastOut.of(row),
            url=address_of("close_month", row.slug, row.month),
        )


class BoardOut(Schema):
    items: list[MonthOut]
    next: str | None


class FrozenOut(Schema):
    """A figure of a snapshot."""

    entity: str = Field(description="Ramp's id; empty: of all of them.")
    standing: str
    items: int
    amount: MoneyOut


class SnapshotOut(Schema):
    """Figures as of a moment, which nobody can change."""

    name: str = Field(examples=["SN-7K3Q-20261122"])
    kind: Literal["period", "board", "statement"]
    customer: CustomerRef | None
    period: str | None
    entity: uuid.UUID | None
    filters: dict[str, str]
    taken_at: datetime
    taken_by: str
    items: int
    checksum: str = Field(description="SHA-256 over what the figures are of.")
    figures: list[FrozenOut]
    url: str

    @classmethod
    def of(cls, snapshot: CloseSnapshot) -> "SnapshotOut":
        return cls(
            name=snapshot.name,
            kind=snapshot.kind,  # type: ignore[arg-type]  # the choices of the column
            customer=CustomerRef.of(snapshot.connection) if snapshot.connection else None,
            period=f"{snapshot.period:%Y-%m}" if snapshot.period else None,
            entity=snapshot.entity_ramp_id,
            filters=snapshot.filters,
            taken_at=snapshot.taken_at,
            taken_by=snapshot.taken_by,
            items=snapshot.items,
            checksum=snapshot.checksum,
            figures=[
                FrozenOut(
                    entity=entity,
                    standing=standing,
                    items=items,
                    amount=MoneyOut.of(Money(minor, currency, exponent)),
                )
                for entity, standing, currency, exponent, items, minor in snapshot.figures["parts"]
            ],
            url=address_of("close_snapshot", snapshot.name),
        )


class SnapshotPage(Schema):
    items: list[SnapshotOut]
    next: str | None


class SnapshotFilter(Schema):
    customer: str = Field("", max_length=80, description="By its name in addresses.")


class SnapshotIn(Body):
    """Of which customer's month a snapshot is to be taken."""

    customer: Text = Field(description="Its name in addresses.")
    period: str = Field(pattern=r"^2\d{3}-(0[1-9]|1[0-2])$", examples=["2026-10"])
    entity: uuid.UUID | None = Field(None, description="Ramp's id; null: all entities.")


@router.get(
    "",
    auth=READ,
    response=BoardOut,
    summary="Show the close board",
    openapi_extra={"parameters": FILTERS},
)
def show_board(request: HttpRequest, paging: Query[Paging]) -> BoardOut:
    """One month of all customers, the worst first."""
    now = timezone.now()
    form = BoardFilterForm(request.GET, today=now.date())
    check(form, request.GET, also=Paging.model_fields)
    page = close_board.page(form.as_filter(), after=paging.after, now=now, size=paging.limit)
    if paging.after and page.is_first:
        raise invalid("after", NO_CURSOR)
    return BoardOut(items=[MonthOut.of(row) for row in page.rows], next=page.next or None)


@router.get("/snapshots", auth=READ, response=SnapshotPage, summary="List snapshots")
def list_snapshots(
    request: HttpRequest, chosen: Query[SnapshotFilter], paging: Query[Paging]
) -> SnapshotPage:
    """The newest first."""
    refuse_others(request.GET, {**SnapshotFilter.model_fields, **Paging.model_fields})
    found = CloseSnapshot.objects.select_related("connection")
    if chosen.customer:
        found = found.filter(connection=customer_named(chosen.customer))
    page = keyset_page(
        found, field="taken_at", after=paging.cursor(), size=paging.limit, newest_first=True
    )
    return SnapshotPage(
        items=[SnapshotOut.of(one) for one in page.rows],
        next=str(page.next) if page.next else None,
    )


@router.post("/snapshots", auth=HANDLE, response={201: SnapshotOut}, summary="Take a snapshot")
def take_snapshot(request: HttpRequest, body: SnapshotIn) -> Status[SnapshotOut]:
    """Freeze a customer's month as it stands."""
    made = snapshots.take_of_period(
        connection=customer_named(body.customer),
        period=date.fromisoformat(f"{body.period}-01"),
        entity_id=body.entity,
        actor=caller_of(request).actor,
    )
    return Status(201, SnapshotOut.of(made))


@router.get("/snapshots/{name}", auth=READ, response=SnapshotOut, summary="Show one snapshot")
def show_snapshot(request: HttpRequest, name: str) -> SnapshotOut:
    """By the name that files carry."""
    found = snapshots.named(name)
    if found is None:
        raise NothingThere("There is no such snapshot. GET /api/v1/close/snapshots lists them.")
    return SnapshotOut.of(found)


@router.get(
    "/months/{slug:slug}", auth=READ, response=list[MonthOut], summary="Show a customer's months"
)
def show_months(request: HttpRequest, slug: str) -> list[MonthOut]:
    """Those of the last thirteen that anything is in, the newest first."""
    rows = close_board.of_customer(customer_named(slug).pk, now=timezone.now())
    return [MonthOut.of(row) for row in rows]
