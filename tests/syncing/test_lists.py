"""Lists that are long, that break off, that Ramp refuses, or that are read entity by entity."""

import threading
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from typing import Any

import httpx
import pytest
from django.db import connection as database

from connections.models import Entity
from syncing import intake, lists, poll_schedule, polling, schedule, snapshots
from syncing.models import PullCursor, Schedule, SyncItem, SyncRun, WebhookEvent
from tests.syncing.ramp import Customer
from tests.syncing.world import end_turn, let_snapshots_age, let_time_pass, poll_is_due

pytestmark = pytest.mark.django_db

LIST = "GET /transactions"
FAR = datetime(2099, 1, 1, tzinfo=UTC)


@pytest.fixture
def customer(monkeypatch: pytest.MonkeyPatch) -> Iterator[Customer]:
    """Whose lists are read three pages a turn, and whose pages are small."""
    monkeypatch.setattr(lists, "PAGES_PER_TURN", 3)
    monkeypatch.setattr(polling, "PAGE_SIZES", (2, 2))
    customer = Customer()
    yield customer
    customer.sim.close()


def spend(customer: Customer, count: int) -> None:
    for _ in range(count):
        customer.spend()


def cursor() -> PullCursor:
    return PullCursor.objects.get()


class Killed(BaseException):
    """The process is gone."""


def after(calls: int, act: Callable[[], object]) -> dict[str, list[Any]]:
    """Event hooks of HTTPX: `act` once so many pages were asked for."""
    seen: list[str] = []

    def hook(request: httpx.Request) -> None:
        if request.url.path.endswith("/transactions"):
            seen.append(str(request.url))
            if len(seen) > calls:
                act()

    return {"request": [hook]}


def kill() -> None:
    raise Killed


