import pytest

from connections.ramp_simulator.app import Simulator
from connections.ramp_simulator.handles import BusinessHandle
from tests.connections.ramp_simulator.side import ACCOUNTS, DEPARTMENTS, Client, ManualClock


@pytest.fixture
def clock() -> ManualClock:
    return ManualClock()


@pytest.fixture
def naps() -> list[float]:
    """How long the simulator slept."""
    return []


@pytest.fixture
def sim(clock: ManualClock, naps: list[float]) -> Simulator:
    return Simulator.with_scenario(
        "small", seed=1, clock=clock, rate_limit=False, sleep=naps.append
    )


@pytest.fixture
def harbor(sim: Simulator) -> BusinessHandle:
    """A business with a client connected and its chart uploaded."""
    business = sim.business("harbor-coffee")
    business.upload_chart(accounts=ACCOUNTS, departments=DEPARTMENTS)
    return business


@pytest.fixture
def client(sim: Simulator, harbor: BusinessHandle) -> Client:
    return Client(sim, harbor)
