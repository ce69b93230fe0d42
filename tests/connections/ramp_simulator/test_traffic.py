import threading

from connections.ramp_simulator.app import Simulator
from connections.ramp_simulator.traffic import Traffic, TrafficThread
from tests.connections.ramp_simulator.side import ACCOUNTS, ManualClock


def test_each_step_makes_one_more_transaction_ready(sim: Simulator, clock: ManualClock) -> None:
    before = len(list(sim.ledger()))
    traffic = Traffic(sim.world, seed=1)

    for _ in range(200):
        traffic.step()

    assert 195 <= len(list(sim.ledger())) - before <= 200


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


def test_its_rate_can_be_changed_while_it_runs(sim: Simulator) -> None:
    stepped = threading.Event()

    class OneStep(Traffic):
        def step(self) -> None:
            stepped.set()

    thread = TrafficThread(OneStep(sim.world, seed=1), per_minute=0)
    thread.start()
    thread.set_rate(60_000)

    assert stepped.wait(5)
    thread.stop()
    thread.join()
