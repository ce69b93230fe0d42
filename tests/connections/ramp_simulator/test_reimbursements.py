"""What people are paid back: the list with its filters, and what is reported of it."""

from datetime import date, timedelta
from typing import Any
from uuid import uuid4

import pytest

from connections.ramp_simulator.app import Simulator
from connections.ramp_simulator.handles import BusinessHandle
from connections.ramp_simulator.people import NotPossible
from tests.connections.ramp_simulator.side import NOON, Client, code_of

PATH = "/reimbursements"


@pytest.fixture
def claim(harbor: BusinessHandle) -> str:
    return harbor.create_reimbursement("90.00", account_code="6100", ready=True).id


def ids(client: Client, **query: Any) -> list[str]:
    return [row["id"] for row in client.every_row(PATH, **query)]


def report(client: Client, row_id: str, **more: Any) -> Any:
    return client.report((row_id, "R-1"), sync_type="REIMBURSEMENT_SYNC", **more)


class TestAmounts:
    def test_are_major_units_on_top_and_minor_units_on_lines(
        self, client: Client, harbor: BusinessHandle
    ) -> None:
        row = harbor.create_reimbursement(
            minor=9050, lines=[(5000, "6100"), (4050, "6300")], department="SAL"
        )

        shown = client.get(f"{PATH}/{row.id}").json()

        assert (shown["amount"], shown["currency"]) == (90.5, "USD")
        assert [line["amount"]["amount"] for line in shown["line_items"]] == [5000, 4050]
        codes = [
            {one["external_id"] for one in line["accounting_field_selections"]}
            for line in shown["line_items"]
        ]
        assert codes == [{"erp-6100", "dep-2"}, {"erp-6300", "dep-2"}]

    def test_without_decimals_are_not_divided(self, sim: Simulator) -> None:
        sakura = sim.business("sakura-foods")
        row = sakura.create_reimbursement(8400)

        shown = Client(sim, sakura).get(f"{PATH}/{row.id}").json()

        assert (shown["amount"], shown["currency"]) == (8400, "JPY")
        assert shown["payee_amount"] == {
            "amount": 8400,
            "currency_code": "JPY",
            "minor_unit_conversion_rate": 1,
        }

    def test_of_something_foreign_are_in_that_money_on_the_lines(
        self, client: Client, harbor: BusinessHandle
    ) -> None:
        row = harbor.create_reimbursement(
            minor=10_000, original=(9_201, "EUR"), lines=[(3_333, "6100"), (6_667, "6300")]
        )

        shown = client.get(f"{PATH}/{row.id}").json()

        amounts = [line["amount"] for line in shown["line_items"]]
        assert (shown["amount"], shown["currency"]) == (100, "USD")
        assert shown["original_reimbursement_amount"]["amount"] == 9201
        assert {amount["currency_code"] for amount in amounts} == {"EUR"}
        assert sum(amount["amount"] for amount in amounts) == 9201

    def test_may_be_negative(self, client: Client, harbor: BusinessHandle) -> None:
        row = harbor.create_reimbursement(minor=-1250, ready=True)

        assert client.get(f"{PATH}/{row.id}").json()["amount"] == -12.5


