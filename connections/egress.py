"""Ramp's budget for our source address, shared by all processes through one row.

Ramp allows 200 requests in any 10 s per address. A process takes tokens by the handful and spends
them itself, so that not every request costs a statement. A token counts as spent when it is taken
and expires after `HOLD`, so no 10 s see more requests than were granted in 10 s + `HOLD`:

    burst + rate x (10 + HOLD) = 7 + 18.5 x 10.4 = 199.4

A small bucket that refills fast: whoever waits for more than it holds gets it soon, and what may be
used for minutes on end is 92 % of what Ramp allows.

All times are the database's own. The arithmetic is that of `rampbridge.lib.token_bucket`, written
once more in SQL so that taking is a single statement; the tests hold the two together.
"""

import os
import time
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from functools import cache
from threading import Lock

from django.db import connection, transaction

from connections.ramp.rate_limit import Lane
from rampbridge.lib.token_bucket import Grant, Limits

RAMP_BUDGET, RAMP_WINDOW = 200, 10.0
LIMITS = Limits(rate=18.5, burst=7)
HOLD = 0.4
"""Seconds that a token taken may be kept before it is spent."""
MOST_AT_ONCE = 10
assert LIMITS.most_in(RAMP_WINDOW + HOLD) <= RAMP_BUDGET

_KEPT_BACK_FROM = {Lane.BUTTON: 0, Lane.ORDINARY: 1, Lane.CHART: 2}
"""Shares of the bucket that a lane may not touch. While others ask for all there is, it never fills
beyond the first share, so a chart waits until they are through (R-31)."""
_ASK_AGAIN = 0.05  # when the database took longer than HOLD to answer

_NOW = "coalesce(%(now)s::timestamptz, clock_timestamp())"
_REFILLED = f"""
    (SELECT greatest({_NOW}, b.refilled_at) AS now) AS clock
    CROSS JOIN LATERAL (
        SELECT greatest(
            0, extract(epoch FROM clock.now - greatest(b.refilled_at, b.frozen_until))
        )::float8 AS seconds
    ) AS elapsed
    CROSS JOIN LATERAL (
        SELECT least(%(burst)s, b.tokens + elapsed.seconds * b.rate) AS tokens,
               least(%(rate)s, b.rate + elapsed.seconds * %(recovery)s) AS rate,
               clock.now < b.frozen_until AS is_frozen
    ) AS refilled
"""  # noqa: S608 - put together from constants
_TAKE = f"""
    INSERT INTO connections_ratebucket AS b
        (egress, tokens, rate, refilled_at, frozen_until, granted)
    SELECT %(egress)s, %(burst)s - whole.granted, %(rate)s, clock.now, clock.now, whole.granted
    FROM (SELECT {_NOW} AS now) AS clock,
         (SELECT least(%(wanted)s, floor(%(burst)s - %(kept_back)s))::int AS granted) AS whole
    ON CONFLICT (egress) DO UPDATE SET (tokens, rate, refilled_at, granted) = (
        SELECT refilled.tokens - whole.granted, refilled.rate, clock.now, whole.granted
        FROM {_REFILLED}
        CROSS JOIN LATERAL (
            SELECT CASE WHEN refilled.is_frozen THEN 0 ELSE greatest(
                0, least(%(wanted)s, floor(refilled.tokens - %(kept_back)s))
            )::int END AS granted
        ) AS whole
    )
    RETURNING granted, CASE
        WHEN granted > 0 THEN 0
        WHEN refilled_at < frozen_until THEN extract(epoch FROM frozen_until - refilled_at)::float8
        ELSE (1 + %(kept_back)s - tokens) / rate
    END
"""  # noqa: S608 - put together from constants
_FREEZE = f"""
    INSERT INTO connections_ratebucket AS b
        (egress, tokens, rate, refilled_at, frozen_until, granted)
    SELECT %(egress)s, 0, greatest(%(lowest)s, %(rate)s * %(slowdown)s), clock.now,
           clock.now + make_interval(secs => %(seconds)s), 0
    FROM (SELECT {_NOW} AS now) AS clock
    ON CONFLICT (egress) DO UPDATE SET (tokens, rate, refilled_at, frozen_until) = (
        SELECT 0,
               CASE WHEN refilled.is_frozen THEN refilled.rate
                    ELSE greatest(%(lowest)s, refilled.rate * %(slowdown)s) END,
               clock.now,
               greatest(b.frozen_until, clock.now + make_interval(secs => %(seconds)s))
        FROM {_REFILLED}
    )
"""  # noqa: S608 - put together from constants


