import random
import threading
import time
from collections import deque
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from functools import partial

import pytest
from django.db import connection, transaction
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from connections import egress
from connections.egress import HOLD, LIMITS, RAMP_BUDGET, RAMP_WINDOW, EgressTokens
from connections.models import RateBucket
from connections.ramp.rate_limit import Lane
from rampbridge.lib import token_bucket

NOON = datetime(2026, 10, 1, 12, tzinfo=UTC)

every_seed = pytest.mark.parametrize("seed", range(4))


def after(seconds: float) -> datetime:
    return NOON + timedelta(seconds=seconds)


def most_in_any_window(sent: list[float], length: float) -> int:
    """The fullest window of that length, however it is laid over the moments."""
    inside: deque[float] = deque()
    most = 0
    for at in sorted(sent):
        inside.append(at)
        while at - inside[0] >= length:
            inside.popleft()
        most = max(most, len(inside))
    return most


@pytest.mark.django_db
class TestTake:
    def test_a_new_address_starts_with_a_full_bucket(self) -> None:
        assert egress.take("a", wanted=3, lane=Lane.ORDINARY, now=NOON).tokens == 3
        assert egress.take("a", wanted=50, lane=Lane.BUTTON, now=NOON).tokens == LIMITS.burst - 3

    def test_a_quarter_is_kept_back_for_the_button(self) -> None:
        ordinary = egress.take("a", wanted=50, lane=Lane.ORDINARY, now=NOON).tokens
        button = egress.take("a", wanted=50, lane=Lane.BUTTON, now=NOON).tokens

        assert (ordinary, button) == (5, 2)

    def test_a_chart_leaves_as_much_again_to_everybody_else(self) -> None:
        chart = egress.take("a", wanted=50, lane=Lane.CHART, now=NOON).tokens
        again = egress.take("a", wanted=50, lane=Lane.CHART, now=NOON)
        ordinary = egress.take("a", wanted=50, lane=Lane.ORDINARY, now=NOON).tokens

        share = LIMITS.burst * LIMITS.urgent_share
        assert chart == int(LIMITS.burst - 2 * share)
        assert (again.tokens, again.wait > 0) == (0, True)
        assert ordinary >= 1, "although a chart would have taken all"

    def test_a_chart_waits_while_others_ask_for_all_there_is(self) -> None:
        got = {Lane.ORDINARY: 0, Lane.CHART: 0}
        for tenth in range(300):
            for lane in got:
                got[lane] += egress.take("a", wanted=10, lane=lane, now=after(tenth / 10)).tokens

        assert got[Lane.CHART] <= got[Lane.ORDINARY] / 50

    def test_each_address_has_its_own(self) -> None:
        egress.take("a", wanted=50, lane=Lane.BUTTON, now=NOON)

        assert egress.take("b", wanted=50, lane=Lane.BUTTON, now=NOON).tokens == LIMITS.burst

    def test_is_one_statement(self, django_assert_num_queries: pytest.FixtureRequest) -> None:
        with django_assert_num_queries(1) as queries:  # type: ignore[operator]
            egress.take("a", wanted=10, lane=Lane.ORDINARY)

        assert "INSERT INTO connections_ratebucket" in queries.captured_queries[0]["sql"]

    def test_uses_the_clock_of_the_database(self) -> None:
        egress.take("a", wanted=20, lane=Lane.BUTTON)
        with connection.cursor() as cursor:
            cursor.execute("SELECT clock_timestamp()")
            (now,) = cursor.fetchone()

        assert abs((now - RateBucket.objects.get().refilled_at).total_seconds()) < 5

    def test_will_not_hold_the_row_for_a_transaction(self) -> None:
        with transaction.atomic(), pytest.raises(RuntimeError, match="durable"):
            egress.take("a", wanted=1, lane=Lane.ORDINARY)


@pytest.mark.django_db
class TestFreeze:
    def test_nobody_is_given_a_token_while_it_lasts(self) -> None:
        egress.freeze("a", seconds=10, now=NOON)

        refused = egress.take("a", wanted=1, lane=Lane.BUTTON, now=after(4))
        thawed = egress.take("a", wanted=50, lane=Lane.BUTTON, now=after(10.5))

        assert (refused.tokens, refused.wait) == (0, 6)
        assert thawed.tokens == 4

    def test_one_overload_slows_down_once_however_many_are_refused(self) -> None:
        for _ in range(5):
            egress.freeze("a", seconds=10, now=NOON)

        assert RateBucket.objects.get().rate == LIMITS.rate / 2

    def test_the_rate_recovers(self) -> None:
        egress.freeze("a", seconds=10, now=NOON)

        egress.take("a", wanted=1, lane=Lane.ORDINARY, now=after(70))
        climbing = RateBucket.objects.get().rate
        egress.take("a", wanted=1, lane=Lane.ORDINARY, now=after(1000))

        assert climbing == pytest.approx(LIMITS.rate / 2 + 60 * LIMITS.recovery)
        assert RateBucket.objects.get().rate == LIMITS.rate


