"""The inventory: everything is counted once, and bills in flight are known one by one."""

from datetime import UTC, datetime
from decimal import Decimal
from unittest.mock import patch

import pytest
from django.test import Client

from connections.ramp.spend import Bill
from migrations_tool.hypercare import targets
from migrations_tool.inventory import bills_in_flight
from migrations_tool.inventory.tables import Inventory
from migrations_tool.inventory.tally import READY, UNSYNCED, Tally
from migrations_tool.models import BillInFlight, Evidence, StepRun
from migrations_tool.proofs import newest
from migrations_tool.steps import Act, Step
from migrations_tool.wizard import Light
from rampbridge.lib import failpoints
from rampbridge.lib.money import Money
from tests import spend
from tests.factories import UserFactory
from tests.migrations_tool.world import World

OLD, LINKED, NEW = (datetime(2026, month, 1, tzinfo=UTC) for month in (1, 3, 5))


def counted(world: World) -> Evidence:
    found = newest(world.migration, "inventory.counted")
    assert found is not None
    return found


@pytest.fixture
def planned(world: World) -> World:
    world.do(Step.PLAN, Act.CHECK)
    return world


def test_every_object_is_counted_in_its_state_with_its_money(planned: World) -> None:
    planned.do(Step.INVENTORY, Act.APPLY)

    counts = counted(planned).counts
    assert counts["transaction"][READY] == {
        "count": len(planned.ready),
        "amounts": {"USD": 1840 + 12900},
    }
    assert counts["transaction"]["not_ready"]["count"] == len(planned.not_ready)
    assert counts["transaction"]["synced"]["count"] == len(planned.synced)
    assert counts["reimbursement"][READY] == {"count": 1, "amounts": {"USD": 3320}}
    assert counts["bill"][READY]["amounts"] == {"USD": 5500}
    assert counts["transfer"][READY] == {"count": 1, "amounts": {"USD": 50000}}
    assert counts["vendor_credit"]["untracked"] == {"count": 1, "amounts": {"USD": 2500}}
    assert planned.light("inventory.counted") is Light.GREEN


def test_what_stayed_ready_for_days_is_the_old_integrations_own_rate(planned: World) -> None:
    planned.do(Step.INVENTORY, Act.APPLY)
    assert planned.migration.baseline["error_percent"] == 0

    planned.turn(days=10)
    planned.do(Step.INVENTORY, Act.APPLY)

    baseline = planned.migration.baseline
    assert baseline["left_behind"] == 5  # all that is ready is ten days old by now
    share = 100 * 5 / (5 + baseline["synced"])
    assert share <= baseline["error_percent"] < share + 1
    assert targets.allowed_percent(planned.migration) == 10


def test_bills_that_are_not_approved_are_not_ready(planned: World) -> None:
    planned.do(Step.INVENTORY, Act.APPLY)

    bills = counted(planned).counts["bill"]
    assert bills["not_ready"] == {"count": 1, "amounts": {"USD": 41000}}
    assert sum(one["count"] for one in bills.values()) == 5


def test_bills_in_flight_become_rows_that_keep_what_was_decided(planned: World) -> None:
    planned.do(Step.INVENTORY, Act.APPLY)
    flying = BillInFlight.objects.filter(migration=planned.migration, gone_at=None)
    assert set(flying.values_list("invoice_number", flat=True)) == {
        "U-101",
        "U-102",
        "U-103",
        "S-7",
    }
    flying.filter(invoice_number="U-101").update(decision="pay")

    planned.business.pay_bill(planned.open_bill.id)
    planned.do(Step.INVENTORY, Act.APPLY)

    assert flying.get(invoice_number="U-102").decision == ""
    gone = BillInFlight.objects.get(migration=planned.migration, invoice_number="U-101")
    assert gone.gone_at is not None
    assert gone.decision == "pay"


def test_a_check_counts_only_if_nobody_has(planned: World) -> None:
    planned.do(Step.INVENTORY, Act.CHECK)
    planned.do(Step.INVENTORY, Act.CHECK)

    assert Evidence.objects.filter(code="inventory.counted").count() == 1


@pytest.mark.parametrize("dies_at", [2, 3, 4, 5, 6, 9, 12])
def test_a_worker_that_is_killed_counts_nothing_twice(planned: World, dies_at: int) -> None:
    for number in range(210):
        planned.buy("1.00", merchant=f"Shop {number}", ready=True)
    run = planned.ask(Step.INVENTORY, Act.APPLY)

    with patch.object(failpoints, "hit", Dies(dies_at)), pytest.raises(Killed):
        planned.finish(run)
    planned.finish(StepRun.objects.get(pk=run.pk))

    counts = counted(planned).counts
    assert counts["transaction"][READY]["count"] == len(planned.ready) + 210
    assert counts["transaction"][READY]["amounts"] == {"USD": 1840 + 12900 + 21000}
    assert sum(one["count"] for one in counts["bill"].values()) == 5


