"""What people do in Ramp's pages to a chart, and trouble with one record of an upload."""

from collections.abc import Iterator
from typing import Any

import httpx
import pytest

from connections.ramp_simulator.app import Simulator
from connections.ramp_simulator.handles import BusinessHandle
from connections.ramp_simulator.people import NotPossible
from tests.connections.ramp_simulator.side import Client, code_of

HERE = "/_simulator/businesses/harbor-coffee"


@pytest.fixture
def admin(sim: Simulator) -> Iterator[httpx.Client]:
    transport = httpx.WSGITransport(app=sim.wsgi)
    with httpx.Client(transport=transport, base_url="http://ramp.test") as http:
        yield http


def vendors(*ids: str) -> dict[str, Any]:
    return {"vendors": [{"id": one, "name": f"Vendor {one}"} for one in ids]}


class TestPeopleInRamp:
    def test_rename_an_account(self, admin: httpx.Client, client: Client) -> None:
        answer = admin.patch(f"{HERE}/chart/account/erp-6500", json={"name": "Marketing"})

        assert answer.json()["name"] == "Marketing"
        [row] = client.every_row("/accounting/accounts", remote_id="erp-6500")
        assert (row["name"], row["code"]) == ("Marketing", "6500")

    def test_deactivate_a_record_and_bring_it_back(
        self, admin: httpx.Client, client: Client
    ) -> None:
        path = f"{HERE}/chart/account/erp-6500"

        admin.patch(path, json={"is_active": False})
        gone = client.every_row("/accounting/accounts", remote_id="erp-6500")
        admin.patch(path, json={"is_active": True})
        back = client.every_row("/accounting/accounts", remote_id="erp-6500")

        assert [row["is_active"] for row in (*gone, *back)] == [False, True]

    def test_hide_an_option_and_nothing_else(self, admin: httpx.Client, client: Client) -> None:
        answer = admin.patch(f"{HERE}/chart/option/dep-1", json={"is_hidden": True})

        assert answer.json()["is_hidden"] is True
        [field] = client.every_row("/accounting/fields")
        query = {"field_id": field["ramp_id"], "visibility": "HIDDEN"}
        assert [row["id"] for row in client.every_row("/accounting/field-options", **query)] == [
            "dep-1"
        ]
        refused = admin.patch(f"{HERE}/chart/account/erp-6500", json={"is_hidden": True})
        assert refused.status_code == 409

    def test_only_change_what_there_is(self, harbor: BusinessHandle) -> None:
        with pytest.raises(NotPossible, match="has no account 1"):
            harbor.change_in_ramp("account", "1", name="X")
        with pytest.raises(NotPossible, match="no kind person"):
            harbor.change_in_ramp("person", "1", name="X")

    def test_turn_a_switch(self, admin: httpx.Client, client: Client) -> None:
        answer = admin.patch(f"{HERE}/settings", json={"vendor_credits_enabled": True})

        assert answer.json()["settings"]["vendor_credits_enabled"] is True
        shown = client.get("/accounting/connection").json()
        assert shown["settings"]["vendor_credits_enabled"] is True
        assert admin.patch(f"{HERE}/settings", json={"light": True}).status_code == 409

    def test_revoke_and_leave_the_seat(self, admin: httpx.Client, client: Client) -> None:
        admin.post(f"{HERE}/seat", json={"name": "NetSuite", "connection_type": "DIRECT"})
        taken = client.get("/accounting/connection").json()["connection_type"]
        admin.request("DELETE", f"{HERE}/seat", json={"give_back": True})
        given_back = client.get("/accounting/connection").json()["connection_type"]
        admin.post(f"{HERE}/seat/revoke")

        assert (taken, given_back) == ("DIRECT", "API")
        assert client.get("/accounting/connection").status_code == 404
        assert admin.post(f"{HERE}/seat/revoke").status_code == 409

    def test_take_a_scope_away_at_once(self, admin: httpx.Client, client: Client) -> None:
        assert client.get("/vendors").is_success

        assert admin.delete(f"{HERE}/scopes/vendors:read").status_code == 204

        assert code_of(client.get("/vendors")) == "DEVELOPER_7100"
        client.sign_in()
        assert code_of(client.get("/vendors")) == "DEVELOPER_7100"
        assert admin.delete(f"{HERE}/scopes/vendors:read").status_code == 409


