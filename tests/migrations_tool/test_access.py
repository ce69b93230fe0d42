"""The preflight: every probe says what it saw, and what to do if that is not enough (R-98)."""

from dataclasses import replace

import pytest
from django.test import override_settings

from connections.erp.errors import Code
from connections.erp.refusals import refusal
from connections.models import RampToken, WebhookSubscription
from migrations_tool.access.logins import is_persons
from migrations_tool.models import Evidence
from migrations_tool.steps import Act, Step
from migrations_tool.wizard import Light, Status
from tests.factories import ConnectionFactory
from tests.migrations_tool.world import World


@pytest.fixture
def planned(world: World) -> World:
    world.do(Step.PLAN, Act.CHECK)
    migration = world.migration
    migration.flip_on = migration.period_starts_on
    migration.implementer, migration.supporter = "ines", "sam"
    migration.contact_name, migration.contact_email = "Carla Ruiz", "carla@harbor.example"
    migration.contact_role = "admin"
    migration.save()
    assert world.do(Step.PLAN, Act.COMPLETE).state == "done"
    return world


def test_all_is_green_when_both_sides_let_us_in(planned: World) -> None:
    run = planned.do(Step.ACCESS, Act.COMPLETE)

    assert {one.light for one in planned.gates(Step.ACCESS).values()} == {Light.GREEN}
    assert run.state == "done", run.title
    assert planned.status(Step.ACCESS) is Status.DONE


def test_nothing_is_written_to_the_erp_to_prove_that_it_could_be(planned: World) -> None:
    planned.do(Step.ACCESS, Act.CHECK)

    assert not planned.erp.books.entries
    assert not {"post", "post_many", "upsert_vendor", "void"} & set(planned.erp.calls)
    assert "Nothing was written" in planned.gates(Step.ACCESS)["access.erp_write"].words


def test_a_right_that_is_missing_is_named_with_who_grants_it(planned: World) -> None:
    planned.erp.faults.may_not = {"enter bills"}

    planned.do(Step.ACCESS, Act.CHECK)

    gate = planned.gates(Step.ACCESS)["access.erp_write"]
    assert gate.light is Light.RED
    assert "does not let our login enter bills" in gate.words
    assert "grant it to rampbridge" in gate.fix


def test_a_persons_login_is_a_warning_and_no_more(planned: World) -> None:
    planned.erp.faults.login_of = "Maya Okafor"

    run = planned.do(Step.ACCESS, Act.COMPLETE)

    gate = planned.gates(Step.ACCESS)["access.person"]
    assert gate.light is Light.WARNING
    assert "Maya Okafor" in gate.words
    assert run.state == "done", run.title


@pytest.mark.parametrize(
    ("login", "judged"),
    [
        ("svc-ramp", False),
        ("rampbridge", False),
        ("integration@shop.example", False),
        ("maya@shop.example", True),
        ("maya.okafor", True),
        ("admin", None),
    ],
)
def test_a_login_is_judged_by_its_name_and_not_guessed(login: str, judged: bool | None) -> None:
    assert is_persons(login) is judged


def test_an_erp_that_is_down_does_not_keep_ramp_from_being_probed(planned: World) -> None:
    planned.erp.faults.refuse_with = refusal(Code.ERP_UNAVAILABLE, erp="Ledger")

    planned.do(Step.ACCESS, Act.CHECK)

    assert planned.light("access.erp") is Light.RED
    assert planned.light("access.ramp") is Light.GREEN
    assert planned.light("access.webhook") is Light.GREEN


def test_a_missing_scope_is_named_with_what_goes_without_it(planned: World) -> None:
    token = RampToken.objects.get(connection=planned.connection)
    token.scopes = token.scopes.replace("bills:read", "")
    token.save()

    planned.do(Step.ACCESS, Act.CHECK)

    gate = planned.gates(Step.ACCESS)["access.scopes"]
    assert gate.light is Light.RED
    assert "bills:read" in gate.words
    assert "Bills and their payments" in gate.fix


def test_another_holder_of_the_seat_sends_people_back_to_the_plan(planned: World) -> None:
    with planned.scene.change():
        planned.scene.connections.put(replace(planned.old, is_active=False))

    planned.do(Step.ACCESS, Act.CHECK)

    gate = planned.gates(Step.ACCESS)["access.ramp"]
    assert gate.light is Light.RED
    assert "Open the plan" in gate.fix


def test_credentials_of_another_customers_business_are_refused(planned: World) -> None:
    ConnectionFactory.create(name="Verde Clinics", ramp_business_id=planned.ramp.business().id)

    planned.do(Step.ACCESS, Act.CHECK)

    assert "Verde Clinics" in planned.gates(Step.ACCESS)["access.ramp"].words


def test_a_migration_that_is_under_way_in_ramp_stops_ours(planned: World) -> None:
    other = planned.ramp.create_connection(remote_provider_name="Other tool", is_active=False)
    planned.ramp.mark_ready_to_migrate(other.id)

    planned.do(Step.ACCESS, Act.CHECK)

    gate = planned.gates(Step.ACCESS)["access.other_migration"]
    assert gate.light is Light.RED
    assert "Other tool" in gate.words


def test_an_unanswered_challenge_is_red_until_it_comes_and_asks_only_once(planned: World) -> None:
    planned.sim.switches.challenge = "queued"  # and nobody carries it here

    planned.do(Step.ACCESS, Act.CHECK)
    planned.do(Step.ACCESS, Act.CHECK)

    assert planned.light("access.webhook") is Light.RED
    assert WebhookSubscription.objects.filter(connection=planned.connection).count() == 1


def test_probes_are_worth_nothing_after_a_month(planned: World) -> None:
    planned.do(Step.ACCESS, Act.COMPLETE)
    assert Evidence.objects.filter(step=Step.ACCESS, stale_at=None).count() <= 2

    planned.turn(days=31)

    gate = planned.gates(Step.ACCESS)["access.erp"]
    assert gate.light is Light.RED
    assert gate.words.startswith("Checked too long ago")


@override_settings(WEBHOOK_BASE_URL="http://testserver")
def test_an_address_that_ramp_does_not_take_is_named_and_leaves_nothing_behind(
    planned: World,
) -> None:
    planned.do(Step.ACCESS, Act.CHECK)

    gate = planned.gates(Step.ACCESS)["access.webhook"]
    assert "does not take http://testserver" in gate.words
    assert not planned.connection.subscriptions.exclude(status="removed").exists()
