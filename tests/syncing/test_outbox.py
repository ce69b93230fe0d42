"""Reports to the pretend Ramp, and everything it may say to them."""

import uuid
from collections.abc import Callable, Iterator
from dataclasses import replace

import httpx
import orjson
import pytest
from django.db import connection as database
from django.test.utils import CaptureQueriesContext

from connections.models import Connection
from syncing import outbox, refused_reports, reports, verdicts
from syncing.kinds import KINDS
from syncing.models import AckBatch, SyncItem
from syncing.outbox import freeze_batches, what_is_due
from syncing.releases import release
from syncing.verdicts import MOST_REFUSALS
from tests.syncing.ramp import Customer, pretend_ramp
from tests.syncing.world import let_time_pass, may_post

pytestmark = pytest.mark.django_db

SYNCS = "POST /accounting/syncs"
ONE = "GET /transactions/{transaction_id}"
LIST = "GET /transactions"


@pytest.fixture
def customer() -> Iterator[Customer]:
    customer = Customer()
    yield customer
    customer.sim.close()


def posted(customer: Customer, count: int = 1) -> list[str]:
    """Transactions that are in the ERP and not yet reported."""
    bought = [customer.spend() for _ in range(count)]
    customer.pull()
    while customer.post():
        pass
    return [one.id for one in bought]


def synced(customer: Customer) -> set[str]:
    return {row.id for row in customer.business.transactions("SYNCED")}


def states(customer: Customer) -> dict[str, int]:
    found: dict[str, int] = {}
    for state in SyncItem.objects.filter(connection=customer.connection).values_list(
        "state", flat=True
    ):
        found[state] = found.get(state, 0) + 1
    return found


def outcomes(customer: Customer, transaction_id: str) -> list[str]:
    row = customer.business.transaction(transaction_id)
    return [commit.outcome for commit in row.commits]


def members(body: bytes) -> list[str]:
    said = orjson.loads(body)
    return [line["id"] for line in said.get("successful_syncs") or said["failed_syncs"]]


def refused_item(customer: Customer) -> str:
    """A transaction that failed, with its error not told yet."""
    customer.world.erp.books.deactivate("account", "6999")  # type: ignore[arg-type]
    bought = customer.spend(account="6999")
    customer.pull()
    customer.post()
    assert customer.state(bought) == "FAILED"
    return bought.id


def reactivate(customer: Customer) -> None:
    customer.world.erp.books.activate("account", "6999")  # type: ignore[arg-type]


