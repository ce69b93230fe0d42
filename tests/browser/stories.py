"""Whole worlds for pages: nobody yet, an ordinary day, and names as long as they come."""

import itertools
import random
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID, uuid4

from django.db import connection as database

from connections.models import Connection, Entity
from syncing.fleet.keeping import keep_up
from syncing.models import (
    AckBatch,
    BacklogSample,
    ErrorGroup,
    FlowBucket,
    FlowEntry,
    Incident,
    ItemEvent,
    ItemPayload,
    LatencyBucket,
    Ruling,
    SampleRound,
    SyncItem,
    SyncRequest,
)
from syncing.states import ItemState
from tests.browser import alert_stories, engine, every_type, migration_stories
from tests.factories import (
    LONG_NAME,
    AckBatchFactory,
    ConnectionFactory,
    CustomFieldFactory,
    EntityFactory,
    FieldOptionFactory,
    LedgerAccountFactory,
    ScheduleFactory,
    SyncItemFactory,
    VendorFactory,
    document_json,
    now,
    transaction_json,
)

Kind = ItemEvent.Kind


@dataclass(frozen=True)
class Plot:
    """What an item is to be like, and how its story ends: a key of `_TRAITS`."""

    connection: Connection
    story: str
    shape: Mapping[str, object]
    ready_at: datetime


@dataclass(frozen=True)
class Business:
    slug: str
    name: str
    currency: str
    exponent: int
    time_zone: str
    merchants: tuple[str, ...]


BUSINESSES = (
    Business("harbor-coffee", "Harbor Coffee Roasters", "USD", 2, "America/New_York",
             ("Cafe Imports", "Ecolab", "Toast", "Uline", "United Airlines")),
    Business("northwind-robotics", "Northwind Robotics", "USD", 2, "America/Los_Angeles",
             ("Amazon Web Services", "GitHub", "Digi-Key", "McMaster-Carr", "Figma")),
    Business("atelier-lumiere", "Atelier Lumière", "EUR", 2, "Europe/Paris",
             ("Rougier & Plé", "SNCF Connect", "Adobe", "La Poste")),
    Business("sakura-foods", "Sakura Foods 株式会社", "JPY", 0, "Asia/Tokyo",
             ("JR East", "Yamato Transport", "Rakuten", "Tsukiji Uoshige")),
    Business("pennine-outdoor", "Pennine Outdoor Ltd", "GBP", 2, "Europe/London",
             ("Royal Mail", "Trainline", "Meta Ads", "Screwfix")),
    Business("blue-mesa-solar", "Blue Mesa Solar", "USD", 2, "America/Denver",
             ("Home Depot", "Shell", "Autodesk", "Hertz")),
    Business("verde-clinics", "Verde Clinics", "USD", 2, "America/Chicago",
             ("Henry Schein", "Zoom", "Doximity", "Staples")),
)  # fmt: skip

PEOPLE = ("Maya Okafor", "Tomás Rivera", "Hannah Weiss", "Kenji Mori", "Priya Nair", "Owen Clarke")
MEMOS = ("", "", "Quarterly licence", "Client visit", "Spare parts for line 2", "Team offsite")


def ordinary_day() -> list[Connection]:
    """Seven customers: most work, one is blocked, one is paused, and every state occurs."""
    dice = random.Random(7)
    connections = [_customer(business) for business in BUSINESSES]
    plots = [
        plot
        for business, connection in zip(BUSINESSES, connections, strict=True)
        for plot in _traffic(business, connection, dice, days=1.0)
    ]
    make_items([*plots, *_problems(connections, dice)])
    _troubles(connections)
    keep_up(now=now())
    return connections


def busy_engine() -> Connection:
    """One customer at which everything happens at once that the engine can do by itself."""
    northwind = BUSINESSES[1]
    connection = _customer(northwind)
    Connection.objects.filter(pk=connection.pk).update(button_types=["transaction"])
    every_type.add(connection)
    engine.add(connection)
    keep_up(now=now())
    return connection


def long_names() -> Connection:
    """One customer whose every name is as long as the database takes."""
    connection = ConnectionFactory.create(
        slug="long", name=LONG_NAME, erp_name="Microsoft Dynamics 365 Business Central (on-prem)"
    )
    ScheduleFactory.create(connection=connection)
    EntityFactory.create(connection=connection, name=LONG_NAME)
    shape = {"label": LONG_NAME, "person": LONG_NAME[:80], "amount_minor": 987_654_321_098_76}
    make_item(connection, "failed", shape | {"error_title": f"{LONG_NAME} is inactive."[:300]})
    make_item(connection, "done", shape | {"erp_number": "JRN/2026/11/" + "0" * 40 + "1234"})
    make_item(connection, "uncertain", shape)
    engine.add(connection, name=LONG_NAME)
    keep_up(now=now())
    return connection


