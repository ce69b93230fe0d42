"""What nobody is sure of is settled by people: by what the ERP holds, and by two above a sum."""

import threading
import uuid
from collections.abc import Callable
from datetime import timedelta
from decimal import Decimal
from typing import Any

import pytest
from django.db import IntegrityError, connections, transaction
from django.utils import timezone

from connections.erp.records import DocKind, Document, Idempotency, Line, Ref
from connections.models import AuditLine
from syncing import (
    claims,
    findings,
    mismatches,
    releases,
    resync,
    services,
    sync_requests,
)
from syncing.claims import LEASE_SECONDS
from syncing.classifier import ErrorCategory
from syncing.engine import post_due_items
from syncing.error_desk import judging
from syncing.error_desk.judging import Wish
from syncing.models import (
    Attachment,
    ErpLook,
    ErrorGroup,
    ItemEvent,
    ItemPayload,
    OutsideMark,
    Settlement,
    SyncItem,
    SyncRequest,
)
from syncing.recovery import recover_lost_items
from syncing.settling import (
    adopting,
    disagreements,
    looks,
    outside,
    reposting,
    second_person,
    waiting,
)
from syncing.settling.refusal import NotSettled
from tests.factories import SyncItemFactory
from tests.syncing.test_recovery import killed_before_sending, killed_while_sending
from tests.syncing.world import World, let_time_pass, list_ready, transaction_body

pytestmark = pytest.mark.django_db

LARGE = 250_000


def now() -> Any:
    return timezone.now()


def uncertain(
    idempotency: Idempotency = Idempotency.NONE, *, sent: bool = True, cents: int = 1234
) -> tuple[World, SyncItem]:
    """An item whose answer was lost, at an ERP that cannot be asked for our reference."""
    world = World(idempotency)
    world.ready(transaction_body(cents))
    (killed_while_sending if sent else killed_before_sending)(world)
    let_time_pass(LEASE_SECONDS + 1)
    recover_lost_items(world.worker)
    return world, SyncItem.objects.get()


def in_review(cents: int = 1234, *, sent: bool = False) -> tuple[World, SyncItem]:
    """The same at an ERP that by now can be searched by our reference, as after an upgrade."""
    world, item = uncertain(sent=sent, cents=cents)
    world.erp._capabilities = World(Idempotency.LOOKUP).erp.capabilities()
    assert item.state == "REVIEW"
    return world, item


def looked(world: World, item: SyncItem, number: str = "") -> ErpLook:
    """What somebody asked the ERP, answered."""
    look = looks.ask(item=item, number=number, actor="maya")
    assert looks.answer_due(world.connection.pk, world.erp, erp_name="Ledger") == 1
    look = ErpLook.objects.select_related("item__payload").get(pk=look.pk)
    assert (look.problem, look.due_at) == ("", None)
    return look


def booked_by_hand(world: World, item: SyncItem, cents: int | None = None, **changes: Any) -> Any:
    """A document that somebody typed into the ERP, without our reference."""
    amount = Decimal(item.amount_minor if cents is None else cents) / 100
    document = Document.from_json(item.payload.document or {})
    assert document.kind is DocKind.JOURNAL
    lines = (Line("6200", amount, memo="typed"), Line("2150", -amount))
    values: dict[str, Any] = {
        "ref": Ref("", DocKind.JOURNAL, uuid.uuid4().hex),
        "kind": DocKind.JOURNAL,
        "posting_date": document.posting_date,
        "currency": "USD",
        "lines": lines,
    }
    return world.erp.books.book(Document(**(values | changes)))


def adopt(look: ErpLook, erp_id: str, reason: str = "", actor: str = "maya") -> Settlement:
    return adopting.adopt(look=look, erp_id=erp_id, reason=reason, actor=actor, now=now())


