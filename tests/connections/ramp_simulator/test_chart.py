from typing import Any

import pytest

from connections.ramp_simulator.app import Simulator
from tests.connections.ramp_simulator.side import Client, code_of


@pytest.fixture
def client(sim: Simulator) -> Client:
    """A client that is connected and has uploaded nothing."""
    client = Client(sim, sim.business("harbor-coffee"))
    client.post("/accounting/connection", {"remote_provider_name": "rampbridge"})
    return client


def accounts(*ids: str) -> dict[str, Any]:
    return {
        "gl_accounts": [
            {"id": row_id, "name": f"Account {row_id}", "classification": "EXPENSE", "code": row_id}
            for row_id in ids
        ]
    }


def department(client: Client) -> dict[str, Any]:
    body = {"id": "dep", "name": "Department", "input_type": "SINGLE_CHOICE"}
    field: dict[str, Any] = client.post("/accounting/fields", body).json()
    return field


class TestUploading:
    def test_gives_every_row_an_id_of_ramps_own(self, client: Client) -> None:
        answer = client.post("/accounting/accounts", accounts("6100", "6200"))

        assert answer.status_code == 201
        body = answer.json()
        assert [row["id"] for row in body["gl_accounts"]] == ["6100", "6200"]
        assert body["uploaded"] == [row["ramp_id"] for row in body["gl_accounts"]]

    def test_of_a_row_that_is_known_refuses_the_batch(self, client: Client) -> None:
        client.post("/accounting/accounts", accounts("6100"))

        answer = client.post("/accounting/accounts", accounts("6200", "6100"))

        assert answer.status_code == 400
        assert "6100" in answer.json()["error_v2"]["message"]
        assert len(client.every_row("/accounting/accounts")) == 1

    def test_of_one_row_twice_refuses_the_batch(self, client: Client) -> None:
        assert client.post("/accounting/accounts", accounts("1", "1")).status_code == 400

    def test_of_one_malformed_row_refuses_the_batch(self, client: Client) -> None:
        body = accounts("6100", "6200")
        body["gl_accounts"][1]["classification"] = "COST"

        assert client.post("/accounting/accounts", body).status_code == 422
        assert client.every_row("/accounting/accounts") == []

    @pytest.mark.parametrize(("count", "status"), [(0, 422), (500, 201), (501, 422)])
    def test_takes_from_one_to_five_hundred_rows(
        self, client: Client, count: int, status: int
    ) -> None:
        body = accounts(*map(str, range(count)))

        assert client.post("/accounting/accounts", body).status_code == status

    def test_fills_a_connection_that_is_not_active_if_it_is_named(self, client: Client) -> None:
        body = {"remote_provider_name": "next", "is_active": False}
        waiting = client.post("/accounting/connection", body).json()["id"]

        client.post("/accounting/accounts", accounts("1") | {"accounting_connection_id": waiting})

        assert client.every_row("/accounting/accounts") == []
        [row] = client.every_row("/accounting/accounts", accounting_connection_id=waiting)
        assert client.get(f"/accounting/accounts/{row['ramp_id']}").status_code == 404


class TestListing:
    def test_finds_by_the_id_in_the_erp(self, client: Client) -> None:
        client.post("/accounting/accounts", accounts("6100", "6200"))

        [row] = client.every_row("/accounting/accounts", remote_id="6200")

        assert row["name"] == "Account 6200"

    def test_shows_deleted_rows_unless_asked_not_to(self, client: Client) -> None:
        rows = client.post("/accounting/accounts", accounts("1", "2")).json()["gl_accounts"]
        client.delete(f"/accounting/accounts/{rows[0]['ramp_id']}", {})

        assert len(client.every_row("/accounting/accounts")) == 2
        assert len(client.every_row("/accounting/accounts", is_active="true")) == 1


