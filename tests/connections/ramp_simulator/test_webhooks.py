import hashlib
import hmac
import json
from collections.abc import Callable
from typing import Any

import httpx
import pytest

from connections.ramp_simulator.app import Simulator
from connections.ramp_simulator.handles import BusinessHandle
from tests.connections.ramp_simulator.side import ACCOUNTS, Client, ManualClock, code_of

ADDRESS = "https://bridge.test/webhooks/ramp"


class Receiver:
    """Somebody's webhook: keeps what arrives and answers as told."""

    def __init__(self) -> None:
        self.requests: list[httpx.Request] = []
        self.answer: Callable[[], httpx.Response] = lambda: httpx.Response(202)

    def __call__(self, request: httpx.Request) -> httpx.Response:
        self.requests.append(request)
        return self.answer()

    @property
    def bodies(self) -> list[dict[str, Any]]:
        return [json.loads(request.content) for request in self.requests]


@pytest.fixture
def receiver() -> Receiver:
    return Receiver()


@pytest.fixture
def sim(clock: ManualClock, receiver: Receiver) -> Simulator:
    return Simulator.with_scenario(
        "small",
        clock=clock,
        rate_limit=False,
        webhook_client=httpx.Client(transport=httpx.MockTransport(receiver)),
    )


def create(client: Client, **more: Any) -> httpx.Response:
    body = {"endpoint_url": ADDRESS, "event_types": ["transactions.ready_to_sync"], **more}
    return client.post("/webhooks", body)


@pytest.fixture
def webhook(sim: Simulator, client: Client, receiver: Receiver) -> dict[str, Any]:
    """A verified subscription; the receiver has forgotten the challenge."""
    types = ["transactions.ready_to_sync", "transactions.synced"]
    created: dict[str, Any] = create(client, event_types=types).json()
    sim.deliver_webhooks()
    challenge = receiver.bodies[0]["challenge"]
    client.post(f"/webhooks/{created['id']}/verify", {"challenge": challenge})
    receiver.requests.clear()
    return created


class TestSubscribing:
    def test_shows_the_secret_once(self, client: Client) -> None:
        created = create(client).json()

        assert created["secret"].startswith("ramp_sec_")
        assert "secret" not in client.get(f"/webhooks/{created['id']}").json()
        assert [row["id"] for row in client.get("/webhooks").json()] == [created["id"]]

    def test_sends_a_challenge_that_makes_it_active(
        self, sim: Simulator, client: Client, receiver: Receiver
    ) -> None:
        created = create(client, additional_headers={"X-Bridge": "b1"}).json()
        sim.deliver_webhooks()

        [request] = receiver.requests
        body = json.loads(request.content)
        assert body["type"] == "webhooks.verification"
        assert request.headers["X-Bridge"] == "b1"
        assert "X-Ramp-Webhook-ID" not in request.headers
        answer = client.post(f"/webhooks/{created['id']}/verify", {"challenge": body["challenge"]})
        assert answer.json() == {"success": True}
        assert client.get(f"/webhooks/{created['id']}").json()["status"] == "active"

    def test_can_be_challenged_before_the_secret_is_known(
        self, sim: Simulator, client: Client, receiver: Receiver
    ) -> None:
        sim.switches.challenge = "before_answer"

        create(client)

        assert [body["type"] for body in receiver.bodies] == ["webhooks.verification"]

    def test_stays_pending_after_a_wrong_challenge(self, client: Client) -> None:
        created = create(client).json()

        answer = client.post(f"/webhooks/{created['id']}/verify", {"challenge": "guess"})

        assert answer.status_code == 400
        assert client.get(f"/webhooks/{created['id']}").json()["status"] == "pending_verification"

    def test_needs_the_scope_of_each_event(self, client: Client) -> None:
        client.sign_in("accounting:read")

        assert code_of(create(client)) == "DEVELOPER_7100"

    @pytest.mark.parametrize(
        "more",
        [
            {"endpoint_url": "http://bridge.test/"},
            {"endpoint_url": "bridge"},
            {"event_types": ["transactions.exploded"]},
            {"event_types": []},
            {"additional_headers": {f"X-{number}": "1" for number in range(6)}},
            {"additional_headers": {"Host": "elsewhere"}},
            {"additional_headers": {"X-Forwarded-For": "1"}},
            {"additional_headers": {"X": "v" * 1001}},
        ],
    )
    def test_is_refused_if_malformed(self, client: Client, more: dict[str, Any]) -> None:
        assert create(client, **more).status_code == 422

    def test_may_point_to_this_machine_without_encryption(self, client: Client) -> None:
        assert create(client, endpoint_url="http://127.0.0.1:8000/w").status_code == 201

    def test_ends_with_everything_it_was_owed(
        self,
        sim: Simulator,
        client: Client,
        harbor: BusinessHandle,
        receiver: Receiver,
        webhook: dict[str, Any],
    ) -> None:
        harbor.create_transaction(ready=True)

        assert client.delete(f"/webhooks/{webhook['id']}").status_code == 204

        assert sim.deliver_webhooks() == 0
        assert client.get("/webhooks").json() == []


