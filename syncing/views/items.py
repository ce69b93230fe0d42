"""One item with its proof."""

from django.contrib import messages
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.utils import timezone
from django.views.decorators.http import require_GET, require_POST

from rampbridge.lib.htmx import HtmxHttpRequest, HttpResponseUnchanged
from rampbridge.policy import Permission, allow
from syncing import services
from syncing.models import Attachment, SyncItem
from syncing.queries import item_pulse
from syncing.queries import items as item_queries
from syncing.queries.item_page import item_with_everything
from syncing.views import item_parts
from syncing.views.live import is_unchanged, live, version_of

MOST_OTHERS = 50
PAGE, PART = "syncing/item.html", "syncing/_item.html"


@require_GET
@allow(Permission.SEE)
def item(request: HtmxHttpRequest, pk: int) -> HttpResponse:
    """The page, live. A poll names the related items that it shows: `?others=12,13`."""
    now = timezone.now()
    # Read before the page is: what changes in between is news to the next poll.
    pulse = item_pulse.pulse(pk, now=now)
    if pulse is None:
        raise Http404("no such item")
    known = item_pulse.standing_of(_ids(request.GET.get("others", "")))
    if is_unchanged(request, PAGE, PART, version=version_of(pulse, known)):
        return HttpResponseUnchanged()
    found = item_with_everything(pk)
    parts = item_parts.context(request, found, item_queries.timeline(found), now)
    others = sorted(
        (one.item.pk, one.item.state, one.item.error_category) for one in parts["others"]
    )[:MOST_OTHERS]
    return live(
        request,
        PAGE,
        PART,
        version=version_of(pulse, others),
        context={"section": "items", "now": now, **parts},
        also={"others": ",".join(str(other) for other, *_ in others)},
    )


def _ids(text: str) -> list[int]:
    named = [one for one in text.split(",")[:MOST_OTHERS] if one.isdecimal() and len(one) < 19]
    return [int(one) for one in named]


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