class TestLook:
    def test_finds_what_carries_our_reference_first(self) -> None:
        world, item = in_review(sent=True)
        booked_by_hand(world, item)

        look = looked(world, item)

        first, second = look.candidates
        assert (first["score"], first["document"]["ref"]) == (100, item.erp_ref)
        assert second["score"] < 100
        assert second["reasons"] == ["same amount", "same date"]
        assert look.is_conclusive
        assert item.erp_ref in look.asked_for[0]
        line = ItemEvent.objects.filter(item=item, kind="looked", actor="maya").get()
        assert line.data["asked_for"] == look.asked_for

    def test_of_an_erp_without_our_reference_finds_what_resembles_it_and_says_so(self) -> None:
        world, item = uncertain(sent=False)
        booked_by_hand(world, item)

        look = looked(world, item)

        assert not look.is_conclusive
        assert look.asked_for[0] == "This ERP cannot be searched by our reference."
        assert [one["score"] for one in look.candidates] == [54]

    def test_by_number_finds_a_document_over_another_amount_with_the_difference(self) -> None:
        world, item = in_review()
        entry = booked_by_hand(world, item, cents=1200)

        look = looked(world, item, number=entry.number)

        (found,) = look.candidates
        assert found["problems"] == ["It is over 12 USD, 0.34 USD off."]

    def test_is_one_wish_however_often_somebody_asks(self) -> None:
        _, item = in_review()

        first = looks.ask(item=item, number="", actor="maya")

        assert looks.ask(item=item, number="", actor="tomas") == first
        assert looks.ask(item=item, number="17", actor="tomas") != first

    def test_that_the_erp_does_not_answer_is_tried_again_and_then_says_why(self) -> None:
        from tests.syncing.test_recovery import UNAVAILABLE

        world, item = in_review()
        world.erp.faults.refuse_with = UNAVAILABLE
        look = looks.ask(item=item, number="", actor="maya")

        for _ in range(looks.MOST_TRIES):
            ErpLook.objects.filter(due_at__isnull=False).update(due_at=now() - timedelta(1))
            looks.answer_due(world.connection.pk, world.erp, erp_name="Ledger")

        look.refresh_from_db()
        assert look.due_at is None
        assert look.problem
        with pytest.raises(NotSettled, match="Look in the ERP"):
            reposting.post_anyway(item=item, reason="", actor="maya", now=now())

    def test_that_a_worker_dies_on_comes_due_again(self) -> None:
        world, item = in_review()
        looks.ask(item=item, number="", actor="maya")
        dying = world.erp.find
        world.erp.find = lambda ref: (_ for _ in ()).throw(KeyboardInterrupt)  # type: ignore[method-assign]
        with pytest.raises(KeyboardInterrupt):
            looks.answer_due(world.connection.pk, world.erp, erp_name="Ledger")
        world.erp.find = dying  # type: ignore[method-assign]

        assert looks.answer_due(world.connection.pk, world.erp, erp_name="Ledger") == 0
        ErpLook.objects.update(due_at=now() - timedelta(seconds=1))

        assert looks.answer_due(world.connection.pk, world.erp, erp_name="Ledger") == 1


