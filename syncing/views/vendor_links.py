"""Linking vendors: tick, look at what speaks for each link, confirm, and see what came of it."""

import csv
import uuid
from typing import Any

from django.contrib import messages
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils import timezone
from django.utils.http import urlencode
from django.views.decorators.http import require_GET, require_http_methods, require_POST

from connections import tasks
from connections.models import Connection, RampVendor, VendorLink
from connections.vendor_book import candidates, links, queries
from connections.vendor_book.links import Pair
from rampbridge.lib.htmx import HtmxHttpRequest
from rampbridge.policy import Permission, allow
from syncing.views import vendor_picks
from syncing.views.customer_acts import open_customer
from syncing.views.live import live, version_of
from syncing.views.vendor_looks import LinkRow
from syncing.views.vendors import UNPROCESSABLE, frame, unlinked_rows

State = VendorLink.State


@require_POST
@allow(Permission.LINK_VENDORS)
def pick_vendors(request: HtmxHttpRequest, slug: str) -> HttpResponse:
    """Tick and untick: what `of` names is ticked as `pair` says, and everything else stays."""
    connection = open_customer(slug)
    named = {
        int(key) for key in request.POST.getlist("of")[:1000] if key.isdecimal() and len(key) < 19
    }
    kept = [
        pair
        for pair in vendor_picks.picks(request, connection.pk)
        if pair.ramp_vendor not in named and "clear" not in request.POST
    ]
    ticked = _pairs(request.POST.getlist("pair"))
    fits = vendor_picks.keep(request, connection.pk, [*kept, *ticked])
    if not request.htmx:
        if not fits:
            messages.warning(request, f"{candidates.MOST_AT_ONCE} at most are linked at once.")
        return redirect(_back(request, slug))
    picked = vendor_picks.picks(request, connection.pk)
    context = {
        "connection": connection,
        "picked": vendor_picks.summary(connection, picked),
        "is_full": not fits,
    }
    return render(request, "vendors/_picked.html", context)


@require_http_methods(["GET", "POST"])
@allow(Permission.LINK_VENDORS)
def link_vendors(request: HtmxHttpRequest, slug: str) -> HttpResponse:
    """What is about to be linked, and why; a POST links exactly what was shown."""
    connection = open_customer(slug)
    if request.method == "POST":
        return _confirm(request, connection)
    if request.GET.get("exact"):
        pairs = [Pair(key, erp_id) for key, erp_id in candidates.exact_matches(connection.pk)]
    else:
        pairs = _pairs(request.GET.getlist("pair")) or vendor_picks.picks(request, connection.pk)
    return render(request, "vendors/link.html", _preview(connection, pairs))


@require_GET
@allow(Permission.SEE)
def vendor_links(request: HtmxHttpRequest, slug: str, batch: uuid.UUID) -> HttpResponse:
    """What came of one confirmation, link by link."""
    connection = open_customer(slug)
    rows = _rows(connection, batch)
    if request.GET.get("format") == "csv":
        return _csv(rows)
    standing = [row.link.state for row in rows]
    context = {
        "section": "customers",
        "tab": "vendors",
        "now": timezone.now(),
        "connection": connection,
        "batch": batch,
        "rows": rows,
        "done": standing.count(State.DONE),
        "refused": standing.count(State.REFUSED),
        "wanted": standing.count(State.WANTED),
        "by": rows[0].link.actor,
        "at": rows[0].link.wanted_at,
    }
    version = version_of([(row.link.state, row.look.label, row.link.refusal) for row in rows])
    return live(
        request, "vendors/links.html", "vendors/_links.html", version=version, context=context
    )


@require_POST
@allow(Permission.LINK_VENDORS)
def link_again(request: HttpRequest, slug: str, batch: uuid.UUID) -> HttpResponse:
    """Try the refused links of a confirmation once more."""
    connection = open_customer(slug)
    again = links.want_again(connection, batch=batch, actor=request.user.get_username())
    if again:
        tasks.ring(tasks.link_vendors, connection_id=str(connection.pk))
        messages.success(request, f"{again} tried again. The list below follows.")
    else:
        messages.warning(request, "Nothing can be tried again: what was in the way still is.")
    return redirect("vendor_links", slug=slug, batch=batch)


