"""Pulls of every type of object: what is listed, what becomes of it, what it costs."""

import uuid
from collections.abc import Iterator, Sequence
from dataclasses import replace
from datetime import timedelta
from typing import Any

import httpx
import pytest
from django.utils import timezone

from connections.erp.records import Vendor
from connections.mappings import Profile, Target
from connections.models import Connection
from syncing import poll_schedule
from syncing.kinds import LISTS
from syncing.models import CardPayment, PullCursor, SyncItem
from tests.syncing.ramp import Customer, Row, rewritten
from tests.syncing.world import CARD, let_snapshots_age, let_time_pass, poll_is_due

pytestmark = pytest.mark.django_db

EVERYTHING = tuple(LISTS)
CREDITS = "GET /vendors/credits"


@pytest.fixture
def customer() -> Iterator[Customer]:
    yield from one_customer(EVERYTHING)


def one_customer(types: Sequence[str]) -> Iterator[Customer]:
    customer = Customer(types=types)
    uline = customer.world.erp.upsert_vendor(Vendor("uline", "Uline"))
    customer.business.upload_chart(vendors=[{"id": uline.id, "name": "Uline"}])
    target = Target(uline.id, "Uline")
    customer.world.mappings = replace(
        customer.world.mappings,
        profiles={"": Profile(CARD, "1000", reimbursement_account="1000", cashback_account="6400")},
        vendors={uline.id: target},
        vendor_names={"uline": target},
    )
    yield customer
    customer.sim.close()


def wanted_by_webhook(customer: Customer, *types: str) -> None:
    """A webhook rings for these lists, and it is not time to poll."""
    poll_schedule.fetch_soon(customer.connection.pk, types=types)
    type(customer.schedule).objects.update(next_poll_at="2099-01-01T00:00Z")


def lists_read(customer: Customer) -> list[str]:
    return [one.operation.removeprefix("GET /") for one in customer.sim.log if is_list(one)]


def is_list(call: Any) -> bool:
    return call.operation.startswith("GET /") and "{" not in call.operation


class TestEveryType:
    def test_a_poll_is_one_call_for_each_list(self, customer: Customer) -> None:
        """R-50; reimbursements are two lists, one for each direction."""
        run = customer.pull()

        assert run.problem == ""
        assert lists_read(customer) == [
            "bills",
            "transactions",
            "reimbursements",
            "reimbursements",
            "transfers",
            "cashbacks",
            "vendors/credits",
        ]
        assert PullCursor.objects.filter(completed_at__isnull=False).count() == len(LISTS)

    @pytest.mark.parametrize(
        ("types", "read"),
        [
            (["transaction"], ["transactions"]),
            (["bill"], ["bills"]),
            (["bill", "transfer"], ["bills", "transfers"]),
            (["reimbursement"], ["reimbursements", "reimbursements"]),
        ],
        ids=lambda value: "+".join(value),
    )
    def test_a_webhook_costs_the_list_of_its_own_type(
        self, customer: Customer, types: list[str], read: list[str]
    ) -> None:
        wanted_by_webhook(customer, *types)

        run = customer.pull(trigger="webhook")

        assert run.problem == ""
        assert lists_read(customer) == read

    def test_what_rang_does_not_put_off_the_poll(self, customer: Customer) -> None:
        wanted_by_webhook(customer, "bill")
        before = customer.schedule.next_poll_at

        customer.pull(trigger="webhook")

        assert customer.schedule.next_poll_at == before
        assert not poll_is_due(customer.connection)

    def test_what_is_switched_off_is_not_read(self) -> None:
        for customer in one_customer(["transaction", "transfer"]):
            wanted_by_webhook(customer, "bill", "transfer")

            customer.pull()

            assert lists_read(customer) == ["transfers"]

    def test_each_object_is_an_item_that_says_what_it_is(self, customer: Customer) -> None:
        paid_out = customer.business.create_reimbursement(minor=9000, ready=True)
        paid_back = customer.business.create_reimbursement(
            minor=500, ready=True, direction="USER_TO_BUSINESS"
        )
        bill = customer.business.create_bill(minor=18000, invoice_number="INV-7")
        transfer = customer.business.create_transfer(minor=125000)
        cashback = customer.business.create_cashback(minor=1875)
        credit = customer.business.create_vendor_credit(minor=2500, reference_number="CM-12")

        customer.pull()

        found = {
            (item.object_type, item.ramp_id): (str(item.money), item.label, item.arrived_by)
            for item in SyncItem.objects.all()
        }
        assert len(found) == 6
        for row, object_type, money in (
            (paid_out, "reimbursement", "90.00 USD"),
            (paid_back, "reimbursement", "5.00 USD"),
            (bill, "bill", "180.00 USD"),
            (transfer, "transfer", "1250.00 USD"),
            (cashback, "cashback", "18.75 USD"),
            (credit, "vendor_credit", "25.00 USD"),
        ):
            assert found[object_type, uuid.UUID(row.id)][0] == money
        assert customer.item(bill).label == "Uline"
        assert customer.item(bill).memo.startswith("INV-7")
        assert customer.item(bill).invoice_number == "INV-7"
        assert customer.item(credit).invoice_number == "CM-12"

    def test_a_page_of_bills_and_their_payments_costs_one_statement(
        self, customer: Customer, django_assert_max_num_queries: Any
    ) -> None:
        for _ in range(30):
            bill = customer.business.create_bill(minor=18000)
            customer.business.pay_bill(bill.id)
        wanted_by_webhook(customer, "bill")
        customer.connection.refresh_from_db()

        with django_assert_max_num_queries(14):  # with savepoints, of the pull as a whole
            customer.pull(trigger="webhook")

        assert SyncItem.objects.count() == 60

    def test_all_of_them_go_through(self, customer: Customer) -> None:
        rows: list[tuple[Row, int]] = [
            (customer.spend(), 0),
            (customer.business.create_reimbursement(account_code="6300", ready=True), 0),
            (
                customer.business.create_reimbursement(
                    account_code="6300", ready=True, direction="USER_TO_BUSINESS"
                ),
                0,
            ),
            (customer.business.create_bill(account_code="6400"), 0),
            (customer.business.create_transfer(), 0),
            (customer.business.create_cashback(), 0),
        ]
        paid = customer.business.create_bill(account_code="6400", minor=700)
        customer.business.pay_bill(paid.id)
        rows += [(paid, 0), (paid, 1)]

        for _ in range(3):
            customer.pull()
            customer.post()
            customer.report_until_quiet()

        assert {customer.state(row, phase) for row, phase in rows} == {"ACKED"}
        assert customer.documents == len(rows)


