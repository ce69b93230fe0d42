"""Webhook deliveries: kept once, before they are answered, and rung for."""

import base64
import gzip
import hashlib
import hmac
import io
import json
import threading
import uuid
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from django.core.handlers.wsgi import WSGIRequest
from django.db import OperationalError
from django.db import connection as database
from django.test import Client, RequestFactory

from connections import secrets
from connections.models import Connection, WebhookSubscription
from rampbridge.lib import encryption
from syncing import inbox, poll_schedule, schedule
from syncing.api import webhooks
from syncing.inbox import BadSignature, Delivery, UnreadableBody
from syncing.models import Schedule, SyncItem, SyncRun, WebhookEvent
from syncing.pull_endings import Ending
from tests.syncing.world import (
    begin_pull,
    connection_with_schedule,
    let_time_pass,
    poll_is_due,
)

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
        "object": {"id": str(uuid.uuid4())},
    }
    return json.dumps(about | changes).encode()


def digest(raw: bytes, secret: str = SECRET) -> bytes:
    return hmac.new(secret.encode(), raw, hashlib.sha256).digest()


def signed(raw: bytes, secret: str = SECRET) -> Delivery:
    return Delivery(raw, digest(raw, secret).hex(), "")


def wish(subscription: WebhookSubscription) -> datetime | None:
    return Schedule.objects.get(pk=subscription.connection_id).fetch_due_at


def refuse(subscription: WebhookSubscription, delivery: Delivery | None = None) -> None:
    with pytest.raises(BadSignature):
        inbox.keep(subscription, delivery or Delivery(event(), "00" * 32, ""), now=NOW)


def is_waiting(subscription: WebhookSubscription) -> bool:
    """Whether an event waits for a pull."""
    return subscription.events.filter(handled_at=None).exists()


