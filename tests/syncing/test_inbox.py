"""Webhook deliveries: kept once, before they are answered, and rung for."""

import base64
import hashlib
import hmac
import json
import threading
import uuid
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from django.db import OperationalError
from django.db import connection as database
from django.test import Client

from connections import secrets
from connections.models import Connection, WebhookSubscription
from rampbridge.lib import encryption
from syncing import inbox, schedule
from syncing.inbox import BadSignature, Delivery, UnreadableBody
from syncing.models import Schedule, SyncItem, WebhookEvent
from tests.syncing.world import begin_pull, connection_with_schedule, let_time_pass

pytestmark = pytest.mark.django_db

NOW = datetime(2026, 11, 20, 12, tzinfo=UTC)
SECRET = "ramp_sec_one"
HEADER = "our-own-header-value"


def subscribed(connection: Connection | None = None, secret: str = SECRET) -> WebhookSubscription:
    connection = connection or connection_with_schedule()
    Schedule.objects.filter(pk=connection.pk).update(next_poll_at="2099-01-01T00:00Z")
    subscription = WebhookSubscription.objects.create(connection=connection)
    if secret:
        secrets.keep_webhook_secret(subscription, secret)
    secrets.keep_webhook_header(subscription, HEADER)
    return subscription


def event(**changes: Any) -> bytes:
    about = {
        "id": str(uuid.uuid4()),
        "type": "transactions.ready_to_sync",
        "business_id": str(uuid.uuid4()),
        "object": {"id": str(uuid.uuid4())},
    }
    return json.dumps(about | changes).encode()


def digest(raw: bytes, secret: str = SECRET) -> bytes:
    return hmac.new(secret.encode(), raw, hashlib.sha256).digest()


def signed(raw: bytes, secret: str = SECRET) -> Delivery:
    return Delivery(raw, digest(raw, secret).hex(), "")


def wish(subscription: WebhookSubscription) -> datetime | None:
    return Schedule.objects.get(pk=subscription.connection_id).fetch_due_at


class TestSignature:
    @pytest.mark.parametrize(
        "written",
        [
            lambda raw: digest(raw).hex(),
            lambda raw: digest(raw).hex().upper(),
            lambda raw: "sha256=" + digest(raw).hex(),
            lambda raw: base64.b64encode(digest(raw)).decode(),
        ],
        ids=["hex", "upper", "prefixed", "base64"],
    )
    def test_is_taken_in_every_form_that_ramp_is_said_to_send(self, written: Any) -> None:
        """Contract C13."""
        subscription, raw = subscribed(), event()

        kept = inbox.keep(subscription, Delivery(raw, written(raw), ""), now=NOW)

        assert kept.is_new

    @pytest.mark.parametrize(
        "signature", [None, "", "00" * 32, "nonsense", "é" * 64], ids=lambda value: repr(value)[:9]
    )
    def test_a_wrong_one_keeps_nothing_and_plans_a_catch_up(self, signature: str | None) -> None:
        """Matrix W7: perhaps the secret was rotated, so nothing may be lost either."""
        subscription = subscribed()

        with pytest.raises(BadSignature):
            inbox.keep(subscription, Delivery(event(), signature, ""), now=NOW)

        assert not WebhookEvent.objects.exists()
        assert not schedule.poll_is_due(subscription.connection)
        let_time_pass(inbox.CATCH_UP.total_seconds() + 1)
        assert schedule.poll_is_due(subscription.connection)

    def test_a_storm_of_wrong_ones_plans_one_pull(self) -> None:
        subscription = subscribed()
        for _ in range(5):
            with pytest.raises(BadSignature):
                inbox.keep(subscription, Delivery(event(), "00" * 32, ""), now=NOW)
            let_time_pass(5)

        planned = wish(subscription)
        with pytest.raises(BadSignature):
            inbox.keep(subscription, Delivery(event(), "00" * 32, ""), now=NOW)
        assert wish(subscription) == planned, "an attacker cannot push it off for ever"

    def test_one_customers_secret_does_not_sign_for_another(self) -> None:
        """Matrix W8."""
        ours, theirs = subscribed(), subscribed(secret="ramp_sec_two")
        raw = event()

        with pytest.raises(BadSignature):
            inbox.keep(theirs, signed(raw, SECRET), now=NOW)

        assert not WebhookEvent.objects.exists()
        assert inbox.keep(ours, signed(raw, SECRET), now=NOW).is_new

    def test_every_byte_counts(self) -> None:
        subscription, raw = subscribed(), event()

        with pytest.raises(BadSignature):
            inbox.keep(subscription, Delivery(raw + b" ", digest(raw).hex(), ""), now=NOW)

    def test_the_previous_secret_holds_for_a_while(self) -> None:
        subscription, raw = subscribed(), event()
        subscription.sealed_previous_secret = _sealed_as_previous(subscription, "ramp_sec_old")
        subscription.previous_secret_until = NOW + timedelta(hours=1)

        assert inbox.keep(subscription, signed(raw, "ramp_sec_old"), now=NOW).is_new
        with pytest.raises(BadSignature):
            inbox.keep(subscription, signed(event(), "ramp_sec_old"), now=NOW + timedelta(hours=2))

    def test_our_own_header_is_no_signature(self) -> None:
        """It proves a challenge only: it may be seen by whoever can read Ramp's settings."""
        with pytest.raises(BadSignature):
            inbox.keep(subscribed(), Delivery(event(), None, HEADER), now=NOW)


