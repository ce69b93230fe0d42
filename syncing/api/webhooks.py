"""Where Ramp delivers its webhooks."""

import logging
import uuid

from django.contrib.auth.decorators import login_not_required
from django.db import DatabaseError
from django.http import HttpRequest, HttpResponse
from django.utils import timezone
from django.views.decorators.csrf import csrf_exempt
from django.views.decorators.http import require_POST

from connections.models import WebhookSubscription
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
        return _receive(request, subscription_id)
    except DatabaseError:
        logger.exception("A webhook could not be kept. Ramp will send it again.")
        return HttpResponse(status=503)


def _receive(request: HttpRequest, subscription_id: uuid.UUID) -> HttpResponse:
    subscription = (
        WebhookSubscription.objects.select_related("connection").filter(pk=subscription_id).first()
    )
    if subscription is None:
        return HttpResponse(status=404)
    delivery = inbox.Delivery(
        raw=request.body,
        signature=next(
            (request.headers[name] for name in _SIGNATURES if name in request.headers), None
        ),
        own_header=request.headers.get(OWN_HEADER, ""),
        headers=webhook_headers.harmless(request.headers, never=OWN_HEADER),
    )
    try:
        kept = inbox.keep(subscription, delivery, now=timezone.now())
    except inbox.BadSignature:
        logger.warning(
            "A webhook was not signed by Ramp.", extra={"subscription": str(subscription_id)}
        )
        return HttpResponse(status=401)
    except inbox.UnreadableBody as error:
        logger.warning("A webhook could not be read.", extra={"why": str(error)})
        return HttpResponse(status=400)
    if kept.challenge:
        tasks.ring(tasks.answer_challenge, subscription_id=str(subscription.pk))
    elif kept.asks:
        tasks.ring(tasks.answer_sync_request, connection_id=str(subscription.connection_id))
    elif kept.rings:
        tasks.ring(tasks.poll_connection, connection_id=str(subscription.connection_id))
    return HttpResponse(status=202)
