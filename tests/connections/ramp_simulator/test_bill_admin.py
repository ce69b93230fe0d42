from typing import Any
from uuid import uuid4

import httpx
import pytest

from connections.ramp_simulator.app import Simulator
from connections.ramp_simulator.handles import BusinessHandle


@pytest.fixture
def admin(sim: Simulator, harbor: BusinessHandle) -> httpx.Client:
    assert harbor.connection
    return httpx.Client(
        transport=httpx.WSGITransport(app=sim.wsgi), base_url="http://ramp.test/_simulator"
    )


def post(admin: httpx.Client, path: str, **body: Any) -> dict[str, Any]:
    answer = admin.post(path, json=body)
    assert answer.is_success, answer.text
    row: dict[str, Any] = answer.json()
    return row


def create(admin: httpx.Client, **body: Any) -> dict[str, Any]:
    bill: dict[str, Any] = post(admin, "/businesses/harbor-coffee/bills", **body)["bills"][0]
    return bill


def test_bills_go_from_hand_to_hand(admin: httpx.Client) -> None:
    bill = create(admin, amount=12.5, vendor="Uline", approved=False, account_code="6100")
    assert (bill["amount"], bill["sync_ready"]) == (1250, False)

    assert post(admin, f"/bills/{bill['id']}/approve")["sync_ready"]
    corrected = admin.patch(f"/bills/{bill['id']}", json={"account_code": "6200"}).json()
    assert corrected["account_codes"] == ["6200"]
    checked = post(admin, f"/bills/{bill['id']}/check", trace_id="7")
    assert checked["status_summary"] == "PAYMENT_PROCESSING"
    assert post(admin, f"/bills/{bill['id']}/pay")["status"] == "PAID"
    exported = post(admin, f"/bills/{bill['id']}/export")
    assert exported["sync_status"] == "BILL_AND_PAYMENT_SYNCED"


def test_bills_are_listed_with_what_became_of_them(admin: httpx.Client) -> None:
    ready = create(admin, currency="EUR", fx_rate="1.1")
    waiting = create(admin, approved=False)
    path = "/businesses/harbor-coffee/bills"

    everything = admin.get(path).json()["bills"]
    due = admin.get(path, params={"sync_ready": "true"}).json()["bills"]

    assert [row["id"] for row in everything] == [ready["id"], waiting["id"]]
    assert [row["id"] for row in due] == [ready["id"]]
    assert admin.get(f"/bills/{ready['id']}").json() == due[0]


def test_several_bills_are_made_and_paid_at_once(admin: httpx.Client) -> None:
    body = {"count": 2, "amount": 10}
    bills = post(admin, "/businesses/harbor-coffee/bills", **body)["bills"]

    path = f"/bills/{bills[0]['id']}/pay"
    paid = post(admin, path, method="CARD", together_with=[bills[1]["id"]])

    other = admin.get(f"/bills/{bills[1]['id']}").json()
    assert other["payment_id"] == paid["payment_id"] is not None


def test_a_bill_is_rejected_or_archived(admin: httpx.Client) -> None:
    rejected, archived = create(admin, approved=False), create(admin)

    assert post(admin, f"/bills/{rejected['id']}/reject")["approval_status"] == "REJECTED"
    assert post(admin, f"/bills/{archived['id']}/archive")["status_summary"] == "ARCHIVED"


def test_vendor_credits_are_granted_and_set_off(admin: httpx.Client) -> None:
    bill = create(admin, amount=100)
    credit = post(admin, "/businesses/harbor-coffee/vendor-credits", amount=30)

    applied = post(admin, f"/vendor-credits/{credit['id']}/apply", bill_id=bill["id"])

    assert applied["applied"] == {bill["id"]: 3000}


def test_a_receipt_turns_up(admin: httpx.Client, harbor: BusinessHandle) -> None:
    row = harbor.create_transaction(has_receipt=False)

    post(admin, f"/transactions/{row.id}/receipt")

    assert len(row.receipts) == 1


def test_what_is_not_there_or_cannot_be_done_is_refused(admin: httpx.Client) -> None:
    bill = create(admin)

    assert admin.get(f"/bills/{uuid4()}").status_code == 404
    assert admin.post(f"/bills/{bill['id']}/burn").status_code == 404
    assert admin.post(f"/vendor-credits/{uuid4()}/apply", json={}).status_code == 404
    assert admin.post(f"/bills/{bill['id']}/approve").status_code == 409
