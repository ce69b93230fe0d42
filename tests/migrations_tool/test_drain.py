"""Step 5: nothing is left on the old connection, seen twice (R-88, F-26, F-28)."""

import uuid
from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from django.db.models.functions import Now
from django.test import Client
from django.urls import reverse

from connections.models import AuditLine
from connections.ramp.client import RampClient
from connections.ramp.errors import RampUnreachable, ScopeMissing
from connections.ramp.pages import Malformed, Page
from connections.ramp.spend import Bill
from migrations_tool import running, services
from migrations_tool.drain import progress, readings
from migrations_tool.models import (
    BillInFlight,
    DrainReading,
    Evidence,
    StepRecord,
    StepRun,
    Waiver,
    Watch,
)
from migrations_tool.steps import Act, Step
from migrations_tool.wizard import Light, Status
from tests.factories import UserFactory
from tests.migrations_tool.world import World

ZERO, BILLS = "drain.zero_twice", "drain.bills"
NOON = datetime(2026, 11, 21, 12, 0, tzinfo=UTC)


@pytest.fixture(autouse=True)
def planned(world: World) -> None:
    migration = world.migration
    migration.old_connection_id = world.old.id
    migration.old_provider_name = "QuickBooks Online"
    migration.save()
    world.take_as_done(Step.PLAN)
    records = StepRecord.objects.filter(migration=migration)
    records.filter(step=Step.INVENTORY).update(status=Status.SKIPPED)


def check(world: World) -> StepRun:
    return world.do(Step.DRAIN, Act.CHECK)


def drained(world: World) -> None:
    """Zero, seen twice."""
    world.sync_old()
    check(world)
    world.turn(minutes=15)
    check(world)


def watch(world: World) -> Watch:
    """As the sweep does each minute."""
    running.watches_due()
    found = Watch.objects.get(step=Step.DRAIN)
    running.watch(found.pk, clock=world.clock)
    found.refresh_from_db()
    return found


