from collections.abc import Callable

import httpx
import pytest

from connections.ramp.client import RampClient
from connections.ramp.errors import RampRateLimited
from connections.ramp.rate_limit import LANE, WAITED, Lane, RateLimitedTransport
from tests.connections.ramp.conftest import Budget


class Sleeper:
    """A clock that moves only when someone sleeps."""

    def __init__(self) -> None:
        self.now = 0.0

    def sleep(self, seconds: float) -> None:
        self.now += seconds

    def clock(self) -> float:
        return self.now


@pytest.fixture
def sleeper() -> Sleeper:
    return Sleeper()


@pytest.fixture
def send(budget: Budget, sleeper: Sleeper) -> Callable[..., httpx.Response]:
    def build(status: int = 200, **details: object) -> httpx.Response:
        headers = details.pop("headers", {})
        transport = RateLimitedTransport(
            httpx.MockTransport(lambda request: httpx.Response(status, headers=headers)),  # type: ignore[arg-type]
            budget,
            patience=10,
            sleep=sleeper.sleep,
            clock=sleeper.clock,
        )
        request = httpx.Request("GET", "http://ramp.test/", extensions=details)
        return transport.handle_request(request)

    return build


def test_goes_at_once_when_there_is_leave(
    send: Callable[..., httpx.Response], budget: Budget, sleeper: Sleeper
) -> None:
    assert send().status_code == 200
    assert (budget.taken, sleeper.now) == ([Lane.ORDINARY], 0)


def test_waits_its_turn(
    send: Callable[..., httpx.Response], budget: Budget, sleeper: Sleeper
) -> None:
    budget.waits = [0.5, 3.0]

    answer = send()

    assert answer.status_code == 200
    assert sleeper.now == 3.5
    assert answer.extensions[WAITED] == 3.5, "so that a run can tell how long it was throttled"


def test_gives_up_rather_than_wait_beyond_its_patience(
    send: Callable[..., httpx.Response], budget: Budget, sleeper: Sleeper
) -> None:
    budget.waits = [6.0, 6.0]

    with pytest.raises(RampRateLimited) as caught:
        send()

    assert caught.value.retry_after.total_seconds() == 6
    assert sleeper.now == 6


def test_travels_in_the_lane_it_is_told(
    send: Callable[..., httpx.Response], budget: Budget
) -> None:
    send(**{LANE: Lane.BUTTON})

    assert budget.taken == [Lane.BUTTON]


@pytest.mark.parametrize(("headers", "seconds"), [({}, 10), ({"retry-after": "42"}, 42)])
def test_a_429_silences_everybody(
    send: Callable[..., httpx.Response],
    budget: Budget,
    headers: dict[str, str],
    seconds: int,
) -> None:
    send(429, headers=headers)

    assert budget.frozen_for == [seconds]


def test_no_other_answer_does(send: Callable[..., httpx.Response], budget: Budget) -> None:
    for status in (200, 400, 503):
        send(status)

    assert budget.frozen_for == []


def test_the_client_tells_how_long_ramp_wants_quiet(
    ramp_that: Callable[..., RampClient], budget: Budget
) -> None:
    ramp = ramp_that(lambda request: httpx.Response(429, headers={"retry-after": "7"}))

    with pytest.raises(RampRateLimited) as caught:
        ramp.business()

    assert caught.value.retry_after.total_seconds() == 7
    assert caught.value.status == 429
    assert budget.frozen_for == [7]
