"""Reports of every type: what is told when, and what each answer of Ramp means."""

from collections.abc import Iterator
from datetime import timedelta
from typing import Any

import httpx
import orjson
import pytest
from django.contrib.postgres.functions import TransactionNow

from connections.models import Connection
from connections.ramp_simulator.bill_records import BillSyncStatus
from connections.ramp_simulator.records import SyncStatus
from syncing import mismatches, outages, outbox, refused_reports, results
from syncing.classifier import ErrorCategory, Origin, SyncFailure
from syncing.kinds import KINDS
from syncing.models import AckBatch, ItemEvent, Schedule, SyncItem
from syncing.report_body import Line, Subject, new_batch, subject_of
from syncing.verdicts import Verdict
from tests.factories import SyncItemFactory
from tests.syncing.ramp import Customer
from tests.syncing.world import let_time_pass

pytestmark = pytest.mark.django_db

SYNCS = "POST /accounting/syncs"


@pytest.fixture
def customer() -> Iterator[Customer]:
    customer = Customer(types=("transaction", "reimbursement", "bill"))
    yield customer
    customer.sim.close()


def book(customer: Customer, object_type: str = "") -> None:
    """All that waits of a type is in the ERP now."""
    ready = SyncItem.objects.filter(connection=customer.connection, state="READY")
    for item in ready.filter(object_type=object_type) if object_type else ready:
        SyncItem.objects.filter(pk=item.pk).update(
            state="POSTED",
            posted_at=TransactionNow(),
            due_at=TransactionNow(),
            erp_id=f"erp-{item.pk}",
            erp_number=f"{item.object_type.upper()}-{item.pk}",
            erp_url=f"https://erp.test/{item.pk}",
            blocked_by="",
        )


def items(customer: Customer, object_type: str) -> list[SyncItem]:
    return list(
        SyncItem.objects.filter(connection=customer.connection, object_type=object_type).order_by(
            "id"
        )
    )


def item(customer: Customer, object_type: str) -> SyncItem:
    (found,) = items(customer, object_type)
    return found


def said(customer: Customer) -> list[dict[str, Any]]:
    return [orjson.loads(body) for body in customer.sent]


def notes(one: SyncItem) -> list[tuple[str, str]]:
    return list(ItemEvent.objects.filter(item=one).order_by("id").values_list("kind", "text"))


