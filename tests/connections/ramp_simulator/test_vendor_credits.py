from datetime import date, timedelta
from typing import Any
from uuid import uuid4

import pytest

from connections.ramp_simulator.app import Simulator
from connections.ramp_simulator.handles import BusinessHandle
from connections.ramp_simulator.people import NotPossible
from tests.connections.ramp_simulator.side import NOON, Client, ManualClock


def found(client: Client, path: str = "/vendors/credits", **query: Any) -> set[str]:
    return {row["id"] for row in client.every_row(path, **query)}


class TestACredit:
    def test_tells_what_is_left_of_it(self, client: Client, harbor: BusinessHandle) -> None:
        bill = harbor.create_bill("80.00")
        credit = harbor.create_vendor_credit("50.00", account_code="6400", department="OPS")
        harbor.apply_vendor_credit(credit.id, bill.id, "20.00")

        answer = client.get(f"/vendors/credits/{credit.id}").json()

        names = ("total_amount", "total_applied_amount", "remaining_amount")
        assert [answer[name]["amount"] for name in names] == [5000, 2000, 3000]
        [applied] = answer["applied_bills"]
        assert (applied["bill_id"], applied["amount"]["amount"]) == (bill.id, 2000)
        [line] = answer["expense_line_items"]
        coded = [row["external_id"] for row in line["accounting_field_selections"]]
        assert coded == ["erp-6400", "dep-3"]

    def test_fits_what_a_bill_leaves(self, harbor: BusinessHandle) -> None:
        bill, credit = harbor.create_bill("30.00"), harbor.create_vendor_credit("50.00")

        taken = harbor.apply_vendor_credit(credit.id, bill.id)

        assert taken == 3000
        with pytest.raises(NotPossible, match="at most 0"):
            harbor.apply_vendor_credit(credit.id, bill.id)

    def test_goes_to_open_bills_of_its_vendor(self, harbor: BusinessHandle) -> None:
        credit = harbor.create_vendor_credit(vendor="Uline")
        other, paid = harbor.create_bill(vendor="Probat"), harbor.create_bill(vendor="Uline")
        harbor.pay_bill(paid.id)

        for bill in (other, paid):
            with pytest.raises(NotPossible):
                harbor.apply_vendor_credit(credit.id, bill.id)

    def test_is_in_dollars(self, sim: Simulator) -> None:
        with pytest.raises(NotPossible, match="USD only"):
            sim.business("sakura-foods").create_vendor_credit("100")

    def test_must_be_the_sum_of_its_lines(self, harbor: BusinessHandle) -> None:
        with pytest.raises(NotPossible, match="do not make the 1000"):
            harbor.create_vendor_credit(minor=1000, lines=[(900, "6100")])

    def test_is_of_one_business(self, sim: Simulator, client: Client) -> None:
        credit = sim.business("northwind-robotics").create_vendor_credit()

        assert client.get(f"/vendors/credits/{credit.id}").status_code == 404
        assert client.get(f"/vendors/credits/{uuid4()}").status_code == 404


class TestTheList:
    def test_hides_what_is_used_up_unless_asked(
        self, client: Client, harbor: BusinessHandle
    ) -> None:
        kept, used = harbor.create_vendor_credit("10.00"), harbor.create_vendor_credit("10.00")
        harbor.apply_vendor_credit(used.id, harbor.create_bill("80.00").id)

        assert found(client) == {kept.id}
        assert found(client, include_fully_used="true") == {kept.id, used.id}

    def test_may_be_one_vendors(self, client: Client, harbor: BusinessHandle) -> None:
        mine = harbor.create_vendor_credit(vendor="Uline")
        harbor.create_vendor_credit(vendor="Probat")

        assert found(client, f"/vendors/{mine.payee_id}/credits") == {mine.id}
        assert client.get(f"/vendors/{uuid4()}/credits").status_code == 404

    def test_filters(self, client: Client, harbor: BusinessHandle, clock: ManualClock) -> None:
        old = harbor.create_vendor_credit(accounting_date=date(2026, 3, 1))
        clock.turn(days=2)
        new = harbor.create_vendor_credit()
        between = (NOON + timedelta(days=1)).isoformat()

        assert found(client, from_created_at=between) == {new.id}
        assert found(client, to_created_at=between) == {old.id}
        assert found(client, from_accounting_date="2026-03-02") == {new.id}
        assert found(client, to_accounting_date="2026-03-01") == {old.id}
        assert found(client, entity_id=old.entity_id) == {old.id, new.id}
        assert found(client, entity_id=str(uuid4())) == set()
