import http.client
import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import urlsplit

import httpx
import pytest

from connections.ramp_simulator.app import Simulator
from connections.ramp_simulator.server import Server
from connections.ramp_simulator.serving import Serving
from tests.connections.ramp_simulator.side import API

ROOT = Path(__file__).resolve().parents[3]
PATIENCE = 60
"""Seconds: a busy machine takes its time."""
FORM = {"grant_type": "client_credentials", "scope": "business:read accounting:write"}


@pytest.fixture
def sim() -> Simulator:
    return Simulator.with_scenario("small", rate_limit=False)


@pytest.fixture
def serving(sim: Simulator) -> Iterator[Serving]:
    with Serving(sim) as serving:
        yield serving


@pytest.fixture
def client(serving: Serving, sim: Simulator) -> Iterator[httpx.Client]:
    harbor = sim.business("harbor-coffee")
    with httpx.Client(
        base_url=f"{serving.address}{API}", trust_env=False, timeout=PATIENCE
    ) as client:
        answer = client.post("/token", auth=(harbor.client_id, harbor.client_secret), data=FORM)
        client.headers["Authorization"] = f"Bearer {answer.json()['access_token']}"
        yield client


class TestOnAPort:
    def test_many_calls_share_one_connection(self, serving: Serving) -> None:
        address = urlsplit(serving.address)
        assert address.hostname is not None
        line = http.client.HTTPConnection(address.hostname, address.port)
        sockets = set()
        for _ in range(3):
            line.request("GET", "/_simulator/businesses")
            assert line.getresponse().read()
            sockets.add(line.sock)
        line.close()

        assert len(sockets) == 1

    def test_the_next_page_is_on_the_port_that_was_asked(
        self, serving: Serving, sim: Simulator, client: httpx.Client
    ) -> None:
        harbor = sim.business("harbor-coffee")
        form = FORM | {"scope": "transactions:read"}
        token = client.post("/token", auth=(harbor.client_id, harbor.client_secret), data=form)
        client.headers["Authorization"] = f"Bearer {token.json()['access_token']}"

        following = client.get("/transactions", params={"page_size": 2}).json()["page"]["next"]

        assert following.startswith(f"{serving.address}{API}/transactions?")
        assert client.get(following).status_code == 200

    def test_a_cut_line_reaches_the_client_as_one(
        self, sim: Simulator, client: httpx.Client
    ) -> None:
        sim.fault("hang_up", "GET /business")

        with pytest.raises(httpx.RemoteProtocolError):
            client.get("/business")

        assert client.get("/business").status_code == 200

    def test_the_ledger_streams(self, serving: Serving) -> None:
        with httpx.stream(
            "GET", f"{serving.address}/_simulator/ledger", trust_env=False, timeout=PATIENCE
        ) as answer:
            assert answer.headers["transfer-encoding"] == "chunked"
            assert len(list(answer.iter_lines())) == 36

    def test_an_endless_body_is_refused(self, serving: Serving) -> None:
        answer = httpx.post(
            f"{serving.address}{API}/token", content=iter([b"a"]), trust_env=False, timeout=PATIENCE
        )

        assert answer.status_code == 411

    def test_traffic_can_be_started_and_stopped(self, serving: Serving, sim: Simulator) -> None:
        before = len(list(sim.ledger()))
        admin = f"{serving.address}/_simulator/traffic"
        assert (
            httpx.post(
                admin, json={"per_minute": 6000}, trust_env=False, timeout=PATIENCE
            ).status_code
            == 204
        )

        deadline = time.monotonic() + 60
        while len(list(sim.ledger())) < before + 5 and time.monotonic() < deadline:
            time.sleep(0.05)

        assert len(list(sim.ledger())) >= before + 5

    def test_webhooks_are_delivered_by_themselves(
        self, client: httpx.Client, sim: Simulator
    ) -> None:
        received: list[str] = []

        def application(environ: dict[str, object], start: object) -> list[bytes]:
            received.append(str(environ["PATH_INFO"]))
            assert callable(start)
            start("204 No Content", [("Content-Length", "0")])
            return []

        receiver = Server("127.0.0.1", 0, application)
        body = {"endpoint_url": f"{receiver.address}/hook", "event_types": ["tests.test_event"]}

        assert client.post("/webhooks", json=body).status_code == 201
        receiver.timeout = 60
        receiver.handle_request()
        deadline = time.monotonic() + 60
        while not sim.webhook_attempts and time.monotonic() < deadline:
            time.sleep(0.02)
        receiver.server_close()

        assert received == ["/hook"]
        assert [attempt.status for attempt in sim.webhook_attempts] == [204]


class TestTheCommand:
    def start(self, *options: str) -> tuple[subprocess.Popen[str], str]:
        process = subprocess.Popen(
            [sys.executable, "manage.py", "run_ramp_simulator", *options],
            cwd=ROOT,
            env=os.environ | {"DJANGO_SETTINGS_MODULE": "rampbridge.settings"},
            stdout=subprocess.PIPE,
            text=True,
        )
        assert process.stdout is not None
        line = process.stdout.readline()
        assert line.startswith("Ramp simulator ready at http://127.0.0.1:")
        return process, line.split()[-1]

    def end(self, process: subprocess.Popen[str], how: signal.Signals) -> int:
        process.send_signal(how)
        with process:
            return process.wait(PATIENCE)

    def test_says_where_it_is_and_ends_when_told(self) -> None:
        process, address = self.start("--scenario", "small")

        businesses = httpx.get(
            f"{address}/_simulator/businesses", trust_env=False, timeout=PATIENCE
        ).json()["businesses"]

        assert len(businesses) == 3
        assert self.end(process, signal.SIGTERM) == 0

    def test_keeps_everything_across_a_kill(self, tmp_path: Path) -> None:
        options = ("--scenario", "small", "--store", str(tmp_path / "ramp.db"))
        process, address = self.start(*options)
        path = "/_simulator/businesses/harbor-coffee/transactions"
        created = httpx.post(
            address + path,
            json={"count": 40, "ready": True},
            trust_env=False,
            timeout=PATIENCE,
        ).json()
        self.end(process, signal.SIGKILL)

        process, address = self.start(*options)
        kept = httpx.get(f"{address}/_simulator/ledger", trust_env=False, timeout=PATIENCE).text
        self.end(process, signal.SIGTERM)

        assert len(kept.splitlines()) == 36 + 40
        assert all(row["id"] in kept for row in created["transactions"])

    def test_says_so_when_the_port_is_taken(self) -> None:
        with socket.create_server(("127.0.0.1", 0)) as taken:
            port = str(taken.getsockname()[1])
            failed = subprocess.run(
                [sys.executable, "manage.py", "run_ramp_simulator", "--port", port],
                cwd=ROOT,
                capture_output=True,
                text=True,
                timeout=60,
                check=False,
            )

        assert failed.returncode == 1
        assert f"Port {port} cannot be used" in failed.stderr
