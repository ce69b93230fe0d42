"""All that support needs of an item, as text to paste into a ticket or as JSON (P-22).

Redacted like every page. That somebody took it is written down.
"""

from collections.abc import Iterator
from typing import Any

from django.http import Http404, HttpResponse, JsonResponse
from django.shortcuts import render
from django.utils import timezone
from django.views.decorators.http import require_POST

from connections import audit
from rampbridge.lib.htmx import HtmxHttpRequest
from rampbridge.lib.redaction import redacted, redacted_text
from rampbridge.lib.template_tags import pretty_json
from rampbridge.policy import Permission, allow
from syncing.models import SyncItem
from syncing.queries import items as item_queries
from syncing.queries.item_page import item_with_everything
from syncing.queries.words import event_title, type_label
from syncing.views.item_attempts import attempts_of


@require_POST
@allow(Permission.SEE)
def item_bundle(request: HtmxHttpRequest, pk: int) -> HttpResponse:
    """The bundle as a page to copy from, or with `format=json` as a file."""
    try:
        item = item_with_everything(pk)
    except SyncItem.DoesNotExist:
        raise Http404("no such item") from None
    audit.record(
        request.user.get_username(),
        "items.bundle",
        f"Took the support bundle of {item.reference}.",
        connection_id=item.connection_id,
        subject="item",
        subject_id=item.pk,
    )
    bundle = bundle_of(item)
    if request.POST.get("format") == "json":
        response: HttpResponse = JsonResponse(bundle, json_dumps_params={"indent": 2})
        name = f"{item.reference}.json"
        response["Content-Disposition"] = f'attachment; filename="{name}"'
        return response
    context = {
        "section": "items",
        "now": timezone.now(),
        "item": item,
        "connection": item.connection,
        "text": as_text(bundle),
    }
    return render(request, "syncing/item_bundle.html", context)


def bundle_of(item: SyncItem) -> dict[str, Any]:
    """Everything known of an item, private values hidden. Two queries."""
    events = item_queries.timeline(item)
    payload = getattr(item, "payload", None)
    batch = item.ack_batch
    return {
        "item": {
            "reference": item.reference,
            "customer": item.connection.name,
            "erp": item.connection.erp_name,
            "type": type_label(item.object_type),
            "ramp_id": str(item.ramp_id),
            "label": item.label,
            "amount": str(item.money),
            "state": item.state,
            "since": item.state_at.isoformat(),
            "ready_at": item.ready_at.isoformat(),
            "attempts": item.attempts,
            "key": item.erp_ref,
            "erp_id": item.erp_id,
            "erp_number": item.erp_number,
        },
        "error": {
            "code": item.error_code,
            "category": item.error_category,
            "origin": item.error_origin,
            "title": item.error_title,
            "fix": item.error_fix,
            "shown_in_ramp": item.error_text,
            "detail": redacted_text(item.error_detail),
        },
        "report": {
            "batch": str(batch.pk) if batch else "",
            "key": str(batch.key) if batch else "",
            "sync_id": batch.sync_id if batch else "",
            "trace_id": batch.trace_id if batch else "",
            "state": batch.get_state_display() if batch else "",
        },
        "timeline": [
            {
                "at": event.at.isoformat(),
                "what": event_title(event.kind, item.object_type),
                "text": event.text,
                "by": event.actor or "rampbridge",
                "data": redacted(event.data),
            }
            for event in events
        ],
        "attempts": [
            {
                "number": one.number,
                "sent_at": one.sent.event.at.isoformat(),
                "outcomes": [outcome.title for outcome in one.outcomes],
                "document": redacted(one.document),
            }
            for one in attempts_of(item, events)
        ],
        "ramp": redacted(payload.ramp) if payload else None,
    }


def as_text(bundle: dict[str, Any]) -> str:
    """The bundle as people paste it."""
    return "\n".join(_lines(bundle))


def _lines(bundle: dict[str, Any]) -> Iterator[str]:
    for title in ("item", "error", "report"):
        known = {name: value for name, value in bundle[title].items() if value not in ("", None)}
        if known:
            yield f"== {title.capitalize()}"
            yield from (f"{name}: {value}" for name, value in known.items())
            yield ""
    yield "== Timeline"
    for line in bundle["timeline"]:
        data = ", ".join(f"{name} {value}" for name, value in line["data"].items())
        told = f"{line['at']}  {line['what']}  {line['text']}  {data}  by {line['by']}"
        yield " ".join(told.split(" ")).rstrip()
    for attempt in bundle["attempts"]:
        yield ""
        yield f"== Attempt {attempt['number']}: {', '.join(attempt['outcomes']) or 'no outcome'}"
        yield pretty_json(attempt["document"])
    yield ""
    yield "== What Ramp said"
    yield pretty_json(bundle["ramp"])