class TestBills:
    def test_a_bill_goes_first_and_its_payment_when_ramp_has_it(self, customer: Customer) -> None:
        """Rule 10."""
        bill = customer.business.create_bill(account_code="6200")
        customer.business.pay_bill(bill.id)
        customer.pull()
        book(customer)

        customer.report()
        assert [one["sync_type"] for one in said(customer)] == ["BILL_SYNC"]
        assert item(customer, "bill_payment").state == "POSTED"
        customer.report()

        assert [one["sync_type"] for one in said(customer)] == ["BILL_SYNC", "BILL_PAYMENT_SYNC"]
        assert {one["successful_syncs"][0]["id"] for one in said(customer)} == {bill.id}
        assert customer.business.bill(bill.id).sync_status == "BILL_AND_PAYMENT_SYNCED"
        assert [one.state for one in SyncItem.objects.all()] == ["ACKED", "ACKED"]

    def test_a_payment_follows_a_bill_that_was_synced_before_us(self, customer: Customer) -> None:
        bill = customer.business.create_bill(account_code="6200")
        customer.business.export_bill(bill.id)
        customer.business.pay_bill(bill.id)
        customer.pull()
        SyncItem.objects.filter(object_type="bill").delete()
        book(customer)

        customer.report()

        assert [one["sync_type"] for one in said(customer)] == ["BILL_PAYMENT_SYNC"]
        assert item(customer, "bill_payment").state == "ACKED"

    def test_the_failure_of_a_payment_waits_for_its_bill_too(self, customer: Customer) -> None:
        bill = customer.business.create_bill(account_code="6200")
        customer.business.pay_bill(bill.id)
        customer.pull()
        SyncItem.objects.filter(object_type="bill_payment").update(
            state="FAILED", failure_telling="due", error_category="user_actionable",
            error_text="The bank account is closed. Choose another.",
        )  # fmt: skip
        book(customer, "bill")

        customer.report_until_quiet()

        assert [one["sync_type"] for one in said(customer)] == ["BILL_SYNC", "BILL_PAYMENT_SYNC"]
        assert item(customer, "bill_payment").failure_telling == "told"

    def test_only_bills_lead_to_their_document(self, customer: Customer) -> None:
        bill = customer.business.create_bill(account_code="6200")
        customer.business.pay_bill(bill.id)
        customer.spend()
        customer.pull()
        book(customer)

        customer.report()
        customer.report()

        links = {
            one["sync_type"]: one["successful_syncs"][0].get("deep_link_url")
            for one in said(customer)
        }
        assert links == {
            "BILL_SYNC": item(customer, "bill").erp_url,
            "BILL_PAYMENT_SYNC": None,
            "TRANSACTION_SYNC": None,
        }
        assert customer.business.bill(bill.id).deep_link_url == item(customer, "bill").erp_url

    def test_a_link_stays_when_a_report_is_split(self, customer: Customer) -> None:
        for _ in range(2):
            customer.business.create_bill(account_code="6200")
        customer.pull()
        book(customer)
        refuse_reports_of_more_than(customer, 1)

        customer.report_until_quiet()

        lines = [one["successful_syncs"] for one in said(customer)]
        assert [len(one) for one in lines] == [2, 1, 1]
        assert all(line["deep_link_url"] for line in (*lines[1], *lines[2]))

    @pytest.mark.matrix("K12")
    def test_a_bill_that_ramp_calls_synced_already_is_done_and_the_payment_goes_on(
        self, customer: Customer
    ) -> None:
        bill = customer.business.create_bill(account_code="6200")
        customer.pull()
        customer.business.export_bill(bill.id)
        customer.business.pay_bill(bill.id)
        customer.pull()
        SyncItem.objects.filter(object_type="bill").update(state="READY", due_at=TransactionNow())
        book(customer)

        customer.report_until_quiet()

        assert item(customer, "bill").state == "ACKED"
        assert item(customer, "bill_payment").state == "ACKED"
        assert customer.business.bill(bill.id).sync_status == "BILL_AND_PAYMENT_SYNCED"

    @pytest.mark.matrix("K12")
    def test_a_payment_that_has_not_arrived_is_reported_later(self, customer: Customer) -> None:
        payment = unpaid_payment(customer)

        customer.report()

        payment.refresh_from_db()
        assert payment.state == "POSTED"
        assert payment.due_at is not None
        assert notes(payment)[-1] == (
            "waiting",
            "Ramp has not completed the payment yet. It is reported once it has.",
        )
        assert customer.report() == 0, "and not at once again"
        customer.business.pay_bill(str(payment.ramp_id), method="CHECK")
        let_time_pass(3700)
        customer.report()
        payment.refresh_from_db()
        assert payment.state == "ACKED"

    def test_a_long_wait_is_one_line_and_ends_with_a_person(self, customer: Customer) -> None:
        payment = unpaid_payment(customer)
        for _ in range(3):
            customer.report()
            let_time_pass(3700)
        assert [kind for kind, _ in notes(payment)].count("waiting") == 1

        let_time_pass(31 * 86400)
        customer.report()

        payment.refresh_from_db()
        assert payment.state == "MISMATCH"
        assert "for a month" in payment.error_title

    def test_an_archived_bill_is_a_mismatch(self, customer: Customer) -> None:
        bill = customer.business.create_bill(account_code="6200")
        customer.pull()
        book(customer)
        customer.business.archive_bill(bill.id)

        customer.report_until_quiet()

        assert item(customer, "bill").error_code == "ramp.no_longer_ready"

    @pytest.mark.matrix("K18")
    def test_a_payment_offered_again_is_reported_again_and_not_its_bill(
        self, customer: Customer
    ) -> None:
        bill = customer.business.create_bill(account_code="6200")
        customer.business.pay_bill(bill.id)
        customer.pull()
        book(customer)
        customer.report_until_quiet()
        again = customer.business.bill(bill.id)
        again.sync_status = BillSyncStatus.BILL_SYNCED
        customer.sim.world.bills.put(again)
        sent = len(customer.sent)

        let_time_pass(3600)
        customer.pull()
        customer.report_until_quiet()

        assert [one["sync_type"] for one in said(customer)[sent:]] == ["BILL_PAYMENT_SYNC"]
        assert [one.state for one in SyncItem.objects.all()] == ["ACKED", "ACKED"]