class TestAdopt:
    def test_takes_the_document_over_and_reports_it_next(self) -> None:
        world, item = in_review(sent=True)
        look = looked(world, item)

        adopt(look, look.candidates[0]["document"]["erp_id"])

        item.refresh_from_db()
        (entry,) = world.erp.books.entries
        assert (item.state, item.erp_id, item.erp_number) == ("POSTED", entry.id, entry.number)
        assert item.erp_ref == entry.doc.ref.full
        assert (item.error_code, item.lease_token) == ("", None)
        line = ItemEvent.objects.filter(item=item, kind="settled").get()
        assert (line.actor, line.data["number"]) == ("maya", entry.number)
        assert AuditLine.objects.filter(act="items.adopt", actor="maya").count() == 1

    def test_of_a_strangers_document_forgets_our_reference_so_that_no_comparison_misses_it(
        self,
    ) -> None:
        world, item = in_review()
        entry = booked_by_hand(world, item)
        look = looked(world, item)

        adopt(look, entry.id)

        item.refresh_from_db()
        assert (item.state, item.erp_ref, item.erp_id) == ("POSTED", "", entry.id)

    def test_over_another_amount_needs_a_reason_and_a_second_person(self) -> None:
        world, item = in_review()
        entry = booked_by_hand(world, item, cents=1200)
        look = looked(world, item, number=entry.number)

        with pytest.raises(NotSettled, match=r"0\.34 USD off"):
            adopt(look, entry.id)
        settlement = adopt(look, entry.id, reason="The bank took a fee.")

        item.refresh_from_db()
        assert (settlement.state, item.state) == ("asked", "REVIEW")
        with pytest.raises(NotSettled, match="somebody else"):
            second_person.decide(settlement=settlement, agrees=True, because="", actor="maya")
        second_person.decide(settlement=settlement, agrees=True, because="", actor="hannah")
        item.refresh_from_db()
        assert (item.state, item.erp_id) == ("POSTED", entry.id)

    def test_that_the_second_person_refuses_leaves_the_item_as_it_was(self) -> None:
        world, item = in_review()
        entry = booked_by_hand(world, item, cents=1200)
        look = looked(world, item, number=entry.number)
        settlement = adopt(look, entry.id, reason="I think so.")

        second_person.decide(
            settlement=settlement, agrees=False, because="It is last year's.", actor="hannah"
        )

        item.refresh_from_db()
        assert item.state == "REVIEW"
        assert not second_person.waiting_settlements()
        assert "last year's" in ItemEvent.objects.filter(item=item).order_by("-pk")[0].text

    def test_of_one_document_is_for_one_item(self) -> None:
        world, item = in_review()
        entry = booked_by_hand(world, item)
        look = looked(world, item)
        SyncItemFactory.create(
            connection=world.connection, posted=True, erp_id=entry.id, erp_number=entry.number
        )

        with pytest.raises(NotSettled, match="One document is one item"):
            adopt(look, entry.id)

    def test_of_a_document_that_was_voided_is_refused(self) -> None:
        world, item = in_review()
        entry = booked_by_hand(world, item)
        world.erp.books.reverse(entry, entry.doc.posting_date, "wrong")
        look = looked(world, item)

        with pytest.raises(NotSettled, match="voided"):
            adopt(look, entry.id)

    def test_of_what_was_found_long_ago_is_refused(self) -> None:
        world, item = in_review()
        entry = booked_by_hand(world, item)
        look = looked(world, item)
        look.answered_at = now() - looks.FRESH - timedelta(seconds=1)

        with pytest.raises(NotSettled, match="Look in the ERP again"):
            adopt(look, entry.id)

    def test_of_an_item_that_somebody_has_queued_meanwhile_is_refused(self) -> None:
        world, item = in_review()
        entry = booked_by_hand(world, item)
        look = looked(world, item)
        SyncItem.objects.filter(pk=item.pk).update(state="READY")

        with pytest.raises(NotSettled, match="has just moved"):
            adopt(look, entry.id)

        assert not Settlement.objects.exists()
        assert not AuditLine.objects.filter(act="items.adopt").exists()

    def test_of_a_failed_item_works_as_well(self) -> None:
        world = World(Idempotency.LOOKUP)
        (item,) = world.ready()
        ItemPayload.objects.filter(item=item).update(document=None)
        claimed = claims.lock_ready(world.connection.pk)
        assert claimed
        SyncItem.objects.filter(pk=item.pk).update(
            state="FAILED", error_category="user_actionable", state_at=now() - timedelta(hours=1)
        )
        item = SyncItem.objects.select_related("payload").get()
        entry = world.erp.books.book(
            Document(
                Ref("", DocKind.JOURNAL, "typed"),
                DocKind.JOURNAL,
                item.accounting_date,  # type: ignore[arg-type]
                "USD",
                (Line("6200", Decimal("12.34")), Line("2150", Decimal("-12.34"))),
            )
        )

        look = looked(world, item)
        adopt(look, entry.id)

        item.refresh_from_db()
        assert (item.state, item.erp_number) == ("POSTED", entry.number)

    def test_keeps_a_failed_item_from_being_retried_while_a_second_person_is_asked(self) -> None:
        world, item = in_review()
        entry = booked_by_hand(world, item, cents=1)
        look = looked(world, item)
        look = looked(world, item, number=entry.number)
        adopt(look, entry.id, reason="Sure.")

        with pytest.raises(NotSettled, match="second person already"):
            adopt(look, entry.id, reason="Sure.")