@pytest.mark.django_db
@settings(max_examples=40, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    st.lists(
        st.tuples(
            st.integers(-50, 3000).map(lambda hundredths: hundredths / 100),
            st.sampled_from(["take", "take", "take", "freeze"]),
            st.integers(1, 30),
            st.sampled_from(Lane),
        ),
        max_size=25,
    )
)
def test_the_statement_does_the_arithmetic_of_the_library(
    steps: list[tuple[float, str, int, Lane]],
) -> None:
    RateBucket.objects.all().delete()
    now, bucket = 0.0, token_bucket.full(LIMITS, now=0)
    egress.take("a", wanted=1, lane=Lane.BUTTON, now=NOON)
    bucket, _ = token_bucket.take(bucket, LIMITS, wanted=1, urgent=True, now=0)
    for pause, action, amount, lane in steps:
        now += pause
        if action == "freeze":
            egress.freeze("a", seconds=amount, now=after(now))
            bucket = token_bucket.freeze(bucket, LIMITS, seconds=amount, now=now)
        else:
            given_ = egress.take("a", wanted=amount, lane=lane, now=after(now))
            bucket, expected = token_bucket.take(
                bucket,
                LIMITS,
                wanted=amount,
                urgent=lane is Lane.BUTTON,
                patient=lane is Lane.CHART,
                now=now,
            )
            assert given_.wait == pytest.approx(expected.wait, abs=1e-4)
            assert abs(given_.tokens - expected.tokens) <= 1  # a hair's breadth from a whole token
            bucket = token_bucket.Bucket(
                bucket.tokens + expected.tokens - given_.tokens,
                bucket.rate,
                bucket.refilled_at,
                bucket.frozen_until,
            )
    row = RateBucket.objects.get()
    assert row.tokens == pytest.approx(bucket.tokens, abs=1e-3)
    assert row.rate == pytest.approx(bucket.rate, abs=1e-6)


class World:
    """Several processes on one address, on a clock of ours."""

    def __init__(self, processes: int, monkeypatch: pytest.MonkeyPatch) -> None:
        self.now = 0.0
        real_take, real_freeze = egress.take, egress.freeze
        monkeypatch.setattr(
            egress, "take", lambda *args, **named: real_take(*args, **named, now=after(self.now))
        )
        monkeypatch.setattr(
            egress,
            "freeze",
            lambda *args, **named: real_freeze(*args, **named, now=after(self.now)),
        )
        self.processes = [EgressTokens("a", clock=lambda: self.now) for _ in range(processes)]


@pytest.fixture
def world(monkeypatch: pytest.MonkeyPatch) -> World:
    return World(5, monkeypatch)


@pytest.mark.django_db
class TestManyProcesses:
    @every_seed
    def test_no_ten_seconds_see_more_than_ramp_allows(self, world: World, seed: int) -> None:
        dice = random.Random(seed)
        sent: list[float] = []

        while world.now < 40:
            greedy = dice.random() < 0.8
            for process in dice.sample(world.processes, dice.randint(1, 5)):
                lane = dice.choice([Lane.ORDINARY, Lane.ORDINARY, Lane.BUTTON])
                tries = dice.randint(1, 12) if greedy else 1
                sent += [world.now for _ in range(tries) if not process.take(lane)]
            world.now += dice.choice([0.01, 0.05, 0.3, 0.39])

        assert most_in_any_window(sent, RAMP_WINDOW) <= RAMP_BUDGET
        assert len(sent) > 0.75 * LIMITS.rate * 40  # and most of the budget is put to use

    def test_tokens_kept_too_long_are_not_spent(self, world: World) -> None:
        process = world.processes[0]
        for _ in range(3):  # a handful of 4 is at hand, one of them spent
            assert process.take(Lane.ORDINARY) == 0
        held = world.processes[0]._hands[Lane.ORDINARY].tokens
        world.now += HOLD

        with_fresh_ones = process.take(Lane.ORDINARY)

        assert held > 0
        assert with_fresh_ones == 0
        assert RateBucket.objects.get().granted <= held

    def test_a_refusal_met_by_one_silences_all(self, world: World) -> None:
        for process in world.processes:
            process.take(Lane.ORDINARY)
        world.processes[0].freeze(10)
        sent_by_others: list[float] = []

        while world.now < 9.9:
            world.now += 0.1
            sent_by_others += [
                world.now for process in world.processes if not process.take(Lane.BUTTON)
            ]

        assert all(at < HOLD for at in sent_by_others)

    def test_asks_the_database_no_more_than_it_must(
        self, world: World, django_assert_max_num_queries: pytest.FixtureRequest
    ) -> None:
        process = world.processes[0]
        with django_assert_max_num_queries(8):  # type: ignore[operator]
            leave = [process.take(Lane.BUTTON) for _ in range(100)]

        assert leave.count(0.0) == LIMITS.burst

    def test_a_database_slower_than_a_token_is_good_for_gives_no_leave(
        self, world: World, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        def slow(*args: object, **named: object) -> token_bucket.Grant:
            world.now += HOLD
            return token_bucket.Grant(1, 0.0)

        monkeypatch.setattr(egress, "take", slow)

        assert world.processes[0].take(Lane.ORDINARY) > 0


@pytest.mark.django_db(transaction=True)
class TestThreads:
    def test_together_they_take_what_the_bucket_holds_and_not_one_more(self) -> None:
        taken: list[int] = []
        started = time.monotonic()
        threads = [threading.Thread(target=partial(_take_many, taken)) for _ in range(6)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()

        seconds = time.monotonic() - started
        total = sum(taken)
        assert ENOUGH <= total <= LIMITS.most_in(seconds)


ENOUGH = 4 * LIMITS.burst
"""Tokens that a bucket does not give without being refilled, again and again."""


def _take_many(taken: list[int]) -> None:
    try:
        while sum(taken) < ENOUGH:
            grant = egress.take("a", wanted=3, lane=Lane.BUTTON)
            taken.append(grant.tokens)
            time.sleep(grant.wait)
    finally:
        connection.close()


def test_threads_of_a_process_share_their_tokens() -> None:
    assert egress.tokens("a") is egress.tokens("a")
    assert egress.tokens("a") is not egress.tokens("b")


@pytest.fixture(autouse=True)
def _forget_shared_tokens() -> Iterator[None]:
    yield
    egress._tokens_of_process.cache_clear()
