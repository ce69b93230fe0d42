"""Marking ready, and the customer's switch: seen within a minute, and nothing posted by it."""

from collections.abc import Iterator
from datetime import timedelta
from uuid import UUID

import pytest
from pytest_django import Settings

from connections.models import Connection
from connections.ramp.client import RampClient
from connections.ramp.errors import OutcomeUnknown
from migrations_tool import running
from migrations_tool.flip.handler import FlipHandler
from migrations_tool.flip.panel import reminder
from migrations_tool.flip.switching import HELD_BACK, LEFT
from migrations_tool.handlers import handler_of
from migrations_tool.hypercare.handler import HypercareHandler
from migrations_tool.models import Evidence, StepRun, Watch
from migrations_tool.proofs import newest
from migrations_tool.steps import Act, Step
from migrations_tool.wizard import Light, Status
from syncing import pauses
from syncing.models import Pause, Schedule, SyncItem
from tests.migrations_tool.switched import (
    change_seat,
    mark,
    only_these,
    prepare,
    reachable_from_ramp,
    take_earlier_as_done,
)
from tests.migrations_tool.test_backup import rename_account
from tests.migrations_tool.world import World

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def _alone(settings: Settings) -> Iterator[None]:
    with only_these(Step.FLIP), reachable_from_ramp(settings):
        yield


def look(world: World) -> None:
    """The watch comes by."""
    running.watches_due()
    watch = Watch.objects.get(migration=world.migration, step=Step.FLIP)
    running.watch(watch.pk, clock=world.clock)
    watch.refresh_from_db()
    assert watch.trouble == ""


def is_switched(world: World) -> bool:
    return world.migration.flipped_at is not None


