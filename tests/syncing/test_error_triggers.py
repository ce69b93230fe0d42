"""Whatever moves items, the groups, their counts and their occurrences say how they stand."""

import threading
import uuid
from collections.abc import Callable
from datetime import timedelta
from random import Random
from typing import Any

import pytest
from django.db import connection as database
from django.db import transaction

from connections.erp.records import DocKind, Posted, Ref, State
from connections.models import Connection
from syncing import findings, outages, releases, results
from syncing.classifier import ErrorCategory, Origin, SyncFailure
from syncing.models import ErrorCount, ErrorGroup, Occurrence, SyncItem
from syncing.results import Confirmed, Refused, Uncertain
from syncing.states import ItemState
from tests.factories import ConnectionFactory, ScheduleFactory, SyncItemFactory, now

S = ItemState
MONTHS = ("May", "June", "July")
OPEN = ("READY", "POSTING", "POSTED", "ACKING", "FAILED", "REVIEW", "MISMATCH")


def failure(code: str = "erp.period_closed", title: str = "May is closed.") -> SyncFailure:
    return SyncFailure(ErrorCategory.USER_ACTIONABLE, Origin.ERP, code, title, "Reopen it.")


def refuse(item: SyncItem, why: SyncFailure | None = None, token: uuid.UUID | None = None) -> None:
    results.record_refused(token, [Refused(item.pk, why or failure(), "Said.")])


def booked(item_id: int) -> Posted:
    ref = Ref(tenant="harbor", kind=DocKind.JOURNAL, ramp_id=str(item_id))
    return Posted(ref=ref, erp_id=str(item_id), number=f"J{item_id}", state=State.POSTED)


def standing(item: SyncItem) -> Occurrence:
    return Occurrence.objects.get(item=item)


KEYS = ("connection_id", "object_type", "state", "error_category", "currency", "exponent")


def counted() -> dict[tuple[Any, ...], tuple[int, int]]:
    """What the triggers say: items and money by everything that counts are kept by."""
    return {
        (row.fingerprint, *(getattr(row, key) for key in KEYS)): (row.items, row.amount_minor)
        for row in ErrorCount.objects.all()
        if row.items or row.amount_minor
    }


def recounted() -> dict[tuple[Any, ...], tuple[int, int]]:
    """The same, counted anew from the items."""
    found: dict[tuple[Any, ...], tuple[int, int]] = {}
    for item in SyncItem.objects.filter(state__in=OPEN).exclude(error_fingerprint=""):
        key = (item.error_fingerprint, *(getattr(item, key) for key in KEYS))
        items, money = found.get(key, (0, 0))
        found[key] = (items + 1, money + item.amount_minor)
    return found


