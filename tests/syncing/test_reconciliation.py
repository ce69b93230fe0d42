"""The daily comparison: what it finds is an item's state and a line of its timeline."""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta

import pytest
from django.db import connection as database

from connections.erp.errors import Code
from connections.erp.records import Idempotency
from connections.erp.refusals import refusal
from connections.ramp_simulator.records import Transaction
from syncing import reconciliation
from syncing.models import ItemEvent, Reconciliation, Schedule, SyncItem
from tests.syncing.ramp import Customer, rewritten
from tests.syncing.world import NOON, let_snapshots_age, let_time_pass

pytestmark = pytest.mark.django_db

HOURS = 3600


@pytest.fixture(params=[Idempotency.UNIQUE_KEY, Idempotency.LOOKUP])
def customer(request: pytest.FixtureRequest) -> Iterator[Customer]:
    customer = Customer(idempotency=request.param)
    customer.connection.created_at = NOON - timedelta(days=300)
    customer.connection.save()
    yield customer
    customer.sim.close()


def reconcile(customer: Customer) -> Reconciliation:
    """The night comes, and everything that was posted has been there for a while."""
    let_time_pass(2 * HOURS)
    let_snapshots_age(2 * HOURS)
    with database.cursor() as cursor:
        cursor.execute("UPDATE syncing_syncitem SET ready_at = ready_at - interval '2 hours'")
    reconciliation.run_soon(customer.connection.pk)
    customer.connection.refresh_from_db()
    run = reconciliation.reconcile(
        customer.connection,
        customer.ramp,
        customer.world.erp,
        customer.world.mappings,
        now=datetime.now(UTC),
        jitter=0.5,
    )
    assert run is not None
    return run


def last_line(customer: Customer, bought: Transaction) -> tuple[str, str]:
    event = ItemEvent.objects.filter(item=customer.item(bought)).order_by("-id")[0]
    return event.kind, event.text


class TestWhereAllSidesAgree:
    def test_nothing_is_found_and_the_coverage_is_full(self, customer: Customer) -> None:
        bought = customer.spend()
        customer.go_through()
        customer.spend()
        customer.pull()

        run = reconcile(customer)

        assert run.found == {}
        assert run.problem == ""
        assert (run.items, run.in_erp, run.in_ramp) == (1, 1, 1)
        assert (run.ready_in_ramp, run.ready_and_known) == (1, 1)
        assert customer.state(bought) == "ACKED"


@pytest.mark.matrix("X25")
class TestTheErpsBooks:
    def test_a_document_deleted_by_hand_is_a_mismatch_and_never_posted_again(
        self, customer: Customer
    ) -> None:
        bought = customer.spend()
        customer.go_through()
        customer.world.erp.books._entries.clear()

        run = reconcile(customer)

        assert customer.state(bought) == "MISMATCH"
        assert run.found == {"booked_otherwise": 1}
        kind, text = last_line(customer, bought)
        assert kind == "reconciled"
        assert "deleted there after it was reported" in text
        customer.post()
        assert customer.documents == 0

    def test_one_that_was_taken_back_is_a_mismatch(self, customer: Customer) -> None:
        bought = customer.spend()
        customer.go_through()
        books = customer.world.erp.books
        books.reverse(books.entries[0], NOON.date(), "wrong account")

        reconcile(customer)

        assert customer.state(bought) == "MISMATCH"
        assert "taken back" in customer.item(bought).error_title

    def test_a_second_comparison_says_nothing_new(self, customer: Customer) -> None:
        bought = customer.spend()
        customer.go_through()
        customer.world.erp.books._entries.clear()
        reconcile(customer)
        lines = len(customer.timeline(bought))

        run = reconcile(customer)

        assert run.found == {}
        assert len(customer.timeline(bought)) == lines

    def test_an_erp_that_does_not_answer_proves_nothing(self, customer: Customer) -> None:
        bought = customer.spend()
        customer.go_through()
        customer.world.erp.books._entries.clear()
        customer.world.erp.faults.refuse_with = refusal(Code.ERP_UNAVAILABLE, erp="Ledger")

        run = reconcile(customer)

        assert customer.state(bought) == "ACKED"
        assert run.problem != ""
        run.refresh_from_db()
        assert run.finished_at is not None
        planned = Schedule.objects.get().reconcile_due_at
        assert planned is not None
        assert planned <= datetime.now(UTC) + reconciliation.LEASE, "it is tried again soon"

    def test_what_was_only_just_posted_is_left_for_tomorrow(self, customer: Customer) -> None:
        bought = customer.spend()
        customer.go_through()
        customer.world.erp.books._entries.clear()
        reconciliation.run_soon(customer.connection.pk)

        run = reconciliation.reconcile(
            customer.connection,
            customer.ramp,
            customer.world.erp,
            customer.world.mappings,
            now=datetime.now(UTC),
            jitter=0.5,
        )

        assert run is not None
        assert run.items == 0
        assert customer.state(bought) == "ACKED"


