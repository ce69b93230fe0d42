"""The webhook endpoint as the manual of Django would have it: a view, the ORM, a task.

It does the same job: checks the signature over the raw bytes, keeps the event once, counts the
delivery, asks for a pull and rings. As a module it is also what gunicorn serves.
"""

import hashlib
import hmac
import json
import uuid

from django.conf import settings
from django.core.wsgi import get_wsgi_application
from django.db import transaction
from django.db.models import F
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404
from django.urls import path
from django.utils import timezone
from django.views.decorators.csrf import csrf_exempt
from django.views.decorators.http import require_POST

application = get_wsgi_application()

from django.contrib.auth.decorators import login_not_required  # noqa: E402  needs the apps

from connections import secrets  # noqa: E402
from connections.models import WebhookSubscription  # noqa: E402
from syncing import tasks  # noqa: E402
from syncing.models import Schedule, WebhookEvent  # noqa: E402


@csrf_exempt
@login_not_required
@require_POST
def webhook(request: HttpRequest, subscription_id: uuid.UUID) -> HttpResponse:
    subscriptions = WebhookSubscription.objects.select_related("connection")
    subscription = get_object_or_404(subscriptions, pk=subscription_id)
    now = timezone.now()
    given = request.headers.get("X-Ramp-Signature", "")
    if not any(
        hmac.compare_digest(given, _signature(request.body, secret))
        for secret in secrets.webhook_secrets(subscription, now=now)
    ):
        return HttpResponse(status=401)
    event = json.loads(request.body)
    connection = subscription.connection
    with transaction.atomic():
        row, is_new = WebhookEvent.objects.get_or_create(
            event_id=event["id"],
            defaults={
                "subscription": subscription,
                "connection": connection,
                "event_type": event["type"],
                "object_id": event["object"]["id"],
                "raw": request.body,
                "headers": dict(request.headers),
                "received_at": now,
            },
        )
        if not is_new:
            WebhookEvent.objects.filter(pk=row.pk).update(deliveries=F("deliveries") + 1)
        subscription.last_event_at = now
        subscription.save(update_fields=["last_event_at"])
        if is_new:
            Schedule.objects.filter(connection=connection).update(fetch_due_at=now)
    if is_new:
        tasks.poll_connection.delay(connection_id=str(connection.pk))
    return HttpResponse(status=202)


def _signature(body: bytes, secret: str) -> str:
    return hmac.new(secret.encode(), body, hashlib.sha256).hexdigest()


urlpatterns = [
    path("webhooks/ramp/<uuid:subscription_id>", webhook, name="ramp_webhook"),
    path("healthz", lambda _: HttpResponse(), name="healthz"),
]
settings.ROOT_URLCONF = __name__
