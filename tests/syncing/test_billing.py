"""A payment comes after its bill, is posted once, and never if a card has paid already."""

import json
import threading
import uuid
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

import pytest
from django.db import connection as database
from django.db import transaction
from django.utils import timezone

from connections.erp.errors import Code
from connections.erp.records import Idempotency, Master, MasterKind
from connections.erp.refusals import refusal
from syncing import billing, claims, planning, releases, results, snapshots
from syncing.engine import RETRY_BUDGET, post_due_items
from syncing.models import ItemEvent, ItemPayload, SyncItem
from syncing.recovery import recover_lost_items
from tests import spend
from tests.factories import SyncItemFactory
from tests.syncing.posting_world import MAPPINGS
from tests.syncing.world import World, let_time_pass, wait_until_someone_waits

pytestmark = pytest.mark.django_db

LONG_AGO = datetime(2026, 1, 1, tzinfo=UTC)


_MANY_BILLS = """
    INSERT INTO syncing_syncitem (connection_id, object_type, ramp_id, phase, label, memo, person,
        invoice_number, amount_minor, currency, exponent, content_hash, state, state_at, ready_at,
        seen_ready_at, snapshot_at, attempts, claims_without_result, report_attempt, reack_due,
        failure_telling, erp_ref, erp_id, erp_number, erp_url, error_category, error_origin,
        error_code, error_title, error_fix, error_text, error_detail, blocked_by)
    SELECT i.connection_id, 'bill', gen_random_uuid(), 0, label, '', '', 'ACCT-' || n, 1, 'USD', 2,
        '', 'READY', now(), now(), now(), now(), 0, 0, 0, false, '', '', '', '', '', '', '', '', '',
        '', '', '', ''
    FROM syncing_syncitem i CROSS JOIN generate_series(1, 3000) n WHERE i.id = %s
"""


def world(idempotency: Idempotency = Idempotency.UNIQUE_KEY) -> World:
    """One customer whose ERP knows the vendor."""
    made = World(idempotency, mappings=MAPPINGS)
    made.erp.books.put(Master(MasterKind.VENDOR, "v-1", "Acme Hosting"))
    return made


def store(world: World, object_type: str, body: dict[str, Any], **changes: Any) -> SyncItem:
    item = SyncItemFactory.create(
        connection=world.connection,
        object_type=object_type,
        ramp_id=uuid.UUID(body["id"]),
        phase=int(object_type == "bill_payment"),
        label="Acme Hosting",
        invoice_number=body.get("invoice_number") or "",
        **{"due_at": LONG_AGO, "snapshot_at": timezone.now()} | changes,
    )
    ItemPayload.objects.create(item=item, ramp=body)
    return item


def bill_and_payment(world: World, body: dict[str, Any]) -> tuple[SyncItem, SyncItem]:
    return store(world, "bill", body), store(world, "bill_payment", body)


def lines(item: SyncItem) -> list[tuple[str, str]]:
    return list(ItemEvent.objects.filter(item=item).order_by("id").values_list("kind", "text"))


def fresh(item: SyncItem) -> SyncItem:
    item.refresh_from_db()
    return item


