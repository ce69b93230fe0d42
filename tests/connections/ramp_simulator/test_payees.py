from typing import Any
from uuid import uuid4

import pytest

from connections.ramp_simulator.handles import BusinessHandle
from tests.connections.ramp_simulator.side import Client, ManualClock

VENDORS = [{"id": "erp-v1", "name": "Uline"}, {"id": "erp-v2", "name": "Uline"}]


@pytest.fixture
def uploaded(client: Client) -> list[str]:
    """Two accounting vendors of one name; Ramp's ids."""
    answer = client.post("/accounting/vendors", {"vendors": VENDORS})
    ids: list[str] = answer.json()["uploaded"]
    return ids


def remote_id(client: Client, vendor_id: str) -> Any:
    return client.get(f"/vendors/{vendor_id}").json()["accounting_vendor_remote_id"]


@pytest.mark.usefixtures("uploaded")
class TestALink:
    def test_is_not_made_by_itself(self, client: Client, harbor: BusinessHandle) -> None:
        payee = harbor.create_vendor("Uline")

        assert remote_id(client, payee.id) is None

    def test_is_made_by_the_erps_id(self, client: Client, harbor: BusinessHandle) -> None:
        payee = harbor.create_vendor("Uline Shipping")

        body = {"accounting_vendor_remote_id": "erp-v2"}
        answer = client.patch(f"/vendors/{payee.id}", body)

        assert answer.json()["accounting_vendor_remote_id"] == "erp-v2"
        bill = client.get(f"/bills/{harbor.create_bill(vendor=payee).id}").json()
        assert bill["vendor"]["remote_id"] == "erp-v2"

    def test_is_made_by_ramps_id(
        self, client: Client, harbor: BusinessHandle, uploaded: list[str]
    ) -> None:
        payee = harbor.create_vendor("Uline Shipping")

        body = {"vendor_tracking_category_option_id": uploaded[1]}
        client.patch(f"/vendors/{payee.id}", body)

        assert remote_id(client, payee.id) == "erp-v2"

    @pytest.mark.parametrize(
        "body",
        [
            {"accounting_vendor_remote_id": "erp-v9"},
            {"vendor_tracking_category_option_id": str(uuid4())},
        ],
    )
    def test_needs_an_accounting_vendor(
        self, client: Client, harbor: BusinessHandle, body: dict[str, str]
    ) -> None:
        payee = harbor.create_vendor("Uline Shipping")

        assert client.patch(f"/vendors/{payee.id}", body).status_code == 422
        assert remote_id(client, payee.id) is None

    def test_takes_one_id_and_not_both(
        self, client: Client, harbor: BusinessHandle, uploaded: list[str]
    ) -> None:
        payee = harbor.create_vendor("Uline Shipping")
        body = {
            "accounting_vendor_remote_id": "erp-v1",
            "vendor_tracking_category_option_id": uploaded[0],
        }

        assert client.patch(f"/vendors/{payee.id}", body).status_code == 422


class TestTheList:
    def test_filters(self, client: Client, harbor: BusinessHandle, clock: ManualClock) -> None:
        old = harbor.create_vendor("Uline")
        clock.turn(days=1)
        new = harbor.create_vendor("Probat")
        client.patch(f"/vendors/{new.id}", {"is_active": False})

        def found(**query: Any) -> set[str]:
            return {row["id"] for row in client.every_row("/vendors", **query)}

        assert found() == {old.id, new.id}
        assert found(name="ULI") == {old.id}
        assert found(is_active="false") == {new.id}
        assert found(from_created_at=clock.now.isoformat()) == {new.id}
        assert found(vendor_owner_id=old.owner_id) == {old.id, new.id}
        assert found(vendor_owner_id=str(uuid4())) == set()


def test_spend_is_what_was_paid_in_the_payers_money(
    client: Client, harbor: BusinessHandle, clock: ManualClock
) -> None:
    first = harbor.create_bill("100.00", currency="EUR", fx_rate="1.5")
    harbor.create_bill("70.00")
    harbor.pay_bill(first.id)
    clock.turn(days=60)
    harbor.pay_bill(harbor.create_bill("10.00").id)
    client.sign_in()

    answer = client.get(f"/vendors/{first.payee_id}").json()

    assert answer["total_spend_all_time"]["amount"] == 16_000
    assert answer["total_spend_last_30_days"]["amount"] == 1_000
    assert answer["is_deletable"] is False


def test_nobody_knows_a_vendor_that_is_not_there(client: Client) -> None:
    assert client.get(f"/vendors/{uuid4()}").status_code == 404
