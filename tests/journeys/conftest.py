"""A whole service in one process: real database, real HTTP to a pretend Ramp, real webhooks."""

from collections.abc import Callable, Iterator
from typing import Any

import pytest
from pytest_django import Settings
from pytest_django.live_server_helper import LiveServer

from connections.erp.adapters.in_memory import InMemoryErp, forget_named
from connections.models import Connection
from connections.ramp import files, transport
from connections.ramp_simulator.app import Simulator
from connections.ramp_simulator.handles import BusinessHandle
from connections.ramp_simulator.serving import Serving
from syncing import schedule, tasks
from syncing.management.commands.seed_demo import connect_customer
from tests.browser.conftest import (  # noqa: F401  fixtures, for journeys with a browser
    address,
    arrive,
    browser_type_launch_args,
)
from tests.syncing.world import let_time_pass

SLUG = "harbor-coffee"
MOST_ROUNDS = 40


@pytest.fixture
def ramp(settings: Settings, live_server: LiveServer) -> Iterator[Simulator]:
    """A pretend Ramp on a port, whose webhooks reach this process's web server."""
    settings.WEBHOOK_BASE_URL = live_server.url
    simulator = Simulator.with_scenario("empty", rate_limit=False)
    with Serving(simulator, port=0, traffic_per_minute=0) as serving:
        settings.RAMP_API_URL = serving.address
        yield simulator
    transport.close_shared()
    files.close_shared()


@pytest.fixture
def business(ramp: Simulator) -> BusinessHandle:
    return ramp.business(SLUG)


@pytest.fixture
def erp() -> Iterator[InMemoryErp]:
    forget_named()
    yield InMemoryErp.named({"name": SLUG})
    forget_named()


@pytest.fixture
def customer(
    business: BusinessHandle, erp: InMemoryErp, monkeypatch: pytest.MonkeyPatch
) -> Connection:
    """One customer, connected the way the demo connects its own."""
    monkeypatch.setattr("syncing.management.commands.seed_demo.ERP_KIND", "ledger")
    described = {
        "key": SLUG,
        "name": "Harbor Coffee Roasters",
        "client_id": business.client_id,
        "client_secret": business.client_secret,
    }
    return connect_customer(described, {"name": SLUG})


@pytest.fixture
def work() -> Callable[[], None]:
    """Do what beat and workers would do, until nothing is due."""

    def until_nothing_is_due() -> None:
        for _ in range(MOST_ROUNDS):
            let_time_pass(schedule.RING_AGAIN_SECONDS + 1)
            due = schedule.ring()
            if not due:
                return
            for one in due:
                _answer(one)
        raise AssertionError(f"Something is still due after {MOST_ROUNDS} rounds: {due}")

    return until_nothing_is_due


def _answer(due: schedule.Due) -> None:
    about: dict[str, Any] = {"connection_id": str(due.connection_id)}
    if due.poll:
        tasks.poll_connection(**about)
    if due.recheck:
        tasks.recheck_connection(**about)
    if due.work:
        tasks.work_connection(**about)
    if due.report:
        tasks.send_acks(**about)
