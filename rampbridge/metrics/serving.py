"""The small server that Prometheus scrapes, on a port of its own that nobody outside reaches."""

from collections.abc import Callable, Iterable
from socketserver import ThreadingMixIn
from typing import Any
from wsgiref.simple_server import WSGIRequestHandler, WSGIServer

import structlog
from django.db import DatabaseError, connections
from prometheus_client import CollectorRegistry
from prometheus_client.exposition import choose_encoder

from rampbridge.metrics.collecting import Figures

log = structlog.get_logger(__name__)

StartResponse = Callable[[str, list[tuple[str, str]]], Any]


class MetricsApp:
    """Answers `/metrics`, and nothing else. 503 while the database does not answer."""

    def __init__(self, figures: Figures) -> None:
        self._registry = CollectorRegistry(auto_describe=False)
        self._registry.register(figures)

    def __call__(self, environ: dict[str, Any], start_response: StartResponse) -> Iterable[bytes]:
        if environ.get("PATH_INFO") != "/metrics":
            start_response("404 Not Found", [("Content-Type", "text/plain")])
            return [b"There is only /metrics.\n"]
        if environ.get("REQUEST_METHOD") not in ("GET", "HEAD"):
            start_response("405 Method Not Allowed", [("Allow", "GET")])
            return []
        encode, content_type = choose_encoder(environ.get("HTTP_ACCEPT", ""))
        try:
            body = encode(self._registry)
        except DatabaseError as error:
            log.warning("metrics_not_read", cause=str(error))
            start_response("503 Service Unavailable", [("Content-Type", "text/plain")])
            return [b"The database does not answer.\n"]
        start_response("200 OK", [("Content-Type", content_type)])
        return [body]


class _Server(ThreadingMixIn, WSGIServer):
    daemon_threads = True

    def process_request_thread(self, request: Any, client_address: Any) -> None:
        try:
            super().process_request_thread(request, client_address)
        finally:
            connections.close_all()  # a thread serves one request


class _Handler(WSGIRequestHandler):
    timeout = 10

    def log_message(self, format: str, *args: Any) -> None:  # noqa: A002  as its base has it
        """A scrape every few seconds is nothing to write about."""


def server(host: str, port: int, app: MetricsApp) -> WSGIServer:
    """A server that listens already. With port 0 the system chooses one.

    :raises OSError: if the port is taken
    """
    made = _Server((host, port), _Handler)
    made.set_app(app)
    return made
