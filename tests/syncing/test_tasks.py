"""Doorbells: whoever rings, and however often, the rows decide."""

from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from threading import Event
from typing import Any
from uuid import UUID

import pytest
from django.db import connection as database
from kombu.exceptions import OperationalError

from connections.erp.adapters.in_memory import forget_named
from connections.erp.errors import Code, ErpError
from connections.erp.records import Document, Posted
from connections.erp.refusals import refusal
from connections.models import Credential
from connections.secrets import keep_credential
from syncing import circuit, claims, in_hand, poll_schedule, schedule, tasks
from syncing.classifier import ErrorCategory, Origin, SyncFailure
from syncing.in_hand import InHand
from syncing.models import Schedule, SyncItem, SyncRun, WorkerBeat
from syncing.statements import only_one
from syncing.tasks import CHUNKS_PER_RING
from tests.syncing.ramp import Customer
from tests.syncing.world import let_snapshots_age, let_time_pass

pytestmark = pytest.mark.django_db

_ANSWER_HERE = tasks.answer_here


@pytest.fixture
def customer(monkeypatch: pytest.MonkeyPatch) -> Iterator[Customer]:
    """A customer whose tasks find the pretend Ramp and the ERP in memory."""
    customer = Customer()
    monkeypatch.setattr("connections.clients.ramp_client", lambda *_, **__: customer.ramp)
    monkeypatch.setattr("connections.clients.erp_adapter", lambda *_: customer.world.erp)
    monkeypatch.setattr("syncing.tasks.mapping_set", lambda *_: customer.world.mappings)
    monkeypatch.setattr("syncing.tasks.ring", lambda *_, **__: None)
    monkeypatch.setattr("syncing.tasks.answer_here", lambda *_: None)
    yield customer
    customer.sim.close()


def run(task: Any, customer: Customer) -> None:
    task(connection_id=str(customer.connection.pk), from_a_later_version="ignored")


def rings_for(customer: Customer) -> bool:
    """Whether the next sweep rings for work on the customer."""
    return any(one.connection_id == customer.connection.pk and one.work for one in schedule.ring())


@contextmanager
def held_elsewhere(work: str) -> Iterator[None]:
    """Another process is at this work."""
    begun, ended = Event(), Event()

    def hold() -> None:
        try:
            with only_one(work) as is_mine:
                assert is_mine
                begun.set()
                ended.wait(30)
        finally:
            begun.set()
            database.close()

    with ThreadPoolExecutor(1) as thread:
        holding = thread.submit(hold)
        begun.wait(30)
        try:
            yield
        finally:
            ended.set()
        holding.result()