class TestOtherTypes:
    def test_each_type_is_reported_by_its_name(self, customer: Customer) -> None:
        customer.spend()
        customer.business.create_reimbursement(ready=True, account_code="6200")
        customer.pull()
        for object_type in ("transfer", "cashback"):
            SyncItemFactory.create(connection=customer.connection, object_type=object_type)
        book(customer)

        customer.report_until_quiet(3)

        assert set(AckBatch.objects.values_list("sync_type", flat=True)) == {
            "TRANSACTION_SYNC",
            "REIMBURSEMENT_SYNC",
            "TRANSFER_SYNC",
            "STATEMENT_CREDIT_SYNC",
        }
        assert item(customer, "reimbursement").state == "ACKED"

    def test_a_vendor_credit_is_through_without_a_report(self, customer: Customer) -> None:
        credit = SyncItemFactory.create(
            connection=customer.connection, object_type="vendor_credit", state="READY"
        )
        book(customer)

        assert customer.report() == 0

        credit.refresh_from_db()
        assert credit.state == "ACKED"
        assert credit.acked_at is not None
        assert "no sync state" in notes(credit)[-1][1]
        assert customer.sent == []

    def test_nobody_is_told_of_a_vendor_credit_that_failed(self, customer: Customer) -> None:
        credit = SyncItemFactory.create(
            connection=customer.connection, object_type="vendor_credit", state="READY"
        )
        failure = SyncFailure(ErrorCategory.USER_ACTIONABLE, Origin.ERP, "erp.x", "No.", "Do.")

        results.record_refused(None, [results.Refused(credit.pk, failure, "No. Do.")])

        credit.refresh_from_db()
        assert (credit.state, credit.failure_telling) == ("FAILED", "")
        assert customer.report() == 0

    def test_a_word_that_nobody_knows_is_for_a_person_and_named(self, customer: Customer) -> None:
        bought = customer.spend()
        customer.pull()
        book(customer)
        customer.business.transaction(bought.id).sync_status = "SYNC_PAUSED"  # type: ignore[assignment]

        customer.report_until_quiet()

        held = item(customer, "transaction")
        assert held.state == "MISMATCH"
        assert held.error_code == "ramp.unknown_state"
        assert "sync paused" in held.error_title


def unpaid_payment(customer: Customer) -> SyncItem:
    """A payment that we have posted and that Ramp has not completed: a cheque on its way."""
    bill = customer.business.create_bill(account_code="6200")
    customer.pull()
    book(customer)
    customer.report()
    customer.business.start_check(bill.id)
    payment = SyncItemFactory.create(
        connection=customer.connection, object_type="bill_payment", phase=1, ramp_id=bill.id
    )
    book(customer)
    return payment


def refuse_reports_of_more_than(customer: Customer, most: int) -> None:
    """Ramp answers 422 to larger ones."""

    def refuse(request: httpx.Request) -> httpx.Response | None:
        if not request.url.path.endswith("/accounting/syncs"):
            return None
        if len(orjson.loads(request.read())["successful_syncs"]) <= most:
            return None
        return httpx.Response(422, json={"error_v2": {"error_code": "DEVELOPER_7001"}})

    customer.wire.intercept = refuse