class TestChallenge:
    CHALLENGE = {"type": "webhooks.verification", "challenge": "ramp_challenge_1"}

    def test_may_come_before_the_secret(self) -> None:
        """Contract 10."""
        subscription = subscribed(secret="")

        kept = inbox.keep(subscription, Delivery(event(**self.CHALLENGE), None, HEADER), now=NOW)

        subscription.refresh_from_db()
        assert kept.challenge == subscription.challenge == "ramp_challenge_1"

    def test_from_somebody_else_is_not_answered(self) -> None:
        subscription = subscribed(secret="")

        with pytest.raises(BadSignature):
            inbox.keep(subscription, Delivery(event(**self.CHALLENGE), None, "guess"), now=NOW)

        subscription.refresh_from_db()
        assert subscription.challenge == ""

    def test_without_a_header_of_ours_nobody_can_guess_an_empty_one(self) -> None:
        subscription = subscribed(secret="")
        WebhookSubscription.objects.update(sealed_header=b"")
        subscription.refresh_from_db()

        with pytest.raises(BadSignature):
            inbox.keep(subscription, Delivery(event(**self.CHALLENGE), None, ""), now=NOW)


class TestKeeping:
    def test_an_event_asks_for_a_pull_at_once(self) -> None:
        """Matrix W3: the wish stands in the same commit as the event."""
        subscription = subscribed()

        kept = inbox.keep(subscription, signed(event()), now=NOW)

        assert kept.rings
        assert schedule.poll_is_due(subscription.connection)
        assert [due.poll for due in schedule.ring()] == [True]

    def test_a_repeated_event_is_the_same_row_and_rings_nobody(self) -> None:
        """Matrix W2, W12."""
        subscription, raw = subscribed(), event()
        inbox.keep(subscription, signed(raw), now=NOW)
        begin_pull(subscription.connection)

        again = inbox.keep(subscription, signed(raw), now=NOW + timedelta(days=30))

        assert not again.is_new
        assert not again.rings
        assert WebhookEvent.objects.get().deliveries == 2
        assert wish(subscription) is None

    def test_a_burst_asks_for_one_pull_per_window(self) -> None:
        """Matrix W10: thirty pulls in a minute at most, however many events."""
        subscription = subscribed()
        inbox.keep(subscription, signed(event()), now=NOW)
        begin_pull(subscription.connection)

        for _ in range(20):
            inbox.keep(subscription, signed(event()), now=NOW)

        assert not schedule.poll_is_due(subscription.connection)
        let_time_pass(inbox.DEBOUNCE.total_seconds() + 0.1)
        assert schedule.poll_is_due(subscription.connection)

    def test_an_event_after_a_quiet_time_does_not_wait_for_the_window(self) -> None:
        subscription = subscribed()
        begin_pull(subscription.connection)
        let_time_pass(60)

        inbox.keep(subscription, signed(event()), now=NOW)

        assert schedule.poll_is_due(subscription.connection)

    def test_an_unknown_type_is_kept_and_rings(self) -> None:
        """Matrix W6."""
        subscription = subscribed()

        assert inbox.keep(subscription, signed(event(type="cats.adopted")), now=NOW).rings

        kept = WebhookEvent.objects.get()
        assert kept.event_type == "cats.adopted"
        assert kept.handled_at is None

    def test_keeps_the_bytes_as_they_came(self) -> None:
        subscription, raw = subscribed(), event(odd="  spaced\u00e9 ")

        inbox.keep(subscription, signed(raw), now=NOW)

        assert bytes(WebhookEvent.objects.get().raw) == raw

    @pytest.mark.parametrize(
        "raw",
        [b"", b"[]", b"no json", b'"text"', b"{}", b'{"type": "x"}', b"[" * 100_000],
        ids=["empty", "list", "text", "string", "object", "no id", "deep"],
    )
    def test_what_is_signed_and_no_event_is_said_to_be_unreadable(self, raw: bytes) -> None:
        with pytest.raises(UnreadableBody):
            inbox.keep(subscribed(), signed(raw), now=NOW)

    @pytest.mark.parametrize("about", [None, "text", {"sync_request_id": "s-1"}, []], ids=repr)
    def test_an_event_need_not_be_about_an_object(self, about: object) -> None:
        """Contract 9: the sync button's event has no object id."""
        assert inbox.keep(subscribed(), signed(event(object=about)), now=NOW).is_new

    def test_a_pull_answers_every_event_before_it(self) -> None:
        """Matrix W5: what they spoke of was read again, in whatever order they came."""
        subscription = subscribed()
        for type_ in ("transactions.synced", "transactions.ready_to_sync"):
            inbox.keep(subscription, signed(event(type=type_)), now=NOW)
        later = WebhookEvent.objects.order_by("id").last()
        assert later is not None
        began_at = later.received_at
        WebhookEvent.objects.filter(pk=later.pk).update(received_at=began_at + timedelta(seconds=1))

        assert inbox.has_unhandled(subscription.connection_id)
        assert inbox.mark_handled(subscription.connection_id, until=began_at, outcome="pulled") == 1
        assert inbox.has_unhandled(subscription.connection_id), "one came after the pull began"

    def test_ramps_echo_of_our_own_report_rings_nobody(self) -> None:
        subscription = subscribed()
        item = _reported_item(subscription.connection)
        echo = event(type="transactions.synced", object={"id": str(item.ramp_id)})

        assert not inbox.keep(subscription, signed(echo), now=NOW).rings

    def test_a_sync_by_somebody_else_rings(self) -> None:
        """Matrix K10."""
        subscription = subscribed()

        assert inbox.keep(subscription, signed(event(type="transactions.synced")), now=NOW).rings