def forget() -> None:
    """Remove all customers with everything that is theirs."""
    migration_stories.forget()
    alert_stories.forget()
    with database.cursor() as cursor:  # nobody can delete what a month was closed with
        cursor.execute("TRUNCATE syncing_closesnapshot CASCADE")
    SyncItem.objects.all().delete()
    ErrorGroup.objects.all().delete()
    Incident.objects.all().delete()
    Ruling.objects.all().delete()
    AckBatch.objects.all().delete()
    SyncRequest.objects.all().delete()
    Connection.objects.all().delete()
    for kept in (FlowEntry, FlowBucket, LatencyBucket, BacklogSample, SampleRound):
        kept.objects.all().delete()


def _customer(business: Business) -> Connection:
    connection = ConnectionFactory.create(
        slug=business.slug, name=business.name, time_zone=business.time_zone, owner="hannah"
    )
    ScheduleFactory.create(connection=connection)
    EntityFactory.create(
        connection=connection, name=f"{business.name} HQ", currency=business.currency
    )
    for erp_id, name, kind in (
        ("6100", "Travel", "EXPENSE"),
        ("6200", "Software", "EXPENSE"),
        ("6300", "Meals", "EXPENSE"),
        ("2150", "Ramp card clearing", "LIABILITY"),
    ):
        LedgerAccountFactory.create(
            connection=connection, erp_id=erp_id, code=erp_id, name=name, classification=kind
        )
    department = CustomFieldFactory.create(connection=connection)
    FieldOptionFactory.create(field=department, erp_id="eng", code="ENG", name="Engineering")
    FieldOptionFactory.create(
        field=department, erp_id="sal", code="SAL", name="Sales", ramp_id=None
    )
    VendorFactory.create(connection=connection, name=business.merchants[0])
    return connection


def _traffic(
    business: Business, connection: Connection, dice: random.Random, *, days: float
) -> Iterator[Plot]:
    for _ in range(dice.randint(18, 34)):
        ready_at = now() - timedelta(hours=24 * days * dice.random() ** 1.6, minutes=1)
        yield Plot(connection, "done", _shape(business, dice), ready_at)
    for story in ("queued", "working", "telling"):
        for _ in range(dice.randint(0, 3)):
            shape = _shape(business, dice)
            yield Plot(connection, story, shape, now() - timedelta(seconds=dice.randint(4, 90)))


def _problems(connections: list[Connection], dice: random.Random) -> Iterator[Plot]:
    plan: dict[str, list[str]] = {
        "northwind-robotics": ["failed"] * 3 + ["uncertain", "external"],
        "harbor-coffee": ["retrying"] * 2 + ["withdrawn"],
        "atelier-lumiere": ["broken", "failed"],
        "sakura-foods": ["review"],
        "pennine-outdoor": ["failed"],
        "verde-clinics": ["queued"] * 9 + ["mismatch"],
    }
    by_slug = {connection.slug: connection for connection in connections}
    for business in BUSINESSES:
        for story in plan.get(business.slug, []):
            ready_at = now() - timedelta(minutes=dice.randint(20, 60 * 9))
            yield Plot(by_slug[business.slug], story, _shape(business, dice), ready_at)


def _troubles(connections: list[Connection]) -> None:
    by_slug = {connection.slug: connection for connection in connections}
    blocked = by_slug["verde-clinics"].schedule
    blocked.blocked_at = now() - timedelta(hours=5)
    blocked.blocked_side = "erp"
    blocked.blocked_code = "erp.auth_expired"
    blocked.blocked_title = "Tryton no longer accepts the sign-in of this customer."
    blocked.blocked_fix = "Ask the customer to connect Tryton again, or enter a new password."
    blocked.last_posted_at = now() - timedelta(hours=5)
    blocked.last_acked_at = now() - timedelta(hours=5)
    blocked.resume_at = now() + timedelta(minutes=7)
    blocked.save()
    paused = by_slug["blue-mesa-solar"]
    paused.stage = Connection.Stage.PAUSED
    paused.paused_reason = "Year-end audit until Monday, asked for by the controller."
    paused.save()
    silent = by_slug["harbor-coffee"].schedule
    silent.resume_at = now() + timedelta(minutes=3)
    silent.erp_failures = 4
    silent.save()


def _shape(business: Business, dice: random.Random) -> dict[str, object]:
    scale = 100 if business.exponent else 1
    refund = -1 if dice.random() < 0.06 else 1
    return {
        "label": dice.choice(business.merchants),
        "person": dice.choice(PEOPLE),
        "memo": dice.choice(MEMOS),
        "currency": business.currency,
        "exponent": business.exponent,
        "amount_minor": refund
        * int(dice.lognormvariate(4.6, 1.1) * scale * (1 if scale > 1 else 90)),
    }