def take(egress: str, *, wanted: int, lane: Lane, now: datetime | None = None) -> Grant:
    """Take up to so many tokens for all to see, before any of them is used.

    Must not be called inside a transaction, which would hold the row for every other process.

    :param now: in place of the database's clock
    """
    kept_back = LIMITS.burst * LIMITS.urgent_share * _KEPT_BACK_FROM[lane]
    row = _execute(_TAKE, egress, now, wanted=wanted, kept_back=kept_back)
    assert row is not None  # an upsert always returns its row
    granted, wait = row
    return Grant(granted, wait)


def freeze(egress: str, *, seconds: float, now: datetime | None = None) -> None:
    """Give nobody a token for so long, and fewer afterwards: Ramp has said too many."""
    _execute(_FREEZE, egress, now, seconds=seconds)


def tokens(egress: str) -> "EgressTokens":
    """The tokens this process holds of an address's budget."""
    return _tokens_of_process(egress, os.getpid())


@dataclass(slots=True)
class _Hand:
    """The tokens held for one lane."""

    tokens: int = 0
    good_until: float = 0.0
    closed_until: float = 0.0
    size: int = 1

    def spend(self, now: float) -> bool:
        if not self.tokens or now >= self.good_until:
            return False
        self.tokens -= 1
        return True

    def resize(self) -> int:
        """Take twice as many as last time if they were all used, else as many as were."""
        used_up = not self.tokens
        self.size = min(MOST_AT_ONCE, 2 * self.size) if used_up else max(1, self.size - self.tokens)
        self.tokens = 0
        return self.size


class EgressTokens:
    """A `TokenSource` on the shared row. The threads of a process share one, and so its hands."""

    def __init__(self, egress: str, *, clock: Callable[[], float] = time.monotonic) -> None:
        self._egress = egress
        self._clock = clock
        self._lock = Lock()
        self._hands = {lane: _Hand() for lane in Lane}

    def take(self, lane: Lane) -> float:
        with self._lock:
            hand = self._hands[lane]
            asked_at = self._clock()
            if hand.spend(asked_at):
                return 0.0
            if asked_at < hand.closed_until:
                return hand.closed_until - asked_at
            grant = take(self._egress, wanted=hand.resize(), lane=lane)
            if not grant.tokens:
                hand.closed_until = asked_at + grant.wait
                return grant.wait
            # counted from before we asked, which is earlier than the database granted them
            hand.tokens, hand.good_until = grant.tokens, asked_at + HOLD
            return 0.0 if hand.spend(self._clock()) else _ASK_AGAIN

    def freeze(self, seconds: float) -> None:
        with self._lock:
            for hand in self._hands.values():
                hand.tokens = 0
                hand.closed_until = self._clock() + seconds
            freeze(self._egress, seconds=seconds)


@cache
def _tokens_of_process(egress: str, pid: int) -> EgressTokens:  # noqa: ARG001 - keys the cache
    return EgressTokens(egress)


def _execute(
    statement: str, egress: str, now: datetime | None, **params: float
) -> tuple[int, float] | None:
    with transaction.atomic(durable=True, savepoint=False), connection.cursor() as cursor:
        cursor.execute(
            statement,
            {
                "egress": egress,
                "now": now,
                "rate": LIMITS.rate,
                "burst": LIMITS.burst,
                "recovery": LIMITS.recovery,
                "slowdown": LIMITS.slowdown,
                "lowest": LIMITS.lowest_rate,
                **params,
            },
        )
        row: tuple[int, float] | None = cursor.fetchone() if cursor.description else None
        return row