@pytest.mark.usefixtures("webhook")
class TestEvents:
    def test_say_little_and_are_signed(
        self, sim: Simulator, harbor: BusinessHandle, receiver: Receiver, webhook: dict[str, Any]
    ) -> None:
        row = harbor.create_transaction(ready=True)
        sim.deliver_webhooks()

        [request] = receiver.requests
        body = json.loads(request.content)
        assert body.keys() == {"id", "type", "created_at", "business_id", "object"}
        assert (body["type"], body["object"]) == ("transactions.ready_to_sync", {"id": row.id})
        assert body["business_id"] == harbor.id
        assert request.headers["X-Ramp-Webhook-ID"] == body["id"]
        expected = hmac.new(webhook["secret"].encode(), request.content, hashlib.sha256)
        assert request.headers["X-Ramp-Signature"] == expected.hexdigest()

    def test_are_sent_for_a_sync_too(
        self, sim: Simulator, client: Client, harbor: BusinessHandle, receiver: Receiver
    ) -> None:
        row = harbor.transactions("SYNC_READY")[0]
        client.report((row.id, "M1"))
        sim.deliver_webhooks()

        assert [body["type"] for body in receiver.bodies] == ["transactions.synced"]

    def test_are_sent_only_where_subscribed(
        self, sim: Simulator, harbor: BusinessHandle, receiver: Receiver
    ) -> None:
        harbor.create_transaction()
        sakura = sim.business("sakura-foods")
        sakura.upload_chart(accounts=ACCOUNTS)
        sakura.create_transaction(ready=True)

        assert sim.deliver_webhooks() == 0

    def test_of_an_export_are_not_sent(
        self, sim: Simulator, harbor: BusinessHandle, receiver: Receiver
    ) -> None:
        harbor.press_export()

        assert sim.deliver_webhooks() == 0

    def test_can_be_made_up(self, sim: Simulator, client: Client, receiver: Receiver) -> None:
        body = {
            "event_type": "transactions.synced",
            "object_id": "0b5d1f5e-3f57-4d0a-9d5c-6d3f6c1b2a10",
            "object_metadata": {"note": "mock"},
        }

        payload = client.post("/webhooks/mock-webhook-event", body).json()
        sim.deliver_webhooks()

        assert receiver.bodies == [payload]
        assert payload["object"] == {"id": body["object_id"], "note": "mock"}


