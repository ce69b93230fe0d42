import pytest

from connections.ramp_simulator.app import Simulator
from tests.connections.ramp_simulator.side import Client, code_of


@pytest.fixture
def client(sim: Simulator) -> Client:
    """A client of a business that has no accounting connection yet."""
    return Client(sim, sim.business("harbor-coffee"))


def connect(client: Client, name: str = "rampbridge", **more: object) -> dict[str, object]:
    answer = client.post("/accounting/connection", {"remote_provider_name": name, **more})
    assert answer.status_code == 201
    body: dict[str, object] = answer.json()
    return body


class TestConnecting:
    def test_takes_the_free_seat(self, client: Client) -> None:
        connection = connect(client)

        assert (connection["status"], connection["is_active"]) == ("linked", True)
        assert client.get("/accounting/connection").json() == connection

    def test_keeps_the_settings_it_was_given(self, client: Client) -> None:
        connection = connect(client, settings={"vendor_credits_enabled": True})

        settings = connection["settings"]
        assert isinstance(settings, dict)
        assert settings["vendor_credits_enabled"] is True
        assert settings["transaction_sync_button_enabled"] is False

    def test_answers_whoever_has_the_seat_already(self, client: Client) -> None:
        client.business.occupy_seat("OtherBridge")

        connection = connect(client)

        assert connection["remote_provider_name"] == "OtherBridge"
        assert len(client.get("/accounting/all-connections").json()["connections"]) == 1

    def test_takes_over_a_csv_connection(self, client: Client) -> None:
        former = client.business.occupy_seat("Universal CSV", "CSV")

        connection = connect(client)

        assert connection["id"] == former.id
        assert connection["connection_type"] == "API"
        assert connection["remote_provider_name"] == "rampbridge"

    def test_can_wait_beside_the_active_one(self, client: Client) -> None:
        client.business.occupy_seat("NetSuite", "DIRECT")

        connection = connect(client, is_active=False)

        assert (connection["status"], connection["is_active"]) == ("unlinked", False)
        assert client.get("/accounting/connection").json()["connection_type"] == "DIRECT"


class TestDisconnecting:
    def test_leaves_a_tombstone(self, client: Client) -> None:
        connect(client)

        assert client.delete("/accounting/connection", {}).status_code == 204

        [stone] = client.get("/accounting/all-connections").json()["connections"]
        assert stone["status"] == "unlinked"
        assert stone["settings"] is None
        assert stone["remote_provider_name"] == "rampbridge"

    def test_needs_a_connection(self, client: Client) -> None:
        assert client.delete("/accounting/connection", {}).status_code == 404
        assert client.get("/accounting/connection").status_code == 404

    def test_is_not_for_direct_connections(self, client: Client) -> None:
        client.business.occupy_seat("NetSuite", "DIRECT")

        assert client.delete("/accounting/connection", {}).status_code == 404


class TestReactivating:
    def test_brings_back_settings_and_chart(self, client: Client) -> None:
        connection = connect(client, settings={"vendor_credits_enabled": True})
        rows = [{"id": "1", "name": "Travel", "classification": "EXPENSE"}]
        client.post("/accounting/accounts", {"gl_accounts": rows})
        client.delete("/accounting/connection", {})

        answer = client.post(f"/accounting/connection/{connection['id']}/reactivate", {})

        assert answer.status_code == 200
        assert answer.json()["settings"]["vendor_credits_enabled"] is True
        assert len(client.every_row("/accounting/accounts")) == 1

    def test_needs_a_free_seat(self, client: Client) -> None:
        connection = connect(client)
        client.business.occupy_seat("OtherBridge")

        answer = client.post(f"/accounting/connection/{connection['id']}/reactivate", {})

        assert answer.status_code == 400


class TestSettings:
    def test_change_only_where_named(self, client: Client) -> None:
        connection = connect(client, settings={"vendor_credits_enabled": True})

        answer = client.patch(
            f"/accounting/connection/{connection['id']}",
            {"settings": {"transaction_sync_button_enabled": True}},
        )

        assert answer.json()["settings"]["vendor_credits_enabled"] is True
        assert answer.json()["settings"]["transaction_sync_button_enabled"] is True

    def test_belong_to_api_connections_only(self, client: Client) -> None:
        connection = client.business.occupy_seat("NetSuite", "DIRECT")

        answer = client.patch(f"/accounting/connection/{connection.id}", {"settings": {}})

        assert answer.status_code == 400


class TestWithoutAnApiConnection:
    @pytest.mark.parametrize("seat", [None, "DIRECT"])
    def test_the_chart_and_syncs_are_closed(self, client: Client, seat: str | None) -> None:
        if seat:
            client.business.occupy_seat("NetSuite", seat)
        row = client.business.transactions("SYNC_READY")[0]

        answer = client.report((row.id, "M1"))

        assert (answer.status_code, code_of(answer)) == (400, "DEVELOPER_7089")
        assert code_of(client.get("/accounting/accounts")) == "DEVELOPER_7089"