class TestPostAnyway:
    def test_needs_a_look_that_found_nothing(self) -> None:
        world, item = in_review()
        with pytest.raises(NotSettled, match="Look in the ERP first"):
            reposting.post_anyway(item=item, reason="", actor="maya", now=now())
        looked(world, item)

        reposting.post_anyway(item=item, reason="", actor="maya", now=now())

        item.refresh_from_db()
        assert (item.state, item.attempts, item.error_title) == ("READY", 0, "")
        post_due_items(world.worker)
        assert len(world.erp.books.entries) == 1

    def test_is_refused_where_our_reference_was_found(self) -> None:
        world, item = in_review(sent=True)
        looked(world, item)

        with pytest.raises(NotSettled, match="carries our reference"):
            reposting.post_anyway(item=item, reason="Sure.", actor="maya", now=now())

    def test_takes_somebodys_word_where_the_erp_cannot_be_searched(self) -> None:
        world, item = uncertain(sent=False)
        looked(world, item)
        with pytest.raises(NotSettled, match="say how you know"):
            reposting.post_anyway(item=item, reason=" ", actor="maya", now=now())

        reposting.post_anyway(item=item, reason="Read the journal.", actor="maya", now=now())

        item.refresh_from_db()
        assert item.state == "READY"

    def test_takes_two_where_the_erp_cannot_be_searched_and_much_is_at_stake(self) -> None:
        world, item = uncertain(sent=False, cents=LARGE)
        looked(world, item)

        settlement = reposting.post_anyway(
            item=item, reason="Read the journal.", actor="maya", now=now()
        )

        item.refresh_from_db()
        assert item.state == "REVIEW"
        second_person.decide(settlement=settlement, agrees=True, because="", actor="hannah")
        item.refresh_from_db()
        assert item.state == "READY"

    def test_that_a_second_person_agrees_to_after_it_was_sent_again_is_refused(
        self, settings: Any
    ) -> None:
        """What the first one saw says nothing of the attempt that came after it."""
        settings.OUTSIDE_LIMIT = Decimal(0)
        world, item = uncertain(sent=False)
        looked(world, item)
        word = reposting.post_anyway(item=item, reason="Looked through.", actor="maya", now=now())
        for state in ("READY", "POSTING", "REVIEW"):
            SyncItem.objects.filter(pk=item.pk).update(
                state=state, state_at=now(), lease_token=uuid.uuid4()
            )

        with pytest.raises(NotSettled, match="just moved"):
            second_person.decide(settlement=word, agrees=True, because="", actor="hannah")

        item.refresh_from_db()
        assert item.state == "REVIEW"

    def test_wakes_only_once_if_two_people_say_so(self) -> None:
        world, item = in_review()
        looked(world, item)
        same = SyncItem.objects.get()
        reposting.post_anyway(item=item, reason="", actor="maya", now=now())

        with pytest.raises(NotSettled, match="has just moved"):
            reposting.post_anyway(item=same, reason="", actor="tomas", now=now())

    def test_cannot_be_had_by_retrying(self) -> None:
        _, item = in_review()

        with pytest.raises(services.NotRetryable, match="Nobody knows"):
            services.retry_item(item=item, actor="maya")
        assert releases.release(item.connection_id, ids=[item.pk], why="Retried.") == 0


class TestKeepWaiting:
    def test_says_what_for_and_until_when(self) -> None:
        _, item = in_review()
        until = now() + timedelta(hours=4)

        waiting.keep_waiting(
            item=item, until=until, reason="The bank answers at noon.", actor="maya", now=now()
        )

        item.refresh_from_db()
        assert item.state == "REVIEW"
        assert Settlement.objects.get().until == until
        for wrong in (now() - timedelta(1), now() + timedelta(days=31)):
            with pytest.raises(NotSettled, match="within the next"):
                waiting.keep_waiting(item=item, until=wrong, reason="x", actor="maya", now=now())


def mark(
    *items: SyncItem, number: str = "", reason: str = "Typed by hand."
) -> list[outside.Marked]:
    return outside.mark_outside(
        [item.pk for item in items], erp_reference=number, reason=reason, actor="maya"
    )


