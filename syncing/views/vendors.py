"""Vendors of one customer: who is linked to nobody, who looks alike, what waits for people.

Nothing here calls Ramp or the ERP: what people decide is a row, and the page shows what came of it.
"""

import uuid
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils import timezone
from django.views.decorators.http import require_GET

from connections.models import Connection, Mirror, RampVendor, VendorChange
from connections.vendor_book import candidates, changes, creations, duplicates, ownership, queries
from connections.vendor_book.duplicates import Sharing
from connections.vendor_book.links import Pair
from rampbridge.lib.htmx import HtmxHttpRequest, page_or_partial
from rampbridge.policy import Permission, allow, can
from syncing.views import vendor_picks
from syncing.views.customer_acts import open_customer
from syncing.views.vendor_looks import ChangeRow, Suggestion, UnlinkedRow, look_of_vendor

UNPROCESSABLE = 422
CHANGES_SHOWN = 100
DECIDED_SHOWN = 20

TABS = {
    "unlinked": "Unlinked",
    "all": "All",
    "duplicates": "Duplicates",
    "changes": "Changes to check",
    "conflicts": "Conflicts",
}
_SHARINGS = {
    Sharing.NAME: "Name",
    Sharing.TAX_ID: "Tax id",
    Sharing.BANK: "Bank account",
    Sharing.CODE: "Code",
}


@dataclass(frozen=True, slots=True)
class Tab:
    """One way to look at the vendors."""

    name: str
    label: str
    count: str
    is_current: bool


@require_GET
@allow(Permission.SEE)
def vendors(request: HtmxHttpRequest, slug: str) -> HttpResponse:
    connection = open_customer(slug)
    tab = request.GET.get("tab", "")
    if tab not in TABS:
        tab = "unlinked"
    context = {**frame(request, connection, tab), **_CONTEXTS[tab](request, connection)}
    template = page_or_partial(request, "vendors/vendors.html", "vendors/_vendors.html")
    return render(request, template, context)


def frame(request: HttpRequest, connection: Connection, tab: str) -> dict[str, Any]:
    """What every tab shows around its list."""
    counted = queries.counts(connection.pk)
    numbers = {"unlinked": counted.unlinked, "changes": counted.changes}
    return {
        "section": "customers",
        "tab": "vendors",
        "now": timezone.now(),
        "connection": connection,
        "may_link": can(request.user, Permission.LINK_VENDORS),
        "shown_tab": tab,
        "part": f"vendors/_{tab}.html",
        "tabs": [
            Tab(name, label, _at_most(numbers[name]) if name in numbers else "", name == tab)
            for name, label in TABS.items()
        ],
        "links_under_way": counted.kept_links,
        "sought": request.GET.get("q", "").strip()[:100],
    }


def unlinked_rows(
    connection: Connection, page: Sequence[RampVendor], picked: Sequence[Pair] = ()
) -> list[UnlinkedRow]:
    """Vendors of Ramp with what they may be. Three statements."""
    suggested = candidates.candidates(connection.pk, page)
    links = queries.wanted_links(page)
    chosen = {pair.ramp_vendor for pair in picked}
    return [
        UnlinkedRow(
            vendor=vendor,
            suggestions=[
                Suggestion(one, Pair(vendor.pk, one.erp_id)) for one in suggested.get(vendor.pk, ())
            ],
            link=links.get(vendor.pk),
            is_picked=vendor.pk in chosen,
        )
        for vendor in page
    ]


def change_rows(
    connection_id: uuid.UUID, found: Sequence[VendorChange], reader: str
) -> list[ChangeRow]:
    """Changes with their vendors. One statement."""
    named = queries.vendors_named(connection_id, [one.vendor_erp_id for one in found])
    return [
        ChangeRow(
            change=one,
            vendor=named.get(one.vendor_erp_id),
            is_mine=one.checked_by.casefold() == reader.casefold(),
        )
        for one in found
    ]


def _unlinked(request: HttpRequest, connection: Connection) -> dict[str, Any]:
    picked = vendor_picks.picks(request, connection.pk)
    page = queries.unlinked(
        connection.pk,
        text=request.GET.get("q", "").strip()[:100],
        after=request.GET.get("after", ""),
    )
    read = Mirror.objects.filter(connection=connection).values_list("last_verified_at", flat=True)
    return {
        "page": page,
        "rows": unlinked_rows(connection, page.rows, picked),
        "exact": len(candidates.exact_matches(connection.pk)),
        "picked": vendor_picks.summary(connection, picked),
        "read_at": read.first(),
    }


def _all(request: HttpRequest, connection: Connection) -> dict[str, Any]:
    text = request.GET.get("q", "").strip()[:100]
    page = queries.search(connection.pk, text=text, after=request.GET.get("after", ""))
    linked = queries.linked_to(connection.pk, [vendor.erp_id for vendor in page.rows])
    return {
        "page": page,
        "rows": [
            (vendor, look_of_vendor(vendor), linked.get(vendor.erp_id, ())) for vendor in page.rows
        ],
        "only_in_ramp": queries.only_in_ramp(connection.pk, text) if text and page.is_first else [],
    }


def _duplicates(request: HttpRequest, connection: Connection) -> dict[str, Any]:
    asked = request.GET.get("by", "")
    sharing = next((one for one in Sharing if one.value == asked), Sharing.NAME)
    page = duplicates.clusters(connection.pk, sharing, after=request.GET.get("after", ""))
    members = [vendor.erp_id for cluster in page.clusters for vendor in cluster.vendors]
    linked = queries.linked_to(connection.pk, members)
    return {
        "sharing": sharing,
        "sharings": list(_SHARINGS.items()),
        "page": page,
        "is_first": not request.GET.get("after"),
        "groups": [
            (cluster, [(vendor, linked.get(vendor.erp_id, ())) for vendor in cluster.vendors])
            for cluster in page.clusters
        ],
    }


def _changes(request: HttpRequest, connection: Connection) -> dict[str, Any]:
    reader = request.user.get_username()
    decided = (
        VendorChange.objects.filter(connection=connection, state__in=("accepted", "rejected"))
        .exclude(decided_by="")
        .order_by("-decided_at", "pk")[:DECIDED_SHOWN]
    )
    found = [*changes.open_changes(connection.pk)[:CHANGES_SHOWN], *decided]
    rows = change_rows(connection.pk, found, reader)
    return {
        "questions": creations.questions(connection),
        "open_changes": [row for row in rows if row.is_open],
        "decided_changes": [row for row in rows if not row.is_open],
    }


def _conflicts(request: HttpRequest, connection: Connection) -> dict[str, Any]:
    page = queries.conflicts(connection.pk, after=request.GET.get("after", ""))
    owners = ownership.owners(connection)
    advice = {
        ownership.Owner.ERP: "Change it in Ramp.",
        ownership.Owner.RAMP: f"Change it in {connection.erp_name}.",
        ownership.Owner.ASK: "A person decides: see the changes to check.",
    }
    return {
        "page": page,
        "owners": [
            (field.value, field.label, owner.value, ownership.Owner.choices)
            for field, owner in owners.items()
        ],
        "rows": [
            (one, [(each, advice[owners[each.field]]) for each in one.differences])
            for one in page.rows
        ],
    }


def _at_most(number: int) -> str:
    return f"{queries.MANY:,}+" if number >= queries.MANY else f"{number:,}"


_CONTEXTS = {
    "unlinked": _unlinked,
    "all": _all,
    "duplicates": _duplicates,
    "changes": _changes,
    "conflicts": _conflicts,
}
