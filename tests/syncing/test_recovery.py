"""Documents whose outcome nobody wrote down: one each in the ERP, or visibly a person's."""

import uuid
from collections.abc import Sequence
from dataclasses import replace

import pytest

from connections.erp.errors import Code, ErpError, Outcome
from connections.erp.records import DocKind, Document, Idempotency, Posted, Ref, State
from syncing import claims, planning
from syncing.claims import ALONE_AFTER, LEASE_SECONDS, POISON_AFTER
from syncing.engine import RETRY_BUDGET, post_due_items
from syncing.models import ItemEvent, ItemPayload, Schedule, SyncItem
from syncing.recovery import ABSENT_AGAIN_SECONDS, recover_lost_items
from tests.syncing.world import World, let_time_pass, list_ready, transaction_body

pytestmark = pytest.mark.django_db

ENFORCED_OR_FOUND = [Idempotency.UNIQUE_KEY, Idempotency.LOOKUP, Idempotency.REPLAY_KEY]
UNAVAILABLE = ErpError(Code.ERP_UNAVAILABLE, "No answer.", "", Outcome.NOT_POSTED)
ODD = ErpError(Code.UNKNOWN, "Internal error.", "", Outcome.UNKNOWN)


def state() -> str:
    return str(SyncItem.objects.values_list("state", flat=True).get())


def killed_before_sending(world: World) -> None:
    """A worker claimed what is due, and died."""
    documents = [
        (item.id, document)
        for item in claims.lock_ready(world.connection.pk)
        if isinstance(document := planning.make_document(world.worker, item), Document)
    ]
    claims.begin_posting(uuid.uuid4(), documents, world.settle)


def killed_while_sending(world: World) -> None:
    """The request reached the ERP; nobody was there for the answer."""
    (item,) = claims.lock_ready(world.connection.pk)
    document = planning.make_document(world.worker, item)
    assert isinstance(document, Document)
    claims.begin_posting(uuid.uuid4(), [(item.id, document)], world.settle)
    world.erp.post(document)


class Dying(Exception):
    """The worker's process is gone."""


class TestAfterAKill:
    @pytest.mark.parametrize("idempotency", ENFORCED_OR_FOUND)
    @pytest.mark.matrix("X3")
    def test_before_the_request_it_is_sent(self, idempotency: Idempotency) -> None:
        world = World(idempotency)
        world.ready()
        killed_before_sending(world)
        let_time_pass(LEASE_SECONDS + 1)

        assert recover_lost_items(world.worker) == 1

        assert state() == "POSTED"
        assert len(world.erp.books.entries) == 1

    @pytest.mark.parametrize("idempotency", ENFORCED_OR_FOUND)
    @pytest.mark.matrix("X5", "X8")
    def test_after_the_request_the_document_is_adopted(self, idempotency: Idempotency) -> None:
        world = World(idempotency)
        world.ready()
        killed_while_sending(world)
        let_time_pass(LEASE_SECONDS + 1)

        recover_lost_items(world.worker)

        item = SyncItem.objects.get()
        (entry,) = world.erp.books.entries
        assert (item.state, item.erp_id, item.erp_number) == ("POSTED", entry.id, entry.number)
        assert ItemEvent.objects.filter(kind="found").count() == 1

    def test_an_erp_that_forgets_its_answers_is_asked_before_it_is_sent_to(self) -> None:
        """REPLAY_KEY repeats answers for a while only; to resend after that doubles."""
        world = World(Idempotency.REPLAY_KEY)
        world.erp._capabilities = replace(world.erp.capabilities(), replay_window=0)
        world.ready()
        killed_while_sending(world)
        let_time_pass(LEASE_SECONDS + 1)

        recover_lost_items(world.worker)

        assert len(world.erp.books.entries) == 1

    @pytest.mark.parametrize("died", ["before", "while"])
    @pytest.mark.matrix("X3", "X5")
    def test_where_nothing_can_be_asked_a_person_decides(self, died: str) -> None:
        """For class N: zero or one document, and visible."""
        world = World(Idempotency.NONE)
        world.ready()
        if died == "before":
            killed_before_sending(world)
        else:
            killed_while_sending(world)
        let_time_pass(LEASE_SECONDS + 1)

        recover_lost_items(world.worker)

        assert state() == "REVIEW"
        assert world.erp.calls.count("post_many") == 0
        assert recover_lost_items(world.worker) == 0

    @pytest.mark.matrix("X9")
    def test_after_posted_nothing_is_asked_again(self) -> None:
        world = World(Idempotency.LOOKUP)
        world.ready()
        post_due_items(world.worker)
        let_time_pass(10_000)

        assert recover_lost_items(world.worker) == 0
        assert "find" not in world.erp.calls

    @pytest.mark.matrix("X22")
    def test_sends_the_frozen_bytes_whatever_the_mappings_say_now(self) -> None:
        """The same reference never carries two contents."""
        world = World()
        world.ready(transaction_body(account="6200"))
        killed_while_sending(world)
        world.mappings.accounts["6200"] = world.mappings.accounts["6300"]  # type: ignore[index]
        let_time_pass(LEASE_SECONDS + 1)

        recover_lost_items(world.worker)

        assert state() == "POSTED"
        assert str(world.erp.books.balance("6200")) == "12.34"


