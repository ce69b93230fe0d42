"""What people decide about vendors: changed details, look-alikes, and which side is right."""

import uuid
from itertools import combinations
from typing import Any

from django.contrib import messages
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils import timezone
from django.views.decorators.http import require_POST

from connections.mirror import schedule
from connections.models import Connection, VendorChange, VendorCreation
from connections.vendor_book import changes, creations, duplicates, ownership, queries
from rampbridge.lib.htmx import HtmxHttpRequest
from rampbridge.policy import Permission, allow
from syncing.forms import OwnerForm, VendorReasonForm
from syncing.views.customer_acts import open_customer
from syncing.views.vendors import UNPROCESSABLE, change_rows

ACTS = {"check": "Checked.", "accept": "Accepted.", "reject": "Rejected."}


@require_POST
@allow(Permission.LINK_VENDORS)
def decide_vendor_change(
    request: HtmxHttpRequest, slug: str, pk: uuid.UUID, act: str
) -> HttpResponse:
    """Check, accept or reject a changed detail; then that change as it stands."""
    connection = open_customer(slug)
    change = VendorChange.objects.filter(connection=connection, pk=pk).first()
    if change is None or act not in ACTS:
        raise Http404("no such change")
    form = VendorReasonForm(request.POST, prefix=f"{act}-{pk}", is_needed=act != "accept")
    if not form.is_valid():
        return _change(request, connection, change, form=form, act=act)
    problem = _decide(change, act, form, request)
    change.refresh_from_db()
    return _change(request, connection, change, problem=problem, said=ACTS[act])


@require_POST
@allow(Permission.LINK_VENDORS)
def keep_vendors_separate(request: HtmxHttpRequest, slug: str) -> HttpResponse:
    """Remember that vendors which look alike are several."""
    connection = open_customer(slug)
    chosen = sorted(set(request.POST.getlist("erp_id")))
    vendors = queries.vendors_named(connection.pk, chosen)
    reason = request.POST.get("reason", "").strip()
    if problem := _keep(connection, list(vendors), request.user.get_username(), reason):
        if request.htmx:
            refused = {"problem": problem}
            return render(request, "vendors/_refused.html", refused, status=UNPROCESSABLE)
        messages.error(request, problem)
        return redirect(_page_after(request, slug, "duplicates"))
    if request.htmx:
        context: dict[str, Any] = {
            "connection": connection,
            "kept": list(vendors.values()),
            "may_link": True,
            "by": request.POST.get("by", ""),
        }
        return render(request, "vendors/_kept.html", context)
    messages.success(request, "Kept separate. They are not asked about again.")
    return redirect(_page_after(request, slug, "duplicates"))


@require_POST
@allow(Permission.LINK_VENDORS)
def take_back_separate(request: HttpRequest, slug: str) -> HttpResponse:
    """Vendors that were called several may be one after all."""
    connection = open_customer(slug)
    chosen = sorted(set(request.POST.getlist("erp_id")))[: duplicates.LARGEST]
    actor = request.user.get_username()
    taken = [
        duplicates.take_back(connection, first=one, second=other, actor=actor)
        for one, other in combinations(chosen, 2)
    ]
    if any(taken):
        messages.success(request, "They are looked at as duplicates again.")
    else:
        messages.warning(request, "They were not kept separate any more.")
    return redirect(_page_after(request, slug, "duplicates"))


@require_POST
@allow(Permission.LINK_VENDORS)
def decide_creation(request: HttpRequest, slug: str, pk: uuid.UUID) -> HttpResponse:
    """Say which vendor of the ERP a merchant is, or that it is none of them."""
    connection = open_customer(slug)
    creation = VendorCreation.objects.filter(connection=connection, pk=pk).first()
    if creation is None:
        raise Http404("no such merchant")
    chosen = request.POST.get("erp_id", "")
    vendor = queries.vendors_named(connection.pk, [chosen]).get(chosen)
    actor = request.user.get_username()
    try:
        if vendor is not None:
            creations.use(creation, vendor, actor=actor)
            messages.success(request, f"{creation.name} is {vendor.name}. Its spend goes on.")
        elif "own" in request.POST:
            creations.create_own(creation, actor=actor)
            messages.success(request, f"{creation.name} becomes a vendor of its own.")
        else:
            messages.error(request, "Choose one of the vendors, or a new one.")
    except creations.NotUndecided as refusal:
        messages.warning(request, str(refusal))
    return redirect(_page_after(request, slug, "changes"))


