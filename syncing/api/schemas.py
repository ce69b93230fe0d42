"""The shapes that several operations answer with."""

import uuid
from datetime import date, datetime
from typing import Annotated, Any

from django.conf import settings
from django.urls import reverse
from ninja import Field, Path, Schema
from pydantic import StringConstraints

from connections.models import Connection
from rampbridge.lib.money import Money
from syncing.models import ItemEvent, SyncItem
from syncing.queries.items import ItemRow
from syncing.queries.words import Party, Word, event_title

Id = Annotated[int, Path(ge=1, le=2**63 - 1)]
Text = Annotated[str, StringConstraints(strip_whitespace=True, pattern=r"^[^\x00]*$")]
"""What no text of the database can hold is refused at the door."""


def address_of(name: str, *args: object) -> str:
    """The address of a page, to open in a browser."""
    return settings.PUBLIC_URL.rstrip("/") + reverse(name, args=args)


class MoneyOut(Schema):
    minor: int = Field(description="In the smallest unit of the currency.")
    currency: str = Field(description="ISO 4217 code.", examples=["USD"])
    exponent: int = Field(description="Digits behind the point.", examples=[2])
    decimal: str = Field(description="The same as people write it.", examples=["412.50"])

    @classmethod
    def of(cls, money: Money) -> "MoneyOut":
        return cls(
            minor=money.minor,
            currency=money.currency,
            exponent=money.exponent,
            decimal=f"{money.decimal:f}",
        )


class CustomerRef(Schema):
    slug: str = Field(description="As it stands in addresses and filters.")
    name: str

    @classmethod
    def of(cls, connection: Connection) -> "CustomerRef":
        return cls(slug=connection.slug, name=connection.name)


class ErrorOut(Schema):
    group: str = Field(description="The error group: the same for all items with one cause.")
    code: str
    category: str = Field(description="user_actionable, transient or needs_integrator.")
    origin: str = Field(description="data, erp, ramp or us.")
    title: str
    fix: str = Field(description="What to do about it.")
    text: str = Field(description="What the customer reads in Ramp, to the letter.")
    at: datetime | None

    @classmethod
    def of(cls, item: SyncItem) -> "ErrorOut | None":
        if not (item.error_code or item.error_title):
            return None
        return cls(
            group=item.error_fingerprint,
            code=item.error_code,
            category=item.error_category,
            origin=item.error_origin,
            title=item.error_title,
            fix=item.error_fix,
            text=item.error_text,
            at=item.error_at,
        )


class DocumentOut(Schema):
    """The document in the ERP."""

    id: str
    number: str
    url: str


class HandlingOut(Schema):
    """Who cares for an item, and how it is filed."""

    owner: str = Field(description="A user name; empty: nobody.")
    tags: list[str]
    snoozed_until: datetime | None


class ItemOut(Schema):
    """One object of Ramp on its way into the ERP."""

    id: int
    reference: str = Field(description="What people quote on the phone.", examples=["RB-7K3Q"])
    customer: CustomerRef
    type: str = Field(examples=["transaction", "bill"])
    ramp_id: uuid.UUID
    label: str = Field(description="Merchant or vendor.")
    memo: str
    person: str
    invoice_number: str
    card_last_four: str
    accounting_date: date | None
    amount: MoneyOut
    state: Word
    party: Party = Field(description="Whose move it is.")
    ready_at: datetime = Field(description="When we first learnt that it is ready.")
    state_at: datetime
    next_try_at: datetime | None
    posted_at: datetime | None
    reported_at: datetime | None = Field(description="When Ramp confirmed it.")
    document: DocumentOut | None
    error: ErrorOut | None
    handling: HandlingOut
    url: str = Field(description="Its page.")


class EventOut(Schema):
    """One line of a timeline."""

    at: datetime
    kind: str
    title: str
    text: str
    actor: str = Field(description="Empty: rampbridge itself.")


class ItemWithTimeline(ItemOut):
    timeline: list[EventOut] = Field(description="Oldest first.")


class ItemPage(Schema):
    items: list[ItemOut]
    next: str | None = Field(description="Give it as `after`; null: this is the end.")


def item_out(row: ItemRow) -> ItemOut:
    return ItemOut(**_facts(row))


def item_with_timeline(row: ItemRow, events: list[ItemEvent]) -> ItemWithTimeline:
    return ItemWithTimeline(
        **_facts(row),
        timeline=[
            EventOut(
                at=event.at,
                kind=event.kind,
                title=event_title(event.kind, row.item.object_type),
                text=event.text,
                actor=event.actor,
            )
            for event in events
        ],
    )


def _facts(row: ItemRow) -> dict[str, Any]:
    item, handling = row.item, row.handling
    same = ("ramp_id", "label", "memo", "person", "invoice_number", "card_last_four")
    times = ("accounting_date", "ready_at", "state_at", "posted_at")
    return {
        **{name: getattr(item, name) for name in (*same, *times)},
        "id": item.pk,
        "reference": item.reference,
        "customer": CustomerRef.of(item.connection),
        "type": item.object_type,
        "amount": MoneyOut.of(item.money),
        "state": row.word,
        "party": row.party,
        "next_try_at": row.next_try_at,
        "reported_at": item.acked_at,
        "document": _document(item),
        "error": ErrorOut.of(item),
        "handling": HandlingOut(
            owner=handling.owner if handling else "",
            tags=handling.tags if handling else [],
            snoozed_until=handling.snoozed_until if handling else None,
        ),
        "url": address_of("item", item.pk),
    }


def _document(item: SyncItem) -> DocumentOut | None:
    if not (item.erp_id or item.erp_number):
        return None
    return DocumentOut(id=item.erp_id, number=item.erp_number, url=item.erp_url)
