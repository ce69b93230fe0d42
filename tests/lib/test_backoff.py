from datetime import timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rampbridge.lib.backoff import full_jitter

SECOND = timedelta(seconds=1)


@pytest.mark.parametrize(("attempt", "seconds"), [(1, 1), (2, 2), (3, 4), (7, 64), (8, 64)])
def test_doubles_until_the_ceiling(attempt: int, seconds: int) -> None:
    assert full_jitter(attempt, base=SECOND, ceiling=64 * SECOND, jitter=1) == seconds * SECOND


def test_waits_the_minimum_however_the_dice_fall() -> None:
    assert full_jitter(3, base=SECOND, ceiling=64 * SECOND, jitter=0, minimum=SECOND) == SECOND


@given(st.integers(1, 10**9), st.floats(0, 1))
def test_stays_between_nothing_and_the_ceiling(attempt: int, jitter: float) -> None:
    wait = full_jitter(attempt, base=SECOND, ceiling=timedelta(hours=1), jitter=jitter)

    assert timedelta(0) <= wait <= timedelta(hours=1)


@pytest.mark.parametrize(("attempt", "jitter"), [(0, 0.5), (1, 1.5), (1, -0.1)])
def test_refuses_what_makes_no_sense(attempt: int, jitter: float) -> None:
    with pytest.raises(ValueError, match=r"attempt|Jitter"):
        full_jitter(attempt, base=SECOND, ceiling=SECOND, jitter=jitter)
