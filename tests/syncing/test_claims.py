"""Leases and compare-and-set: of two workers one wins; one that lost its lease writes nothing."""

import random
import threading
import uuid
from collections import Counter
from collections.abc import Callable
from typing import Any

import pytest
from django.db import DatabaseError, IntegrityError, transaction
from django.db import connection as database
from django.db.models import Count, Sum
from django.test.utils import CaptureQueriesContext

from connections.erp.errors import Code
from connections.erp.records import Document, Idempotency, Posted, State
from connections.erp.refusals import refusal
from connections.mappings import Profile
from syncing import claims, planning, results, snapshots
from syncing.claims import CHUNK, LEASE_SECONDS
from syncing.classifier import classify, unexpected
from syncing.engine import for_person, post_due_items
from syncing.models import ItemCount, ItemEvent, ItemPayload, SyncItem
from syncing.recovery import recover_lost_items
from syncing.releases import release
from syncing.results import Uncertain
from syncing.states import TRANSITIONS, ItemState
from tests.syncing.world import World, let_time_pass, list_ready, transaction_body

pytestmark = pytest.mark.django_db


def claimed(world: World) -> tuple[uuid.UUID, list[int]]:
    """Claim what is due, as a worker does. Returns its token and the items."""
    token = uuid.uuid4()
    with transaction.atomic():
        items = claims.lock_ready(world.connection.pk)
        documents = [
            (item.id, document)
            for item in items
            if isinstance(document := planning.make_document(world.worker, item), Document)
        ]
        claims.begin_posting(token, documents, 0)
    return token, [item.id for item in items]


@pytest.mark.matrix("X13")
def test_an_intent_over_what_another_has_taken_is_refused_whole() -> None:
    world = World()
    first, second = world.ready(transaction_body(), transaction_body())
    items = claims.lock_ready(world.connection.pk)
    documents = [(item.id, planning.make_document(world.worker, item)) for item in items]
    SyncItem.objects.filter(pk=second.pk).update(state="EXTERNAL")

    with pytest.raises(claims.NotOurs, match="1 of 2"), transaction.atomic():
        claims.begin_posting(uuid.uuid4(), documents, 0)  # type: ignore[arg-type]

    first.refresh_from_db()
    assert first.state == "READY"


def answer(world: World) -> Posted:
    frozen = ItemPayload.objects.get().document
    assert frozen is not None
    return Posted(
        ref=Document.from_json(frozen).ref, erp_id="7", number="DOC-7", state=State.POSTED
    )


WRITES: dict[str, Callable[[World, uuid.UUID, int], int]] = {
    "posted": lambda world, token, id_: results.record_posted(token, [(id_, answer(world))]),
    "refused": lambda world, token, id_: results.record_refused(
        token, [for_person(id_, unexpected(ValueError("x")))]
    ),
    "retry": lambda world, token, id_: results.record_retry(
        token,
        [results.Refused(id_, classify(refusal(Code.CONFLICT, erp="E"), erp_name="E"), "", 5)],
        counts=True,
    ),
    "uncertain": lambda world, token, id_: results.record_uncertain(
        token, [Uncertain(id_, "lost")], 0, 0
    ),
    "held": lambda world, token, id_: results.record_held(token, "REVIEW", [(id_, "why")]),
    "given back": lambda world, token, id_: results.give_back(token, [id_]),
}