class TestRounds:
    def test_pull_post_and_report_bring_a_transaction_through(self, customer: Customer) -> None:
        bought = customer.spend()
        poll_schedule.fetch_soon(customer.connection.pk)

        run(tasks.poll_connection, customer)
        run(tasks.work_connection, customer)
        run(tasks.send_acks, customer)

        assert customer.state(bought) == "ACKED"

    def test_a_pull_that_is_not_due_makes_no_call(self, customer: Customer) -> None:
        Schedule.objects.update(next_poll_at="2099-01-01T00:00Z")

        run(tasks.poll_connection, customer)

        assert not SyncRun.objects.exists()

    def test_a_pull_goes_on_to_the_report_without_a_ring(
        self, customer: Customer, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        """Whoever hears a ring reads all of it anew, behind all others."""
        monkeypatch.setattr("syncing.tasks.answer_here", _ANSWER_HERE)
        bought = customer.spend()
        poll_schedule.fetch_soon(customer.connection.pk)

        run(tasks.poll_connection, customer)

        assert customer.state(bought) == "ACKED"

    def test_a_pull_that_took_long_has_the_customer_read_anew(
        self, customer: Customer, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        """Somebody may have entered other credentials meanwhile."""
        taken: list[str] = []
        take = in_hand.take

        def note(connection_id: UUID | str) -> InHand:
            taken.append(str(connection_id))
            return take(connection_id)

        monkeypatch.setattr("syncing.in_hand.FRESH_SECONDS", 0.0)
        monkeypatch.setattr("syncing.in_hand.take", note)
        monkeypatch.setattr("syncing.tasks.answer_here", _ANSWER_HERE)
        customer.spend()
        poll_schedule.fetch_soon(customer.connection.pk)

        run(tasks.poll_connection, customer)

        assert taken == 3 * [str(customer.connection.pk)], "to pull, to post and to report"

    def test_a_pull_goes_on_to_work_only_if_ramp_has_something(
        self, customer: Customer, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        rung: list[str] = []
        monkeypatch.setattr(
            "syncing.tasks.answer_here", lambda doorbell, _: rung.append(doorbell.name)
        )
        poll_schedule.fetch_soon(customer.connection.pk)
        run(tasks.poll_connection, customer)
        assert rung == [], "what waits for other reasons is rung for by the sweep"

        customer.spend()
        poll_schedule.fetch_soon(customer.connection.pk)
        customer.connection.refresh_from_db()
        run(tasks.poll_connection, customer)

        assert rung == ["syncing.tasks.work_connection"]

    def test_one_ring_posts_a_few_chunks_and_then_others_have_their_turn(
        self, customer: Customer, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        """Fairness (S1)."""
        rung: list[str] = []
        monkeypatch.setattr("syncing.tasks.ring", lambda doorbell, **_: rung.append(doorbell.name))
        for _ in range(claims.CHUNK * CHUNKS_PER_RING + 1):
            customer.spend()
        customer.pull()
        schedule.ring()

        run(tasks.work_connection, customer)

        assert SyncItem.objects.filter(state="READY").count() == 1
        assert rung[-1] == "syncing.tasks.work_connection", "behind all who wait already"
        assert rings_for(customer), "and should that be lost, by the next sweep"

    def test_old_snapshots_are_read_again_and_then_posted(self, customer: Customer) -> None:
        """Rule 7."""
        bought = customer.spend()
        customer.pull()
        let_snapshots_age(3600)
        let_time_pass(120)

        run(tasks.work_connection, customer)
        assert customer.state(bought) == "READY"
        run(tasks.poll_connection, customer)
        run(tasks.work_connection, customer)

        assert customer.state(bought) == "POSTED"

    def test_a_worker_leaves_a_connection_alone_that_another_works_on(
        self, customer: Customer
    ) -> None:
        bought = customer.spend()
        customer.pull()

        with claims.only_worker(customer.connection.pk):
            run(tasks.work_connection, customer)

        assert customer.state(bought) == "READY"

    def test_a_worker_that_lost_the_connection_stops(
        self, customer: Customer, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        for _ in range(3 * claims.CHUNK):
            customer.spend()
        customer.pull()
        monkeypatch.setattr("syncing.claims.WorkLease.keep", lambda _: False)

        run(tasks.work_connection, customer)

        posted = SyncItem.objects.filter(state="POSTED").count()
        assert posted == claims.CHUNK  # what it began when it had just taken the connection

    def test_a_lease_that_may_be_old_is_looked_at_before_anything_is_posted(
        self, customer: Customer, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        bought = customer.spend()
        customer.pull()
        monkeypatch.setattr("syncing.claims.FRESH_LEASE_SECONDS", 0.0)
        monkeypatch.setattr("syncing.claims.WorkLease.keep", lambda _: False)

        run(tasks.work_connection, customer)

        assert customer.state(bought) == "READY"

    def test_a_stopped_erp_is_not_asked(self, customer: Customer) -> None:
        customer.spend()
        customer.pull()
        customer.world.erp.faults.refuse_with = refusal(Code.AUTH_EXPIRED, erp="E")
        run(tasks.work_connection, customer)
        asked = len(customer.world.erp.calls)

        run(tasks.work_connection, customer)

        assert len(customer.world.erp.calls) == asked

    @pytest.mark.matrix("X17")
    def test_an_erp_that_was_sick_gets_one_item_and_then_the_others(
        self, customer: Customer, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        for _ in range(3):
            customer.spend()
        customer.pull()
        customer.world.erp.faults.refuse_with = refusal(Code.ERP_UNAVAILABLE, erp="E")
        run(tasks.work_connection, customer)
        customer.world.erp.faults.refuse_with = None
        let_time_pass(120)
        sent: list[int] = []
        real = customer.world.erp.post_many

        def post_many(documents: Sequence[Document]) -> Sequence[Posted | ErpError]:
            sent.append(len(documents))
            return real(documents)

        monkeypatch.setattr(customer.world.erp, "post_many", post_many)

        run(tasks.work_connection, customer)

        assert sent == [1, 2]

    @pytest.mark.matrix("K17")
    def test_stops_once_ramp_refuses(
        self, customer: Customer, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        """While a ring is at work, its report to Ramp is turned down."""
        for _ in range(2 * claims.CHUNK):
            customer.spend()
        customer.pull()
        unlinked = SyncFailure(
            ErrorCategory.NEEDS_INTEGRATOR, Origin.RAMP, "ramp.no_connection", "No."
        )
        real = customer.world.erp.post_many

        def post_many(documents: Sequence[Document]) -> Sequence[Posted | ErpError]:
            circuit.block(customer.connection.pk, unlinked, side=circuit.RAMP)
            return real(documents)

        monkeypatch.setattr(customer.world.erp, "post_many", post_many)

        run(tasks.work_connection, customer)

        assert SyncItem.objects.filter(state="POSTED").count() == claims.CHUNK

    def test_who_finds_another_at_work_has_it_rung_for_again(self, customer: Customer) -> None:
        customer.spend()
        customer.pull()
        schedule.ring()

        with claims.only_worker(customer.connection.pk):
            run(tasks.work_connection, customer)

        assert rings_for(customer)

    def test_what_was_blocked_is_looked_at_and_freed(self, customer: Customer) -> None:
        customer.world.erp.books.deactivate("account", "6999")  # type: ignore[arg-type]
        bought = customer.spend(account="6999")
        customer.pull()
        customer.post()
        customer.world.erp.books.activate("account", "6999")  # type: ignore[arg-type]
        let_time_pass(60)

        run(tasks.recheck_connection, customer)

        assert customer.state(bought) == "READY"

    @pytest.mark.parametrize("work", ["recheck", "vendors", "files"])
    def test_one_customer_keeps_one_worker_at_such_work_however_often_it_is_rung_for(
        self, customer: Customer, monkeypatch: pytest.MonkeyPatch, work: str
    ) -> None:
        """What takes long is rung for again every few seconds; others need workers too (S1)."""
        begun: list[str] = []
        for what in ("recheck.release_unblocked", "vendor_saga.create_due", "evidence.send_due"):
            monkeypatch.setattr(f"syncing.tasks.{what}", lambda *_, what=what: begun.append(what))
        doorbell = {
            "recheck": tasks.recheck_connection,
            "vendors": tasks.create_vendors,
            "files": tasks.send_evidence,
        }[work]

        with held_elsewhere(f"{work} {customer.connection.pk}"):
            run(doorbell, customer)
            assert begun == []
        run(doorbell, customer)

        assert len(begun) == 1

    def test_rings_for_what_is_due_and_for_nothing_else(
        self, customer: Customer, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        rung: list[str] = []
        monkeypatch.setattr("syncing.tasks.ring", lambda doorbell, **_: rung.append(doorbell.name))
        customer.spend()
        customer.pull()
        Schedule.objects.update(
            next_poll_at="2099-01-01T00:00Z", reconcile_due_at="2099-01-01T00:00Z"
        )

        tasks.sweep()

        assert rung == ["syncing.tasks.work_connection"]


class TestWithoutCredentials:
    """A connection half set up is one visible problem, and not an error every five seconds."""

    @pytest.fixture(autouse=True)
    def _real_clients(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr("syncing.tasks.ring", lambda *_, **__: None)

    @pytest.mark.parametrize("doorbell", ["poll_connection", "work_connection", "send_acks"])
    def test_it_is_blocked_and_says_why(self, doorbell: str) -> None:
        customer = Customer()
        customer.spend()
        customer.pull()
        customer.post()
        customer.spend()
        poll_schedule.fetch_soon(customer.connection.pk)

        run(getattr(tasks, doorbell), customer)

        stopped = customer.schedule
        assert stopped.blocked_code == "us.no_credentials"
        assert "credentials" in stopped.blocked_title
        customer.sim.close()

    def test_it_goes_on_once_they_are_there(self) -> None:
        forget_named()
        customer = Customer()
        customer.spend()
        customer.pull()
        run(tasks.work_connection, customer)

        keep_credential(customer.connection, Credential.Side.ERP, {"name": "one"})
        let_time_pass(3600)
        run(tasks.work_connection, customer)

        assert SyncItem.objects.get().error_code == "mapping.entity", "it was taken up"
        customer.sim.close()
        forget_named()


class TestProgress:
    @pytest.mark.matrix("I2")
    def test_is_written_once_a_second_and_counts_every_doorbell(self) -> None:
        """Without a statement per task."""
        progress = tasks._Progress()

        for now in (0.0, 0.2, 0.9, 1.0, 1.5):
            progress.finished(now=now)

        assert WorkerBeat.objects.get().tasks == 4, "the fifth waits for the next beat"


@pytest.mark.matrix("I1")
def test_a_broker_that_is_gone_costs_nothing_but_time(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:

    def refuse(**_: str) -> None:
        raise OperationalError("connection refused")

    monkeypatch.setattr(tasks.sweep, "delay", refuse)

    tasks.ring(tasks.sweep)

    assert "did not take a doorbell" in caplog.text