class TestRampsLists:
    @pytest.mark.matrix("K10")
    def test_what_the_export_button_took_is_external(self, customer: Customer) -> None:
        bought = customer.spend()
        customer.pull()
        customer.business.press_export(bought.id)

        run = reconcile(customer)

        assert customer.state(bought) == "EXTERNAL"
        assert customer.documents == 0
        assert run.problem == ""

    def test_what_was_synced_before_we_ever_heard_of_it_is_a_visible_item(
        self, customer: Customer
    ) -> None:
        bought = customer.spend()
        customer.business.press_export(bought.id)

        run = reconcile(customer)

        item = customer.item(bought)
        assert item.state == "EXTERNAL"
        assert item.arrived_by == "reconcile"
        assert item.amount_minor == 1234
        assert run.found == {"synced_outside": 1}

    def test_what_an_earlier_integration_has_synced_is_none_of_ours(
        self, customer: Customer
    ) -> None:
        customer.connection.created_at = datetime.now(UTC) + timedelta(hours=1)
        customer.connection.save()
        bought = customer.spend()
        customer.business.press_export(bought.id)

        reconcile(customer)

        assert not SyncItem.objects.filter(ramp_id=bought.id).exists()

    @pytest.mark.matrix("X22")
    def test_an_amount_that_was_changed_in_ramp_after_the_post_is_shown(
        self, customer: Customer
    ) -> None:
        bought = customer.spend(1234)
        customer.go_through()

        def edited(document: dict[str, object]) -> None:
            for row in document["data"]:  # type: ignore[attr-defined]
                row["amount"] = 13.34
                row["entity_amount"] = {"value": 1334, "currency": "USD"}
                row["line_items"] = []

        customer.http.event_hooks = {"response": [rewritten(edited)]}

        run = reconcile(customer)

        assert customer.state(bought) == "MISMATCH"
        assert customer.item(bought).error_title == (
            "It was posted over 12.34 USD, and is 13.34 USD in Ramp now."
        )
        assert run.found == {"changed_in_ramp": 1}

    def test_other_words_alone_are_no_difference(self, customer: Customer) -> None:
        bought = customer.spend()
        customer.go_through()

        def edited(document: dict[str, object]) -> None:
            for row in document["data"]:  # type: ignore[attr-defined]
                row["memo"] = "a better memo"

        customer.http.event_hooks = {"response": [rewritten(edited)]}

        assert reconcile(customer).found == {}
        assert customer.state(bought) == "ACKED"

    def test_a_changed_coding_is_a_difference(self, customer: Customer) -> None:
        bought = customer.spend(account="6200")
        customer.go_through()
        row = customer.business.transaction(bought.id)
        for line in row.lines:
            line.account_code = "6300"
        customer.business.upload_chart(accounts=[])

        run = reconcile(customer)

        assert run.found == {"changed_in_ramp": 1}
        assert customer.item(bought).error_title == (
            "Its coding was changed in Ramp after it was posted."
        )

    def test_a_ready_object_that_nothing_announced_is_taken_in_and_counted(
        self, customer: Customer
    ) -> None:
        customer.pull()
        bought = customer.spend()

        run = reconcile(customer)

        assert run.found == {"not_announced": 1}
        assert (run.ready_in_ramp, run.ready_and_known) == (1, 0)
        assert customer.item(bought).arrived_by == "reconcile"


class TestAListThatCannotBeRead:
    def test_keeps_no_other_from_being_compared(self) -> None:
        customer = Customer(types=("bill", "transaction"))
        customer.connection.created_at = NOON - timedelta(days=300)
        customer.connection.save()
        bought = customer.spend()
        customer.fault("answer", "GET /bills", status=403, times=None)
        customer.business.press_export(bought.id)

        run = reconcile(customer)

        assert customer.state(bought) == "EXTERNAL"
        assert run.found == {"synced_outside": 1}
        assert run.problem != "", "and it is said that the comparison is not complete"


class TestOurOwnRows:
    def test_what_is_posted_and_long_not_reported_says_so_once_a_day(
        self, customer: Customer
    ) -> None:
        bought = customer.spend()
        customer.pull()
        customer.post()
        let_time_pass(reconciliation.UNREPORTED_HOURS * HOURS)

        first, second = reconcile(customer), reconcile(customer)

        assert first.found == {"unreported": 1}
        assert second.found == {}
        kind, text = last_line(customer, bought)
        assert kind == "reconciled"
        assert "Ramp has not been told yet" in text


class TestWhenItRuns:
    def test_first_it_is_planned_for_the_customers_night(self, customer: Customer) -> None:
        due = reconciliation.connections_due()
        reconciliation.plan(customer.connection, now=datetime.now(UTC))

        assert due == [customer.connection.pk]
        assert reconciliation.connections_due() == []
        planned = Schedule.objects.get().reconcile_due_at
        assert planned is not None
        assert 2 <= planned.hour < 5

    def test_two_workers_make_one_comparison_and_the_next_is_tomorrow(
        self, customer: Customer
    ) -> None:
        reconcile(customer)

        again = reconciliation.reconcile(
            customer.connection,
            customer.ramp,
            customer.world.erp,
            customer.world.mappings,
            now=datetime.now(UTC),
            jitter=0.5,
        )

        assert again is None
        assert Reconciliation.objects.count() == 1
        planned = Schedule.objects.get().reconcile_due_at
        assert planned is not None
        assert planned > datetime.now(UTC)
