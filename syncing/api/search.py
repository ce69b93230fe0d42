"""Search: items by whatever somebody has in hand, and customers by name."""

from django.db.models import prefetch_related_objects
from django.http import HttpRequest
from django.utils import timezone
from ninja import Field, Query, Router, Schema

from syncing.api.access import READ
from syncing.api.filters import chosen_customer, refuse_others
from syncing.api.schemas import CustomerRef, ItemOut, item_out
from syncing.models import SyncItem
from syncing.queries import items as item_queries
from syncing.queries import search as search_queries
from syncing.queries.search import Scope

router = Router(tags=["Search"])


class HitsOut(Schema):
    """Items found in one way."""

    title: str = Field(description="In which.", examples=["Ramp id", "Merchant or vendor"])
    is_exact: bool
    is_more: bool = Field(description="Whether there are more than are shown.")
    items: list[ItemOut]


class ErrorRef(Schema):
    group: str
    code: str
    title: str


class SearchOut(Schema):
    groups: list[HitsOut] = Field(description="The surest first; each item once.")
    customers: list[CustomerRef]
    errors: list[ErrorRef]


class Question(Schema):
    q: str = Field(
        min_length=1,
        max_length=200,
        description="A Ramp id, the ERP's number, our reference (RB-…), an invoice number, a"
        " merchant, memo or person, an amount, a date, the last four digits of a card; or some of"
        " them together.",
    )
    customer: str = Field("", max_length=80, description="Only of this customer.")
    type: SyncItem.ObjectType | None = Field(None, description="Only of this type.")


@router.get("", auth=READ, response=SearchOut, summary="Search")
def search(request: HttpRequest, asked: Query[Question]) -> SearchOut:
    """As the search field of the pages finds it."""
    refuse_others(request.GET, Question.model_fields)
    now, customer = timezone.now(), chosen_customer(asked.customer)
    scope = Scope(customer.pk if customer else None, asked.type or "")
    found = search_queries.find(asked.q, scope, now=now)
    items = [row.item for hits in found.hits for row in hits.rows]
    prefetch_related_objects(items, "handling")
    return SearchOut(
        groups=[
            HitsOut(
                title=hits.title,
                is_exact=hits.is_exact,
                is_more=hits.is_more,
                items=[
                    item_out(row) for row in item_queries.rows([row.item for row in hits.rows], now)
                ],
            )
            for hits in found.hits
        ],
        customers=[CustomerRef.of(one) for one in found.customers],
        errors=[
            ErrorRef(group=one.fingerprint, code=one.code, title=one.title) for one in found.errors
        ],
    )
