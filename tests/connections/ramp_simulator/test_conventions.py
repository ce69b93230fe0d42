import httpx
import pytest

from connections.ramp_simulator.app import Simulator
from connections.ramp_simulator.handles import BusinessHandle
from tests.connections.ramp_simulator.side import API, NOON, Client, ManualClock, code_of


class TestPages:
    def test_lead_to_every_row_once(self, client: Client, harbor: BusinessHandle) -> None:
        rows = client.every_row("/transactions", sync_status="SYNC_READY", page_size=5)

        assert [row["id"] for row in rows] == [row.id for row in harbor.transactions("SYNC_READY")]

    def test_name_the_next_one_by_an_absolute_address_that_keeps_the_filters(
        self, client: Client
    ) -> None:
        answer = client.get("/transactions", sync_status="SYNC_READY", page_size=3).json()

        following = httpx.URL(answer["page"]["next"])
        assert (following.scheme, following.host) == ("http", "ramp.test")
        assert dict(following.params) == {
            "sync_status": "SYNC_READY",
            "page_size": "3",
            "start": answer["data"][-1]["id"],
        }

    def test_go_on_behind_a_row_that_has_left_the_list(
        self, client: Client, harbor: BusinessHandle
    ) -> None:
        ready = [row.id for row in harbor.transactions("SYNC_READY")]
        first = client.get("/transactions", sync_status="SYNC_READY", page_size=4).json()
        client.report(*((row["id"], "M1") for row in first["data"]))

        second = client.http.get(first["page"]["next"]).json()

        assert [row["id"] for row in second["data"]] == ready[4:8]

    def test_hold_twenty_rows_unless_asked(self, client: Client, harbor: BusinessHandle) -> None:
        for _ in range(25):
            harbor.create_transaction(ready=True)

        assert len(client.get("/transactions", sync_status="SYNC_READY").json()["data"]) == 20

    @pytest.mark.parametrize("size", ["1", "101", "many"])
    def test_hold_from_two_to_a_hundred(self, client: Client, size: str) -> None:
        answer = client.get("/transactions", page_size=size)

        assert (answer.status_code, code_of(answer)) == (422, "DEVELOPER_7001")
        assert "page_size" in answer.json()["error_v2"]["additional_info"]


class TestErrors:
    def test_carry_the_new_shape_and_mirror_the_old(self, client: Client) -> None:
        body = client.get("/transactions", page_size=1).json()

        assert body["error_v2"].keys() == {
            "error_code",
            "message",
            "additional_info",
            "notes",
            "error_id",
        }
        assert body["error"] == body["error_v2"]["additional_info"]

    def test_come_as_a_web_page_where_there_is_no_such_path(self, client: Client) -> None:
        answer = client.get("/accounting/nothing")

        assert answer.status_code == 404
        assert answer.headers["content-type"].startswith("text/html")

    def test_come_as_a_web_page_where_the_path_has_no_such_method(self, client: Client) -> None:
        answer = client.patch("/transactions", {})

        assert answer.status_code == 405

    def test_say_that_another_business_has_no_such_object(
        self, sim: Simulator, client: Client
    ) -> None:
        foreign = sim.business("sakura-foods").transactions()[0]

        answer = client.get(f"/transactions/{foreign.id}")

        assert (answer.status_code, code_of(answer)) == (404, "DEVELOPER_7002")


class TestTraceIds:
    @pytest.mark.parametrize("path", ["/business", "/transactions?page_size=1", "/nothing"])
    def test_are_on_every_answer(self, client: Client, path: str) -> None:
        assert client.http.get(f"{API}{path}").headers["x-trace-id"]

    def test_are_never_the_same(self, client: Client) -> None:
        answers = [client.get("/business") for _ in range(5)]

        assert len({answer.headers["x-trace-id"] for answer in answers}) == 5


class TestUnknownInput:
    def test_in_the_query_is_ignored(self, client: Client) -> None:
        plain = client.get("/transactions").json()

        assert client.get("/transactions", colour="blue").json()["data"] == plain["data"]

    def test_in_an_accounting_body_refuses_everything(
        self, client: Client, harbor: BusinessHandle
    ) -> None:
        row = harbor.transactions("SYNC_READY")[0]

        answer = client.report((row.id, "M1"), colour="blue")

        assert answer.status_code == 422
        assert answer.json()["error_v2"]["additional_info"] == {"colour": ["Unknown field."]}
        assert row.sync_status == "SYNC_READY"

    def test_inside_a_row_names_the_row(self, client: Client) -> None:
        rows = [{"id": "1", "name": "A", "classification": "ASSET", "parent": "2"}]

        answer = client.post("/accounting/accounts", {"gl_accounts": rows})

        assert answer.json()["error_v2"]["additional_info"] == {
            "gl_accounts": {"0": {"parent": ["Unknown field."]}}
        }


class TestBodies:
    @pytest.mark.parametrize("method", ["POST", "DELETE"])
    def test_are_needed_even_if_there_is_nothing_to_say(self, client: Client, method: str) -> None:
        [account, *_] = client.every_row("/accounting/accounts")
        path = "/accounting/accounts"
        path += f"/{account['ramp_id']}" if method == "DELETE" else ""

        answer = client.http.request(method, f"{API}{path}")

        assert (answer.status_code, code_of(answer)) == (400, "DEVELOPER_7011")


class TestDates:
    def test_in_filters_are_full_date_times(self, client: Client) -> None:
        assert client.get("/transactions", from_date="2026-03-01").status_code == 422
        assert client.get("/transactions", from_date="2026-03-01T00:00:00Z").status_code == 200

    def test_in_answers_have_an_offset_and_whole_seconds(
        self, client: Client, harbor: BusinessHandle
    ) -> None:
        row = harbor.create_transaction(at=NOON)

        answer = client.get(f"/transactions/{row.id}").json()

        assert answer["user_transaction_time"] == "2026-03-18T12:00:00+00:00"


class TestTheRateLimit:
    def test_lets_two_hundred_calls_pass_in_ten_seconds(
        self, sim: Simulator, client: Client, clock: ManualClock
    ) -> None:
        sim.switches.rate_limit = True
        statuses = [client.get("/business").status_code for _ in range(201)]

        assert statuses == [200] * 200 + [429]
        clock.turn(seconds=9.9)
        assert client.get("/business").status_code == 429
        clock.turn(seconds=0.1)
        assert client.get("/business").status_code == 200

    def test_counts_per_address(self, sim: Simulator, client: Client) -> None:
        sim.switches.rate_limit = True
        for _ in range(200):
            client.get("/business")
        elsewhere = httpx.Client(
            transport=httpx.WSGITransport(app=sim.wsgi, remote_addr="10.0.0.9"),
            base_url="http://ramp.test",
            headers=client.http.headers,
        )

        assert client.get("/business").status_code == 429
        assert elsewhere.get(f"{API}/business").status_code == 200


class TestCounters:
    def test_count_every_call_by_operation(self, sim: Simulator, client: Client) -> None:
        before = sim.calls["GET /transactions/{transaction_id}"]
        row = client.business.transactions()[0]

        client.get(f"/transactions/{row.id}")
        client.get("/transactions/made-up")

        assert sim.calls["GET /transactions/{transaction_id}"] == before + 2
        assert [line.status for line in list(sim.log)[-2:]] == [200, 404]
