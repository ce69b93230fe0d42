"""What each attempt of an item sent, and how two of them differ."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.http import Http404, HttpResponse
from django.shortcuts import render
from django.utils import timezone
from django.views.decorators.http import require_GET

from rampbridge.lib.htmx import HtmxHttpRequest
from rampbridge.lib.redaction import redacted
from rampbridge.lib.template_tags import pretty_json
from rampbridge.policy import Permission, allow
from syncing.models import ItemEvent, SyncItem
from syncing.queries import items as item_queries
from syncing.queries.item_page import item_with_everything
from syncing.views.timeline import Moment, moments

_ENDS = frozenset({"posted", "found", "refused", "retrying", "uncertain", "held", "waiting"})


@dataclass(frozen=True, slots=True)
class Attempt:
    """One document that was sent, and what came of it."""

    number: int
    """From 1, in the order in which they were sent."""
    sent: Moment
    outcomes: Sequence[Moment]
    """What is known of it until the next was sent."""
    document: Mapping[str, Any] | None
    """As it was frozen; None if it is not kept."""

    @property
    def text(self) -> str:
        """The document for people, private values hidden."""
        return pretty_json(redacted(self.document)) if self.document else ""


@dataclass(frozen=True, slots=True)
class Difference:
    """One value that two documents do not share."""

    path: str
    before: str
    after: str


def attempts_of(item: SyncItem, events: Sequence[ItemEvent]) -> list[Attempt]:
    """The attempts of an item, oldest first. One query where documents have differed."""
    sent = [event for event in events if event.kind == ItemEvent.Kind.SENT]
    former: list[tuple[datetime, Mapping[str, Any]]] = []
    if getattr(item, "has_former", None):
        rows = item.former_documents.order_by("replaced_at", "pk")
        former = [(one.replaced_at, one.document) for one in rows]
    payload = getattr(item, "payload", None)
    last = payload.document if payload else None
    told = {moment.event.pk: moment for moment in moments(item, events)}
    found = []
    for place, event in enumerate(sent):
        until = sent[place + 1].pk if place + 1 < len(sent) else None
        outcomes = [
            told[one.pk]
            for one in events
            if one.pk > event.pk and (until is None or one.pk < until) and one.kind in _ENDS
        ]
        document = next((body for replaced, body in former if replaced > event.at), last)
        found.append(Attempt(place + 1, told[event.pk], outcomes, document))
    return found


def differences(
    before: Mapping[str, Any] | None, after: Mapping[str, Any] | None
) -> list[Difference]:
    """How two documents differ, value by value, private ones hidden. Pure."""
    return list(_compare("", redacted(before or {}), redacted(after or {})))


def _compare(path: str, before: Any, after: Any) -> Iterator[Difference]:
    if isinstance(before, Mapping) and isinstance(after, Mapping):
        for key in sorted({*before, *after}):
            yield from _compare(f"{path}.{key}".lstrip("."), before.get(key), after.get(key))
    elif isinstance(before, list) and isinstance(after, list):
        for place in range(max(len(before), len(after))):
            one = before[place] if place < len(before) else None
            other = after[place] if place < len(after) else None
            yield from _compare(f"{path} {place + 1}", one, other)
    elif before != after:
        yield Difference(_spoken(path), _text(before), _text(after))


def _spoken(path: str) -> str:
    return path.replace(".", " / ").replace("_", " ")


def _text(value: Any) -> str:
    if value is None or value == "":
        return ""
    return pretty_json(value) if isinstance(value, dict | list) else str(value)


@require_GET
@allow(Permission.SEE)
def item_attempts(request: HtmxHttpRequest, pk: int) -> HttpResponse:
    """All attempts of an item, and two of them side by side: `?from=1&to=2`."""
    try:
        item = item_with_everything(pk)
    except SyncItem.DoesNotExist:
        raise Http404("no such item") from None
    attempts = attempts_of(item, item_queries.timeline(item))
    numbers = {str(one.number): one for one in attempts}
    last = attempts[-1] if attempts else None
    after = numbers.get(request.GET.get("to", ""), last)
    before = numbers.get(request.GET.get("from", ""), attempts[-2] if len(attempts) > 1 else None)
    context = {
        "section": "items",
        "now": timezone.now(),
        "item": item,
        "connection": item.connection,
        "attempts": attempts,
        "before": before,
        "after": after,
        "differences": differences(before.document, after.document) if before and after else [],
    }
    return render(request, "syncing/item_attempts.html", context)
