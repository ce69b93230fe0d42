"""The world that the wizard's other tests stand in is as they take it to be."""

from uuid import UUID

import pytest

from connections.ramp_simulator.records import ConnectionType
from migrations_tool.models import StepRun
from migrations_tool.steps import Act, Step
from tests.migrations_tool.world import World

pytestmark = pytest.mark.django_db


def test_the_seat_is_held_by_a_direct_connection(world: World) -> None:
    (seat,) = world.ramp.all_connections()

    assert seat.connection_type == ConnectionType.DIRECT
    assert seat.remote_provider_name == "QuickBooks Online"
    assert seat.is_live


def test_every_type_has_something_and_the_codings_are_of_the_old_chart(world: World) -> None:
    spent = world.ramp.transaction(UUID(world.synced[0].id))
    line = spent.line_items[0]

    assert {one.external_id for one in spent.codings(line)} == {"60", "V-1", "4100001"}
    assert world.business.reimbursements("SYNC_READY")
    assert world.business.transfers("SYNC_READY")
    assert len(world.business.bills(sync_ready=True)) == 1


def test_the_old_integration_leaves_nothing_ready(world: World) -> None:
    assert world.sync_old(most=1) == 1
    world.sync_old()

    assert world.sync_old() == 0
    assert not world.business.transactions("SYNC_READY")
    assert not world.business.bills(sync_ready=True)


def test_a_step_is_asked_for_and_done(world: World) -> None:
    assert world.do(Step.HYPERCARE, Act.CHECK).state == StepRun.State.DONE
