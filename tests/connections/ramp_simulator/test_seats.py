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


NEW_ACCOUNT = {"gl_accounts": [{"id": "1", "name": "Freight", "classification": "EXPENSE"}]}


class TestWithoutAnApiConnection:
    @pytest.mark.parametrize("seat", [None, "DIRECT", "CSV"])
    def test_nothing_is_written_or_synced(self, client: Client, seat: str | None) -> None:
        if seat:
            client.business.occupy_seat("NetSuite", seat)
        row = client.business.transactions("SYNC_READY")[0]

        answers = [
            client.report((row.id, "M1")),
            client.post("/accounting/accounts", NEW_ACCOUNT),
            client.post("/accounting/tax/code", {"name": "Tax"}),
        ]

        assert [answer.status_code for answer in answers] == [400] * 3
        assert {code_of(answer) for answer in answers} == {"DEVELOPER_7089"}

    def test_there_is_no_chart_to_read(self, client: Client) -> None:
        assert code_of(client.get("/accounting/accounts")) == "DEVELOPER_7089"


class TestADirectConnection:
    """Ramp runs it itself (M6). It has a chart of its own, which a client may read."""

    @pytest.fixture
    def ours(self, client: Client) -> str:
        """The connection that it pushes off its seat, with an account."""
        connection = str(connect(client)["id"])
        client.post("/accounting/accounts", NEW_ACCOUNT)
        client.business.connect_directly("QuickBooks Online", options={"East": "Eastern"})
        return connection

    def test_takes_the_seat_from_whoever_had_it(self, client: Client, ours: str) -> None:
        rows = client.get("/accounting/all-connections").json()["connections"]

        assert [(row["id"] == ours, row["is_active"], row["connection_type"]) for row in rows] == [
            (True, False, "API"),
            (False, True, "DIRECT"),
        ]

    def test_shows_its_own_chart_and_ours_if_that_is_named(self, client: Client, ours: str) -> None:
        named = client.every_row("/accounting/accounts", accounting_connection_id=ours)

        assert client.every_row("/accounting/accounts") == []
        assert [row["id"] for row in named] == ["1"]

    def test_lets_only_be_changed_how_options_are_shown(self, client: Client, ours: str) -> None:
        [field] = client.every_row("/accounting/fields")
        [option] = client.every_row("/accounting/field-options", field_id=field["ramp_id"])
        path = f"/accounting/field-options/{option['ramp_id']}"

        assert client.patch(path, {"visibility": "HIDDEN", "display_name": "E"}).is_success
        assert code_of(client.patch(path, {"value": "West"})) == "DEVELOPER_7089"
        assert code_of(client.patch(path, {"reactivate": True})) == "DEVELOPER_7089"
        assert client.patch(f"/accounting/fields/{field['ramp_id']}", {"name": "X"}).is_error

    def test_that_is_taken_away_gives_the_seat_back(self, client: Client, ours: str) -> None:
        client.business.disconnect(give_back=True)

        assert client.get("/accounting/connection").json()["id"] == ours
        assert [row["id"] for row in client.every_row("/accounting/accounts")] == ["1"]


class TestACsvConnection:
    def test_keeps_its_chart_when_it_becomes_one_of_the_api(self, client: Client) -> None:
        former = client.business.occupy_seat("Universal CSV", "CSV")
        client.business.import_accounts([{"id": "QB-7100", "name": "Equipment", "code": "7100"}])

        connect(client)
        client.post("/accounting/accounts", NEW_ACCOUNT)

        rows = client.every_row("/accounting/accounts")
        assert [row["id"] for row in rows] == ["QB-7100", "1"]
        assert {row["accounting_connection_id"] for row in rows} == {former.id}


class TestAConnectionThatIsRevoked:
    def test_is_dead_until_it_is_linked_again(self, client: Client) -> None:
        connection = connect(client)

        client.business.revoke_connection()

        [row] = client.get("/accounting/all-connections").json()["connections"]
        assert (row["status"], row["is_active"]) == ("revoked", False)
        assert code_of(client.post("/accounting/accounts", NEW_ACCOUNT)) == "DEVELOPER_7089"
        again = client.post(f"/accounting/connection/{connection['id']}/reactivate", {}).json()
        assert (again["status"], again["is_active"]) == ("linked", True)
