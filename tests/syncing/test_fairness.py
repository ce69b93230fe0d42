"""One customer with very much to do beside many with little (fault S1)."""

import json
import uuid
from typing import Any

import pytest
from django.db import connection as database
from django.db.models.functions import Now

from connections.models import Connection
from syncing import claims, pauses, schedule, stopping, tasks
from syncing.classifier import RAMP_REFUSES
from syncing.models import Schedule, SyncItem
from syncing.tasks import TURN_SECONDS
from tests.syncing.world import World, connection_with_schedule, let_time_pass, transaction_body

pytestmark = [pytest.mark.django_db, pytest.mark.matrix("S1")]

MANY = 20_000
FEW_BLOCKS = 60
"""Of 8 KiB that a look may read more, however long the queue is: some levels of an index."""


class Clock:
    """Stands still but for what the ERP takes."""

    def __init__(self) -> None:
        self.now = 1000.0

    def monotonic(self) -> float:
        return self.now


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> Clock:
    made = Clock()
    monkeypatch.setattr("time.monotonic", made.monotonic)
    return made


@pytest.fixture
def world(monkeypatch: pytest.MonkeyPatch) -> World:
    made = World()
    Schedule.objects.update(next_poll_at="2099-01-01T00:00Z")
    monkeypatch.setattr("connections.clients.erp_adapter", lambda *_: made.erp)
    monkeypatch.setattr("syncing.tasks.mapping_set", lambda *_: made.mappings)
    monkeypatch.setattr("syncing.tasks.ring", lambda *_, **__: None)
    monkeypatch.setattr("syncing.tasks.answer_here", lambda *_: None)
    return made


def take_seconds(world: World, clock: Clock, seconds: float) -> None:
    """The ERP takes so long over each call."""
    real = world.erp.post_many

    def post_many(docs: Any) -> Any:
        clock.now += seconds
        return real(docs)

    world.erp.post_many = post_many  # type: ignore[method-assign]


def work(world: World) -> None:
    tasks.work_connection(connection_id=str(world.connection.pk))


def posted() -> int:
    return SyncItem.objects.filter(state="POSTED").count()


class TestTurns:
    def test_end_after_so_many_seconds_and_the_connection_lines_up_again(
        self, world: World, clock: Clock
    ) -> None:
        world.ready(*(transaction_body() for _ in range(3 * claims.CHUNK)))
        take_seconds(world, clock, TURN_SECONDS + 1)
        schedule.ring()

        work(world)

        assert posted() == claims.CHUNK
        assert [one.connection_id for one in schedule.ring()] == [world.connection.pk]

    def test_of_an_erp_known_to_be_slow_take_up_no_more_than_fits(
        self, world: World, clock: Clock
    ) -> None:
        world.ready(*(transaction_body() for _ in range(claims.CHUNK)))
        Schedule.objects.update(posts_per_second=1)
        take_seconds(world, clock, TURN_SECONDS + 1)

        work(world)

        assert posted() == TURN_SECONDS

    def test_leave_behind_how_fast_the_erp_was(self, world: World, clock: Clock) -> None:
        world.ready(*(transaction_body() for _ in range(10)))
        take_seconds(world, clock, 2)

        work(world)

        assert Schedule.objects.get().posts_per_second == 5

    def test_end_when_the_process_is_to_end(self, world: World, clock: Clock) -> None:
        world.ready(*(transaction_body() for _ in range(2 * claims.CHUNK)))
        real = world.erp.post_many

        def post_many(docs: Any) -> Any:
            stopping.ask()
            return real(docs)

        world.erp.post_many = post_many  # type: ignore[method-assign]
        try:
            work(world)
        finally:
            stopping.forget()

        assert posted() == claims.CHUNK
        assert SyncItem.objects.filter(state="READY").count() == claims.CHUNK

    def test_a_canary_comes_before_the_rest(self, world: World, clock: Clock) -> None:
        (item,) = world.ready()
        pauses.pause(world.connection, "transaction", "Refused", "")
        world.connection.pauses.update(is_automatic=True, canary_due_at="2026-01-01T00:00Z")

        work(world)

        item.refresh_from_db()
        assert item.state == "POSTED"

    def test_whoever_has_more_to_do_lines_up_behind_the_longest_waiting(self, world: World) -> None:
        other = World()
        for one in (world, other):
            one.ready()
        Schedule.objects.update(next_poll_at="2099-01-01T00:00Z")
        schedule.ring()
        let_time_pass(schedule.RING_AGAIN_SECONDS + 5)
        Schedule.objects.filter(pk=world.connection.pk).update(rung_at=Now())

        schedule.work_soon(world.connection.pk)

        first, second = schedule.ring(limit=1), schedule.ring(limit=1)
        assert [one.connection_id for one in first + second] == [
            other.connection.pk,
            world.connection.pk,
        ]