class Walk:
    """Moves items as the engine does, by its own statements, in an order drawn by chance."""

    def __init__(self, seed: int, connections: list[Connection]) -> None:
        self.chance, self.connections = Random(seed), connections
        self.moves: list[Callable[[], object]] = [
            *[self.arrive] * 3, *[self.refuse_before] * 2, self.refuse_sent, self.try_later,
            self.wait,
            self.book, self.lose, self.hold, self.release_one, self.release_cause, self.confirm,
            self.withdraw, self.find_wrong, self.outage, self.delete,
        ]  # fmt: skip

    def step(self) -> None:
        self.chance.choice(self.moves)()

    def some(self, *states: str) -> list[int]:
        ids = list(SyncItem.objects.filter(state__in=states).values_list("pk", flat=True))
        return self.chance.sample(ids, min(len(ids), self.chance.randint(1, 4)))

    def why(self) -> SyncFailure:
        code = self.chance.choice(["erp.period_closed", "erp.account_inactive", "us.bug"])
        category = self.chance.choice(list(ErrorCategory))
        month = self.chance.choice(MONTHS)
        return SyncFailure(category, Origin.ERP, code, f"{month} is closed.", blocked_by="a:1")

    def refusals(self, ids: list[int]) -> list[Refused]:
        return [Refused(id_, self.why(), "Said.", 30) for id_ in ids]

    def sent(self) -> tuple[uuid.UUID, list[int]]:
        token, ids = uuid.uuid4(), self.some(S.READY)
        SyncItem.objects.filter(pk__in=ids).update(
            state=S.POSTING, lease_token=token, lease_until=now(), attempts=1
        )
        return token, ids

    def arrive(self) -> None:
        SyncItemFactory.create_batch(
            2,
            connection=self.chance.choice(self.connections),
            amount_minor=self.chance.randint(-500, 500),
            currency=self.chance.choice(["USD", "EUR"]),
            object_type=self.chance.choice(["transaction", "bill"]),
        )

    def refuse_before(self) -> None:
        results.record_refused(None, self.refusals(self.some(S.READY)))

    def refuse_sent(self) -> None:
        token, ids = self.sent()
        results.record_refused(token, self.refusals(ids))

    def try_later(self) -> None:
        token, ids = self.sent()
        results.record_retry(token, self.refusals(ids), counts=True)

    def wait(self) -> None:
        results.record_waiting(None, [(id_, "bill:1", "Waits.") for id_ in self.some(S.READY)])

    def book(self) -> None:
        token, ids = self.sent()
        posted = [(id_, booked(id_)) for id_ in ids]
        results.record_posted(token, posted)
        reported = ids[: len(ids) // 2]
        SyncItem.objects.filter(pk__in=reported, state=S.POSTED).update(state=S.ACKING)
        SyncItem.objects.filter(pk__in=reported, state=S.ACKING).update(state=S.ACKED)

    def lose(self) -> None:
        token, ids = self.sent()
        results.record_uncertain(token, [Uncertain(id_, "504") for id_ in ids], 60, 4)

    def hold(self) -> None:
        token, ids = self.sent()
        results.record_held(token, S.REVIEW, [(id_, "Nobody knows.") for id_ in ids])

    def release_one(self) -> None:
        for connection in self.connections:
            releases.release(connection.pk, ids=self.some(S.FAILED), why="Retried.")

    def release_cause(self) -> None:
        releases.release(self.chance.choice(self.connections).pk, cause="a:1", why="Gone.")

    def confirm(self) -> None:
        done = [Confirmed(id_, "1", "J1", "", "Settled.") for id_ in self.some(S.READY)]
        results.record_confirmed(done)

    def withdraw(self) -> None:
        SyncItem.objects.filter(pk__in=self.some(S.READY, S.FAILED)).update(state=S.WITHDRAWN)

    def find_wrong(self) -> None:
        wrong = dict.fromkeys(self.some(S.ACKED), "J12 is over 3.00 USD in Tryton.")
        findings.disagree(wrong, code=findings.BOOKED_OTHERWISE)

    def outage(self) -> None:
        outages.tell_waiting(
            self.chance.choice(self.connections), self.why(), next_try=timedelta(minutes=1)
        )

    def delete(self) -> None:
        SyncItem.objects.filter(pk__in=self.some(S.WITHDRAWN)).delete()


@pytest.mark.django_db
class TestCounts:
    @pytest.mark.parametrize("seed", range(4))
    def test_equal_a_recount_whatever_moved_the_items(self, seed: int) -> None:
        silent = now() - timedelta(hours=3)
        schedules = ScheduleFactory.create_batch(3, erp_silent_since=silent)
        connections = [schedule.connection for schedule in schedules]
        walk = Walk(seed, connections)
        walk.arrive()

        most = 0
        for _ in range(90):
            walk.step()
            assert counted() == recounted()
            most = max(most, len(recounted()))

        assert most > 3, "the walk has hardly anything to count"

    def test_say_when_something_of_it_failed_last_and_not_when_one_was_tried(self) -> None:
        item = SyncItemFactory.create()
        refuse(item)
        before = ErrorCount.objects.get(state=S.FAILED).last_seen_at

        releases.release(item.connection_id, ids=[item.pk], why="Retried.")

        assert ErrorCount.objects.get(state=S.FAILED).last_seen_at == before

    def test_a_bulk_of_one_cause_is_one_row_per_customer(self) -> None:
        items = SyncItemFactory.create_batch(30, connection=ConnectionFactory.create())

        results.record_refused(None, [Refused(item.pk, failure(), "Said.") for item in items])

        row = ErrorCount.objects.get()
        assert (row.items, row.amount_minor) == (30, 30 * 12_345)


@pytest.mark.django_db
class TestOccurrences:
    def test_come_with_a_failure_and_leave_when_it_is_over(self) -> None:
        item = SyncItemFactory.create()
        refuse(item)
        assert standing(item).left_at is None

        releases.release(item.connection_id, ids=[item.pk], why="Retried.")

        assert standing(item).left_at is not None

    def test_come_back_and_count_how_often(self) -> None:
        item = SyncItemFactory.create()
        refuse(item)
        releases.release(item.connection_id, ids=[item.pk], why="Retried.")

        refuse(item)

        assert (standing(item).times, standing(item).left_at) == (2, None)

    def test_of_the_former_cause_leave_when_another_one_takes_its_place(self) -> None:
        item = SyncItemFactory.create(retrying=True)
        former = Occurrence.objects.get(item=item).fingerprint

        refuse(item, failure("erp.account_inactive"))

        assert Occurrence.objects.get(item=item, fingerprint=former).left_at is not None
        assert Occurrence.objects.exclude(fingerprint=former).get().left_at is None

    def test_leave_with_an_item_that_is_withdrawn(self) -> None:
        item = SyncItemFactory.create()
        refuse(item)

        SyncItem.objects.filter(pk=item.pk).update(state=S.WITHDRAWN)

        assert standing(item).left_at is not None

    def test_are_not_counted_for_an_answer_that_was_lost(self) -> None:
        """What is being posted keeps its last error, but a lost answer is no failure of it."""
        token = uuid.uuid4()
        item = SyncItemFactory.create(retrying=True)
        SyncItem.objects.filter(pk=item.pk).update(
            state=S.POSTING, lease_token=token, lease_until=now()
        )

        results.record_uncertain(token, [Uncertain(item.pk, "504")], 60, 4)

        assert standing(item).times == 1

    def test_nothing_is_filed_for_what_only_waits(self) -> None:
        item = SyncItemFactory.create()

        results.record_waiting(None, [(item.pk, "bill:1", "Waits for its bill.")])

        assert not ErrorGroup.objects.exists()
        assert not Occurrence.objects.exists()


@pytest.mark.django_db(transaction=True)
class TestGroups:
    def test_appear_once_when_several_customers_fail_at_the_same_moment(self) -> None:
        items = [SyncItemFactory.create() for _ in range(4)]
        begin = threading.Barrier(len(items), timeout=60)
        wrong: list[Exception] = []

        def fail(item: SyncItem) -> None:
            try:
                with transaction.atomic():
                    begin.wait()
                    refuse(item)
            except Exception as error:  # noqa: BLE001  told in the test's own thread
                wrong.append(error)
            finally:
                database.close()

        threads = [threading.Thread(target=fail, args=[item]) for item in items]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()

        assert wrong == []
        assert ErrorGroup.objects.count() == 1
        assert counted() == recounted()
        assert ErrorCount.objects.count() == 4

    def test_are_made_in_the_transaction_of_the_item(self) -> None:
        item = SyncItemFactory.create()

        with transaction.atomic():
            refuse(item)
            transaction.set_rollback(True)

        assert not ErrorGroup.objects.exists()
