"""The search that leads to an item from every page, and what it offers while somebody types."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass

from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils import timezone
from django.utils.http import urlencode
from django.views.decorators.http import require_GET

from connections.models import Connection
from rampbridge.policy import Permission, allow
from syncing.models import SyncItem
from syncing.queries import search as queries
from syncing.queries.items import ItemRow

CUSTOMERS_OFFERED = 3
SHORTEST_TYPED = 2
"""Letters before anything is offered."""
OFFERED = 3
"""Items of each way that are offered while somebody types."""
MOST_OFFERED = 8


@dataclass(frozen=True, slots=True)
class Chip:
    """One way to narrow the results, or to widen them again."""

    label: str
    href: str
    is_current: bool = False


@dataclass(frozen=True, slots=True)
class Line:
    """An item as the results show it."""

    row: ItemRow

    @property
    def why(self) -> str:
        return queries.why(self.row)


@require_GET
@allow(Permission.SEE)
def search(request: HttpRequest) -> HttpResponse:
    """The page of results. What only one item can be meant by leads there at once."""
    now = timezone.now()
    text = request.GET.get("q", "").strip()[: queries.LONGEST]
    customer, object_type = _customer(request), _type(request)
    scope = queries.Scope(customer.pk if customer else None, object_type)
    found = queries.find(text, scope, now=now)
    if found.only:
        return redirect("item", pk=found.only.pk)
    return render(
        request,
        "syncing/search.html",
        {
            "section": "search",
            "now": now,
            "query": text,
            "found": found,
            "groups": [(hits, [Line(row) for row in hits.rows]) for hits in found.hits],
            "customer": customer,
            "customer_chips": _customer_chips(text, customer, object_type, found.hits),
            "type_chips": _type_chips(text, customer, object_type),
            "is_narrowed": bool(customer or object_type),
            "everywhere": _href(text),
            "tried": queries.tried(found.asked),
        },
    )


@require_GET
@allow(Permission.SEE)
def search_suggestions(request: HttpRequest) -> HttpResponse:
    """The first few results, for the list under the field."""
    now = timezone.now()
    text = request.GET.get("q", "").strip()[: queries.LONGEST]
    found = queries.find(
        text if len(text) >= SHORTEST_TYPED else "", queries.Scope(), now=now, most=OFFERED
    )
    lines = [(hits, Line(row)) for hits in found.hits for row in hits.rows]
    context = {
        "now": now,
        "query": text,
        "found": found,
        "customers": found.customers[:OFFERED],
        "lines": lines[:MOST_OFFERED],
    }
    return render(request, "syncing/_search_suggestions.html", context)


def _customer(request: HttpRequest) -> Connection | None:
    slug = request.GET.get("customer", "")
    if not slug:
        return None
    found = Connection.objects.filter(slug=slug).first()
    if found is None:
        raise Http404("no customer of that name")
    return found


def _type(request: HttpRequest) -> str:
    asked = request.GET.get("type", "")
    return asked if asked in SyncItem.ObjectType.values else ""


def _type_chips(text: str, customer: Connection | None, chosen: str) -> list[Chip]:
    slug = customer.slug if customer else ""
    chips = [Chip("All types", _href(text, slug), not chosen)]
    return chips + [
        Chip(str(label), _href(text, slug, value), value == chosen)
        for value, label in SyncItem.ObjectType.choices
    ]


def _customer_chips(
    text: str, customer: Connection | None, object_type: str, hits: Sequence[queries.Hits]
) -> list[Chip]:
    """The customer that the results are narrowed to, or those that most of them belong to."""
    if customer:
        return [
            Chip("All customers", _href(text, "", object_type)),
            Chip(customer.name, _href(text, customer.slug, object_type), is_current=True),
        ]
    of_items = [row.item.connection for group in hits for row in group.rows]
    often = Counter(of_items).most_common(CUSTOMERS_OFFERED)
    if len(set(of_items)) < 2:
        return []
    narrower = [Chip(one.name, _href(text, one.slug, object_type)) for one, _ in often]
    return [Chip("All customers", _href(text, "", object_type), is_current=True), *narrower]


def _href(text: str, customer: str = "", object_type: str = "") -> str:
    asked = {"q": text, "customer": customer, "type": object_type}
    return f"?{urlencode({name: value for name, value in asked.items() if value})}"
