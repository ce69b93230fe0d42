from datetime import timedelta
from typing import Any
from uuid import uuid4

import pytest

from connections.ramp_simulator.app import Simulator
from connections.ramp_simulator.handles import BusinessHandle
from connections.ramp_simulator.invoices import Goods
from connections.ramp_simulator.people import NotPossible
from tests.connections.ramp_simulator.side import NOON, Client, ManualClock

SELECTIONS = "accounting_field_selections"
ULINE = {"id": "erp-v1", "name": "Uline", "code": "V-1"}


@pytest.fixture
def linked(client: Client) -> Client:
    """The ERP has the vendor that bills are from."""
    client.post("/accounting/vendors", {"vendors": [ULINE]})
    return client


def shown(client: Client, bill_id: str) -> dict[str, Any]:
    answer: dict[str, Any] = client.get(f"/bills/{bill_id}").json()
    return answer


def found(client: Client, **query: Any) -> set[str]:
    return {row["id"] for row in client.every_row("/bills", **query)}


class TestABill:
    def test_tells_its_amount_in_minor_units_of_its_own_currency(
        self, client: Client, harbor: BusinessHandle
    ) -> None:
        bill = harbor.create_bill("90.50", currency="EUR", fx_rate="1.0845")

        answer = shown(client, bill.id)

        assert answer["amount"] == {
            "amount": 9050,
            "currency_code": "EUR",
            "minor_unit_conversion_rate": 100,
        }
        assert answer["fx_conversion_rate"] == "1.0845"

    def test_codes_its_vendor_on_the_body_and_its_accounts_on_the_lines(
        self, linked: Client, harbor: BusinessHandle
    ) -> None:
        bill = harbor.create_bill(minor=900, lines=[(500, "6100"), (400, "6200")], department="OPS")

        answer = shown(linked, bill.id)

        [vendor] = answer["accounting_field_selections"]
        assert vendor["external_id"] == "erp-v1"
        assert vendor["category_info"]["type"] == "MERCHANT"
        kinds = [
            [(row["category_info"]["type"], row["external_id"]) for row in line[SELECTIONS]]
            for line in answer["line_items"]
        ]
        assert kinds == [
            [("GL_ACCOUNT", "erp-6100"), ("OTHER", "dep-3")],
            [("GL_ACCOUNT", "erp-6200"), ("OTHER", "dep-3")],
        ]

    def test_has_selections_without_a_type_at_the_top(
        self, linked: Client, harbor: BusinessHandle
    ) -> None:
        answer = shown(linked, harbor.create_bill(account_code="6100").id)

        selections = answer[SELECTIONS] + answer["line_items"][0][SELECTIONS]
        assert selections
        assert not any({"type", "source"} & selection.keys() for selection in selections)

    def test_names_the_accounting_vendor_that_its_vendor_is_linked_to(
        self, linked: Client, harbor: BusinessHandle
    ) -> None:
        vendor = shown(linked, harbor.create_bill().id)["vendor"]

        names = (vendor["remote_id"], vendor["remote_code"], vendor["remote_name"])
        assert names == ("erp-v1", "V-1", "Uline")

    def test_may_leave_out_the_remote_id(self, linked: Client, harbor: BusinessHandle) -> None:
        payee = harbor.create_vendor("Uline Ltd", linked_to="erp-v1", has_remote_id=False)

        vendor = shown(linked, harbor.create_bill(vendor=payee).id)["vendor"]

        assert "remote_id" not in vendor
        assert vendor["remote_code"] == "V-1"

    def test_of_a_vendor_without_a_link_has_no_coded_vendor(
        self, linked: Client, harbor: BusinessHandle
    ) -> None:
        payee = harbor.create_vendor("Uline")

        answer = shown(linked, harbor.create_bill(vendor=payee).id)

        assert answer["accounting_field_selections"] == []
        assert answer["vendor"].keys() == {"id", "name", "type"}

    def test_has_goods_beside_its_expenses(self, client: Client, harbor: BusinessHandle) -> None:
        goods = [Goods(quantity=3, unit_minor=250, account_code="6400")]
        bill = harbor.create_bill(minor=1000, lines=[(250, "6100")], goods=goods)

        [line] = shown(client, bill.id)["inventory_line_items"]

        assert (line["quantity"], line["amount"]["amount"]) == (3, 750)
        assert line[SELECTIONS][0]["external_id"] == "erp-6400"

    def test_must_be_the_sum_of_its_lines(self, harbor: BusinessHandle) -> None:
        with pytest.raises(NotPossible, match="make 900, the bill 1000"):
            harbor.create_bill(minor=1000, lines=[(900, None)])

    def test_falls_back_to_its_issue_date(self, client: Client, harbor: BusinessHandle) -> None:
        issued = NOON - timedelta(days=9)

        answer = shown(client, harbor.create_bill(issued_at=issued).id)

        assert answer["accounting_date"] == "2026-03-09T12:00:00+00:00"

    def test_leaves_out_what_nobody_filled_in(self, client: Client, harbor: BusinessHandle) -> None:
        answer = shown(client, harbor.create_bill().id)

        absent = {"invoice_number", "remote_id", "deep_link_url", "paid_at", "memo"}
        assert not absent & answer.keys()

    def test_is_of_one_business(self, sim: Simulator, client: Client) -> None:
        bill = sim.business("sakura-foods").create_bill()

        assert client.get(f"/bills/{bill.id}").status_code == 404
        assert client.get(f"/bills/{uuid4()}").status_code == 404