class TestOutside:
    def test_leaves_each_item_alone_that_may_be_and_says_why_not_of_the_others(self) -> None:
        failed, queued = SyncItemFactory.create(failed=True), SyncItemFactory.create()
        through = SyncItemFactory.create(acked=True)

        answers = mark(failed, through, queued)

        assert [one.is_done for one in answers] == [True, False, True]
        assert [one.item_id for one in answers] == [failed.pk, through.pk, queued.pk]
        assert "reported to Ramp" in answers[1].words
        assert SyncItem.objects.filter(state="EXTERNAL").count() == 2
        assert OutsideMark.objects.filter(state="done").count() == 2
        assert ItemEvent.objects.filter(kind="external", actor="maya").count() == 2
        assert AuditLine.objects.filter(act="items.outside").count() == 2, "one for each customer"

    def test_needs_a_number_or_a_reason(self) -> None:
        item = SyncItemFactory.create(failed=True)

        with pytest.raises(NotSettled, match="Give the number"):
            mark(item, reason="  ")

    def test_above_the_limit_waits_for_a_second_person(self, settings: Any) -> None:
        settings.OUTSIDE_LIMIT = Decimal(123)
        item = SyncItemFactory.create(failed=True, amount_minor=-12_301)

        (answer,) = mark(item)

        item.refresh_from_db()
        assert (answer.waits, answer.is_done, item.state) == (True, False, "FAILED")
        (waiting_mark,) = second_person.waiting_marks()
        with pytest.raises(NotSettled, match="somebody else"):
            outside.decide(mark=waiting_mark, agrees=True, because="", actor="maya")
        outside.decide(mark=waiting_mark, agrees=True, because="Seen it.", actor="hannah")
        item.refresh_from_db()
        assert item.state == "EXTERNAL"
        assert not second_person.waiting_marks()

    def test_that_waits_for_its_second_person_is_not_retried_meanwhile(self, settings: Any) -> None:
        settings.OUTSIDE_LIMIT = Decimal(0)
        item = SyncItemFactory.create(failed=True, blocked_by="period_closed:2026-11")
        mark(item)

        with pytest.raises(services.NotRetryable):
            services.retry_item(item=item, actor="tomas")
        assert not releases.retry([item.pk], actor="tomas")
        cause = "period_closed:2026-11"
        assert releases.release(item.connection_id, cause=cause, why="Reopened.") == 0
        outside.decide(
            mark=second_person.waiting_marks()[0], agrees=False, because="No.", actor="hannah"
        )

        assert releases.release(item.connection_id, cause=cause, why="Reopened.") == 1

    def test_that_waits_for_its_second_person_is_queued_by_nobody_who_queues_many(
        self, settings: Any
    ) -> None:
        """By a ruling, by a re-sync, and by the customer's own press of the sync button."""
        settings.OUTSIDE_LIMIT = Decimal(0)
        item = SyncItemFactory.create(failed=True, error_code="erp.odd", error_title="Odd.")
        mark(item)
        group = ErrorGroup.objects.get()
        press = SyncRequest.objects.create(
            sync_request_id=uuid.uuid4(),
            connection=item.connection,
            object_type=item.object_type,
            received_at=now(),
            stop_at=now() + timedelta(minutes=4),
            ends_at=now() + timedelta(minutes=5),
        )

        wish = Wish(ErrorCategory.TRANSIENT, "It passes.")
        judging.rule(group, wish, before=item.error_category, actor="tomas")
        resync.resync(item.connection, actor="tomas")
        sync_requests.adopt(press, [item.ramp_id], listed_at=now())

        item.refresh_from_db()
        assert (item.state, item.failure_telling) == ("FAILED", "due")

    def test_that_waits_for_its_second_person_is_not_posted_meanwhile(self, settings: Any) -> None:
        settings.OUTSIDE_LIMIT = Decimal(0)
        world = World()
        body = transaction_body()
        (item,) = world.ready(body)
        mark(item)

        list_ready(world.connection, body)
        resync.resync(world.connection, actor="tomas")
        item.refresh_from_db()
        with pytest.raises(services.NotRetryable, match="second person"):
            services.retry_item(item=item, actor="tomas")
        assert not releases.hurry(item.pk, actor="tomas")
        assert post_due_items(world.worker) == 0

        outside.decide(
            mark=second_person.waiting_marks()[0], agrees=False, because="No.", actor="hannah"
        )
        assert post_due_items(world.worker) == 1

    def test_at_the_limit_one_is_enough(self, settings: Any) -> None:
        settings.OUTSIDE_LIMIT = Decimal(123)
        item = SyncItemFactory.create(failed=True, amount_minor=12_300)

        assert mark(item)[0].is_done

    def test_of_one_person_above_the_limit_is_refused_by_the_database(self) -> None:
        item = SyncItemFactory.create(failed=True)
        values = {"item": item, "reason": "x", "needs_second": True, "state": "done"}

        for second in ("", "maya"):
            with pytest.raises(IntegrityError), transaction.atomic():
                OutsideMark.objects.create(
                    **values, asked_by="maya", asked_at=now(), decided_by=second
                )

    def test_of_an_item_that_was_posted_while_the_second_was_asked_is_refused(
        self, settings: Any
    ) -> None:
        settings.OUTSIDE_LIMIT = Decimal(0)
        item = SyncItemFactory.create()
        mark(item)
        SyncItem.objects.filter(pk=item.pk).update(state="POSTING", lease_token=uuid.uuid4())

        with pytest.raises(NotSettled, match="being posted"):
            outside.decide(
                mark=second_person.waiting_marks()[0], agrees=True, because="", actor="hannah"
            )

        assert second_person.waiting_marks()

    def test_stays_whatever_ramp_lists_and_says_so_once(self) -> None:
        world = World()
        body = transaction_body()
        (item,) = world.ready(body)
        mark(item)
        list_ready(world.connection, body)  # a list that Ramp made up before
        assert not ItemEvent.objects.filter(item=item, kind="note").exists()
        SyncItem.objects.update(
            state_at=now() - timedelta(minutes=2), seen_ready_at=now() - timedelta(minutes=9)
        )

        for _ in range(3):
            list_ready(world.connection, body)

        item.refresh_from_db()
        assert item.state == "EXTERNAL"
        notes = ItemEvent.objects.filter(item=item, kind="note")
        assert [line.text[:27] for line in notes] == ["Ramp calls it ready to sync"]

    def test_is_taken_back_and_read_again_before_it_is_posted(self) -> None:
        world = World()
        body = transaction_body()
        (item,) = world.ready(body)
        mark(item)
        item.refresh_from_db()

        outside.take_back(item=item, reason="It was another one.", actor="hannah")

        assert post_due_items(world.worker) == 0, "what Ramp says of it now is not known"
        list_ready(world.connection, body)
        assert post_due_items(world.worker) == 1
        item.refresh_from_db()
        assert item.state == "POSTED"

    def test_of_what_nobody_was_sure_of_is_taken_back_to_where_nobody_is(self) -> None:
        """Queued, it would be booked a second time."""
        world, item = uncertain()
        mark(item)
        item.refresh_from_db()

        outside.take_back(item=item, reason="It was another one.", actor="hannah")

        item.refresh_from_db()
        assert (item.state, item.error_code) == ("REVIEW", "erp.review")
        list_ready(world.connection, item.payload.ramp)
        assert post_due_items(world.worker) == 0
        with pytest.raises(NotSettled, match="Look in the ERP first"):
            reposting.post_anyway(item=item, reason="", actor="maya", now=now())

    def test_lets_the_payment_of_a_bill_look_again_what_it_waits_for(self) -> None:
        bill = SyncItemFactory.create(object_type="bill", failed=True)
        payment = SyncItemFactory.create(
            connection=bill.connection,
            object_type="bill_payment",
            phase=1,
            ramp_id=bill.ramp_id,
            due_at=None,
            blocked_by=f"bill:{bill.ramp_id}",
            error_title="Waits for its bill.",
        )

        mark(bill)

        payment.refresh_from_db()
        assert payment.due_at is not None
        assert payment.blocked_by == ""


