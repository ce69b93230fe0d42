import httpx
import pytest

from connections.ramp_simulator.app import Simulator
from connections.ramp_simulator.handles import BusinessHandle
from tests.connections.ramp_simulator.side import Client, code_of

SYNCS = "POST /accounting/syncs"
LIST = "GET /transactions"


@pytest.fixture
def ready(harbor: BusinessHandle) -> list[str]:
    return [row.id for row in harbor.transactions("SYNC_READY")]


class TestWhereAndWhen:
    def test_a_fault_strikes_once_unless_told_otherwise(
        self, sim: Simulator, client: Client
    ) -> None:
        sim.fault("answer", "GET /business", status=503)

        assert [client.get("/business").status_code for _ in range(3)] == [503, 200, 200]

    def test_a_fault_strikes_as_often_as_told(self, sim: Simulator, client: Client) -> None:
        sim.fault("answer", status=503, times=2, skip=1)

        statuses = [client.get("/business").status_code for _ in range(4)]

        assert statuses == [200, 503, 503, 200]

    def test_a_fault_without_end_strikes_until_cancelled(
        self, sim: Simulator, client: Client
    ) -> None:
        fault = sim.fault("answer", status=503, times=None)
        struck = [client.get("/business").status_code for _ in range(5)]
        sim.world.faults.cancel(fault.id)

        assert struck == [503] * 5
        assert client.get("/business").status_code == 200

    def test_a_fault_strikes_with_its_probability(self, sim: Simulator, client: Client) -> None:
        sim.fault("answer", status=503, times=None, probability=0.3)

        statuses = [client.get("/business").status_code for _ in range(200)]

        assert 30 <= statuses.count(503) <= 90

    def test_a_fault_strikes_only_where_told(self, sim: Simulator, client: Client) -> None:
        sim.fault("answer", LIST, status=503)
        sim.fault("answer", business="sakura-foods", status=503)

        assert client.get("/business").status_code == 200
        assert client.get("/transactions").status_code == 503


class TestBeforeAnythingIsDone:
    @pytest.mark.parametrize("status", [429, 500, 502, 503, 504])
    def test_an_error_is_answered_and_nothing_happened(
        self,
        sim: Simulator,
        client: Client,
        harbor: BusinessHandle,
        ready: list[str],
        status: int,
    ) -> None:
        sim.fault("answer", SYNCS, status=status, headers={"Retry-After": "7"})

        answer = client.report((ready[0], "M1"))

        assert (answer.status_code, answer.headers["Retry-After"]) == (status, "7")
        assert answer.headers["x-trace-id"]
        assert harbor.transaction(ready[0]).sync_status == "SYNC_READY"

    def test_a_refusal_can_have_any_code(self, sim: Simulator, client: Client) -> None:
        sim.fault("answer", status=400, code="DEVELOPER_7089", message="No connection")

        assert code_of(client.get("/business")) == "DEVELOPER_7089"

    def test_the_line_is_cut(
        self, sim: Simulator, client: Client, harbor: BusinessHandle, ready: list[str]
    ) -> None:
        sim.fault("hang_up", SYNCS)

        with pytest.raises(httpx.RemoteProtocolError):
            client.report((ready[0], "M1"))

        assert harbor.transaction(ready[0]).sync_status == "SYNC_READY"

    def test_it_takes_long(self, sim: Simulator, client: Client, naps: list[float]) -> None:
        sim.fault("slow", seconds=12)

        assert client.get("/business").status_code == 200
        assert naps == [12]

    def test_a_known_path_is_not_found(self, sim: Simulator, client: Client) -> None:
        sim.fault("html_404")

        answer = client.get("/business")

        assert answer.status_code == 404
        assert "html" in answer.headers["content-type"]

    @pytest.mark.parametrize(
        ("kind", "status", "code"),
        [
            ("token_unknown", 404, "DEVELOPER_7002"),
            ("token_expired", 401, "DEVELOPER_7028"),
            ("scope_missing", 403, "DEVELOPER_7100"),
        ],
    )
    def test_a_good_token_is_refused(
        self, sim: Simulator, client: Client, kind: str, status: int, code: str
    ) -> None:
        sim.fault(kind)

        answer = client.get("/business")

        assert (answer.status_code, code_of(answer)) == (status, code)

    def test_a_key_is_burnt(
        self, sim: Simulator, client: Client, harbor: BusinessHandle, ready: list[str]
    ) -> None:
        sim.fault("burnt_key")

        first = client.report((ready[0], "M1"), key="k")
        second = client.report((ready[0], "M1"), key="k")

        assert first.status_code == 500
        assert code_of(second) == "DEVELOPER_7005"
        assert harbor.transaction(ready[0]).sync_status == "SYNC_READY"


