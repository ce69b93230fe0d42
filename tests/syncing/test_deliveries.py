"""Deliveries as they come in over HTTP: by their own door, to addresses that are remembered."""

import io
import uuid
from collections.abc import Callable, Iterator
from typing import Any
from unittest.mock import patch
from wsgiref.util import setup_testing_defaults

import pytest
from django.core.signals import request_finished, request_started
from django.db import close_old_connections
from django.db import connection as database
from django.test.utils import CaptureQueriesContext

from connections import secrets
from connections.models import WebhookSubscription
from rampbridge.webhook_door import with_webhook_door
from syncing import subscriptions, tasks
from syncing.models import Schedule, WebhookEvent
from tests.syncing.test_inbox import SECRET, digest, event, subscribed
from tests.syncing.world import begin_pull, let_time_pass

Deliver = Callable[..., int]


@pytest.fixture
def deliver() -> Iterator[Deliver]:
    """Send a body to a subscription's address, past gunicorn. Gives back the status."""
    door = with_webhook_door(pages=lambda *_: pytest.fail("It came in by the door for people."))

    def send(subscription: WebhookSubscription, raw: bytes, secret: str = SECRET) -> int:
        environ: dict[str, Any] = {}
        setup_testing_defaults(environ)
        environ |= {
            "REQUEST_METHOD": "POST",
            "PATH_INFO": f"/webhooks/ramp/{subscription.pk}",
            "CONTENT_LENGTH": str(len(raw)),
            "HTTP_X_RAMP_SIGNATURE": digest(raw, secret).hex(),
            "wsgi.input": io.BytesIO(raw),
        }
        said: list[str] = []
        answer = door(environ, lambda status, _headers: said.append(status))
        assert list(answer) == [b""]
        return int(said[0].split()[0])

    signals = (request_started, request_finished)
    for signal in signals:  # the test's own line is not to be closed
        signal.disconnect(close_old_connections)
    yield send
    for signal in signals:
        signal.connect(close_old_connections)


@pytest.fixture
def rung() -> Any:
    with patch.object(tasks, "ring") as ring:
        yield ring


@pytest.mark.django_db
class TestWhatIsRemembered:
    def test_a_delivery_to_a_known_address_takes_one_statement(
        self, deliver: Deliver, rung: Any
    ) -> None:
        subscription = subscribed()
        deliver(subscription, event())

        with CaptureQueriesContext(database) as statements:
            assert deliver(subscription, event()) == 202

        assert len([one for one in statements if "SAVEPOINT" not in one["sql"]]) == 1
        assert subscription.events.count() == 2
        subscription.refresh_from_db()
        assert subscription.last_event_at is not None

    def test_a_storm_rings_once_for_one_pull(self, deliver: Deliver, rung: Any) -> None:
        subscription = subscribed()
        deliver(subscription, event(type="transactions.receipt_added"))  # now it is known
        for _ in range(3):
            deliver(subscription, event())

        rung.assert_called_once_with(
            tasks.poll_connection, connection_id=str(subscription.connection_id)
        )
        begin_pull(subscription.connection)
        deliver(subscription, event())
        assert rung.call_count == 1, "what waits for company is the sweep's"
        assert Schedule.objects.get(pk=subscription.connection_id).fetch_types == ["transaction"]

    def test_the_same_event_again_is_the_same_row_and_no_wish(
        self, deliver: Deliver, rung: Any
    ) -> None:
        subscription, raw = subscribed(), event()
        deliver(subscription, event(type="transactions.receipt_added"))
        deliver(subscription, raw)
        begin_pull(subscription.connection)
        let_time_pass(60)

        assert deliver(subscription, raw) == 202

        assert max(subscription.events.values_list("deliveries", flat=True)) == 2
        assert Schedule.objects.get(pk=subscription.connection_id).fetch_due_at is None

    @pytest.mark.matrix("W7")
    def test_a_secret_that_was_changed_is_noticed_at_once(
        self, deliver: Deliver, rung: Any
    ) -> None:
        subscription = subscribed()
        deliver(subscription, event())
        secrets.keep_webhook_secret(WebhookSubscription.objects.get(pk=subscription.pk), "another")

        assert deliver(subscription, event()) == 401
        assert deliver(subscription, event(), secret="another") == 202

    def test_a_webhook_that_is_gone_is_unknown_at_once(self, deliver: Deliver, rung: Any) -> None:
        subscription = subscribed()
        deliver(subscription, event())
        WebhookSubscription.objects.filter(pk=subscription.pk).delete()

        assert deliver(subscription, event()) == 404

    @pytest.mark.matrix("W8")
    def test_a_business_that_was_changed_is_noticed_at_once(
        self, deliver: Deliver, rung: Any
    ) -> None:
        subscription = subscribed()
        ours = str(subscription.connection.ramp_business_id)
        deliver(subscription, event(business_id=ours))
        type(subscription.connection).objects.filter(pk=subscription.connection_id).update(
            ramp_business_id=uuid.uuid4()
        )

        assert deliver(subscription, event(business_id=ours)) == 202

        parked = WebhookEvent.objects.order_by("id").last()
        assert parked is not None
        assert parked.connection_id is None

    def test_addresses_without_end_do_not_fill_the_memory(
        self, deliver: Deliver, rung: Any
    ) -> None:
        with patch.object(subscriptions, "MOST", 2):
            for one in [subscribed(secret=SECRET) for _ in range(4)]:
                assert deliver(one, event()) == 202

        assert len(subscriptions._remembered) <= 2


@pytest.mark.django_db(transaction=True)
def test_a_line_to_the_database_that_was_cut_loses_no_delivery(deliver: Deliver, rung: Any) -> None:
    subscription = subscribed()
    deliver(subscription, event())
    with database.cursor() as cursor:
        cursor.execute("SELECT pg_backend_pid()")
        (pid,) = cursor.fetchone()
    other = database.copy()
    with other.cursor() as cursor:
        cursor.execute("SELECT pg_terminate_backend(%s, 5000)", [pid])
    other.close()

    assert deliver(subscription, event()) == 202
    assert subscription.events.count() == 2


def test_only_addresses_of_webhooks_come_in_by_their_door() -> None:
    came = []

    def pages(environ: dict[str, Any], _: Any) -> list[bytes]:
        came.append(environ["PATH_INFO"])
        return []

    door = with_webhook_door(pages)
    others = ["/webhooks/", "/webhooks/ramp/x", f"/webhooks/ramp/{uuid.uuid4()}/reveal", "/"]

    for path in others:
        door({"PATH_INFO": path}, lambda *_: None)

    assert came == others
