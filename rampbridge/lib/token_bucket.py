"""Arithmetic of a rate limit that several processes share. No storage, no clock.

A bucket refills at ``rate`` and holds ``burst``, so any window of w seconds grants at most
``burst + rate * w`` tokens. A share of the bucket is kept back for urgent work. When the other side
says "too many" all the same, the bucket freezes, and its rate drops by a factor and climbs back
by a fixed amount per second (additive increase, multiplicative decrease).
"""

from dataclasses import dataclass, replace
from math import floor


@dataclass(frozen=True, slots=True)
class Limits:
    """What a bucket may do. Times are in seconds."""

    rate: float
    burst: float
    urgent_share: float = 0.25
    """Part of the bucket that only urgent work may empty."""
    lowest_rate: float = 1.0
    slowdown: float = 0.5
    recovery: float = 0.05
    """How much the rate climbs per second, until it is back at ``rate``."""

    def most_in(self, window: float) -> float:
        """The most tokens granted in any window of that length."""
        return self.burst + self.rate * window


@dataclass(frozen=True, slots=True)
class Bucket:
    """What is known of a bucket at ``refilled_at``."""

    tokens: float
    rate: float
    refilled_at: float
    frozen_until: float


@dataclass(frozen=True, slots=True)
class Grant:
    """How many tokens were given, and if none, how long until one may be there."""

    tokens: int
    wait: float


def full(limits: Limits, *, now: float) -> Bucket:
    """A bucket nobody has used yet."""
    return Bucket(limits.burst, limits.rate, refilled_at=now, frozen_until=now)


def refill(bucket: Bucket, limits: Limits, *, now: float) -> Bucket:
    """Add what has run in since the last look. A clock that is set back stands still meanwhile."""
    now = max(now, bucket.refilled_at)
    elapsed = max(0.0, now - max(bucket.refilled_at, bucket.frozen_until))
    return replace(
        bucket,
        tokens=min(limits.burst, bucket.tokens + elapsed * bucket.rate),
        rate=min(limits.rate, bucket.rate + elapsed * limits.recovery),
        refilled_at=now,
    )


def take(
    bucket: Bucket, limits: Limits, *, wanted: int, urgent: bool, now: float, patient: bool = False
) -> tuple[Bucket, Grant]:
    """Take up to ``wanted`` whole tokens, at least one, or none.

    :param patient: leaves as much again to the others as they leave to what is urgent
    """
    bucket = refill(bucket, limits, now=now)
    if bucket.refilled_at < bucket.frozen_until:
        return bucket, Grant(0, bucket.frozen_until - bucket.refilled_at)
    shares = 0 if urgent else 2 if patient else 1
    kept_back = limits.burst * limits.urgent_share * shares
    free = bucket.tokens - kept_back
    granted = max(0, min(wanted, floor(free)))
    if not granted:
        return bucket, Grant(0, (1 - free) / bucket.rate)
    return replace(bucket, tokens=bucket.tokens - granted), Grant(granted, 0.0)


def freeze(bucket: Bucket, limits: Limits, *, seconds: float, now: float) -> Bucket:
    """Give nothing for so long, and less afterwards.

    Of several refusals of one overload only the first lowers the rate; the longest freeze counts.
    """
    bucket = refill(bucket, limits, now=now)
    now = bucket.refilled_at
    already_frozen = now < bucket.frozen_until
    lowered = max(limits.lowest_rate, bucket.rate * limits.slowdown)
    return replace(
        bucket,
        tokens=0.0,
        rate=bucket.rate if already_frozen else lowered,
        frozen_until=max(bucket.frozen_until, now + seconds),
    )
