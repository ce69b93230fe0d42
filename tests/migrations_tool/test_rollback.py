"""Both ways back end in a state that was read from Ramp."""

from collections.abc import Iterator
from typing import Any
from unittest.mock import patch

import pytest
from django.test import Client
from django.urls import reverse
from django.utils import timezone
from pytest_django import Settings

from connections import services as connection_services
from connections.models import Connection
from migrations_tool import rollback, running, services, sharing
from migrations_tool.models import ConnectionMigration, Evidence, Signature, StepRun, Watch
from migrations_tool.proofs import newest
from migrations_tool.rollback import documents
from migrations_tool.steps import Act, Step
from migrations_tool.wizard import Refused, Status
from syncing import pauses
from tests.factories import SyncItemFactory, UserFactory
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

    def test_a_switch_between_the_two_looks_stops_it_too(self, world: World) -> None:
        mark(world)
        run = rollback.ask_to_abandon(
            world.migration, because="They stay.", actor="ines", now=timezone.now()
        )
        revoke_all = sharing.revoke_all

        def switch_meanwhile(*_: object, **asked: Any) -> int:
            world.flip()
            return revoke_all(world.migration, **asked)

        with patch.object(sharing, "revoke_all", switch_meanwhile):
            run = world.finish(run)

        assert run.state == StepRun.State.REFUSED
        assert "while it was being given up" in run.title
        assert state_of(world) == State.OPEN
        assert Connection.objects.get(pk=world.connection.pk).ramp_connection_id is not None
        look(world)
        assert world.migration.flipped_at is not None

    def test_giving_up_takes_our_webhook_back(self, world: World) -> None:
        prepare(world)
        connection_services.ensure_subscribed(world.connection, world.ramp)
        assert world.ramp.webhooks()

        world.finish(
            rollback.ask_to_abandon(
                world.migration, because="They stay.", actor="ines", now=timezone.now()
            )
        )

        assert state_of(world) == State.ABANDONED
        assert not world.ramp.webhooks()
        assert not world.connection.subscriptions.exclude(status="removed").exists()

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


class TestAThirdProvider:
    """The customer went to neither side: nobody but a person can say that this is the end."""

    def elsewhere(self, world: World) -> None:
        switched(world)
        world.do(Step.FLIP, Act.UNDO)
        other = world.ramp.create_connection(remote_provider_name="Sage Intacct", is_active=False)
        change_seat(world, str(world.migration.new_connection_id), is_active=False)
        change_seat(world, str(other.id), is_active=True)

    def end(self, world: World) -> StepRun:
        run = rollback.ask_to_end_as_it_is(
            world.migration, because="They chose Sage.", actor="ines", now=timezone.now()
        )
        return world.finish(run)

    def test_a_person_ends_it_in_a_stated_state(self, world: World) -> None:
        self.elsewhere(world)
        look(world)
        assert state_of(world) == State.OPEN
        seen = newest(world.migration, "flip.seat_on_the_way_back")
        assert seen is not None
        assert "Sage Intacct is active in Ramp" in seen.text

        run = self.end(world)

        assert run.state == StepRun.State.DONE, run.title
        assert state_of(world) == State.ROLLED_BACK
        assert world.migration.ended_by == "ines"
        told = newest(world.migration, "flip.ended_elsewhere")
        assert told is not None
        assert "neither QuickBooks Online nor ours is" in told.text
        assert Connection.objects.get(pk=world.connection.pk).stage == Connection.Stage.PAUSED
        report = world.migration.reports.get(kind="closing")
        assert "They chose Sage." in report.html
        assert "Rolled back by ines" in report.facts["ended"]

    def test_as_long_as_ours_is_active_it_is_no_end(self, world: World) -> None:
        switched(world)
        world.do(Step.FLIP, Act.UNDO)

        run = self.end(world)

        assert run.state == StepRun.State.REFUSED
        assert "still active in Ramp" in run.title
        assert state_of(world) == State.OPEN

    def test_posting_is_stopped_before(self, world: World) -> None:
        switched(world)

        with pytest.raises(Refused, match="Take back step 11 first"):
            self.end(world)

    def test_the_page_offers_it(self, world: World, client: Client) -> None:
        self.elsewhere(world)
        look(world)
        client.force_login(UserFactory.create(roles=["implementer"]))
        page = reverse("migration_end", args=[world.migration.pk])

        shown = client.get(page).content.decode()
        assert "End the migration as it is" in shown
        assert "Sage Intacct is active in Ramp" in shown
        said = {"how": "end", "because": "They chose Sage.", "name": world.connection.name}
        client.post(page, said)

        run = StepRun.objects.get(state="waiting")
        assert world.finish(run).state == StepRun.State.DONE
        assert "They chose Sage." in client.get(page).content.decode()
        step = client.get(reverse("migration_step", args=[world.migration.pk, "flip"]))
        report = reverse("migration_hypercare_report", args=[world.migration.pk])
        assert report in step.content.decode()
        assert client.get(report).status_code == 200