class TestBills:
    @pytest.fixture
    def customer(self) -> Iterator[Customer]:
        yield from one_customer(["bill"])

    def test_an_open_bill_is_one_item(self, customer: Customer) -> None:
        """R-55, first row."""
        bill = customer.business.create_bill()

        assert customer.pull().new == 1

        assert customer.item(bill).object_type == "bill"

    def test_a_paid_bill_is_two_items_with_one_call(self, customer: Customer) -> None:
        """R-55, second row."""
        bill = customer.business.create_bill()
        customer.business.pay_bill(bill.id)

        assert customer.pull().new == 2

        assert customer.item(bill, phase=1).object_type == "bill_payment"
        assert customer.calls("GET /bills") == 1

    def test_a_bill_that_somebody_else_has_synced_is_a_payment_only(
        self, customer: Customer
    ) -> None:
        """R-55, third row; R-56."""
        bill = customer.business.create_bill()
        customer.business.export_bill(bill.id)
        customer.business.pay_bill(bill.id)

        assert customer.pull().new == 1

        (payment,) = SyncItem.objects.all()
        assert (payment.object_type, payment.phase) == ("bill_payment", 1)
        assert str(payment.ramp_id) == bill.id

    def test_a_payment_tried_again_is_made_from_what_ramp_says_of_its_bill_now(
        self, customer: Customer
    ) -> None:
        """Where the ERP has the bill is no content of the payment: our own report changes it."""
        bill = customer.business.create_bill()
        customer.business.export_bill(bill.id)
        customer.business.pay_bill(bill.id)
        customer.pull()
        customer.post()
        payment = customer.item(bill, phase=1)
        assert payment.error_code == "data.bill_not_named"

        customer.business.bill(bill.id).remote_id = "B-77"
        customer.pull()

        payment.refresh_from_db()
        assert (payment.state, payment.payload.ramp["remote_id"]) == ("FAILED", "B-77")
        assert payment.events.filter(kind="changed").count() == 0

    def test_bills_paid_together_have_each_its_own_amount(self, customer: Customer) -> None:
        first = customer.business.create_bill(minor=1000)
        second = customer.business.create_bill(minor=2000)
        customer.business.pay_bill(first.id, together_with=[second.id])

        customer.pull()

        assert str(customer.item(first, phase=1).money) == "10.00 USD"
        assert str(customer.item(second, phase=1).money) == "20.00 USD"

    def test_a_word_that_nobody_knows_is_for_us_to_look_at(self, customer: Customer) -> None:
        """R-55, F-06: neither guessed nor dropped."""
        bill = customer.business.create_bill()
        customer.business.pay_bill(bill.id)
        customer.http.event_hooks = {"response": [listed_as(sync_status="BILL_HALF_SYNCED")]}

        run = customer.pull()

        assert run.problem == ""
        item = customer.item(bill)
        assert (item.state, item.error_category) == ("FAILED", "needs_integrator")
        assert "bill half synced" in item.error_title
        assert item.payload.ramp["sync_status"] == "BILL_HALF_SYNCED"
        assert customer.state(bill, phase=1) == "FAILED"
        customer.pull()
        assert item.events.filter(kind="refused").count() == 1, "said once"

        customer.http.event_hooks = {}
        customer.pull()
        assert customer.state(bill) == "READY", "and goes on when the word is a known one"

    def test_a_rejected_bill_is_withdrawn_although_its_status_is_not_synced(
        self, customer: Customer
    ) -> None:
        """R-56: no bill says of itself that it is ready, so the list is asked."""
        bill = customer.business.create_bill()
        customer.pull()
        customer.sim.world.bills.get(bill.id, "harbor-coffee").approval_status = "REJECTED"  # type: ignore[union-attr]

        customer.pull()

        assert customer.state(bill) == "WITHDRAWN"

    def test_an_archived_bill_is_withdrawn(self, customer: Customer) -> None:
        bill = customer.business.create_bill()
        customer.pull()

        customer.business.archive_bill(bill.id)
        customer.pull()

        assert customer.state(bill) == "WITHDRAWN"

    @pytest.mark.matrix("P5")
    def test_a_bill_that_the_list_has_skipped_is_kept(self, customer: Customer) -> None:
        bill = customer.business.create_bill()
        customer.pull()
        let_snapshots_age(3600)

        def skip(document: dict[str, Any]) -> None:
            document["data"] = []
            customer.http.event_hooks = {}

        customer.http.event_hooks = {"response": [rewritten(skip, of=("bills",))]}
        customer.pull()

        assert customer.state(bill) == "READY"

    @pytest.mark.matrix("K10")
    def test_a_bill_that_is_exported_by_hand_is_never_posted(self, customer: Customer) -> None:
        bill = customer.business.create_bill()
        customer.pull()

        customer.business.export_bill(bill.id)
        customer.pull()

        assert customer.state(bill) == "EXTERNAL"

    def test_cards_that_pay_bills_are_remembered(self, customer: Customer) -> None:
        """F-07."""
        bill = customer.business.create_bill()
        customer.business.pay_bill(bill.id, method="ONE_TIME_CARD")

        customer.pull()
        customer.pull()

        link = CardPayment.objects.get()
        assert str(link.bill_ramp_id) == bill.id
        assert link.connection == customer.connection

    @pytest.mark.matrix("P10")
    def test_a_malformed_bill_is_one_visible_item(self, customer: Customer) -> None:
        good, odd = customer.business.create_bill(), customer.business.create_bill()
        customer.http.event_hooks = {"response": [listed_as(odd.id, amount="a lot")]}

        customer.pull()

        assert customer.state(good) == "READY"
        assert customer.item(odd).error_code == "ramp.unreadable"
        assert SyncItem.objects.count() == 2, "of its payment nothing is known"