class TestLease:
    @pytest.mark.parametrize("write", WRITES.values(), ids=WRITES.keys())
    @pytest.mark.matrix("X12")
    def test_a_worker_whose_items_were_taken_over_writes_nothing(
        self, write: Callable[[World, uuid.UUID, int], int]
    ) -> None:
        world = World(Idempotency.LOOKUP)
        world.ready()
        stale, (id_,) = claimed(world)
        let_time_pass(LEASE_SECONDS + 1)
        assert claims.take_over_lost(world.connection.pk, uuid.uuid4(), 0)
        before = SyncItem.objects.values().get()
        events = ItemEvent.objects.count()

        assert write(world, stale, id_) == 0

        assert SyncItem.objects.values().get() == before
        assert ItemEvent.objects.count() == events

    @pytest.mark.parametrize("write", WRITES.values(), ids=WRITES.keys())
    @pytest.mark.matrix("I6")
    def test_the_holder_writes_once(self, write: Callable[[World, uuid.UUID, int], int]) -> None:
        """What is repeated after a broken COMMIT changes nothing."""
        world = World()
        world.ready()
        token, (id_,) = claimed(world)

        first = write(world, token, id_)
        SyncItem.objects.filter(state="POSTING").update(lease_token=uuid.uuid4())

        assert first == 1
        assert write(world, token, id_) == 0

    @pytest.mark.matrix("X12")
    def test_what_is_posted_is_not_failed_by_a_late_worker(self) -> None:
        """To the letter: FAILED over POSTED."""
        world = World()
        world.ready()
        token, (id_,) = claimed(world)
        results.record_posted(token, [(id_, answer(world))])

        WRITES["refused"](world, token, id_)

        assert SyncItem.objects.get().state == "POSTED"

    def test_the_intent_is_durable_before_anything_is_sent(
        self, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        """Rule 2: look into the database from inside the call."""
        world = World()
        world.ready()
        inside: list[tuple[str, str]] = []
        real = world.erp.post_many

        def look(documents: Any) -> Any:
            item = SyncItem.objects.get()
            inside.append((item.state, item.erp_ref))
            assert ItemPayload.objects.get().document == documents[0].to_json()
            return real(documents)

        monkeypatch.setattr(world.erp, "post_many", look)
        post_due_items(world.worker)

        assert inside == [("POSTING", SyncItem.objects.get().erp_ref)]

    def test_of_two_workers_on_one_connection_one_waits(self) -> None:
        world = World()

        with claims.only_worker(world.connection.pk) as first:
            with claims.only_worker(world.connection.pk) as second:
                assert second is None
            assert first is not None
            assert first.keep(), "the loser freed nothing"
        with claims.only_worker(world.connection.pk) as third:
            assert third is not None

    def test_a_work_lease_that_ran_out_can_be_taken_and_not_kept(self) -> None:
        world = World()

        with claims.only_worker(world.connection.pk) as first:
            assert first is not None
            let_time_pass(claims.WORK_LEASE_SECONDS + 1)
            with claims.only_worker(world.connection.pk) as second:
                assert second is not None
                assert not first.keep()


class TestChunks:
    def test_takes_at_most_a_chunk_the_longest_due_first(self) -> None:
        world = World()
        items = world.ready(*(transaction_body() for _ in range(CHUNK + 5)))
        late = items[0]
        SyncItem.objects.exclude(pk=late.pk).update(due_at="2020-01-01T00:00Z")

        assert post_due_items(world.worker) == CHUNK
        late.refresh_from_db()
        assert late.state == "READY"
        assert post_due_items(world.worker) == 5

    def test_class_n_claims_one_at_a_time(self) -> None:
        """Rule 2: an item that was never sent must not need a person."""
        world = World(Idempotency.NONE)
        world.ready(*(transaction_body() for _ in range(3)))

        assert post_due_items(world.worker) == 1
        assert SyncItem.objects.filter(state="READY").count() == 2

    def test_a_chunk_of_any_size_costs_the_same_statements(self) -> None:
        counts = {}
        for size in (1, 5, CHUNK):
            world = World()
            world.ready(*(transaction_body() for _ in range(size)))
            with CaptureQueriesContext(database) as queries:
                assert post_due_items(world.worker) == size
            counts[size] = [query["sql"].split()[0] for query in queries]

        assert counts[1] == counts[5] == counts[CHUNK]
        assert len(counts[1]) <= 9

    def test_a_chunk_of_refusals_of_any_size_costs_the_same_statements(self) -> None:
        counts = set()
        for size in (1, CHUNK):
            world = World()
            world.ready(*(transaction_body(account="6999") for _ in range(size)))
            world.erp.books.deactivate("account", "6999")  # type: ignore[arg-type]
            with CaptureQueriesContext(database) as queries:
                post_due_items(world.worker)
            counts.add(len(queries))

        assert len(counts) == 1

    def test_recovery_of_any_size_costs_the_same_statements(self) -> None:
        counts = set()
        for size in (1, CHUNK):
            world = World(Idempotency.LOOKUP)
            world.ready(*(transaction_body() for _ in range(size)))
            world.erp.faults.lose_answers = size
            post_due_items(world.worker)
            let_time_pass(1000)
            with CaptureQueriesContext(database) as queries:
                assert recover_lost_items(world.worker) == size
            counts.add(len(queries))

        assert len(counts) == 1


class TestDatabaseGuards:
    @pytest.mark.parametrize(
        ("before", "after"),
        [(a, b) for a in ItemState for b in ItemState if a != b and b not in TRANSITIONS[a]],
        ids=lambda state: state.value,
    )
    def test_a_step_that_is_not_an_arrow_is_refused(
        self, before: ItemState, after: ItemState
    ) -> None:
        """INV7."""
        world = World()
        (item,) = world.ready()
        _put(item, before)

        with pytest.raises(DatabaseError, match="Invalid transition"), transaction.atomic():
            SyncItem.objects.filter(pk=item.pk).update(
                state=after, erp_id="1", lease_token=uuid.uuid4(), error_category="transient"
            )

    @pytest.mark.parametrize(
        ("before", "after"),
        [(a, b) for a, bs in TRANSITIONS.items() for b in sorted(bs)],
        ids=lambda state: state.value,
    )
    def test_every_arrow_is_allowed(self, before: ItemState, after: ItemState) -> None:
        world = World()
        (item,) = world.ready()
        _put(item, before)

        SyncItem.objects.filter(pk=item.pk).update(
            state=after, erp_id="1", lease_token=uuid.uuid4(), error_category="transient"
        )

        item.refresh_from_db()
        assert item.state == after

    @pytest.mark.parametrize(
        ("state", "changes"),
        [("POSTING", {}), ("FAILED", {}), ("POSTED", {"erp_id": ""})],
        ids=["no lease", "no category", "no document"],
    )
    def test_a_state_without_what_makes_it_true_is_refused(
        self, state: str, changes: dict[str, Any]
    ) -> None:
        world = World()
        (item,) = world.ready()
        if state == "POSTED":
            _put(item, ItemState.POSTING)

        with pytest.raises(IntegrityError), transaction.atomic():
            SyncItem.objects.filter(pk=item.pk).update(state=state, **changes)

    def test_one_object_is_one_item_for_ever(self) -> None:
        world = World()
        (item,) = world.ready()
        item.pk = None

        with pytest.raises(IntegrityError), transaction.atomic():
            item.save(force_insert=True)

    def test_a_timeline_cannot_be_edited(self) -> None:
        """INV14."""
        world = World()
        world.ready()

        with pytest.raises(DatabaseError, match="Cannot update"), transaction.atomic():
            ItemEvent.objects.update(text="Nothing happened.")


class TestRollUp:
    @pytest.mark.parametrize("seed", range(6))
    def test_counts_equal_a_recount_after_any_walk(self, seed: int) -> None:
        """The counts on pages are kept by triggers; a wrong one would never correct itself."""
        dice = random.Random(seed)
        worlds = [World(), World(Idempotency.LOOKUP)]
        steps = [_arrive, _change, _post, _lose, _refuse, _recover, _release, _leave]

        for _ in range(25):
            dice.choice(steps)(dice.choice(worlds), dice)
            assert _kept() == _recounted()

    def test_counts_follow_a_deletion(self) -> None:
        world = World()
        world.ready(transaction_body(), transaction_body())
        ItemEvent.objects.all().delete()
        ItemPayload.objects.all().delete()
        SyncItem.objects.all()[0].delete()

        assert _kept() == _recounted()

    def test_a_thousand_items_cost_one_count_row(self) -> None:
        world = World()
        world.ready(*(transaction_body() for _ in range(100)))

        assert ItemCount.objects.get().items == 100


_KEYS = ("connection", "object_type", "state", "error_category", "currency", "exponent")


def _kept() -> set[tuple[Any, ...]]:
    counts = ItemCount.objects.exclude(items=0, amount_minor=0)
    return set(counts.values_list(*_KEYS, "items", "amount_minor"))


def _recounted() -> set[tuple[Any, ...]]:
    items = SyncItem.objects.order_by().values_list(*_KEYS)
    return set(items.annotate(count=Count("id"), total=Sum("amount_minor")))


def _arrive(world: World, dice: random.Random) -> None:
    currency = dice.choice(["USD", "JPY"])
    bodies = [
        transaction_body(
            entity_amount={"value": dice.randint(-999, 9999) or 1, "currency": currency},
            line_items=[],
            accounting_field_selections=[],
        )
        for _ in range(dice.randint(1, 4))
    ]
    list_ready(world.connection, *bodies)


def _change(world: World, dice: random.Random) -> None:
    payloads = list(ItemPayload.objects.filter(item__connection=world.connection))
    if payloads:
        body = dice.choice(payloads).ramp
        amount = {"value": dice.randint(1, 9999), "currency": "USD"}
        list_ready(world.connection, body | {"entity_amount": amount})


def _post(world: World, dice: random.Random) -> None:
    fallback = dice.choice(["6200", "6999", "nowhere", ""])
    world.mappings.profiles[""] = Profile("2150", fallback_expense_account=fallback)  # type: ignore[index]
    post_due_items(world.worker)


def _lose(world: World, dice: random.Random) -> None:
    world.erp.faults.lose_answers = dice.randint(0, 3)
    world.erp.faults.lose_requests = dice.randint(0, 3)


def _refuse(world: World, dice: random.Random) -> None:
    code = dice.choice([Code.CONFLICT, Code.AUTH_EXPIRED, Code.RATE_LIMITED, None])
    world.erp.faults.refuse_with = refusal(code, erp="E") if code else None


def _recover(world: World, dice: random.Random) -> None:
    let_time_pass(2000)
    recover_lost_items(world.worker)


def _release(world: World, dice: random.Random) -> None:
    failed = SyncItem.objects.filter(connection=world.connection, state="FAILED")
    release(world.connection.pk, ids=list(failed.values_list("pk", flat=True)), why="Retried.")


def _leave(world: World, dice: random.Random) -> None:
    for item in SyncItem.objects.filter(connection=world.connection)[:2]:
        snapshots.leave(item.pk, dice.choice(["EXTERNAL", "WITHDRAWN"]), why="Gone.")


def _put(item: SyncItem, state: ItemState) -> None:
    """Bring an item into a state along the arrows."""
    for step in _way(ItemState.READY, state):
        SyncItem.objects.filter(pk=item.pk).update(
            state=step, erp_id="1", lease_token=uuid.uuid4(), error_category="transient"
        )


def _way(start: ItemState, goal: ItemState) -> list[ItemState]:
    ways: list[list[ItemState]] = [[]]
    for way in ways:
        here = way[-1] if way else start
        if here == goal:
            return way
        ways.extend([*way, after] for after in sorted(TRANSITIONS[here]) if after not in way)
    raise AssertionError(f"No way leads to {goal}.")


@pytest.mark.django_db(transaction=True)
class TestTwoConnections:
    @pytest.mark.matrix("X13")
    def test_a_locked_row_is_passed_over(self) -> None:
        world = World()
        world.ready(*(transaction_body() for _ in range(3)))
        theirs: list[int] = []

        def other() -> None:
            with transaction.atomic():
                theirs.extend(item.id for item in claims.lock_ready(world.connection.pk))
            database.close()

        with transaction.atomic():
            ours = [item.id for item in claims.lock_ready(world.connection.pk, 2)]
            _run(other)

        assert len(ours) == 2
        assert len(theirs) == 1
        assert not set(ours) & set(theirs)

    def test_a_worker_does_not_wait_for_lost_items_that_another_has_just_locked(self) -> None:
        world = World(Idempotency.LOOKUP)
        world.ready(*(transaction_body() for _ in range(3)))
        world.erp.faults.lose_requests = 3
        post_due_items(world.worker)
        let_time_pass(1000)
        theirs: list[claims.Claimed] = []

        def other() -> None:
            theirs.extend(claims.take_over_lost(world.connection.pk, uuid.uuid4(), 0))
            database.close()

        with transaction.atomic():
            SyncItem.objects.select_for_update().order_by("id")[:1].get()
            _run(other)

        assert len(theirs) == 2

    @pytest.mark.matrix("X13", "X1")
    def test_two_workers_post_everything_once(self) -> None:
        world = World(Idempotency.LOOKUP)  # nothing in the ERP itself would stop a second one
        world.ready(*(transaction_body() for _ in range(120)))
        worker = world.worker

        def work() -> None:
            while post_due_items(worker, limit=10):
                pass
            database.close()

        _run(work, work, work)

        assert SyncItem.objects.filter(state="POSTED").count() == 120
        refs = Counter(entry.doc.ref for entry in world.erp.books.entries)
        assert len(refs) == 120
        assert set(refs.values()) == {1}

    def test_two_workers_recover_each_item_once(self) -> None:
        world = World(Idempotency.LOOKUP)
        world.ready(*(transaction_body() for _ in range(60)))
        world.erp.faults.lose_requests = 60
        while post_due_items(world.worker):
            let_time_pass(100)
        let_time_pass(1000)
        worker = world.worker

        def work() -> None:
            while recover_lost_items(worker):
                pass
            database.close()

        _run(work, work)

        assert SyncItem.objects.filter(state="POSTED").count() == 60
        assert len(world.erp.books.entries) == 60

    def test_no_lock_is_held_while_the_erp_is_called(self, monkeypatch: pytest.MonkeyPatch) -> None:
        """Rule 1."""
        world = World()
        world.ready()
        real = world.erp.post_many
        seen: list[int] = []

        def look() -> None:
            with transaction.atomic():
                rows = SyncItem.objects.select_for_update(nowait=True).all()
                seen.append(len(rows))
            database.close()

        def post_many(documents: Any) -> Any:
            assert not database.in_atomic_block
            _run(look)
            return real(documents)

        monkeypatch.setattr(world.erp, "post_many", post_many)
        post_due_items(world.worker)

        assert seen == [1]

    @pytest.mark.matrix("X1", "X2")
    def test_a_worker_that_dies_before_its_claim_is_committed_leaves_nothing(self) -> None:
        world = World()
        (item,) = world.ready()

        def die() -> None:
            with transaction.atomic():
                claimed(world)
                raise ZeroDivisionError

        with pytest.raises(ZeroDivisionError):
            die()

        item.refresh_from_db()
        assert (item.state, item.attempts) == ("READY", 0)
        assert post_due_items(world.worker) == 1


def _run(*jobs: Callable[[], None]) -> None:
    """Run each in a thread of its own, with its own connection to the database."""
    problems: list[BaseException] = []

    def guarded(job: Callable[[], None]) -> None:
        try:
            job()
        except BaseException as error:  # noqa: BLE001  raised again below
            problems.append(error)
            database.close()

    threads = [threading.Thread(target=guarded, args=[job], daemon=True) for job in jobs]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)
        assert not thread.is_alive(), "it waits for a lock"
    if problems:
        raise problems[0]
