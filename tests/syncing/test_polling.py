"""Pulls from the pretend Ramp, through our client over HTTP in process."""

import threading
import uuid
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

import httpx
import pytest
from django.db import connection as database

from syncing import poll_schedule, polling
from syncing.models import Schedule, SyncItem, SyncRun
from syncing.webhook_health import habits_of
from tests.syncing.ramp import Customer, rewritten
from tests.syncing.world import end_turn, let_snapshots_age, let_time_pass, poll_is_due

pytestmark = pytest.mark.django_db

LIST = "GET /transactions"
ONE = "GET /transactions/{transaction_id}"


@pytest.fixture
def customer() -> Iterator[Customer]:
    customer = Customer()
    yield customer
    customer.sim.close()


def rewrite_lists(customer: Customer, rewrite: Callable[[dict[str, Any]], None]) -> None:
    """Let Ramp's lists say something else from now on."""
    customer.http.event_hooks = {"response": [rewritten(rewrite)]}


class TestAskedFor:
    """Somebody wants Ramp to be read now, and sees the pull under their name."""

    def test_the_next_pull_carries_the_name_and_the_one_after_does_not(
        self, customer: Customer
    ) -> None:
        assert poll_schedule.fetch_for(customer.connection.pk, actor="maya")
        assert poll_is_due(customer.connection)

        asked_for, usual = customer.pull(), customer.pull()

        assert (asked_for.trigger, asked_for.actor) == ("manual", "maya")
        assert (usual.trigger, usual.actor) == ("poll", "")

    def test_reads_every_list_although_only_one_rang(self, customer: Customer) -> None:
        poll_schedule.fetch_soon(customer.connection.pk, types=["bill"])

        poll_schedule.fetch_for(customer.connection.pk, actor="maya")

        assert Schedule.objects.get(pk=customer.connection.pk).fetch_types == []


@pytest.mark.matrix("I5")
def test_a_pull_that_a_failover_forgot_leaves_its_number_to_others(customer: Customer) -> None:
    def fail_over(_: httpx.Request) -> None:
        SyncRun.objects.all().delete()

    customer.http.event_hooks = {"request": [fail_over]}
    customer.pull()
    customer.http.event_hooks = {}

    assert not SyncRun.objects.exists()


@pytest.mark.matrix("I5")
def test_a_pull_that_a_failover_forgot_writes_nothing_into_the_run_with_its_number(
    customer: Customer,
) -> None:
    def fail_over(_: httpx.Request) -> None:
        SyncRun.objects.update(started_at="2020-01-01T00:00Z", pages=7)

    customer.http.event_hooks = {"request": [fail_over]}
    customer.pull()
    customer.http.event_hooks = {}

    others = SyncRun.objects.get()
    assert (others.pages, others.finished_at) == (7, None)