class TestVendorCredits:
    """Ramp keeps no sync state of them."""

    @pytest.fixture
    def customer(self) -> Iterator[Customer]:
        yield from one_customer(["vendor_credit"])

    def test_are_read_from_when_the_customer_came(self, customer: Customer) -> None:
        """What is older was entered by hand, and would be a second document."""
        Connection.objects.update(created_at=timezone.now() + timedelta(hours=1))
        customer.business.create_vendor_credit()

        assert [customer.pull().seen, customer.pull().seen] == [0, 0]

    def test_once_read_only_new_ones_are_listed(self, customer: Customer) -> None:
        customer.business.create_vendor_credit(account_code="6400")
        customer.pull()
        SyncItem.objects.update(state="WITHDRAWN")
        PullCursor.objects.update(completed_at=timezone.now() + timedelta(days=30))

        assert customer.pull().seen == 0

    def test_one_that_is_not_through_stays_listed_however_old(self, customer: Customer) -> None:
        """Else a correction of it in Ramp would never be seen."""
        customer.business.create_vendor_credit()
        customer.pull()
        PullCursor.objects.update(completed_at=timezone.now() + timedelta(days=30))

        assert customer.pull().seen == 1

    def test_used_up_ones_are_listed_too(self, customer: Customer) -> None:
        credit = customer.business.create_vendor_credit(minor=1000)
        bill = customer.business.create_bill(minor=5000)
        customer.business.apply_vendor_credit(credit.id, bill.id)

        assert customer.pull().new == 1

    def test_one_that_is_through_is_neither_posted_nor_reported_again(
        self, customer: Customer
    ) -> None:
        credit = booked_credit(customer)
        let_time_pass(600)

        customer.pull()

        item = customer.item(credit)
        assert (item.state, item.reack_due) == ("ACKED", False)

    def test_a_change_after_it_was_posted_is_shown_once(self, customer: Customer) -> None:
        credit = booked_credit(customer)
        changed = listed_as(
            credit.id,
            total_amount={
                "amount": 99,
                "currency_code": "USD",
                "minor_unit_conversion_rate": 100,
            },
        )
        customer.http.event_hooks = {"response": [changed]}

        customer.pull()
        customer.pull()

        item = customer.item(credit)
        assert (item.state, item.error_code) == ("MISMATCH", "ramp.changed_after_posting")
        assert customer.timeline(credit).count("held") == 1
        assert item.payload.ramp["total_amount"]["amount"] == 2500, "as it was posted"


