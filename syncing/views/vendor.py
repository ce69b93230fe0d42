"""One vendor: who it is on every side, what is linked, and what waits for people."""

import uuid
from typing import Any

from django.db.models.functions import Lower
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils import timezone
from django.views.decorators.http import require_GET

from connections.models import Connection, Entity, RampVendor, VendorChange
from connections.vendor_book import duplicates, identity, queries
from connections.vendor_book.following import heirs
from connections.vendor_book.identity import Identity
from connections.vendor_book.links import Pair
from rampbridge.policy import Permission, allow, can
from syncing.models import SyncItem
from syncing.queries import items as item_queries
from syncing.vendor_waits import cause_of
from syncing.views.customer_acts import open_customer
from syncing.views.customer_vendors import VendorRow
from syncing.views.vendor_looks import look_of_vendor
from syncing.views.vendors import change_rows, unlinked_rows

ITEMS_SHOWN = 10
CHANGES_SHOWN = 20


@require_GET
@allow(Permission.SEE)
def vendor(request: HttpRequest, slug: str, key: str) -> HttpResponse:
    connection = open_customer(slug)
    found = identity.find(connection, key)
    if found is None:
        raise Http404("no such vendor")
    now = timezone.now()
    context = {
        "section": "customers",
        "tab": "vendors",
        "now": now,
        "connection": connection,
        "identity": found,
        "may_link": can(request.user, Permission.LINK_VENDORS),
        "creations": [
            VendorRow(one, connection.erp_name, cause_of(one.merchant_id), 0)
            for one in found.creations
        ],
        "history": identity.history(connection, found),
        "rows": item_queries.rows(_items(connection, found), now),
        **(_of_erp(request, connection, found) if found.erp else {}),
        **_of_ramp(request, connection, found),
    }
    return render(request, "vendors/vendor.html", context)


def _of_erp(request: HttpRequest, connection: Connection, found: Identity) -> dict[str, Any]:
    assert found.erp is not None  # the caller has looked
    changes = VendorChange.objects.filter(
        connection=connection, vendor_erp_id=found.erp.erp_id
    ).order_by("-found_at", "pk")
    entities = Entity.objects.filter(connection=connection).order_by("-is_primary", "name", "pk")
    rows = change_rows(connection.pk, list(changes[:CHANGES_SHOWN]), request.user.get_username())
    own = {one.entity_id: one for one in found.mappings if one.entity_id}
    return {
        "look": look_of_vendor(found.erp),
        "heir": heirs(connection).get(found.erp.erp_id, "") if found.erp.merged_into else "",
        "open_changes": [row for row in rows if row.is_open],
        "entities": [(entity, own.get(entity.pk)) for entity in entities],
        "alike": [
            (sharing, others) for sharing, others in duplicates.look_alikes(found.erp).items()
        ],
    }


def _of_ramp(request: HttpRequest, connection: Connection, found: Identity) -> dict[str, Any]:
    """Of Ramp's vendors: where they differ; of one without a link: whom it could be linked to."""
    links = queries.wanted_links(found.ramp)
    context: dict[str, Any] = {
        "ramp_vendors": [
            (
                one,
                queries.spend_of(one),
                queries.differences(one, found.erp) if found.erp else [],
                links.get(one.pk),
            )
            for one in found.ramp
        ],
        "batch": uuid.uuid4(),
    }
    if found.erp is None:
        (context["unlinked"],) = unlinked_rows(connection, found.ramp)
        context |= _choices(request, connection, found.ramp[0])
    return context


def _choices(request: HttpRequest, connection: Connection, one: RampVendor) -> dict[str, Any]:
    """Vendors of the ERP that somebody looks for by hand."""
    text = request.GET.get("q", "").strip()[:100]
    chosen = queries.search(connection.pk, text=text, size=ITEMS_SHOWN).rows if text else []
    return {
        "sought": text,
        "choices": [(each, look_of_vendor(each), Pair(one.pk, each.erp_id)) for each in chosen],
    }


def _items(connection: Connection, found: Identity) -> list[SyncItem]:
    """The newest items of its names, as Ramp writes them."""
    names = {found.name.lower(), *(one.name.lower() for one in found.ramp)}
    names |= {one.name.lower() for one in found.creations}
    mine = SyncItem.objects.filter(connection=connection).alias(lower_label=Lower("label"))
    mine = mine.filter(lower_label__in=names)
    return list(mine.select_related("connection").order_by("-ready_at", "-pk")[:ITEMS_SHOWN])
