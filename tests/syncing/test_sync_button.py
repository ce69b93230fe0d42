"""The sync button: what was asked for is answered within five minutes, in success or in words."""

import json
import threading
import uuid
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from types import SimpleNamespace
from typing import Any
from uuid import UUID

import httpx
import orjson
import pytest
from django.contrib.postgres.functions import TransactionNow

from connections import secrets
from connections.erp.errors import Code
from connections.erp.records import Document, Posted
from connections.erp.refusals import refusal
from connections.models import Connection, WebhookSubscription
from connections.ramp.client import RampClient
from connections.ramp.rate_limit import Lane
from connections.ramp_simulator.app import Simulator
from connections.ramp_simulator.records import RequestedRow, Transaction
from connections.ramp_simulator.records import SyncRequest as Asked
from rampbridge.lib import signing
from syncing import claims, inbox, pauses, results, sync_requests, tasks
from syncing.engine import post_due_items
from syncing.models import AckBatch, ItemEvent, Schedule, SyncItem, SyncRequest, WebhookEvent
from syncing.snapshots import database_now
from syncing.sync_button import NO_TIME, NO_TIME_TITLE
from tests.syncing.ramp import Customer
from tests.syncing.world import let_time_pass

pytestmark = pytest.mark.django_db

NOON = datetime(2026, 11, 20, 12, tzinfo=UTC)
FLAGS: dict[str, Any] = {
    "transaction_sync_button_enabled": True,
    "reimbursement_sync_button_enabled": True,
}


class Clock:
    """One time for Ramp, the database and whoever measures."""

    def __init__(self) -> None:
        self.elapsed = 0.0
        self._settled = 0.0
        self._lock = threading.Lock()

    def now(self) -> datetime:
        return datetime.now(UTC) + timedelta(seconds=self.elapsed)

    def spend(self, seconds: float) -> None:
        """Time goes by inside an ERP's call. The database hears of it by `settle`."""
        with self._lock:
            self.elapsed += seconds

    def settle(self) -> None:
        if self.elapsed > self._settled:
            let_time_pass(self.elapsed - self._settled)
            self._settled = self.elapsed

    def pass_by(self, seconds: float) -> None:
        self.spend(seconds)
        self.settle()


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def customer(clock: Clock, monkeypatch: pytest.MonkeyPatch) -> Iterator[Customer]:
    """A customer with both buttons on, whose tasks find the pretend Ramp and the ERP in memory."""
    sim = Simulator.with_scenario("empty", rate_limit=False, clock=clock.now)
    customer = Customer(sim=sim, types=("transaction", "reimbursement"))
    seat = customer.business.connection
    assert seat is not None
    customer.connection.ramp_connection_id = UUID(seat.id)
    customer.connection.save()
    customer.ramp.update_connection(UUID(seat.id), FLAGS)  # type: ignore[arg-type]
    monkeypatch.setattr("connections.clients.ramp_client", lambda *_, **__: customer.ramp)
    monkeypatch.setattr("connections.clients.erp_adapter", lambda *_: customer.world.erp)
    monkeypatch.setattr("syncing.tasks.mapping_set", lambda *_: customer.world.mappings)
    monkeypatch.setattr("syncing.tasks.ring", lambda *_, **__: None)
    monkeypatch.setattr("syncing.tasks.answer_here", lambda *_: None)
    yield customer
    sim.close()


def press(customer: Customer, object_type: str = "transaction", ids: Any = None) -> UUID:
    """Somebody presses the button, and Ramp's webhook arrives."""
    asked = customer.business.press_sync_button(object_type, ids)
    assert asked is not None
    sync_requests.receive(customer.connection.pk, object_type, UUID(asked.id))
    return UUID(asked.id)


def turn(customer: Customer) -> None:
    """What the sweep rings for every two seconds."""
    tasks.answer_sync_request(connection_id=str(customer.connection.pk))


def request() -> SyncRequest:
    return SyncRequest.objects.get()


