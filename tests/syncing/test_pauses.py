"""Types that are paused: by a person, or because too much of them is refused for our reasons."""

from collections.abc import Sequence
from datetime import timedelta

import pytest

from connections.erp.errors import Code
from connections.erp.refusals import refusal
from syncing import claims, pauses, schedule
from syncing.engine import post_canary, post_due_items
from syncing.models import Flow, ItemEvent, Pause, Schedule, SyncItem
from syncing.pauses import FIRST_CANARY, PAUSE_AFTER, RAREST_CANARY, WARN_AFTER
from syncing.recovery import recover_lost_items
from syncing.snapshots import database_now
from tests.syncing.world import World, let_snapshots_age, let_time_pass, transaction_body

pytestmark = pytest.mark.django_db

ODD = refusal(Code.UNKNOWN, erp="Ledger")


@pytest.fixture
def world() -> World:
    made = World()
    Schedule.objects.update(next_poll_at="2099-01-01T00:00Z")
    return made


def take_canary(world: World) -> str | None:
    return pauses.take_canary(world.connection.pk, fresh_seconds=claims.FRESH_SECONDS)


def ready(world: World, number: int = 1) -> list[SyncItem]:
    return world.ready(*(transaction_body() for _ in range(number)))


def refused(world: World, items: Sequence[SyncItem], code: Code = Code.UNKNOWN) -> None:
    """The ERP refuses each of the items, and that is written down."""
    for item in items:
        world.erp.faults.refuse[str(item.ramp_id)] = refusal(code, erp="Ledger")
    while post_due_items(world.worker):
        pass
    let_time_pass(1)


def states(items: Sequence[SyncItem]) -> list[str]:
    for item in items:
        item.refresh_from_db()
    return [item.state for item in items]


def is_rung_for(world: World) -> bool:
    let_time_pass(schedule.RING_AGAIN_SECONDS + 1)
    return any(one.work for one in schedule.ring())


class TestLetThrough:
    """What somebody has paused lets one item through that somebody chose (R-101)."""

    def test_the_chosen_item_goes_and_no_other(self, world: World) -> None:
        items = ready(world, 3)
        pauses.pause(world.connection, "transaction", "Cutover check", "ines")

        assert pauses.let_one_through(items[2])
        assert post_canary(world.worker) == 1
        assert post_canary(world.worker) == 0
        let_time_pass(RAREST_CANARY.total_seconds())
        assert post_canary(world.worker) == 0

        assert states(items) == ["READY", "READY", "POSTED"]
        assert pauses.is_paused(world.connection, "transaction")

    def test_a_worker_is_rung_for_it(self, world: World) -> None:
        (item,) = ready(world)
        pauses.pause(world.connection, "transaction", "Cutover check", "ines")
        assert not is_rung_for(world)

        pauses.let_one_through(item)

        assert is_rung_for(world)

    def test_nothing_happens_where_nothing_is_paused(self, world: World) -> None:
        (item,) = ready(world)

        assert not pauses.let_one_through(item)


