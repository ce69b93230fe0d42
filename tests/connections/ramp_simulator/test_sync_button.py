"""Someone presses Sync All, and each row has five minutes to be answered."""

from datetime import timedelta
from typing import Any
from uuid import uuid4

import httpx
import pytest

from connections.ramp_simulator.app import Simulator
from connections.ramp_simulator.handles import BusinessHandle
from connections.ramp_simulator.people import NotPossible
from connections.ramp_simulator.records import SyncRequest
from connections.ramp_simulator.seats import REIMBURSEMENT_BUTTON, TRANSACTION_BUTTON
from tests.connections.ramp_simulator.side import Client, ManualClock, code_of


@pytest.fixture(autouse=True)
def switched_on(client: Client, harbor: BusinessHandle) -> None:
    connection = harbor.connection
    assert connection is not None
    settings = {TRANSACTION_BUTTON: True, REIMBURSEMENT_BUTTON: True}
    client.patch(f"/accounting/connection/{connection.id}", {"settings": settings})


@pytest.fixture
def ready(harbor: BusinessHandle) -> list[str]:
    return [row.id for row in harbor.transactions("SYNC_READY")]


def press(
    harbor: BusinessHandle, object_type: str = "transaction", ids: list[str] | None = None
) -> SyncRequest:
    request = harbor.press_sync_button(object_type, ids)
    assert request is not None
    return request


def results(harbor: BusinessHandle, request: SyncRequest) -> dict[str, str]:
    return {row.object_id: row.result for row in harbor.sync_request(request.id).rows}


def failure(row_id: str, message: str = "The period is closed.") -> dict[str, Any]:
    return {"id": row_id, "error": {"message": message}}


class TestPressing:
    def test_asks_for_everything_that_is_ready(
        self, client: Client, harbor: BusinessHandle, ready: list[str]
    ) -> None:
        request = press(harbor)

        asked = client.every_row("/transactions", requested_to_sync="true")

        assert [row["id"] for row in asked] == [row.object_id for row in request.rows] == ready

    def test_can_ask_for_some_rows_only(
        self, client: Client, harbor: BusinessHandle, ready: list[str]
    ) -> None:
        press(harbor, ids=ready[2:4])

        asked = client.every_row("/transactions", requested_to_sync="true")

        assert [row["id"] for row in asked] == ready[2:4]

    def test_never_asks_twice_for_a_row(self, harbor: BusinessHandle, ready: list[str]) -> None:
        press(harbor, ids=ready[:2])

        with pytest.raises(NotPossible, match=ready[1]):
            harbor.press_sync_button("transaction", ready[1:3])
        assert [row.object_id for row in press(harbor).rows] == ready[2:]
        assert harbor.press_sync_button() is None

    def test_needs_the_setting_of_its_kind(
        self, client: Client, harbor: BusinessHandle, ready: list[str]
    ) -> None:
        connection = harbor.connection
        assert connection is not None
        settings = {TRANSACTION_BUTTON: False}
        client.patch(f"/accounting/connection/{connection.id}", {"settings": settings})

        with pytest.raises(NotPossible, match=TRANSACTION_BUTTON):
            harbor.press_sync_button()

    def test_is_not_offered_for_anything_else(self, harbor: BusinessHandle) -> None:
        with pytest.raises(NotPossible, match="bill"):
            harbor.press_sync_button("bill")

    def test_tells_the_webhook_the_request_and_nothing_more(
        self, sim: Simulator, client: Client, harbor: BusinessHandle
    ) -> None:
        harbor.create_reimbursement(account_code="6100", ready=True)
        events = [f"{kind}s.sync_requested" for kind in ("transaction", "reimbursement")]
        body = {"endpoint_url": "https://bridge.test/w", "event_types": events}
        webhook = client.post("/webhooks", body).json()
        record = sim.world.webhooks.get(webhook["id"])
        assert record is not None
        client.post(f"/webhooks/{record.id}/verify", {"challenge": record.challenge})

        requests = [press(harbor, kind) for kind in ("transaction", "reimbursement")]

        told = [
            httpx.Response(200, text=delivery.body).json()
            for delivery in sim.world.deliveries.of(harbor.key)
            if delivery.event_id
        ]
        assert [event["type"] for event in told] == events
        assert [event["object"] for event in told] == [
            {"sync_request_id": request.id} for request in requests
        ]