class TestTheList:
    def test_hides_what_people_pay_back_unless_asked(
        self, client: Client, harbor: BusinessHandle, claim: str
    ) -> None:
        payback = harbor.create_reimbursement(direction="USER_TO_BUSINESS", kind="PAYBACK_FULL")

        assert ids(client) == [claim]
        assert ids(client, direction="USER_TO_BUSINESS") == [payback.id]
        assert client.get(f"{PATH}/{payback.id}").json()["direction"] == "USER_TO_BUSINESS"

    def test_filters_by_sync_status(
        self, client: Client, harbor: BusinessHandle, claim: str
    ) -> None:
        other = harbor.create_reimbursement()
        synced = harbor.create_reimbursement(ready=True)
        harbor.press_export(synced.id)

        assert ids(client, sync_status="SYNC_READY") == ids(client, sync_ready="true") == [claim]
        assert ids(client, sync_ready="false") == [other.id, synced.id]
        assert ids(client, sync_status="SYNCED", sync_ready="true") == [synced.id]
        assert ids(client, has_no_sync_commits="true") == [claim, other.id]
        assert ids(client, sync_status="SYNCED", has_no_sync_commits="true") == [synced.id]

    def test_filters_by_state_and_approval(
        self, client: Client, harbor: BusinessHandle, claim: str
    ) -> None:
        pending = harbor.create_reimbursement(state="PENDING")

        assert ids(client, state="PENDING") == [pending.id]
        assert ids(client, has_been_approved="true") == [claim]
        assert ids(client, has_been_approved="false") == [pending.id]

    def test_shows_when_it_was_handed_in_and_approved(
        self, client: Client, harbor: BusinessHandle
    ) -> None:
        states = ("DRAFT", "PENDING", "APPROVED")
        rows = [harbor.create_reimbursement(state=state).id for state in states]

        draft, pending, approved = (client.get(f"{PATH}/{row_id}").json() for row_id in rows)

        assert draft["submitted_at"] is None
        assert pending["submitted_at"]
        assert "approved_at" not in pending
        assert approved["approved_at"]

    def test_filters_by_date(self, client: Client, harbor: BusinessHandle, claim: str) -> None:
        old = harbor.create_reimbursement(at=NOON - timedelta(days=40))
        assert old.transaction_date == date(2026, 2, 5)
        border = (NOON - timedelta(days=10)).isoformat()

        for name in ("date", "submitted_at", "transaction_date"):
            assert ids(client, **{f"from_{name}": border}) == [claim]
            assert ids(client, **{f"to_{name}": border}) == [old.id]
        assert ids(client, updated_after=border) == [claim]

    def test_filters_by_when_it_was_synced(
        self, client: Client, harbor: BusinessHandle, claim: str
    ) -> None:
        harbor.create_reimbursement(ready=True)
        report(client, claim)

        assert ids(client, synced_after=NOON.isoformat()) == [claim]
        assert ids(client, synced_after=(NOON + timedelta(seconds=1)).isoformat()) == []

    def test_filters_by_whom_it_is_about_and_what_it_is_coded_to(
        self, sim: Simulator, client: Client, harbor: BusinessHandle, claim: str
    ) -> None:
        other = harbor.create_reimbursement(account_code="6300")
        [account] = client.every_row("/accounting/accounts", code="6300")
        person = harbor.reimbursement(claim).person_id
        assert other.person_id != person

        assert ids(client, user_id=person) == [claim]
        assert ids(client, accounting_field_selection_id=account["ramp_id"]) == [other.id]
        assert ids(client, trip_id=str(uuid4())) == []
        assert ids(client, awaiting_approval_by_user_id=person) == []

    def test_filters_by_entity(self, sim: Simulator) -> None:
        northwind = sim.business("northwind-robotics")
        first, second = sim.world.entities.of(northwind.key)
        rows = {one.id: northwind.create_reimbursement(entity_id=one.id) for one in (first, second)}

        assert ids(Client(sim, northwind), entity_id=second.id) == [rows[second.id].id]

    def test_comes_in_pages(self, client: Client, harbor: BusinessHandle) -> None:
        rows = [harbor.create_reimbursement(ready=True).id for _ in range(5)]

        answer = client.get(PATH, sync_status="SYNC_READY", page_size=2)

        assert "sync_status=SYNC_READY" in answer.json()["page"]["next"]
        assert ids(client, sync_status="SYNC_READY", page_size=2) == rows

    def test_is_of_one_business(self, sim: Simulator, claim: str) -> None:
        other = Client(sim, sim.business("sakura-foods"))

        assert ids(other) == []
        assert other.get(f"{PATH}/{claim}").status_code == 404