class TestSearchThatLags:
    """The ERP books at once, but its search shows what it booked only some time later."""

    def lost(self, settle: float = 120) -> World:
        world = World(Idempotency.LOOKUP, settle=settle)
        world.ready()
        return world

    @pytest.mark.matrix("X19")
    def test_what_one_look_does_not_find_the_next_may(
        self, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        world = self.lost()
        world.erp.faults.lose_answers = 1
        post_due_items(world.worker)
        let_time_pass(121)
        with monkeypatch.context() as lagging:
            lagging.setattr(world.erp, "find", lambda _: None)
            assert recover_lost_items(world.worker) == 1

        assert state() == "POSTING"
        let_time_pass(ABSENT_AGAIN_SECONDS - 1)
        assert recover_lost_items(world.worker) == 0, "not before half a minute is over"
        let_time_pass(2)
        recover_lost_items(world.worker)

        assert state() == "POSTED"
        assert len(world.erp.books.entries) == 1

    @pytest.mark.matrix("X19")
    def test_what_two_looks_do_not_find_is_sent_again(self) -> None:
        world = self.lost()
        world.erp.faults.lose_requests = 1
        post_due_items(world.worker)
        let_time_pass(121)
        recover_lost_items(world.worker)
        assert not world.erp.books.entries

        let_time_pass(ABSENT_AGAIN_SECONDS + 1)
        recover_lost_items(world.worker)

        assert state() == "POSTED"
        assert len(world.erp.books.entries) == 1

    @pytest.mark.matrix("X19")
    def test_looks_before_a_request_do_not_count_after_it(self) -> None:
        """A worker looked twice, sent again, and died: what it sent must be looked for twice."""
        world = self.lost()
        world.erp.faults.lose_requests = 1
        post_due_items(world.worker)
        let_time_pass(121)
        recover_lost_items(world.worker)
        let_time_pass(ABSENT_AGAIN_SECONDS + 1)
        claims.take_over_lost(world.connection.pk, uuid.uuid4(), 120)
        let_time_pass(LEASE_SECONDS + 121)

        recover_lost_items(world.worker)

        assert state() == "POSTING"
        assert "post_many" in world.erp.calls
        assert not world.erp.books.entries

    def test_an_erp_whose_search_is_exact_is_asked_once(self) -> None:
        world = self.lost(settle=0)
        world.erp.faults.lose_requests = 1
        post_due_items(world.worker)
        let_time_pass(121)

        recover_lost_items(world.worker)

        assert state() == "POSTED"


class TestLateRequests:
    @pytest.mark.parametrize("idempotency", [Idempotency.UNIQUE_KEY, Idempotency.LOOKUP])
    @pytest.mark.matrix("X4")
    def test_a_request_that_lands_within_the_settle_time_is_found(
        self, idempotency: Idempotency
    ) -> None:
        world = World(idempotency, settle=120)
        world.ready()
        world.erp.faults.land_late = 1
        post_due_items(world.worker)

        let_time_pass(119)
        assert recover_lost_items(world.worker) == 0
        world.erp.land()
        let_time_pass(2)
        recover_lost_items(world.worker)

        assert state() == "POSTED"
        assert len(world.erp.books.entries) == 1

    @pytest.mark.matrix("X4")
    def test_a_dead_workers_lease_and_settle_time_add_up(self) -> None:
        """It may have sent with its last breath."""
        world = World(Idempotency.LOOKUP, settle=120)
        world.ready()
        killed_before_sending(world)

        let_time_pass(LEASE_SECONDS + 119)
        assert recover_lost_items(world.worker) == 0
        let_time_pass(2)
        assert recover_lost_items(world.worker) == 1

    @pytest.mark.matrix("X11", "X20")
    def test_two_documents_under_one_reference_are_shown_and_not_hidden(self) -> None:
        world = World(Idempotency.LOOKUP)
        world.ready()
        killed_while_sending(world)
        (entry,) = world.erp.books.entries
        world.erp.books.book(entry.doc)
        let_time_pass(LEASE_SECONDS + 1)

        recover_lost_items(world.worker)

        item = SyncItem.objects.get()
        assert item.state == "MISMATCH"
        assert "documents 1 and 2" in item.error_title

    def test_another_document_under_our_reference_needs_a_person(self) -> None:
        world = World()
        world.ready()
        (item,) = claims.lock_ready(world.connection.pk)
        document = planning.make_document(world.worker, item)
        assert isinstance(document, Document)
        world.erp.books.book(replace(document, entity="another company"))

        post_due_items(world.worker)

        assert state() == "MISMATCH"

    def test_an_expense_is_not_taken_for_the_payment_that_the_card_turned_out_to_be(self) -> None:
        """A failover forgot the post, and Ramp has said since that the card pays a bill (I5)."""
        world = World(Idempotency.LOOKUP)
        world.ready()
        killed_while_sending(world)
        (entry,) = world.erp.books.entries
        payment = replace(entry.doc, kind=DocKind.BILL_PAYMENT, lines=())
        ItemPayload.objects.update(document=payment.to_json())
        let_time_pass(LEASE_SECONDS + 1)

        recover_lost_items(world.worker)

        item = SyncItem.objects.get()
        assert item.state == "MISMATCH"
        assert item.error_title == (
            f"{entry.number} carries its reference and is a journal entry, where a payment of a"
            " bill was to be posted."
        )

    def test_a_document_that_was_voided_meanwhile_is_not_called_posted(self) -> None:
        world = World(Idempotency.LOOKUP)
        world.ready()
        killed_while_sending(world)
        (entry,) = world.erp.books.entries
        world.erp.books.reverse(entry, entry.doc.posting_date, "wrong")
        let_time_pass(LEASE_SECONDS + 1)

        recover_lost_items(world.worker)

        item = SyncItem.objects.get()
        assert item.state == "MISMATCH"
        assert "voided" in item.error_title

    def test_a_draft_is_finished_by_posting_it_again(self, monkeypatch: pytest.MonkeyPatch) -> None:
        world = World(Idempotency.LOOKUP)
        world.ready()
        killed_before_sending(world)
        monkeypatch.setattr(world.erp, "find", _draft)
        let_time_pass(LEASE_SECONDS + 1)

        recover_lost_items(world.worker)

        assert state() == "POSTED"

    def test_what_the_erp_books_later_is_asked_for_until_it_has(
        self, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        world = World()
        (item,) = world.ready()
        with monkeypatch.context() as patched:
            patched.setattr(world.erp, "post_many", _pending)
            post_due_items(world.worker)
        assert state() == "POSTING"
        item.refresh_from_db()
        assert item.attempts == 0, "patience is no attempt"

        let_time_pass(LEASE_SECONDS)
        recover_lost_items(world.worker)

        assert state() == "POSTED"


class TestDoubt:
    """A resend that was not answered, or only with "not now", says nothing of the first."""

    def test_a_sick_erp_does_not_make_an_unknown_outcome_known(self) -> None:
        world = World()
        world.ready()
        killed_while_sending(world)
        let_time_pass(LEASE_SECONDS + 1)
        world.erp.faults.refuse_with = UNAVAILABLE

        recover_lost_items(world.worker)

        assert state() == "POSTING", "it may be booked, so it must be neither changed nor withdrawn"
        world.erp.faults.refuse_with = None
        let_time_pass(LEASE_SECONDS + 1)
        recover_lost_items(world.worker)
        assert state() == "POSTED"
        assert len(world.erp.books.entries) == 1

    @pytest.mark.matrix("X10")
    def test_a_chunk_that_ran_out_of_time_stays_in_doubt(
        self, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        world = World()
        world.ready()
        killed_while_sending(world)
        let_time_pass(LEASE_SECONDS + 1)
        monkeypatch.setattr("syncing.recovery.latest_start", lambda: -1.0)

        recover_lost_items(world.worker)

        assert state() == "POSTING"
        assert world.erp.calls.count("post_many") == 0

    def test_a_look_up_that_fails_leaves_it_where_it_is(self) -> None:
        world = World(Idempotency.LOOKUP)
        world.ready(*(transaction_body() for _ in range(5)))
        world.erp.faults.lose_answers = 5
        post_due_items(world.worker)
        let_time_pass(LEASE_SECONDS + 1)
        world.erp.faults.refuse_with = UNAVAILABLE

        recover_lost_items(world.worker)

        assert set(SyncItem.objects.values_list("state", flat=True)) == {"POSTING"}
        assert world.erp.calls.count("find") == 1, "a silent ERP is not asked for each item"
        assert Schedule.objects.get().resume_at is not None

    def test_an_erp_that_fails_each_time_is_given_up_only_if_it_holds_nothing(self) -> None:
        """INV12: no item may be silently uncertain for ever."""
        world = World()
        (item,) = world.ready()
        world.erp.faults.refuse[str(item.ramp_id)] = ODD
        post_due_items(world.worker)
        for _ in range(RETRY_BUDGET + 1):
            let_time_pass(1000)
            recover_lost_items(world.worker)

        item.refresh_from_db()
        assert item.state == "FAILED"
        assert item.error_code == "erp.no_answer"
        assert item.error_category == "needs_integrator"
        assert world.erp.calls.count("find") == 1, "asked once more before it is given up"

    @pytest.mark.matrix("X7")
    def test_an_erp_that_fails_each_time_although_it_has_booked_is_found_out(self) -> None:
        world = World()
        (item,) = world.ready()
        killed_while_sending(world)
        world.erp.faults.refuse[str(item.ramp_id)] = ODD
        for _ in range(RETRY_BUDGET + 1):
            let_time_pass(1000)
            recover_lost_items(world.worker)

        assert state() == "POSTED"
        assert len(world.erp.books.entries) == 1

    @pytest.mark.matrix("X17")
    def test_hours_of_silence_do_not_use_up_the_retry_budget(self) -> None:
        world = World()
        (item,) = world.ready()
        world.erp.faults.lose_requests = 50
        post_due_items(world.worker)
        for _ in range(20):
            let_time_pass(1000)
            recover_lost_items(world.worker)
        world.erp.faults.lose_requests = 0
        let_time_pass(1000)

        recover_lost_items(world.worker)

        item.refresh_from_db()
        assert (item.state, item.attempts) == ("POSTED", 1)


class TestPoison:
    @pytest.mark.matrix("X21")
    def test_an_item_that_kills_each_worker_is_given_up_and_its_neighbours_pass(
        self, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        world = World()
        items = world.ready(*(transaction_body() for _ in range(4)))
        poison = str(items[0].ramp_id)
        sizes: list[int] = []
        real = world.erp.post_many

        def deadly(documents: Sequence[Document]) -> Sequence[Posted | ErpError]:
            sizes.append(len(documents))
            if any(document.ref.ramp_id == poison for document in documents):
                raise Dying
            return real(documents)

        monkeypatch.setattr(world.erp, "post_many", deadly)
        with pytest.raises(Dying):
            post_due_items(world.worker)
        for _ in range(12):
            let_time_pass(LEASE_SECONDS + 1)
            try:
                recover_lost_items(world.worker)
            except Dying:
                continue

        states = {str(item.ramp_id): item.state for item in SyncItem.objects.all()}
        assert states.pop(poison) == "FAILED"
        assert set(states.values()) == {"POSTED"}
        assert sizes[: ALONE_AFTER + 1] == [4] * ALONE_AFTER + [1]
        given_up = SyncItem.objects.get(state="FAILED")
        assert given_up.error_code == "us.poison"
        assert f"{POISON_AFTER} workers" in given_up.error_detail

    def test_one_that_was_booked_all_the_same_is_adopted_and_not_given_up(self) -> None:
        world = World()
        world.ready()
        killed_while_sending(world)
        SyncItem.objects.update(claims_without_result=POISON_AFTER - 1)
        let_time_pass(LEASE_SECONDS + 1)

        recover_lost_items(world.worker)

        assert state() == "POSTED"


class TestSchedule:
    def test_another_customers_lost_items_are_not_ours(self) -> None:
        """INV8."""
        ours, theirs = World(), World()
        list_ready(theirs.connection, transaction_body())
        theirs.erp.faults.lose_answers = 1
        post_due_items(theirs.worker)
        let_time_pass(1000)

        assert recover_lost_items(ours.worker) == 0


def _draft(ref: Ref) -> Posted:
    return Posted(ref=ref, erp_id="7", number="", state=State.DRAFT)


def _pending(documents: Sequence[Document]) -> Sequence[Posted]:
    return [
        Posted(ref=one.ref, erp_id=f"job-{number}", number="", state=State.PENDING)
        for number, one in enumerate(documents)
    ]
