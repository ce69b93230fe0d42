"""What people do with a customer as a whole: keep it at hand, assign it, tag it."""

from typing import Any

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils.http import url_has_allowed_host_and_scheme
from django.views.decorators.http import require_GET, require_POST

from connections.models import Connection, Pin
from rampbridge.policy import Permission, allow
from syncing.fleet import tending
from syncing.views.customer_acts import open_customer

UNPROCESSABLE = 422


@require_GET
@allow(Permission.HANDLE)
def customer_handling(request: HttpRequest, slug: str) -> HttpResponse:
    """Owner and tags."""
    connection = open_customer(slug)
    return render(request, "syncing/customer_handling.html", _context(request, connection))


@require_POST
@allow(Permission.HANDLE)
def pin(request: HttpRequest, slug: str) -> HttpResponse:
    """Keep a customer at the top of one's own list, or no longer."""
    connection = open_customer(slug)
    is_pinned = request.POST.get("pinned") == "yes"
    tending.pin(connection, pinned=is_pinned, actor=request.user.get_username())
    words = "stays at the top of your list" if is_pinned else "is no longer pinned"
    messages.success(request, f"{connection.name} {words}.")
    return back(request, slug)


@require_POST
@allow(Permission.HANDLE)
def assign(request: HttpRequest, slug: str) -> HttpResponse:
    """Say who is asked first."""
    connection = open_customer(slug)
    owner = request.POST.get("owner", "").strip()
    try:
        tending.assign(connection, owner=owner, actor=request.user.get_username())
    except tending.BadOwner as refused:
        return _refused(request, connection, owner_entered=owner, owner_refusal=str(refused))
    words = f"{connection.name} is {owner}'s now." if owner else f"{connection.name} has no owner."
    messages.success(request, words)
    return back(request, slug)


@require_POST
@allow(Permission.HANDLE)
def tag(request: HttpRequest, slug: str) -> HttpResponse:
    """File a customer under some words."""
    connection = open_customer(slug)
    entered = request.POST.get("tags", "")
    try:
        tending.tag(connection, tags=entered.split(","), actor=request.user.get_username())
    except tending.BadTags as refused:
        return _refused(request, connection, tags_entered=entered, tags_refusal=str(refused))
    messages.success(request, "The tags are saved.")
    return back(request, slug)


def back(request: HttpRequest, slug: str) -> HttpResponse:
    """To where the form stood, if that is a page of ours; else to the customer."""
    target = request.POST.get("next", "")
    if url_has_allowed_host_and_scheme(target, allowed_hosts=None) and target.startswith("/"):
        return redirect(target)
    return redirect("customer", slug=slug)


def _refused(request: HttpRequest, connection: Connection, **words: str) -> HttpResponse:
    context = {**_context(request, connection), **words}
    return render(request, "syncing/customer_handling.html", context, status=UNPROCESSABLE)


def _context(request: HttpRequest, connection: Connection) -> dict[str, Any]:
    viewer = request.user.get_username()
    return {
        "section": "customers",
        "connection": connection,
        "is_pinned": Pin.objects.filter(owner=viewer, connection=connection).exists(),
        "people": tending.people,
        "next": request.GET.get("next", "") or request.POST.get("next", ""),
    }
