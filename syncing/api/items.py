"""Items: the list with the page's own filters, and one with its timeline."""

from collections.abc import Collection

from django.http import HttpRequest, QueryDict
from django.utils import timezone
from ninja import Query, Router

from syncing.api.access import READ, caller_of
from syncing.api.filters import NothingThere, Paging, check, chosen_customer, parameters
from syncing.api.schemas import Id, ItemPage, ItemWithTimeline, item_out, item_with_timeline
from syncing.forms import ItemFilterForm
from syncing.models import SyncItem
from syncing.queries import comparisons
from syncing.queries import items as item_queries
from syncing.queries.items import ItemFilter, ItemRow

router = Router(tags=["Items"])

WORDS = {
    "state": "Where items stand. Empty or `open`: everything that is not through; `all`: every item"
    " there ever was.",
    "customer": "The customer, by its name in addresses.",
    "type": "The type of object in Ramp.",
    "cause": "The error group: all items with one cause.",
    "error": "The code of the error.",
    "waits": "What they wait for, as the page's links name it.",
    "press": "The press of the sync button that asked for them.",
    "found": "What a comparison has found, as the page's links name it.",
    "q": "How the name of the merchant or vendor begins.",
    "owner": "Who cares for them: a user name, `me` for the key's owner, or `nobody`.",
    "tag": "A tag they are filed under.",
    "snoozed": "Items that somebody has put off: left out of open lists, `shown`, or `only` they.",
    "dated_from": "Earliest accounting date.",
    "dated_to": "Latest accounting date.",
    "least": "Smallest amount, in whole units of each item's currency.",
    "most": "Largest amount.",
    "entity": "Ramp's id of the entity.",
    "period": "The month they are booked in, such as 2026-10, as the close board counts them.",
    "card": "Last four digits of the card.",
    "invoice": "How the invoice number begins.",
    "category": "Whose error it is, as the error desk has it.",
    "party": "Whose move it is.",
    "currency": "The currency, such as `USD`.",
    "erp": "The name of the customer's ERP.",
    "customer_owner": "Who looks after the customer: a user name.",
    "ready_from": "Became ready at this moment or later.",
    "ready_to": "Became ready before this moment.",
    "done_from": "Done, and confirmed by Ramp at this moment or later.",
    "done_to": "Done, and confirmed by Ramp before this moment.",
    "failed_from": "Failed at this moment or later, and not tried again since.",
    "failed_to": "Failed before this moment, and not tried again since.",
    "tries": "Whether they went through at the `first` try, or only `again`.",
}
FILTERS = parameters(ItemFilterForm({}), WORDS)


@router.get(
    "", auth=READ, response=ItemPage, summary="List items", openapi_extra={"parameters": FILTERS}
)
def list_items(request: HttpRequest, paging: Query[Paging]) -> ItemPage:
    """What is open comes by how long it waits, the longest first; everything else newest first.
    The filters are those of the items page, so an address that works there works here.
    """
    now = timezone.now()
    page = item_queries.page_of_items(
        filter_of(request), after=paging.cursor(), now=now, size=paging.limit
    )
    return ItemPage(
        items=[item_out(row) for row in item_queries.rows(page.rows, now)],
        next=str(page.next) if page.next else None,
    )


@router.get("/{id}", auth=READ, response=ItemWithTimeline, summary="Show one item")
def show_item(request: HttpRequest, id: Id) -> ItemWithTimeline:  # noqa: A002  as in the address
    """Where it stands, what is wrong, and everything that has happened to it."""
    row = one_row(id)
    return item_with_timeline(row, item_queries.timeline(row.item))


def one_row(pk: int) -> ItemRow:
    """One item as it stands now.

    :raises NothingThere: if there is none
    """
    found = item_queries.with_handling(SyncItem.objects.filter(pk=pk)).first()
    if found is None:
        raise NothingThere(f"There is no item {pk}.")
    [row] = item_queries.rows([found], timezone.now())
    return row


def filter_of(request: HttpRequest) -> ItemFilter:
    """What the parameters of a list narrow it to.

    :raises Invalid: if one is unknown or makes no sense
    :raises NothingThere: if there is no such customer or finding
    """
    return filter_in(request.GET, caller_of(request).actor, also=Paging.model_fields)


def filter_in(given: QueryDict, me: str, *, also: Collection[str] = ()) -> ItemFilter:
    """As `filter_of`, of any query.

    :param also: names that are no filters, and allowed all the same
    """
    form = ItemFilterForm(given, me=me)
    check(form, given, also)
    customer = chosen_customer(form.value("customer"))
    found = comparisons.found_items(form.value("found"))
    if form.value("found") and found is None:
        raise NothingThere("Nothing was found by that name.")
    return form.as_filter(customer.pk if customer else None, among=found.where if found else None)