def booked_credit(customer: Customer) -> Row:
    """A vendor credit that went all the way."""
    credit = customer.business.create_vendor_credit(minor=2500)
    customer.pull()
    item = SyncItem.objects.filter(ramp_id=credit.id)
    for state in (
        {"state": "POSTING", "lease_token": uuid.uuid4()},
        {"state": "POSTED", "erp_id": "1"},
        {"state": "ACKED", "acked_at": timezone.now()},
    ):
        item.update(**state)
    return credit


class TestUnannounced:
    """R-81: what a poll brings although a webhook should have told of it."""

    @pytest.fixture
    def customer(self) -> Iterator[Customer]:
        yield from one_customer(["bill", "transfer"])

    def test_counts_what_no_event_announced(self, customer: Customer) -> None:
        subscribe(customer)
        customer.business.create_bill(created_at=timezone.now() - timedelta(minutes=30))
        customer.business.create_transfer()

        assert customer.pull().unannounced == 1, "transfers have no event"
        assert customer.pull().unannounced == 0, "it is known by now"

    def test_of_a_transaction_it_is_the_last_change_that_counts(self) -> None:
        for customer in one_customer(["transaction"]):
            subscribe(customer)
            customer.spend()
            earlier = timezone.now() - timedelta(minutes=30)
            customer.http.event_hooks = {"response": [listed_as(updated_at=earlier.isoformat())]}

            assert customer.pull().unannounced == 1

    def test_leaves_out_what_may_still_be_announced(self, customer: Customer) -> None:
        subscribe(customer)
        customer.business.create_bill(created_at=timezone.now() - timedelta(minutes=1))

        assert customer.pull().unannounced == 0

    def test_leaves_out_what_is_older_than_the_webhook(self, customer: Customer) -> None:
        subscribe(customer)
        customer.business.create_bill(created_at=timezone.now() - timedelta(days=2))

        assert customer.pull().unannounced == 0

    def test_without_an_active_webhook_nothing_is_missed(self, customer: Customer) -> None:
        subscribe(customer, status="pending")
        customer.business.create_bill(created_at=timezone.now() - timedelta(minutes=30))

        assert customer.pull().unannounced == 0

    def test_what_a_webhook_brings_is_announced(self, customer: Customer) -> None:
        subscribe(customer)
        customer.business.create_bill(created_at=timezone.now() - timedelta(minutes=30))

        run = customer.pull(trigger="webhook")

        assert run.unannounced == 0
        assert SyncItem.objects.get().arrived_by == "webhook"


def subscribe(customer: Customer, status: str = "active") -> None:
    subscription = customer.connection.subscriptions.create(
        status=status, event_types=["bills.ready_to_sync", "transactions.ready_to_sync"]
    )
    type(subscription).objects.update(created_at=timezone.now() - timedelta(days=1))


def listed_as(ramp_id: str = "", **changes: Any) -> Any:
    """A response hook: lists show this object, or all, with these changes."""

    def change(document: dict[str, Any]) -> None:
        for row in document["data"]:
            if ramp_id in ("", row["id"]):
                row.update(changes)

    def hook(response: httpx.Response) -> None:
        if not response.request.url.path.endswith("/token"):
            rewritten(change, of=("bills", "credits", "transactions"))(response)

    return hook
