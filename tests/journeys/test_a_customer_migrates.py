"""A customer is moved off another integration, from the plan to the closing report."""

from collections import Counter
from collections.abc import Iterator

import pytest
from pytest_django import Settings
from pytest_django.live_server_helper import LiveServer

from migrations_tool.models import Backup, Evidence, FormerCoding, RehearsedObject, StepRun
from migrations_tool.steps import Act, Step
from migrations_tool.wizard import Status
from tests.journeys.migrating import People, killed_again_and_again, served, uploads
from tests.migrations_tool.world import World

pytestmark = pytest.mark.django_db(transaction=True)
KEPT = {
    "accounts": 10,
    "bill": 5,
    "cashback": 1,
    "entities": 1,
    "fields": 1,
    "links": 2,
    "options": 3,
    "reimbursement": 2,
    "tax_codes": 1,
    "tax_rates": 1,
    "transaction": 8,
    "transfer": 2,
    "vendor_credit": 1,
    "vendors": 4,
}
"""Of the old chart, and all objects in Ramp: each once."""


@pytest.fixture
def world(settings: Settings, live_server: LiveServer) -> Iterator[World]:
    with served(settings, live_server.url) as ready:
        yield ready


def complete(world: World, *steps: Step) -> None:
    for step in steps:
        done = world.do(step, Act.COMPLETE)
        assert world.status(step) is Status.DONE, f"{step}: {done.title}"


def apply(world: World, step: Step) -> None:
    done = world.do(step, Act.APPLY)
    assert done.state == StepRun.State.DONE, f"{step}: {done.title}"


def test_customer_migrates_although_workers_are_killed(world: World) -> None:
    """In backup, preload and rehearsal: nothing is there twice, and no evidence is missing."""
    people = People(world)
    people.plan()
    complete(world, Step.PLAN, Step.ACCESS)
    apply(world, Step.INVENTORY)
    complete(world, Step.INVENTORY)
    people.confirm_rules()
    people.drain()
    complete(world, Step.RULES, Step.DRAIN)

    killed_again_and_again(world, Step.BACKUP, "in_step_run:2", "in_step_run:9", "in_step_run:12")
    [backup] = Backup.objects.filter(state=Backup.State.SEALED)
    assert backup.counts == KEPT
    codings = Counter(FormerCoding.objects.filter(backup=backup).values_list("ramp_id", flat=True))
    assert max(codings.values()) == 1

    complete(world, Step.BACKUP)
    apply(world, Step.CONNECTION)
    apply(world, Step.MAPPING)
    people.map_chart()
    complete(world, Step.CONNECTION, Step.MAPPING)
    killed_again_and_again(
        world,
        Step.PRELOAD,
        "in_step_run:2",
        "before_upload:1",
        "after_upload:2",
        "after_upload_kept:1",
    )
    assert uploads(world) == {
        "POST /accounting/connection": 1,
        "POST /accounting/accounts": 1,
        "POST /accounting/fields": 1,
        "POST /accounting/field-options": 1,
        "POST /accounting/vendors": 1,
    }
    assert not [one for one in world.sim.log if one.status >= 400]

    people.name_accounts()
    apply(world, Step.SETTINGS)
    complete(world, Step.PRELOAD, Step.SETTINGS)
    killed_again_and_again(world, Step.REHEARSAL, "in_step_run:2", "in_step_run:9")
    rehearsed = RehearsedObject.objects.values_list("object_type", "ramp_id")
    assert len(rehearsed) == len(set(rehearsed)) == 18
    people.explain_and_sign()
    complete(world, Step.REHEARSAL)
    assert_no_gap(world)


def assert_no_gap(world: World) -> None:
    """Each step that is done says so, and each of its conditions rests on evidence."""
    for step in Step:
        if world.status(step) is not Status.DONE:
            continue
        completed = Evidence.objects.filter(step=step, code="wizard.completed")
        assert completed.count() == 1, step
        assert all(gate.is_open for gate in world.gates(step).values()), step