class TestTurns:
    @pytest.mark.matrix("S1")
    def test_a_long_list_is_left_off_after_some_pages(self, customer: Customer) -> None:
        spend(customer, 10)

        run = customer.pull()

        assert (run.pages, run.new, run.problem) == (3, 6, "")
        assert customer.calls(LIST) == 3
        assert cursor().cursor
        assert customer.schedule.last_poll_at is None, "it is not complete"

    @pytest.mark.matrix("S1")
    def test_it_goes_on_soon_behind_those_that_have_waited(self, customer: Customer) -> None:
        spend(customer, 10)
        schedule.ring()
        customer.pull()

        assert poll_is_due(customer.connection)
        assert [due.poll for due in schedule.ring()] == [True]
        run = customer.pull()

        assert (run.pages, run.new) == (2, 4)
        assert SyncItem.objects.count() == 10
        assert customer.calls(LIST) == 5, "no page was read twice"
        assert cursor().completed_at is not None
        assert cursor().cursor == ""

    def test_what_vanished_is_settled_only_when_the_list_is_complete(
        self, customer: Customer
    ) -> None:
        bought = customer.spend()
        customer.pull()
        customer.business.take_back(bought.id)
        spend(customer, 10)

        customer.pull()
        assert customer.state(bought) == "READY", "nobody knows yet that it is not listed"
        customer.pull()

        assert customer.state(bought) == "WITHDRAWN"

    def test_what_was_seen_in_an_earlier_turn_is_not_gone(self, customer: Customer) -> None:
        spend(customer, 10)
        customer.pull()
        let_snapshots_age(60)  # as long as the turns took
        PullCursor.objects.update(began_at=FAR.replace(year=2020))

        customer.pull()

        assert customer.calls("GET /transactions/{transaction_id}") == 0
        assert SyncItem.objects.filter(state="READY").count() == 10

    def test_an_event_is_answered_when_a_list_begun_after_it_was_read(
        self, customer: Customer
    ) -> None:
        """In mid-list an object may become ready on a page that was read before."""
        spend(customer, 10)
        customer.pull()
        now = snapshots.database_now()
        PullCursor.objects.update(began_at=now.replace(year=2020))
        WebhookEvent.objects.create(
            event_id="e", connection=customer.connection, event_type="x", raw=b"", received_at=now
        )
        Schedule.objects.update(next_poll_at=FAR)

        customer.pull(trigger="webhook")

        assert WebhookEvent.objects.get().handled_at is None
        assert customer.schedule.fetch_due_at is not None, "it is read once more, and not at once"
        assert not poll_is_due(customer.connection)

    def test_a_poll_that_goes_on_keeps_its_slot(self, customer: Customer) -> None:
        spend(customer, 10)
        customer.pull()
        slot = customer.schedule.next_poll_at

        customer.pull()

        assert customer.schedule.next_poll_at == slot

    @pytest.mark.matrix("P7")
    def test_a_list_that_does_not_end_is_given_up(
        self, customer: Customer, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        """Turn by turn nobody would see that it goes round."""
        monkeypatch.setattr(lists, "MOST_PAGES", 4)
        spend(customer, 12)
        customer.pull()

        run = customer.pull()

        assert run.problem
        assert customer.calls(LIST) == 4
        assert cursor().cursor == "", "and is begun anew the next time"


class TestCrashes:
    @pytest.mark.matrix("P1")
    def test_a_pull_that_is_killed_between_pages_goes_on_at_its_page(
        self, customer: Customer
    ) -> None:
        """R-69."""
        spend(customer, 6)
        customer.http.event_hooks = after(2, kill)
        with pytest.raises(Killed):
            customer.pull()
        assert SyncItem.objects.count() == 4

        customer.http.event_hooks = {}
        let_time_pass(poll_schedule.POLL_LEASE_SECONDS + 1)
        assert poll_is_due(customer.connection)
        run = customer.pull()

        assert SyncItem.objects.count() == 6
        assert run.pages == 2, "the page that may not have been stored, and what was left"

    @pytest.mark.matrix("P2")
    def test_a_page_that_was_read_and_not_stored_is_read_again(
        self, customer: Customer, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        spend(customer, 6)
        with monkeypatch.context() as patch:
            patch.setattr("syncing.intake.take_in", lambda *_, **__: kill())
            with pytest.raises(Killed):
                customer.pull()
        let_time_pass(poll_schedule.POLL_LEASE_SECONDS + 1)

        assert customer.pull().new == 6

    def test_what_rang_is_not_forgotten_when_its_pull_dies(self, customer: Customer) -> None:
        Schedule.objects.update(next_poll_at=FAR)
        poll_schedule.fetch_soon(customer.connection.pk, types=["transaction"])
        bought = customer.spend()
        customer.http.event_hooks = after(0, kill)
        with pytest.raises(Killed):
            customer.pull()

        customer.http.event_hooks = {}
        let_time_pass(poll_schedule.POLL_LEASE_SECONDS + 1)
        Schedule.objects.update(next_poll_at=FAR)
        assert poll_is_due(customer.connection)
        customer.pull()

        assert customer.state(bought) == "READY"

    @pytest.mark.matrix("P9")
    def test_what_broke_off_goes_on_where_it_was(self, customer: Customer) -> None:
        spend(customer, 6)
        customer.fault("answer", LIST, status=502, skip=2)

        assert customer.pull().new == 4
        assert customer.pull().new == 2

        assert customer.calls(LIST) == 4

    def test_a_cursor_that_ramp_refuses_starts_over(self, customer: Customer) -> None:
        spend(customer, 10)
        customer.pull()
        PullCursor.objects.update(cursor="00000000-0000-4000-8000-000000000000")

        run = customer.pull()

        assert run.problem == ""
        assert (run.pages, run.seen, run.new) == (3, 6, 0), "from its beginning"
        customer.pull()
        assert SyncItem.objects.count() == 10

    @pytest.mark.matrix("P3")
    def test_only_the_lists_that_are_left_are_read_again_after_trouble(self) -> None:
        customer = Customer(types=("transaction", "bill"))
        customer.fault("answer", LIST, status=503)
        customer.pull()
        assert customer.schedule.fetch_types == ["transaction"]

        let_time_pass(3)
        customer.pull()

        assert customer.calls("GET /bills") == 1
        assert customer.calls(LIST) == 2
        customer.sim.close()


class TestOneListOfMany:
    def test_what_ramp_refuses_of_one_list_does_not_stop_the_others(self) -> None:
        customer = Customer(types=("reimbursement", "transaction"))
        bought = customer.spend()
        customer.fault("scope_missing", "GET /reimbursements", times=None)

        run = customer.pull()

        assert customer.state(bought) == "READY"
        assert run.problem.startswith("Reimbursement: ")
        refused = PullCursor.objects.get(object_type="reimbursement")
        assert "lacks the permission" in refused.problem
        assert customer.schedule.blocked_at is None, "what can be done goes on"
        assert customer.schedule.last_poll_at is not None
        customer.sim.close()

    def test_a_list_that_works_again_forgets_its_problem(self) -> None:
        customer = Customer(types=("reimbursement", "transaction"))
        customer.fault("scope_missing", "GET /reimbursements")
        customer.pull()

        assert customer.pull().problem == ""

        assert not PullCursor.objects.exclude(problem="").exists()
        customer.sim.close()

    def test_a_refused_list_that_rang_alone_blocks_nothing(self) -> None:
        customer = Customer(types=("reimbursement", "transaction"))
        Schedule.objects.update(next_poll_at=FAR)
        poll_schedule.fetch_soon(customer.connection.pk, types=["reimbursement"])
        customer.fault("scope_missing", "GET /reimbursements")

        run = customer.pull()

        assert run.problem
        assert customer.schedule.blocked_at is None
        customer.sim.close()


class TestEntities:
    """R-70: lists are read entity by entity."""

    @pytest.fixture
    def customer(self) -> Iterator[Customer]:
        customer = Customer("northwind-robotics")
        Entity.objects.filter(connection=customer.connection).delete()
        for entity in customer.sim.world.entities.of("northwind-robotics"):
            Entity.objects.create(
                connection=customer.connection, ramp_id=entity.id, name=entity.name, currency="USD"
            )
        customer.connection.scoped_by_entity = True
        customer.connection.save()
        yield customer
        customer.sim.close()

    def entities(self, customer: Customer) -> list[str]:
        return [one.id for one in customer.sim.world.entities.of("northwind-robotics")]

    def test_each_list_is_asked_for_each_entity(self, customer: Customer) -> None:
        for entity_id in self.entities(customer):
            customer.spend(entity_id=entity_id)

        run = customer.pull()

        asked = [one.query["entity_id"] for one in customer.sim.log if one.operation == LIST]
        assert sorted(asked) == sorted(self.entities(customer))
        assert run.new == len(asked)
        assert PullCursor.objects.count() == len(asked)

    @pytest.mark.matrix("P11")
    def test_an_entity_that_errs_does_not_stop_the_others(self, customer: Customer) -> None:
        rows = [customer.spend(entity_id=one) for one in self.entities(customer)]
        customer.fault("answer", LIST, status=404, code="DEVELOPER_7002", message="No such entity")

        run = customer.pull()

        assert run.new == len(rows) - 1
        (gone,) = PullCursor.objects.exclude(problem="")
        assert gone.entity_ramp_id is not None
        name = Entity.objects.get(ramp_id=gone.entity_ramp_id).name
        assert run.problem.startswith(f"Card transaction of {name}: ")
        assert customer.schedule.blocked_at is None

    @pytest.mark.matrix("P11")
    def test_of_an_entity_that_errs_nothing_is_called_gone(self, customer: Customer) -> None:
        rows = [customer.spend(entity_id=one) for one in self.entities(customer)]
        customer.pull()
        for row in rows:
            customer.business.take_back(row.id)
        customer.fault("answer", LIST, status=404, code="DEVELOPER_7002", message="No such entity")

        customer.pull()

        states = sorted(customer.state(row) for row in rows)
        assert states == ["READY"] + ["WITHDRAWN"] * (len(rows) - 1)

    @pytest.mark.matrix("P11")
    def test_what_was_of_an_entity_that_is_gone_is_settled(self, customer: Customer) -> None:
        first, *_ = rows = [customer.spend(entity_id=one) for one in self.entities(customer)]
        customer.pull()
        Entity.objects.filter(ramp_id=first.entity_id).delete()
        for row in rows:
            customer.business.take_back(row.id)

        customer.pull()

        assert {customer.state(row) for row in rows} == {"WITHDRAWN"}


class TestOldSnapshots:
    def test_ask_for_the_lists_of_their_types_alone(self) -> None:
        """Rule 7."""
        customer = Customer(types=("transaction", "bill", "transfer"))
        customer.business.create_bill()
        customer.business.create_transfer()
        customer.pull()
        let_snapshots_age(3600)
        SyncItem.objects.filter(object_type="transfer").update(snapshot_at=FAR)
        let_time_pass(120)
        Schedule.objects.update(next_poll_at=FAR)

        end_turn(customer.connection)
        before = customer.calls(LIST)
        customer.pull()

        assert customer.calls(LIST) == before
        assert customer.calls("GET /bills") == 2
        assert customer.calls("GET /transfers") == 1
        customer.sim.close()


@pytest.mark.django_db(transaction=True)
@pytest.mark.matrix("P3")
def test_a_poll_and_a_backfill_that_bring_one_object_at_once_make_one_item() -> None:
    """With two real connections to the database, and without the lease that keeps them apart."""
    customer = Customer()
    bought = customer.spend()
    together = threading.Barrier(2)
    page = next(customer.ramp.transactions(sync_status="SYNC_READY"))

    def store() -> None:
        together.wait(60)
        intake.take_in(customer.connection, "transaction", page, listed_at=datetime.now(UTC))
        database.close()

    threads = [threading.Thread(target=store) for _ in range(2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)

    assert SyncItem.objects.get().ramp_id.hex == bought.id.replace("-", "")
    assert SyncItem.objects.get().events.count() == 1
    assert not SyncRun.objects.exists()
    customer.sim.close()
