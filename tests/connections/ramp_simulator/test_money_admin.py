"""Working reimbursements, the card's account and the sync button over the wire."""

from typing import Any

import httpx
import pytest

from connections.ramp_simulator.app import Simulator
from connections.ramp_simulator.handles import BusinessHandle
from connections.ramp_simulator.seats import TRANSACTION_BUTTON
from tests.connections.ramp_simulator.side import Client, ManualClock

HERE = "/businesses/harbor-coffee"


@pytest.fixture
def admin(sim: Simulator) -> httpx.Client:
    return httpx.Client(
        transport=httpx.WSGITransport(app=sim.wsgi), base_url="http://ramp.test/_simulator"
    )


def create(admin: httpx.Client, **details: Any) -> dict[str, Any]:
    rows: list[dict[str, Any]] = admin.post(f"{HERE}/reimbursements", json=details).json()[
        "reimbursements"
    ]
    return rows[0]


class TestReimbursements:
    def test_are_made_many_at_once_and_listed(self, admin: httpx.Client) -> None:
        body = {"amount": 12.5, "account_code": "6300", "ready": True, "count": 3}

        made = admin.post(f"{HERE}/reimbursements", json=body).json()["reimbursements"]

        path = f"{HERE}/reimbursements"
        listed = admin.get(path, params={"sync_status": "SYNC_READY"}).json()["reimbursements"]
        assert [row["amount"] for row in made] == [1250, 1250, 1250]
        assert listed == made

    def test_move_through_their_states(self, admin: httpx.Client) -> None:
        path = f"/reimbursements/{create(admin)['id']}"

        assert admin.post(f"{path}/ready").json()["sync_status"] == "SYNC_READY"
        assert admin.post(f"{path}/unready").json()["sync_status"] == "NOT_SYNC_READY"
        assert admin.patch(path, json={"memo": "Changed"}).json()["memo"] == "Changed"
        admin.post(f"{path}/ready")
        assert admin.post(f"{path}/export").json()["sync_status"] == "SYNCED"
        assert admin.get(path).json()["sync_status"] == "SYNCED"
        assert admin.post(f"{path}/dance").status_code == 404

    def test_that_do_not_add_up_are_ready_by_force_only(self, admin: httpx.Client) -> None:
        path = f"/reimbursements/{create(admin, minor=100, lines=[[60, '6100']])['id']}"

        assert admin.post(f"{path}/ready").status_code == 409
        assert admin.post(f"{path}/force-ready").json()["sync_status"] == "SYNC_READY"


class TestTransactions:
    def test_that_do_not_add_up_are_ready_by_force_only(self, admin: httpx.Client) -> None:
        body = {"minor": 100, "lines": [[60, "6100"]]}
        [made] = admin.post(f"{HERE}/transactions", json=body).json()["transactions"]
        path = f"/transactions/{made['id']}"

        assert admin.post(f"{path}/ready").status_code == 409
        assert admin.post(f"{path}/force-ready").json()["sync_status"] == "SYNC_READY"


class TestTheCardsAccount:
    def test_is_paid_credited_and_stated(self, admin: httpx.Client, clock: ManualClock) -> None:
        body = {"amount": 100, "status": "INITIATED"}
        transfer = admin.post(f"{HERE}/transfers", json=body).json()
        cashback = admin.post(f"{HERE}/cashbacks", json={"minor": 150}).json()
        path = f"/transfers/{transfer['id']}"
        moved = admin.patch(path, json={"status": "COMPLETED"}).json()
        clock.turn(seconds=1)
        statement = admin.post(f"{HERE}/statements", json={}).json()

        assert transfer["sync_status"] == "NOT_SYNC_READY"
        assert (moved["status"], moved["sync_status"]) == ("COMPLETED", "SYNC_READY")
        assert (cashback["amount"], cashback["sync_status"]) == (150, "SYNC_READY")
        assert statement["lines"] > 12

    def test_knows_no_other_status_than_ramps(self, admin: httpx.Client) -> None:
        assert admin.post(f"{HERE}/transfers", json={"status": "LOST"}).status_code == 409


class TestTheSyncButton:
    def test_is_pressed_and_watched(
        self, admin: httpx.Client, client: Client, harbor: BusinessHandle, clock: ManualClock
    ) -> None:
        connection = harbor.connection
        assert connection is not None
        path = f"/accounting/connection/{connection.id}"
        client.patch(path, {"settings": {TRANSACTION_BUTTON: True}})
        first, second, *_ = harbor.transactions("SYNC_READY")

        body = {"ids": [first.id, second.id]}
        request = admin.post(f"{HERE}/sync-button", json=body).json()["sync_request_id"]
        client.report((first.id, "M1"), sync_request_id=request)
        clock.turn(minutes=5)

        shown = admin.get(f"/sync-requests/{request}").json()
        assert shown["is_over"]
        assert [row["result"] for row in shown["rows"]] == ["synced", "failed: timed out"]

    def test_is_not_there_until_the_connection_wants_it(self, admin: httpx.Client) -> None:
        answer = admin.post(f"{HERE}/sync-button", json={})

        assert answer.status_code == 409


@pytest.mark.parametrize("path", ["reimbursements/x", "sync-requests/x"])
def test_what_is_not_there_is_not_found(admin: httpx.Client, path: str) -> None:
    assert admin.get(f"/{path}").status_code == 404
