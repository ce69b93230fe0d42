import pytest

from connections.ramp_simulator.app import Simulator
from connections.ramp_simulator.handles import BusinessHandle
from tests.connections.ramp_simulator.side import API, Client, ManualClock, code_of


class TestMintingAToken:
    def test_gives_a_bearer_token_that_lasts_ten_days(self, client: Client) -> None:
        answer = client.token(grant_type="client_credentials", scope="business:read")

        body = answer.json()
        assert body["token_type"] == "Bearer"
        assert body["expires_in"] == 864_000
        assert body["access_token"].startswith("ramp_business_tok_")

    def test_drops_scopes_the_app_was_not_granted_without_a_word(self, client: Client) -> None:
        answer = client.token(grant_type="client_credentials", scope="business:read cards:write")

        assert answer.status_code == 200
        assert answer.json()["scope"] == "business:read"

    def test_can_be_switched_to_refuse_such_scopes(self, sim: Simulator, client: Client) -> None:
        sim.switches.ungranted_scope = "refuse"

        answer = client.token(grant_type="client_credentials", scope="cards:write")

        assert code_of(answer) == "invalid_scope"

    def test_refuses_a_wrong_secret(self, client: Client) -> None:
        answer = client.http.post(
            f"{API}/token",
            auth=(client.business.client_id, "guess"),
            data={"grant_type": "client_credentials", "scope": "business:read"},
        )

        assert (answer.status_code, code_of(answer)) == (401, "5001")

    def test_refuses_a_client_id_that_is_none(self, client: Client) -> None:
        answer = client.http.post(
            f"{API}/token",
            auth=("somebody", "guess"),
            data={"grant_type": "client_credentials", "scope": "business:read"},
        )

        assert (answer.status_code, code_of(answer)) == (400, "5006")

    def test_offers_no_other_grant_to_this_app(self, client: Client) -> None:
        answer = client.token(grant_type="refresh_token", refresh_token="r")

        assert (answer.status_code, code_of(answer)) == (400, "DEVELOPER_7012")

    def test_also_takes_the_json_body_that_the_specification_promises(self, client: Client) -> None:
        answer = client.http.post(
            f"{API}/token",
            auth=(client.business.client_id, client.business.client_secret),
            json={"grant_type": "client_credentials", "scope": "business:read"},
        )

        assert answer.status_code == 200


class TestUsingAToken:
    def test_an_unknown_token_is_a_404_with_the_code_of_any_missing_object(
        self, client: Client
    ) -> None:
        client.http.headers["Authorization"] = "Bearer ramp_business_tok_made_up"

        answer = client.get("/business")

        assert (answer.status_code, code_of(answer)) == (404, "DEVELOPER_7002")
        assert "Access token" in answer.json()["error_v2"]["message"]

    def test_an_unknown_token_can_be_switched_to_a_401(
        self, sim: Simulator, client: Client
    ) -> None:
        sim.switches.unknown_token_status = 401
        client.business.revoke_tokens()

        answer = client.get("/business")

        assert (answer.status_code, code_of(answer)) == (401, "DEVELOPER_7002")

    def test_an_expired_token_is_a_401_of_its_own(self, client: Client, clock: ManualClock) -> None:
        clock.turn(days=10)

        answer = client.get("/business")

        assert (answer.status_code, code_of(answer)) == (401, "DEVELOPER_7028")

    def test_a_token_can_be_made_to_expire_early(
        self, client: Client, harbor: BusinessHandle
    ) -> None:
        harbor.expire_tokens()

        assert code_of(client.get("/business")) == "DEVELOPER_7028"

    def test_a_token_without_the_scope_is_refused(self, client: Client) -> None:
        client.sign_in("business:read")

        answer = client.get("/transactions")

        assert (answer.status_code, code_of(answer)) == (403, "DEVELOPER_7100")
        assert answer.json()["error_v2"]["message"].endswith("transactions:read")

    def test_a_revoked_token_is_unknown(self, client: Client) -> None:
        token = client.http.headers["Authorization"].removeprefix("Bearer ")

        answer = client.http.post(
            f"{API}/token/revoke",
            auth=(client.business.client_id, client.business.client_secret),
            data={"token": token},
        )

        assert answer.status_code == 200
        assert code_of(client.get("/business")) == "DEVELOPER_7002"


@pytest.mark.parametrize("path", ["/business", "/entities", "/transactions", "/webhooks"])
def test_nothing_is_open_without_a_token(client: Client, path: str) -> None:
    del client.http.headers["Authorization"]

    assert code_of(client.get(path)) == "DEVELOPER_7002"