class TestMarking:
    def test_is_read_back_and_kept(self, world: World) -> None:
        prepare(world)

        run = world.do(Step.FLIP, Act.APPLY)

        assert run.state == StepRun.State.DONE
        assert world.migration.marked_ready_at is not None
        assert world.light("flip.marked") is Light.GREEN
        assert world.status(Step.FLIP) is Status.WAITING_FOR_CUSTOMER
        ours = world.migration.new_connection_id
        marked = [one.id for one in world.ramp.all_connections() if one.is_ready_to_migrate]
        assert marked == [ours]

    def test_again_marks_nothing_and_refuses_nothing(self, world: World) -> None:
        mark(world)

        assert world.do(Step.FLIP, Act.APPLY).state == StepRun.State.DONE

    def test_a_lost_answer_is_settled_by_reading_back(
        self, world: World, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        taken = RampClient.mark_ready_to_migrate

        def lost(self: RampClient, connection_id: UUID) -> None:
            taken(self, connection_id)
            raise OutcomeUnknown("The answer was lost.")

        prepare(world)
        monkeypatch.setattr(RampClient, "mark_ready_to_migrate", lost)

        assert world.do(Step.FLIP, Act.APPLY).state == StepRun.State.DONE
        assert world.light("flip.marked") is Light.GREEN

    def test_is_refused_while_an_earlier_step_is_open(self, world: World) -> None:
        prepare(world)
        world.migration.steps.filter(step=Step.REHEARSAL).update(status=Status.IN_PROGRESS)

        run = world.do(Step.FLIP, Act.APPLY)

        assert run.state == StepRun.State.REFUSED
        assert "10 Rehearsal and sign-off: It is not completed. Complete it first." in run.title
        assert world.migration.marked_ready_at is None

    def test_is_refused_when_nothing_is_left_to_leave(self, world: World) -> None:
        prepare(world)
        change_seat(world, world.old.id, is_active=False)

        run = world.do(Step.FLIP, Act.APPLY)

        assert run.state == StepRun.State.REFUSED
        assert "nothing to switch from" in run.title
        seen = newest(world.migration, "flip.preconditions")
        assert seen is not None
        assert not seen.is_good

    def test_is_refused_when_ramp_gave_the_incumbent(self, world: World) -> None:
        prepare(world)
        migration = world.migration
        migration.old_connection_id = None
        migration.new_connection_id = world.old.id
        migration.save(update_fields=["old_connection_id", "new_connection_id"])

        run = world.do(Step.FLIP, Act.APPLY)

        assert run.state == StepRun.State.REFUSED
        assert "not API" in run.title


class TestTheSwitch:
    def test_is_seen_within_a_minute(self) -> None:
        handler = handler_of(Step.FLIP)
        assert isinstance(handler, FlipHandler)
        assert handler.watch_every is not None
        assert handler.watch_every <= timedelta(seconds=30)

    def test_begins_everything_and_posts_nothing(self, world: World) -> None:
        mark(world)
        look(world)
        assert not is_switched(world)

        world.flip()
        world.turn(seconds=40)
        look(world)

        assert is_switched(world)
        assert world.light("flip.switched") is Light.GREEN
        connection = Connection.objects.get(pk=world.connection.pk)
        assert connection.stage == Connection.Stage.LIVE
        paused = Pause.objects.filter(connection=connection, resumed_at=None)
        assert set(paused.values_list("object_type", flat=True)) == set(SyncItem.ObjectType.values)
        assert {one.reason for one in paused} == {HELD_BACK}
        assert Schedule.objects.filter(connection=connection).exists()
        assert connection.subscriptions.filter(status="active").exists()

    def test_is_written_down_once_with_before_and_after(self, world: World) -> None:
        mark(world)
        look(world)
        look(world)
        world.flip()
        look(world)
        look(world)

        waiting, switched = Evidence.objects.filter(code="flip.switched").order_by("at", "pk")
        assert waiting.result["seat"] == "old"
        assert switched.is_good
        assert switched.result["seat"] == "ours"
        assert switched.inputs["before"]["seat"] == "old"

    def test_to_another_name_is_red_and_says_what_to_do(self, world: World) -> None:
        mark(world)
        rival = world.ramp.create_connection(remote_provider_name="Rival Books", is_active=False)
        change_seat(world, str(rival.id), is_ready_to_migrate=True)

        world.flip("Rival Books")
        look(world)

        gate = world.gates(Step.FLIP)["flip.switched"]
        assert gate.light is Light.RED
        assert "Rival Books is active now" in gate.words
        assert "choose" in gate.words
        assert not is_switched(world)
        assert world.connection.items.count() == 0

    def test_back_to_the_old_one_is_red_and_says_what_to_do(self, world: World) -> None:
        mark(world)
        world.flip()
        look(world)

        world.flip_back()
        look(world)

        gate = world.gates(Step.FLIP)["flip.switched"]
        assert gate.light is Light.RED
        assert "is active again after the switch" in gate.words
        assert "take this step back" in gate.words

    def test_away_from_us_again_stops_what_was_let_through(self, world: World) -> None:
        mark(world)
        world.flip()
        look(world)
        pauses.resume(world.connection, "transaction", "Released.", "ines")
        waiting = Pause.objects.filter(object_type="bill", resumed_at=None)
        waiting.update(canary_due_at=world.clock())

        world.flip_back()
        look(world)

        assert pauses.is_paused(world.connection, "transaction")
        assert waiting.get().canary_due_at is None

    def test_away_from_us_after_the_cutover_check_stops_everything(self, world: World) -> None:
        mark(world)
        world.flip()
        look(world)
        for object_type in SyncItem.ObjectType.values:
            pauses.resume(world.connection, object_type, "Released.", "ines")
        world.take_as_done(Step.CUTOVER)

        world.flip_back()
        HypercareHandler().watch(world.work(Step.HYPERCARE))

        (standing,) = pauses.standing(world.connection)
        assert (standing.object_type, standing.reason) == ("", LEFT)
        assert world.gates(Step.FLIP)["flip.switched"].light is Light.RED

    def test_keeps_the_reason_of_a_pause_that_a_person_has_made(self, world: World) -> None:
        mark(world)
        pauses.pause(world.connection, "bill", "Month end.", "omar")
        world.flip()
        look(world)

        reasons = {one.object_type: one.reason for one in pauses.standing(world.connection)}
        assert reasons["bill"] == "Month end."
        assert reasons["transaction"] == HELD_BACK

    def test_is_reminded_of(self, world: World) -> None:
        mark(world)

        assert "has not switched yet" in reminder(world.migration, world.clock())
        world.turn(days=3)
        assert "Marked ready 3 days ago" in reminder(world.migration, world.clock())
        assert "Remind" in reminder(world.migration, world.clock())


class TestWhatBlocks:
    """With the conditions of the steps before as they are; each says what to do."""

    def refused(self, world: World, *steps: Step) -> str:
        """What is said when all count as done, and these steps' own conditions are asked for."""
        take_earlier_as_done(world, Step.FLIP)
        with only_these(Step.FLIP, *steps):
            run = world.do(Step.FLIP, Act.APPLY)
        assert run.state == StepRun.State.REFUSED
        assert world.migration.marked_ready_at is None
        return run.title

    def test_an_object_that_is_still_ready_on_the_old_connection(self, world: World) -> None:
        prepare(world)

        said = self.refused(world, Step.DRAIN)

        assert "5 Drain the old connection" in said
        assert "ready" in said

    def test_a_stale_backup(self, world: World) -> None:
        prepare(world)
        with only_these(Step.BACKUP):
            assert world.do(Step.BACKUP, Act.APPLY).state == StepRun.State.DONE
        world.turn(days=60)

        said = self.refused(world, Step.BACKUP)

        assert "4 Backup" in said
        assert "another version" in said

    def test_a_chart_that_has_changed_since_the_backup(self, world: World) -> None:
        prepare(world)
        with only_these(Step.BACKUP):
            assert world.do(Step.BACKUP, Act.APPLY).state == StepRun.State.DONE
            assert world.do(Step.BACKUP, Act.CHECK).state == StepRun.State.DONE
        rename_account(world)

        said = self.refused(world, Step.BACKUP)

        assert "4 Backup, it is not older than the chart" in said

    def test_a_parity_that_failed(self, world: World) -> None:
        prepare(world)
        words = "GL accounts: 41 in the ERP, 40 in Ramp."
        world.work(Step.PRELOAD).evidence("preload.parity", words, is_good=False)

        said = self.refused(world, Step.PRELOAD)

        assert "8 Preload" in said
        assert words in said

    def test_a_missing_signature(self, world: World) -> None:
        prepare(world)

        said = self.refused(world, Step.REHEARSAL)

        assert "10 Rehearsal and sign-off, the customer has signed" in said
        assert "Send the contact the link for signing." in said

    def test_rules_that_the_customer_has_not_confirmed(self, world: World) -> None:
        prepare(world)

        assert "3 Rules and automations" in self.refused(world, Step.RULES)

    def test_another_migration_in_progress(self, world: World) -> None:
        prepare(world)
        rival = world.ramp.create_connection(remote_provider_name="Rival Books", is_active=False)
        change_seat(world, str(rival.id), is_ready_to_migrate=True)

        said = self.refused(world)

        assert "Rival Books is marked ready too" in said
        assert "Ask the customer which one they mean" in said

    def test_a_mark_that_somebody_else_has_set(self, world: World) -> None:
        prepare(world)
        change_seat(world, str(world.migration.new_connection_id), is_ready_to_migrate=True)

        assert "Somebody else has marked it ready" in self.refused(world)