class TestAnswering:
    def test_shows_each_row_with_when_and_as_what_it_was_answered(
        self, client: Client, harbor: BusinessHandle, ready: list[str], clock: ManualClock
    ) -> None:
        request = press(harbor, ids=ready[:3])
        clock.turn(seconds=7)
        client.report((ready[0], "M1"), key="k1", sync_request_id=request.id)
        clock.turn(seconds=5)
        client.report(key="k2", failed_syncs=[failure(ready[1])], sync_request_id=request.id)

        first, second, third = harbor.sync_request(request.id).rows

        assert (first.result, first.reference_id) == ("synced", "M1")
        assert first.at == request.pressed_at + timedelta(seconds=7)
        assert second.result == "failed: The period is closed."
        assert second.at == request.pressed_at + timedelta(seconds=12)
        assert (third.result, third.at) == ("waiting", None)

    def test_takes_a_row_off_the_list(
        self, client: Client, harbor: BusinessHandle, ready: list[str]
    ) -> None:
        request = press(harbor)
        client.report(
            (ready[0], "M1"), failed_syncs=[failure(ready[1])], sync_request_id=request.id
        )

        left = client.every_row("/transactions", requested_to_sync="true")

        assert [row["id"] for row in left] == ready[2:]

    def test_without_the_name_of_the_request_leaves_the_row_waiting(
        self, client: Client, harbor: BusinessHandle, ready: list[str], clock: ManualClock
    ) -> None:
        request = press(harbor, ids=ready[:2])
        client.report((ready[0], "M1"), failed_syncs=[failure(ready[1])])

        assert set(results(harbor, request).values()) == {"waiting"}
        clock.turn(minutes=5)
        assert set(results(harbor, request).values()) == {"failed: timed out"}
        assert harbor.transaction(ready[0]).export_error is None

    def test_a_request_that_nobody_made_is_refused(
        self, client: Client, harbor: BusinessHandle, ready: list[str]
    ) -> None:
        answer = client.report((ready[0], "M1"), sync_request_id=str(uuid4()))

        assert (answer.status_code, code_of(answer)) == (400, "DEVELOPER_7001")
        assert harbor.transaction(ready[0]).sync_status == "SYNC_READY"

    def test_works_for_reimbursements(self, client: Client, harbor: BusinessHandle) -> None:
        row = harbor.create_reimbursement(account_code="6100", ready=True)
        request = press(harbor, "reimbursement")

        asked = client.every_row("/reimbursements", requested_to_sync="true")
        client.report((row.id, "R1"), sync_type="REIMBURSEMENT_SYNC", sync_request_id=request.id)

        assert [row["id"] for row in asked] == [row.id]
        assert results(harbor, request) == {row.id: "synced"}
        assert row.sync_status == "SYNCED"


class TestFiveMinutesLater:
    def test_what_is_unanswered_has_failed_and_is_still_ready(
        self, client: Client, harbor: BusinessHandle, ready: list[str], clock: ManualClock
    ) -> None:
        request = press(harbor, ids=ready[:2])
        client.report((ready[0], "M1"), sync_request_id=request.id)
        clock.turn(minutes=5)

        assert client.every_row("/transactions", requested_to_sync="true") == []

        assert results(harbor, request) == {ready[0]: "synced", ready[1]: "failed: timed out"}
        assert request.rows[1].at == request.expires_at
        row = harbor.transaction(ready[1])
        assert (row.sync_status, row.export_error) == ("SYNC_READY", "timed out")

    def test_a_late_answer_syncs_the_object_and_leaves_the_row_failed(
        self, client: Client, harbor: BusinessHandle, ready: list[str], clock: ManualClock
    ) -> None:
        request = press(harbor, ids=ready[:1])
        clock.turn(minutes=5)

        answer = client.report((ready[0], "M1"), sync_request_id=request.id)

        assert answer.status_code == 201
        assert results(harbor, request) == {ready[0]: "failed: timed out"}
        assert harbor.transaction(ready[0]).sync_status == "SYNCED"

    def test_it_may_be_asked_for_again(
        self, harbor: BusinessHandle, ready: list[str], clock: ManualClock
    ) -> None:
        press(harbor)
        clock.turn(minutes=5)

        assert [row.object_id for row in press(harbor).rows] == ready

    def test_the_time_can_be_set(
        self, sim: Simulator, harbor: BusinessHandle, clock: ManualClock
    ) -> None:
        sim.switches.sync_request_seconds = 3
        request = press(harbor)

        clock.turn(seconds=3)

        assert harbor.sync_request(request.id).is_over


def test_a_request_of_nobody_is_not_shown(harbor: BusinessHandle) -> None:
    with pytest.raises(NotPossible):
        harbor.sync_request(str(uuid4()))