class TestPull:
    def test_takes_in_what_is_ready_and_nothing_else(self, customer: Customer) -> None:
        ready = customer.spend()
        customer.business.create_transaction(minor=500, account_code="6200")

        run = customer.pull()

        assert (run.seen, run.new, run.changed, run.problem) == (1, 1, 0, "")
        assert customer.state(ready) == "READY"
        assert SyncItem.objects.count() == 1

    def test_finds_nothing_new_the_second_time(self, customer: Customer) -> None:
        customer.spend()
        customer.pull()

        run = customer.pull()

        assert (run.seen, run.new, run.changed) == (1, 0, 0)

    def test_what_was_corrected_in_ramp_goes_through_by_itself(self, customer: Customer) -> None:
        customer.world.mappings.accounts.pop("6999")  # type: ignore[attr-defined]
        bought = customer.spend(account="6999")
        customer.pull()
        customer.post()
        assert customer.state(bought) == "FAILED"

        customer.business.edit(bought.id, account_code="6300")
        assert customer.pull().changed == 1
        customer.post()

        assert customer.state(bought) == "POSTED"

    def test_what_is_taken_back_is_withdrawn(self, customer: Customer) -> None:
        bought = customer.spend()
        customer.pull()

        customer.business.take_back(bought.id)
        customer.pull()

        assert customer.state(bought) == "WITHDRAWN"
        assert customer.post() == 0

    def test_what_is_ready_again_is_posted(self, customer: Customer) -> None:
        bought = customer.spend()
        customer.pull()
        customer.business.take_back(bought.id)
        customer.pull()

        customer.business.mark_ready(bought.id)
        customer.pull()
        customer.post()

        assert customer.state(bought) == "POSTED"
        assert customer.timeline(bought) == ["ready", "withdrawn", "ready", "sent", "posted"]

    @pytest.mark.matrix("K10")
    def test_what_is_exported_by_hand_is_never_posted(self, customer: Customer) -> None:
        bought = customer.spend()
        customer.pull()

        customer.business.press_export(bought.id)
        customer.pull()

        assert customer.state(bought) == "EXTERNAL"
        assert customer.post() == 0
        assert customer.documents == 0

    def test_a_failed_item_that_is_exported_by_hand_is_nobodys_move_any_more(
        self, customer: Customer
    ) -> None:
        customer.world.mappings.accounts.pop("6999")  # type: ignore[attr-defined]
        bought = customer.spend(account="6999")
        customer.pull()
        customer.post()

        customer.business.press_export(bought.id)
        customer.pull()

        assert customer.state(bought) == "EXTERNAL"

    def test_one_vanished_object_that_cannot_be_read_does_not_stop_the_pull(
        self, customer: Customer
    ) -> None:
        first, second = customer.spend(), customer.spend()
        customer.pull()
        for row in (first, second):
            customer.business.take_back(row.id)

        customer.fault("answer", ONE, status=422, code="DEVELOPER_7001", message="Odd")
        run = customer.pull()

        assert sorted([customer.state(first), customer.state(second)]) == ["READY", "WITHDRAWN"]
        assert run.problem.startswith("1 no longer listed: ")
        assert customer.schedule.last_poll_at is not None
        assert customer.pull().problem == ""
        assert customer.state(first) == customer.state(second) == "WITHDRAWN"

    def test_an_object_that_ramp_has_lost_is_withdrawn(self, customer: Customer) -> None:
        bought = customer.spend()
        customer.pull()
        customer.business.take_back(bought.id)

        customer.fault("answer", ONE, status=404, code="DEVELOPER_7002", message="Not found")
        customer.pull()

        assert customer.state(bought) == "WITHDRAWN"

    @pytest.mark.matrix("P5")
    def test_a_row_that_the_list_has_skipped_is_read_again_and_kept(
        self, customer: Customer
    ) -> None:
        bought = customer.spend()
        customer.pull()
        let_snapshots_age(3600)
        rewrite_lists(customer, lambda document: document.update(data=[]))

        customer.pull()

        assert customer.state(bought) == "READY"
        assert customer.post() == 1, "its snapshot is young again"

    @pytest.mark.matrix("K18")
    def test_what_ramp_offers_again_is_reported_again_and_never_posted_again(
        self, customer: Customer
    ) -> None:
        bought = customer.spend()
        customer.go_through()
        let_time_pass(120)
        row = customer.business.transaction(bought.id)
        row.sync_status = type(row.sync_status)("SYNC_READY")
        customer.sim.world.transactions.put(row)

        customer.go_through()

        first, again = customer.told(bought)
        assert first == again
        assert customer.state(bought) == "ACKED"
        assert customer.documents == 1

    def test_items_of_two_customers_stay_apart(self, customer: Customer) -> None:
        """INV8."""
        other = Customer("pennine-outdoor", sim=customer.sim)
        theirs = other.spend()

        customer.pull()
        assert not SyncItem.objects.filter(ramp_id=theirs.id).exists()
        other.pull()

        assert other.item(theirs).connection == other.connection


