"""A Ramp client on the pretend Ramp, in process, with a clock of its own."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta

import httpx
import pytest

from connections.ramp.auth import ClientCredentials, MemoryTokenStore
from connections.ramp.client import RampClient
from connections.ramp.rate_limit import Lane
from connections.ramp.transport import http_client
from connections.ramp_simulator.app import Simulator
from connections.ramp_simulator.handles import BusinessHandle

BASE_URL = "http://ramp.test"
SCOPES = (
    "accounting:read",
    "accounting:write",
    "business:read",
    "entities:read",
    "transactions:read",
    "vendors:read",
    "vendors:write",
)
Handler = Callable[[httpx.Request], httpx.Response]


class Clock:
    def __init__(self) -> None:
        self.now = datetime(2026, 10, 1, 12, tzinfo=UTC)

    def __call__(self) -> datetime:
        return self.now

    def advance(self, **time: float) -> None:
        self.now += timedelta(**time)


@dataclass
class Budget:
    """A token source that gives what it is told to, and remembers what was asked."""

    waits: list[float] = field(default_factory=list)
    taken: list[Lane] = field(default_factory=list)
    frozen_for: list[float] = field(default_factory=list)

    def take(self, lane: Lane) -> float:
        self.taken.append(lane)
        return self.waits.pop(0) if self.waits else 0.0

    def freeze(self, seconds: float) -> None:
        self.frozen_for.append(seconds)


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def budget() -> Budget:
    return Budget()


@pytest.fixture
def sim(clock: Clock) -> Iterator[Simulator]:
    simulator = Simulator.with_scenario(
        "empty", rate_limit=False, clock=clock, sleep=lambda seconds: None
    )
    yield simulator
    simulator.close()


@pytest.fixture
def business(sim: Simulator) -> BusinessHandle:
    return sim.business("harbor-coffee")


@pytest.fixture
def store() -> MemoryTokenStore:
    return MemoryTokenStore()


@pytest.fixture
def credentials(
    business: BusinessHandle, store: MemoryTokenStore, clock: Clock
) -> ClientCredentials:
    return ClientCredentials(
        base_url=BASE_URL,
        client_id=business.client_id,
        client_secret=business.client_secret,
        scopes=SCOPES,
        store=store,
        clock=clock,
    )


@pytest.fixture
def ramp(sim: Simulator, credentials: ClientCredentials, budget: Budget) -> Iterator[RampClient]:
    """The client of Harbor Coffee Roasters."""
    transport = httpx.WSGITransport(app=sim.wsgi)
    with http_client(BASE_URL, budget, transport=transport) as http:
        yield RampClient(base_url=BASE_URL, auth=credentials, http=http)


@pytest.fixture
def ramp_that(budget: Budget) -> Iterator[Callable[[Handler], RampClient]]:
    """A client whose every request is answered by a function, without a token being asked for."""
    opened: list[httpx.Client] = []

    def build(answer: Handler) -> RampClient:
        http = http_client(BASE_URL, budget, transport=httpx.MockTransport(answer))
        opened.append(http)
        return RampClient(base_url=BASE_URL, auth=httpx.Auth(), http=http)

    yield build
    for http in opened:
        http.close()
