from datetime import timedelta
from typing import Any
from uuid import uuid4

import httpx
import pytest

from connections.ramp_simulator.app import Simulator
from connections.ramp_simulator.handles import BusinessHandle
from tests.connections.ramp_simulator.side import NOON, Client, ManualClock

MAGIC = {"application/pdf": b"%PDF-", "image/png": b"\x89PNG\r\n"}


@pytest.fixture
def stranger(sim: Simulator) -> httpx.Client:
    """Somebody without a token."""
    return httpx.Client(transport=httpx.WSGITransport(app=sim.wsgi))


def url_of(client: Client, receipt_id: str) -> str:
    return str(client.get(f"/receipts/{receipt_id}").json()["receipt_url"])


class TestEveryReceipt:
    def test_that_a_purchase_names_is_there(self, client: Client, harbor: BusinessHandle) -> None:
        row = harbor.create_transaction()
        [receipt_id] = client.get(f"/transactions/{row.id}").json()["receipts"]

        answer = client.get(f"/receipts/{receipt_id}").json()

        assert (answer["transaction_id"], answer["user_id"]) == (row.id, row.person_id)

    def test_that_a_claim_names_is_there(self, client: Client, harbor: BusinessHandle) -> None:
        [receipt_id] = harbor.create_reimbursement().receipts

        answer = client.get(f"/receipts/{receipt_id}").json()

        assert "transaction_id" not in answer
        assert client.get(f"/receipts/{uuid4()}").status_code == 404

    def test_may_come_after_the_purchase_was_synced(
        self, client: Client, harbor: BusinessHandle, clock: ManualClock
    ) -> None:
        row = harbor.create_transaction(has_receipt=False, ready=True)
        client.report((row.id, "M-1"))
        clock.turn(days=3)

        receipt = harbor.add_receipt(row.id)

        answer = client.get(f"/transactions/{row.id}").json()
        assert (answer["receipts"], answer["sync_status"]) == ([receipt.id], "SYNCED")
        assert receipt.created_at == clock.now


class TestTheList:
    def test_filters(self, client: Client, harbor: BusinessHandle, clock: ManualClock) -> None:
        clock.turn(days=9)
        old = harbor.create_transaction(at=NOON)
        new = harbor.create_transaction()
        late = harbor.add_receipt(old.id).id
        [first], [second] = old.receipts[:1], new.receipts
        between = (NOON + timedelta(days=5)).isoformat()

        def found(**query: Any) -> set[str]:
            rows = {row["id"] for row in client.every_row("/receipts", **query)}
            return rows & {first, second, late}

        assert found() == {first, second, late}
        assert found(transaction_id=old.id) == {first, late}
        assert found(from_date=between) == {second}
        assert found(to_date=between) == {first, late}
        assert found(created_after=between) == {second, late}
        assert found(created_before=between) == {first}


class TestAnAddress:
    def test_opens_a_real_document_for_whoever_has_it(
        self, client: Client, harbor: BusinessHandle, stranger: httpx.Client
    ) -> None:
        kinds = set()
        for _ in range(6):
            row = harbor.create_transaction()
            answer = stranger.get(url_of(client, row.receipts[0]))
            assert answer.status_code == 200
            kind = answer.headers["content-type"]
            assert answer.content.startswith(MAGIC[kind])
            kinds.add(kind)

        assert kinds <= MAGIC.keys()

    def test_closes_after_an_hour(
        self,
        client: Client,
        harbor: BusinessHandle,
        stranger: httpx.Client,
        clock: ManualClock,
    ) -> None:
        url = url_of(client, harbor.create_transaction().receipts[0])
        clock.turn(minutes=59)
        assert stranger.get(url).status_code == 200

        clock.turn(minutes=2)

        assert stranger.get(url).status_code == 403

    def test_cannot_be_made_up(
        self, client: Client, harbor: BusinessHandle, stranger: httpx.Client
    ) -> None:
        one, other = (harbor.create_transaction().receipts[0] for _ in range(2))
        url = url_of(client, one).replace(one, other)

        assert stranger.get(url).status_code == 403
        assert stranger.get("http://ramp.test/_files/receipts/x.pdf").status_code == 403

    def test_refuses_a_token_beside_its_signature(
        self, client: Client, harbor: BusinessHandle
    ) -> None:
        url = url_of(client, harbor.create_transaction().receipts[0])

        assert client.http.get(url).status_code == 400

    def test_may_be_out_of_order(
        self, sim: Simulator, client: Client, harbor: BusinessHandle, stranger: httpx.Client
    ) -> None:
        url = url_of(client, harbor.create_transaction().receipts[0])
        sim.fault("answer", "GET file", status=503)

        assert [stranger.get(url).status_code for _ in range(2)] == [503, 200]

    def test_of_an_invoice_opens_it(
        self, client: Client, harbor: BusinessHandle, stranger: httpx.Client
    ) -> None:
        bill = harbor.create_bill(invoice_number="A-7", invoices=2)
        urls = client.get(f"/bills/{bill.id}").json()["invoice_urls"]

        answers = [stranger.get(url) for url in urls]

        assert len(urls) == 2
        assert all(answer.content.startswith(b"%PDF-") for answer in answers)
        assert b"A-7" in answers[0].content
