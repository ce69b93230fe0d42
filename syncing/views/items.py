"""One item with its proof."""

from django.contrib import messages
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.utils import timezone
from django.views.decorators.http import require_GET, require_POST

from rampbridge.lib.htmx import HtmxHttpRequest
from rampbridge.policy import Permission, allow
from syncing import services
from syncing.models import Attachment, SyncItem
from syncing.queries import items as item_queries
from syncing.queries.item_page import item_with_everything
from syncing.views import item_parts
from syncing.views.live import live, version_of


@require_GET
@allow(Permission.SEE)
def item(request: HtmxHttpRequest, pk: int) -> HttpResponse:
    now = timezone.now()
    try:
        found = item_with_everything(pk)
    except SyncItem.DoesNotExist:
        raise Http404("no such item") from None
    events = item_queries.timeline(found)
    parts = item_parts.context(request, found, events, now)
    version = version_of(
        (found.state, found.state_at, found.due_at, found.failure_telling, len(events)),
        [(one.file.pk, one.file.state, one.file.error_title) for one in parts["files"]],
        [(other.item.pk, other.item.state) for other in parts["others"]],
        parts["paused"] and parts["paused"].pk,
        parts["box"].case.facts,
    )
    return live(
        request,
        "syncing/item.html",
        "syncing/_item.html",
        version=version,
        context={"section": "items", "now": now, **parts},
    )


@require_POST
@allow(Permission.RETRY)
def retry_item(request: HttpRequest, pk: int) -> HttpResponse:
    """Put a failed item back at the front, then show what became of it."""
    found = SyncItem.objects.filter(pk=pk).first()
    if found is None:
        raise Http404("no such item")
    try:
        services.retry_item(item=found, actor=request.user.get_username())
    except services.NotRetryable as refusal:
        messages.error(request, str(refusal))
    else:
        messages.success(request, "Queued again. The timeline shows what comes of it.")
    return redirect("item", pk=pk)


@require_POST
@allow(Permission.RETRY)
def retry_file(request: HttpRequest, item_pk: int, pk: int) -> HttpResponse:
    """Attach one file again, then show the item."""
    file = Attachment.objects.filter(pk=pk, item_id=item_pk).exclude(source="").first()
    if file is None:
        raise Http404("no such file")
    try:
        services.retry_file(file=file, actor=request.user.get_username())
    except services.NotRetryable as refusal:
        messages.error(request, str(refusal))
    else:
        messages.success(request, "The file is tried again. Its document is left alone.")
    return redirect("item", pk=item_pk)