@require_POST
@allow(Permission.LINK_VENDORS)
def own_vendor_field(request: HttpRequest, slug: str) -> HttpResponse:
    """Say which side is right where the two differ in one field."""
    connection = open_customer(slug)
    address = f"{reverse('vendors', kwargs={'slug': slug})}?tab=conflicts"
    form = OwnerForm(request.POST)
    if not form.is_valid():
        messages.error(request, "Choose a field and which side is right.")
        return redirect(address)
    ownership.set_owner(
        connection,
        field=form.cleaned_data["field"],
        owner=form.cleaned_data["owner"],
        actor=request.user.get_username(),
    )
    messages.success(request, form.words(connection.erp_name))
    return redirect(address)


@require_POST
@allow(Permission.LINK_VENDORS)
def read_vendors(request: HttpRequest, slug: str) -> HttpResponse:
    """Have Ramp's vendors read soon."""
    connection = open_customer(slug)
    if connection.stage == Connection.Stage.CLOSED:
        messages.error(request, f"{connection.name} is disconnected. Nothing is read any more.")
        return redirect("vendors", slug=slug)
    schedule.ensure(connection)
    schedule.verify_soon(connection.pk, actor=request.user.get_username())
    messages.success(request, "Ramp's vendors are read within a minute. Come back to this page.")
    return redirect("vendors", slug=slug)


def _keep(connection: Connection, erp_ids: list[str], actor: str, reason: str) -> str:
    """What was in the way, in words; nothing if they are kept apart."""
    if len(erp_ids) < 2:
        return "Choose two vendors at least."
    try:
        duplicates.keep_separate(connection, erp_ids, actor=actor, reason=reason)
    except duplicates.TooManyToKeep as refusal:
        return str(refusal)
    return ""


def _decide(change: VendorChange, act: str, form: VendorReasonForm, request: HttpRequest) -> str:
    """What was in the way, in words; nothing if it is decided."""
    if form.cleaned_data["seen"] != change.found_at.isoformat():
        return "The ERP has changed it again meanwhile. Look at what it says now."
    actor, reason = request.user.get_username(), form.cleaned_data["reason"]
    try:
        if act == "check":
            changes.check(change, actor=actor, reason=reason, digest=change.digest)
        elif act == "accept":
            changes.accept(change, actor=actor, reason=reason)
        else:
            changes.reject(change, actor=actor, reason=reason)
    except changes.NotDecidable as refusal:
        return str(refusal)
    return ""


def _change(
    request: HtmxHttpRequest,
    connection: Connection,
    change: VendorChange,
    *,
    form: VendorReasonForm | None = None,
    act: str = "",
    problem: str = "",
    said: str = "",
) -> HttpResponse:
    """The change as it stands; 422 with the reason if nothing was decided."""
    if form is not None:
        problem = " ".join(map(str, form.errors.get("reason", ["Load this page again."])))
    if not request.htmx:
        (messages.error if problem else messages.success)(request, problem or said)
        return redirect(_page_after(request, connection.slug, "changes"))
    (row,) = change_rows(connection.pk, [change], request.user.get_username())
    context = {
        "connection": connection,
        "row": row,
        "problem": problem,
        "problem_act": act,
        "typed": request.POST.get(f"{act}-{change.pk}-reason", "") if act else "",
        "may_link": True,
        "said": "" if problem else said,
        "now": timezone.now(),
    }
    status = UNPROCESSABLE if problem else 200
    return render(request, "vendors/_change.html", context, status=status)


def _page_after(request: HttpRequest, slug: str, tab: str) -> str:
    """The vendor's own page if one came from there, else the tab."""
    of = request.POST.get("of", "")
    if of and of.isprintable():
        return reverse("vendor", kwargs={"slug": slug, "key": of})
    by = request.POST.get("by", "")
    suffix = f"&by={by}" if by in {one.value for one in duplicates.Sharing} else ""
    return f"{reverse('vendors', kwargs={'slug': slug})}?tab={tab}{suffix}"
