"""Smaller acts on one item: late receipts, a dead link, and a look at what is hidden."""

from django.contrib import messages
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils import timezone
from django.views.decorators.http import require_POST

from connections import audit
from rampbridge.policy import Permission, allow
from syncing import attachments, handling
from syncing.models import SyncItem
from syncing.queries.item_page import item_with_everything
from syncing.views import item_links, payloads


@require_POST
@allow(Permission.RETRY)
def ask_for_files(request: HttpRequest, pk: int) -> HttpResponse:
    """Have the item's object read again for receipts that came after it was posted (F-22)."""
    item = _item(pk)
    if attachments.look_again(item.connection_id, item.object_type, item.ramp_id):
        handling.record("files", "Had Ramp asked for late receipts.", item,
                        actor=request.user.get_username())  # fmt: skip
        messages.success(
            request, "Ramp is asked for receipts. New ones are attached by themselves."
        )
    return redirect("item", pk=pk)


@require_POST
@allow(Permission.HANDLE)
def report_link(request: HttpRequest, pk: int, name: str) -> HttpResponse:
    """Say that a link leads nowhere: a comment that others see, and the next who mends it."""
    item = _item(pk)
    link = next((one for one in item_links.links_of(item) if one.name == name), None)
    if link is None:
        raise Http404("no such link")
    handling.comment(
        item,
        text=f"The link to {link.where} is dead: {link.url}",
        author=request.user.get_username(),
    )
    messages.success(request, "Thank you. It stands on the timeline as your comment.")
    return redirect("item", pk=pk)


@require_POST
@allow(Permission.HANDLE)
def reveal_payloads(request: HttpRequest, pk: int) -> HttpResponse:
    """Show the bodies with what is hidden else. That somebody looked is written down (P-22)."""
    try:
        item = item_with_everything(pk)
    except SyncItem.DoesNotExist:
        raise Http404("no such item") from None
    audit.record(
        request.user.get_username(),
        "items.reveal",
        f"Looked at the private values of {item.reference}.",
        connection_id=item.connection_id,
        subject="item",
        subject_id=item.pk,
    )
    context = {
        "section": "items",
        "now": timezone.now(),
        "item": item,
        "connection": item.connection,
        "payloads": payloads.shown(item, reveal=True),
    }
    response = render(request, "syncing/item_revealed.html", context)
    response["Cache-Control"] = "no-store"
    return response


def _item(pk: int) -> SyncItem:
    found = SyncItem.objects.filter(pk=pk).select_related("connection").first()
    if found is None:
        raise Http404("no such item")
    return found
