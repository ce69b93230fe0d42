"""A customer with a seat of its own in the pretend Ramp, and an ERP in memory."""

from collections.abc import Iterator

import pytest

from connections import services
from connections.erp.adapters.in_memory import InMemoryErp
from connections.models import Connection
from connections.ramp.client import RampClient
from connections.ramp_simulator.app import Simulator
from tests.connections.world import client_of, new_connection, simulator


@pytest.fixture
def sim() -> Iterator[Simulator]:
    with simulator() as running:
        yield running


@pytest.fixture
def ramp(sim: Simulator) -> RampClient:
    return client_of(sim, sim.business("harbor-coffee"))


@pytest.fixture
def connection(ramp: RampClient) -> Connection:
    connection = new_connection()
    services.take_seat(connection, ramp)
    return connection


@pytest.fixture
def erp() -> InMemoryErp:
    return InMemoryErp()