class TestQuarantine:
    @pytest.mark.matrix("P10")
    def test_one_malformed_object_does_not_stop_the_other_ninety_nine(
        self, customer: Customer
    ) -> None:
        bought = [customer.spend() for _ in range(100)]
        customer.fault("malformed_row", LIST)

        run = customer.pull()

        assert run.problem == ""
        assert SyncItem.objects.filter(state="READY").count() == 99
        odd = SyncItem.objects.get(state="FAILED")
        assert str(odd.ramp_id) in {row.id for row in bought}
        assert odd.error_code == "ramp.unreadable"
        assert odd.error_category == "needs_integrator"
        assert odd.reference in odd.error_text
        assert odd.payload.ramp["amount"] == "a lot"

    def test_it_does_not_break_the_next_pulls(self, customer: Customer) -> None:
        """It is neither listed among the good ones nor gone, and cannot be read singly either."""
        customer.spend()
        customer.fault("malformed_row", LIST, times=None)
        customer.pull()

        run = customer.pull()

        assert run.problem == ""
        (item,) = SyncItem.objects.all()
        assert item.state == "FAILED"
        assert item.events.filter(kind="refused").count() == 1, "said once"

    def test_it_goes_through_once_it_can_be_read(self, customer: Customer) -> None:
        bought = customer.spend()
        customer.fault("malformed_row", LIST)
        customer.pull()

        customer.go_through()

        assert customer.state(bought) == "ACKED"
        assert customer.item(bought).label == "Staples"

    def test_an_item_whose_object_turns_unreadable_is_not_posted_from_its_old_content(
        self, customer: Customer
    ) -> None:
        bought = customer.spend()
        customer.pull()
        customer.fault("malformed_row", LIST)

        customer.pull()

        assert customer.state(bought) == "FAILED"
        assert customer.post() == 0

    def test_what_is_on_its_way_is_not_disturbed(self, customer: Customer) -> None:
        bought = customer.spend()
        customer.pull()
        customer.post()
        customer.fault("malformed_row", LIST)

        customer.pull()

        assert customer.state(bought) == "POSTED"

    @pytest.mark.parametrize(
        ("status", "state"),
        [
            ("SYNC_READY", "FAILED"),
            ("SYNCED", "EXTERNAL"),
            ("NOT_SYNC_READY", "WITHDRAWN"),
            ("?", "FAILED"),
        ],
    )
    def test_a_vanished_object_that_cannot_be_read_singly_says_at_least_its_status(
        self, customer: Customer, status: str, state: str
    ) -> None:
        bought = customer.spend()
        customer.pull()
        rewrite_lists(customer, lambda document: document.update(data=[]))

        def unreadable(request: httpx.Request) -> httpx.Response | None:
            if request.url.path.endswith(bought.id):
                row = {"id": bought.id, "sync_status": status, "amount": "a lot"}
                return httpx.Response(200, json=row)
            return None

        customer.wire.intercept = unreadable

        assert customer.pull().problem == ""

        assert customer.state(bought) == state

    def test_a_malformed_object_that_is_not_ready_is_none_of_our_business(
        self, customer: Customer
    ) -> None:
        customer.spend()
        odd = {"id": str(uuid.uuid4()), "sync_status": "SYNCED", "amount": "a lot"}
        rewrite_lists(customer, lambda document: document["data"].append(odd))

        customer.pull()

        assert SyncItem.objects.count() == 1

    def test_an_object_without_a_readable_id_is_passed_over(
        self, customer: Customer, caplog: pytest.LogCaptureFixture
    ) -> None:
        customer.spend()
        rewrite_lists(customer, lambda document: document["data"].append({"id": "?"}))

        assert customer.pull().problem == ""

        assert SyncItem.objects.count() == 1
        assert "without a readable id" in caplog.text


