"""When a connection is rung for, and what stops it."""

import threading
import uuid
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from django.db import connection as database
from django.db import transaction

from connections.models import Connection, Credential
from connections.secrets import keep_credential
from syncing import circuit, poll_schedule, schedule
from syncing.classifier import ErrorCategory, Origin, SyncFailure
from syncing.engine import post_due_items
from syncing.models import AckBatch, Schedule, SyncItem, WorkerBeat
from syncing.schedule import Due
from tests.syncing.world import (
    World,
    begin_pull,
    connection_with_schedule,
    end_turn,
    is_probing,
    let_snapshots_age,
    let_time_pass,
    may_post,
    poll_is_due,
    wait_until_someone_waits,
)

pytestmark = pytest.mark.django_db

FAR = datetime(2099, 1, 1, tzinfo=UTC)
PAST = datetime(2020, 1, 1, tzinfo=UTC)
SILENT = SyncFailure(ErrorCategory.TRANSIENT, Origin.ERP, "erp.timeout", "No answer.")
REFUSED = SyncFailure(
    ErrorCategory.USER_ACTIONABLE, Origin.ERP, "erp.auth_expired", "Refused.", "Connect again.",
    stops_connection=True,
)  # fmt: skip
UNLINKED = SyncFailure(
    ErrorCategory.USER_ACTIONABLE, Origin.RAMP, "ramp.no_connection", "No seat.", "Choose us.",
    stops_connection=True,
)  # fmt: skip


@pytest.fixture
def connection() -> Connection:
    """A live connection with nothing to do."""
    connection = connection_with_schedule()
    Schedule.objects.update(next_poll_at=FAR)
    return connection


def item(connection: Connection, state: str = "READY", **changes: Any) -> SyncItem:
    now = datetime.now(UTC)
    needed: dict[str, Any] = {
        "POSTING": {"lease_token": uuid.uuid4(), "may_be_in_erp_until": FAR},
        "POSTED": {"erp_id": "1"},
        "FAILED": {"error_category": "user_actionable"},
    }
    values = {
        "connection": connection, "object_type": "transaction", "ramp_id": uuid.uuid4(),
        "label": "Figma", "state": state, "state_at": now, "ready_at": now, "due_at": PAST,
        "seen_ready_at": now, "snapshot_at": now, "content_hash": "x",
    }  # fmt: skip
    return SyncItem.objects.create(**(values | needed.get(state, {}) | changes))


def due(connection: Connection) -> set[str]:
    """What the connection is rung for, as words."""
    let_time_pass(schedule.RING_AGAIN_SECONDS + 1)
    found = [one for one in schedule.ring() if one.connection_id == connection.pk]
    return {
        word
        for one in found
        for word in ("poll", "work", "report", "recheck")
        if getattr(one, word)
    }


