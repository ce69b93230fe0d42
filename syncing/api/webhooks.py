"""Where Ramp delivers its webhooks."""

import logging
import uuid
from collections.abc import Callable
from functools import partial

from django.contrib.auth.decorators import login_not_required
from django.db import DatabaseError, InterfaceError, OperationalError
from django.db import connection as database
from django.http import HttpRequest, HttpResponse
from django.utils import timezone
from django.views.decorators.csrf import csrf_exempt
from django.views.decorators.http import require_POST

from connections.services import OWN_HEADER
from syncing import inbox, tasks, webhook_headers

logger = logging.getLogger(__name__)

_SIGNATURES = ("X-Ramp-Signature", "X-Ramp-Webhook-Signature")  # the documents disagree (C13)


@csrf_exempt
@login_not_required
@require_POST
def ramp_webhook(request: HttpRequest, subscription_id: uuid.UUID) -> HttpResponse:
    """Keep a delivery and answer 202. Ramp drops an event for good on any 3xx or 4xx, so these
    are answered only where a retry could never help; our own trouble is a 503 (fault W9).
    """
    length = request.headers.get("Content-Length", "")
    if not length.isdecimal():  # chunked, perhaps without end: nobody reads on to find out
        return HttpResponse(status=411)
    if int(length) > inbox.LARGEST_BODY:
        return HttpResponse(status=413)
    try:
        return _on_a_live_line(partial(_receive, request, subscription_id))
    except (DatabaseError, InterfaceError):
        logger.exception("A webhook could not be kept. Ramp will send it again.")
        return HttpResponse(status=503)


def _on_a_live_line(receive: Callable[[], HttpResponse]) -> HttpResponse:
    """Asking before each delivery whether the database still answers costs as much as keeping it.
    A line that was cut meanwhile shows when it is used; the same delivery twice is one row."""
    if database.in_atomic_block:
        return receive()
    was_open = database.connection is not None
    database.health_check_done = True  # type: ignore[attr-defined]  # not in its stubs
    try:
        return receive()
    except (InterfaceError, OperationalError):
        if not was_open or database.is_usable():  # it is slow or refuses: once more is no help
            raise
        database.close()
        return receive()


def _receive(request: HttpRequest, subscription_id: uuid.UUID) -> HttpResponse:
    delivery = inbox.Delivery(
        raw=request.body,
        signature=next(
            (request.headers[name] for name in _SIGNATURES if name in request.headers), None
        ),
        own_header=request.headers.get(OWN_HEADER, ""),
        headers=webhook_headers.harmless(request.headers, never=OWN_HEADER),
    )
    try:
        kept = inbox.receive(subscription_id, delivery, now=timezone.now())
    except inbox.BadSignature:
        logger.warning(
            "A webhook was not signed by Ramp.", extra={"subscription": str(subscription_id)}
        )
        return HttpResponse(status=401)
    except inbox.UnreadableBody as error:
        logger.warning("A webhook could not be read.", extra={"why": str(error)})
        return HttpResponse(status=400)
    if kept is None:
        return HttpResponse(status=404)
    if kept.challenge:
        tasks.ring(tasks.answer_challenge, subscription_id=str(subscription_id))
    elif kept.asks:
        tasks.ring(tasks.answer_sync_request, connection_id=str(kept.connection_id))
    elif kept.rings:
        tasks.ring(tasks.poll_connection, connection_id=str(kept.connection_id))
    return HttpResponse(status=202)
