import json
from collections.abc import Callable

import pytest

from connections.ramp_simulator.app import Simulator
from connections.ramp_simulator.handles import BusinessHandle
from tests.connections.ramp_simulator.side import Client

TYPES = [
    "bills.approved",
    "bills.archived",
    "bills.created",
    "bills.paid",
    "bills.ready_to_sync",
    "bills.rejected",
    "transactions.receipt_added",
]
Events = Callable[[], list[tuple[str, str]]]


@pytest.fixture
def events(sim: Simulator, client: Client) -> Events:
    """What was told since one last asked, as pairs of type and object."""
    body = {"endpoint_url": "https://bridge.test/w", "event_types": TYPES}
    webhook = sim.world.webhooks.get(client.post("/webhooks", body).json()["id"])
    assert webhook is not None
    client.post(f"/webhooks/{webhook.id}/verify", {"challenge": webhook.challenge})

    def told() -> list[tuple[str, str]]:
        owed = list(sim.world.deliveries.all())
        for delivery in owed:
            sim.world.deliveries.remove(delivery)
        bodies = [json.loads(row.body) for row in owed if row.event_id]
        return [(body["type"].partition(".")[2], body["object"]["id"]) for body in bodies]

    return told


def test_follow_a_bill_from_its_arrival_to_both_of_its_phases(
    harbor: BusinessHandle, client: Client, events: Events
) -> None:
    bill = harbor.create_bill(approved=False)
    arrival = events()
    harbor.approve_bill(bill.id)
    approval = events()
    client.report((bill.id, "B-1"), sync_type="BILL_SYNC")
    report = events()
    harbor.pay_bill(bill.id)

    assert arrival == [("created", bill.id)]
    assert approval == [("approved", bill.id), ("ready_to_sync", bill.id)]
    assert report == []
    assert events() == [("paid", bill.id), ("ready_to_sync", bill.id)]


def test_do_not_say_twice_that_a_bill_is_ready(harbor: BusinessHandle, events: Events) -> None:
    bill = harbor.create_bill()
    events()

    harbor.pay_bill(bill.id)

    assert events() == [("paid", bill.id)]


def test_tell_of_each_bill_of_a_payment(harbor: BusinessHandle, events: Events) -> None:
    one, two = harbor.create_bill(), harbor.create_bill()
    events()

    harbor.start_check(one.id, together_with=[two.id])
    assert events() == []
    harbor.pay_bill(two.id)

    assert events() == [("paid", one.id), ("paid", two.id)]


def test_tell_of_refusal_and_deletion(harbor: BusinessHandle, events: Events) -> None:
    rejected, archived = harbor.create_bill(approved=False), harbor.create_bill(approved=False)
    events()

    harbor.reject_bill(rejected.id)
    harbor.archive_bill(archived.id)

    assert events() == [("rejected", rejected.id), ("archived", archived.id)]


def test_tell_that_a_correction_made_a_bill_ready(harbor: BusinessHandle, events: Events) -> None:
    bill = harbor.create_bill(is_sync_enabled=False)
    events()

    harbor.edit_bill(bill.id, is_sync_enabled=True)

    assert events() == [("ready_to_sync", bill.id)]


def test_are_silent_about_export(harbor: BusinessHandle, events: Events) -> None:
    bill = harbor.create_bill()
    events()

    harbor.export_bill(bill.id)

    assert events() == []
    assert bill.sync_status == "BILL_SYNCED"


def test_tell_of_a_receipt_that_comes_late(
    harbor: BusinessHandle, client: Client, events: Events
) -> None:
    row = harbor.transactions("SYNC_READY")[0]
    client.report((row.id, "M-1"))

    harbor.add_receipt(row.id)

    assert events() == [("receipt_added", row.id)]
