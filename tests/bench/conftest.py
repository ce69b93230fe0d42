"""The benchmarks' service with both sides in this process: enough where counts are all we want."""

import os
from collections.abc import Iterator
from threading import Thread

import pytest

from bench.outside import Outside
from bench.pretend_erp import Books
from bench.service import Service, serving
from connections.erp import http
from connections.ramp_simulator.app import Simulator
from connections.ramp_simulator.server import Server
from connections.ramp_simulator.serving import Serving


@pytest.fixture
def erp_url() -> Iterator[str]:
    server = Server("127.0.0.1", 0, Books().wsgi)
    listener = Thread(target=server.serve_forever, name="pretend-erp", daemon=True)
    listener.start()
    yield server.address
    if client := http._clients.pop((os.getpid(), server.address), None):
        client.close()  # of this server alone: those of other tests live on
    server.shutdown()
    server.server_close()
    listener.join()


@pytest.fixture
def service(erp_url: str) -> Iterator[Service]:
    with Serving(Simulator.with_scenario("empty", rate_limit=False)) as ramp:
        outside = Outside(ramp_url=ramp.address, erp_url=erp_url)
        with serving(outside) as service:
            yield service
        outside.close()
