"""Connections to ERPs over HTTP that are kept open: one client per process and host."""

from __future__ import annotations

import os
import ssl
import threading
from functools import cache

import httpx

_LIMITS = httpx.Limits(
    max_connections=32,
    max_keepalive_connections=16,
    # Before a server hangs up on us, which in mid-write is an unknown outcome. Gunicorn, which
    # often serves Tryton, waits for two seconds.
    keepalive_expiry=1.5,
)

_clients: dict[tuple[int, str], httpx.Client] = {}
_lock = threading.Lock()


def client_for(base_url: str, timeout: httpx.Timeout) -> httpx.Client:
    """The client of this process for one server; threads share it.

    A forked child gets its own: two processes on one TLS stream would read each other's answers.
    """
    key = (os.getpid(), base_url)
    with _lock:
        if key not in _clients:
            _clients[key] = httpx.Client(
                base_url=base_url,
                timeout=timeout,
                verify=_tls_context(),
                limits=_LIMITS,
            )
        return _clients[key]


def close_clients() -> None:
    """Close this process's connections, at its end: adapters that hold one are done for."""
    with _lock:
        for key in [key for key in _clients if key[0] == os.getpid()]:
            _clients.pop(key).close()


@cache
def _tls_context() -> ssl.SSLContext:
    return httpx.create_ssl_context()