class TestPages:
    def test_reads_every_page(self, customer: Customer) -> None:
        for _ in range(230):
            customer.spend()

        run = customer.pull()

        assert (run.pages, run.new) == (3, 230)
        assert customer.calls(LIST) == 3

    def test_a_filter_that_ramp_ignores_is_checked_again_by_us(self, customer: Customer) -> None:
        """Contract gotcha 18: an unknown query key lists everything."""
        ready = customer.spend()
        exported, pending = customer.spend(), customer.business.create_transaction(minor=900)
        customer.business.press_export(exported.id)
        statuses = {exported.id: "SYNCED", pending.id: "NOT_SYNC_READY"}

        def everything(document: dict[str, Any]) -> None:
            row = document["data"][0]
            document["data"] += [
                row | {"id": id_, "sync_status": status} for id_, status in statuses.items()
            ]

        rewrite_lists(customer, everything)
        customer.pull()

        assert [str(item.ramp_id) for item in SyncItem.objects.all()] == [ready.id]

    @pytest.mark.matrix("P7")
    def test_pages_that_lead_in_a_circle_end(self, customer: Customer) -> None:
        for _ in range(250):
            customer.spend()
        customer.fault("looping_cursor", LIST, times=None)

        run = customer.pull()

        assert customer.calls(LIST) <= 3
        assert run.problem
        assert run.new >= 100, "what came is kept"
        assert customer.schedule.blocked_side == "ramp"

    @pytest.mark.matrix("P6")
    def test_no_request_leaves_for_another_host(self, customer: Customer) -> None:
        for _ in range(120):
            customer.spend()
        customer.fault("foreign_cursor", LIST)
        hosts: set[str] = set()
        customer.http.event_hooks = {"request": [lambda request: hosts.add(request.url.host)]}

        run = customer.pull()

        assert hosts == {"ramp.test"}
        assert run.problem

    @pytest.mark.matrix("P8", "P9")
    @pytest.mark.parametrize("status", [429, 500, 502, 504])
    def test_trouble_in_mid_pull_keeps_the_pages_that_came(
        self, customer: Customer, status: int
    ) -> None:
        for _ in range(250):
            customer.spend()
        customer.fault("answer", LIST, status=status, skip=1)

        run = customer.pull()

        assert (run.pages, run.new) == (1, 100)
        assert run.problem
        assert customer.schedule.poll_failures == 1
        assert customer.schedule.blocked_at is None, "time alone lifts it"
        assert customer.calls(LIST) == 2, "and it is left alone for now"

    def test_a_cut_line_in_mid_pull_keeps_the_pages_that_came(self, customer: Customer) -> None:
        for _ in range(120):
            customer.spend()
        customer.fault("hang_up", LIST, skip=1)

        assert customer.pull().new == 100
        assert customer.pull().new == 20
        assert SyncItem.objects.count() == 120

    @pytest.mark.matrix("P8")
    def test_a_429_is_waited_out_as_long_as_ramp_says(self, customer: Customer) -> None:
        customer.fault("answer", LIST, status=429, headers={"Retry-After": "40"})
        customer.pull()

        let_time_pass(30)
        assert not poll_is_due(customer.connection)
        let_time_pass(15)
        assert poll_is_due(customer.connection)

    @pytest.mark.matrix("P9")
    def test_pages_shrink_while_ramp_is_slow_and_grow_again(self, customer: Customer) -> None:
        customer.spend()
        customer.fault("answer", LIST, status=504, times=4)
        for _ in range(5):
            customer.pull()
        customer.pull()

        sizes = [int(one.query["page_size"]) for one in customer.sim.log if one.operation == LIST]
        assert sizes == [100, 100, 50, 50, 25, 100]

    def test_pages_stay_large_where_ramp_fails_now_and_then(self, customer: Customer) -> None:
        for _ in range(450):
            customer.spend()
        for _ in range(3):
            customer.fault("answer", LIST, status=500, skip=1)
            customer.pull()

        sizes = {int(one.query["page_size"]) for one in customer.sim.log if one.operation == LIST}
        assert sizes == {100}
        assert customer.schedule.poll_failures == 1

    @pytest.mark.matrix("T4")
    def test_a_revoked_access_is_one_problem_of_the_connection(self, customer: Customer) -> None:
        customer.spend()
        customer.pull()
        customer.fault("answer", "POST /token", status=401, code="5001", times=None)
        customer.fault("token_unknown", LIST, times=None)

        customer.pull()

        stopped = customer.schedule
        assert (stopped.blocked_side, stopped.blocked_code) == ("ramp", "ramp.unauthorised")
        assert SyncItem.objects.get().state == "READY"

    def test_the_next_pull_that_works_lifts_the_block(self, customer: Customer) -> None:
        customer.fault("scope_missing", LIST)
        customer.pull()
        assert customer.schedule.blocked_code == "ramp.scope_missing"

        customer.pull()

        assert customer.schedule.blocked_at is None
        assert customer.schedule.poll_failures == 0


