"""Several calls at a time, and an ERP that says when it is too much."""

import threading
from collections.abc import Iterator, Sequence
from dataclasses import replace

import pytest
from django.db import connection as database

from connections.erp.errors import Code, ErpError, Outcome
from connections.erp.records import Document, Posted, Ref
from connections.erp.refusals import refusal
from syncing import claims, stopping
from syncing.dispatch import Worker
from syncing.engine import chunk_size, post_due_items
from syncing.models import Schedule, SyncItem
from syncing.pace import Pace
from tests.syncing.world import World, connection_with_schedule, let_time_pass, transaction_body

pytestmark = pytest.mark.django_db


@pytest.fixture
def world() -> World:
    """An ERP that takes one document per call, four at a time."""
    made = World()
    made.erp._capabilities = replace(made.erp.capabilities(), batch=1, concurrency=4)
    return made


def ready(world: World, number: int) -> list[SyncItem]:
    """So many items, in the order in which they are taken up."""
    return sorted(world.ready(*(transaction_body() for _ in range(number))), key=_id)


def _id(item: SyncItem) -> int:
    return item.pk


def worker(world: World, pace: Pace) -> Worker:
    return replace(world.worker, pace=pace)


class Meeting:
    """Calls wait for each other: so many must be under way at once for any to go on."""

    def __init__(self, world: World, parties: int) -> None:
        self.most = 0
        self._under_way = 0
        self._lock = threading.Lock()
        self._barrier = threading.Barrier(parties)
        self._post = world.erp.post_many
        world.erp.post_many = self.post_many  # type: ignore[method-assign]

    def post_many(self, docs: Sequence[Document]) -> Sequence[Posted | ErpError]:
        with self._lock:
            self._under_way += 1
            self.most = max(self.most, self._under_way)
        self._barrier.wait(timeout=60)
        try:
            return self._post(docs)
        finally:
            with self._lock:
                self._under_way -= 1


class TestCallsAtATime:
    def test_are_as_many_as_the_adapter_says(self, world: World) -> None:
        items = ready(world, 8)
        meeting = Meeting(world, 4)

        post_due_items(world.worker)

        assert meeting.most == 4
        assert SyncItem.objects.filter(state="POSTED").count() == len(items)

    def test_are_as_many_as_the_erp_bears(self, world: World) -> None:
        ready(world, 8)
        meeting = Meeting(world, 2)

        post_due_items(worker(world, Pace(limit=2)))

        assert meeting.most == 2

    def test_there_is_one_writer_unless_the_adapter_says_more(self, world: World) -> None:
        world.erp._capabilities = replace(world.erp.capabilities(), concurrency=1)
        ready(world, 3)
        meeting = Meeting(world, 1)

        post_due_items(world.worker)

        assert meeting.most == 1

    def test_their_threads_never_touch_the_database(self, world: World) -> None:
        ready(world, 8)
        ours = threading.get_ident()
        sql_of: set[int] = set()
        calls_of: set[int] = set()
        post = world.erp.post_many

        def post_many(docs: Sequence[Document]) -> Sequence[Posted | ErpError]:
            calls_of.add(threading.get_ident())
            return post(docs)

        world.erp.post_many = post_many  # type: ignore[method-assign]

        def noted(execute: object, *about: object) -> object:
            sql_of.add(threading.get_ident())
            return execute(*about)  # type: ignore[operator]

        with database.execute_wrapper(noted):
            post_due_items(world.worker)

        assert ours not in calls_of
        assert sql_of == {ours}

    def test_a_chunk_fills_whole_rounds_of_them(self, world: World) -> None:
        assert chunk_size(world.worker) == 24
        assert chunk_size(worker(world, Pace(limit=3))) == 24
        assert chunk_size(worker(world, Pace(limit=1))) == 25

    def test_each_answer_finds_its_item(self, world: World) -> None:
        items = ready(world, 12)

        post_due_items(world.worker)

        for item in items:
            item.refresh_from_db()
            entry = next(
                one for one in world.erp.books.entries if one.doc.ref.ramp_id == str(item.ramp_id)
            )
            assert item.erp_number == entry.number


