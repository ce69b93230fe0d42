import json
from typing import Any

import httpx
import pytest

from connections.ramp_simulator.app import Simulator
from connections.ramp_simulator.handles import BusinessHandle
from tests.connections.ramp_simulator.side import ACCOUNTS, DEPARTMENTS, Client, code_of


@pytest.fixture
def admin(sim: Simulator) -> httpx.Client:
    return httpx.Client(
        transport=httpx.WSGITransport(app=sim.wsgi), base_url="http://ramp.test/_simulator"
    )


def create(admin: httpx.Client, **body: Any) -> dict[str, Any]:
    answer = admin.post("/businesses/harbor-coffee/transactions", json=body)
    assert answer.status_code == 201
    row: dict[str, Any] = answer.json()["transactions"][0]
    return row


def test_it_is_closed_to_other_machines(sim: Simulator) -> None:
    stranger = httpx.Client(
        transport=httpx.WSGITransport(app=sim.wsgi, remote_addr="10.0.0.9"),
        base_url="http://ramp.test",
    )

    assert stranger.get("/_simulator/businesses").status_code == 403


def test_it_lists_what_it_can_do(admin: httpx.Client) -> None:
    assert "GET ledger" in admin.get("/").json()["operations"]


def test_it_does_not_know_everything(admin: httpx.Client) -> None:
    assert admin.get("/weather").status_code == 404
    assert admin.get("/businesses/nobody").status_code == 404
    assert admin.get("/transactions/made-up").status_code == 404


class TestBusinesses:
    def test_come_with_their_credentials(self, admin: httpx.Client) -> None:
        rows = admin.get("/businesses").json()["businesses"]

        assert [row["key"] for row in rows] == [
            "harbor-coffee",
            "northwind-robotics",
            "sakura-foods",
        ]
        assert all(row["client_id"] and row["client_secret"] for row in rows)
        assert rows[0]["transactions"]["SYNC_READY"] == 12
        assert len(rows[1]["entities"]) == 2

    def test_get_a_chart_and_a_connection_with_it(self, admin: httpx.Client) -> None:
        body = {
            "accounts": ACCOUNTS,
            "departments": DEPARTMENTS,
            "vendors": [{"id": "v1", "name": "Uline"}],
        }

        first = admin.post("/businesses/sakura-foods/chart", json=body)
        second = admin.post("/businesses/sakura-foods/chart", json=body)

        assert first.json()["remote_provider_name"] == "rampbridge"
        assert second.json()["id"] == first.json()["id"]

    def test_can_lose_their_seat_scopes_and_tokens(
        self, admin: httpx.Client, client: Client
    ) -> None:
        here = "/businesses/harbor-coffee"
        admin.post(f"{here}/seat", json={"name": "NetSuite", "connection_type": "DIRECT"})
        new = {"gl_accounts": [{"id": "1", "name": "Freight", "classification": "EXPENSE"}]}
        assert code_of(client.post("/accounting/accounts", new)) == "DEVELOPER_7089"

        admin.post(f"{here}/tokens/expire")
        assert code_of(client.get("/business")) == "DEVELOPER_7028"

        admin.post(f"{here}/tokens/revoke")
        assert code_of(client.get("/business")) == "DEVELOPER_7002"

        admin.post(f"{here}/scopes", json={"scopes": ["business:read"]})
        client.sign_in()
        assert code_of(client.get("/transactions")) == "DEVELOPER_7100"


class TestTransactions:
    def test_are_created_in_numbers(self, admin: httpx.Client, harbor: BusinessHandle) -> None:
        before = len(harbor.transactions("SYNC_READY"))
        create(admin, amount=12.5, account_code="6300", department="SAL", ready=True, count=30)

        assert len(harbor.transactions("SYNC_READY")) == before + 30

    def test_are_marked_taken_back_edited_and_exported(self, admin: httpx.Client) -> None:
        path = f"/transactions/{create(admin, minor=999)['id']}"

        assert admin.post(f"{path}/ready").json()["sync_status"] == "SYNC_READY"
        assert admin.post(f"{path}/unready").json()["sync_status"] == "NOT_SYNC_READY"
        assert admin.patch(path, json={"memo": "Changed"}).json()["memo"] == "Changed"
        admin.post(f"{path}/ready")
        assert admin.post(f"{path}/export").json()["sync_status"] == "SYNCED"
        assert admin.get(path).json()["sync_status"] == "SYNCED"

    def test_refuse_what_ramp_would_not_offer(self, admin: httpx.Client) -> None:
        path = f"/transactions/{create(admin)['id']}"

        answer = admin.post(f"{path}/unready")

        assert answer.status_code == 409
        assert "ready" in answer.json()["error_v2"]["message"]
        assert admin.post(f"{path}/dance").status_code == 404

    def test_are_listed_by_status(self, admin: httpx.Client) -> None:
        path = "/businesses/harbor-coffee/transactions"

        rows = admin.get(path, params={"sync_status": "SYNC_READY", "limit": 5}).json()

        assert len(rows["transactions"]) == 5

    def test_are_all_exported_at_once(self, admin: httpx.Client) -> None:
        assert len(admin.post("/businesses/harbor-coffee/export").json()["ids"]) == 12


