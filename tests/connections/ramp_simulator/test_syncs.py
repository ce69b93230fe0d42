from uuid import uuid4

import pytest

from connections.ramp_simulator.app import Simulator
from connections.ramp_simulator.handles import BusinessHandle
from tests.connections.ramp_simulator.side import Client, ManualClock, code_of


@pytest.fixture
def ready(harbor: BusinessHandle) -> list[str]:
    """Ids of transactions that are ready."""
    return [row.id for row in harbor.transactions("SYNC_READY")]


class TestSuccess:
    def test_moves_the_transaction_to_synced(
        self, client: Client, harbor: BusinessHandle, ready: list[str], clock: ManualClock
    ) -> None:
        answer = client.report((ready[0], "M-17"))

        assert answer.status_code == 201
        row = harbor.transaction(ready[0])
        assert (row.sync_status, row.reference_id) == ("SYNCED", "M-17")
        assert row.synced_at == clock.now

    def test_stands_in_the_ledger_with_the_key_it_came_under(
        self, client: Client, harbor: BusinessHandle, ready: list[str]
    ) -> None:
        sync_id = client.report((ready[0], "M-17"), key="k").json()["sync_id"]

        [entry] = [entry for entry in harbor.ledger() if entry["id"] == ready[0]]

        assert (entry["reference_id"], entry["synced_by"]) == ("M-17", "api")
        [commit] = entry["commits"]
        assert (commit["sync_id"], commit["idempotency_key"]) == (sync_id, "k")

    def test_clears_an_earlier_failure(
        self, client: Client, harbor: BusinessHandle, ready: list[str]
    ) -> None:
        failed = {"id": ready[0], "error": {"message": "The period is closed."}}
        client.report(key="k1", failed_syncs=[failed])

        client.report((ready[0], "M-17"), key="k2")

        assert harbor.transaction(ready[0]).export_error is None
        assert len(harbor.transaction(ready[0]).commits) == 2


class TestFailure:
    def test_shows_the_message_and_leaves_the_transaction_ready(
        self, client: Client, harbor: BusinessHandle, ready: list[str]
    ) -> None:
        failed = {"id": ready[0], "error": {"message": "The period is closed."}}

        assert client.report(failed_syncs=[failed]).status_code == 201

        row = harbor.transaction(ready[0])
        assert (row.sync_status, row.export_error) == ("SYNC_READY", "The period is closed.")

    def test_without_its_nested_error_is_malformed(self, client: Client, ready: list[str]) -> None:
        answer = client.report(failed_syncs=[{"id": ready[0], "message": "Closed."}])

        assert answer.status_code == 422

    def test_may_share_a_call_with_success(
        self, client: Client, harbor: BusinessHandle, ready: list[str]
    ) -> None:
        failed = {"id": ready[1], "error": {"message": "The period is closed."}}

        assert client.report((ready[0], "M1"), failed_syncs=[failed]).status_code == 201
        assert harbor.transaction(ready[1]).export_error


class TestABatchWithOneThatIsNotReady:
    @pytest.fixture
    def not_ready(self, sim: Simulator, harbor: BusinessHandle, case: str) -> str:
        if case == "not ready yet":
            return harbor.create_transaction().id
        if case == "synced already":
            [exported] = harbor.press_export(harbor.transactions("SYNC_READY")[-1].id)
            return exported
        if case == "of another business":
            return sim.business("sakura-foods").transactions("SYNC_READY")[0].id
        return str(uuid4())

    @pytest.mark.parametrize(
        "case", ["not ready yet", "synced already", "of another business", "made up"]
    )
    def test_is_refused_whole_and_names_it_in_the_message_only(
        self, client: Client, harbor: BusinessHandle, ready: list[str], not_ready: str
    ) -> None:
        answer = client.report((ready[0], "M1"), (not_ready, "M2"))

        assert (answer.status_code, code_of(answer)) == (400, "DEVELOPER_7062")
        error = answer.json()["error_v2"]
        assert not_ready in error["message"]
        assert ready[0] not in error["message"]
        assert error["additional_info"] == {}
        assert harbor.transaction(ready[0]).sync_status == "SYNC_READY"

    @pytest.mark.parametrize("case", ["made up"])
    def test_does_not_use_up_the_key(
        self, client: Client, ready: list[str], not_ready: str
    ) -> None:
        client.report((not_ready, "M2"), key="k")

        assert client.report((ready[0], "M1"), key="k").status_code == 201

    def test_counts_what_is_coded_to_a_deleted_account(
        self, client: Client, harbor: BusinessHandle
    ) -> None:
        row = harbor.create_transaction(account_code="6100", ready=True)
        [account] = client.every_row("/accounting/accounts", code="6100")
        client.delete(f"/accounting/accounts/{account['ramp_id']}", {})

        assert code_of(client.report((row.id, "M1"))) == "DEVELOPER_7062"