class TestOverHttp:
    def test_answers_202_to_what_is_signed_and_401_to_what_is_not(self, client: Client) -> None:
        """Matrix W7."""
        subscription, raw = subscribed(), event()
        address = f"/webhooks/ramp/{subscription.pk}"

        answers = [
            _deliver(client, address, raw, **{name: digest(raw).hex()})
            for name in ("X-Ramp-Signature", "X-Ramp-Webhook-Signature")
        ]

        assert answers == [202, 202]
        assert _deliver(client, address, raw, **{"X-Ramp-Signature": "00" * 32}) == 401
        assert WebhookEvent.objects.get().deliveries == 2

    def test_a_body_too_long_is_not_read(self, client: Client) -> None:
        """Matrix W11."""
        subscription = subscribed()
        raw = b" " * (inbox.LARGEST_BODY + 1)

        assert _deliver(client, f"/webhooks/ramp/{subscription.pk}", raw) == 413

    def test_our_own_trouble_is_a_503_so_that_ramp_sends_it_again(
        self, client: Client, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        """Matrix W9: any 4xx would lose the event for good."""
        subscription, raw = subscribed(), event()

        def refuse(*_: object, **__: object) -> None:
            raise OperationalError("the database is starting up")

        monkeypatch.setattr("syncing.inbox.keep", refuse)
        signature = {"X-Ramp-Signature": digest(raw).hex()}

        assert _deliver(client, f"/webhooks/ramp/{subscription.pk}", raw, **signature) == 503

    def test_what_is_signed_and_no_event_is_a_400(self, client: Client) -> None:
        subscription = subscribed()
        signature = {"X-Ramp-Signature": digest(b"[]").hex()}

        assert _deliver(client, f"/webhooks/ramp/{subscription.pk}", b"[]", **signature) == 400

    def test_nobodys_address_is_not_found(self, client: Client) -> None:
        assert _deliver(client, f"/webhooks/ramp/{uuid.uuid4()}", event()) == 404


@pytest.mark.django_db(transaction=True)
def test_one_event_delivered_ten_times_at_once_is_one_row_and_rings_once() -> None:
    """Matrix W4, with ten connections to the database."""
    subscription, raw = subscribed(), event()
    start = threading.Barrier(10)
    kept: list[bool] = []

    def deliver() -> None:
        start.wait(20)
        kept.append(inbox.keep(subscription, signed(raw), now=NOW).rings)
        database.close()

    threads = [threading.Thread(target=deliver) for _ in range(10)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(20)

    assert sorted(kept) == [False] * 9 + [True]
    assert WebhookEvent.objects.get().deliveries == 10


def _deliver(client: Client, address: str, raw: bytes, **headers: str) -> int:
    answer = client.post(address, raw, content_type="application/json", headers=headers)
    return answer.status_code


def _sealed_as_previous(subscription: WebhookSubscription, secret: str) -> bytes:
    context = encryption.row_context(
        "connections_webhooksubscription", "sealed_previous_secret", subscription.pk
    )
    return encryption.seal(secret.encode(), context=context)


def _reported_item(connection: Connection) -> SyncItem:
    now = datetime.now(UTC)
    return SyncItem.objects.create(
        connection=connection, object_type="transaction", ramp_id=uuid.uuid4(), label="Figma",
        state="ACKED", state_at=now, ready_at=now, seen_ready_at=now, snapshot_at=now,
        content_hash="x", acked_at=now,
    )  # fmt: skip