class TestOrder:
    @pytest.mark.matrix("K13")
    def test_a_payment_waits_for_its_bill_and_follows_it(self) -> None:
        ours = world()
        payment = store(ours, "bill_payment", body := spend.paid(spend.bill()))
        bill = store(ours, "bill", body)

        post_due_items(ours.worker)

        assert fresh(bill).state == "POSTED"
        assert (fresh(payment).state, payment.blocked_by) == ("READY", "")
        assert lines(payment) == [
            ("waiting", f"Waits for its bill Acme Hosting ({bill.reference}) to be in the ERP."),
            ("released", "Its bill is in the ERP."),
        ]
        post_due_items(ours.worker)
        assert fresh(payment).state == "POSTED"
        kinds = [entry.doc.kind for entry in ours.erp.books.entries]
        assert kinds == ["bill", "bill_payment"]

    @pytest.mark.matrix("K13")
    def test_the_payment_of_a_failed_bill_stays_and_says_so(self) -> None:
        ours = world()
        bill, payment = bill_and_payment(ours, spend.paid(spend.bill()))
        ours.erp.books.deactivate(MasterKind.VENDOR, "v-1")

        post_due_items(ours.worker)
        let_time_pass(10_000)
        post_due_items(ours.worker)
        assert fresh(bill).state == "FAILED"
        assert (fresh(payment).state, payment.due_at) == ("READY", None)
        releases.hurry(payment.pk, actor="ada")
        post_due_items(ours.worker)

        assert fresh(payment).error_title == (
            f"Waits for its bill Acme Hosting ({bill.reference}), which needs attention first."
        )
        assert not ours.erp.books.entries

    def test_a_bill_that_recovery_settles_releases_its_payment_too(self) -> None:
        ours = world()
        bill, payment = bill_and_payment(ours, spend.paid(spend.bill()))
        ours.erp.faults.lose_answers = 1
        post_due_items(ours.worker)
        assert fresh(payment).blocked_by == f"bill:{bill.ramp_id}"

        let_time_pass(300)
        recover_lost_items(ours.worker)

        assert fresh(bill).state == "POSTED"
        assert payment.blocked_by != fresh(payment).blocked_by == ""

    def test_a_bill_releases_no_payment_but_its_own(self) -> None:
        ours = world()
        _, payment = bill_and_payment(ours, spend.paid(spend.bill()))
        other = store(ours, "bill_payment", stranger := spend.paid(spend.bill()))
        store(ours, "bill", stranger, state="FAILED", error_category="user_actionable")

        post_due_items(ours.worker)

        assert fresh(payment).due_at is not None
        assert fresh(other).due_at is None

    def test_an_erp_that_lost_its_bill_has_the_payment_tried_again_and_then_shown(self) -> None:
        """It says that the bill is not there, and we know better: perhaps it is a moment late."""
        ours = world()
        body = spend.paid(spend.bill())
        store(ours, "bill", body, acked=True)
        payment = store(ours, "bill_payment", body)

        post_due_items(ours.worker)
        assert (fresh(payment).state, payment.error_code) == ("READY", "erp.bill_not_posted")
        for _ in range(RETRY_BUDGET):
            let_time_pass(4000)
            post_due_items(ours.worker)

        assert fresh(payment).state == "FAILED"
        assert payment.error_category == "needs_integrator"

    def test_a_payment_on_its_way_whose_bill_our_database_forgot_waits_for_it(self) -> None:
        """After a failover: the payment was claimed, and its bill is to be posted (again)."""
        ours = world(Idempotency.LOOKUP)
        body = spend.paid(spend.bill())
        bill = store(ours, "bill", body, acked=True)
        payment = store(ours, "bill_payment", body)
        with transaction.atomic():
            claimed = claims.lock_ready(ours.connection.pk)
            plan = planning.planned(ours.worker, claimed)
            intents = [(item.id, document) for item, document in plan.documents]
            claims.begin_posting(uuid.uuid4(), intents, 0)
        bill.delete()
        bill = store(ours, "bill", body, due_at=None)
        let_time_pass(300)

        recover_lost_items(ours.worker)

        assert (fresh(payment).state, payment.blocked_by) == ("READY", f"bill:{bill.ramp_id}")

    @pytest.mark.django_db(transaction=True)
    def test_a_bill_posted_while_its_payment_is_being_put_aside_is_not_missed(self) -> None:
        ours = world()
        bill, payment = bill_and_payment(ours, spend.paid(spend.bill()))
        SyncItem.objects.filter(pk=payment.pk).update(due_at="2020-01-01T00:00Z")
        elsewhere = world()

        def post_the_bill() -> None:
            SyncItem.objects.filter(pk=bill.pk).update(due_at="2019-01-01T00:00Z")
            post_due_items(replace(ours.worker, erp=elsewhere.erp), limit=1)
            database.close()

        other = threading.Thread(target=post_the_bill)
        with transaction.atomic():
            SyncItem.objects.select_for_update().get(pk=payment.pk)
            other.start()
            wait_until_someone_waits()
            cause = f"bill:{payment.ramp_id}"
            results.record_waiting(None, [(payment.pk, cause, "Waits for its bill.")])
        other.join(60)

        assert fresh(bill).state == "POSTED"
        assert fresh(payment).due_at is not None


