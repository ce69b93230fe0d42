"""Step 6: our connection stands beside the active one, and is never the active one itself."""

from unittest.mock import patch
from uuid import UUID, uuid4

import pytest

from connections.models import LedgerAccount, Mirror
from connections.ramp.client import RampClient
from connections.ramp.schemas import Business
from connections.ramp_simulator.records import ConnectionType
from migrations_tool import running
from migrations_tool.models import Evidence, StepRun
from migrations_tool.steps import Act, Path, Step
from migrations_tool.wizard import Light
from tests.migrations_tool.world import World

CREATE = "POST /accounting/connection"
READ_BACK, OTHER = "connection.read_back", "connection.not_the_incumbent"


def apply(world: World) -> tuple[str, str]:
    run = world.do(Step.CONNECTION, Act.APPLY)
    return run.state, run.title


def ours(world: World) -> UUID:
    found = world.migration.new_connection_id
    assert found is not None
    return found


class TestApply:
    def test_makes_an_inactive_connection_and_keeps_its_id(self, world: World) -> None:
        state, title = apply(world)

        assert (state, title) == (
            "done",
            "“rampbridge” stands beside the active connection, inactive.",
        )
        shown = world.ramp.connection(ours(world))
        assert (shown.is_live, shown.status, shown.connection_type) == (False, "unlinked", "API")
        assert world.ramp.connection(UUID(world.old.id)).is_live, "the old one goes on working"
        assert world.migration.connection.ramp_connection_id == ours(world)
        assert world.light(READ_BACK) is Light.GREEN
        assert world.light(OTHER) is Light.GREEN

    def test_keeps_what_was_asked_and_answered_with_the_trace_id(self, world: World) -> None:
        apply(world)

        made = Evidence.objects.get(code="connection.made")
        assert made.inputs == {
            "call": "POST accounting/connection",
            "is_active": False,
            "name": "rampbridge",
        }
        assert made.result["id"] == str(ours(world))
        assert made.result["is_active"] is False
        assert made.trace_ids

    def test_again_does_nothing(self, world: World) -> None:
        apply(world)
        first = ours(world)

        state, title = apply(world)

        assert (state, title) == ("done", "Nothing was left to do: “rampbridge” is there.")
        assert ours(world) == first
        assert world.sim.calls[CREATE] == 1

    def test_finds_the_one_whose_answer_was_lost(self, world: World) -> None:
        world.sim.fault("lost_answer", CREATE)

        state, _ = apply(world)

        assert state == "done"
        assert world.sim.calls[CREATE] == 1
        assert len(world.ramp.all_connections()) == 2
        assert Evidence.objects.get(code="connection.made").text.startswith("Found from an earlier")

    def test_forgets_what_a_former_connection_had(self, world: World) -> None:
        LedgerAccount.objects.create(
            connection=world.connection, erp_id="1", name="Travel", ramp_id=world.connection.pk
        )

        apply(world)

        assert LedgerAccount.objects.get().ramp_id is None
        assert Mirror.objects.get().is_being_prepared

    def test_refuses_the_active_connection_in_place_of_a_new_one(self, world: World) -> None:
        world.sim.fault("incumbent_returned", CREATE)

        state, title = apply(world)

        assert state == "refused"
        assert title.startswith("Ramp answered with the active connection, QuickBooks Online")
        assert world.migration.new_connection_id is None
        assert world.migration.connection.ramp_connection_id is None
        assert world.light(OTHER) is Light.RED
        assert world.light(READ_BACK) is not Light.GREEN

    def test_refuses_where_the_connection_left_over_is_offered_already(self, world: World) -> None:
        left = world.ramp.create_connection(remote_provider_name="rampbridge", is_active=False)
        world.ramp.mark_ready_to_migrate(left.id)

        state, title = apply(world)

        assert state == "refused"
        assert "offers a connection “rampbridge” under Switch Providers already" in title

    def test_takes_no_former_connection_for_a_prepared_one(self, world: World) -> None:
        left = world.ramp.create_connection(remote_provider_name="rampbridge", is_active=False)
        with world.scene.change():
            row = world.scene.connections.get(str(left.id))
            assert row
            row.last_linked_at = world.clock()
            row.is_tombstone = True
            world.scene.connections.put(row)

        apply(world)

        assert ours(world) != left.id

    def test_says_when_nothing_is_active_any_more(self, world: World) -> None:
        with world.scene.change():
            for one in world.scene.connections.of(world.business.key):
                one.is_active = False
                world.scene.connections.put(one)

        state, title = apply(world)

        assert state == "refused"
        assert "Check step 0 Plan again" in title
        assert world.sim.calls[CREATE] == 0


