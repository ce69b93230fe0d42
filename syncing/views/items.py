"""Lists of items, one item with its proof, and the search that leads there."""

from dataclasses import dataclass
from typing import Any

from django.contrib import messages
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils import timezone
from django.views.decorators.http import require_GET, require_POST

from connections import queries as connection_queries
from connections.models import Connection
from rampbridge.lib.htmx import HtmxHttpRequest, page_or_partial
from rampbridge.lib.keyset import Cursor
from rampbridge.policy import Permission, allow
from syncing import services
from syncing.forms import ALL, OPEN, ItemFilterForm
from syncing.models import Attachment, SyncItem
from syncing.queries import comparisons, standing
from syncing.queries import items as item_queries
from syncing.queries import search as search_queries
from syncing.queries.words import LOOKS, OPEN_WORDS, Look, Word
from syncing.views import item_parts
from syncing.views.live import live, version_of

OPEN_LOOK = Look("Open", "neutral", "circle-dot", "Everything that is not through yet.")
ALL_LOOK = Look("All", "neutral", "list", "Every item there ever was.")


@dataclass(frozen=True, slots=True)
class Tab:
    """A state to choose above the list, with how many items it holds for the chosen customer."""

    value: str
    look: Look
    items: int
    is_current: bool


@dataclass(frozen=True, slots=True)
class Narrowing:
    """A filter that no field of the form shows: what it says, and the address without it."""

    name: str
    value: str
    words: str
    dropped: str


@require_GET
@allow(Permission.SEE)
def items(request: HtmxHttpRequest) -> HttpResponse:
    now = timezone.now()
    form = ItemFilterForm(request.GET)
    connection = _chosen_customer(form)
    found = comparisons.found_items(form.value("found"))
    chosen = form.as_filter(
        connection.pk if connection else None, among=found.where if found else None
    )
    page = item_queries.page_of_items(
        chosen, after=Cursor.parse(request.GET.get("after", "")), now=now
    )
    lines = standing.standings(now=now, connection_id=connection.pk if connection else None)
    if chosen.object_type:
        lines = [line for line in lines if line.object_type == chosen.object_type]
    context = {
        "section": "items",
        "now": now,
        "form": form,
        "connection": connection,
        "customers": connection_queries.customer_choices(),
        "types": form.fields["type"].choices,  # type: ignore[attr-defined]
        "tabs": _tabs(form, lines),
        "page": page,
        "rows": item_queries.rows(page.rows, now),
        "longest_first": chosen.is_open,
        "narrowed_by": _narrowed_by(request, form, found),
        "is_narrowed": chosen.is_narrowed,
        "current": LOOKS[chosen.word]
        if chosen.word
        else ALL_LOOK
        if chosen.everything
        else OPEN_LOOK,
    }
    template = page_or_partial(request, "syncing/items.html", "syncing/_items.html")
    return render(request, template, context)


def _narrowed_by(
    request: HttpRequest, form: ItemFilterForm, found: comparisons.Found | None
) -> list[Narrowing]:
    """Filters that only links set, each to be dropped by a click."""
    words = {
        "error": f"Cause: {form.value('error')}",
        "waits": "Waiting for the same",
        "press": "Asked for by one press of the sync button",
        "found": f"{found.words.capitalize()}, {found.at:%-d %b}" if found else "",
    }
    narrowings = []
    for name, text in words.items():
        value = form.value(name)
        if not (value and text):
            continue
        query = request.GET.copy()
        for parameter in (name, "after"):
            query.pop(parameter, None)
        narrowings.append(Narrowing(name, value, text, f"?{query.urlencode()}"))
    return narrowings


def _chosen_customer(form: ItemFilterForm) -> Connection | None:
    slug = form.value("customer")
    if not slug:
        return None
    found = Connection.objects.filter(slug=slug).select_related("schedule").first()
    if found is None:
        raise Http404("no customer of that name")
    return found


def _tabs(form: ItemFilterForm, lines: list[standing.Standing]) -> list[Tab]:
    counts = standing.by_word(lines)
    current = form.value("state") or OPEN
    tabs = [Tab("", OPEN_LOOK, sum(counts[word] for word in OPEN_WORDS), current == OPEN)]
    tabs += [
        Tab(word.value, LOOKS[word], counts[word], current == word.value)
        for word in Word
        if counts[word] or current == word.value or word in OPEN_WORDS
    ]
    return [*tabs, Tab(ALL, ALL_LOOK, sum(counts.values()), current == ALL)]


@require_GET
@allow(Permission.SEE)
def item(request: HtmxHttpRequest, pk: int) -> HttpResponse:
    now = timezone.now()
    try:
        found = item_queries.item_with_everything(pk)
    except SyncItem.DoesNotExist:
        raise Http404("no such item") from None
    events = item_queries.timeline(found)
    parts = item_parts.context(found, events, now)
    version = version_of(
        (found.state, found.state_at, found.due_at, found.failure_telling, len(events)),
        [(one.file.pk, one.file.state, one.file.error_title) for one in parts["files"]],
        [(other.item.pk, other.item.state) for other in parts["others"]],
        parts["paused"] and parts["paused"].pk,
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


@require_GET
@allow(Permission.SEE)
def search(request: HtmxHttpRequest) -> HttpResponse:
    now = timezone.now()
    text = request.GET.get("q", "").strip()
    hits = search_queries.find(text) if text else []
    exact = [hit for group in hits if group.is_exact for hit in group.items]
    if len(exact) == 1:
        return redirect("item", pk=exact[0].pk)
    context: dict[str, Any] = {
        "section": "search",
        "now": now,
        "query": text,
        "groups": [(group, item_queries.rows(group.items, now)) for group in hits],
        "customers": search_queries.find_customers(text) if text else [],
    }
    return render(request, "syncing/search.html", context)