class TestTurns:
    def test_a_paused_customer_is_not_pulled_whoever_rings(self, customer: Customer) -> None:
        """A late webhook of a closed connection rings too."""
        poll_schedule.fetch_soon(customer.connection.pk)
        assert poll_is_due(customer.connection)

        type(customer.connection).objects.update(stage="paused")

        assert not poll_is_due(customer.connection)

    @pytest.mark.matrix("P4")
    def test_a_second_poller_makes_no_call(self, customer: Customer) -> None:
        with poll_schedule.only_poller(customer.connection) as first:
            assert first is not None
            found = polling.pull(
                customer.connection, customer.ramp, trigger="poll", now=datetime.now(UTC), jitter=0
            )

        assert found is None
        assert customer.calls(LIST) == 0
        assert not SyncRun.objects.exists()

    @pytest.mark.matrix("P4")
    def test_a_pull_that_lost_its_lease_stops(self, customer: Customer) -> None:
        """Two pullers would double the calls."""
        for _ in range(150):
            customer.spend()

        def lose_it(request: httpx.Request) -> None:
            if "start" in request.url.params:
                Schedule.objects.update(poll_lease=uuid.uuid4())

        customer.http.event_hooks = {"request": [lose_it]}
        run = customer.pull()

        assert "another worker" in run.problem
        assert run.new == 100
        assert customer.schedule.last_poll_at is None

    def test_a_long_pull_keeps_its_lease(self, customer: Customer) -> None:
        for _ in range(150):
            customer.spend()
        customer.http.event_hooks = {
            "request": [lambda _: Schedule.objects.update(poll_lease_until="2020-01-01T00:00Z")]
        }

        assert customer.pull().problem == ""

    @pytest.mark.matrix("P1", "P2")
    def test_a_pull_whose_worker_was_killed_is_made_up_for(self, customer: Customer) -> None:
        """What a webhook asked for is not forgotten until the next poll."""
        bought = customer.spend()
        poll_schedule.fetch_soon(customer.connection.pk)
        customer.http.event_hooks = {"response": [_kill]}
        with pytest.raises(Killed):
            customer.pull()

        customer.http.event_hooks = {}
        assert not poll_is_due(customer.connection), "not in a tight circle"
        let_time_pass(poll_schedule.POLL_LEASE_SECONDS + 1)
        assert poll_is_due(customer.connection)
        customer.pull()

        assert customer.state(bought) == "READY"

    @pytest.mark.matrix("W5")
    def test_a_webhook_in_mid_pull_asks_for_another_one(self, customer: Customer) -> None:
        """The object may have become ready after its page was read."""
        customer.http.event_hooks = {
            "response": [lambda _: poll_schedule.fetch_soon(customer.connection.pk)]
        }

        customer.pull()

        assert poll_is_due(customer.connection)

    def test_old_snapshots_of_due_items_ask_for_a_pull(self, customer: Customer) -> None:
        """Rule 7: else they would wait for the next poll, hours away."""
        customer.spend()
        customer.pull()
        end_turn(customer.connection)
        assert not poll_is_due(customer.connection), "they are young"

        let_snapshots_age(3600)
        let_time_pass(120)
        end_turn(customer.connection)

        assert poll_is_due(customer.connection)
        customer.pull()
        assert customer.post() == 1