class TestSuccess:
    @pytest.mark.matrix("K1")
    def test_tells_ramp_the_erps_number(self, customer: Customer) -> None:
        """Matrix K1."""
        bought = customer.spend()
        customer.pull()
        customer.post()

        assert customer.report() == 1

        item = customer.item(bought)
        assert item.state == "ACKED"
        assert customer.told(bought) == [("success", item.erp_number)]
        assert customer.timeline(bought)[-1] == "reported"
        assert customer.schedule.last_acked_at is not None

    def test_says_exactly_the_keys_of_the_contract(self, customer: Customer) -> None:
        (id_,) = posted(customer)
        customer.report()

        body = orjson.loads(customer.sent[0])
        assert set(body) == {"idempotency_key", "sync_type", "successful_syncs"}
        assert body["sync_type"] == "TRANSACTION_SYNC"
        assert body["successful_syncs"] == [{"id": id_, "reference_id": "DOC-00001"}]

    def test_keeps_successes_and_failures_in_separate_reports(self, customer: Customer) -> None:
        refused_item(customer)
        posted(customer)

        assert customer.report() == 2

        said = sorted(key for body in customer.sent for key in orjson.loads(body) if "syncs" in key)
        assert said == ["failed_syncs", "successful_syncs"]

    def test_keeps_to_the_size_ramp_takes(self, customer: Customer) -> None:
        customer.connection.ack_batch_size = 10
        customer.connection.save()
        posted(customer, 25)

        customer.report()

        assert sorted(len(members(body)) for body in customer.sent) == [5, 10, 10]
        assert states(customer) == {"ACKED": 25}

    @pytest.mark.matrix("K8")
    def test_never_speaks_of_two_customers_at_once(self) -> None:
        """Matrix K8, INV8."""
        sim = pretend_ramp()
        first, second = Customer(sim=sim), Customer("pennine-outdoor", sim=sim)
        ours, theirs = set(posted(first, 3)), set(posted(second, 3))

        first.report()
        second.report()

        assert {id_ for body in first.sent for id_ in members(body)} == ours
        assert {id_ for body in second.sent for id_ in members(body)} == theirs
        sim.close()

    def test_a_second_worker_has_nothing_left_to_send(self, customer: Customer) -> None:
        posted(customer)
        (batch,) = freeze_batches(customer.connection, what_is_due(customer.connection))
        held = reports.take_open_batch(customer.connection.pk)
        assert held is not None
        assert held.pk == batch.pk

        assert customer.report() == 0
        assert customer.sent == []

    @pytest.mark.parametrize("late", ["accept", "reject", "replace"])
    @pytest.mark.matrix("X12")
    def test_a_worker_that_lost_a_batch_writes_nothing(self, customer: Customer, late: str) -> None:
        """Matrix X12 for reports: the other may have been told something else meanwhile."""
        (id_,) = posted(customer)
        freeze_batches(customer.connection, what_is_due(customer.connection))
        stale = reports.take_open_batch(customer.connection.pk)
        assert stale is not None
        let_time_pass(reports.LEASE_SECONDS + 1)
        taken = reports.take_open_batch(customer.connection.pk)
        assert taken is not None

        write: Callable[[], bool] = {
            "accept": lambda: verdicts.accept(stale, sync_id="", trace_id=""),
            "reject": lambda: verdicts.reject(stale, {}, why=""),
            "replace": lambda: verdicts.replace(stale, [], why=""),
        }[late]
        assert not write()

        assert states(customer) == {"ACKING": 1}
        assert verdicts.accept(taken, sync_id="s-1", trace_id="t-1")
        assert states(customer) == {"ACKED": 1}
        assert not write(), "and nothing twice"
        assert AckBatch.objects.get().state == "accepted"
        assert outcomes(customer, id_) == []

    def test_what_waits_for_company_is_reported_together(self, customer: Customer) -> None:
        """A report of one costs as much as one of five hundred."""
        posted(customer)
        customer.spend()
        customer.pull()
        assert customer.report() == 0, "another item is about to be posted"

        let_time_pass(20)
        assert customer.report() == 1, "and yet nobody waits longer than the patience"

    def test_a_refusal_does_not_wait_for_a_long_backlog_either(self, customer: Customer) -> None:
        refused_item(customer)
        customer.spend()
        customer.pull()
        assert customer.report() == 0

        let_time_pass(20)
        assert customer.report() == 1

    def test_in_a_large_backlog_results_wait_longer_for_company(
        self, customer: Customer, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(outbox, "FLUSH", replace(outbox.FLUSH, many=2))
        posted(customer)
        for _ in range(2):
            customer.spend()
        customer.pull()

        let_time_pass(20)
        assert customer.report() == 0, "nobody watches a thousand items go by"

        let_time_pass(45)
        assert customer.report() == 1

    def test_results_that_fill_a_report_wait_for_nothing(self, customer: Customer) -> None:
        posted(customer, 3)
        customer.spend()
        customer.pull()

        Connection.objects.update(ack_batch_size=4)
        assert customer.report() == 0
        Connection.objects.update(ack_batch_size=3)
        assert customer.report() == 1

    def test_a_report_of_any_size_costs_the_same_statements(self, customer: Customer) -> None:
        counts = []
        for size in (1, 40):
            posted(customer, size)
            with CaptureQueriesContext(database) as queries:
                customer.report()
            counts.append(len(queries))

        assert counts[0] == counts[1]


class TestLostAnswers:
    @pytest.mark.parametrize(
        "fault",
        [("lost_answer", 504), ("lost_answer", 500), ("hang_up_after", 0), ("not_json", 0)],
        ids=["504", "500", "cut", "page"],
    )
    @pytest.mark.matrix("K3", "K4", "K14")
    def test_a_report_that_was_taken_is_found_out_although_its_answer_was_lost(
        self, customer: Customer, fault: tuple[str, int]
    ) -> None:
        """Matrix K3, K4, K14: the key is refused (7005), so Ramp is read."""
        ids = posted(customer, 3)
        kind, status = fault
        customer.fault(kind, SYNCS, status=status)

        customer.report_until_quiet()

        assert states(customer) == {"ACKED": 3}
        assert [outcomes(customer, id_) for id_ in ids] == [["success"]] * 3

    @pytest.mark.matrix("K3")
    def test_a_ramp_that_replays_answers_says_it_again(self, customer: Customer) -> None:
        """Matrix K3, the guide's version (C11)."""
        customer.sim.switches.used_key = "replay"
        (id_,) = posted(customer)
        customer.fault("lost_answer", SYNCS)

        customer.report_until_quiet()

        assert states(customer) == {"ACKED": 1}
        assert outcomes(customer, id_) == ["success"]

    @pytest.mark.parametrize("status", [429, 500, 502, 503, 504])
    @pytest.mark.matrix("K2", "K14")
    def test_the_same_bytes_go_out_again_until_they_are_answered(
        self, customer: Customer, status: int
    ) -> None:
        """Matrix K2, K14; INV9."""
        posted(customer, 3)
        customer.fault("answer", SYNCS, status=status, times=3)

        customer.report_until_quiet()

        assert len(customer.sent) == 4
        assert len(set(customer.sent)) == 1
        assert states(customer) == {"ACKED": 3}

    def test_one_key_always_stands_for_one_body(self, customer: Customer) -> None:
        """INV9, whatever happens."""
        posted(customer, 6)
        refused_item(customer)
        for kind in ("lost_answer", "burnt_key", "hang_up", "not_ready_without_ids"):
            customer.fault(kind, SYNCS, probability=0.5, times=2)
        customer.business.press_export(customer.business.transactions("SYNC_READY")[0].id)

        customer.report_until_quiet()

        keys = {orjson.loads(body)["idempotency_key"] for body in customer.sent}
        assert len(keys) == len(set(customer.sent))

    @pytest.mark.matrix("K19")
    def test_a_burnt_key_is_left_behind(self, customer: Customer) -> None:
        """Matrix K19: the attempt is part of the key, or this would never end."""
        ids = posted(customer, 3)
        customer.fault("burnt_key", SYNCS)

        customer.report_until_quiet()

        assert states(customer) == {"ACKED": 3}
        assert len({orjson.loads(body)["idempotency_key"] for body in customer.sent}) == 2
        assert [outcomes(customer, id_) for id_ in ids] == [["success"]] * 3

    @pytest.mark.matrix("K5")
    def test_a_key_that_ramp_has_forgotten_does_no_harm(self, customer: Customer) -> None:
        """Matrix K5: beyond its horizon the batch is refused as synced, not as repeated."""
        ids = posted(customer, 2)
        customer.fault("lost_answer", SYNCS)
        customer.report()
        customer.business.forget_keys()

        let_time_pass(3600)
        customer.report_until_quiet()

        assert states(customer) == {"ACKED": 2}
        assert [outcomes(customer, id_) for id_ in ids] == [["success"]] * 2

    def test_a_429_while_reading_again_keeps_the_batch_open(self, customer: Customer) -> None:
        posted(customer, 1)
        customer.fault("lost_answer", SYNCS)
        customer.fault("answer", ONE, status=429)
        customer.report()
        let_time_pass(3600)

        customer.report()
        assert AckBatch.objects.get().state == "open"
        customer.report_until_quiet()

        assert states(customer) == {"ACKED": 1}

    def test_a_hiccup_while_reading_again_costs_one_more_call(self, customer: Customer) -> None:
        """Of many reads one always fails while Ramp is ill, and the report would stay open."""
        posted(customer, 3)
        customer.fault("burnt_key", SYNCS)
        customer.report()
        let_time_pass(3600)
        customer.fault("answer", ONE, status=500, skip=1)

        customer.report()

        assert customer.calls(ONE) == 4
        assert AckBatch.objects.filter(state="open").count() == 0

    def test_ramp_that_stays_ill_is_left_alone(self, customer: Customer) -> None:
        posted(customer, 3)
        customer.fault("burnt_key", SYNCS)
        customer.report()
        let_time_pass(3600)
        customer.fault("answer", ONE, status=500, times=None)

        customer.report()

        assert customer.calls(ONE) == 3
        assert AckBatch.objects.get().state == "open"

    def test_a_large_report_is_settled_by_lists_and_not_one_by_one(
        self, customer: Customer
    ) -> None:
        """INV13: 7005 for 120 objects may not cost 120 calls."""
        posted(customer, 120)
        customer.fault("lost_answer", SYNCS)
        before = customer.calls(LIST)

        customer.report_until_quiet()

        assert states(customer) == {"ACKED": 120}
        assert customer.calls(ONE) == 0
        assert customer.calls(LIST) - before <= 4

    def test_a_long_backlog_in_ramp_does_not_make_settling_dear(self, customer: Customer) -> None:
        """INV13: lists are only read as long as they are the cheaper way."""
        posted(customer, 10)
        for _ in range(400):
            customer.spend()
        customer.fault("burnt_key", SYNCS)
        before = customer.calls(LIST)

        customer.report_until_quiet()

        assert customer.calls(LIST) - before <= 6
        assert states(customer)["ACKED"] == 10


class TestRefusedAsNotReady:
    @pytest.mark.matrix("K9", "K6")
    def test_export_after_our_post_is_taken_for_synced(self, customer: Customer) -> None:
        """Matrix K9; K6: the neighbour goes through with one further report."""
        exported, other = posted(customer, 2)
        customer.business.press_export(exported)

        customer.report_until_quiet()

        assert states(customer) == {"ACKED": 2}
        assert len(customer.sent) == 2
        assert outcomes(customer, exported) == ["export"]
        assert outcomes(customer, other) == ["success"]
        assert customer.documents == 2

    @pytest.mark.matrix("K11")
    def test_un_readied_after_our_post_needs_a_person(self, customer: Customer) -> None:
        """Matrix K11."""
        taken_back, other = posted(customer, 2)
        customer.business.take_back(taken_back)

        customer.report_until_quiet()

        item = SyncItem.objects.get(ramp_id=taken_back)
        assert item.state == "MISMATCH"
        assert "no longer ready" in item.error_title
        assert SyncItem.objects.get(ramp_id=other).state == "ACKED"

    def test_an_object_that_ramp_has_lost_needs_a_person(self, customer: Customer) -> None:
        gone, other = posted(customer, 2)
        customer.business.take_back(gone)
        customer.fault("answer", ONE, status=404, code="DEVELOPER_7002", message="Not found")

        customer.report_until_quiet()

        assert "no longer has it" in SyncItem.objects.get(ramp_id=gone).error_title
        assert SyncItem.objects.get(ramp_id=other).state == "ACKED"

    @pytest.mark.matrix("K6")
    def test_every_kind_of_trouble_in_one_report_is_told_apart(self, customer: Customer) -> None:
        """Matrix K6 with a mix of causes."""
        exported, taken_back, *good = posted(customer, 10)
        customer.business.press_export(exported)
        customer.business.take_back(taken_back)

        customer.report_until_quiet()

        assert states(customer) == {"ACKED": 9, "MISMATCH": 1}
        assert all(outcomes(customer, id_) == ["success"] for id_ in good)
        assert len(customer.sent) == 2

    def test_many_that_others_have_synced_are_found_in_the_list_at_once(
        self, customer: Customer
    ) -> None:
        ids = posted(customer, 10)
        for id_ in ids:
            customer.business.press_export(id_)

        customer.report()

        assert states(customer) == {"ACKED": 10}
        assert customer.calls(ONE) == 0

    @pytest.mark.parametrize("bad", [1, 3])
    @pytest.mark.matrix("K7")
    def test_without_ids_the_lists_tell_who_it_is(self, customer: Customer, bad: int) -> None:
        """Matrix K7."""
        ids = posted(customer, 16)
        for id_ in ids[:bad]:
            customer.business.take_back(id_)
        customer.fault("not_ready_without_ids", SYNCS, times=None)

        customer.report_until_quiet(20)

        assert states(customer) == {"ACKED": 16 - bad, "MISMATCH": bad}
        assert len(customer.sent) <= 3

    @pytest.mark.matrix("K7")
    def test_without_ids_and_all_ready_it_halves_down_to_the_odd_one(
        self, customer: Customer
    ) -> None:
        """Matrix K7: coded with a deleted account, ready for ever and never taken."""
        ids = posted(customer, 16)
        _delete_account_of(customer, ids[5])
        customer.fault("not_ready_without_ids", SYNCS, times=None)

        customer.report_until_quiet(30)

        held = SyncItem.objects.get(state="MISMATCH")
        assert str(held.ramp_id) == ids[5]
        assert states(customer) == {"ACKED": 15, "MISMATCH": 1}
        assert len(customer.sent) <= 2 * 1 * 4 + 2  # 2k log2(B/k) + 2 for one bad of sixteen

    @pytest.mark.matrix("K7")
    def test_an_item_that_ramp_calls_ready_and_refuses_each_time_is_held_in_the_end(
        self, customer: Customer
    ) -> None:
        """Matrix K7: to retry it for ever would be a livelock."""
        ids = posted(customer, 4)
        _delete_account_of(customer, ids[0])

        customer.report_until_quiet(20)

        assert states(customer) == {"ACKED": 3, "MISMATCH": 1}
        held = SyncItem.objects.get(state="MISMATCH")
        assert str(held.ramp_id) == ids[0]
        assert "refuses the report" in held.error_title
        told = [body for body in customer.sent if ids[0] in members(body)]
        assert len(told) == MOST_REFUSALS

    def test_neighbours_of_a_refused_item_are_never_held_for_it(self, customer: Customer) -> None:
        """They were: each halving and each refusal counted against all."""
        ids = posted(customer, 3)
        SyncItem.objects.filter(ramp_id=ids[0]).update(report_attempt=50)
        customer.business.take_back(ids[1])

        customer.report_until_quiet()

        assert SyncItem.objects.get(ramp_id=ids[0]).state == "ACKED"

    @pytest.mark.matrix("K15")
    def test_a_report_that_does_not_fit_the_schema_is_halved_too(self, customer: Customer) -> None:
        """Matrix K15."""
        ids = posted(customer, 8)

        def refuse(request: httpx.Request) -> httpx.Response | None:
            if request.method == "POST" and ids[3].encode() in request.read():
                return httpx.Response(422, json={"error_v2": {"error_code": "DEVELOPER_7001"}})
            return None

        customer.wire.intercept = refuse

        customer.report_until_quiet(20)

        assert states(customer) == {"ACKED": 7, "MISMATCH": 1}
        assert str(SyncItem.objects.get(state="MISMATCH").ramp_id) == ids[3]

    def test_ids_that_are_not_in_the_report_are_not_read(self, customer: Customer) -> None:
        """INV8: an id in a message is no reason to ask for someone else's object."""
        posted(customer, 2)
        foreign = uuid.uuid4()
        message = f"The following objects are not ready for sync: {foreign}"
        customer.fault("answer", SYNCS, status=400, code="DEVELOPER_7062", message=message)

        customer.report_until_quiet()

        assert not [one for one in customer.sim.log if str(foreign) in one.path]
        assert states(customer) == {"ACKED": 2}


class TestBlocked:
    @pytest.mark.matrix("K17")
    def test_without_an_accounting_connection_nothing_is_posted(self, customer: Customer) -> None:
        """Matrix K17."""
        posted(customer, 2)
        customer.business.occupy_seat("Somebody else", "DIRECT")

        customer.report()

        assert customer.schedule.blocked_code == "ramp.no_connection"
        assert not may_post(customer.connection)
        assert AckBatch.objects.get().state == "open"

    def test_a_pull_that_works_does_not_lift_it(self, customer: Customer) -> None:
        posted(customer)
        customer.business.occupy_seat("Somebody else", "DIRECT")
        customer.report()

        assert customer.pull().problem == ""

        assert customer.schedule.blocked_code == "ramp.no_connection"

    def test_the_first_report_that_is_taken_lifts_it(self, customer: Customer) -> None:
        posted(customer)
        customer.business.occupy_seat("Somebody else", "DIRECT")
        customer.report()
        customer.business.occupy_seat("rampbridge")
        let_time_pass(3600)

        customer.report()

        assert customer.schedule.blocked_at is None
        assert may_post(customer.connection)
        assert states(customer) == {"ACKED": 1}

    def test_a_report_that_works_does_not_lift_the_block_of_a_pull_that_does_not(
        self, customer: Customer
    ) -> None:
        posted(customer)
        customer.fault("scope_missing", LIST)
        customer.pull()

        customer.report()

        assert states(customer) == {"ACKED": 1}
        assert customer.schedule.blocked_code == "ramp.scope_missing"

    def test_waits_longer_each_time_it_is_refused(self, customer: Customer) -> None:
        posted(customer)
        customer.fault("answer", SYNCS, status=500, times=None)
        waits = []
        for _ in range(4):
            customer.report()
            batch = AckBatch.objects.get()
            waits.append(batch.due_at - batch.created_at)
            AckBatch.objects.update(due_at=batch.created_at)

        assert waits == sorted(waits)
        assert waits[-1] > waits[0]

    def test_one_open_report_that_fails_is_reason_enough_to_leave_ramp_alone(
        self, customer: Customer
    ) -> None:
        customer.connection.ack_batch_size = 1
        customer.connection.save()
        posted(customer, 3)
        customer.fault("answer", SYNCS, status=503)

        assert customer.report() == 1


class TestFailures:
    @pytest.mark.matrix("X14")
    def test_the_customer_reads_in_ramp_what_is_wrong_and_how_to_mend_it(
        self, customer: Customer
    ) -> None:
        """Matrix X14."""
        id_ = refused_item(customer)

        customer.report()

        row = customer.business.transaction(id_)
        item = SyncItem.objects.get(ramp_id=id_)
        assert row.export_error == item.error_text
        assert "Choose another GL account in Ramp" in item.error_text
        assert row.sync_status == "SYNC_READY"
        assert item.failure_telling == "told"
        assert customer.timeline(row)[-1] == "failure_told"

    def test_the_same_words_are_not_told_twice(self, customer: Customer) -> None:
        id_ = refused_item(customer)
        customer.report()

        for _ in range(3):
            release(customer.connection.pk, ids=[SyncItem.objects.get().pk], why="Retried.")
            customer.post()
            customer.report()

        assert outcomes(customer, id_) == ["failure"]

    def test_other_words_are_told_again(self, customer: Customer) -> None:
        id_ = refused_item(customer)
        customer.report()
        customer.world.mappings.accounts.pop("6999")  # type: ignore[attr-defined]

        release(customer.connection.pk, ids=[SyncItem.objects.get().pk], why="Retried.")
        customer.post()
        customer.report()

        assert outcomes(customer, id_) == ["failure", "failure"]
        assert "has no GL account" in str(customer.business.transaction(id_).export_error)

    def test_an_error_that_was_mended_before_anyone_was_told_is_not_told(
        self, customer: Customer
    ) -> None:
        id_ = refused_item(customer)
        reactivate(customer)
        release(customer.connection.pk, ids=[SyncItem.objects.get().pk], why="Mended.")

        customer.post()
        customer.report()

        assert outcomes(customer, id_) == ["success"]

    @pytest.mark.matrix("K16")
    def test_the_last_word_is_the_success(self, customer: Customer) -> None:
        """Matrix K16: a success waits while the failure of the same item is on its way."""
        id_ = refused_item(customer)
        customer.fault("answer", SYNCS, status=503)
        customer.report()
        reactivate(customer)
        release(customer.connection.pk, ids=[SyncItem.objects.get().pk], why="Mended.")
        customer.post()

        customer.report()
        assert outcomes(customer, id_) == [], "the failure is not due again yet"
        customer.report_until_quiet()

        assert outcomes(customer, id_) == ["failure", "success"]
        assert states(customer) == {"ACKED": 1}

    def test_an_error_that_changed_while_it_was_told_is_told_anew(self, customer: Customer) -> None:
        id_ = refused_item(customer)
        customer.fault("answer", SYNCS, status=503)
        customer.report()
        customer.world.mappings.accounts.pop("6999")  # type: ignore[attr-defined]
        release(customer.connection.pk, ids=[SyncItem.objects.get().pk], why="Retried.")
        customer.post()

        customer.report_until_quiet()

        assert outcomes(customer, id_) == ["failure", "failure"]
        assert SyncItem.objects.get().failure_telling == "told"

    @pytest.mark.matrix("K3")
    def test_a_failure_whose_answer_was_lost_is_told_once(self, customer: Customer) -> None:
        """Matrix K3 for failures: 7005 and still ready means that it was told."""
        id_ = refused_item(customer)
        customer.fault("lost_answer", SYNCS)

        customer.report_until_quiet()

        assert outcomes(customer, id_) == ["failure"]
        assert SyncItem.objects.get().failure_telling == "told"

    def test_a_failed_item_that_was_exported_meanwhile_leaves(self, customer: Customer) -> None:
        id_ = refused_item(customer)
        customer.business.press_export(id_)

        customer.report_until_quiet()

        item = SyncItem.objects.get()
        assert (item.state, item.failure_telling) == ("EXTERNAL", "")

    def test_a_failed_item_that_was_taken_back_meanwhile_leaves(self, customer: Customer) -> None:
        id_ = refused_item(customer)
        customer.business.take_back(id_)

        customer.report_until_quiet()

        assert states(customer) == {"WITHDRAWN": 1}

    @pytest.mark.parametrize("leave", ["press_export", "take_back"])
    @pytest.mark.matrix("K16")
    def test_a_failure_refused_after_its_item_was_posted_does_not_hold_up_the_success(
        self, customer: Customer, leave: str
    ) -> None:
        """Matrix K16: it stayed "being told" for ever, and the item POSTED with it."""
        id_ = refused_item(customer)
        customer.fault("answer", SYNCS, status=503)
        customer.report()
        reactivate(customer)
        release(customer.connection.pk, ids=[SyncItem.objects.get().pk], why="Mended.")
        customer.post()
        getattr(customer.business, leave)(id_)

        customer.report_until_quiet()

        assert SyncItem.objects.get().state in {"ACKED", "MISMATCH"}
        assert SyncItem.objects.get().failure_telling == ""

    @pytest.mark.matrix("K16")
    def test_a_neighbours_failure_is_not_told_after_its_item_was_posted(
        self, customer: Customer
    ) -> None:
        """Matrix K16."""
        first = refused_item(customer)
        second = refused_item(customer)
        customer.fault("answer", SYNCS, status=503)
        customer.report()
        reactivate(customer)
        mended = SyncItem.objects.get(ramp_id=second)
        release(customer.connection.pk, ids=[mended.pk], why="Mended.")
        customer.post()
        customer.business.take_back(first)

        customer.report_until_quiet()

        mended.refresh_from_db()
        assert (mended.state, mended.failure_telling) == ("ACKED", "")
        assert outcomes(customer, second) == ["success"]

    def test_a_failure_that_ramp_never_takes_is_given_up(self, customer: Customer) -> None:
        """The item is visibly failed with us; asking for ever would help nobody."""
        id_ = refused_item(customer)
        customer.fault(
            "answer", SYNCS, status=400, code="DEVELOPER_7062",
            message=f"The following objects are not ready for sync: {id_}", times=None,
        )  # fmt: skip

        customer.report_until_quiet(20)

        assert len(customer.sent) == MOST_REFUSALS
        assert SyncItem.objects.get().state == "FAILED"


class TestReading:
    def test_reads_one_by_one_where_that_is_cheaper(self, customer: Customer) -> None:
        ids = [uuid.UUID(id_) for id_ in posted(customer, refused_reports.FEW)]
        before = customer.calls(LIST)

        found = refused_reports.read_again(
            KINDS["transaction"], customer.ramp, ids, since=SyncItem.objects.all()[0].ready_at
        )

        assert {one.verdict for one in found.values()} == {"ready"}
        assert customer.calls(LIST) == before
        assert customer.calls(ONE) == refused_reports.FEW


def _delete_account_of(customer: Customer, id_: str) -> None:
    """Delete the account that one transaction is coded with: it stays ready, and is never taken."""
    customer.business.edit(id_, account_code="6400")
    world = customer.sim.world
    (account,) = [row for row in world.accounts.of(customer.business.key) if row.code == "6400"]
    account.is_active = False
    world.accounts.put(account)