class TestPaidOtherwise:
    def test_a_bill_paid_by_card_is_confirmed_and_never_paid_twice(self) -> None:
        """F-07."""
        ours = world()
        body = spend.bill()
        by_card = spend.payment(11000, method="ONE_TIME_CARD")
        bill, payment = bill_and_payment(ours, spend.paid(body, by_card))

        while post_due_items(ours.worker):
            pass

        assert fresh(payment).state == "POSTED"
        assert (payment.erp_id, payment.erp_number) == (fresh(bill).erp_id, bill.erp_number)
        assert lines(payment)[-1] == (
            "found", "The bill was paid by card: the card transaction is the payment.",
        )  # fmt: skip
        assert [entry.doc.kind for entry in ours.erp.books.entries] == ["bill"]
        assert payment.attempts == 0

    def test_a_payment_of_a_kind_that_nobody_knows_is_held(self) -> None:
        ours = world()
        body = spend.bill()
        _, payment = bill_and_payment(ours, spend.paid(body, spend.payment(11000, method="BARTER")))

        while post_due_items(ours.worker):
            pass

        assert (fresh(payment).state, payment.error_category) == ("FAILED", "needs_integrator")
        assert "barter" in payment.error_title

    def test_a_payment_that_is_not_complete_waits_for_ramp(self) -> None:
        ours = world()
        payment = store(ours, "bill_payment", spend.bill(sync_status="BILL_SYNCED"))

        post_due_items(ours.worker)

        assert (fresh(payment).state, payment.due_at) == ("READY", None)
        assert payment.error_title == "The payment is not complete yet."


class TestBillsOfOthers:
    """The bill was synced before us, so that it never carries our reference."""

    def by_others(self, ours: World, **changes: Any) -> SyncItem:
        return store(
            ours, "bill_payment", spend.paid(spend.bill(sync_status="BILL_SYNCED", **changes))
        )

    def test_is_paid_where_ramp_names_its_document(self) -> None:
        ours = world()
        theirs = store(ours, "bill", spend.bill())
        post_due_items(ours.worker)
        erp_id = fresh(theirs).erp_id
        payment = self.by_others(ours, remote_id=erp_id)

        post_due_items(ours.worker)

        assert fresh(payment).state == "POSTED"
        (line,) = ours.erp.books.entries[-1].doc.lines
        assert line.applies_to_id == erp_id

    def test_is_paid_by_our_reference_where_we_posted_it_and_the_database_forgot(self) -> None:
        """Ramp then has the number that we reported, by which no ERP finds a record."""
        ours = world()
        body = spend.bill()
        bill = store(ours, "bill", body)
        post_due_items(ours.worker)
        number = fresh(bill).erp_number
        bill.delete()
        again = spend.paid(body | {"sync_status": "BILL_SYNCED", "remote_id": number})
        payment = store(ours, "bill_payment", again)

        post_due_items(ours.worker)

        assert number != ours.erp.books.entries[0].id
        assert fresh(payment).state == "POSTED"

    def test_a_payment_in_doubt_goes_to_people_where_the_erp_lacks_its_bill(self) -> None:
        """INV12: it was sent again for ever, each answer taken for a "not now"."""
        ours = world()
        payment = self.by_others(ours, remote_id="gone")
        ours.erp.faults.lose_requests = 1
        post_due_items(ours.worker)
        assert fresh(payment).state == "POSTING"
        let_time_pass(1000)

        recover_lost_items(ours.worker)

        assert (fresh(payment).state, payment.error_category) == ("FAILED", "needs_integrator")

    def test_a_payment_in_doubt_that_was_booked_is_found_although_its_bill_is_gone(self) -> None:
        ours = world()
        theirs = store(ours, "bill", spend.bill())
        post_due_items(ours.worker)
        payment = self.by_others(ours, remote_id=fresh(theirs).erp_id)
        ours.erp.faults.lose_answers = 1
        post_due_items(ours.worker)
        assert fresh(payment).state == "POSTING"
        cancelled = refusal(Code.BILL_NOT_POSTED, erp="Ledger")
        ours.erp.faults.refuse[str(payment.ramp_id)] = cancelled
        let_time_pass(1000)

        recover_lost_items(ours.worker)

        assert fresh(payment).state == "POSTED"

    def test_another_vendors_bill_is_not_paid_for_having_that_id(self) -> None:
        """Who synced the bill may have told Ramp its number: another record's id."""
        ours = world()
        store(ours, "bill", spend.bill())
        post_due_items(ours.worker)
        (entry,) = ours.erp.books.entries
        ours.erp.books.put(Master(MasterKind.VENDOR, "v-2", "Another"))
        ref = replace(entry.doc.ref, ramp_id=str(uuid.uuid4()))
        theirs = ours.erp.post(replace(entry.doc, ref=ref, party="v-2"))
        payment = self.by_others(ours, remote_id=theirs.erp_id)

        post_due_items(ours.worker)

        assert (fresh(payment).state, len(ours.erp.books.entries)) == ("FAILED", 2)

    @pytest.mark.parametrize("remote_id", ["", "gone"])
    def test_is_held_in_words_where_nobody_can_find_it(self, remote_id: str) -> None:
        ours = world()
        payment = self.by_others(ours, remote_id=remote_id)
        store(ours, "bill", dict(payment.payload.ramp), state="EXTERNAL", due_at=None)

        post_due_items(ours.worker)

        assert (fresh(payment).state, payment.error_category) == ("FAILED", "needs_integrator")
        assert "bill" in payment.error_title
        assert not ours.erp.books.entries

    def test_paid_by_card_it_is_confirmed_with_the_number_ramp_has(self) -> None:
        ours = world()
        by_card = spend.payment(11000, method="CARD")
        body = spend.bill(sync_status="BILL_SYNCED", remote_id="B-77")
        payment = store(ours, "bill_payment", spend.paid(body, by_card))

        post_due_items(ours.worker)

        assert (fresh(payment).state, payment.erp_number) == ("POSTED", "B-77")