class Killed(BaseException):
    """The process is gone: nothing but `finally` runs."""


def _kill(response: httpx.Response) -> None:
    if response.request.url.path.endswith("/transactions"):
        raise Killed


class TestNextPoll:
    MONDAY = datetime(2026, 11, 16, 9, 30, tzinfo=UTC)
    SATURDAY = datetime(2026, 11, 21, 9, 30, tzinfo=UTC)

    @pytest.fixture(autouse=True)
    def _as_in_production(self, settings: Any) -> None:
        settings.POLL_INTERVAL_SECONDS = 0

    def test_is_within_two_hours_on_weekdays_and_twelve_at_weekends(
        self, customer: Customer
    ) -> None:
        """R-78."""
        weekday = polling.next_poll_in(habits_of(customer.connection), now=self.MONDAY)
        weekend = polling.next_poll_in(habits_of(customer.connection), now=self.SATURDAY)

        assert timedelta(0) < weekday <= timedelta(hours=2)
        assert timedelta(0) < weekend <= timedelta(hours=12)

    def test_slots_do_not_move_however_long_a_pull_takes(self, customer: Customer) -> None:
        slot = self.MONDAY + polling.next_poll_in(habits_of(customer.connection), now=self.MONDAY)
        shortly_before = slot - timedelta(seconds=5)

        assert polling.next_poll_in(
            habits_of(customer.connection), now=shortly_before
        ) == timedelta(seconds=5)

    def test_the_weekend_is_the_customers_own(self, customer: Customer) -> None:
        friday_night = datetime(2026, 11, 20, 20, tzinfo=UTC)  # Saturday morning in Tokyo
        customer.connection.pk = uuid.UUID(int=1)  # whose slots at weekends are far apart

        customer.connection.time_zone = "UTC"
        assert polling.next_poll_in(habits_of(customer.connection), now=friday_night) < timedelta(
            hours=2
        )
        customer.connection.time_zone = "Asia/Tokyo"
        assert polling.next_poll_in(habits_of(customer.connection), now=friday_night) > timedelta(
            hours=2
        )

    def test_customers_do_not_ask_all_at_once(self, customer: Customer) -> None:
        waits = set()
        for _ in range(20):
            customer.connection.pk = uuid.uuid4()
            waits.add(polling.next_poll_in(habits_of(customer.connection), now=self.MONDAY))

        assert len(waits) > 10


@pytest.mark.django_db(transaction=True)
@pytest.mark.matrix("P4")
def test_two_pulls_at_once_make_one_set_of_calls() -> None:
    """With two real connections to the database."""
    customer = Customer()
    customer.spend()
    inside, go_on = threading.Event(), threading.Event()

    def hold(response: httpx.Response) -> None:
        if response.request.url.path.endswith("/transactions"):
            inside.set()
            assert go_on.wait(60)

    customer.http.event_hooks = {"response": [hold]}
    runs: list[SyncRun | None] = []

    def pull() -> None:
        runs.append(
            polling.pull(
                customer.connection, customer.ramp, trigger="poll", now=datetime.now(UTC), jitter=0
            )
        )
        database.close()

    first = threading.Thread(target=pull)
    first.start()
    assert inside.wait(60)
    pull()
    go_on.set()
    first.join(60)

    assert [run is None for run in runs] == [True, False]
    assert customer.calls(LIST) == 1
    customer.sim.close()