class TestByPeople:
    @pytest.mark.parametrize("object_type", ["transaction", ""], ids=["its type", "all types"])
    def test_what_is_paused_is_neither_claimed_nor_rung_for(
        self, world: World, object_type: str
    ) -> None:
        items = ready(world, 3)

        pauses.pause(world.connection, object_type, "Year-end closing", "ada")

        assert not is_rung_for(world)
        assert post_due_items(world.worker) == 0
        assert states(items) == ["READY"] * 3

    def test_other_types_and_other_customers_go_on(self, world: World) -> None:
        (item,) = ready(world)
        stranger = World()
        (theirs,) = ready(stranger)

        pauses.pause(world.connection, "bill", "Their bank changes", "ada")
        pauses.pause(stranger.connection, "reimbursement", "Their bank changes", "ada")

        assert is_rung_for(world)
        post_due_items(world.worker)
        post_due_items(stranger.worker)
        assert states([item, theirs]) == ["POSTED", "POSTED"]

    def test_says_who_and_why_until_somebody_resumes(self, world: World) -> None:
        items = ready(world, 2)
        pauses.pause(world.connection, "transaction", "Year-end closing", "ada")
        (shown,) = pauses.standing(world.connection)
        assert (shown.reason, shown.paused_by, shown.is_automatic) == (
            "Year-end closing",
            "ada",
            False,
        )

        assert pauses.resume(world.connection, "transaction", "The year is closed", "bob")

        assert pauses.standing(world.connection) == []
        kept = Pause.objects.get()
        assert (kept.resumed_by, kept.resumed_because) == ("bob", "The year is closed")
        assert is_rung_for(world)
        post_due_items(world.worker)
        assert states(items) == ["POSTED"] * 2

    def test_what_is_under_way_is_settled_all_the_same(self, world: World) -> None:
        (item,) = ready(world)
        world.erp.faults.lose_answers = 1
        post_due_items(world.worker)
        pauses.pause(world.connection, "", "Year-end closing", "ada")
        let_time_pass(300)

        assert is_rung_for(world)
        recover_lost_items(world.worker)

        assert states([item]) == ["POSTED"]

    def test_pausing_twice_keeps_one_pause_with_the_newer_reason(self, world: World) -> None:
        pauses.pause(world.connection, "bill", "One", "ada")
        pauses.pause(world.connection, "bill", "Two", "bob")

        assert Pause.objects.get().reason == "Two"

    def test_to_resume_what_is_not_paused_does_nothing(self, world: World) -> None:
        pauses.pause(world.connection, "bill", "One", "ada")

        assert not pauses.resume(world.connection, "transaction", "?", "ada")
        assert not pauses.resume(world.connection, "", "?", "ada")
        assert len(pauses.standing(world.connection)) == 1


class TestByItself:
    def test_warns_first_and_pauses_before_all_of_them_are_errors(self, world: World) -> None:
        refused(world, ready(world, WARN_AFTER - 1))
        warnings = world.connection.flows.filter(warned_at__isnull=False)
        assert not warnings
        refused(world, ready(world, 1))
        warned = warnings.get()
        assert (warned.refused_in_a_row, warned.refused_code) == (WARN_AFTER, "erp.unknown")
        assert pauses.standing(world.connection) == []

        refused(world, ready(world, PAUSE_AFTER - WARN_AFTER))

        (shown,) = pauses.standing(world.connection)
        assert shown.is_automatic
        assert shown.reason == (f"25 in a row were refused for the same reason: {ODD.title}")
        later = ready(world, 2)
        assert post_due_items(world.worker) == 0
        assert states(later) == ["READY", "READY"]

    def test_one_that_is_booked_between_begins_the_count_anew(self, world: World) -> None:
        refused(world, ready(world, PAUSE_AFTER - 1))
        ready(world)
        post_due_items(world.worker)
        refused(world, ready(world, PAUSE_AFTER - 1))

        assert pauses.standing(world.connection) == []
        assert Flow.objects.get().refused_in_a_row == PAUSE_AFTER - 1

    def test_another_reason_begins_the_count_anew(self, world: World) -> None:
        refused(world, ready(world, PAUSE_AFTER - 1))
        refused(world, ready(world, 1), Code.REJECTED_PAYLOAD)

        flow = Flow.objects.get()
        assert (flow.refused_in_a_row, flow.refused_code) == (1, "erp.rejected_payload")
        assert flow.warned_at is None

    @pytest.mark.parametrize("code", [Code.DIMENSION_REQUIRED, Code.PERIOD_CLOSED])
    def test_what_the_customer_can_mend_pauses_nothing(self, world: World, code: Code) -> None:
        refused(world, ready(world, PAUSE_AFTER + 5), code)

        assert pauses.standing(world.connection) == []
        assert not Flow.objects.exists()

    def test_data_that_make_no_document_pause_nothing(self, world: World) -> None:
        """Each of them has a fault of its own; the next may be right."""
        bodies = [transaction_body(0) for _ in range(PAUSE_AFTER)]
        items = world.ready(*bodies)

        post_due_items(world.worker)

        states(items)
        assert {item.error_category for item in items} == {"needs_integrator"}
        assert pauses.standing(world.connection) == []


