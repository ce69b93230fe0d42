import threading
from collections import Counter

from connections.ramp_simulator import meddling
from connections.ramp_simulator.app import Simulator
from connections.ramp_simulator.handles import BusinessHandle
from connections.ramp_simulator.records import Connection
from connections.ramp_simulator.traffic import Traffic, TrafficThread
from tests.connections.ramp_simulator.side import ACCOUNTS, ManualClock


def test_nearly_every_step_makes_one_more_object_ready(sim: Simulator) -> None:
    before = len(list(sim.ledger()))
    traffic = Traffic(sim.world, seed=1)

    for _ in range(200):
        traffic.step()

    assert 190 <= len(list(sim.ledger())) - before <= 200


def test_it_mixes_everything_that_ramp_syncs(sim: Simulator, clock: ManualClock) -> None:
    traffic = Traffic(sim.world, seed=1)

    for _ in range(1500):
        clock.turn(minutes=1)
        traffic.step()

    flowed = Counter(entry["object_type"] for entry in sim.ledger())
    assert flowed["transaction"] > 5 * flowed["reimbursement"] > 5 * flowed["transfer"] > 0
    assert flowed["cashback"] > 0
    assert flowed["bill"] > 0
    assert any(bill.status == "PAID" for bill in sim.world.bills.all())
    statements = [row for business in sim.businesses() for row in business.statements()]
    assert statements
    assert all(statement.lines for statement in statements)


def test_a_transfer_is_on_its_way_before_it_is_ready(sim: Simulator) -> None:
    business = sim.business("harbor-coffee")
    on_its_way = business.create_transfer(status="PROCESSING_BY_ODFI")
    traffic = Traffic(sim.world, seed=1)

    for _ in range(600):
        traffic.step()

    assert on_its_way.status in {"COMPLETED", "RETURNED_BY_RDFI"}
    assert on_its_way.sync_status == "SYNC_READY"


def test_it_refunds_what_was_synced_and_fixes_what_failed(sim: Simulator) -> None:
    for business in sim.businesses():
        business.upload_chart(accounts=ACCOUNTS)
        business.press_export()
        failed = business.create_transaction(account_code=None, ready=True)
        failed.export_error = "It has no account."
    traffic = Traffic(sim.world, seed=3)

    for _ in range(600):
        traffic.step()

    rows = list(sim.world.transactions.all())
    assert any(row.memo == "Refund" and row.sync_status == "SYNC_READY" for row in rows)
    assert any(row.export_error and row.lines[0].account_code == "6400" for row in rows)


def test_bills_are_coded_with_taxes_once_there_are_some(sim: Simulator) -> None:
    taxed, untaxed = sim.business("harbor-coffee"), sim.business("sakura-foods")
    tax = {"id": "t-20", "name": "VAT 20 %", "rate": "0.2", "account_id": "erp-2150"}
    taxed.upload_chart(accounts=ACCOUNTS, tax_codes=[tax])
    traffic = Traffic(sim.world, seed=1)

    for _ in range(600):
        traffic.step()

    codes = {
        business.key: {line.tax_code for bill in business.bills() for line in bill.lines}
        for business in (taxed, untaxed)
    }
    assert codes == {"harbor-coffee": {None, "t-20"}, "sakura-foods": {None}}


def test_somebody_turns_a_switch_and_renames_an_account_once(
    sim: Simulator, clock: ManualClock
) -> None:
    business = sim.business(meddling.BUSINESS)
    business.upload_chart(accounts=ACCOUNTS)
    business.flip_switch(meddling.SWITCH, on=True)
    traffic = Traffic(sim.world, seed=1)
    seen = []

    for minute in range(6):
        for _ in range(20):
            traffic.step()
        renamed = sim.world.accounts.named(_seat(business).id, meddling.NEW_NAME)
        seen.append((bool(renamed), _seat(business).settings[meddling.SWITCH]))
        if minute == 3:
            business.change_in_ramp("account", "erp-6500", name="Advertising")
            business.flip_switch(meddling.SWITCH, on=True)
        clock.turn(minutes=1)

    drifted, mended = (True, False), (False, True)
    assert seen == [mended, mended, drifted, drifted, mended, mended]


def test_nobody_mends_what_is_coded_to_a_former_account(sim: Simulator) -> None:
    business = sim.business("harbor-coffee")
    former = [business.create_transaction(account_code="7100", ready=True) for _ in range(40)]
    for row in former:
        row.export_error = "No such account."
    traffic = Traffic(sim.world, seed=1)

    for _ in range(800):
        traffic.step()

    assert {row.sync_status for row in former} == {"SYNC_READY"}
    assert {row.lines[0].account_code for row in former} == {"7100"}


def _seat(business: BusinessHandle) -> Connection:
    assert business.connection
    return business.connection


def test_its_rate_can_be_changed_while_it_runs(sim: Simulator) -> None:
    stepped = threading.Event()

    class OneStep(Traffic):
        def step(self) -> None:
            stepped.set()

    thread = TrafficThread(OneStep(sim.world, seed=1), per_minute=0)
    thread.start()
    thread.set_rate(60_000)

    assert stepped.wait(60)
    thread.stop()
    thread.join()