class TestChanging:
    def test_renames_and_takes_the_code_away(self, client: Client) -> None:
        [row] = client.post("/accounting/accounts", accounts("1")).json()["gl_accounts"]

        answer = client.patch(
            f"/accounting/accounts/{row['ramp_id']}", {"name": "Travel", "code": ""}
        )

        assert answer.json()["name"] == "Travel"
        assert "code" not in answer.json()

    def test_revives_a_deleted_vendor(self, client: Client) -> None:
        body = {"vendors": [{"id": "v1", "name": "Uline", "code": None}]}
        [row] = client.post("/accounting/vendors", body).json()["vendors"]
        client.delete(f"/accounting/vendors/{row['ramp_id']}", {})

        answer = client.patch(f"/accounting/vendors/{row['ramp_id']}", {"reactivate": True})

        assert answer.json()["is_active"] is True

    def test_can_not_hide_an_account(self, client: Client) -> None:
        [row] = client.post("/accounting/accounts", accounts("1")).json()["gl_accounts"]

        answer = client.patch(f"/accounting/accounts/{row['ramp_id']}", {"visibility": "HIDDEN"})

        assert answer.status_code == 422


class TestFields:
    def test_come_back_as_they_were_when_created_again(self, client: Client) -> None:
        field = department(client)
        client.delete(f"/accounting/fields/{field['ramp_id']}", {})

        again = client.post(
            "/accounting/fields",
            {"id": "dep", "name": "Renamed", "input_type": "BOOLEAN"},
        ).json()

        assert again["ramp_id"] == field["ramp_id"]
        assert (again["name"], again["is_active"]) == ("Department", True)

    def test_take_new_names_by_patch(self, client: Client) -> None:
        field = department(client)

        answer = client.patch(
            f"/accounting/fields/{field['ramp_id']}", {"name": "Team", "is_splittable": True}
        )

        assert (answer.json()["name"], answer.json()["is_splittable"]) == ("Team", True)


class TestOptions:
    def test_belong_to_a_field_that_lists_must_name(self, client: Client) -> None:
        field = department(client)
        options = [{"id": "1", "value": "Engineering", "code": "ENG"}]
        body = {"field_id": field["ramp_id"], "options": options}

        assert client.post("/accounting/field-options", body).status_code == 201
        assert client.get("/accounting/field-options").status_code == 422
        [option] = client.every_row("/accounting/field-options", field_id=field["ramp_id"])
        assert (option["value"], option["visibility"]) == ("Engineering", "VISIBLE")

    def test_may_have_the_same_id_in_two_fields(self, client: Client) -> None:
        other = client.post(
            "/accounting/fields", {"id": "loc", "name": "Place", "input_type": "SINGLE_CHOICE"}
        ).json()
        for field in (department(client), other):
            body = {"field_id": field["ramp_id"], "options": [{"id": "1", "value": "North"}]}
            assert client.post("/accounting/field-options", body).status_code == 201

    def test_can_be_hidden_and_shown_again(self, client: Client) -> None:
        field = department(client)
        body = {"field_id": field["ramp_id"], "options": [{"id": "1", "value": "North"}]}
        [option] = client.post("/accounting/field-options", body).json()["options"]
        path = f"/accounting/field-options/{option['ramp_id']}"

        hidden = client.patch(path, {"visibility": "HIDDEN"}).json()

        assert (hidden["visibility"], hidden["is_active"]) == ("HIDDEN", True)
        query = {"field_id": field["ramp_id"], "visibility": "VISIBLE"}
        assert client.every_row("/accounting/field-options", **query) == []
        assert client.patch(path, {"visibility": "VISIBLE"}).json()["visibility"] == "VISIBLE"

    def test_are_not_for_fields_of_free_text(self, client: Client) -> None:
        field = client.post(
            "/accounting/fields", {"id": "n", "name": "Note", "input_type": "FREE_FORM_TEXT"}
        ).json()
        body = {"field_id": field["ramp_id"], "options": [{"id": "1", "value": "x"}]}

        answer = client.post("/accounting/field-options", body)

        assert (answer.status_code, code_of(answer)) == (400, "DEVELOPER_7001")