class TestRing:
    def test_leaves_a_connection_alone_that_has_nothing_to_do(self, connection: Connection) -> None:
        item(connection, "READY", due_at=FAR)
        item(connection, "POSTING")
        item(connection, "ACKED")
        item(connection, "FAILED", due_at=None)

        assert due(connection) == set()

    @pytest.mark.parametrize(
        ("state", "changes", "word"),
        [
            ("READY", {}, "work"),
            ("POSTING", {"may_be_in_erp_until": PAST}, "work"),
            ("POSTED", {}, "report"),
            ("FAILED", {"due_at": None, "failure_telling": "due"}, "report"),
            ("ACKED", {"reack_due": True}, "report"),
            ("FAILED", {"blocked_by": "erp.period_closed:2026-11"}, "recheck"),
        ],
        ids=["ready", "lost", "posted", "failed", "offered again", "blocked"],
    )
    def test_rings_for_an_item_by_what_it_waits_for(
        self, connection: Connection, state: str, changes: dict[str, Any], word: str
    ) -> None:
        item(connection, state, **changes)

        assert due(connection) == {word}

    @pytest.mark.parametrize("column", ["next_poll_at", "fetch_due_at"])
    def test_rings_for_a_pull_when_poll_or_webhook_want_it(
        self, connection: Connection, column: str
    ) -> None:
        Schedule.objects.update(**{column: PAST})

        assert due(connection) == {"poll"}

    def test_rings_for_an_open_report_once_it_is_due(self, connection: Connection) -> None:
        batch = AckBatch.objects.create(
            connection=connection, sync_type="TRANSACTION_SYNC", outcome="success",
            key=uuid.uuid4(), body=b"{}", size=1, created_at=PAST, due_at=FAR,
        )  # fmt: skip
        assert due(connection) == set()

        AckBatch.objects.filter(pk=batch.pk).update(due_at=PAST)
        assert due(connection) == {"report"}

    def test_rings_at_most_once_in_five_seconds(self, connection: Connection) -> None:
        """Else a slow queue fills with repeats of one thing to do."""
        item(connection)

        assert len(schedule.ring()) == 1
        assert schedule.ring() == []
        let_time_pass(schedule.RING_AGAIN_SECONDS + 1)
        assert len(schedule.ring()) == 1

    def test_rings_again_at_once_when_more_is_known_to_be_there(
        self, connection: Connection
    ) -> None:
        item(connection)
        schedule.ring()

        schedule.work_soon(connection.pk)

        assert len(schedule.ring()) == 1

    def test_does_not_ring_for_what_somebody_is_at(self, connection: Connection) -> None:
        item(connection)
        Schedule.objects.update(next_poll_at=PAST, work_lease_until=FAR, poll_lease_until=FAR)

        assert due(connection) == set()

    @pytest.mark.parametrize(
        ("stage", "expected"),
        [
            ("live", {"poll", "work", "report"}),
            ("paused", {"report"}),
            ("setting_up", set()),
            ("closed", set()),
        ],
    )
    def test_a_paused_connection_only_says_what_has_happened(
        self, connection: Connection, stage: str, expected: set[str]
    ) -> None:
        item(connection)
        item(connection, "POSTED")
        Schedule.objects.update(next_poll_at=PAST)
        connection.stage = stage
        connection.save()

        assert due(connection) == expected

    def test_the_longest_waiting_come_first(self, connection: Connection) -> None:
        """Fairness: one busy customer does not hide the others (S1)."""
        others = [connection_with_schedule() for _ in range(3)]
        for one in [connection, *others]:
            item(one)
        first = [one.connection_id for one in schedule.ring(limit=2)]
        second = [one.connection_id for one in schedule.ring(limit=2)]

        assert len(set(first + second)) == 4

    def test_an_item_that_moved_on_while_it_was_told_does_not_ring_for_ever(
        self, connection: Connection
    ) -> None:
        item(connection, "ACKED", failure_telling="due")

        assert due(connection) == set()

    def test_costs_one_statement_however_many_connections(
        self, connection: Connection, django_assert_num_queries: Any
    ) -> None:
        for _ in range(5):
            item(connection_with_schedule())

        with django_assert_num_queries(1):
            schedule.ring()


def post_one(connection: Connection) -> None:
    """The ERP books a transaction."""
    world = World(connection=connection)
    world.ready()
    post_due_items(world.worker)