def wanted_lists(subscription: WebhookSubscription) -> list[str]:
    return list(Schedule.objects.get(pk=subscription.connection_id).fetch_types)


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

    @pytest.mark.matrix("W7")
    @pytest.mark.parametrize(
        "signature", [None, "", "00" * 32, "nonsense", "é" * 64], ids=lambda value: repr(value)[:9]
    )
    def test_a_wrong_one_is_counted_and_has_no_effect(self, signature: str | None) -> None:
        subscription = subscribed()

        refuse(subscription, Delivery(event(), signature, ""))

        counted = WebhookEvent.objects.get()
        assert (counted.event_type, counted.deliveries, counted.raw) == (
            WebhookEvent.REFUSED,
            1,
            b"",
        )
        assert counted.handled_at is not None
        assert not is_waiting(subscription)
        assert wish(subscription) is None

    @pytest.mark.matrix("W7")
    def test_several_wrong_ones_plan_one_catch_up(self) -> None:
        """Perhaps the secret was changed, and then nothing of it may be lost."""
        subscription = subscribed()
        for _ in range(3):
            refuse(subscription)
        assert wish(subscription) is None

        refuse(subscription)

        assert WebhookEvent.objects.get().deliveries == 4, "and one row, whoever knocks how often"
        assert not poll_is_due(subscription.connection)
        let_time_pass(inbox.CATCH_UP.total_seconds() + 1)
        assert poll_is_due(subscription.connection)

    @pytest.mark.matrix("W7")
    def test_a_storm_of_wrong_ones_plans_one_pull(self) -> None:
        subscription = subscribed()
        for _ in range(5):
            refuse(subscription)
        let_time_pass(20)

        planned = wish(subscription)
        refuse(subscription)
        assert wish(subscription) == planned, "an attacker cannot push it off for ever"

    @pytest.mark.matrix("W8")
    def test_one_customers_secret_does_not_sign_for_another(self) -> None:
        ours, theirs = subscribed(), subscribed(secret="ramp_sec_two")
        raw = event()

        refuse(theirs, signed(raw, SECRET))

        assert not WebhookEvent.objects.exclude(event_type=WebhookEvent.REFUSED).exists()
        assert inbox.keep(ours, signed(raw, SECRET), now=NOW).is_new

    @pytest.mark.matrix("W8")
    def test_an_event_of_another_customer_is_refused_though_signed_right(
        self, caplog: pytest.LogCaptureFixture
    ) -> None:
        ours, theirs = subscribed(), subscribed(secret="ramp_sec_two")
        raw = event(business_id=str(theirs.connection.ramp_business_id))

        refuse(ours, signed(raw))

        (counted,) = WebhookEvent.objects.all()
        assert counted.connection == ours.connection
        assert "another customer" in counted.outcome
        assert wish(ours) is None
        assert wish(theirs) is None
        assert "another business" in caplog.text

    @pytest.mark.matrix("W6")
    def test_an_event_of_a_business_that_nobody_knows_is_parked(self) -> None:
        subscription = subscribed()
        raw = event(business_id=str(uuid.uuid4()))

        kept = inbox.keep(subscription, signed(raw), now=NOW)

        assert (kept.is_new, kept.rings) == (True, False)
        parked = WebhookEvent.objects.get()
        assert (parked.connection, parked.handled_at) == (None, None)
        assert "do not know" in parked.outcome
        assert bytes(parked.raw) == raw
        assert wish(subscription) is None

    def test_an_event_of_the_customers_own_business_rings(self) -> None:
        subscription = subscribed()
        raw = event(business_id=str(subscription.connection.ramp_business_id).upper())

        assert inbox.keep(subscription, signed(raw), now=NOW).rings

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
    @pytest.mark.matrix("W3")
    def test_an_event_asks_for_a_pull_at_once(self) -> None:
        """The wish stands in the same commit as the event."""
        subscription = subscribed()

        kept = inbox.keep(subscription, signed(event()), now=NOW)

        assert kept.rings
        assert poll_is_due(subscription.connection)
        assert [due.poll for due in schedule.ring()] == [True]

    @pytest.mark.matrix("W1")
    def test_a_delivery_that_died_before_it_was_kept_is_as_if_it_never_came(
        self, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        """Ramp has no answer, so it sends the event again; and the poll would find its object."""
        subscription, raw = subscribed(), event()
        with monkeypatch.context() as patch:
            patch.setattr("syncing.inbox._insert", _kill)
            with pytest.raises(Killed):
                inbox.keep(subscription, signed(raw), now=NOW)
        assert not WebhookEvent.objects.exists()
        assert wish(subscription) is None

        kept = inbox.keep(subscription, signed(raw), now=NOW)

        assert (kept.is_new, kept.rings) == (True, True)
        assert WebhookEvent.objects.get().deliveries == 1

    @pytest.mark.matrix("W2", "W3")
    def test_an_event_and_its_wish_stand_together_or_not_at_all(
        self, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        subscription, raw = subscribed(), event()
        with monkeypatch.context() as patch:
            patch.setattr("syncing.poll_schedule.fetch_once_quiet", _kill)
            with pytest.raises(Killed):
                inbox.keep(subscription, signed(raw), now=NOW)

        assert not WebhookEvent.objects.exists()
        assert inbox.keep(subscription, signed(raw), now=NOW).rings, "and it comes again"

    @pytest.mark.matrix("W2", "W12")
    def test_a_repeated_event_is_the_same_row_and_rings_nobody(self) -> None:
        subscription, raw = subscribed(), event()
        inbox.keep(subscription, signed(raw), now=NOW)
        begin_pull(subscription.connection)

        again = inbox.keep(subscription, signed(raw), now=NOW + timedelta(days=30))

        assert not again.is_new
        assert not again.rings
        assert WebhookEvent.objects.get().deliveries == 2
        assert wish(subscription) is None

    @pytest.mark.matrix("W10")
    def test_a_burst_asks_for_one_pull_per_window(self) -> None:
        """Thirty pulls in a minute at most, however many events."""
        subscription = subscribed()
        inbox.keep(subscription, signed(event()), now=NOW)
        begin_pull(subscription.connection)

        for _ in range(20):
            inbox.keep(subscription, signed(event()), now=NOW)

        assert not poll_is_due(subscription.connection)
        let_time_pass(inbox.DEBOUNCE.total_seconds() + 0.1)
        assert poll_is_due(subscription.connection)

    def test_an_event_after_a_quiet_time_does_not_wait_for_the_window(self) -> None:
        subscription = subscribed()
        begin_pull(subscription.connection)
        let_time_pass(60)

        inbox.keep(subscription, signed(event()), now=NOW)

        assert poll_is_due(subscription.connection)

    @pytest.mark.matrix("W6")
    def test_an_unknown_type_is_kept_for_people_to_see(self) -> None:
        subscription = subscribed()

        kept = inbox.keep(subscription, signed(event(type="cats.adopted")), now=NOW)

        assert (kept.is_new, kept.rings) == (True, False)
        row = WebhookEvent.objects.get()
        assert row.event_type == "cats.adopted"
        assert "Not a type of event" in row.outcome
        assert wish(subscription) is None

    @pytest.mark.parametrize(
        ("type_", "list_name"),
        [
            ("transactions.ready_to_sync", "transaction"),
            ("transactions.sync_requested", "transaction"),
            ("transactions.synced", "transaction"),
            ("reimbursements.ready_to_sync", "reimbursement"),
            ("reimbursements.sync_requested", "reimbursement"),
            ("bills.ready_to_sync", "bill"),
            ("bills.paid", "bill"),
            ("bills.archived", "bill"),
        ],
    )
    def test_an_event_asks_for_the_list_of_its_type_alone(self, type_: str, list_name: str) -> None:
        subscription = subscribed()

        assert inbox.keep(subscription, signed(event(type=type_)), now=NOW).rings

        assert wanted_lists(subscription) == [list_name]

    def test_events_of_several_types_ask_for_the_lists_of_all(self) -> None:
        subscription = subscribed()
        for type_ in ("bills.paid", "transactions.synced", "bills.archived"):
            inbox.keep(subscription, signed(event(type=type_)), now=NOW)

        assert sorted(wanted_lists(subscription)) == ["bill", "transaction"]

    def test_a_wish_for_everything_stays_one(self) -> None:
        subscription = subscribed()
        poll_schedule.fetch_soon(subscription.connection_id)
        inbox.keep(subscription, signed(event()), now=NOW)

        assert wanted_lists(subscription) == []
        assert wish(subscription) is not None

    def test_a_receipt_follows_its_item_and_pulls_nothing(self) -> None:
        """F-22."""
        subscription = subscribed()
        item = _reported_item(subscription.connection)
        raw = event(type="transactions.receipt_added", object={"id": str(item.ramp_id)})

        assert not inbox.keep(subscription, signed(raw), now=NOW).rings

        assert item.attachments.count() == 1
        assert WebhookEvent.objects.get().outcome == "receipt wished for"

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

    @pytest.mark.matrix("W5")
    def test_a_pull_answers_every_event_before_it(self) -> None:
        """What they spoke of was read again, in whatever order they came."""
        subscription = subscribed()
        for type_ in ("transactions.synced", "transactions.ready_to_sync"):
            inbox.keep(subscription, signed(event(type=type_)), now=NOW)
        later = WebhookEvent.objects.order_by("id").last()
        assert later is not None
        began_at = later.received_at
        WebhookEvent.objects.filter(pk=later.pk).update(received_at=began_at + timedelta(seconds=1))

        assert is_waiting(subscription)
        with poll_schedule.only_poller(subscription.connection, trigger="webhook") as lease:
            assert lease is not None
            run = SyncRun.objects.get()
            assert run.pk == lease.run_id
            ending = Ending(run, answers_until=began_at)
            lease.pull_done(next_in=poll_schedule.AT_ONCE, ending=ending)
        assert [one.pk for one in run.events.all()] != [later.pk]
        assert run.events.count() == 1
        assert is_waiting(subscription), "one came after the pull began"

    def test_ramps_echo_of_our_own_report_rings_nobody(self) -> None:
        subscription = subscribed()
        item = _reported_item(subscription.connection)
        echo = event(type="transactions.synced", object={"id": str(item.ramp_id)})

        assert not inbox.keep(subscription, signed(echo), now=NOW).rings

    @pytest.mark.matrix("K10")
    def test_a_sync_by_somebody_else_rings(self) -> None:
        subscription = subscribed()

        assert inbox.keep(subscription, signed(event(type="transactions.synced")), now=NOW).rings


class Killed(BaseException):
    """The process is gone."""


def _kill(*_: object, **__: object) -> None:
    raise Killed


class Endless(io.RawIOBase):
    """A body without end."""

    was_read = 0

    def read(self, size: int = -1) -> bytes:
        assert size >= 0, "read it all"
        self.was_read += size
        return b" " * size


class TestOverHttp:
    @pytest.mark.matrix("W7")
    def test_answers_202_to_what_is_signed_and_401_to_what_is_not(self, client: Client) -> None:
        subscription, raw = subscribed(), event()
        address = f"/webhooks/ramp/{subscription.pk}"

        answers = [
            _deliver(client, address, raw, **{name: digest(raw).hex()})
            for name in ("X-Ramp-Signature", "X-Ramp-Webhook-Signature")
        ]

        assert answers == [202, 202]
        assert _deliver(client, address, raw, **{"X-Ramp-Signature": "00" * 32}) == 401
        assert WebhookEvent.objects.exclude(event_type=WebhookEvent.REFUSED).get().deliveries == 2

    @pytest.mark.matrix("W11")
    def test_a_body_too_long_is_not_read(self, client: Client) -> None:
        subscription = subscribed()
        raw = b" " * (inbox.LARGEST_BODY + 1)

        assert _deliver(client, f"/webhooks/ramp/{subscription.pk}", raw) == 413

    @pytest.mark.matrix("W11")
    @pytest.mark.parametrize("length", [None, "", "-1", "many"])
    def test_a_body_of_unknown_length_is_not_read(self, length: str | None) -> None:
        """Chunked, it may never end."""
        subscription = subscribed()
        body = Endless()
        headers = {} if length is None else {"CONTENT_LENGTH": length}

        assert _deliver_endless(subscription, body, headers) == 411

        assert body.was_read == 0

    @pytest.mark.matrix("W11")
    def test_what_comes_beyond_the_announced_length_is_not_read(self) -> None:
        subscription = subscribed()
        body = Endless()

        assert _deliver_endless(subscription, body, {"CONTENT_LENGTH": "1000"}) == 401

        assert 0 < body.was_read <= 1000

    @pytest.mark.matrix("W11")
    def test_a_compressed_body_is_never_unpacked(self, client: Client) -> None:
        """Signed or not: a few bytes may become gigabytes."""
        subscription = subscribed()
        raw = gzip.compress(b" " * 1_000_000)
        signature = {"X-Ramp-Signature": digest(raw).hex(), "Content-Encoding": "gzip"}

        assert _deliver(client, f"/webhooks/ramp/{subscription.pk}", raw, **signature) == 400

    @pytest.mark.matrix("W9")
    def test_our_own_trouble_is_a_503_so_that_ramp_sends_it_again(
        self, client: Client, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        """Any 4xx would lose the event for good."""
        subscription, raw = subscribed(), event()

        def refuse(*_: object, **__: object) -> None:
            raise OperationalError("the database is starting up")

        monkeypatch.setattr("syncing.inbox.receive", refuse)
        signature = {"X-Ramp-Signature": digest(raw).hex()}

        assert _deliver(client, f"/webhooks/ramp/{subscription.pk}", raw, **signature) == 503

    def test_what_is_signed_and_no_event_is_a_400(self, client: Client) -> None:
        subscription = subscribed()
        signature = {"X-Ramp-Signature": digest(b"[]").hex()}

        assert _deliver(client, f"/webhooks/ramp/{subscription.pk}", b"[]", **signature) == 400

    def test_nobodys_address_is_not_found(self, client: Client) -> None:
        assert _deliver(client, f"/webhooks/ramp/{uuid.uuid4()}", event()) == 404


@pytest.mark.django_db(transaction=True)
@pytest.mark.matrix("W4")
def test_one_event_delivered_ten_times_at_once_is_one_row_and_rings_once() -> None:
    """With ten connections to the database."""
    subscription, raw = subscribed(), event()
    start = threading.Barrier(10)
    kept: list[bool] = []

    def deliver() -> None:
        start.wait(60)
        kept.append(inbox.keep(subscription, signed(raw), now=NOW).rings)
        database.close()

    threads = [threading.Thread(target=deliver) for _ in range(10)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)

    assert sorted(kept) == [False] * 9 + [True]
    assert WebhookEvent.objects.get().deliveries == 10


def _deliver(client: Client, address: str, raw: bytes, **headers: str) -> int:
    answer = client.post(address, raw, content_type="application/json", headers=headers)
    return answer.status_code


def _deliver_endless(
    subscription: WebhookSubscription, body: Endless, headers: dict[str, str]
) -> int:
    environ = RequestFactory().post(f"/webhooks/ramp/{subscription.pk}").environ
    environ.pop("CONTENT_LENGTH", None)
    request = WSGIRequest(environ | {"wsgi.input": body} | headers)
    return webhooks.ramp_webhook(request, subscription.pk).status_code


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