def disagreeing(code: str = "erp.booked_otherwise", title: str = "It is over 5 USD.") -> SyncItem:
    item = SyncItemFactory.create(acked=True, erp_ref="ramp-x")
    assert findings.disagree({item.pk: title}, code=code) == [item.pk]
    item.refresh_from_db()
    return item


class TestDisagreement:
    def test_that_is_settled_is_not_raised_again_and_another_one_is(self) -> None:
        item = disagreeing()

        disagreements.agree(item=item, reason="A credit of 5 was split off.", actor="maya")

        item.refresh_from_db()
        assert (item.state, item.error_code) == ("ACKED", "")
        assert findings.disagree({item.pk: "It is over 5 USD."}, code="erp.booked_otherwise") == []
        assert findings.disagree({item.pk: "It is over 6 USD."}, code="erp.booked_otherwise")

    def test_of_the_same_words_over_other_content_is_raised_again(self) -> None:
        item = SyncItemFactory.create(acked=True)
        code, words = findings.CHANGED_IN_RAMP, "Its coding was changed in Ramp."
        findings.disagree({item.pk: words}, code=code, seen={item.pk: "Content 1."})
        item.refresh_from_db()
        disagreements.agree(item=item, reason="On purpose.", actor="maya")

        assert not findings.disagree({item.pk: words}, code=code, seen={item.pk: "Content 1."})
        assert findings.disagree({item.pk: words}, code=code, seen={item.pk: "Content 2."})

    def test_is_reported_once_more(self) -> None:
        item = disagreeing()

        disagreements.report_again(item=item, reason="Ramp's support asked.", actor="maya")

        item.refresh_from_db()
        assert (item.state, item.ack_batch) == ("POSTED", None)

    def test_needs_a_reason_and_a_document(self) -> None:
        item = disagreeing()
        with pytest.raises(NotSettled, match="Say why"):
            disagreements.agree(item=item, reason="", actor="maya")
        SyncItem.objects.filter(pk=item.pk).update(erp_id="")
        item.refresh_from_db()

        with pytest.raises(NotSettled, match="adopt one"):
            disagreements.agree(item=item, reason="x", actor="maya")

    def test_that_the_night_has_just_ended_is_left_alone(self) -> None:
        item = disagreeing("ramp.no_longer_ready")
        mismatches._leave(
            item.connection, item.object_type, [item.ramp_id], "ACKED", event="reported", why="x"
        )

        with pytest.raises(NotSettled, match="has just moved"):
            disagreements.report_again(item=item, reason="x", actor="maya")

    def test_wakes_its_files(self) -> None:
        item = disagreeing()
        file = Attachment.objects.create(
            item=item,
            connection=item.connection,
            source="r1",
            created_at=now(),
            due_at=now() + timedelta(hours=1),
            error_title="Waits.",
        )

        disagreements.agree(item=item, reason="x", actor="maya")

        file.refresh_from_db()
        assert file.error_title == ""
        assert file.due_at is not None
        assert file.due_at <= now()


