"""How long to wait before the next attempt."""

from datetime import timedelta

_MOST_DOUBLINGS = 60  # beyond every ceiling; keeps the hundredth attempt from overflowing


def full_jitter(
    attempt: int,
    *,
    base: timedelta,
    ceiling: timedelta,
    jitter: float,
    minimum: timedelta = timedelta(0),
) -> timedelta:
    """Exponential back-off with full jitter: what failed together does not come back together.

    :param attempt: attempts made so far; after the first, the wait is at most ``base``
    :param jitter: a random number from 0 to 1, drawn by the caller
    :param minimum: never wait less, whatever the jitter says
    """
    if attempt < 1:
        raise ValueError("There is nothing to wait for before the first attempt.")
    if not 0 <= jitter <= 1:
        raise ValueError("Jitter runs from 0 to 1.")
    doublings = min(attempt - 1, _MOST_DOUBLINGS)
    ceiling_seconds = min(ceiling.total_seconds(), base.total_seconds() * 2.0**doublings)
    return max(minimum, timedelta(seconds=jitter * ceiling_seconds))