class TestRepeatedNumbers:
    def test_a_later_bill_with_the_same_invoice_number_gets_one_of_its_own(self) -> None:
        """Gotcha 10."""
        ours = world()
        first = store(ours, "bill", spend.bill(invoice_number="ACCT-9"))
        second = store(ours, "bill", body := spend.bill(invoice_number="ACCT-9"))
        other_vendor = store(ours, "bill", spend.bill(invoice_number="ACCT-10"))

        post_due_items(ours.worker)

        assert {fresh(one).state for one in (first, second, other_vendor)} == {"POSTED"}
        numbers = [entry.doc.number for entry in ours.erp.books.entries]
        assert numbers == ["ACCT-9", f"ACCT-9 ({uuid.UUID(body['id']).hex[:8]})", "ACCT-10"]

    def test_are_looked_up_without_reading_other_bills(self) -> None:
        """Each look is one probe of an index, however many bills a customer has."""
        ours = world()
        bill = store(ours, "bill", spend.bill(invoice_number="ACCT-0"))
        with database.cursor() as cursor:
            cursor.execute(_MANY_BILLS, [bill.pk])
            cursor.execute("ANALYZE syncing_syncitem")
            cursor.execute(f"EXPLAIN {billing.TAKEN_NUMBERS}", [[bill.pk]])
            plan = "\n".join(line for (line,) in cursor.fetchall())

        scan = plan.split("item_by_invoice_number")[1]
        condition = scan.split("Index Cond: ")[1].splitlines()[0]
        assert "lower((invoice_number)" in condition
        assert "connection_id" in condition
        assert "itempayload" not in plan

    def test_a_number_of_another_customer_is_not_taken(self) -> None:
        ours, theirs = world(), world()
        store(theirs, "bill", spend.bill(invoice_number="ACCT-9"))
        store(ours, "bill", spend.bill(invoice_number="ACCT-9"))

        post_due_items(ours.worker)

        assert [entry.doc.number for entry in ours.erp.books.entries] == ["ACCT-9"]

    def test_an_invoice_that_the_erp_has_from_elsewhere_is_for_the_customer(self) -> None:
        ours = world()
        bill = store(ours, "bill", body := spend.bill())
        ours.erp.faults.refuse[body["id"]] = refusal(Code.DUPLICATE_NUMBER, erp="E")

        post_due_items(ours.worker)

        assert (fresh(bill).state, bill.error_category) == ("FAILED", "user_actionable")


def test_a_body_that_is_no_bill_holds_the_payment(caplog: pytest.LogCaptureFixture) -> None:
    ours = world()
    payment = store(ours, "bill_payment", spend.paid(spend.bill()))
    ItemPayload.objects.filter(item=payment).update(ramp=json.loads('{"id": "?"}'))

    post_due_items(ours.worker)

    assert (fresh(payment).state, payment.error_code) == ("FAILED", "us.bug")
    assert "could not be turned into a document" in caplog.text


def test_a_bill_that_somebody_else_synced_meanwhile_is_no_longer_waited_for() -> None:
    ours = world()
    store(ours, "bill", body := spend.paid(spend.bill()), due_at=None)
    payment = store(ours, "bill_payment", body | {"remote_id": "B-77"})
    bill = SyncItem.objects.get(object_type="bill")
    post_due_items(ours.worker)
    assert fresh(payment).due_at is None

    snapshots.leave(bill.pk, "EXTERNAL", why="Synced in Ramp by somebody else.")

    assert fresh(payment).due_at is not None
    assert lines(payment)[-1] == ("released", "Its bill will not be posted by rampbridge.")
    assert lines(bill)[-1] == ("external", "Synced in Ramp by somebody else.")