class TestCountdown:
    def test_what_is_ready_is_counted_by_type_with_its_money(self, world: World) -> None:
        check(world)

        ready = DrainReading.objects.get().ready
        told = {name: (one["count"], one["amounts"]) for name, one in ready.items()}
        assert told == {
            "transaction": (2, {"USD": 14740}),
            "reimbursement": (1, {"USD": 3320}),
            "bill": (1, {"USD": 5500}),
            "bill_payment": (0, {}),
            "transfer": (1, {"USD": 50000}),
            "cashback": (0, {}),
        }
        assert world.light(ZERO) is Light.RED
        assert world.status(Step.DRAIN) is Status.WAITING_FOR_CUSTOMER

    def test_a_paid_bill_that_is_booked_waits_for_its_payment(self, world: World) -> None:
        world.sync_old()
        world.business.pay_bill(world.open_bill.id)

        check(world)

        ready = DrainReading.objects.get().ready
        assert (ready["bill"]["count"], ready["bill_payment"]["count"]) == (0, 1)

    def test_what_ramp_ignores_a_filter_for_is_not_taken_for_ready(
        self, world: World, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        real = world.ramp.__class__.transactions
        monkeypatch.setattr(world.ramp.__class__, "transactions", lambda self, **_: real(self))

        check(world)

        assert DrainReading.objects.get().ready["transaction"]["count"] == 2

    def test_a_list_that_ramp_refuses_is_no_zero(
        self, world: World, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        def refuse(*_: Any, **__: Any) -> Any:
            raise ScopeMissing("These scopes are not allowed: transfers:read", scopes=["x"])

        monkeypatch.setattr(world.ramp.__class__, "transfers", refuse)

        drained(world)

        gate = world.gates(Step.DRAIN)[ZERO]
        assert gate.light is Light.RED
        assert "does not list transfers" in gate.words
        assert "transfers:read" in gate.words

    def test_a_silence_keeps_no_reading(
        self, world: World, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        def silent(*_: Any, **__: Any) -> Any:
            raise RampUnreachable("502")

        monkeypatch.setattr(world.ramp.__class__, "cashbacks", silent)

        assert watch(world).trouble
        assert not DrainReading.objects.exists()


class TestZeroTwice:
    def test_once_is_not_enough(self, world: World) -> None:
        world.sync_old()
        check(world)
        world.turn(minutes=14)
        check(world)

        assert world.light(ZERO) is Light.UNKNOWN
        world.turn(minutes=1)
        check(world)
        assert world.light(ZERO) is Light.GREEN

    def test_something_in_between_begins_it_anew(self, world: World) -> None:
        drained(world)
        world.buy("5.00", ready=True)
        check(world)
        assert world.light(ZERO) is Light.RED

        world.sync_old()
        check(world)

        assert world.light(ZERO) is Light.UNKNOWN

    def test_it_has_to_be_seen_lately(self, world: World) -> None:
        drained(world)
        world.turn(minutes=10, seconds=1)

        assert world.light(ZERO) is Light.UNKNOWN
        assert "nobody has looked since" in world.gates(Step.DRAIN)[ZERO].words

    def test_a_leftover_blocks_the_step(self, world: World) -> None:
        check(world)

        run = world.do(Step.DRAIN, Act.COMPLETE)

        assert run.state == StepRun.State.REFUSED
        assert "2 card transactions, 1 reimbursement, 1 bill and 1 transfer" in run.title

    def test_it_is_done_once_nothing_is_left_and_all_bills_are_decided(self, world: World) -> None:
        drained(world)
        decide_all(world, world_client(), "hold")

        assert world.do(Step.DRAIN, Act.COMPLETE).state == StepRun.State.DONE
        assert world.status(Step.DRAIN) is Status.DONE

    def test_two_people_may_let_a_leftover_pass(self, world: World) -> None:
        check(world)
        for gate in (ZERO, BILLS):
            waiver = services.ask_waiver(
                world.migration, Step.DRAIN, gate, "Entered by hand.", actor="ines",
                now=world.clock(),
            )  # fmt: skip
            services.decide_waiver(waiver, grant=True, actor="ana", now=world.clock())

        assert world.do(Step.DRAIN, Act.COMPLETE).state == StepRun.State.DONE
        assert Waiver.objects.count() == 2

    def test_after_the_switch_nothing_of_it_changes(self, world: World) -> None:
        drained(world)
        migration = world.migration
        migration.flipped_at = world.clock()
        migration.save()
        world.turn(days=20)

        assert world.light(ZERO) is Light.GREEN


class TestWatch:
    def test_it_reads_by_itself_once_the_plan_is_done(self, world: World) -> None:
        watch(world)

        assert DrainReading.objects.get().total == 5
        assert Evidence.objects.filter(code=ZERO).count() == 1

    def test_a_done_drain_is_stale_once_something_is_ready_again(self, world: World) -> None:
        drained(world)
        decide_all(world, world_client(), "pay")
        world.do(Step.DRAIN, Act.COMPLETE)
        world.buy("7.00", ready=True)
        world.turn(minutes=1)

        watch(world)

        assert world.status(Step.DRAIN) is Status.STALE
        newest = Evidence.objects.filter(code=ZERO).order_by("-pk")[0]
        assert not newest.is_good

    def test_evidence_is_kept_where_it_turns_and_not_every_minute(self, world: World) -> None:
        for _ in range(4):
            watch(world)
            world.turn(minutes=1)

        assert DrainReading.objects.count() == 4
        assert Evidence.objects.filter(code=ZERO).count() == 1

    def test_a_long_list_is_read_less_often(self, world: World) -> None:
        watch(world)
        DrainReading.objects.update(total=4000)
        world.turn(minutes=2)

        watch(world)

        assert DrainReading.objects.count() == 1

    def test_nothing_is_read_of_somebody_elses_seat(self, world: World) -> None:
        migration = world.migration
        migration.old_connection_id = "00000000-0000-4000-8000-000000000000"
        migration.save()

        assert "no longer active in Ramp" in watch(world).trouble
        assert not DrainReading.objects.exists()


class TestReadings:
    def test_only_the_newest_says_which_objects_they_were(self, world: World) -> None:
        check(world)
        world.turn(minutes=1)
        check(world)

        named = [
            "first" in one.ready["transaction"] for one in readings.newest_first(world.migration)
        ]
        assert named == [True, False]

    def test_old_ones_go_and_a_zero_of_each_hour_stays(
        self, world: World, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(readings, "NEWEST", 3)
        migration = world.migration
        for minutes, total in ((0, 9), (1, 0), (2, 0), (70, 0), (90, 4), (91, 3)):
            DrainReading.objects.create(
                migration=migration, at=NOON + timedelta(minutes=minutes), total=total, ready={}
            )

        readings.keep(migration, {}, now=NOON + timedelta(minutes=92))

        kept = [(one.at - NOON) // timedelta(minutes=1) for one in readings.newest_first(migration)]
        assert kept == [92, 91, 90, 70, 1]


@dataclass
class Read:
    at: datetime
    total: int
    ready: dict[str, Any]


def read(*totals: tuple[int, int]) -> list[Read]:
    """Minutes and totals, the newest first."""
    return [Read(NOON + timedelta(minutes=minutes), total, {}) for minutes, total in totals]


class TestPace:
    def test_it_says_how_long_it_will_take(self) -> None:
        pace = progress.pace(read((30, 40), (0, 100)))

        assert pace is not None
        assert pace.per_hour == 120
        assert pace.left(40) == timedelta(minutes=20)

    def test_what_does_not_fall_has_no_end(self) -> None:
        pace = progress.pace(read((30, 100), (0, 100)))

        assert pace is not None
        assert pace.left(100) is None

    def test_a_refused_list_ends_a_run_of_zeros(self) -> None:
        seen = read((20, 0), (10, 0), (0, 0))
        seen[1].ready = {"transfer": {"count": 0, "refused": "No."}}

        zero = progress.zero_run(seen)

        assert zero is not None
        assert not zero.is_proven


class TestBills:
    def test_those_in_flight_are_listed_and_wait_for_a_decision(self, world: World) -> None:
        check(world)

        numbers = set(BillInFlight.objects.values_list("invoice_number", flat=True))
        assert numbers == {"U-101", "U-102", "U-103", "S-7"}
        assert world.light(BILLS) is Light.RED

    def test_a_refused_list_of_them_is_not_taken_for_none(self, world: World) -> None:
        world.business.remove_scope("bills:read")

        run = check(world)

        assert run.state == StepRun.State.DONE
        gate = world.gates(Step.DRAIN)[BILLS]
        assert gate.light is Light.RED
        assert "does not list bills" in gate.words

    def test_one_that_cannot_be_read_waits_for_a_decision_too(
        self, world: World, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        given = uuid.uuid4()
        strange = [
            Malformed({"id": str(given)}, "no amount"),
            Malformed({"invoice_number": "X-9"}, "no id at all"),
        ]
        listed = world.ramp.__class__.bills

        def bills(self: RampClient, **filters: Any) -> Iterator[Page[Bill]]:
            for page in listed(self, **filters):
                is_flight = filters.get("payment_status") == "OPEN"
                yield replace(page, malformed=strange if is_flight else [])

        monkeypatch.setattr(world.ramp.__class__, "bills", bills)
        check(world)
        decide_all(world, world_client(), "recreate")
        BillInFlight.objects.filter(vendor__startswith="A bill that").update(decision="")
        check(world)

        gate = world.gates(Step.DRAIN)[BILLS]
        assert gate.light is Light.RED
        assert "2 of 6 bills" in gate.words
        assert BillInFlight.objects.filter(invoice_number="X-9").count() == 1
        assert b"A bill that cannot be read" in world_client().get(bills_page(world)).content

    def test_one_that_cannot_be_read_any_more_stays_in_flight(
        self, world: World, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        check(world)
        monkeypatch.setattr(world.ramp.__class__, "bills", lambda *_, **__: iter(()))
        monkeypatch.setattr(world.ramp.__class__, "bill_body", lambda *_: b'{"id": 7}')

        assert check(world).state == StepRun.State.DONE
        assert BillInFlight.objects.filter(gone_at=None).count() == 4

    def test_deciding_is_written_down_with_name_and_time(self, world: World) -> None:
        check(world)

        decide_all(world, world_client(), "recreate")

        bill = BillInFlight.objects.get(invoice_number="U-101")
        assert (bill.decision, bool(bill.decided_by), bool(bill.decided_at)) == (
            "recreate", True, True,
        )  # fmt: skip
        assert world.light(BILLS) is Light.GREEN
        assert AuditLine.objects.filter(act="migrations.decide_bills").count() == 1

    def test_what_is_paid_meanwhile_needs_no_decision(self, world: World) -> None:
        check(world)
        for bill in (world.open_bill, world.ready_bill, world.mailed_bill):
            world.business.pay_bill(bill.id)
        world.business.archive_bill(world.pending_bill.id)

        check(world)

        assert world.light(BILLS) is Light.GREEN
        assert BillInFlight.objects.filter(gone_at__isnull=False).count() == 4

    def test_a_decision_survives_another_reading_and_can_be_taken_back(self, world: World) -> None:
        check(world)
        client = world_client()
        decide_all(world, client, "pay")
        check(world)
        assert world.light(BILLS) is Light.GREEN

        decide_all(world, client, "none")

        assert world.light(BILLS) is Light.RED

    @pytest.mark.parametrize("sent", [{"decision": "pay"}, {"bill": ["9" * 30], "decision": "pay"}])
    def test_without_a_ticked_bill_nothing_is_decided(
        self, world: World, sent: dict[str, Any]
    ) -> None:
        check(world)

        answer = world_client().post(bills_url(world), sent)

        assert answer.status_code == 422
        assert "Tick the bills" in answer.text

    def test_without_a_decision_the_ticks_stay(self, world: World) -> None:
        check(world)
        bill = BillInFlight.objects.order_by("pk")[0]

        answer = world_client().post(bills_url(world), {"bill": [bill.pk]})

        assert answer.status_code == 422
        assert "Choose what becomes of them" in answer.text


class TestPages:
    def test_the_countdown_shows_types_amounts_and_what_is_left(self, world: World) -> None:
        check(world)

        page = world_client().get(reverse("migration_step", args=[world.migration.pk, Step.DRAIN]))

        assert "Sweetgreen" in page.text
        assert "147.40" in page.text
        assert "s move.</strong>" in page.text

    def test_it_polls_and_hears_nothing_new(self, world: World) -> None:
        check(world)
        client, url = world_client(), reverse("migration_drain_live", args=[world.migration.pk])
        page = client.get(url)
        version = page.context["live_url"].split("version=")[1]

        again = client.get(url, {"version": version}, headers={"HX-Request": "true"})

        assert page.status_code == 200
        assert again.status_code == 204


def world_client() -> Client:
    client = Client()
    client.force_login(UserFactory.create(roles=["implementer"]))
    return client


def bills_page(world: World) -> str:
    return reverse("migration_step", args=[world.migration.pk, Step.DRAIN])


def bills_url(world: World) -> str:
    return reverse("migration_drain_bills", args=[world.migration.pk])


def decide_all(world: World, client: Client, decision: str) -> None:
    flying = BillInFlight.objects.filter(gone_at=None).values_list("pk", flat=True)
    answer = client.post(bills_url(world), {"bill": list(flying), "decision": decision})
    assert answer.status_code == 200
    Watch.objects.update(due_at=Now())