class TestSize:
    """R-59."""

    @pytest.fixture(autouse=True)
    def _small(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(outbox, "SMALL_SIZE", 5)

    @staticmethod
    def posted(customer: Customer, count: int) -> None:
        for _ in range(count):
            customer.spend()
        customer.pull()
        book(customer)

    @staticmethod
    def sizes(customer: Customer) -> list[int]:
        return [len(one["successful_syncs"]) for one in said(customer)]

    def test_is_as_large_as_the_guide_allows(self, customer: Customer) -> None:
        self.posted(customer, 12)

        customer.report()

        assert self.sizes(customer) == [12]
        assert Connection.objects.get().ack_batch_size == 5000

    def test_falls_back_for_good_if_a_larger_one_is_refused(self, customer: Customer) -> None:
        refuse_reports_of_more_than(customer, 5)
        self.posted(customer, 12)

        customer.report_until_quiet()
        self.posted(customer, 12)
        customer.report_until_quiet()

        first, *others = self.sizes(customer)
        assert (first, sorted(others)) == (12, [2, 2, 5, 5, 5, 5])
        assert Connection.objects.get().ack_batch_size == 5
        assert {one.state for one in SyncItem.objects.all()} == {"ACKED"}


class TestMismatches:
    def taken_back(self, customer: Customer) -> tuple[str, SyncItem]:
        bought = customer.spend()
        customer.pull()
        book(customer)
        customer.business.take_back(bought.id)
        customer.report_until_quiet()
        held = item(customer, "transaction")
        assert held.state == "MISMATCH"
        return bought.id, held

    def test_what_is_ready_again_is_reported_by_night(self, customer: Customer) -> None:
        bought, held = self.taken_back(customer)
        assert mismatches.retry_mismatches(customer.connection, customer.ramp) == 0
        customer.business.mark_ready(bought)

        assert mismatches.retry_mismatches(customer.connection, customer.ramp) == 1
        customer.report()

        held.refresh_from_db()
        assert (held.state, held.error_title) == ("ACKED", "")
        assert [kind for kind, _ in notes(held)][-2:] == ["released", "reported"]

    def test_what_is_ready_again_is_reported_once_a_pull_lists_it(self, customer: Customer) -> None:
        bought, held = self.taken_back(customer)
        customer.business.mark_ready(bought)

        customer.pull()
        customer.report()

        held.refresh_from_db()
        assert held.state == "ACKED"
        assert customer.business.transaction(bought).reference_id == held.erp_number

    def test_what_is_synced_by_now_is_done(self, customer: Customer) -> None:
        bought, held = self.taken_back(customer)
        customer.business.mark_ready(bought)
        customer.business.press_export(bought)

        assert mismatches.retry_mismatches(customer.connection, customer.ramp) == 1

        held.refresh_from_db()
        assert held.state == "ACKED"

    def test_what_differs_for_another_reason_is_left_to_a_person(self, customer: Customer) -> None:
        bought, held = self.taken_back(customer)
        customer.business.mark_ready(bought)
        SyncItem.objects.update(error_code="erp.changed")

        assert mismatches.retry_mismatches(customer.connection, customer.ramp) == 0
        customer.pull()

        held.refresh_from_db()
        assert held.state == "MISMATCH"

    def test_what_ramp_never_takes_costs_one_report_a_night(self, customer: Customer) -> None:
        bought = customer.spend()
        customer.pull()
        book(customer)
        customer.fault(
            "answer", SYNCS, status=400, code="DEVELOPER_7062",
            message=f"The following objects are not ready for sync: {bought.id}", times=None,
        )  # fmt: skip
        customer.report_until_quiet(20)
        sent = len(customer.sent)

        assert mismatches.retry_mismatches(customer.connection, customer.ramp) == 1
        customer.report_until_quiet(20)

        assert len(customer.sent) == sent + 1
        assert item(customer, "transaction").state == "MISMATCH"


class TestOfferedAgain:
    @pytest.mark.matrix("K18")
    def test_is_reported_once_more_even_if_a_neighbour_is_refused(self, customer: Customer) -> None:
        first = customer.spend()
        customer.pull()
        book(customer)
        customer.report()
        again = customer.business.transaction(first.id)
        again.sync_status = SyncStatus.SYNC_READY
        customer.sim.world.keep(again)
        second = customer.spend()
        let_time_pass(3600)
        customer.pull()
        book(customer)
        customer.business.take_back(second.id)

        customer.report_until_quiet()

        assert customer.state(first) == "ACKED"
        assert customer.business.transaction(first.id).sync_status == "SYNCED"
        assert [outcome for outcome, _ in customer.told(first)] == ["success", "success"]


class TestOutage:
    SILENT = SyncFailure(
        ErrorCategory.TRANSIENT, Origin.ERP, "erp.unavailable", "Ledger does not answer."
    )

    def silent_for(self, customer: Customer, **span: int) -> int:
        Schedule.objects.update(erp_silent_since=TransactionNow() - timedelta(**span))
        return outages.tell_waiting(
            customer.connection, self.SILENT, next_try=timedelta(seconds=30)
        )

    @pytest.mark.matrix("X17")
    def test_is_told_once_per_item_after_an_hour(self, customer: Customer) -> None:
        bought = customer.spend()
        customer.pull()
        assert self.silent_for(customer, minutes=59) == 0

        assert self.silent_for(customer, minutes=61) == 1
        let_time_pass(20)
        customer.report()
        assert self.silent_for(customer, minutes=62) == 0
        later = customer.spend()
        customer.pull()
        assert self.silent_for(customer, minutes=63) == 1, "what came since has not been told"

        assert customer.state(bought) == "READY"
        ((outcome, text),) = customer.told(bought)
        assert outcome == "failure"
        assert text.startswith("Ledger does not answer. We try again at ")
        assert "UTC" in text
        assert customer.told(later) == []

    @pytest.mark.matrix("X17")
    def test_is_taken_away_by_the_success(self, customer: Customer) -> None:
        bought = customer.spend()
        customer.pull()
        self.silent_for(customer, hours=2)
        let_time_pass(20)
        customer.report()
        assert customer.business.transaction(bought.id).export_error

        book(customer)
        customer.report()

        assert [outcome for outcome, _ in customer.told(bought)] == ["failure", "success"]
        assert customer.business.transaction(bought.id).export_error is None


class TestBody:
    def test_a_part_of_a_batch_says_the_same_of_the_rest(self, customer: Customer) -> None:
        about = Subject(customer.connection, "BILL_SYNC", "success")
        line = Line(1, customer.connection.pk, "BILL-1", 1, "https://erp.test/1")

        assert subject_of(new_batch(about, [line])) == about

    def test_a_key_is_for_all_that_is_said(self, customer: Customer) -> None:
        about = Subject(customer.connection, "BILL_SYNC", "success")
        one, other = (
            Line(1, customer.connection.pk, "BILL-1", 1, f"https://erp.test/{number}")
            for number in (1, 2)
        )

        assert new_batch(about, [one]).key == new_batch(about, [one]).key
        assert new_batch(about, [one]).key != new_batch(about, [other]).key


def test_a_bill_read_by_its_id_is_ready_only_if_it_is_listed(customer: Customer) -> None:
    bill = customer.business.create_bill(account_code="6200", approved=False)
    customer.pull()
    ids = [SyncItemFactory.build(ramp_id=bill.id).ramp_id]

    found = refused_reports.read_again(
        KINDS["bill"], customer.ramp, ids, since=customer.connection.created_at
    )

    assert [one.verdict for one in found.values()] == [Verdict.NOT_READY]
