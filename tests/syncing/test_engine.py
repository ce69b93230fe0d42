from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest

from connections.erp.errors import Code, ErpError, Outcome
from connections.erp.records import Capabilities, Idempotency
from connections.erp.refusals import refusal
from syncing import claims
from syncing.engine import (
    LONGEST_CALL_SECONDS,
    RETRY_BUDGET,
    can_work,
    chunk_size,
    post_due_items,
)
from syncing.models import ItemEvent, ItemPayload, Schedule, SyncItem
from syncing.recovery import recover_lost_items
from tests.syncing.world import World, is_probing, let_time_pass, may_post, transaction_body

pytestmark = pytest.mark.django_db


def fresh(item: SyncItem) -> SyncItem:
    item.refresh_from_db()
    return item


def timeline(item: SyncItem) -> list[str]:
    return list(ItemEvent.objects.filter(item=item).order_by("id").values_list("kind", flat=True))


class TestPostDueItems:
    def test_books_what_is_due_and_keeps_the_documents_number(self) -> None:
        world = World()
        (item,) = world.ready()

        post_due_items(world.worker)

        (entry,) = world.erp.books.entries
        assert fresh(item).state == "POSTED"
        assert item.erp_number == entry.number
        assert timeline(item) == ["ready", "sent", "posted"]

    def test_debits_the_coded_account_and_credits_the_card(self) -> None:
        world = World()
        world.ready(transaction_body(1234, "6200"))

        post_due_items(world.worker)

        assert str(world.erp.books.balance("6200")) == "12.34"
        assert str(world.erp.books.balance("2150")) == "-12.34"

    def test_leaves_what_is_not_due(self) -> None:
        world = World()
        (item,) = world.ready()
        let_time_pass(-60)

        assert post_due_items(world.worker) == 0
        assert fresh(item).state == "READY"

    def test_does_not_post_a_snapshot_older_than_a_quarter_of_an_hour(self) -> None:
        world = World()
        (item,) = world.ready()
        SyncItem.objects.update(snapshot_at="2020-01-01T00:00Z")

        assert post_due_items(world.worker) == 0
        assert fresh(item).state == "READY"

    def test_holds_an_item_without_coding_before_anything_is_sent(self) -> None:
        world = World()
        (item,) = world.ready(transaction_body(account=None))

        post_due_items(world.worker)

        assert fresh(item).state == "FAILED"
        assert item.error_category == "user_actionable"
        assert item.failure_telling == "due"
        assert item.error_text.startswith("This item has no GL account. Choose a category in Ramp.")
        assert "post_many" not in world.erp.calls

    def test_one_bad_item_does_not_hold_up_its_neighbours(self) -> None:
        world = World()
        good, bad = world.ready(transaction_body(), transaction_body(account="6999"))
        world.erp.books.deactivate("account", "6999")  # type: ignore[arg-type]

        post_due_items(world.worker)

        assert fresh(good).state == "POSTED"
        assert fresh(bad).state == "FAILED"
        assert bad.error_code == "erp.account_inactive"
        assert bad.blocked_by.startswith("erp.account_inactive:")

    def test_waits_and_tries_again_when_the_erp_is_down(self) -> None:
        world = World()
        (item,) = world.ready()
        world.erp.faults.refuse_with = ErpError(
            Code.ERP_UNAVAILABLE, "Ledger did not answer.", "", Outcome.NOT_POSTED
        )

        post_due_items(world.worker)

        assert fresh(item).state == "READY"
        assert item.attempts == 0, "an outage is not the item's fault"
        assert Schedule.objects.get().resume_at is not None
        assert is_probing(world.connection)

    def test_asks_a_person_once_the_retry_budget_is_spent(self) -> None:
        world = World()
        (item,) = world.ready()
        world.erp.faults.refuse_with = ErpError(Code.CONFLICT, "Somebody was faster.", "")

        for _ in range(RETRY_BUDGET):
            post_due_items(world.worker)
            let_time_pass(3600)

        assert fresh(item).state == "FAILED"
        assert item.error_category == "needs_integrator"
        assert item.reference in item.error_text

    def test_stops_the_connection_and_not_each_item_when_access_is_revoked(self) -> None:
        world = World()
        items = world.ready(transaction_body(), transaction_body())
        world.erp.faults.refuse_with = ErpError(
            Code.AUTH_EXPIRED, "Ledger refuses our login.", "Connect it again."
        )

        post_due_items(world.worker)

        assert {fresh(item).state for item in items} == {"READY"}
        stopped = Schedule.objects.get()
        assert stopped.blocked_side == "erp"
        assert stopped.blocked_title == "Ledger refuses our login."

    def test_lifts_the_block_with_the_first_document_that_goes_through(self) -> None:
        world = World()
        world.ready(transaction_body(), transaction_body())
        world.erp.faults.refuse_with = ErpError(Code.AUTH_EXPIRED, "Refused.", "Connect again.")
        post_due_items(world.worker)
        world.erp.faults.refuse_with = None
        let_time_pass(3600)

        assert is_probing(world.connection)
        one = chunk_size(world.worker, is_probing=True)
        assert post_due_items(world.worker, limit=one) == 1, "one item is enough to probe"

        assert Schedule.objects.get().blocked_at is None
        assert not is_probing(world.connection)
        assert post_due_items(world.worker) == 1


