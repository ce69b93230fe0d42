from uuid import uuid4

import pytest

from connections.ramp_simulator.app import Simulator
from connections.ramp_simulator.bill_records import Bill, BillSyncStatus
from connections.ramp_simulator.handles import BusinessHandle
from tests.connections.ramp_simulator.side import Client, code_of

BILL, PAYMENT = "BILL_SYNC", "BILL_PAYMENT_SYNC"


@pytest.fixture
def bill(harbor: BusinessHandle) -> Bill:
    """Approved, and not paid."""
    return harbor.create_bill("120.00", account_code="6100")


def state(bill: Bill) -> str:
    return bill.sync_status.value


def refused(client: Client, bill_id: str, sync_type: str) -> bool:
    answer = client.report((bill_id, "X"), sync_type=sync_type, key=str(uuid4()))
    if answer.status_code == 201:
        return False
    assert (answer.status_code, code_of(answer)) == (400, "DEVELOPER_7062")
    assert bill_id in answer.json()["error_v2"]["message"]
    return True


class TestTheTwoPhases:
    def test_come_one_after_the_other(
        self, client: Client, harbor: BusinessHandle, bill: Bill
    ) -> None:
        states = [state(bill)]
        client.report((bill.id, "B-1"), sync_type=BILL, key="k1")
        states.append(state(bill))
        harbor.pay_bill(bill.id)
        client.report((bill.id, "P-1"), sync_type=PAYMENT, key="k2")
        states.append(state(bill))

        assert states == [status.value for status in BillSyncStatus]
        assert (bill.booking.reference_id, bill.settling.reference_id) == ("B-1", "P-1")

    def test_may_come_at_once_for_a_paid_bill(
        self, client: Client, harbor: BusinessHandle, bill: Bill
    ) -> None:
        harbor.pay_bill(bill.id)

        assert not refused(client, bill.id, BILL)
        assert not refused(client, bill.id, PAYMENT)

    def test_do_not_swap(self, client: Client, harbor: BusinessHandle, bill: Bill) -> None:
        harbor.pay_bill(bill.id)

        assert refused(client, bill.id, PAYMENT)

    def test_are_each_done_once(self, client: Client, harbor: BusinessHandle, bill: Bill) -> None:
        harbor.pay_bill(bill.id)
        for sync_type in (BILL, PAYMENT):
            assert not refused(client, bill.id, sync_type)
            assert refused(client, bill.id, sync_type)


class TestABillSync:
    def test_links_the_bill_to_the_erp(self, client: Client, bill: Bill) -> None:
        success = {"id": bill.id, "reference_id": "B-1", "deep_link_url": "https://erp/b/1"}
        client.report(sync_type=BILL, successful_syncs=[success])

        answer = client.get(f"/bills/{bill.id}").json()

        assert (answer["remote_id"], answer["deep_link_url"]) == ("B-1", "https://erp/b/1")
        assert answer["sync_status"] == "BILL_SYNCED"

    def test_is_refused_for_what_is_not_approved_archived_or_excluded(
        self, client: Client, harbor: BusinessHandle
    ) -> None:
        archived = harbor.create_bill()
        harbor.archive_bill(archived.id)

        assert refused(client, harbor.create_bill(approved=False).id, BILL)
        assert refused(client, harbor.create_bill(is_sync_enabled=False).id, BILL)
        assert refused(client, archived.id, BILL)

    def test_is_refused_for_what_is_no_bill_of_this_business(
        self, sim: Simulator, client: Client, harbor: BusinessHandle
    ) -> None:
        assert refused(client, str(uuid4()), BILL)
        assert refused(client, sim.business("sakura-foods").create_bill().id, BILL)
        assert refused(client, harbor.transactions("SYNC_READY")[0].id, BILL)

    def test_is_refused_whole_for_one_bad_bill(
        self, client: Client, harbor: BusinessHandle, bill: Bill
    ) -> None:
        pending = harbor.create_bill(approved=False)

        answer = client.report((bill.id, "B-1"), (pending.id, "B-2"), sync_type=BILL)

        message = answer.json()["error_v2"]["message"]
        assert pending.id in message
        assert bill.id not in message
        assert state(bill) == "NOT_SYNCED"

    def test_is_refused_for_a_coding_that_was_deleted_but_its_failure_is_not(
        self, client: Client, bill: Bill
    ) -> None:
        [account] = client.every_row("/accounting/accounts", code="6100")
        client.delete(f"/accounting/accounts/{account['ramp_id']}", {})
        failed = {"id": bill.id, "error": {"message": "Account 6100 is gone."}}

        assert refused(client, bill.id, BILL)
        assert client.report(sync_type=BILL, failed_syncs=[failed]).status_code == 201

    def test_waits_for_a_required_field(self, client: Client, bill: Bill) -> None:
        body = {
            "id": "project",
            "name": "Project",
            "input_type": "SINGLE_CHOICE",
            "is_required_for": ["BILL"],
        }
        client.post("/accounting/fields", body)

        assert refused(client, bill.id, BILL)