def rows_of(customer: Customer, asked: UUID) -> dict[str, str]:
    """What the customer sees: the outcome of each row."""
    return {
        row.object_id: str(row.outcome) for row in customer.business.sync_request(str(asked)).rows
    }


def outcomes(customer: Customer, asked: UUID) -> dict[str, int]:
    found: dict[str, int] = {}
    for outcome in rows_of(customer, asked).values():
        found[outcome] = found.get(outcome, 0) + 1
    return found


def said(customer: Customer) -> list[dict[str, Any]]:
    return [orjson.loads(body) for body in customer.sent]


class TestReceipt:
    def test_counts_five_minutes_by_the_databases_clock(self, customer: Customer) -> None:
        Schedule.objects.update(posts_per_second=2.0)

        assert sync_requests.receive(customer.connection.pk, "transaction", uuid.uuid4())

        kept = request()
        assert kept.stop_at - kept.received_at == timedelta(seconds=240)
        assert kept.ends_at - kept.received_at == timedelta(seconds=300)
        assert kept.expected == 470

    @pytest.mark.matrix("S4")
    def test_the_same_press_twice_is_one(self, customer: Customer) -> None:
        asked = uuid.uuid4()

        assert sync_requests.receive(customer.connection.pk, "transaction", asked)
        assert not sync_requests.receive(customer.connection.pk, "transaction", asked)

        assert request().expected is None, "nothing is measured yet"

    @pytest.mark.parametrize("object_type", ["transaction", "reimbursement"])
    def test_is_kept_with_the_webhook(self, customer: Customer, object_type: str) -> None:
        """R-84."""
        asked = uuid.uuid4()

        kept = deliver(customer, f"{object_type}s.sync_requested", {"sync_request_id": str(asked)})

        assert kept.asks
        assert not kept.rings, "the press has a pull of its own"
        assert (request().sync_request_id, request().object_type) == (asked, object_type)
        assert WebhookEvent.objects.get().outcome == "sync button"
        assert sync_requests.open_connections() == [customer.connection.pk]

    def test_a_webhook_without_the_requests_id_rings_for_a_pull(self, customer: Customer) -> None:
        kept = deliver(customer, "transactions.sync_requested", {"sync_request_id": "none"})

        assert (kept.asks, kept.rings) == (False, True)
        assert not SyncRequest.objects.exists()


def deliver(customer: Customer, event_type: str, about: dict[str, str]) -> inbox.Kept:
    subscription = WebhookSubscription.objects.create(connection=customer.connection)
    secrets.keep_webhook_secret(subscription, "s3cret")
    subscription.refresh_from_db()
    raw = json.dumps({"id": str(uuid.uuid4()), "type": event_type, "object": about}).encode()
    delivery = inbox.Delivery(
        raw=raw,
        signature=signing.sign(raw, secret="s3cret"),
        own_header="",
    )
    return inbox.keep(subscription, delivery, now=NOON)