_numbers = itertools.count(10_400)


_TRAITS: Mapping[str, Mapping[str, Any]] = {
    "queued": {},
    "retrying": {"retrying": True},
    "working": {"posting": True},
    "uncertain": {"lapsed": True},
    "review": {"state": ItemState.REVIEW, "error_title": "No answer, and nothing to ask."},
    "telling": {"posted": True},
    "done": {"acked": True},
    "failed": {"failed": True},
    "broken": {"broken": True},
    "mismatch": {
        "posted": True,
        "state": ItemState.MISMATCH,
        "error_title": "Ramp does not accept the report of a booked item.",
    },
    "external": {"state": ItemState.EXTERNAL},
    "withdrawn": {"state": ItemState.WITHDRAWN},
}


def make_item(
    connection: Connection,
    story: str,
    shape: Mapping[str, object] | None = None,
    *,
    ready_at: datetime | None = None,
) -> SyncItem:
    """One item with its payload and the timeline that leads where the story ends."""
    plot = Plot(connection, story, shape or {}, ready_at or now() - timedelta(minutes=30))
    return make_items([plot])[0]


def make_items(plots: Sequence[Plot]) -> list[SyncItem]:
    """The same for many, with a few statements for all of them."""
    entities = _first_entities({plot.connection.pk for plot in plots})
    items = [_item(plot, entities.get(plot.connection.pk)) for plot in plots]
    AckBatch.objects.bulk_create([item.ack_batch for item in items if item.ack_batch])
    SyncItem.objects.bulk_create(items)
    told = list(zip(items, plots, strict=True))
    ItemPayload.objects.bulk_create([_payload(item, plot.story) for item, plot in told])
    ItemEvent.objects.bulk_create(
        [event for item, plot in told for event in _events(item, plot.story)]
    )
    return items


def _first_entities(connections: set[UUID]) -> dict[UUID, UUID]:
    found = Entity.objects.filter(connection__in=connections)
    latest_first = found.order_by("-pk").values_list("connection", "ramp_id")
    return dict(latest_first)


def _item(plot: Plot, entity: UUID | None) -> SyncItem:
    number = next(_numbers)
    values: dict[str, Any] = {}
    if plot.story in ("done", "telling", "mismatch"):
        values["erp_number"] = f"RAMP-{number}"
    if plot.story == "done":
        values["ack_batch"] = AckBatchFactory.build(connection=plot.connection)
    return SyncItemFactory.build(
        connection=plot.connection,
        ready_at=plot.ready_at,
        entity_ramp_id=entity,
        erp_ref=f"ramp-{plot.connection.slug}-journal-{uuid4()}",
        **{**_TRAITS[plot.story], **values, **plot.shape},
    )


def _payload(item: SyncItem, story: str) -> ItemPayload:
    has_document = story not in ("queued", "external", "withdrawn")
    return ItemPayload(
        item=item,
        ramp=transaction_json(item),
        document=document_json(item) if has_document else None,
    )


def _events(item: SyncItem, story: str) -> Iterator[ItemEvent]:
    at = item.ready_at

    def event(kind: str, after: float, text: str = "", **data: object) -> ItemEvent:
        nonlocal at
        at += timedelta(seconds=after)
        return ItemEvent(item=item, at=at, kind=kind, text=text, data=data)

    yield event(Kind.READY, 0)
    if story in ("queued", "external", "withdrawn"):
        if story != "queued":
            yield event(story, 40)
        return
    yield event(Kind.SENT, 1.2, attempt=1)
    if story == "retrying":
        yield event(Kind.RETRYING, 5, item.error_title, code=item.error_code, attempt=1)
        yield event(Kind.SENT, 60, attempt=2)
        yield event(Kind.RETRYING, 5, item.error_title, code=item.error_code, next=str(item.due_at))
    if story in ("failed", "broken"):
        yield event(Kind.REFUSED, 0.8, f"{item.error_title} {item.error_fix}".strip(),
                    code=item.error_code, category=item.error_category)  # fmt: skip
        yield event(Kind.FAILURE_TOLD, 14)
    if story in ("uncertain", "review"):
        yield event(Kind.UNCERTAIN, 30, detail="No answer within 30 s")
    if story == "review":
        yield event(Kind.HELD, 120, "Nobody can say whether the ERP has it.")
    if story in ("done", "telling", "mismatch"):
        yield event(Kind.POSTED, 0.7, number=item.erp_number)
    if story == "done":
        yield event(Kind.REPORTED, 9, sync_id=item.ack_batch.sync_id if item.ack_batch else "")
    if story == "mismatch":
        yield event(Kind.REPORT_REFUSED, 9, "Ramp says this transaction is not ready to sync.")
