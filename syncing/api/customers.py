"""Customers: the fleet's list with the page's own filters, and one as it stands."""

from datetime import datetime
from typing import Annotated, Any

from django.http import HttpRequest
from django.utils import timezone
from ninja import Field, Query, Router, Schema

from connections.models import Connection
from rampbridge.lib.money import Money
from syncing.api.access import READ
from syncing.api.filters import NO_CURSOR, NothingThere, Paging, invalid, one_of, refuse_others
from syncing.api.schemas import CustomerRef, MoneyOut, address_of
from syncing.queries import customer_list, fleet
from syncing.queries.customer_list import BY_RISK, SORTS, FleetFilter, ListRow
from syncing.queries.health import HEALTHS, Health
from syncing.queries.words import OPEN_WORDS, Party

router = Router(tags=["Customers"])


class CustomerFilter(Schema):
    q: str = Field("", max_length=200, description="Part of the name.")
    health: Annotated[str, *one_of("", *HEALTHS)] = ""
    erp: str = Field("", max_length=60, description="The ERP as the customer calls it.")
    owner: str = Field("", max_length=150, description="A user name; `-` is nobody.")
    tag: str = Field("", max_length=40)
    party: Party | None = Field(None, description="Whose move it is.")
    has_button: bool = Field(False, description="Only those with a sync button in Ramp.")  # noqa: FBT003
    sort: Annotated[str, *one_of(*SORTS)] = BY_RISK

    def as_filter(self) -> FleetFilter:
        return FleetFilter(
            text=self.q.strip(),
            health=self.health,
            erp=self.erp,
            owner=self.owner,
            tag=self.tag,
            party=self.party or "",
            has_button=self.has_button,
        )


class HealthOut(Schema):
    word: str
    meaning: str
    severity: int = Field(description="The higher, the sooner to look.")

    @classmethod
    def of(cls, health: Health) -> "HealthOut":
        return cls(word=health.label, meaning=health.meaning, severity=health.severity)


class CustomerOut(CustomerRef):
    """Is it working, what is stuck, since when, how much, whose move."""

    erp: str
    owner: str
    tags: list[str]
    health: HealthOut
    party: Party
    oldest_at: datetime | None = Field(description="Since when its oldest open item is ready.")
    open_items: int
    words: dict[str, int] = Field(description="Open items by state.")
    unsynced: list[MoneyOut] = Field(description="What is open, per currency.")
    last_polled_at: datetime | None
    last_posted_at: datetime | None
    last_reported_at: datetime | None
    url: str


class CustomerPage(Schema):
    items: list[CustomerOut]
    next: str | None


@router.get("", auth=READ, response=CustomerPage, summary="List customers")
def list_customers(
    request: HttpRequest, chosen: Query[CustomerFilter], paging: Query[Paging]
) -> CustomerPage:
    """The one at most risk first, or in another order. As of some seconds ago."""
    refuse_others(request.GET, {**CustomerFilter.model_fields, **Paging.model_fields})
    page = customer_list.page(
        chosen.as_filter(),
        chosen.sort,
        after=paging.after,
        viewer="",
        now=timezone.now(),
        size=paging.limit,
    )
    if paging.after and page.is_first:
        raise invalid("after", NO_CURSOR)
    return CustomerPage(items=[_listed(row) for row in page.rows], next=page.next or None)


@router.get("/{slug:slug}", auth=READ, response=CustomerOut, summary="Show one customer")
def show_customer(request: HttpRequest, slug: str) -> CustomerOut:
    """As it stands this moment."""
    try:
        row, _ = fleet.customer(slug=slug, now=timezone.now())
    except Connection.DoesNotExist:
        raise NothingThere(f"There is no customer “{slug}”.") from None
    return _customer(row.connection, row.health, row.party, row.oldest_at, row.words, row.unsynced)


def _listed(row: ListRow) -> CustomerOut:
    party = Party(row.standing.party)
    return _customer(row.connection, row.health, party, row.oldest_at, row.words, row.unsynced)


def _customer(
    connection: Connection,
    health: Health,
    party: Party,
    oldest_at: datetime | None,
    words: Any,
    unsynced: Any,
) -> CustomerOut:
    schedule = getattr(connection, "schedule", None)
    sums: list[Money] = list(unsynced)
    return CustomerOut(
        slug=connection.slug,
        name=connection.name,
        erp=connection.erp_name,
        owner=connection.owner,
        tags=connection.tags,
        health=HealthOut.of(health),
        party=party,
        oldest_at=oldest_at,
        open_items=sum(words[word] for word in OPEN_WORDS),
        words={word.value: words[word] for word in OPEN_WORDS},
        unsynced=[MoneyOut.of(money) for money in sums],
        last_polled_at=schedule.last_poll_at if schedule else None,
        last_posted_at=schedule.last_posted_at if schedule else None,
        last_reported_at=schedule.last_acked_at if schedule else None,
        url=address_of("customer", connection.slug),
    )