class TestCircuit:
    @pytest.mark.matrix("X17")
    def test_leaves_a_silent_erp_alone_and_then_probes(self, connection: Connection) -> None:
        item(connection)

        wait = circuit.erp_stopped(connection, SILENT, jitter=1.0)

        assert 0 < wait <= 2
        assert due(connection) == {"work"}, "six seconds later it is time to probe"
        assert is_probing(connection)

    @pytest.mark.matrix("X17")
    def test_waits_longer_each_time_but_never_more_than_a_minute(
        self, connection: Connection
    ) -> None:
        """One probe a minute."""
        waits = [circuit.erp_stopped(connection, SILENT, jitter=1.0) for _ in range(10)]

        assert waits == sorted(waits)
        assert waits[-1] == 60

    @pytest.mark.matrix("X17")
    def test_after_a_long_silence_probes_are_never_close_together(
        self, connection: Connection
    ) -> None:
        """Jitter alone would now and then knock twice within a second."""
        waits = [circuit.erp_stopped(connection, SILENT, jitter=0.0) for _ in range(10)]

        assert waits[0] == 1
        assert waits[-1] == 30

    def test_remembers_since_when_the_erp_is_silent(self, connection: Connection) -> None:
        circuit.erp_stopped(connection, SILENT, jitter=1.0)
        since = Schedule.objects.get().erp_silent_since
        let_time_pass(3600)
        circuit.erp_stopped(connection, SILENT, jitter=1.0)
        assert Schedule.objects.get().erp_silent_since == since
        assert since is not None

        post_one(connection)
        assert Schedule.objects.get().erp_silent_since is None

    @pytest.mark.matrix("X16")
    def test_waits_as_long_as_the_erp_asks(self, connection: Connection) -> None:
        asked = SyncFailure(
            ErrorCategory.TRANSIENT, Origin.ERP, "erp.rate_limited", "Slow.", retry_after=90
        )

        assert circuit.erp_stopped(connection, asked, jitter=0.0) == 90

    def test_while_it_is_open_nothing_is_rung_for(self, connection: Connection) -> None:
        item(connection)
        item(connection, "FAILED", blocked_by="erp.period_closed:2026-11")

        circuit.erp_stopped(connection, REFUSED, jitter=0.5)

        assert due(connection) == set()
        assert not may_post(connection)

    @pytest.mark.matrix("X16")
    def test_another_customer_goes_on(self, connection: Connection) -> None:
        other = connection_with_schedule()
        circuit.erp_stopped(connection, SILENT, jitter=1.0)

        assert may_post(other)
        assert not is_probing(other)

    def test_an_answer_closes_it(self, connection: Connection) -> None:
        circuit.erp_stopped(connection, REFUSED, jitter=0.5)

        post_one(connection)

        assert may_post(connection)
        assert not is_probing(connection)
        assert Schedule.objects.get().blocked_at is None


class TestBlock:
    @pytest.mark.matrix("X15")
    def test_a_revoked_access_is_shown_with_what_to_do(self, connection: Connection) -> None:
        circuit.erp_stopped(connection, REFUSED, jitter=0.5)

        shown = Schedule.objects.get()
        assert (shown.blocked_side, shown.blocked_title, shown.blocked_fix) == (
            "erp",
            "Refused.",
            "Connect again.",
        )

    def test_the_same_problem_keeps_its_first_time(self, connection: Connection) -> None:
        circuit.block(connection.pk, REFUSED, side=circuit.ERP)
        Schedule.objects.update(blocked_at=PAST)

        circuit.block(connection.pk, REFUSED, side=circuit.ERP)
        assert Schedule.objects.get().blocked_at == PAST
        circuit.block(connection.pk, UNLINKED, side=circuit.RAMP)
        assert Schedule.objects.get().blocked_at != PAST

    def test_one_side_does_not_lift_the_block_of_the_other(self, connection: Connection) -> None:
        circuit.block(connection.pk, REFUSED, side=circuit.ERP)
        with poll_schedule.only_poller(connection) as lease:
            assert lease is not None
            lease.pull_done(next_in=timedelta(hours=1))
        assert Schedule.objects.get().blocked_side == "erp"

        circuit.block(connection.pk, UNLINKED, side=circuit.RAMP)
        post_one(connection)
        assert Schedule.objects.get().blocked_side == "ramp"

    @pytest.mark.matrix("K17")
    def test_without_a_seat_in_ramp_nothing_is_posted(self, connection: Connection) -> None:
        item(connection)
        item(connection, "POSTED")
        circuit.block(connection.pk, UNLINKED, side=circuit.RAMP)

        assert due(connection) == {"report"}, "trying to report is what finds out that it is back"
        assert not may_post(connection)

    def test_an_answer_of_ramp_that_nobody_knows_does_not_stop_posting(
        self, connection: Connection
    ) -> None:
        odd = SyncFailure(ErrorCategory.NEEDS_INTEGRATOR, Origin.RAMP, "ramp.odd", "Odd.")
        circuit.block(connection.pk, odd, side=circuit.RAMP)

        assert may_post(connection)


