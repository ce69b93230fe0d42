from pathlib import Path

import pytest

from connections.ramp_simulator.app import Simulator
from connections.ramp_simulator.store import SqliteStore
from tests.connections.ramp_simulator.side import ACCOUNTS, DEPARTMENTS, Client, code_of


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "ramp" / "store.db"


def start(path: Path) -> Simulator:
    """Start on this file; a former one that was never closed stands for a killed one."""
    return Simulator.with_scenario("small", rate_limit=False, store=SqliteStore(path))


class TestARestart:
    def test_finds_everything_that_was_answered(self, path: Path) -> None:
        killed = start(path)
        client = Client(killed, killed.business("harbor-coffee"))
        client.business.upload_chart(accounts=ACCOUNTS, departments=DEPARTMENTS)
        row = client.business.transactions("SYNC_READY")[0]
        client.report((row.id, "M1"), key="k")
        body = {"endpoint_url": "https://b.test", "event_types": ["transactions.synced"]}
        webhook = client.post("/webhooks", body).json()["id"]

        restarted = start(path)

        assert list(restarted.ledger()) == list(killed.ledger())
        again = Client(restarted, restarted.business("harbor-coffee"))
        again.http.headers = client.http.headers
        assert code_of(again.report((row.id, "M1"), key="k")) == "DEVELOPER_7005"
        assert [row["id"] for row in again.get("/webhooks").json()] == [webhook]
        assert len(again.every_row("/accounting/accounts")) == len(ACCOUNTS)
        assert len(restarted.world.deliveries) == 1

    def test_finds_bills_with_their_payments_credits_and_receipts(self, path: Path) -> None:
        killed = start(path)
        harbor = killed.business("harbor-coffee")
        harbor.upload_chart(accounts=ACCOUNTS)
        bill = harbor.create_bill("80.00")
        credit = harbor.create_vendor_credit("5.00")
        harbor.apply_vendor_credit(credit.id, bill.id)
        harbor.pay_bill(bill.id, method="CHECK")
        harbor.export_bill(bill.id)
        receipt = harbor.add_receipt(harbor.transactions()[0].id)

        again = start(path)

        restarted = again.business("harbor-coffee")
        assert restarted.bill(bill.id) == bill
        assert restarted.bill_payment(bill.id) == harbor.bill_payment(bill.id)
        assert restarted.vendor_credit(credit.id) == credit
        assert restarted.vendors() == harbor.vendors()
        assert again.world.receipts.get(receipt.id) == receipt
        assert list(again.ledger()) == list(killed.ledger())

    def test_forgets_what_was_removed(self, path: Path) -> None:
        killed = start(path)
        client = Client(killed, killed.business("harbor-coffee"))
        client.business.revoke_tokens()

        restarted = start(path)

        assert len(restarted.world.tokens) == 0

    def test_never_gives_an_id_twice(self, path: Path) -> None:
        first = start(path).business("harbor-coffee").create_transaction()
        second = start(path).business("harbor-coffee").create_transaction()

        assert first.id != second.id
        assert first.seq < second.seq

    def test_keeps_the_order_of_lists(self, path: Path) -> None:
        before = [row.id for row in start(path).business("sakura-foods").transactions()]

        assert [row.id for row in start(path).business("sakura-foods").transactions()] == before


def test_a_simulator_without_a_file_keeps_nothing() -> None:
    sim = Simulator.with_scenario("empty")

    sim.close()

    assert Simulator().businesses() == []