class TestKeys:
    def test_are_refused_the_second_time(self, client: Client, ready: list[str]) -> None:
        client.report((ready[0], "M1"), key="k")

        answer = client.report((ready[0], "M1"), key="k")

        assert (answer.status_code, code_of(answer)) == (400, "DEVELOPER_7005")

    def test_can_be_switched_to_give_the_first_answer_again(
        self, sim: Simulator, client: Client, ready: list[str]
    ) -> None:
        sim.switches.used_key = "replay"
        first = client.report((ready[0], "M1"), key="k")

        assert client.report((ready[0], "M1"), key="k").json() == first.json()
        assert code_of(client.report((ready[1], "M2"), key="k")) == "DEVELOPER_7005"

    def test_belong_to_one_business(self, sim: Simulator, client: Client, ready: list[str]) -> None:
        client.report((ready[0], "M1"), key="k")
        sakura = sim.business("sakura-foods")
        sakura.upload_chart()
        other = Client(sim, sakura)

        answer = other.report((sakura.transactions("SYNC_READY")[0].id, "M1"), key="k")

        assert answer.status_code == 201

    def test_can_be_forgotten(
        self, client: Client, harbor: BusinessHandle, ready: list[str]
    ) -> None:
        client.report((ready[0], "M1"), key="k")
        harbor.forget_keys()

        assert code_of(client.report((ready[0], "M1"), key="k")) == "DEVELOPER_7062"


class TestLimits:
    def test_an_empty_list_is_malformed(self, client: Client) -> None:
        assert client.report(successful_syncs=[]).status_code == 422

    def test_no_list_at_all_is_malformed(self, client: Client) -> None:
        assert client.report().status_code == 422

    def test_one_object_twice_is_malformed(self, client: Client, ready: list[str]) -> None:
        assert client.report((ready[0], "M1"), (ready[0], "M1")).status_code == 422

    @pytest.mark.parametrize(("count", "status"), [(5000, 201), (5001, 422)])
    def test_a_list_holds_five_thousand(
        self, client: Client, harbor: BusinessHandle, count: int, status: int
    ) -> None:
        rows = [harbor.create_transaction(ready=True).id for _ in range(count)]

        assert client.report(*((row, "M") for row in rows)).status_code == status

    def test_a_sync_type_must_be_one_of_ramps(self, client: Client, ready: list[str]) -> None:
        assert client.report((ready[0], "M1"), sync_type="INVOICE_SYNC").status_code == 422

    def test_a_transaction_is_not_ready_for_a_bill_sync(
        self, client: Client, ready: list[str]
    ) -> None:
        answer = client.report((ready[0], "M1"), sync_type="BILL_SYNC")

        assert code_of(answer) == "DEVELOPER_7062"


class TestReadyToSync:
    def mark(self, client: Client, *ids: str) -> int:
        body = {"object_type": "TRANSACTION", "object_ids": list(ids)}
        return client.post("/accounting/ready-to-sync", body).status_code

    def test_marks_what_people_would_mark(self, client: Client, harbor: BusinessHandle) -> None:
        row = harbor.create_transaction()

        assert self.mark(client, row.id) == 204
        assert row.sync_status == "SYNC_READY"

    def test_refuses_all_for_one_bad_id(self, client: Client, harbor: BusinessHandle) -> None:
        row = harbor.create_transaction()

        assert self.mark(client, row.id, str(uuid4())) == 400
        assert row.sync_status == "NOT_SYNC_READY"

    def test_refuses_what_has_not_cleared(self, client: Client, harbor: BusinessHandle) -> None:
        assert self.mark(client, harbor.create_transaction(state="PENDING").id) == 400

    def test_refuses_a_split_that_does_not_add_up(
        self, client: Client, harbor: BusinessHandle
    ) -> None:
        row = harbor.create_transaction(minor=1000, lines=[(300, "6100"), (600, "6200")])

        answer = client.post(
            "/accounting/ready-to-sync", {"object_type": "TRANSACTION", "object_ids": [row.id]}
        )

        assert (answer.status_code, code_of(answer)) == (400, "ACCOUNTING_7008")

    def test_refuses_what_lacks_a_required_field(
        self, client: Client, harbor: BusinessHandle
    ) -> None:
        body = {
            "id": "project",
            "name": "Project",
            "input_type": "SINGLE_CHOICE",
            "is_required_for": ["TRANSACTION"],
        }
        field = client.post("/accounting/fields", body).json()
        option = {"id": "p1", "value": "Roof", "code": "ROOF"}
        client.post(
            "/accounting/field-options", {"field_id": field["ramp_id"], "options": [option]}
        )
        row = harbor.create_transaction()

        before = self.mark(client, row.id)
        harbor.edit(row.id, options={"Project": "ROOF"})
        after = self.mark(client, row.id)

        assert (before, after) == (400, 204)