class TestTooMuch:
    @pytest.mark.matrix("X16")
    @pytest.mark.parametrize("code", [Code.RATE_LIMITED, Code.CONFLICT])
    def test_halves_what_is_sent_at_a_time(self, world: World, code: Code) -> None:
        (odd, *_) = ready(world, 4)
        world.erp.faults.refuse[str(odd.ramp_id)] = refusal(code, erp="E")
        pace = Pace()

        post_due_items(worker(world, pace))

        assert pace.calls(4) == 2, "once for a chunk, however many of it are refused"

    def test_a_clean_chunk_adds_one(self, world: World) -> None:
        ready(world, 4)
        pace = Pace(limit=1)

        post_due_items(worker(world, pace))

        assert pace.calls(4) == 2

    def test_silence_says_nothing_of_it(self, world: World) -> None:
        ready(world, 4)
        world.erp.faults.lose_requests = 4
        pace = Pace(limit=1)

        post_due_items(worker(world, pace))

        assert pace.limit == 1

    def test_is_remembered_by_whoever_works_next(self, world: World) -> None:
        with claims.only_worker(world.connection.pk) as lease:
            assert lease is not None
            lease.pace.crowded(8)
            lease.pace.booked(10, 5)

        with claims.only_worker(world.connection.pk) as lease:
            assert lease is not None
            assert lease.pace == Pace(limit=4, per_second=2)
            assert lease.keep()
            assert lease.pace == Pace(limit=4, per_second=2)

    def test_a_worker_that_lost_the_connection_writes_nothing_of_it(self, world: World) -> None:
        with claims.only_worker(world.connection.pk) as stale:
            assert stale is not None
            let_time_pass(claims.WORK_LEASE_SECONDS + 1)
            with claims.only_worker(world.connection.pk) as lease:
                assert lease is not None
                stale.pace.crowded(8)
                assert not stale.keep()

        assert Schedule.objects.get().erp_limit is None

    @pytest.mark.matrix("X16")
    def test_of_one_customer_is_none_of_anothers(self, world: World) -> None:
        other = connection_with_schedule()
        with claims.only_worker(world.connection.pk) as lease:
            assert lease is not None
            lease.pace.crowded(8)

        assert Schedule.objects.get(pk=other.pk).erp_limit is None


class TestSpeed:
    def test_is_measured_while_there_is_work(self, world: World) -> None:
        ready(world, 4)
        pace = Pace()

        post_due_items(worker(world, pace))

        assert pace.per_second is not None
        assert pace.per_second > 0

    def test_a_slow_erp_gets_only_what_fits_in_a_turn(self, world: World) -> None:
        """One customer with a slow ERP would hold a worker for as long as its chunk takes (S1)."""
        slow = worker(world, Pace(limit=1, per_second=0.5))

        assert chunk_size(slow, seconds=5) == 3
        assert chunk_size(slow, seconds=0.1) == 1
        assert chunk_size(slow) == 25


class TestStopping:
    @pytest.fixture(autouse=True)
    def _works_on(self) -> Iterator[None]:
        yield
        stopping.forget()

    @pytest.mark.matrix("I7")
    def test_finishes_the_call_at_hand_and_gives_the_rest_back(self, world: World) -> None:
        """A deploy ends the worker in the middle of a chunk."""
        world.erp._capabilities = replace(world.erp.capabilities(), concurrency=1)
        items = ready(world, 3)
        post = world.erp.post_many

        def post_many(docs: Sequence[Document]) -> Sequence[Posted | ErpError]:
            stopping.ask()
            return post(docs)

        world.erp.post_many = post_many  # type: ignore[method-assign]

        post_due_items(world.worker)

        for item in items:
            item.refresh_from_db()
        assert [item.state for item in items] == ["POSTED", "READY", "READY"]
        assert [item.attempts for item in items] == [1, 0, 0]
        assert len(world.erp.books.entries) == 1


class TestOurReference:
    @pytest.mark.matrix("X18")
    def test_an_erp_that_keeps_another_one_stops_before_there_are_more(self, world: World) -> None:
        world.erp._capabilities = replace(world.erp.capabilities(), concurrency=1)
        first, *others = ready(world, 3)
        post = world.erp.post_many

        def cut(answer: Posted | ErpError) -> Posted | ErpError:
            assert isinstance(answer, Posted)
            ref = answer.ref
            return replace(answer, ref=Ref(ref.tenant[:8], ref.kind, ref.ramp_id))

        world.erp.post_many = lambda docs: [cut(one) for one in post(docs)]  # type: ignore[method-assign]

        post_due_items(world.worker)

        first.refresh_from_db()
        assert first.state == "MISMATCH"
        assert "has changed our reference" in first.error_title
        for item in others:
            item.refresh_from_db()
            assert item.state == "READY"
        stopped = Schedule.objects.get()
        assert stopped.blocked_code == "erp.reference_altered"
        assert len(world.erp.books.entries) == 1


def test_an_unknown_outcome_among_calls_at_a_time_stays_uncertain(world: World) -> None:
    odd, *others = ready(world, 4)
    world.erp.faults.refuse[str(odd.ramp_id)] = ErpError(
        Code.UNKNOWN, "Internal error.", "", Outcome.UNKNOWN
    )

    post_due_items(world.worker)

    odd.refresh_from_db()
    assert odd.state == "POSTING"
    assert SyncItem.objects.filter(state="POSTED").count() == len(others)
