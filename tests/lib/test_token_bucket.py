from hypothesis import given
from hypothesis import strategies as st

from rampbridge.lib import token_bucket
from rampbridge.lib.token_bucket import Bucket, Limits

LIMITS = Limits(rate=17, burst=20)


def taken(bucket: Bucket, *, wanted: int, now: float, urgent: bool = False) -> tuple[Bucket, int]:
    bucket, grant = token_bucket.take(bucket, LIMITS, wanted=wanted, urgent=urgent, now=now)
    return bucket, grant.tokens


class TestTake:
    def test_a_new_bucket_gives_its_burst_to_urgent_work(self) -> None:
        _, tokens = taken(token_bucket.full(LIMITS, now=0), wanted=50, urgent=True, now=0)

        assert tokens == 20

    def test_a_quarter_is_kept_back_from_ordinary_work(self) -> None:
        bucket, ordinary = taken(token_bucket.full(LIMITS, now=0), wanted=50, now=0)
        _, urgent = taken(bucket, wanted=50, urgent=True, now=0)

        assert (ordinary, urgent) == (15, 5)

    def test_refills_at_its_rate(self) -> None:
        bucket, _ = taken(token_bucket.full(LIMITS, now=0), wanted=20, urgent=True, now=0)

        _, tokens = taken(bucket, wanted=50, urgent=True, now=1)

        assert tokens == 17

    def test_says_how_long_until_the_next_token(self) -> None:
        bucket, _ = taken(token_bucket.full(LIMITS, now=0), wanted=20, urgent=True, now=0)

        bucket, grant = token_bucket.take(bucket, LIMITS, wanted=1, urgent=True, now=0)
        _, tokens = taken(bucket, wanted=1, urgent=True, now=grant.wait + 1e-9)

        assert grant.wait == 1 / 17
        assert tokens == 1

    def test_a_clock_set_back_gives_nothing_extra(self) -> None:
        bucket, _ = taken(token_bucket.full(LIMITS, now=100), wanted=20, urgent=True, now=100)

        bucket, at_50 = taken(bucket, wanted=20, urgent=True, now=50)
        _, at_100 = taken(bucket, wanted=20, urgent=True, now=100)

        assert (at_50, at_100) == (0, 0)

    @given(
        st.lists(
            st.tuples(
                st.floats(0, 3), st.integers(1, 30), st.booleans(), st.sampled_from([0, 0, 0, 10])
            ),
            max_size=60,
        )
    )
    def test_no_window_of_ten_seconds_grants_more_than_it_may(
        self, steps: list[tuple[float, int, bool, int]]
    ) -> None:
        bucket, now = token_bucket.full(LIMITS, now=0), 0.0
        granted: list[tuple[float, int]] = []
        for pause, wanted, urgent, refused in steps:
            now += pause
            bucket, tokens = taken(bucket, wanted=wanted, urgent=urgent, now=now)
            granted.append((now, tokens))
            if refused:
                bucket = token_bucket.freeze(bucket, LIMITS, seconds=refused, now=now)

        for start, _ in granted:
            in_window = sum(tokens for at, tokens in granted if start <= at < start + 10)
            assert in_window <= LIMITS.most_in(10)


class TestFreeze:
    def test_gives_nothing_until_it_thaws_and_then_starts_empty(self) -> None:
        frozen = token_bucket.freeze(token_bucket.full(LIMITS, now=0), LIMITS, seconds=10, now=0)

        _, grant = token_bucket.take(frozen, LIMITS, wanted=1, urgent=True, now=4)
        _, thawed = taken(frozen, wanted=50, urgent=True, now=11)

        assert (grant.tokens, grant.wait) == (0, 6)
        assert thawed == 8

    def test_many_refusals_of_one_overload_slow_down_once(self) -> None:
        bucket = token_bucket.full(LIMITS, now=0)
        for _ in range(5):
            bucket = token_bucket.freeze(bucket, LIMITS, seconds=10, now=0)

        assert bucket.rate == 8.5

    def test_the_longest_freeze_counts(self) -> None:
        bucket = token_bucket.freeze(token_bucket.full(LIMITS, now=0), LIMITS, seconds=30, now=0)

        assert token_bucket.freeze(bucket, LIMITS, seconds=1, now=5).frozen_until == 30

    def test_the_rate_has_a_floor_and_recovers_slowly(self) -> None:
        bucket, now = token_bucket.full(LIMITS, now=0), 0.0
        for _ in range(10):
            now += 10
            bucket = token_bucket.freeze(bucket, LIMITS, seconds=10, now=now)
        slow = bucket.rate

        later = token_bucket.refill(bucket, LIMITS, now=now + 70)
        recovered = token_bucket.refill(bucket, LIMITS, now=now + 10_000)

        assert slow == LIMITS.lowest_rate
        assert later.rate == 4.0
        assert recovered.rate == LIMITS.rate
