"""Clocks that are wrong, commits that break, and rows of another version."""

import uuid
from datetime import UTC, datetime, timedelta

import pytest
import time_machine
from django.db import OperationalError, transaction
from django.db import connection as database

from connections.erp.records import Idempotency
from syncing import claims, results, schedule
from syncing.engine import post_due_items
from syncing.models import ItemEvent, SyncItem
from syncing.recovery import recover_lost_items
from tests.factories import SyncItemFactory
from tests.syncing.world import World, connection_with_schedule, let_time_pass

pytestmark = pytest.mark.django_db


def state() -> str:
    return SyncItem.objects.get().state


@pytest.mark.matrix("T6")
@pytest.mark.parametrize("wrong", [timedelta(hours=-1), timedelta(hours=1)], ids=["slow", "fast"])
class TestWorkersClock:
    def test_neither_posts_what_is_not_due_nor_leaves_what_is(self, wrong: timedelta) -> None:
        world = World()
        world.ready()
        let_time_pass(-1800)

        with time_machine.travel(datetime.now(UTC) + wrong):
            assert post_due_items(world.worker) == 0
            let_time_pass(1900)
            assert post_due_items(world.worker) == 1

        assert state() == "POSTED"

    def test_does_not_end_the_lease_of_another_nor_its_settle_time(self, wrong: timedelta) -> None:
        world = World(Idempotency.LOOKUP, settle=120)
        world.ready()
        world.erp.faults.land_late = 1

        with time_machine.travel(datetime.now(UTC) + wrong):
            post_due_items(world.worker)
            assert recover_lost_items(world.worker) == 0
            world.erp.land()
            let_time_pass(121)
            recover_lost_items(world.worker)

        assert state() == "POSTED"
        assert len(world.erp.books.entries) == 1

    def test_does_not_take_a_connection_from_another(self, wrong: timedelta) -> None:
        connection = connection_with_schedule()

        with (
            claims.only_worker(connection.pk) as first,
            time_machine.travel(datetime.now(UTC) + wrong),
            claims.only_worker(connection.pk) as second,
        ):
            assert first is not None
            assert second is None


@pytest.mark.matrix("T7")
class TestDatabasesClock:
    def test_that_steps_back_only_lengthens_leases(self) -> None:
        world = World(Idempotency.LOOKUP, settle=120)
        world.ready()
        world.erp.faults.lose_answers = 1
        post_due_items(world.worker)

        let_time_pass(-60)
        let_time_pass(121)
        assert recover_lost_items(world.worker) == 0
        let_time_pass(60)
        recover_lost_items(world.worker)

        assert state() == "POSTED"
        assert len(world.erp.books.entries) == 1

    def test_that_steps_back_leaves_a_connection_with_its_worker(self) -> None:
        connection = connection_with_schedule()
        with claims.only_worker(connection.pk) as first:
            let_time_pass(-60)
            let_time_pass(claims.WORK_LEASE_SECONDS + 1)
            with claims.only_worker(connection.pk) as second:
                assert first is not None
                assert second is None


class BrokenCommit(OperationalError):
    """The connection to the database broke while it committed: nobody knows whether it did."""


@pytest.mark.matrix("X2", "I6")
@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("committed", [True, False], ids=["committed", "not committed"])
class TestBrokenCommit:
    def break_next(self, monkeypatch: pytest.MonkeyPatch, *, committed: bool) -> None:
        """The next commit breaks, after it took effect or before."""
        real = database.commit
        broken: list[bool] = []

        def commit() -> None:
            if broken:
                real()
                return
            broken.append(True)
            if committed:
                real()
            else:
                database.rollback()
            database.close()
            raise BrokenCommit("server closed the connection unexpectedly")

        monkeypatch.setattr(database, "commit", commit)

    def test_of_a_claim_ends_with_one_document(
        self, monkeypatch: pytest.MonkeyPatch, *, committed: bool
    ) -> None:
        world = World(Idempotency.LOOKUP)
        world.ready()
        worker = world.worker
        _ = worker.capabilities
        self.break_next(monkeypatch, committed=committed)

        with pytest.raises(BrokenCommit):
            post_due_items(worker)
        assert state() == ("POSTING" if committed else "READY")
        assert not world.erp.books.entries
        let_time_pass(claims.LEASE_SECONDS + 1)
        recover_lost_items(world.worker)
        post_due_items(world.worker)

        assert state() == "POSTED"
        assert len(world.erp.books.entries) == 1

    def test_of_a_result_ends_with_one_document_and_its_number(
        self, monkeypatch: pytest.MonkeyPatch, *, committed: bool
    ) -> None:
        world = World(Idempotency.LOOKUP)
        world.ready()
        real = results.record_posted

        def record_posted(*about: object) -> int:
            changed = real(*about)  # type: ignore[arg-type]
            self.break_next(monkeypatch, committed=committed)
            return changed

        with monkeypatch.context() as breaking:
            breaking.setattr("syncing.results.record_posted", record_posted)
            with pytest.raises(BrokenCommit):
                post_due_items(world.worker)
        assert state() == ("POSTED" if committed else "POSTING")
        let_time_pass(claims.LEASE_SECONDS + 1)
        recover_lost_items(world.worker)

        item = SyncItem.objects.get()
        (entry,) = world.erp.books.entries
        assert (item.state, item.erp_number) == ("POSTED", entry.number)
        found = ItemEvent.objects.filter(kind__in=["posted", "found"])
        assert found.count() == 1


@pytest.mark.matrix("I8")
class TestRowsOfANewerVersion:
    """During a deploy old code runs beside new code, and sees its rows."""

    @pytest.fixture(params=["state", "type"])
    def unknown(self, request: pytest.FixtureRequest) -> SyncItem:
        connection = connection_with_schedule()
        changes = {"state": "ARCHIVED"} if request.param == "state" else {"object_type": "loan"}
        item = SyncItemFactory.create(
            connection=connection,
            due_at=datetime(2026, 1, 1, tzinfo=UTC),
            may_be_in_erp_until=datetime(2026, 1, 1, tzinfo=UTC),
            **changes,
        )
        world = World(connection=connection)
        world.connection.schedule.next_poll_at = datetime(2099, 1, 1, tzinfo=UTC)
        world.connection.schedule.save()
        return item

    def test_are_neither_claimed_nor_recovered_nor_rung_for(self, unknown: SyncItem) -> None:
        connection_id = unknown.connection_id

        with transaction.atomic():
            assert claims.lock_ready(connection_id) == []
        assert claims.take_over_lost(connection_id, uuid.uuid4(), 0) == []
        assert not any(one.work for one in schedule.ring())