@pytest.mark.usefixtures("webhook")
class TestDelivery:
    def fail(self, receiver: Receiver, status: int) -> None:
        receiver.answer = lambda: httpx.Response(status)

    @pytest.mark.parametrize("status", [429, 500, 503])
    def test_is_tried_ten_times_in_all(
        self,
        sim: Simulator,
        harbor: BusinessHandle,
        receiver: Receiver,
        clock: ManualClock,
        status: int,
    ) -> None:
        self.fail(receiver, status)
        harbor.create_transaction(ready=True)

        for _ in range(20):
            sim.deliver_webhooks()
            clock.turn(seconds=61)

        assert len(receiver.requests) == 10
        assert len({body["id"] for body in receiver.bodies}) == 1

    def test_waits_up_to_two_seconds_at_first(
        self, sim: Simulator, harbor: BusinessHandle, receiver: Receiver, clock: ManualClock
    ) -> None:
        self.fail(receiver, 500)
        harbor.create_transaction(ready=True)
        sim.deliver_webhooks()
        before = len(receiver.requests)
        clock.turn(seconds=2)

        sim.deliver_webhooks()

        assert (before, len(receiver.requests)) == (1, 2)

    @pytest.mark.parametrize("status", [301, 400, 404, 410])
    def test_is_given_up_at_once_where_nothing_would_help(
        self,
        sim: Simulator,
        harbor: BusinessHandle,
        receiver: Receiver,
        clock: ManualClock,
        status: int,
    ) -> None:
        self.fail(receiver, status)
        harbor.create_transaction(ready=True)
        sim.deliver_webhooks()
        clock.turn(hours=1)

        assert sim.deliver_webhooks() == 0

    def test_is_tried_again_when_nobody_answers(
        self, sim: Simulator, harbor: BusinessHandle, receiver: Receiver, clock: ManualClock
    ) -> None:
        def nobody() -> httpx.Response:
            raise httpx.ConnectError("refused")

        receiver.answer = nobody
        harbor.create_transaction(ready=True)
        sim.deliver_webhooks()
        receiver.answer = lambda: httpx.Response(200)
        clock.turn(seconds=2)
        sim.deliver_webhooks()

        assert [attempt.status for attempt in sim.webhook_attempts][-2:] == [None, 200]

    def test_can_run_on_a_faster_clock(
        self, sim: Simulator, harbor: BusinessHandle, receiver: Receiver
    ) -> None:
        sim.switches.webhook_time_scale = 0
        self.fail(receiver, 500)
        harbor.create_transaction(ready=True)

        assert sim.deliver_webhooks() == 10


@pytest.mark.usefixtures("webhook")
class TestTroubleOnTheWay:
    def test_can_lose_an_event(
        self, sim: Simulator, harbor: BusinessHandle, receiver: Receiver
    ) -> None:
        sim.fault("webhook_lost", "transactions.ready_to_sync")
        harbor.create_transaction(ready=True)
        kept = harbor.create_transaction(ready=True)
        sim.deliver_webhooks()

        assert [body["object"]["id"] for body in receiver.bodies] == [kept.id]

    def test_can_repeat_an_event_under_one_id(
        self, sim: Simulator, harbor: BusinessHandle, receiver: Receiver
    ) -> None:
        sim.fault("webhook_repeated")
        harbor.create_transaction(ready=True)
        sim.deliver_webhooks()

        assert len(receiver.bodies) == 3
        assert len({body["id"] for body in receiver.bodies}) == 1

    def test_can_swap_two_events(
        self, sim: Simulator, client: Client, harbor: BusinessHandle, receiver: Receiver
    ) -> None:
        sim.fault("webhook_out_of_order", "transactions.ready_to_sync")
        row = harbor.create_transaction(ready=True)
        sim.deliver_webhooks()
        client.report((row.id, "M1"))
        sim.deliver_webhooks()

        assert [body["type"] for body in receiver.bodies] == [
            "transactions.synced",
            "transactions.ready_to_sync",
        ]

    def test_can_be_late(
        self, sim: Simulator, harbor: BusinessHandle, receiver: Receiver, clock: ManualClock
    ) -> None:
        sim.fault("webhook_late", seconds=90)
        harbor.create_transaction(ready=True)

        assert sim.deliver_webhooks() == 0
        clock.turn(seconds=90)
        assert sim.deliver_webhooks() == 1

    def test_can_spoil_the_signature(
        self, sim: Simulator, harbor: BusinessHandle, receiver: Receiver, webhook: dict[str, Any]
    ) -> None:
        sim.fault("webhook_wrong_signature")
        harbor.create_transaction(ready=True)
        sim.deliver_webhooks()

        [request] = receiver.requests
        expected = hmac.new(webhook["secret"].encode(), request.content, hashlib.sha256)
        assert request.headers["X-Ramp-Signature"] != expected.hexdigest()