class TestTheSummary:
    def test_follows_the_bill(self, client: Client, harbor: BusinessHandle) -> None:
        bill = harbor.create_bill(approved=False)
        seen = [shown(client, bill.id)["status_summary"]]
        for act in (harbor.approve_bill, harbor.start_check, harbor.pay_bill):
            act(bill.id)
            seen.append(shown(client, bill.id)["status_summary"])

        assert seen == [
            "APPROVAL_PENDING",
            "PAYMENT_SCHEDULED",
            "PAYMENT_PROCESSING",
            "PAYMENT_COMPLETED",
        ]

    def test_tells_of_refusal_deletion_and_missing_details(
        self, client: Client, harbor: BusinessHandle
    ) -> None:
        rejected = harbor.create_bill(approved=False)
        harbor.reject_bill(rejected.id)
        archived = harbor.create_bill()
        harbor.archive_bill(archived.id)
        unplanned = harbor.create_bill(planned_method=None)

        summaries = [shown(client, row.id)["status_summary"] for row in (rejected, archived)]

        assert summaries == ["APPROVAL_REJECTED", "ARCHIVED"]
        assert shown(client, unplanned.id)["status_summary"] == "PAYMENT_DETAILS_MISSING"


class TestTheList:
    def test_hides_archived_bills_unless_they_are_asked_for(
        self, client: Client, harbor: BusinessHandle
    ) -> None:
        kept, archived = harbor.create_bill(), harbor.create_bill()
        harbor.archive_bill(archived.id)

        assert found(client) == {kept.id}
        assert found(client, is_archived="true") == {archived.id}

    def test_pages_through_all(self, client: Client, harbor: BusinessHandle) -> None:
        bills = [harbor.create_bill().id for _ in range(7)]

        rows = client.every_row("/bills", page_size=3)

        assert [row["id"] for row in rows] == bills

    def test_never_has_a_trace_id(self, client: Client, harbor: BusinessHandle) -> None:
        bill = harbor.create_bill()
        harbor.pay_bill(bill.id, method="CHECK", trace_id="10482")

        [row] = client.get("/bills").json()["data"]

        assert row["payment"]["trace_id"] is None
        trace = shown(client, bill.id)["payment"]["trace_id"]
        assert trace == {"descriptor": "Check number", "trace_id": "10482"}

    def test_finds_what_is_due_in_either_phase(
        self, client: Client, harbor: BusinessHandle
    ) -> None:
        fresh, pending = harbor.create_bill(), harbor.create_bill(approved=False)
        booked, payable = harbor.create_bill(), harbor.create_bill()
        off = harbor.create_bill(is_sync_enabled=False)
        client.report((booked.id, "B1"), (payable.id, "B2"), sync_type="BILL_SYNC")
        harbor.pay_bill(payable.id)

        assert found(client, sync_ready="true") == {fresh.id, payable.id}
        assert found(client, sync_ready="false") == {pending.id, booked.id, off.id}
        assert found(client, sync_ready="true", sync_status="BILL_SYNCED") == {payable.id}

    def test_can_be_switched_to_have_bills_ready_at_once(
        self, sim: Simulator, client: Client, harbor: BusinessHandle
    ) -> None:
        sim.switches.bills_ready_when = "created"
        bill = harbor.create_bill(approved=False)

        assert found(client, sync_ready="true") == {bill.id}

    def test_filters_by_what_a_bill_says(self, client: Client, harbor: BusinessHandle) -> None:
        bill = harbor.create_bill("55.10", invoice_number="A-7", vendor="Probat")
        other = harbor.create_bill("20.00", invoice_number="A-8", approved=False)
        off = harbor.create_bill("20.00", is_sync_enabled=False, planned_method=None)

        assert found(client, invoice_number="A-7") == {bill.id}
        assert found(client, vendor_id=bill.payee_id) == {bill.id}
        assert found(client, approval_status="PENDING") == {other.id}
        assert found(client, is_accounting_sync_enabled="false") == {off.id}
        assert found(client, payment_details_missing="true") == {off.id}
        assert found(client, min_amount="55.1") == {bill.id}
        assert found(client, max_amount="55.09") == {other.id, off.id}
        assert found(client, entity_id=bill.entity_id) == {bill.id, other.id, off.id}
        assert found(client, draft_bill_id=str(uuid4())) == set()
        summaries = "APPROVAL_PENDING,PAYMENT_DETAILS_MISSING"
        assert found(client, status_summaries=summaries) == {other.id, off.id}

    def test_repeats_invoice_numbers(self, client: Client, harbor: BusinessHandle) -> None:
        bills = {harbor.create_bill(invoice_number="ACCT-1").id for _ in range(3)}

        assert found(client, invoice_number="ACCT-1") == bills

    def test_filters_by_payment(
        self, client: Client, harbor: BusinessHandle, clock: ManualClock
    ) -> None:
        by_bank, by_card, unpaid = (harbor.create_bill() for _ in range(3))
        payment = harbor.pay_bill(by_bank.id, method="DOMESTIC_WIRE")
        harbor.pay_bill(by_card.id, method="CARD")

        friendly = payment.customer_friendly_id
        assert found(client, payment_id=payment.id) == {by_bank.id}
        assert found(client, customer_friendly_payment_id=friendly) == {by_bank.id}
        assert found(client, payment_method="CARD") == {by_card.id}
        assert found(client, payment_method="ACH") == {unpaid.id}
        assert found(client, payment_status="OPEN") == {unpaid.id}
        today = clock.now.date().isoformat()
        assert found(client, from_payment_date=today, to_payment_date=today) == {by_bank.id}
        assert found(client, from_paid_at=clock.now.isoformat()) == {by_bank.id, by_card.id}

    def test_filters_by_moments(self, client: Client, harbor: BusinessHandle) -> None:
        early, late = NOON - timedelta(days=20), NOON - timedelta(days=2)
        old = harbor.create_bill(created_at=early, issued_at=early, due_at=early)
        new = harbor.create_bill(created_at=late, issued_at=late, due_at=late)
        between = (NOON - timedelta(days=10)).isoformat()

        for name in ("created_at", "issued_date", "due_date"):
            assert found(client, **{f"from_{name}": between}) == {new.id}
            assert found(client, **{f"to_{name}": between}) == {old.id}

    def test_filters_by_what_was_selected_and_by_the_erps_id(
        self, client: Client, harbor: BusinessHandle
    ) -> None:
        coded, other = harbor.create_bill(account_code="6100"), harbor.create_bill()
        client.report((other.id, "B-1"), sync_type="BILL_SYNC")
        [account] = client.every_row("/accounting/accounts", code="6100")

        query = {"accounting_field_selection_id": account["ramp_id"]}
        assert found(client, **query) == {coded.id}
        assert found(client, remote_id="B-1") == {other.id}

    def test_refuses_a_summary_it_does_not_know(self, client: Client) -> None:
        assert client.get("/bills", status_summaries="ARCHIVED,LOST").status_code == 422


class TestCorrections:
    def test_change_what_is_not_paid(self, client: Client, harbor: BusinessHandle) -> None:
        bill = harbor.create_bill("80.00", account_code="6100")

        harbor.edit_bill(bill.id, minor=9000, account_code="6200", invoice_number="B-2")

        answer = shown(client, bill.id)
        assert (answer["amount"]["amount"], answer["invoice_number"]) == (9000, "B-2")
        assert answer["line_items"][0][SELECTIONS][0]["external_id"] == "erp-6200"

    def test_stop_at_the_payment(self, harbor: BusinessHandle) -> None:
        bill = harbor.create_bill()
        harbor.start_check(bill.id)

        with pytest.raises(NotPossible, match="locked"):
            harbor.edit_bill(bill.id, memo="Late")

    def test_cannot_archive_what_is_paid(self, harbor: BusinessHandle) -> None:
        bill = harbor.create_bill()
        harbor.pay_bill(bill.id)

        with pytest.raises(NotPossible, match="open bill"):
            harbor.archive_bill(bill.id)