@pytest.fixture
def at_once(transactional_db: None) -> Callable[..., list[str]]:
    """Have several people act at the same moment; what each of them was told."""

    def run(*acts: Callable[[], object]) -> list[str]:
        barrier, said = threading.Barrier(len(acts)), []

        def one(act: Callable[[], object]) -> None:
            try:
                barrier.wait()
                act()
                said.append("done")
            except NotSettled as refused:
                said.append(str(refused))
            finally:
                connections.close_all()

        threads = [threading.Thread(target=one, args=[act]) for act in acts]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        return sorted(said, key=lambda words: words != "done")

    return run


@pytest.mark.django_db(transaction=True)
class TestTwoAtOnce:
    def test_one_adopts_and_one_posts_and_one_of_them_is_told(
        self, at_once: Callable[..., list[str]]
    ) -> None:
        world, item = in_review()
        entry = booked_by_hand(world, item)
        look = looked(world, item)

        said = at_once(
            lambda: adopt(look, entry.id),
            lambda: reposting.post_anyway(item=item, reason="", actor="tomas", now=now()),
        )

        assert said[0] == "done"
        assert "has just moved" in said[1]
        assert SyncItem.objects.get().state in ("POSTED", "READY")
        assert Settlement.objects.count() == 1

    def test_two_items_cannot_take_one_document(self, at_once: Callable[..., list[str]]) -> None:
        world = World(Idempotency.NONE)
        world.ready(transaction_body(), transaction_body())
        for _ in range(2):
            with transaction.atomic():
                killed_before_sending(world)
        let_time_pass(LEASE_SECONDS + 1)
        while recover_lost_items(world.worker):
            pass
        first, second = SyncItem.objects.filter(state="REVIEW").order_by("pk")
        entry = booked_by_hand(world, first)
        found = [looked(world, one) for one in (first, second)]

        said = at_once(*(lambda one=one: adopt(one, entry.id) for one in found))

        assert said[0] == "done"
        assert "One document is one item" in said[1]
        assert SyncItem.objects.filter(erp_id=entry.id).count() == 1

    def test_a_worker_that_claims_and_a_person_who_marks_never_both_have_it(
        self, at_once: Callable[..., list[str]]
    ) -> None:
        world = World()
        (item,) = world.ready()

        at_once(lambda: post_due_items(world.worker), lambda: mark(item))

        item.refresh_from_db()
        booked = len(world.erp.books.entries)
        assert (item.state, booked) in {("POSTED", 1), ("EXTERNAL", 0)}
