"""The HTTP client under the Ramp client: one per process and host, made to live long."""

import os
import ssl
from collections.abc import Iterator
from functools import cache
from threading import Lock

import httpx

from connections.ramp.endpoints import endpoint_of
from connections.ramp.errors import AnswerTooLarge
from connections.ramp.rate_limit import RateLimitedTransport, TokenSource
from rampbridge.lib import measures
from rampbridge.lib.outgoing import watched

LONGEST_ANSWER = 32 * 1024 * 1024
PATIENCE = 20.0
"""Seconds that a request waits for leave before its worker has something better to do."""

_TIMEOUT = httpx.Timeout(65, connect=5)  # Ramp itself gives up after 60 s, with a 504
_LIMITS = httpx.Limits(
    max_connections=64,
    max_keepalive_connections=64,
    keepalive_expiry=20,  # before a server hangs up on us, which in mid-write is an unknown outcome
)
_HEADERS = {
    "User-Agent": "rampbridge",
    "Accept": "application/json",
    # Costs less CPU than to unpack it, and a small answer cannot become a huge one.
    "Accept-Encoding": "identity",
}

_shared: dict[tuple[int, str], httpx.Client] = {}
_shared_lock = Lock()


def http_client(
    base_url: str,
    token_source: TokenSource,
    *,
    transport: httpx.BaseTransport | None = None,
    patience: float = PATIENCE,
) -> httpx.Client:
    """A client for one host that keeps to the budget, to explicit time limits and to sane sizes.

    It follows no redirects and takes no proxy or password from its surroundings.

    :param transport: what to send through in place of the network
    """
    sending = transport or httpx.HTTPTransport(verify=_tls(), limits=_LIMITS, trust_env=False)
    return httpx.Client(
        base_url=base_url,
        transport=RateLimitedTransport(
            WatchedTransport(CappedTransport(sending, limit=LONGEST_ANSWER)),
            token_source,
            patience=patience,
        ),
        timeout=_TIMEOUT,
        headers=_HEADERS,
        follow_redirects=False,
        trust_env=False,
    )


def shared_http_client(base_url: str, token_source: TokenSource) -> httpx.Client:
    """This process's client for a host. A forked child makes its own: sockets are not shared."""
    key = (os.getpid(), base_url)
    with _shared_lock:
        if key not in _shared:
            _shared[key] = http_client(base_url, token_source)
        return _shared[key]


def close_shared() -> None:
    """Close this process's clients; the next call makes new ones."""
    with _shared_lock:
        while _shared:
            _shared.popitem()[1].close()


class WatchedTransport(httpx.BaseTransport):
    """Counts, times and traces what is sent, by endpoint and answer."""

    def __init__(self, wrapped: httpx.BaseTransport) -> None:
        self._wrapped = wrapped

    def handle_request(self, request: httpx.Request) -> httpx.Response:
        endpoint = endpoint_of(request.method, request.url.path)

        def count(said: str, seconds: float) -> None:
            measures.RAMP_REQUESTS.add(endpoint, said)
            measures.RAMP_SECONDS.add(seconds, endpoint)

        with watched(request, f"Ramp {endpoint}", count) as call:
            call.response = self._wrapped.handle_request(request)
            return call.response

    def close(self) -> None:
        self._wrapped.close()


class CappedTransport(httpx.BaseTransport):
    """Stops reading an answer that is longer than any the contract allows."""

    def __init__(self, wrapped: httpx.BaseTransport, *, limit: int) -> None:
        self._wrapped = wrapped
        self._limit = limit

    def handle_request(self, request: httpx.Request) -> httpx.Response:
        response = self._wrapped.handle_request(request)
        assert isinstance(response.stream, httpx.SyncByteStream)
        response.stream = _CappedStream(response.stream, self._limit)
        return response

    def close(self) -> None:
        self._wrapped.close()


class _CappedStream(httpx.SyncByteStream):
    def __init__(self, wrapped: httpx.SyncByteStream, limit: int) -> None:
        self._wrapped = wrapped
        self._limit = limit

    def __iter__(self) -> Iterator[bytes]:
        size = 0
        for chunk in self._wrapped:
            size += len(chunk)
            if size > self._limit:
                raise AnswerTooLarge(f"Ramp's answer is longer than {self._limit} bytes.")
            yield chunk

    def close(self) -> None:
        self._wrapped.close()


@cache
def _tls() -> ssl.SSLContext:
    """One context for all: building it takes twenty milliseconds."""
    return httpx.create_ssl_context()
