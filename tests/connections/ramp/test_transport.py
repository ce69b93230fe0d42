import os
import ssl
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, HTTPServer

import httpx
import pytest

from connections.ramp import transport
from connections.ramp.errors import AnswerTooLarge
from connections.ramp.transport import CappedTransport, http_client, shared_http_client
from tests.connections.ramp.conftest import BASE_URL, Budget


class Echo(BaseHTTPRequestHandler):
    """Answers with the headers it was sent, over a connection that stays open."""

    protocol_version = "HTTP/1.1"
    connections: set[object]

    def do_GET(self) -> None:
        self.server.connections.add(self.connection)  # type: ignore[attr-defined]
        body = str(self.headers).encode()
        self.send_response(302 if self.path == "/moved" else 200)
        self.send_header("Location", "/elsewhere")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *args: object) -> None:
        pass


@pytest.fixture
def server() -> Iterator[HTTPServer]:
    with HTTPServer(("127.0.0.1", 0), Echo) as running:
        running.connections = set()  # type: ignore[attr-defined]
        thread = threading.Thread(target=running.serve_forever)
        thread.start()
        yield running
        running.shutdown()
        thread.join()


@pytest.fixture
def address(server: HTTPServer) -> str:
    return f"http://127.0.0.1:{server.server_port}"


@pytest.fixture(autouse=True)
def _forget_shared_clients() -> Iterator[None]:
    yield
    for client in transport._shared.values():
        client.close()
    transport._shared.clear()


class Chunks(httpx.SyncByteStream):
    def __init__(self, count: int) -> None:
        self.sent = 0
        self.count = count
        self.is_closed = False

    def __iter__(self) -> Iterator[bytes]:
        for _ in range(self.count):
            self.sent += 1
            yield b"x" * 10

    def close(self) -> None:
        self.is_closed = True


class TestCap:
    def test_an_answer_without_end_is_not_read_to_its_end(self) -> None:
        stream = Chunks(10**9)
        capped = CappedTransport(
            httpx.MockTransport(lambda request: httpx.Response(200, stream=stream)), limit=100
        )

        with httpx.Client(transport=capped) as http, pytest.raises(AnswerTooLarge):
            http.get(BASE_URL)

        assert stream.sent == 11
        assert stream.is_closed

    def test_an_answer_of_the_allowed_length_is_fine(self) -> None:
        capped = CappedTransport(
            httpx.MockTransport(lambda request: httpx.Response(200, stream=Chunks(10))), limit=100
        )

        with httpx.Client(transport=capped) as http:
            assert len(http.get(BASE_URL).content) == 100


class TestHttpClient:
    def test_one_connection_serves_many_requests(self, server: HTTPServer, address: str) -> None:
        with http_client(address, Budget()) as http:
            for _ in range(3):
                http.get("/")

        assert len(server.connections) == 1  # type: ignore[attr-defined]

    def test_asks_for_plain_bytes_and_says_who_it_is(self, address: str) -> None:
        with http_client(address, Budget()) as http:
            sent = http.get("/").text.lower()

        assert "accept-encoding: identity" in sent
        assert "user-agent: rampbridge" in sent

    def test_follows_no_redirect(self, address: str) -> None:
        with http_client(address, Budget()) as http:
            assert http.get("/moved").status_code == 302

    def test_takes_no_proxy_or_password_from_its_surroundings(
        self, address: str, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setenv("HTTP_PROXY", "http://127.0.0.1:1")
        monkeypatch.setenv("ALL_PROXY", "http://127.0.0.1:1")

        with http_client(address, Budget()) as http:
            assert http.get("/").status_code == 200

    def test_waits_longer_than_ramp_does(self) -> None:
        with http_client(BASE_URL, Budget()) as http:
            assert http.timeout.read == 65
            assert http.timeout.connect == 5

    def test_verifies_what_it_speaks_to(self) -> None:
        context = transport._tls()

        assert context.verify_mode is ssl.CERT_REQUIRED
        assert context.check_hostname
        assert context is transport._tls()


class TestSharedHttpClient:
    def test_a_process_has_one_per_host(self) -> None:
        budget = Budget()

        assert shared_http_client(BASE_URL, budget) is shared_http_client(BASE_URL, budget)
        assert shared_http_client(BASE_URL, budget) is not shared_http_client("http://b", budget)

    def test_a_forked_child_makes_its_own(self, monkeypatch: pytest.MonkeyPatch) -> None:
        of_parent = shared_http_client(BASE_URL, Budget())
        monkeypatch.setattr(os, "getpid", lambda: -1)

        assert shared_http_client(BASE_URL, Budget()) is not of_parent