class TestNewCredentials:
    """Nobody should have to wait a quarter of an hour for what they have just mended."""

    @pytest.mark.matrix("X15")
    def test_of_the_erp_let_one_item_probe_at_once(self, connection: Connection) -> None:
        item(connection)
        circuit.erp_stopped(connection, REFUSED, jitter=0.5)
        assert not may_post(connection)

        keep_credential(connection, Credential.Side.ERP, {"password": "new"})

        assert Schedule.objects.get().blocked_at is None
        assert may_post(connection)
        assert is_probing(connection)
        assert due(connection) == {"work"}

    @pytest.mark.matrix("T4")
    def test_of_ramp_let_it_be_polled_at_once(self, connection: Connection) -> None:
        circuit.block(connection.pk, UNLINKED, side=circuit.RAMP)

        keep_credential(connection, Credential.Side.RAMP, {"client_secret": "new"})

        assert Schedule.objects.get().blocked_at is None
        assert due(connection) == {"poll"}

    def test_of_one_side_do_not_lift_the_block_of_the_other(self, connection: Connection) -> None:
        circuit.erp_stopped(connection, REFUSED, jitter=0.5)

        keep_credential(connection, Credential.Side.RAMP, {"client_secret": "new"})

        assert Schedule.objects.get().blocked_side == "erp"
        assert not may_post(connection)

    def test_of_one_customer_concern_nobody_else(self, connection: Connection) -> None:
        other = connection_with_schedule()
        circuit.erp_stopped(connection, REFUSED, jitter=0.5)

        keep_credential(other, Credential.Side.ERP, {"password": "new"})

        assert not may_post(connection)


class TestOldSnapshots:
    def test_do_not_ask_more_than_once_a_minute(self, connection: Connection) -> None:
        """Ramp's list may not have them; each is then read singly, and only now and then."""
        item(connection)
        let_snapshots_age(3600)
        begin_pull(connection)

        end_turn(connection)

        assert not poll_is_due(connection)
        let_time_pass(61)
        assert poll_is_due(connection)

    def test_of_items_that_are_not_due_ask_for_nothing(self, connection: Connection) -> None:
        item(connection, due_at=FAR)
        let_snapshots_age(3600)

        end_turn(connection)

        assert not poll_is_due(connection)


class TestProgress:
    @pytest.mark.matrix("I2")
    def test_a_worker_leaves_a_beat_with_each_task(self) -> None:
        schedule.progress("worker-1")
        schedule.progress("worker-1")

        assert WorkerBeat.objects.get().tasks == 2

    def test_workers_that_are_long_gone_are_forgotten_but_for_the_last(self) -> None:
        for name, days in (("gone", 20), ("away", 12), ("last", 10)):
            schedule.progress(name)
            WorkerBeat.objects.filter(worker=name).update(
                beat_at=datetime.now(UTC) - timedelta(days=days)
            )

        schedule.forget_workers()

        assert set(WorkerBeat.objects.values_list("worker", flat=True)) == {"away", "last"}


@pytest.mark.django_db(transaction=True)
@pytest.mark.matrix("I3")
def test_two_beats_in_the_same_instant_ring_once() -> None:
    """The second waits for the row, and must look at it again."""
    connection = connection_with_schedule()
    item(connection)
    rung: list[list[Due]] = []

    def ring() -> None:
        rung.append(schedule.ring())
        database.close()

    second = threading.Thread(target=ring)

    with transaction.atomic():
        first = schedule.ring()
        second.start()
        wait_until_someone_waits()
    second.join(60)

    assert len(first) == 1
    assert rung == [[]]


@pytest.mark.django_db(transaction=True)
@pytest.mark.matrix("I3")
def test_two_beats_take_their_rows_in_one_order_and_never_wait_for_each_other() -> None:
    """Found by killing workers: each held what the other wanted, and one broke off (deadlock)."""
    first, second = sorted((connection_with_schedule() for _ in range(2)), key=lambda one: one.pk)
    for one in (first, second):
        item(one)
    # The one whose turn it is first is not the one that is locked first.
    Schedule.objects.filter(pk=first.pk).update(rung_at=datetime(2020, 1, 1, tzinfo=UTC))
    rung: list[list[Due]] = []

    def ring() -> None:
        rung.append(schedule.ring())
        database.close()

    other = threading.Thread(target=ring)

    with transaction.atomic():
        Schedule.objects.filter(pk=first.pk).update(poll_failures=1)
        other.start()
        wait_until_someone_waits()
        Schedule.objects.filter(pk=second.pk).update(poll_failures=1)
    other.join(60)

    assert {due.connection_id for due in rung[0]} == {first.pk, second.pk}