class TestCanary:
    @pytest.fixture
    def waiting(self, world: World) -> list[SyncItem]:
        """The type has paused itself, and three more items have come."""
        refused(world, ready(world, PAUSE_AFTER))
        return ready(world, 3)

    def let_wait_be_over(self) -> None:
        let_time_pass(FIRST_CANARY.total_seconds() + 1)

    def test_none_is_let_through_before_its_time(
        self, world: World, waiting: list[SyncItem]
    ) -> None:
        let_time_pass(FIRST_CANARY.total_seconds() - 10)

        assert not is_rung_for(world)
        assert post_canary(world.worker) == 0

    def test_one_alone_goes_through_and_then_all_follow(
        self, world: World, waiting: list[SyncItem]
    ) -> None:
        self.let_wait_be_over()
        assert is_rung_for(world)
        with claims.only_worker(world.connection.pk) as lease:
            assert lease is not None
            assert lease.has_canary

        assert post_canary(world.worker) == 1

        assert sorted(states(waiting)) == ["POSTED", "READY", "READY"]
        assert pauses.standing(world.connection) == []
        assert Pause.objects.get().resumed_because == "One item went through."
        (line,) = ItemEvent.objects.filter(kind="note")
        assert line.text == "Posting was paused. This one went through, so all follow."
        post_due_items(world.worker)
        assert states(waiting) == ["POSTED"] * 3

    def test_one_that_is_refused_doubles_the_wait(
        self, world: World, waiting: list[SyncItem]
    ) -> None:
        world.erp.faults.refuse = {str(one.ramp_id): ODD for one in waiting}
        waits: list[timedelta] = []
        for _ in waiting:
            self.let_wait_be_over()
            let_time_pass(sum((wait.total_seconds() for wait in waits[-1:]), 0.0))
            post_canary(world.worker)
            (shown,) = pauses.standing(world.connection)
            assert shown.canary_due_at is not None
            waits.append(shown.canary_due_at - database_now())

        assert [round(wait / FIRST_CANARY) for wait in waits] == [2, 4, 8]
        assert states(waiting) == ["FAILED"] * 3

    def test_the_wait_has_a_ceiling(self, world: World, waiting: list[SyncItem]) -> None:
        Pause.objects.update(canaries=1000)
        self.let_wait_be_over()

        take_canary(world)

        (shown,) = pauses.standing(world.connection)
        assert shown.canary_due_at is not None
        assert abs(shown.canary_due_at - database_now() - RAREST_CANARY) < timedelta(seconds=1)

    def test_one_that_dies_on_the_way_has_used_the_chance(
        self, world: World, waiting: list[SyncItem]
    ) -> None:
        self.let_wait_be_over()

        assert take_canary(world) == "transaction"
        assert take_canary(world) is None

    def test_is_kept_for_when_there_is_something_to_try(self, world: World) -> None:
        refused(world, ready(world, PAUSE_AFTER))
        self.let_wait_be_over()

        assert take_canary(world) is None
        assert not is_rung_for(world)
        ready(world)
        assert take_canary(world) == "transaction"

    def test_is_kept_for_when_what_ramp_says_is_known_again(
        self, world: World, waiting: list[SyncItem]
    ) -> None:
        """What was read too long ago is not posted: it would be a chance for nothing (rule 7)."""
        self.let_wait_be_over()
        let_snapshots_age(claims.FRESH_SECONDS + 1)

        assert post_canary(world.worker) == 0
        let_snapshots_age(-claims.FRESH_SECONDS - 1)

        assert post_canary(world.worker) == 1

    def test_none_goes_through_what_a_person_has_paused(
        self, world: World, waiting: list[SyncItem]
    ) -> None:
        pauses.pause(world.connection, "transaction", "Stop", "ada")
        self.let_wait_be_over()
        assert post_canary(world.worker) == 0

    def test_none_goes_through_while_everything_is_paused(
        self, world: World, waiting: list[SyncItem]
    ) -> None:
        pauses.pause(world.connection, "", "Stop", "ada")
        self.let_wait_be_over()

        assert post_canary(world.worker) == 0
        assert not is_rung_for(world)

    def test_to_resume_by_hand_forgets_the_refusals(
        self, world: World, waiting: list[SyncItem]
    ) -> None:
        pauses.resume(world.connection, "transaction", "Mended", "ada")

        refused(world, waiting)

        assert pauses.standing(world.connection) == []
        assert Flow.objects.get().refused_in_a_row == 3
