"""Ask for leave before each request: Ramp counts 200 per rolling 10 s and source address."""

import time
from collections.abc import Callable
from datetime import timedelta
from enum import StrEnum
from typing import Protocol

import httpx

from connections.ramp.errors import RampRateLimited
from connections.ramp.refusals import retry_after

LANE = "lane"
"""The request extension that says which lane it travels in."""
WAITED = "waited"
"""The response extension that says how many seconds the request waited for leave."""


class Lane(StrEnum):
    """Who waits for the answer."""

    CHART = "chart"
    """Nobody: reference data, which leaves a share of the budget to everybody else (R-31)."""
    ORDINARY = "ordinary"
    BUTTON = "button"
    """A person who has just pressed Sync in Ramp; a part of the budget is kept back for them."""


class TokenSource(Protocol):
    """The budget of our source address, shared by everything that calls Ramp from it."""

    def take(self, lane: Lane) -> float:
        """Take leave for one request: 0.0 if granted, else seconds until asking again may help."""

    def freeze(self, seconds: float) -> None:
        """Ramp said too many. Nobody gets leave for so long, and fewer afterwards."""


class RateLimitedTransport(httpx.BaseTransport):
    """Sends a request once the source gives leave, waiting up to `patience` seconds for it.

    Raises :class:`RampRateLimited` where it would have to wait longer.
    """

    def __init__(
        self,
        wrapped: httpx.BaseTransport,
        source: TokenSource,
        *,
        patience: float,
        sleep: Callable[[float], None] = time.sleep,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._wrapped = wrapped
        self._source = source
        self._patience = patience
        self._sleep = sleep
        self._clock = clock

    def handle_request(self, request: httpx.Request) -> httpx.Response:
        waited = self._wait_for_leave(Lane(request.extensions.get(LANE, Lane.ORDINARY)))
        response = self._wrapped.handle_request(request)
        response.extensions[WAITED] = waited
        if response.status_code == 429:
            self._source.freeze(retry_after(response).total_seconds())
        return response

    def close(self) -> None:
        self._wrapped.close()

    def _wait_for_leave(self, lane: Lane) -> float:
        waited, deadline = 0.0, self._clock() + self._patience
        while wait := self._source.take(lane):
            if self._clock() + wait > deadline:
                raise RampRateLimited(
                    "Our own budget for Ramp is spent.", retry_after=timedelta(seconds=wait)
                )
            self._sleep(wait)
            waited += wait
        return waited