def test_what_ramp_does_not_let_us_read_is_said_and_the_rest_is_counted(planned: World) -> None:
    planned.business.remove_scope("cashbacks:read")

    planned.do(Step.INVENTORY, Act.APPLY)

    evidence = counted(planned)
    assert "cashback" in evidence.text
    assert evidence.result["unreadable"] == ["cashback"]
    assert evidence.counts["transfer"][READY]["count"] == 1
    assert planned.light("inventory.counted") is Light.WARNING, "not all of it was counted"


def test_finer_units_of_a_currency_are_added_by_value() -> None:
    tally = Tally()
    tally.add("bill", "", READY, Money(150, "USD", 2))
    tally.add("bill", "", READY, Money(2500, "USD", 3))

    assert tally.totals()["bill"][READY] == {"count": 2, "amounts": {"USD": 4000}}
    assert tally.data["exponents"] == {"USD": 3}


def test_an_object_that_became_ready_in_between_leaves_no_negative_rest() -> None:
    tally = Tally()
    tally.add("bill", "", UNSYNCED, Money(150, "USD", 2))
    tally.add("bill", "", READY, Money(150, "USD", 2))
    tally.add("bill", "", READY, Money(70, "USD", 2))

    tally.settle_unsynced()

    assert tally.totals()["bill"] == {READY: {"count": 2, "amounts": {"USD": 220}}}


@pytest.mark.parametrize(
    ("status", "sync_status", "created_at", "is_flying"),
    [
        ("OPEN", "NOT_SYNCED", NEW, True),
        ("OPEN", "BILL_SYNCED", NEW, True),
        ("PAID", "NOT_SYNCED", NEW, False),
        ("PAID", "NOT_SYNCED", OLD, True),
        ("PAID", "BILL_AND_PAYMENT_SYNCED", OLD, False),
        ("A_NEW_WORD", "NOT_SYNCED", NEW, True),
    ],
)
def test_a_bill_is_in_flight_unless_it_is_certainly_over(
    status: str, sync_status: str, created_at: datetime, is_flying: bool
) -> None:
    body = spend.bill(status=status, sync_status=sync_status, created_at=created_at.isoformat())

    assert bills_in_flight.is_in_flight(Bill.read(body), LINKED) is is_flying


def test_the_page_and_the_file_show_the_same(planned: World) -> None:
    planned.do(Step.INVENTORY, Act.APPLY)
    inventory = Inventory(counted(planned))

    rows = list(inventory.rows())

    assert sum(row[5] for row in rows if row[5] != "") == inventory.count
    ready = next(row for row in rows if row[0] == "Transfers" and row[3] == "Ready")
    assert ready[6] == Decimal("500.00")


class Killed(BaseException):
    """As if the process was gone."""


class Dies:
    """A failpoint that kills at its so many-th hit in a run."""

    def __init__(self, at: int) -> None:
        self.left = at

    def __call__(self, name: str) -> None:
        if name == "in_step_run":
            self.left -= 1
            if not self.left:
                raise Killed


def test_the_file_is_there_for_everybody_who_may_see(planned: World, client: Client) -> None:
    client.force_login(UserFactory.create(roles=["support"]))
    address = f"/migrations/{planned.migration.pk}/inventory/counted.csv"
    assert client.get(address).status_code == 404
    planned.do(Step.INVENTORY, Act.APPLY)

    answer = client.get(address)

    lines = b"".join(answer).decode("utf-8-sig").splitlines()
    assert lines[0] == "type,entity,entity_id,state,currency,count,amount"
    assert any(
        line.startswith("Transfers,") and line.endswith(",Ready,USD,1,500.00") for line in lines
    )


@pytest.mark.parametrize("is_looked_at", [False, True])
@pytest.mark.parametrize("step", [Step.PLAN, Step.ACCESS, Step.INVENTORY, Step.RULES])
def test_the_panels_show_before_and_after_a_look(
    world: World, client: Client, step: Step, *, is_looked_at: bool
) -> None:
    if is_looked_at:
        world.do(Step.PLAN, Act.CHECK)
        world.do(step, Act.CHECK)
    client.force_login(UserFactory.create(username="ines", roles=["implementer"]))

    answer = client.get(f"/migrations/{world.migration.pk}/{step}/")

    assert answer.status_code == 200
