"""Step 5."""

import pytest

from migrations_tool import running
from migrations_tool.models import BillInFlight, DrainReading
from migrations_tool.steps import Act, Step
from migrations_tool.wizard import Light
from tests.migrations_tool.world import World


@pytest.fixture(autouse=True)
def planned(world: World) -> None:
    migration = world.migration
    migration.old_connection_id = world.old.id
    migration.old_provider_name = "QuickBooks Online"
    migration.save()
    world.take_as_done(Step.PLAN)


def test_countdown(world: World) -> None:
    run = world.do(Step.DRAIN, Act.CHECK)
    print(run.title, run.state, run.fix)
    print(DrainReading.objects.get().ready)
    print(world.gates(Step.DRAIN))
    world.sync_old()
    world.do(Step.DRAIN, Act.CHECK)
    print(DrainReading.objects.order_by("pk").last().ready)
    print(world.gates(Step.DRAIN))
    world.turn(minutes=16)
    world.do(Step.DRAIN, Act.CHECK)
    print(world.gates(Step.DRAIN))