class TestTheChartOnShow:
    def test_has_what_the_active_connection_has(self, admin: httpx.Client, client: Client) -> None:
        tax = {"id": "t1", "name": "VAT", "rate": "0.2", "account_id": "erp-2150"}
        admin.post(f"{HERE}/chart", json={"tax_codes": [tax]})

        shown = admin.get(f"{HERE}/chart").json()

        assert [row["code"] for row in shown["account"]][:2] == ["2150", "6100"]
        assert [row["name"] for row in shown["option"]] == ["Engineering", "Sales", "Operations"]
        assert [row["name"] for row in shown["tax_code"]] == ["VAT"]
        assert len(admin.get(f"{HERE}/chart", params={"limit": 1}).json()["account"]) == 1

    def test_needs_a_connection(self, admin: httpx.Client) -> None:
        there = "/_simulator/businesses/sakura-foods/chart"

        assert admin.get(there).status_code == 409


class TestABadRow:
    """M1: one record refuses its whole batch, until somebody mends it."""

    def test_is_named_by_its_place_and_field(self, sim: Simulator, client: Client) -> None:
        sim.fault("bad_row", row_id="v2", field="name", message="Too long.", times=None)

        answer = client.post("/accounting/vendors", vendors("v1", "v2", "v3"))

        assert answer.status_code == 422
        info = answer.json()["error_v2"]["additional_info"]
        assert info == {"vendors": {"1": {"name": ["Too long."]}}}
        assert client.every_row("/accounting/vendors") == []

    def test_may_go_unnamed(self, sim: Simulator, client: Client) -> None:
        sim.fault("bad_row", row_id="rotten", is_named=False, times=None)

        answer = client.post("/accounting/vendors", vendors("v1", "rotten"))

        assert answer.status_code == 400
        assert "rotten" not in answer.text
        assert client.post("/accounting/vendors", vendors("v1")).status_code == 201
        assert client.post("/accounting/vendors", vendors("rotten")).status_code == 400

    def test_harms_no_other_batch_and_ends(self, sim: Simulator, client: Client) -> None:
        sim.fault("bad_row", row_id="v2")

        assert client.post("/accounting/vendors", vendors("v1")).status_code == 201
        assert client.post("/accounting/vendors", vendors("v2")).status_code == 422
        assert client.post("/accounting/vendors", vendors("v2")).status_code == 201

    def test_may_be_an_option(self, sim: Simulator, client: Client) -> None:
        sim.fault("bad_row", "POST /accounting/field-options", row_id="dep-9")
        [field] = client.every_row("/accounting/fields")
        body = {"field_id": field["ramp_id"], "options": [{"id": "dep-9", "value": "Legal"}]}

        assert client.post("/accounting/field-options", body).status_code == 422


class TestALargeChart:
    def test_is_read_page_by_page_without_reading_it_all(self, client: Client) -> None:
        """Looked at are the rows of a page, whatever the size of the chart."""
        for number in range(4):
            ids = [f"v{number * 500 + one}" for one in range(500)]
            assert client.post("/accounting/vendors", vendors(*ids)).status_code == 201

        rows = client.every_row("/accounting/vendors", page_size=100)
        [found] = client.every_row("/accounting/vendors", remote_id="v1234")

        assert [row["id"] for row in rows] == [f"v{number}" for number in range(2000)]
        assert found["name"] == "Vendor v1234"

    def test_finds_a_renamed_vendor_by_its_new_name_only(
        self, client: Client, harbor: BusinessHandle
    ) -> None:
        [row] = client.post("/accounting/vendors", vendors("v1")).json()["vendors"]
        client.patch(f"/accounting/vendors/{row['ramp_id']}", {"name": "Uline"})
        by_old = harbor.create_vendor("Old name", linked_to="Vendor v1")
        by_new = harbor.create_vendor("New name", linked_to="uline")

        links = {
            one["id"]: one["accounting_vendor_remote_id"] for one in client.every_row("/vendors")
        }

        assert (links[by_old.id], links[by_new.id]) == (None, "v1")