class TestPlan:
    def test_says_what_the_customer_will_see_and_changes_nothing(self, world: World) -> None:
        run = world.do(Step.CONNECTION, Act.PLAN)

        assert run.title == (
            "“rampbridge” is made as an inactive connection. QuickBooks Online stays active and is"
            " not touched."
        )
        assert world.sim.calls[CREATE] == 0


class TestCheck:
    def test_turns_red_when_the_connection_is_active_before_its_time(self, world: World) -> None:
        apply(world)
        with world.scene.change():
            for one in world.scene.connections.of(world.business.key):
                one.is_active = one.id == str(ours(world))
                world.scene.connections.put(one)

        world.do(Step.CONNECTION, Act.CHECK)

        assert world.light(READ_BACK) is Light.RED
        assert world.light(OTHER) is Light.RED
        assert world.do(Step.CONNECTION, Act.COMPLETE).state == "refused"

    def test_before_it_is_made_says_what_to_do(self, world: World) -> None:
        run = world.do(Step.CONNECTION, Act.CHECK)

        assert (run.state, run.title) == (
            "refused",
            "Our connection is not made yet. Apply this step first.",
        )


class TestUndo:
    def test_leaves_it_unused_in_ramp_and_forgets_it_here(self, world: World) -> None:
        apply(world)
        given_up = ours(world)

        run = world.do(Step.CONNECTION, Act.UNDO)

        assert "no way to delete an inactive connection" in run.fix
        assert world.migration.new_connection_id is None
        assert world.migration.connection.ramp_connection_id is None
        assert world.ramp.connection(UUID(world.old.id)).is_live
        assert world.light(READ_BACK) is Light.RED
        assert str(given_up) in Evidence.objects.get(code="connection.given_up").text
        assert not Mirror.objects.get().is_being_prepared

    def test_is_taken_up_again_by_applying(self, world: World) -> None:
        apply(world)
        first = ours(world)
        world.do(Step.CONNECTION, Act.UNDO)

        apply(world)

        assert ours(world) == first
        assert world.sim.calls[CREATE] == 1
        assert not Mirror.objects.get().ramp_is_empty, "its lists are read before anything is sent"

    def test_not_once_it_is_marked_ready(self, world: World) -> None:
        apply(world)
        migration = world.migration
        migration.marked_ready_at = world.clock()
        migration.save(update_fields=["marked_ready_at"])

        run = world.do(Step.CONNECTION, Act.UNDO)

        assert run.state == "refused"
        assert "Take back step 11 first" in run.title
        assert world.migration.new_connection_id is not None


class TestOnAFreshConnection:
    @pytest.fixture
    def world(self, world: World) -> World:
        migration = world.migration
        migration.path = Path.FRESH
        migration.save(update_fields=["path"])
        return world

    def test_takes_the_free_seat(self, world: World) -> None:
        with world.scene.change():
            for one in world.scene.connections.of(world.business.key):
                one.is_active = False
                world.scene.connections.put(one)

        state, title = apply(world)

        assert (state, title) == ("done", "“rampbridge” is the active connection in Ramp.")
        assert world.ramp.connection(ours(world)).is_live
        assert world.light(READ_BACK) is Light.GREEN

    def test_makes_a_connection_by_csv_files_ours(self, world: World) -> None:
        with world.scene.change():
            for one in world.scene.connections.of(world.business.key):
                one.connection_type = ConnectionType.CSV
                world.scene.connections.put(one)
        migration = world.migration
        migration.old_connection_id = UUID(world.old.id)
        migration.save(update_fields=["old_connection_id"])

        state, _ = apply(world)

        assert state == "done"
        assert str(ours(world)) == world.old.id
        assert world.migration.old_connection_id is None

    def test_refuses_a_seat_that_another_provider_has(self, world: World) -> None:
        state, title = apply(world)

        assert state == "refused"
        assert "QuickBooks Online is Harbor Coffee Roasters's active accounting connection" in title


class TestAWorkerThatComesLate:
    def test_keeps_no_connection_over_what_the_next_one_has_done(self, world: World) -> None:
        asked = world.ask(Step.CONNECTION, Act.APPLY)
        business = RampClient.business

        def slow(ramp: RampClient) -> Business:
            StepRun.objects.filter(pk=asked.pk).update(lease=uuid4())
            return business(ramp)

        with patch.object(RampClient, "business", slow):
            assert running.do(asked.pk, clock=world.clock) is None

        assert world.migration.new_connection_id is None
        assert world.migration.connection.ramp_connection_id is None