class TestAPaymentSync:
    def test_is_refused_while_a_cheque_is_on_its_way(
        self, client: Client, harbor: BusinessHandle, bill: Bill
    ) -> None:
        client.report((bill.id, "B-1"), sync_type=BILL)
        harbor.start_check(bill.id)
        assert refused(client, bill.id, PAYMENT)

        harbor.pay_bill(bill.id)

        assert not refused(client, bill.id, PAYMENT)

    def test_leaves_the_bills_link_alone(
        self, client: Client, harbor: BusinessHandle, bill: Bill
    ) -> None:
        harbor.pay_bill(bill.id)
        client.report((bill.id, "B-1"), sync_type=BILL, key="k1")
        client.report((bill.id, "P-1"), sync_type=PAYMENT, key="k2")

        assert bill.remote_id == "B-1"


class TestAFailure:
    def test_shows_in_its_phase_and_is_cleared_by_success(
        self, client: Client, harbor: BusinessHandle, bill: Bill
    ) -> None:
        harbor.pay_bill(bill.id)
        client.report((bill.id, "B-1"), sync_type=BILL, key="k1")
        failed = {"id": bill.id, "error": {"message": "The bank account is closed."}}

        client.report(sync_type=PAYMENT, failed_syncs=[failed], key="k2")

        assert bill.booking.export_error is None
        assert bill.settling.export_error == "The bank account is closed."
        [listed] = client.every_row("/bills", sync_ready="true")
        assert listed["sync_status"] == "BILL_SYNCED"
        client.report((bill.id, "P-1"), sync_type=PAYMENT, key="k3")
        assert bill.settling.export_error is None


class TestTheLedger:
    def test_has_a_row_for_each_phase_that_came_about(
        self, client: Client, harbor: BusinessHandle, bill: Bill
    ) -> None:
        harbor.create_bill(approved=False)
        client.report((bill.id, "B-1"), sync_type=BILL, key="k1")
        harbor.pay_bill(bill.id, minor=99_999)

        rows = [row for row in harbor.ledger() if row["object_type"].startswith("bill")]

        assert [row["object_type"] for row in rows] == ["bill", "bill_payment"]
        assert {row["id"] for row in rows} == {bill.id}
        assert [row["sync_status"] for row in rows] == ["SYNCED", "SYNC_READY"]
        assert [row["reference"] for row in rows] == ["B-1", None]
        assert [row["by_us"] for row in rows] == [True, False]
        assert [row["amount"] for row in rows] == [12_000, 12_000]

    def test_knows_the_key_of_each_report(self, client: Client, harbor: BusinessHandle) -> None:
        bill = harbor.create_bill()
        sync_id = client.report((bill.id, "B-1"), sync_type=BILL, key="k").json()["sync_id"]

        [row] = [row for row in harbor.ledger() if row["id"] == bill.id]

        [commit] = row["commits"]
        assert (commit["sync_id"], commit["idempotency_key"]) == (sync_id, "k")

    def test_tells_export_from_a_report(self, harbor: BusinessHandle, bill: Bill) -> None:
        harbor.pay_bill(bill.id)

        harbor.export_bill(bill.id)

        rows = [row for row in harbor.ledger() if row["id"] == bill.id]
        assert [(row["synced_by"], row["by_us"]) for row in rows] == [("export", False)] * 2

    def test_has_what_vendor_credits_leave_of_a_payment(self, harbor: BusinessHandle) -> None:
        bill = harbor.create_bill("100.00")
        credit = harbor.create_vendor_credit("30.00")
        harbor.apply_vendor_credit(credit.id, bill.id)
        harbor.pay_bill(bill.id)
        harbor.export_bill(bill.id)

        amounts = [row["amount"] for row in harbor.ledger() if row["id"] == bill.id]

        assert amounts == [10_000, 7_000]


class TestTrouble:
    def test_a_lost_answer_leaves_the_bill_synced(
        self, sim: Simulator, client: Client, bill: Bill
    ) -> None:
        sim.fault("lost_answer", "POST /accounting/syncs")

        assert client.report((bill.id, "B-1"), sync_type=BILL).status_code == 504
        assert state(bill) == "BILL_SYNCED"

    def test_a_refusal_may_name_nobody(self, sim: Simulator, client: Client) -> None:
        sim.fault("not_ready_without_ids", "POST /accounting/syncs")
        made_up = str(uuid4())

        answer = client.report((made_up, "B-1"), sync_type=BILL)

        assert code_of(answer) == "DEVELOPER_7062"
        assert made_up not in answer.text

    @pytest.mark.parametrize("path", ["/bills", "/vendors/credits", "/vendors", "/receipts"])
    def test_a_list_may_break(
        self, sim: Simulator, client: Client, harbor: BusinessHandle, path: str
    ) -> None:
        harbor.create_bill()
        harbor.create_vendor_credit()
        sim.fault("malformed_row", f"GET {path}")
        sim.fault("answer", f"GET {path}", status=503)

        assert client.get(path).status_code == 503
        assert client.get(path).json()["data"][0]["amount"] == "a lot"
