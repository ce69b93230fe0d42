"""What Sentry is told of a fault, and what it is not."""

import json
from collections.abc import Iterator

import pytest
import sentry_sdk
from django.contrib.auth.decorators import login_not_required
from django.http import HttpRequest, HttpResponse
from django.test import Client
from django.urls import path
from django.views.decorators.csrf import csrf_exempt
from sentry_sdk.envelope import Envelope
from sentry_sdk.transport import Transport

from rampbridge import crash_reports, logs


@csrf_exempt
@login_not_required
def breaks(request: HttpRequest, number: int) -> HttpResponse:
    card = SECRETS[1]
    raise RuntimeError(f"key {SECRETS[0]} failed\nDETAIL: row of {card}")


urlpatterns = [path("healthz/<int:number>", breaks, name="healthz")]


class Kept(Transport):
    """In place of the network."""

    def __init__(self) -> None:
        super().__init__()
        self.sent: list[Envelope] = []

    def capture_envelope(self, envelope: Envelope) -> None:
        self.sent.append(envelope)


SECRETS = ("hidden-canary", "card-canary")
"""Down here: a report carries the lines of our code around the fault."""


@pytest.fixture
def kept() -> Iterator[Kept]:
    kept = Kept()
    before = sentry_sdk.get_global_scope().client
    crash_reports.start(
        "https://key@sentry.example/1", release="1.2.3", environment="test", transport=kept
    )
    yield kept
    sentry_sdk.get_global_scope().set_client(before)


@pytest.mark.urls(__name__)
def test_a_fault_is_told_without_secrets_bodies_or_people(client: Client, kept: Kept) -> None:
    logs.remember_secrets(SECRETS[:1])
    client.raise_request_exception = False

    answer = client.post(
        "/healthz/1?q=query-canary",
        {"name": "body-canary"},
        headers={"authorization": "Bearer header-canary", "cookie": "a=cookie-canary"},
    )

    assert answer.status_code == 500
    (event,) = [item.payload.json for envelope in kept.sent for item in envelope.items]
    assert event is not None
    text = json.dumps(event)
    assert "RuntimeError" in text
    assert "rampbridge@1.2.3" in text
    assert "canary" not in text
    assert "user" not in event


def test_an_event_loses_what_nobody_needs() -> None:
    event = crash_reports.redacted(
        {
            "user": {"id": "1"},
            "server_name": "host",
            "request": {"url": "https://x/items/?q=secret", "headers": {"A": "b"}, "data": "c"},
            "extra": {"sys.argv": ["x"]},
            "exception": {"values": [{"type": "E", "value": "Bearer abcdefghijk\nDETAIL: row"}]},
        },
        {},
    )

    assert event == {
        "request": {"url": "https://x/items/"},
        "exception": {"values": [{"type": "E", "value": f"Bearer {logs.REDACTED}"}]},
    }