class TestAfterEverythingIsDone:
    @pytest.mark.parametrize("status", [504, 500])
    def test_the_answer_is_lost(
        self,
        sim: Simulator,
        client: Client,
        harbor: BusinessHandle,
        ready: list[str],
        status: int,
    ) -> None:
        sim.fault("lost_answer", SYNCS, status=status)

        answer = client.report((ready[0], "M1"), key="k")

        assert answer.status_code == status
        assert harbor.transaction(ready[0]).reference_id == "M1"
        assert code_of(client.report((ready[0], "M1"), key="k")) == "DEVELOPER_7005"

    def test_the_line_is_cut(
        self, sim: Simulator, client: Client, harbor: BusinessHandle, ready: list[str]
    ) -> None:
        sim.fault("hang_up_after", SYNCS)

        with pytest.raises(httpx.RemoteProtocolError):
            client.report((ready[0], "M1"))

        assert harbor.transaction(ready[0]).sync_status == "SYNCED"

    def test_the_answer_takes_long(self, sim: Simulator, client: Client, naps: list[float]) -> None:
        sim.fault("slow_answer", seconds=70)

        client.get("/business")

        assert naps == [70]

    def test_the_answer_is_a_web_page(self, sim: Simulator, client: Client) -> None:
        sim.fault("not_json")

        answer = client.get("/business")

        assert answer.status_code == 200
        assert answer.text.startswith("<!doctype html>")


class TestInTheAnswer:
    def test_7062_names_nobody(self, sim: Simulator, client: Client, ready: list[str]) -> None:
        sim.fault("not_ready_without_ids")
        client.report((ready[0], "M1"), key="k1")

        answer = client.report((ready[0], "M1"), key="k2")

        assert code_of(answer) == "DEVELOPER_7062"
        assert ready[0] not in answer.text

    def test_the_next_page_is_a_bare_cursor(self, sim: Simulator, client: Client) -> None:
        sim.fault("bare_cursor", LIST)

        answer = client.get("/transactions", page_size=2).json()

        assert answer["page"]["next"] == answer["data"][-1]["id"]

    def test_the_next_page_is_on_another_host(self, sim: Simulator, client: Client) -> None:
        sim.fault("foreign_cursor", LIST)

        answer = client.get("/transactions", page_size=2).json()

        assert httpx.URL(answer["page"]["next"]).host == "ramp.example"

    def test_the_next_page_leads_back_to_itself(self, sim: Simulator, client: Client) -> None:
        sim.fault("looping_cursor", LIST, skip=1, times=None)
        first = client.get("/transactions", page_size=2).json()

        second = client.http.get(first["page"]["next"]).json()

        start = httpx.URL(first["page"]["next"]).params["start"]
        assert httpx.URL(second["page"]["next"]).params["start"] == start

    def test_the_page_is_null(self, sim: Simulator, client: Client) -> None:
        sim.fault("no_page", LIST)

        assert client.get("/transactions").json()["page"] is None

    def test_one_row_is_malformed(self, sim: Simulator, client: Client) -> None:
        sim.fault("malformed_row", LIST)

        rows = client.get("/transactions").json()["data"]

        assert rows[0]["line_items"] is None
        assert all(isinstance(row["amount"], float) for row in rows[1:])
