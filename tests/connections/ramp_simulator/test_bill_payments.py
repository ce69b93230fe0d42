from typing import Any

import pytest

from connections.ramp_simulator.app import Simulator
from connections.ramp_simulator.handles import BusinessHandle
from connections.ramp_simulator.people import NotPossible
from tests.connections.ramp_simulator.side import Client


def payment(client: Client, bill_id: str) -> dict[str, Any]:
    answer: dict[str, Any] = client.get(f"/bills/{bill_id}").json()["payment"]
    return answer


class TestAPayment:
    def test_is_only_planned_at_first(self, client: Client, harbor: BusinessHandle) -> None:
        planned = payment(client, harbor.create_bill().id)

        assert (planned["payment_method"], planned["id"]) == ("ACH", None)
        assert payment(client, harbor.create_bill(planned_method=None).id) is None

    def test_of_several_bills_is_one_and_says_their_total(
        self, client: Client, harbor: BusinessHandle
    ) -> None:
        one, two = harbor.create_bill("10.00"), harbor.create_bill("32.00")

        harbor.pay_bill(one.id, together_with=[two.id])

        shown = [payment(client, bill.id) for bill in (one, two)]
        assert shown[0]["id"] == shown[1]["id"]
        assert [row["amount"]["amount"] for row in shown] == [4200, 4200]
        assert {one.status, two.status} == {"PAID"}

    def test_may_say_another_amount(self, client: Client, harbor: BusinessHandle) -> None:
        bill = harbor.create_bill("10.00")

        harbor.pay_bill(bill.id, amount="9.80")

        assert payment(client, bill.id)["amount"]["amount"] == 980

    def test_of_a_foreign_bill_is_in_the_payers_money(
        self, client: Client, harbor: BusinessHandle
    ) -> None:
        bill = harbor.create_bill("100.00", currency="EUR", fx_rate="1.08")

        harbor.pay_bill(bill.id, method="INTERNATIONAL")

        amount = payment(client, bill.id)["amount"]
        assert (amount["amount"], amount["currency_code"]) == (10_800, "USD")

    def test_converts_to_money_without_decimals(self, sim: Simulator) -> None:
        sakura = sim.business("sakura-foods")
        bill = sakura.create_bill("10.00", currency="USD", fx_rate="149.5")

        assert sakura.pay_bill(bill.id).minor == 1495

    def test_leaves_out_what_vendor_credits_cover(
        self, client: Client, harbor: BusinessHandle
    ) -> None:
        bill = harbor.create_bill("100.00")
        credit = harbor.create_vendor_credit("30.00")
        harbor.apply_vendor_credit(credit.id, bill.id)

        harbor.pay_bill(bill.id)

        assert payment(client, bill.id)["amount"]["amount"] == 7000
        [applied] = client.get(f"/bills/{bill.id}").json()["applied_vendor_credits"]
        assert (applied["id"], applied["amount"]["amount"]) == (credit.id, 3000)

    def test_may_be_made_of_vendor_credits_only(
        self, client: Client, harbor: BusinessHandle
    ) -> None:
        bill = harbor.create_bill("30.00")
        with pytest.raises(NotPossible, match="do not cover"):
            harbor.pay_bill(bill.id, method="VENDOR_CREDIT")
        credit = harbor.create_vendor_credit("40.00")
        harbor.apply_vendor_credit(credit.id, bill.id)

        harbor.pay_bill(bill.id, method="VENDOR_CREDIT")

        assert payment(client, bill.id)["amount"]["amount"] == 3000

    def test_needs_an_approved_open_bill(self, harbor: BusinessHandle) -> None:
        pending, paid = harbor.create_bill(approved=False), harbor.create_bill()
        harbor.pay_bill(paid.id)

        for bill in (pending, paid):
            with pytest.raises(NotPossible):
                harbor.pay_bill(bill.id)

    def test_has_one_vendor(self, harbor: BusinessHandle) -> None:
        one, other = harbor.create_bill(vendor="Uline"), harbor.create_bill(vendor="Probat")

        with pytest.raises(NotPossible, match="one vendor"):
            harbor.pay_bill(one.id, together_with=[other.id])

    def test_goes_by_a_known_method(self, harbor: BusinessHandle) -> None:
        with pytest.raises(NotPossible, match="no method BARTER"):
            harbor.pay_bill(harbor.create_bill().id, method="BARTER")


class TestACheck:
    def test_is_processed_before_it_is_cashed(self, client: Client, harbor: BusinessHandle) -> None:
        bill = harbor.create_bill()
        started = harbor.start_check(bill.id, trace_id="10482")
        before = client.get(f"/bills/{bill.id}").json()

        cashed = harbor.pay_bill(bill.id)

        assert (before["status"], before["status_summary"]) == ("OPEN", "PAYMENT_PROCESSING")
        assert before["payment"]["payment_method"] == "CHECK"
        assert cashed is started
        assert bill.status == "PAID"

    def test_does_not_pay_what_was_archived_meanwhile(self, harbor: BusinessHandle) -> None:
        kept, dropped = harbor.create_bill(), harbor.create_bill()
        harbor.start_check(kept.id, together_with=[dropped.id])
        harbor.archive_bill(dropped.id)

        harbor.pay_bill(kept.id)

        assert (kept.status, dropped.status) == ("PAID", "OPEN")


class TestByCard:
    def test_the_money_also_comes_as_a_transaction(
        self, client: Client, harbor: BusinessHandle
    ) -> None:
        bill = harbor.create_bill("64.00", account_code="6200", vendor="Figma")

        harbor.pay_bill(bill.id, method="ONE_TIME_CARD")

        [transaction_id] = payment(client, bill.id)["details"]["transaction_ids"]
        bought = harbor.transaction(transaction_id)
        assert (bought.minor, bought.merchant_name) == (6400, "Figma")
        assert bought.sync_status == "SYNC_READY"

    def test_it_may_be_a_purchase_that_is_there_already(
        self, client: Client, harbor: BusinessHandle
    ) -> None:
        bought = harbor.create_transaction("64.00")
        bill = harbor.create_bill("64.00")

        harbor.pay_bill(bill.id, method="CARD", transaction_ids=[bought.id])

        assert payment(client, bill.id)["details"]["transaction_ids"] == [bought.id]

    def test_a_filter_hides_purchases_with_a_card_made_for_a_bill(
        self, client: Client, harbor: BusinessHandle
    ) -> None:
        once, any_card = harbor.create_bill(), harbor.create_bill()
        [hidden] = harbor.pay_bill(once.id, method="ONE_TIME_CARD").transaction_ids
        [listed] = harbor.pay_bill(any_card.id, method="CARD").transaction_ids

        rows = client.every_row("/transactions", has_no_sync_commits="true")

        ids = {row["id"] for row in rows}
        assert listed in ids
        assert hidden not in ids
