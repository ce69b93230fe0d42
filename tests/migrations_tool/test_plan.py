"""The plan: which path, on which day, and who is responsible (R-87, F-27)."""

from dataclasses import replace
from datetime import date, timedelta
from uuid import uuid4

import pytest
from django.test import Client

from connections.erp.errors import Code
from connections.erp.refusals import refusal
from connections.ramp.schemas import AccountingConnection
from migrations_tool.models import ConnectionMigration
from migrations_tool.plan import days
from migrations_tool.plan.paths import take
from migrations_tool.plan.seats import seat_among
from migrations_tool.plan.services import Agreed, save_plan
from migrations_tool.proofs import newest
from migrations_tool.steps import Act, Path, Step
from migrations_tool.wizard import Light, Refused, Status, StepNotCurrent
from tests.factories import UserFactory
from tests.migrations_tool.world import World

OURS = "rampbridge"


def connection(kind: str, name: str = "Old ERP", *, is_active: bool = True) -> AccountingConnection:
    return AccountingConnection(
        id=uuid4(), remote_provider_name=name, connection_type=kind, is_active=is_active
    )


def agreed(world: World, **changes: object) -> Agreed:
    values = {
        "flip_on": (world.clock() + timedelta(days=92)).date().replace(day=1),
        "implementer": "ines",
        "supporter": "sam",
        "contact_name": "Carla Ruiz",
        "contact_email": "carla@harbor.example",
        "contact_role": "admin",
        "hypercare_days": 7,
    }
    return Agreed(**{**values, **changes})  # type: ignore[typeddict-item]


def save(world: World, **changes: object) -> None:
    version = world.migration.steps.get(step=Step.PLAN).version
    plan = agreed(world, **changes)
    save_plan(world.migration, plan, version=version, actor="ines", now=world.clock())


@pytest.mark.parametrize(
    ("kind", "path"),
    [
        ("DIRECT", Path.MIGRATION),
        ("API", Path.MIGRATION),
        ("", Path.MIGRATION),
        ("CSV", Path.FRESH),
        ("csv", Path.FRESH),
        ("SFTP", None),
    ],
)
def test_the_path_follows_from_who_has_the_seat(kind: str, path: Path | None) -> None:
    seat = seat_among([connection(kind)], ours=None, label=OURS)

    assert seat.path is path


def test_a_type_that_nobody_knows_is_shown_as_ramp_says_it() -> None:
    seat = seat_among([connection("SFTP")], ours=None, label=OURS)

    assert "“SFTP”" in seat.why
    assert seat.fix


def test_tombstones_leave_the_seat_free() -> None:
    seat = seat_among([connection("DIRECT", is_active=False)], ours=None, label=OURS)

    assert seat.path is Path.FRESH


def test_two_active_connections_lead_nowhere() -> None:
    seat = seat_among([connection("DIRECT"), connection("API")], ours=None, label=OURS)

    assert seat.path is None


def test_our_own_seat_needs_no_migration() -> None:
    ours = connection("API", OURS)

    assert seat_among([ours], ours=None, label=OURS).is_ours
    assert seat_among([ours], ours=ours.id, label="another label").is_ours


@pytest.mark.parametrize(
    ("today", "starts", "day"),
    [
        (date(2026, 11, 21), [], date(2027, 2, 1)),
        (date(2026, 12, 3), [], date(2027, 2, 1)),
        (date(2026, 11, 21), [date(2027, 1, 4), date(2027, 2, 22)], date(2027, 2, 22)),
        (date(2026, 11, 21), [date(2026, 12, 1)], date(2027, 2, 1)),
    ],
)
def test_the_day_proposed_begins_a_period_sixty_days_ahead(
    today: date, starts: list[date], day: date
) -> None:
    assert days.proposed(today, starts) == day


def test_an_erp_with_its_own_periods_has_the_last_word() -> None:
    starts = [date(2027, 1, 4), date(2027, 2, 1), date(2027, 3, 1)]

    assert days.is_boundary(date(2027, 1, 4), starts)
    assert not days.is_boundary(date(2027, 2, 2), starts)
    assert days.is_boundary(date(2027, 6, 1), starts)
    assert not days.is_boundary(date(2027, 6, 2), [])


def test_a_check_follows_what_ramp_shows(world: World) -> None:
    world.do(Step.PLAN, Act.CHECK)

    migration = world.migration
    seen = newest(migration, "plan.seat")
    assert seen is not None
    assert migration.path == Path.MIGRATION
    assert str(migration.old_connection_id) == str(world.old.id)
    assert migration.old_connection_type == "DIRECT"
    assert migration.period_starts_on is not None
    assert migration.period_starts_on.day == 1
    assert set(seen.result["types"].values()) == {"used"}
    assert seen.result["entities"]
    assert world.light("plan.seat") is Light.GREEN


def test_a_free_seat_turns_the_path_and_spares_its_steps(world: World) -> None:
    assert world.migration.path == Path.MIGRATION
    leave_the_seat_free(world)

    world.do(Step.PLAN, Act.CHECK)

    assert world.migration.path == Path.FRESH
    assert world.migration.old_connection_id is None
    assert world.status(Step.BACKUP) is Status.NOT_NEEDED
    assert world.status(Step.PRELOAD) is Status.NOT_LOOKED_AT


def test_steps_come_back_when_somebody_has_the_seat_after_all(world: World) -> None:
    world._migration = world.start(Path.FRESH)
    assert world.status(Step.BACKUP) is Status.NOT_NEEDED

    world.do(Step.PLAN, Act.CHECK)

    assert world.migration.path == Path.MIGRATION
    assert world.status(Step.BACKUP) is Status.NOT_LOOKED_AT