class TestAnswer:
    @pytest.mark.parametrize("object_type", ["transaction", "reimbursement"])
    def test_brings_through_what_was_asked_for(self, customer: Customer, object_type: str) -> None:
        """R-83, R-84."""
        customer.world.mappings = replace(
            customer.world.mappings,
            profiles={
                "": replace(customer.world.mappings.profiles[""], reimbursement_account="1000")
            },
        )
        for _ in range(3):
            if object_type == "transaction":
                customer.spend()
            else:
                customer.business.create_reimbursement(account_code="6200", ready=True)
        asked = press(customer, object_type)

        turn(customer)

        assert outcomes(customer, asked) == {"success": 3}
        assert {one["sync_request_id"] for one in said(customer)} == {str(asked)}
        done = request()
        assert done.state == "answered"
        assert (done.requested, done.succeeded, done.failed, done.not_started) == (3, 3, 0, 0)
        assert done.first_ack_at is not None
        assert {one.arrived_by for one in SyncItem.objects.all()} == {"button"}
        assert sync_requests.open_connections() == []

    def test_travels_in_its_own_lane(
        self, customer: Customer, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        lanes: list[Lane] = []

        def client(_connection: Connection, *, lane: Lane = Lane.ORDINARY) -> RampClient:
            lanes.append(lane)
            return customer.ramp

        monkeypatch.setattr("connections.clients.ramp_client", client)
        customer.spend()
        press(customer)

        turn(customer)

        assert lanes == [Lane.BUTTON]

    def test_says_what_is_wrong_under_the_request(self, customer: Customer) -> None:
        customer.world.erp.books.deactivate("account", "6999")  # type: ignore[arg-type]
        customer.spend(account="6999")
        customer.spend()
        asked = press(customer)

        turn(customer)

        assert outcomes(customer, asked) == {"success": 1, "failure": 1}
        assert (request().state, request().succeeded, request().failed) == ("answered", 1, 1)

    def test_asks_again_for_what_has_failed_before_and_tells_it_anew(
        self, customer: Customer
    ) -> None:
        customer.world.erp.books.deactivate("account", "6999")  # type: ignore[arg-type]
        bought = customer.spend(account="6999")
        customer.go_through()
        assert [outcome for outcome, _ in customer.told(bought)] == ["failure"]
        asked = press(customer)

        turn(customer)

        assert outcomes(customer, asked) == {"failure": 1}
        assert [outcome for outcome, _ in customer.told(bought)] == ["failure", "failure"]

    def test_does_not_wait_for_the_time_of_a_retry(self, customer: Customer) -> None:
        bought = customer.spend()
        customer.pull()
        SyncItem.objects.update(due_at=TransactionNow() + timedelta(hours=1))
        asked = press(customer)

        turn(customer)

        assert rows_of(customer, asked) == {bought.id: "success"}

    def test_a_list_that_ramp_cannot_give_now_is_asked_for_again(self, customer: Customer) -> None:
        customer.spend()
        asked = press(customer)
        customer.fault("answer", "GET /transactions", status=503)

        turn(customer)
        assert request().pulled_at is None
        turn(customer)

        assert outcomes(customer, asked) == {"success": 1}

    def test_a_ramp_that_does_not_know_the_filter_does_no_harm(self, customer: Customer) -> None:
        """Contract 9: then it lists everything, ready or not."""

        def lose_filters(sent: httpx.Request) -> None:
            if sent.method == "GET":
                sent.url = sent.url.copy_remove_param("requested_to_sync")
                sent.url = sent.url.copy_remove_param("sync_status")

        through = customer.spend()
        customer.go_through()
        let_time_pass(3600)
        customer.wire.intercept = lose_filters
        ready = customer.spend()
        customer.business.create_transaction(minor=500, account_code="6200")
        asked = press(customer, ids=[ready.id])

        turn(customer)

        assert rows_of(customer, asked) == {ready.id: "success"}
        assert SyncItem.objects.count() == 2
        assert customer.item(through).sync_request is None
        assert [outcome for outcome, _ in customer.told(through)] == ["success"]

    def test_a_request_that_ramp_does_not_know_is_answered_as_any_report(
        self, customer: Customer
    ) -> None:
        """Alpha, and in no published contract: without its id the report still counts."""
        bought = customer.spend()
        customer.business.press_sync_button()
        sync_requests.receive(customer.connection.pk, "transaction", uuid.uuid4())

        turn(customer)
        turn(customer)

        assert customer.state(bought) == "ACKED"
        assert "sync_request_id" not in said(customer)[-1]

    def test_a_paused_customer_hears_that_it_is(self, customer: Customer, clock: Clock) -> None:
        customer.spend()
        customer.pull()
        asked = press(customer)
        turn_pull_only(customer)
        Connection.objects.update(stage="paused")
        clock.pass_by(241)

        turn(customer)
        turn(customer)

        assert outcomes(customer, asked) == {"failure": 1}
        assert "paused" in said(customer)[-1]["failed_syncs"][0]["error"]["message"]
        assert customer.documents == 0


def turn_pull_only(customer: Customer) -> None:
    """A turn while another worker has the connection and posts nothing."""
    with claims.only_worker(customer.connection.pk):
        turn(customer)


class TestOrder:
    @pytest.mark.matrix("S2")
    def test_what_was_asked_for_goes_before_a_long_backlog(self, customer: Customer) -> None:
        for _ in range(30):
            customer.spend()
        customer.pull()
        let_time_pass(60)
        wanted = [customer.spend() for _ in range(3)]
        asked = press(customer, ids=[one.id for one in wanted])
        turn_pull_only(customer)

        taken = post_due_items(customer.world.worker, limit=3)  # whoever has the connection

        assert taken == 3
        assert {customer.state(one) for one in wanted} == {"POSTED"}
        let_time_pass(3)
        turn(customer)
        assert outcomes(customer, asked) == {"success": 3}
        assert SyncItem.objects.filter(state="READY").count() >= 26, "the lane is the button's"

    def test_batches_never_mix_what_was_asked_for_with_the_rest(self, customer: Customer) -> None:
        other = customer.spend()
        customer.pull()
        customer.post()
        wanted = customer.spend()
        asked = press(customer, ids=[wanted.id])

        turn(customer)
        customer.report_until_quiet()

        named = {
            one["successful_syncs"][0]["id"]: one.get("sync_request_id") for one in said(customer)
        }
        assert named == {other.id: None, wanted.id: str(asked)}

    def test_what_was_asked_for_in_between_makes_no_more_batches(self, customer: Customer) -> None:
        bought = [customer.spend() for _ in range(3)]
        customer.pull()
        customer.post()
        press(customer, ids=[bought[1].id])
        let_time_pass(20)

        turn(customer)

        assert sorted(AckBatch.objects.values_list("size", flat=True)) == [1, 2]

    @pytest.mark.matrix("S4")
    def test_of_two_presses_the_newest_has_the_items_and_both_are_closed(
        self, customer: Customer, clock: Clock
    ) -> None:
        bought = [customer.spend() for _ in range(3)]
        first = press(customer)
        turn_pull_only(customer)
        clock.pass_by(5)
        second = press_again(customer, bought)

        turn(customer)

        assert customer.documents == 3
        assert {one["sync_request_id"] for one in said(customer)} == {str(second)}
        assert outcomes(customer, second) == {"success": 3}
        states = dict(SyncRequest.objects.values_list("sync_request_id", "state"))
        assert states == {first: "answered", second: "answered"}

    @pytest.mark.matrix("S4")
    def test_a_press_that_is_read_late_takes_nothing_from_a_newer_one(
        self, customer: Customer, clock: Clock
    ) -> None:
        bought = customer.spend()
        customer.pull()
        first, second = uuid.uuid4(), uuid.uuid4()
        sync_requests.receive(customer.connection.pk, "transaction", first)
        clock.pass_by(10)
        sync_requests.receive(customer.connection.pk, "transaction", second)
        older, newer = (SyncRequest.objects.get(sync_request_id=one) for one in (first, second))
        listed_at = database_now()

        adopted = [
            sync_requests.adopt(one, [UUID(bought.id)], listed_at=listed_at)
            for one in (newer, older)
        ]

        assert adopted == [1, 0]
        assert customer.item(bought).sync_request == newer

    @pytest.mark.matrix("S5")
    def test_what_is_in_the_erp_already_is_told_at_once(self, customer: Customer) -> None:
        customer.spend()
        customer.pull()
        customer.post()
        customer.spend()  # a neighbour that would keep reports waiting
        customer.pull()
        asked = press(customer)
        let_time_pass(3)
        turn_pull_only(customer)

        assert outcomes(customer, asked) == {"success": 1, "waiting": 1}
        assert customer.documents == 1

    @pytest.mark.matrix("S5")
    def test_what_we_reported_and_ramp_offers_again_is_reported_under_the_request(
        self, customer: Customer
    ) -> None:
        bought = customer.spend()
        customer.go_through()
        offer_again(customer, bought)
        let_time_pass(30)
        asked = press(customer)

        turn(customer)
        turn(customer)

        assert outcomes(customer, asked) == {"success": 1}
        assert customer.documents == 1
        assert request().state == "answered"

    @pytest.mark.matrix("S5")
    def test_what_ramp_did_not_take_before_is_reported_under_the_request(
        self, customer: Customer
    ) -> None:
        bought = customer.spend()
        customer.pull()
        customer.post()
        customer.business.take_back(bought.id)
        customer.report_until_quiet()
        assert customer.state(bought) == "MISMATCH"
        customer.business.mark_ready(bought.id)
        asked = press(customer)

        turn(customer)
        turn(customer)

        assert outcomes(customer, asked) == {"success": 1}


def press_again(customer: Customer, bought: list[Transaction]) -> UUID:
    """Ramp takes the same rows into a second request."""
    world = customer.sim.world
    asked = world.sync_requests.put(
        Asked(
            id=str(uuid.uuid4()),
            seq=world.ids.rank(),
            business=customer.business.key,
            object_type="transaction",
            pressed_at=world.clock(),
            expires_at=world.clock() + timedelta(seconds=300),
            rows=[RequestedRow(object_id=one.id) for one in bought],
        )
    )
    for one in bought:
        row = customer.business.transaction(one.id)
        row.sync_request_id = asked.id
        world.keep(row)
    sync_requests.receive(customer.connection.pk, "transaction", UUID(asked.id))
    return UUID(asked.id)


def offer_again(customer: Customer, bought: Transaction) -> None:
    row = customer.business.transaction(bought.id)
    row.sync_status = type(row.sync_status)("SYNC_READY")
    customer.sim.world.keep(row)


class TestDeadline:
    @pytest.mark.matrix("S3")
    def test_nothing_is_started_between_the_stop_and_well_after_the_end(
        self, customer: Customer, clock: Clock
    ) -> None:
        """R-86."""
        customer.spend()
        press(customer)
        turn_pull_only(customer)

        for seconds in (240, 59, 29):
            clock.pass_by(seconds)
            assert customer.post() == 0
        clock.pass_by(3)

        assert customer.post() == 1

    @pytest.mark.matrix("S3")
    def test_what_was_claimed_just_before_the_stop_is_not_sent_after_it(
        self, customer: Customer, clock: Clock, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        for _ in range(3):
            customer.spend()
        press(customer)
        turn_pull_only(customer)
        clock.pass_by(239)
        slow(customer, clock, monkeypatch, seconds=0.7)

        post_due_items(customer.world.worker, limit=3)

        assert customer.documents == 2, "the second began 0.7 s after, the third would at 1.4 s"
        assert SyncItem.objects.filter(state="READY").count() == 1

    @pytest.mark.matrix("S3")
    def test_the_rest_is_told_in_words_and_goes_on_by_itself(
        self, customer: Customer, clock: Clock
    ) -> None:
        bought = customer.spend()
        asked = press(customer)
        turn_pull_only(customer)
        clock.pass_by(241)
        next_try = f"{request().ends_at + timedelta(seconds=30):%H:%M}"  # before rows grow older

        turn(customer)
        clock.pass_by(3)
        turn(customer)

        assert rows_of(customer, asked) == {bought.id: "failure"}
        shown = customer.business.transaction(bought.id).export_error
        assert shown == NO_TIME.replace("{next}", next_try)
        assert (request().state, request().not_started) == ("partial", 1)
        waits = customer.item(bought)
        assert (waits.state, waits.error_title) == ("READY", NO_TIME_TITLE)
        assert waits.due_at == request().ends_at + timedelta(seconds=30)
        clock.pass_by(100)
        customer.post()
        customer.report()
        assert [outcome for outcome, _ in customer.told(bought)] == ["failure", "success"]
        assert "sync_request_id" not in said(customer)[-1]

    @pytest.mark.matrix("S6")
    def test_what_is_under_way_at_the_stop_is_told_when_it_is_known(
        self, customer: Customer, clock: Clock
    ) -> None:
        bought = customer.spend()
        asked = press(customer)
        turn_pull_only(customer)
        customer.world.erp.faults.lose_answers = 1
        customer.post()
        clock.pass_by(241)

        turn(customer)

        assert said(customer) == [], "nobody knows yet whether it is booked"
        assert customer.state(bought) == "POSTING"
        clock.pass_by(60)
        turn(customer)
        assert request().state == "late"
        tasks.work_connection(connection_id=str(customer.connection.pk))
        customer.report()
        assert customer.state(bought) == "ACKED"
        assert customer.documents == 1
        assert "sync_request_id" not in said(customer)[-1]
        assert outcomes(customer, asked) == {"timed_out": 1}

    def test_what_is_told_before_anybody_looks_after_the_end_is_late_all_the_same(
        self, customer: Customer, clock: Clock
    ) -> None:
        bought = customer.spend()
        asked = press(customer)
        turn_pull_only(customer)
        customer.world.erp.faults.lose_answers = 1
        customer.post()
        clock.pass_by(301)

        tasks.work_connection(connection_id=str(customer.connection.pk))
        customer.report()
        turn(customer)

        assert customer.state(bought) == "ACKED"
        assert request().state == "late"
        assert outcomes(customer, asked) == {"timed_out": 1}

    def test_an_erp_that_is_silent_is_named_as_the_reason(
        self, customer: Customer, clock: Clock
    ) -> None:
        bought = customer.spend()
        press(customer)
        customer.world.erp.faults.refuse_with = refusal(Code.ERP_UNAVAILABLE, erp="Ledger")
        turn(customer)
        clock.pass_by(241)

        turn(customer)
        clock.pass_by(3)
        turn(customer)

        assert "Ledger does not answer" in str(
            customer.business.transaction(bought.id).export_error
        )
        assert request().state == "partial"

    def test_a_type_that_is_paused_is_named_as_the_reason(
        self, customer: Customer, clock: Clock
    ) -> None:
        """Nothing would be posted within the next minutes, so that must not be promised."""
        bought = customer.spend()
        press(customer)
        pauses.pause(customer.connection, "transaction", "The chart is being cleaned up.", "ada")
        turn(customer)
        clock.pass_by(241)

        turn(customer)
        clock.pass_by(3)
        turn(customer)

        assert customer.business.transaction(bought.id).export_error == (
            "Posting is paused at the moment. It is posted by itself once that is over;"
            " nothing to do."
        )

    def test_an_erp_that_refuses_us_is_not_called_silent(
        self, customer: Customer, clock: Clock
    ) -> None:
        bought = customer.spend()
        press(customer)
        customer.world.erp.faults.refuse_with = refusal(Code.AUTH_EXPIRED, erp="Ledger")
        turn(customer)
        clock.pass_by(241)

        turn(customer)
        clock.pass_by(3)
        turn(customer)

        shown = str(customer.business.transaction(bought.id).export_error)
        assert shown.endswith(
            " Connect Ledger again. Everything waiting then goes through by itself."
        )

    def test_what_waits_for_something_else_says_so_and_still_does(
        self, customer: Customer, clock: Clock
    ) -> None:
        bought = customer.spend()
        press(customer)
        turn_pull_only(customer)
        item = customer.item(bought)
        words = "Waits for the vendor Figma to be created in Ledger."
        results.record_waiting(None, [(item.pk, "vendor:figma", words)])
        clock.pass_by(241)

        turn(customer)
        clock.pass_by(3)
        turn(customer)

        assert customer.business.transaction(bought.id).export_error == (
            f"{words} It goes on by itself once that is done; nothing to do."
        )
        item.refresh_from_db()
        assert (item.error_title, item.blocked_by) == (words, "vendor:figma")
        assert (item.due_at, request().state) == (None, "partial")

    def test_a_press_that_nobody_could_read_is_late(self, customer: Customer, clock: Clock) -> None:
        customer.spend()
        asked = press(customer)
        customer.fault("answer", "GET /transactions", status=503, times=None)
        turn(customer)
        clock.pass_by(301)

        turn(customer)

        assert request().state == "late"
        assert outcomes(customer, asked) == {"timed_out": 1}


def slow(
    customer: Customer, clock: Clock, monkeypatch: pytest.MonkeyPatch, *, seconds: float
) -> list[float]:
    """The ERP takes one document at a time, and so long for it. Returns when each was begun."""
    erp, began = customer.world.erp, []
    erp._capabilities = replace(erp.capabilities(), concurrency=1, batch=1)
    book = erp.post_many

    def post_many(documents: list[Document]) -> list[Posted]:
        began.append(clock.elapsed)
        clock.spend(seconds * len(documents))
        return book(documents)  # type: ignore[return-value]

    monkeypatch.setattr(erp, "post_many", post_many)
    for module in ("engine", "dispatch", "sync_button"):
        time = SimpleNamespace(monotonic=lambda: clock.elapsed)
        monkeypatch.setattr(f"syncing.{module}.time", time)
    return began


class TestRehearsal:
    @pytest.mark.matrix("S2", "S3")
    def test_more_than_fits_is_answered_in_time_and_nothing_lands_unknown(
        self, customer: Customer, clock: Clock, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        """The ERP takes five seconds a document, so 48 of 60 fit."""
        for _ in range(60):
            customer.spend()
        began = slow(customer, clock, monkeypatch, seconds=5.0)
        asked = press(customer)
        at_press = clock.elapsed
        reported: list[float] = []

        def note(sent: httpx.Request) -> None:
            if sent.url.path.endswith("/accounting/syncs"):
                reported.append(clock.elapsed)

        customer.wire.intercept = note

        while clock.elapsed - at_press < 302:
            before = clock.elapsed
            run_turn(customer, clock)
            clock.pass_by(max(0.0, before + 2 - clock.elapsed))  # the next ring

        assert reported[0] - at_press < 15
        assert max(began) - at_press <= 240
        rows = rows_of(customer, asked)
        booked = {entry.doc.ref.ramp_id for entry in customer.world.erp.books.entries}
        assert set(rows.values()) == {"success", "failure"}, "none was left to time out"
        assert customer.documents == list(rows.values()).count("success")
        assert not {id_ for id_, outcome in rows.items() if outcome == "failure"} & booked
        done = request()
        assert done.state == "partial"
        assert done.requested == done.succeeded + done.not_started == 60
        assert 45 <= done.succeeded <= 49
        clock.pass_by(100)
        while customer.post():
            clock.settle()
        customer.report_until_quiet()
        assert set(SyncItem.objects.values_list("state", flat=True)) == {"ACKED"}
        assert customer.documents == 60


def run_turn(customer: Customer, clock: Clock) -> None:
    """A turn in which the database's clock goes on with the ERP's."""
    keep = claims.WorkLease.keep

    def keep_and_settle(lease: claims.WorkLease) -> bool:
        clock.settle()
        return keep(lease)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(claims.WorkLease, "keep", keep_and_settle)
        turn(customer)
    clock.settle()


def test_the_timeline_says_that_somebody_asked(customer: Customer) -> None:
    bought = customer.spend()
    press(customer)
    turn(customer)
    turn(customer)

    notes = ItemEvent.objects.filter(item=customer.item(bought), kind="note")
    assert [one.text for one in notes] == ["Asked for by the sync button in Ramp."]
    assert AckBatch.objects.get().sync_request == request()