def _confirm(request: HtmxHttpRequest, connection: Connection) -> HttpResponse:
    pairs = _known(connection, _pairs(request.POST.getlist("pair")))
    batch = _uuid(request.POST.get("batch", ""))
    if not pairs or batch is None:
        messages.error(request, "Nothing was chosen. Tick the vendors that are to be linked.")
        return redirect("vendors", slug=connection.slug)
    try:
        links.want_links(connection, pairs, actor=request.user.get_username(), batch=batch)
    except links.TooMany as refusal:
        context = {**_preview(connection, pairs), "problem": str(refusal)}
        return render(request, "vendors/link.html", context, status=UNPROCESSABLE)
    tasks.ring(tasks.link_vendors, connection_id=str(connection.pk))
    done = {pair.ramp_vendor for pair in pairs}
    left = [
        pair for pair in vendor_picks.picks(request, connection.pk) if pair.ramp_vendor not in done
    ]
    vendor_picks.keep(request, connection.pk, left)
    if request.htmx and len(pairs) == 1:
        return _one_row(request, connection, pairs[0])
    return redirect("vendor_links", slug=connection.slug, batch=batch)


def _one_row(request: HtmxHttpRequest, connection: Connection, pair: Pair) -> HttpResponse:
    """The row of the list that was just linked, as it is now."""
    vendor = RampVendor.objects.filter(connection=connection, pk=pair.ramp_vendor)
    (row,) = unlinked_rows(connection, list(vendor))
    context = {**frame(request, connection, "unlinked"), "row": row, "was_linked": True}
    return render(request, "vendors/_unlinked_row.html", context)


def _preview(connection: Connection, pairs: list[Pair]) -> dict[str, Any]:
    proposed = links.proposals(connection, pairs)
    possible = [one for one in proposed if not one.obstacle]
    return {
        "section": "customers",
        "tab": "vendors",
        "now": timezone.now(),
        "connection": connection,
        "proposals": [(one, queries.spend_of(one.ramp) if one.ramp else None) for one in proposed],
        "possible": len(possible),
        "waiting": sum(one.waits_for_upload for one in possible),
        "batch": uuid.uuid4(),
    }


def _rows(connection: Connection, batch: uuid.UUID) -> list[LinkRow]:
    """Those that need somebody first."""
    found = list(
        VendorLink.objects.filter(connection=connection, batch=batch)
        .select_related("ramp_vendor")
        .order_by("ramp_vendor__name", "pk")
    )
    if not found:
        raise Http404("no such links")
    named = queries.vendors_named(connection.pk, [link.erp_id for link in found])
    order = [State.REFUSED, State.WANTED, State.DONE]
    found.sort(key=lambda link: order.index(State(link.state)))
    return [LinkRow(link, named.get(link.erp_id)) for link in found]


def _csv(rows: list[LinkRow]) -> HttpResponse:
    response = HttpResponse(
        content_type="text/csv; charset=utf-8",
        headers={"Content-Disposition": 'attachment; filename="vendor-links.csv"'},
    )
    write = csv.writer(response).writerow
    write(["Ramp vendor", "ERP vendor", "ERP id", "Result", "Evidence", "What to do", "Trace id"])
    for row in rows:
        link = row.link
        write(
            [
                _harmless(text)
                for text in (
                    link.ramp_vendor.name,
                    row.erp_name,
                    link.erp_id,
                    row.look.label,
                    link.evidence,
                    row.words,
                    link.trace_id,
                )
            ]
        )
    return response


def _harmless(text: str) -> str:
    """A text that no spreadsheet takes for a formula."""
    return f"'{text}" if text[:1] in "=+-@\t\r" and text else text


def _pairs(texts: list[str]) -> list[Pair]:
    return [pair for pair in map(Pair.parse, texts) if pair]


def _known(connection: Connection, pairs: list[Pair]) -> list[Pair]:
    """Those of this customer's own vendors; others may be gone since the page was shown."""
    own = RampVendor.objects.filter(
        connection=connection, pk__in={one.ramp_vendor for one in pairs}
    )
    keys = set(own.values_list("pk", flat=True))
    return [pair for pair in pairs if pair.ramp_vendor in keys]


def _uuid(text: str) -> uuid.UUID | None:
    try:
        return uuid.UUID(text)
    except ValueError:
        return None


def _back(request: HttpRequest, slug: str) -> str:
    """The page of the list that one came from."""
    where = {name: request.POST[name] for name in ("q", "after") if request.POST.get(name)}
    address = reverse("vendors", kwargs={"slug": slug})
    return f"{address}?{urlencode(where)}" if where else address
