"""Both ways back end in a state that was read from Ramp."""

from collections.abc import Iterator

import pytest
from django.utils import timezone
from pytest_django import Settings

from connections.models import Connection
from migrations_tool import rollback, running, services, sharing
from migrations_tool.models import ConnectionMigration, Evidence, Signature, StepRun, Watch
from migrations_tool.proofs import newest
from migrations_tool.rollback import documents
from migrations_tool.steps import Act, Step
from migrations_tool.wizard import Refused, Status
from syncing import pauses
from tests.factories import SyncItemFactory
from tests.migrations_tool.switched import (
    change_seat,
    mark,
    only_these,
    prepare,
    reachable_from_ramp,
)
from tests.migrations_tool.world import World

pytestmark = pytest.mark.django_db
State = ConnectionMigration.State


@pytest.fixture(autouse=True)
def _alone(settings: Settings) -> Iterator[None]:
    with only_these(Step.FLIP, Step.CUTOVER), reachable_from_ramp(settings):
        yield


def look(world: World) -> None:
    running.watches_due()
    watch = Watch.objects.get(migration=world.migration, step=Step.FLIP)
    running.watch(watch.pk, clock=world.clock)


def state_of(world: World) -> str:
    return world.migration.state


def switched(world: World) -> None:
    mark(world)
    world.flip()
    look(world)


class TestBeforeTheSwitch:
    def test_giving_up_leaves_the_old_connection_as_it_was(self, world: World) -> None:
        prepare(world)
        token = sharing.make(world.migration, "follow", actor="ines", now=timezone.now())
        Signature.objects.create(
            migration=world.migration,
            role="customer",
            name="Maria",
            at=timezone.now(),
            report_hash="a" * 64,
            mapping_version="b" * 64,
        )

        run = rollback.ask_to_abandon(
            world.migration, because="They stay.", actor="ines", now=timezone.now()
        )
        run = world.finish(run)

        assert run.state == StepRun.State.DONE
        assert state_of(world) == State.ABANDONED
        (live,) = [one for one in world.ramp.all_connections() if one.is_live]
        assert str(live.id) == world.old.id
        connection = Connection.objects.get(pk=world.connection.pk)
        assert connection.ramp_connection_id is None
        assert connection.stage == Connection.Stage.SETTING_UP
        assert not world.migration.signatures.filter(withdrawn_at=None).exists()
        with pytest.raises(sharing.LinkGone):
            sharing.open_link(token, now=timezone.now())
        told = newest(world.migration, "flip.abandoned")
        assert told is not None
        assert "is active in Ramp as before" in told.text
        assert not running.watches_due()

    def test_giving_up_after_marking_says_that_it_stays_offered(self, world: World) -> None:
        mark(world)

        run = world.finish(
            rollback.ask_to_abandon(
                world.migration, because="They stay.", actor="ines", now=timezone.now()
            )
        )

        assert "still offered under Switch Providers" in run.title
        assert "not to choose" in run.fix
        assert state_of(world) == State.ABANDONED

    def test_a_reason_is_needed(self, world: World) -> None:
        with pytest.raises(Refused, match="Say why"):
            rollback.ask_to_abandon(world.migration, because=" ", actor="ines", now=timezone.now())

    def test_a_switch_that_nobody_has_seen_yet_stops_it(self, world: World) -> None:
        mark(world)
        world.flip()

        run = world.finish(
            rollback.ask_to_abandon(
                world.migration, because="They stay.", actor="ines", now=timezone.now()
            )
        )

        assert run.state == StepRun.State.REFUSED
        assert "has switched already" in run.title
        assert state_of(world) == State.OPEN

    def test_withholding_ends_the_links_and_keeps_the_migration(self, world: World) -> None:
        mark(world)
        token = sharing.make(world.migration, "follow", actor="ines", now=timezone.now())

        run = world.do(Step.FLIP, Act.UNDO)

        assert "no call that unmarks" in run.fix
        assert state_of(world) == State.OPEN
        with pytest.raises(sharing.LinkGone):
            sharing.open_link(token, now=timezone.now())


class TestAfterTheSwitch:
    def test_we_stop_and_list_what_was_posted(self, world: World) -> None:
        switched(world)
        SyncItemFactory.create(
            connection=world.connection,
            state="ACKED",
            label="Figma",
            erp_id="17",
            erp_number="JV-17",
            posted_at=timezone.now(),
        )

        run = world.do(Step.FLIP, Act.UNDO)

        assert run.state == StepRun.State.DONE
        assert "nothing is posted any more" in run.title
        connection = Connection.objects.get(pk=world.connection.pk)
        assert connection.stage == Connection.Stage.PAUSED
        assert pauses.standing(connection)[0].object_type == ""
        (line,) = documents.lines(world.migration)
        assert {"Figma", "JV-17"} <= set(line)
        assert state_of(world) == State.OPEN
        assert world.status(Step.FLIP) is Status.WAITING_FOR_CUSTOMER

    def test_it_is_over_once_ramp_shows_the_old_connection_active(self, world: World) -> None:
        switched(world)
        world.do(Step.FLIP, Act.UNDO)
        look(world)
        assert state_of(world) == State.OPEN

        world.flip_back()
        look(world)

        assert state_of(world) == State.ROLLED_BACK
        told = newest(world.migration, "flip.back")
        assert told is not None
        assert "is active again and ours is not" in told.text

    @pytest.mark.parametrize(
        ("name", "ends"), [("QuickBooks Online", True), ("Sage Intacct", False)]
    )
    def test_the_old_provider_may_come_back_under_a_new_connection(
        self, world: World, name: str, ends: bool
    ) -> None:
        switched(world)
        ConnectionMigration.objects.filter(pk=world.migration.pk).update(
            old_provider_name="QuickBooks Online"
        )
        world.do(Step.FLIP, Act.UNDO)
        anew = world.ramp.create_connection(remote_provider_name=name, is_active=False)
        change_seat(world, str(world.migration.new_connection_id), is_active=False)
        change_seat(world, str(anew.id), is_active=True)
        look(world)

        assert (state_of(world) == State.ROLLED_BACK) is ends

    def test_again_stops_nothing_twice(self, world: World) -> None:
        switched(world)
        world.do(Step.FLIP, Act.UNDO)
        world.do(Step.FLIP, Act.UNDO)

        assert Evidence.objects.filter(code="flip.stopped").count() == 1

    def test_giving_up_is_refused_with_the_way_that_is_open(self, world: World) -> None:
        switched(world)

        with pytest.raises(Refused, match="Take back step 11"):
            rollback.ask_to_abandon(world.migration, because="No.", actor="i", now=timezone.now())

    def test_nothing_is_ended_while_a_step_is_run(self, world: World) -> None:
        mark(world)
        world.ask(Step.FLIP, Act.CHECK)

        with pytest.raises(Refused, match="being run"):
            services.end(
                world.migration, State.ABANDONED, because="x", actor="i", now=timezone.now()
            )
