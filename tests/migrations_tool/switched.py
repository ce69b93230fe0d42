"""Steps on the way to the switch, done without their own work: for tests of what comes after."""

from collections.abc import Iterator
from contextlib import contextmanager
from unittest.mock import patch

from django.core.signals import request_finished, request_started
from django.db import close_old_connections
from pytest_django import Settings

from connections.models import Connection
from migrations_tool import handlers
from migrations_tool.models import ConnectionMigration
from migrations_tool.step_handler import Handler
from migrations_tool.steps import STEPS, Act, Step
from tests.migrations_tool.world import World

_REAL = dict(handlers.HANDLERS)


def prepare(world: World) -> None:
    """Our inactive connection is there, and every step before the marking counts as done."""
    label = world.connection.ramp_provider_name
    made = world.ramp.create_connection(remote_provider_name=label, is_active=False)
    ConnectionMigration.objects.filter(pk=world.migration.pk).update(
        new_connection_id=made.id,
        old_connection_id=world.old.id,
        old_provider_name=world.old.name,
    )
    Connection.objects.filter(pk=world.connection.pk).update(ramp_connection_id=made.id)
    take_earlier_as_done(world, Step.FLIP)


def change_seat(world: World, connection_id: str, **changes: bool) -> None:
    """Something happens to a connection in Ramp that we have no call for."""
    with world.scene.change():
        row = world.scene.connections.get(connection_id, world.old.business)
        assert row is not None
        for name, value in changes.items():
            setattr(row, name, value)
        world.scene.connections.put(row)


def take_earlier_as_done(world: World, before: Step) -> None:
    steps = [one.step for one in STEPS]
    world.take_as_done(*steps[: steps.index(before)])


def mark(world: World) -> None:
    """Everything is ready, and our connection is offered."""
    prepare(world)
    run = world.do(Step.FLIP, Act.APPLY)
    assert run.state == "done", run.title


@contextmanager
def only_these(*steps: Step) -> Iterator[None]:
    """The other steps have no conditions of their own."""
    bare = {one: _REAL[one] if one in steps else Handler() for one in Step}
    with patch.object(handlers, "HANDLERS", bare):
        yield


@contextmanager
def reachable_from_ramp(settings: Settings) -> Iterator[None]:
    """Ramp's challenge reaches this process, which is in the midst of a transaction of the test."""
    settings.WEBHOOK_BASE_URL = "https://bridge.example"
    for signal in (request_started, request_finished):
        signal.disconnect(close_old_connections)
    try:
        yield
    finally:
        for signal in (request_started, request_finished):
            signal.connect(close_old_connections)
