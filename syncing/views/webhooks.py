"""The webhook inbox: what Ramp told us, whether it was Ramp, and what came of it."""

import json
from typing import Any

from django.contrib import messages
from django.core.exceptions import PermissionDenied
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils import timezone
from django.views.decorators.http import require_GET, require_POST

from rampbridge.lib.htmx import HtmxHttpRequest
from rampbridge.lib.keyset import Cursor
from rampbridge.lib.redaction import redacted
from rampbridge.lib.template_tags import pretty_json
from rampbridge.policy import Permission, allow, can
from syncing import inbox
from syncing.models import WebhookEvent
from syncing.queries import webhooks
from syncing.queries.webhooks import ONLY, TYPES, Row
from syncing.views.live import live, version_of
from syncing.views.narrowing import chosen_customer, customers_offered, known

LONGEST_SHOWN = 64 * 1024


@require_GET
@allow(Permission.SEE)
def webhook_inbox(request: HtmxHttpRequest) -> HttpResponse:
    """The events, the newest first, and the webhooks that somebody should look at."""
    now = timezone.now()
    connection = chosen_customer(request)
    event_type = known(request.GET.get("type", ""), TYPES)
    only = known(request.GET.get("only", ""), ONLY)
    page, rows = webhooks.page_of_events(
        connection_id=connection.pk if connection else None,
        event_type=event_type,
        only=only,
        after=Cursor.parse(request.GET.get("after", "")),
    )
    health = webhooks.health(connection_id=connection.pk if connection else None, now=now)
    context = {
        "section": "webhooks",
        "now": now,
        "connection": connection,
        "customers": customers_offered(),
        "types": [(one, one) for one in TYPES],
        "event_type": event_type,
        "only": only,
        "onlys": ONLY.items(),
        "page": page,
        "rows": rows,
        "health": health,
        "is_narrowed": bool(connection or event_type or only),
    }
    version = version_of(
        [(row.event.pk, row.event.deliveries, row.event.handled_at) for row in rows],
        [(one.subscription_id, one.look.label, one.refused, one.missed) for one in health],
    )
    return live(
        request, "webhooks/inbox.html", "webhooks/_inbox.html", version=version, context=context
    )


@require_GET
@allow(Permission.SEE)
def webhook_event(request: HttpRequest, pk: int) -> HttpResponse:
    """One event: its check, its body without what is private, and what came of it."""
    row = _event(pk)
    return render(request, "webhooks/event.html", _context(request, row, is_revealed=False))


@require_POST
@allow(Permission.SETTLE)
def reveal_webhook(request: HttpRequest, pk: int) -> HttpResponse:
    """The same with all that is private in its body. That somebody looked is written down."""
    row = _event(pk)
    inbox.reveal(row.event, actor=request.user.get_username())
    return render(request, "webhooks/event.html", _context(request, row, is_revealed=True))


@require_POST
@allow(Permission.RETRY)
def replay_webhook(request: HttpRequest, pk: int) -> HttpResponse:
    """Handle an event once more."""
    row = _event(pk)
    try:
        kept = inbox.replay(row.event, actor=request.user.get_username())
    except inbox.NotReplayable as refusal:
        messages.error(request, str(refusal))
    else:
        came = "Ramp is read within seconds." if kept.rings else "There was nothing to read for it."
        messages.success(request, f"Replayed. {came if not kept.asks else 'The press is known.'}")
    return redirect("webhook_event", pk=pk)


def _event(pk: int) -> Row:
    try:
        return webhooks.event(pk)
    except WebhookEvent.DoesNotExist:
        raise Http404("no such event") from None


def _context(request: HttpRequest, row: Row, *, is_revealed: bool) -> dict[str, Any]:
    if is_revealed and not can(request.user, Permission.SETTLE):
        raise PermissionDenied
    return {
        "section": "webhooks",
        "row": row,
        "event": row.event,
        "connection": row.event.connection,
        "body": _body(bytes(row.event.raw), is_revealed=is_revealed),
        "is_revealed": is_revealed,
        "may_reveal": can(request.user, Permission.SETTLE),
        "may_replay": bool(row.event.connection_id) and not row.is_refused,
    }


def _body(raw: bytes, *, is_revealed: bool) -> str:
    """The body as people read it; nothing for one that was not kept."""
    if not raw:
        return ""
    try:
        parsed = json.loads(raw)
    except (ValueError, RecursionError):
        return "It is no JSON, so nobody can tell what of it is private. It is not shown."
    return pretty_json(parsed if is_revealed else redacted(parsed))[:LONGEST_SHOWN]
