"""Headers of a delivery: kept where they are harmless, and shown on its page."""

import json
from uuid import uuid4

import pytest
from django.test import Client
from django.urls import reverse

from connections import secrets
from connections.services import OWN_HEADER
from rampbridge.lib.signing import sign
from syncing.models import WebhookEvent
from syncing.webhook_headers import LONGEST, harmless
from tests.factories import UserFactory, WebhookSubscriptionFactory

SECRET = "s3cret-of-the-webhook"


def test_keeps_what_is_harmless_and_of_a_signature_its_length() -> None:
    headers = {
        "Content-Type": "application/json",
        "X-Ramp-Signature": "a" * 64,
        "X-Ramp-Event": "x" * 999,
        "Cookie": "sessionid=1",
        "Authorization": "Bearer abc",
        OWN_HEADER: "proof",
    }

    assert harmless(headers, never=OWN_HEADER) == {
        "Content-Type": "application/json",
        "X-Ramp-Event": "x" * LONGEST,
        "X-Ramp-Signature": "64 characters, not kept",
    }


@pytest.mark.django_db
def test_are_kept_with_the_first_delivery_and_shown(client: Client) -> None:
    subscription = WebhookSubscriptionFactory.create()
    secrets.keep_webhook_secret(subscription, SECRET)
    raw = json.dumps({"id": str(uuid4()), "type": "transactions.ready_to_sync"}).encode()
    signature = sign(raw, secret=SECRET)
    for agent in ("Ramp/1", "Ramp/2"):
        answer = client.post(
            f"/webhooks/ramp/{subscription.pk}",
            raw,
            content_type="application/json",
            headers={"X-Ramp-Signature": signature, "User-Agent": agent, OWN_HEADER: "proof"},
        )
        assert answer.status_code == 202

    event = WebhookEvent.objects.get()
    client.force_login(UserFactory.create(roles=["support"]))
    html = client.get(reverse("webhook_event", args=[event.pk])).content.decode()

    assert event.headers["User-Agent"] == "Ramp/1"
    assert "proof" not in json.dumps(event.headers)
    assert "Ramp/1" in html
    assert f"{len(signature)} characters, not kept" in html
    assert signature not in html