class TestTrouble:
    def test_is_ordered_listed_and_cancelled(self, admin: httpx.Client, client: Client) -> None:
        fault = {"kind": "answer", "operation": "GET /business", "status": 500, "times": None}
        ordered = admin.post("/faults", json=fault).json()

        assert client.get("/business").status_code == 500
        assert admin.get("/faults").json()["faults"][0]["struck"] == 1
        assert admin.delete(f"/faults/{ordered['id']}").status_code == 204
        assert client.get("/business").status_code == 200

    def test_that_nobody_knows_is_refused(self, admin: httpx.Client) -> None:
        assert admin.post("/faults", json={"kind": "earthquake"}).status_code == 422

    def test_can_be_cancelled_all_at_once(self, admin: httpx.Client) -> None:
        for _ in range(3):
            admin.post("/faults", json={"kind": "slow", "seconds": 1})

        admin.delete("/faults")

        assert admin.get("/faults").json()["faults"] == []

    def test_a_switch_can_be_turned(
        self, admin: httpx.Client, client: Client, harbor: BusinessHandle
    ) -> None:
        assert admin.patch("/switches", json={"used_key": "replay"}).json()["used_key"] == "replay"
        row = harbor.transactions("SYNC_READY")[0]

        client.report((row.id, "M1"))

        assert client.report((row.id, "M1")).status_code == 201

    def test_a_switch_has_no_other_positions(self, admin: httpx.Client) -> None:
        assert admin.patch("/switches", json={"used_key": "explode"}).status_code == 422
        assert admin.patch("/switches", json={"unknown": True}).status_code == 422

    def test_keys_can_be_forgotten(
        self, admin: httpx.Client, client: Client, harbor: BusinessHandle
    ) -> None:
        row = harbor.transactions("SYNC_READY")[0]
        client.report((row.id, "M1"))

        admin.post("/businesses/harbor-coffee/keys/forget")

        assert code_of(client.report((row.id, "M1"))) == "DEVELOPER_7062"

    def test_traffic_needs_a_port(self, admin: httpx.Client) -> None:
        assert admin.post("/traffic", json={"per_minute": 5}).status_code == 409


class TestWhatHappened:
    def test_is_counted_by_operation_and_status(self, admin: httpx.Client, client: Client) -> None:
        admin.delete("/calls")
        client.get("/business")
        client.get("/transactions", page_size=1)

        counted = admin.get("/calls").json()

        assert counted["calls"] == {"GET /business": 1, "GET /transactions": 1}
        assert counted["statuses"]["GET /transactions"] == {"422": 1}
        assert [line["status"] for line in admin.get("/log").json()["log"]] == [200, 422]

    def test_is_told_by_the_ledger_line_by_line(
        self, admin: httpx.Client, client: Client, harbor: BusinessHandle
    ) -> None:
        row, other = harbor.transactions("SYNC_READY")[:2]
        client.report(
            (row.id, "M1"), failed_syncs=[{"id": other.id, "error": {"message": "Closed."}}]
        )

        answer = admin.get("/ledger", params={"business": "harbor-coffee"})

        entries = {entry["id"]: entry for entry in map(json.loads, answer.iter_lines())}
        assert len(entries) == 12
        assert entries[row.id]["reference_id"] == "M1"
        assert entries[other.id]["export_error"] == "Closed."
        assert entries[other.id]["sync_status"] == "SYNC_READY"

    def test_is_told_for_all_businesses_unless_one_is_named(self, admin: httpx.Client) -> None:
        assert len(list(admin.get("/ledger").iter_lines())) == 36
        assert admin.get("/ledger", params={"business": "nobody"}).status_code == 404

    def test_shows_deliveries_owed_and_tried(self, admin: httpx.Client, client: Client) -> None:
        client.post(
            "/webhooks",
            {"endpoint_url": "https://bridge.test", "event_types": ["transactions.synced"]},
        )

        deliveries = admin.get("/deliveries").json()

        assert len(deliveries["owed"]) == 1
        assert deliveries["attempts"] == []
