"""A pretend Ramp in this process, with clients that speak to it, and an ERP in memory."""

import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from typing import Any

import httpx

from connections.models import Connection
from connections.ramp.auth import ClientCredentials, MemoryTokenStore
from connections.ramp.client import RampClient
from connections.ramp_simulator.app import Simulator
from connections.ramp_simulator.handles import BusinessHandle

BASE_URL = "http://ramp.test"
SCOPES = ("accounting:read", "accounting:write", "bills:read", "business:read", "entities:read",
          "reimbursements:read", "transactions:read", "vendors:read", "vendors:write")  # fmt: skip


@contextmanager
def simulator() -> Iterator[Simulator]:
    """The seven demo businesses without spend."""
    sim = Simulator.with_scenario("empty", rate_limit=False)
    try:
        yield sim
    finally:
        sim.close()


def client_of(sim: Simulator, business: BusinessHandle) -> RampClient:
    """A client that speaks for one business, without a network."""
    http = httpx.Client(transport=httpx.WSGITransport(app=sim.wsgi), base_url=BASE_URL)
    auth = ClientCredentials(
        base_url=BASE_URL,
        client_id=business.client_id,
        client_secret=business.client_secret,
        scopes=SCOPES,
        store=MemoryTokenStore(),
        clock=lambda: datetime.now(UTC),
    )
    return RampClient(base_url=BASE_URL, auth=auth, http=http)


def new_connection(**changes: Any) -> Connection:
    """A customer that has just been entered."""
    values = {
        "slug": f"customer-{uuid.uuid4().hex[:8]}",
        "name": "Harbor Coffee Roasters",
        "ramp_provider_name": "rampbridge",
        "erp_kind": "ledger",
        "erp_name": "Ledger",
    }
    return Connection.objects.create(**values | changes)