class TestSending:
    def test_goes_out_in_batches_of_the_size_the_erp_takes(self) -> None:
        world = World()
        world.erp._capabilities = replace(world.erp.capabilities(), batch=2)
        world.ready(*(transaction_body() for _ in range(5)))

        post_due_items(world.worker)

        assert world.erp.calls.count("post_many") == 3
        assert len(world.erp.books.entries) == 5

    @pytest.mark.matrix("X10")
    def test_no_call_starts_that_could_outlive_the_lease(
        self, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        """The worker was paused; others may have taken its items over."""
        world = World()
        (item,) = world.ready()
        monkeypatch.setattr("syncing.engine.latest_start", lambda: -1.0)

        post_due_items(world.worker)

        assert "post_many" not in world.erp.calls
        assert (fresh(item).state, item.attempts) == ("READY", 0)

    def test_the_deadline_runs_from_before_the_claim(self, monkeypatch: pytest.MonkeyPatch) -> None:
        """The lease begins with the transaction; a slow COMMIT must not lengthen the deadline."""
        world = World()
        world.ready()
        order: list[str] = []
        real = claims.lock_ready

        def latest_start() -> float:
            order.append("deadline")
            return 1e12

        def lock_ready(*about: Any, **more: Any) -> list[claims.Claimed]:
            order.append("claim")
            return real(*about, **more)

        monkeypatch.setattr("syncing.engine.latest_start", latest_start)
        monkeypatch.setattr("syncing.claims.lock_ready", lock_ready)

        post_due_items(world.worker)

        assert order == ["deadline", "claim"]

    def test_a_lease_outlives_the_longest_call(self) -> None:
        """Rule 4."""
        assert claims.LEASE_SECONDS - LONGEST_CALL_SECONDS > 15

    def test_what_stops_the_erp_stops_the_rest_of_the_chunk(self) -> None:
        world = World()
        world.erp._capabilities = replace(world.erp.capabilities(), batch=1, concurrency=1)
        items = world.ready(*(transaction_body() for _ in range(4)))
        world.erp.faults.refuse_with = refusal(Code.RATE_LIMITED, erp="E", retry_after=30)

        post_due_items(world.worker)

        assert world.erp.calls.count("post_many") == 1
        assert {(fresh(item).state, item.attempts) for item in items} == {("READY", 0)}
        assert not may_post(world.connection)

    @pytest.mark.matrix("X17")
    def test_an_erp_that_does_not_answer_is_left_alone(self) -> None:
        """Else every due item would be sent into the silence and become uncertain."""
        world = World()
        world.ready(*(transaction_body() for _ in range(3)))
        world.erp.faults.lose_requests = 3

        post_due_items(world.worker)

        assert not may_post(world.connection)
        assert is_probing(world.connection)

    def test_one_lost_answer_among_many_stops_nobody(self) -> None:
        world = World()
        world.ready(*(transaction_body() for _ in range(3)))
        world.erp.faults.lose_answers = 1

        post_due_items(world.worker)

        assert may_post(world.connection)
        assert SyncItem.objects.filter(state="POSTED").count() == 2

    def test_an_erp_that_cannot_even_say_what_it_can_do_opens_the_circuit(self) -> None:
        world = World()
        world.ready()
        down = refusal(Code.ERP_UNAVAILABLE, erp="E")
        world.erp.capabilities = _raise(down)  # type: ignore[method-assign]

        assert not can_work(world.worker)

        assert not may_post(world.connection)

    def test_a_transient_refusal_of_one_item_waits_and_its_neighbours_pass(self) -> None:
        world = World()
        good, odd = world.ready(transaction_body(), transaction_body())
        world.erp.faults.refuse[str(odd.ramp_id)] = refusal(Code.CONFLICT, erp="E")

        post_due_items(world.worker)

        assert fresh(good).state == "POSTED"
        assert (fresh(odd).state, odd.attempts) == ("READY", 1)
        assert odd.due_at is not None
        assert odd.due_at > odd.state_at
        assert odd.failure_telling == "", "nobody is told of what passes by itself"
        assert may_post(world.connection)

    def test_a_bug_of_ours_holds_one_item_with_a_reference(
        self, caplog: pytest.LogCaptureFixture
    ) -> None:
        world = World()
        good, odd = world.ready(transaction_body(), transaction_body())
        ItemPayload.objects.filter(item=odd).update(ramp={"id": "?"})

        post_due_items(world.worker)

        assert fresh(good).state == "POSTED"
        assert (fresh(odd).state, odd.error_code) == ("FAILED", "us.bug")
        assert odd.reference in odd.error_text
        assert "could not be turned into a document" in caplog.text

    def test_words_of_the_erp_that_the_database_refuses_do_not_stop_a_chunk(self) -> None:
        world = World()
        good, odd = world.ready(transaction_body(), transaction_body())
        world.erp.faults.refuse[str(odd.ramp_id)] = ErpError(
            Code.UNKNOWN, "Od\0d.", "", erp_message="\ud800"
        )

        post_due_items(world.worker)

        assert fresh(good).state == "POSTED"
        assert fresh(odd).error_title == "Od\ufffdd."


@pytest.mark.matrix("X18")
def test_an_erp_that_keeps_too_little_of_our_reference_gets_nothing() -> None:
    world = World(Idempotency.LOOKUP)
    world.ready()
    world.erp._capabilities = replace(world.erp.capabilities(), ref_limit=12)

    assert not can_work(world.worker)

    stopped = Schedule.objects.get()
    assert stopped.blocked_code == "erp.reference_too_short"
    assert "keeps 12 characters of a reference" in stopped.blocked_title
    assert not may_post(world.connection)


def _raise(error: ErpError) -> Callable[[], Capabilities]:
    def capabilities() -> Capabilities:
        raise error

    return capabilities


class TestRecovery:
    @pytest.mark.parametrize("idempotency", [Idempotency.UNIQUE_KEY, Idempotency.LOOKUP])
    def test_finds_the_document_whose_answer_was_lost(self, idempotency: Idempotency) -> None:
        world = World(idempotency)
        (item,) = world.ready()
        world.erp.faults.lose_answers = 1

        post_due_items(world.worker)
        assert fresh(item).state == "POSTING"
        let_time_pass(300)
        recover_lost_items(world.worker)

        assert fresh(item).state == "POSTED"
        assert len(world.erp.books.entries) == 1
        assert "uncertain" in timeline(item)

    @pytest.mark.parametrize("idempotency", [Idempotency.UNIQUE_KEY, Idempotency.LOOKUP])
    @pytest.mark.matrix("X6")
    def test_sends_again_what_the_erp_never_got(self, idempotency: Idempotency) -> None:
        world = World(idempotency)
        (item,) = world.ready()
        world.erp.faults.lose_requests = 1

        post_due_items(world.worker)
        let_time_pass(300)
        recover_lost_items(world.worker)

        assert fresh(item).state == "POSTED"
        assert len(world.erp.books.entries) == 1

    def test_does_not_look_before_a_late_request_can_have_landed(self) -> None:
        world = World(Idempotency.LOOKUP, settle=120)
        world.ready()
        world.erp.faults.lose_requests = 1
        post_due_items(world.worker)
        let_time_pass(60)

        assert recover_lost_items(world.worker) == 0
        SyncItem.objects.update(due_at="2020-01-01T00:00Z")
        assert recover_lost_items(world.worker) == 0, "not even if it is due"

    def test_asks_a_person_when_the_erp_neither_enforces_nor_finds_our_reference(self) -> None:
        world = World(Idempotency.NONE)
        (item,) = world.ready()
        world.erp.faults.lose_answers = 1
        post_due_items(world.worker)
        let_time_pass(300)

        recover_lost_items(world.worker)

        assert fresh(item).state == "REVIEW"
        assert len(world.erp.books.entries) == 1
