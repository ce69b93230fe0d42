"""Connections to ERPs over HTTP that are kept open: one client per process and host."""

from __future__ import annotations

import os
import ssl
import threading
from functools import cache
from typing import Any

import httpx

from rampbridge.lib import measures
from rampbridge.lib.outgoing import class_of, watched

_LIMITS = httpx.Limits(
    max_connections=64,  # as many calls as a process has under way, for many ERPs share a host
    max_keepalive_connections=64,
    # Before a server hangs up on us, which in mid-write is an unknown outcome. Gunicorn, which
    # often serves Tryton, waits for two seconds.
    keepalive_expiry=1.5,
)

_clients: dict[tuple[int, str], httpx.Client] = {}
_lock = threading.Lock()


class WatchedClient(httpx.Client):
    """Counts, times and traces what is sent, by adapter and kind of answer."""

    adapter = "http"

    def send(self, request: httpx.Request, **options: Any) -> httpx.Response:
        def count(said: str, seconds: float) -> None:
            measures.ERP_REQUESTS.add(self.adapter, class_of(said))
            measures.ERP_SECONDS.add(seconds, self.adapter)

        with watched(request, f"ERP {self.adapter}", count) as call:
            call.response = super().send(request, **options)
            return call.response


def client_for(base_url: str, timeout: httpx.Timeout, *, adapter: str) -> httpx.Client:
    """The client of this process for one server; threads share it.

    A forked child gets its own: two processes on one TLS stream would read each other's answers.

    :param adapter: the kind of ERP, by which its calls are counted
    """
    key = (os.getpid(), base_url)
    with _lock:
        if key not in _clients:
            client = WatchedClient(
                base_url=base_url,
                timeout=timeout,
                verify=_tls_context(),
                limits=_LIMITS,
            )
            client.adapter = adapter
            _clients[key] = client
        return _clients[key]


def close_clients() -> None:
    """Close this process's connections, at its end: adapters that hold one are done for."""
    with _lock:
        for key in [key for key in _clients if key[0] == os.getpid()]:
            _clients.pop(key).close()


@cache
def _tls_context() -> ssl.SSLContext:
    return httpx.create_ssl_context()