def test_another_path_is_refused_once_something_is_built_upon_the_first(world: World) -> None:
    world.do(Step.PLAN, Act.CHECK)
    world.take_as_done(Step.PLAN, Step.ACCESS)
    leave_the_seat_free(world)

    run = world.do(Step.PLAN, Act.CHECK)

    assert world.migration.path == Path.MIGRATION
    assert world.light("plan.seat") is Light.RED
    assert "abandon this migration" in run.fix
    assert world.status(Step.PLAN) is Status.STALE


def test_a_path_is_not_turned_under_a_connection_that_is_made_meanwhile(world: World) -> None:
    world.do(Step.PLAN, Act.CHECK)
    before = world.migration  # as a check has it in hand that began some minutes ago
    made = uuid4()
    ConnectionMigration.objects.filter(pk=before.pk).update(new_connection_id=made)

    verdict = take(before, seat_among([], ours=None, label=OURS))

    assert not verdict.is_good
    assert world.migration.path == Path.MIGRATION
    assert str(world.migration.old_connection_id) == str(world.old.id)


def test_an_erp_that_is_down_is_said_and_the_seat_is_read_all_the_same(world: World) -> None:
    world.erp.faults.refuse_with = refusal(Code.ERP_UNAVAILABLE, erp="Ledger")

    world.do(Step.PLAN, Act.CHECK)

    assert world.light("plan.erp") is Light.RED
    assert world.light("plan.seat") is Light.GREEN


def test_the_erps_own_period_is_proposed(world: World) -> None:
    start = (world.clock() + timedelta(days=75)).date()
    world.erp.periods = [start - timedelta(days=28), start, start + timedelta(days=28)]

    world.do(Step.PLAN, Act.CHECK)

    assert world.migration.period_starts_on == start


def test_a_plan_is_done_once_all_is_agreed(world: World) -> None:
    refused = world.do(Step.PLAN, Act.COMPLETE)
    save(world)

    done = world.do(Step.PLAN, Act.COMPLETE)

    assert refused.state == "refused"
    assert "No day is chosen yet" in refused.title
    assert done.state == "done"
    assert world.status(Step.PLAN) is Status.DONE


def test_a_day_within_a_period_only_warns(world: World) -> None:
    save(world, flip_on=(world.clock() + timedelta(days=92)).date().replace(day=2))

    assert world.light("plan.day") is Light.WARNING


def test_a_day_that_has_passed_closes_the_gate_again(world: World) -> None:
    save(world)
    assert world.light("plan.day") is Light.GREEN

    world.turn(days=120)

    assert world.light("plan.day") is Light.RED


@pytest.mark.parametrize(
    ("role", "light"),
    [
        ("owner", Light.GREEN),
        ("admin", Light.GREEN),
        ("", Light.WARNING),
        ("bookkeeper", Light.RED),
    ],
)
def test_the_contact_must_be_able_to_switch(world: World, role: str, light: Light) -> None:
    save(world, contact_role=role)

    assert world.light("plan.contact") is light


def test_a_stale_plan_is_not_written_over(world: World) -> None:
    version = world.migration.steps.get(step=Step.PLAN).version
    save(world, implementer="ana")

    with pytest.raises(StepNotCurrent):
        save_plan(world.migration, agreed(world), version=version, actor="ines", now=world.clock())

    assert world.migration.implementer == "ana"


def test_an_ended_migration_has_no_plan_to_change(world: World) -> None:
    ConnectionMigration.objects.filter(pk=world.migration.pk).update(state="abandoned")

    with pytest.raises(Refused, match="has ended"):
        save(world)


def leave_the_seat_free(world: World) -> None:
    with world.scene.change():
        world.scene.connections.put(replace(world.old, is_active=False))


class TestPage:
    @pytest.fixture
    def signed_in(self, client: Client) -> Client:
        client.force_login(UserFactory.create(username="ines", roles=["implementer"]))
        return client

    def test_errors_name_the_field_and_keep_what_was_typed(
        self, world: World, signed_in: Client
    ) -> None:
        pk = world.migration.pk
        entered = {
            "version": 1,
            "flip_on": "soon",
            "implementer": "ghost",
            "contact_name": "Carla Ruiz",
            "contact_email": "carla",
            "hypercare_days": 3,
        }

        answer = signed_in.post(f"/migrations/{pk}/plan/save/", entered)

        page = answer.content.decode()
        assert answer.status_code == 422
        for words in (
            "This is no day.",
            "Nobody is called ghost here.",
            "This is no e-mail address.",
            "Watch for 7 days at least",
            'value="Carla Ruiz"',
            'value="soon"',
        ):
            assert words in page
        assert world.migration.contact_name == ""

    def test_a_plan_is_kept(self, world: World, signed_in: Client) -> None:
        pk, version = world.migration.pk, world.migration.steps.get(step=Step.PLAN).version
        entered = {"version": version, "implementer": "ines", "hypercare_days": 14}

        answer = signed_in.post(f"/migrations/{pk}/plan/save/", entered)

        assert answer.status_code == 200
        assert (world.migration.implementer, world.migration.hypercare_days) == ("ines", 14)

    def test_a_stale_page_is_told_and_keeps_what_was_typed(
        self, world: World, signed_in: Client
    ) -> None:
        pk = world.migration.pk
        entered = {"version": 99, "contact_name": "Carla Ruiz", "hypercare_days": 14}

        answer = signed_in.post(f"/migrations/{pk}/plan/save/", entered)

        assert answer.status_code == 409
        assert 'value="Carla Ruiz"' in answer.content.decode()
        assert world.migration.contact_name == ""