class TestReadiness:
    def test_is_refused_to_what_is_not_approved(self, harbor: BusinessHandle) -> None:
        with pytest.raises(NotPossible, match="PENDING"):
            harbor.create_reimbursement(state="PENDING", ready=True)

    def test_is_refused_to_lines_that_do_not_add_up_unless_forced(
        self, client: Client, harbor: BusinessHandle
    ) -> None:
        row = harbor.create_reimbursement(minor=1000, lines=[(300, "6100"), (600, "6200")])

        with pytest.raises(NotPossible) as refusal:
            harbor.mark_ready(row.id)
        harbor.mark_ready(row.id, by_force=True)

        assert refusal.value.code == "ACCOUNTING_7008"
        assert ids(client, sync_status="SYNC_READY") == [row.id]

    def test_can_be_told_by_a_client(self, client: Client, harbor: BusinessHandle) -> None:
        row = harbor.create_reimbursement()
        body = {"object_type": "REIMBURSEMENT", "object_ids": [row.id]}

        assert client.post("/accounting/ready-to-sync", body).status_code == 204
        assert row.sync_status == "SYNC_READY"

    def test_of_a_purchase_is_not_told_as_that_of_a_claim(
        self, client: Client, harbor: BusinessHandle
    ) -> None:
        row = harbor.create_transaction()
        body = {"object_type": "REIMBURSEMENT", "object_ids": [row.id]}

        assert client.post("/accounting/ready-to-sync", body).status_code == 400
        assert row.sync_status == "NOT_SYNC_READY"

    def test_and_the_report_are_told_to_webhooks(
        self, sim: Simulator, client: Client, harbor: BusinessHandle
    ) -> None:
        events = ["reimbursements.ready_to_sync", "reimbursements.synced"]
        body = {"endpoint_url": "https://bridge.test/w", "event_types": events}
        webhook = sim.world.webhooks.get(client.post("/webhooks", body).json()["id"])
        assert webhook is not None
        client.post(f"/webhooks/{webhook.id}/verify", {"challenge": webhook.challenge})

        row = harbor.create_reimbursement(ready=True)
        report(client, row.id)

        told = [one for one in sim.world.deliveries.of(harbor.key) if one.event_id]
        assert [delivery.event_type for delivery in told] == events
        assert all(row.id in delivery.body for delivery in told)


class TestReports:
    def test_sync_it_and_stand_in_the_ledger(
        self, client: Client, harbor: BusinessHandle, claim: str
    ) -> None:
        assert report(client, claim).status_code == 201

        assert client.get(f"{PATH}/{claim}").json()["sync_status"] == "SYNCED"
        [entry] = [one for one in harbor.ledger() if one["id"] == claim]
        assert entry["object_type"] == "reimbursement"
        assert (entry["reference"], entry["by_us"], entry["amount"]) == ("R-1", True, 9000)

    def test_of_failure_leave_it_ready(
        self, client: Client, harbor: BusinessHandle, claim: str
    ) -> None:
        failed = [{"id": claim, "error": {"message": "No such account."}}]

        client.report(failed_syncs=failed, sync_type="REIMBURSEMENT_SYNC")

        row = harbor.reimbursement(claim)
        assert (row.sync_status, row.export_error) == ("SYNC_READY", "No such account.")

    def test_are_refused_twice_and_under_another_type(self, client: Client, claim: str) -> None:
        assert code_of(client.report((claim, "R-1"))) == "DEVELOPER_7062"
        report(client, claim, key="k1")
        assert code_of(report(client, claim, key="k2")) == "DEVELOPER_7062"

    def test_are_refused_of_what_is_coded_to_a_deleted_account(
        self, client: Client, claim: str
    ) -> None:
        [account] = client.every_row("/accounting/accounts", code="6100")
        client.delete(f"/accounting/accounts/{account['ramp_id']}", {})

        assert code_of(report(client, claim)) == "DEVELOPER_7062"


class TestPeople:
    def test_take_it_back_edit_it_and_make_it_ready_again(
        self, harbor: BusinessHandle, claim: str
    ) -> None:
        harbor.take_back(claim)
        harbor.edit(claim, account_code="6300", memo="Lunch")
        harbor.mark_ready(claim)

        row = harbor.reimbursement(claim)
        assert (row.lines[0].account_code, row.memo) == ("6300", "Lunch")

    def test_cannot_change_what_is_synced(
        self, client: Client, harbor: BusinessHandle, claim: str
    ) -> None:
        report(client, claim)

        with pytest.raises(NotPossible, match="locked"):
            harbor.edit(claim, memo="Lunch")


class TestFaults:
    @pytest.mark.parametrize(
        ("kind", "expected"), [("malformed_row", "a lot"), ("bare_cursor", None)]
    )
    def test_strike_the_list_as_any_other(
        self, sim: Simulator, client: Client, harbor: BusinessHandle, kind: str, expected: str
    ) -> None:
        rows = [harbor.create_reimbursement().id for _ in range(3)]
        sim.fault(kind, "GET /reimbursements")

        answer = client.get(PATH, page_size=2).json()

        if expected:
            assert answer["data"][0]["amount"] == expected
        else:
            assert answer["page"]["next"] == rows[1]

    def test_lose_the_answer_to_a_report_that_was_taken(
        self, sim: Simulator, client: Client, harbor: BusinessHandle, claim: str
    ) -> None:
        sim.fault("lost_answer", "POST /accounting/syncs")

        assert report(client, claim).status_code == 504
        assert harbor.reimbursement(claim).sync_status == "SYNCED"