@pytest.fixture
def hog() -> Connection:
    """A customer with a long queue of transactions, all due.

    In tables of its own: rows that other tests have rolled back would be read along.
    """
    with database.cursor() as cursor:
        cursor.execute(
            "TRUNCATE syncing_syncitem, syncing_itempayload, syncing_schedule, syncing_pause,"
            " syncing_syncrequest, syncing_cardpayment CASCADE"
        )
    connection = connection_with_schedule()
    with database.cursor() as cursor:
        cursor.execute(
            """
            INSERT INTO syncing_syncitem (
                connection_id, object_type, ramp_id, phase, label, memo, person, amount_minor,
                currency, exponent, content_hash, state, state_at, ready_at, due_at, seen_ready_at,
                snapshot_at, attempts, claims_without_result, report_attempt, reack_due,
                failure_telling, erp_ref, erp_id, erp_number, erp_url, error_category, error_origin,
                error_code, error_title, error_fix, error_text, error_detail, blocked_by)
            SELECT %s, 'transaction', gen_random_uuid(), 0, '', '', '', 1, 'USD', 2, '', 'READY',
                now(), now(), now() - interval '1h', now(), now(), 0, 0, 0, false, '', '', '', '',
                '', '', '', '', '', '', '', '', '' FROM generate_series(1, %s)
            """,
            [connection.pk, MANY],
        )
        cursor.execute(
            "INSERT INTO syncing_itempayload (item_id, ramp)"
            " SELECT id, '{}' FROM syncing_syncitem WHERE connection_id = %s",
            [connection.pk],
        )
        cursor.execute("ANALYZE syncing_syncitem, syncing_itempayload, syncing_schedule")
        # As the database does by itself sooner or later: what is empty is known to be empty.
        cursor.execute("ANALYZE syncing_syncrequest, syncing_pause, syncing_cardpayment")
    return connection


def blocks(sql: str, params: dict[str, Any]) -> int:
    """How many blocks a statement reads, wherever they are."""
    with database.cursor() as cursor:
        cursor.execute(f"EXPLAIN (ANALYZE, BUFFERS, FORMAT JSON) {sql}", params)
        (plan,) = cursor.fetchone()
    read = json.loads(plan) if isinstance(plan, str) else plan
    top = read[0]["Plan"]
    return int(top["Shared Hit Blocks"]) + int(top["Shared Read Blocks"])


def blocks_to_claim(connection_id: uuid.UUID) -> int:
    params = {
        "connection": connection_id, "types": list(claims.TYPES), "canary": False, "limit": 1,
        "fresh": claims.FRESH_SECONDS, "look_at": claims.LOOK_AT,
    }  # fmt: skip
    return blocks(claims._LOCK_READY, params)


def blocks_to_sweep() -> int:
    params = {
        "again": 0, "limit": 500, "types": list(claims.TYPES), "ramp_refuses": sorted(RAMP_REFUSES)
    }  # fmt: skip
    Schedule.objects.update(rung_at=None)
    return blocks(schedule._RING, params)


class TestLongQueues:
    def test_are_claimed_from_at_their_front(self, hog: Connection) -> None:
        look_ahead = blocks_to_claim(hog.pk)

        assert look_ahead < FEW_BLOCKS + claims.LOOK_AT // 2

    def test_that_are_paused_are_passed_over_in_one_step(self, hog: Connection) -> None:
        pauses.pause(hog, "transaction", "Year-end closing", "ada")

        assert blocks_to_claim(hog.pk) < FEW_BLOCKS

    @pytest.mark.parametrize("is_paused", [False, True], ids=["flowing", "paused"])
    def test_cost_the_sweep_nothing(self, hog: Connection, *, is_paused: bool) -> None:
        for _ in range(20):
            connection_with_schedule()
        if is_paused:
            pauses.pause(hog, "transaction", "Year-end closing", "ada")

        per_connection = blocks_to_sweep() / 21

        assert per_connection < FEW_BLOCKS
