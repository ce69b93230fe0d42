"""What was blocked goes through by itself once its cause is gone."""

from dataclasses import replace
from datetime import timedelta
from decimal import Decimal

import pytest

from connections.erp.errors import Code, ErpError, Outcome
from connections.erp.records import Master, MasterKind
from connections.mappings import Target, TaxPart, TaxTarget
from syncing import releases, snapshots
from syncing.engine import RECHECK_SECONDS, post_due_items
from syncing.models import ItemEvent, SyncItem
from syncing.recheck import release_unblocked
from syncing.releases import release
from syncing.services import NotRetryable, retry_item
from tests import spend
from tests.syncing.world import World, coding, let_time_pass, transaction_body

pytestmark = pytest.mark.django_db

NOVEMBER, OCTOBER = (2026, 11), (2026, 10)


def in_october(count: int) -> list[dict[str, object]]:
    return [transaction_body(accounting_date="2026-10-05T00:00:00+00:00") for _ in range(count)]


def states() -> dict[str, int]:
    found: dict[str, int] = {}
    for state in SyncItem.objects.values_list("state", flat=True):
        found[state] = found.get(state, 0) + 1
    return found


def due_within(seconds: float) -> list[int]:
    until = snapshots.database_now() + timedelta(seconds=seconds)
    return list(SyncItem.objects.filter(due_at__lte=until).values_list("id", flat=True))


class TestClosedPeriod:
    @pytest.mark.matrix("X14")
    def test_says_what_is_closed_and_what_to_do(self) -> None:
        world = World()
        (item,) = world.ready()
        world.erp.books.closed_months.add(NOVEMBER)

        post_due_items(world.worker)

        item.refresh_from_db()
        assert (item.state, item.error_category) == ("FAILED", "user_actionable")
        assert item.error_text == (
            "The ledger has no open period for 5 November 2026. Reopen the period in Ledger, or"
            " change the accounting date in Ramp. It then goes through by itself."
        )
        assert item.failure_telling == "due"
        assert world.erp.books.entries == ()

    def test_after_reopening_everything_of_the_month_goes_through_by_itself(self) -> None:
        world = World()
        world.ready(*(transaction_body() for _ in range(30)))
        world.erp.books.closed_months.add(NOVEMBER)
        while post_due_items(world.worker):
            pass
        assert states() == {"FAILED": 30}

        world.erp.books.closed_months.clear()
        let_time_pass(RECHECK_SECONDS + 1)
        assert release_unblocked(world.worker) == 30
        while post_due_items(world.worker):
            pass

        assert states() == {"POSTED": 30}
        assert len(world.erp.books.entries) == 30

    def test_one_look_answers_for_all_items_of_a_cause(self) -> None:
        world = World()
        world.ready(*(transaction_body() for _ in range(30)))
        world.erp.books.closed_months.add(NOVEMBER)
        while post_due_items(world.worker):
            pass
        let_time_pass(RECHECK_SECONDS + 1)

        release_unblocked(world.worker)
        release_unblocked(world.worker)

        assert world.erp.calls.count("check") == 1, "and none before it is time again"
        assert states() == {"FAILED": 30}
        let_time_pass(RECHECK_SECONDS + 1)
        release_unblocked(world.worker)
        assert world.erp.calls.count("check") == 2

    def test_a_look_writes_few_rows_however_many_items_wait_for_it(
        self, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(releases, "NEAREST", 2)
        world = World()
        world.ready(*(transaction_body() for _ in range(5)))
        world.erp.books.closed_months.add(NOVEMBER)
        post_due_items(world.worker)
        let_time_pass(RECHECK_SECONDS + 1)

        release_unblocked(world.worker)

        assert len(due_within(RECHECK_SECONDS)) == 2
        assert len(due_within(releases.REST.total_seconds())) == 5
        world.erp.books.closed_months.clear()
        let_time_pass(RECHECK_SECONDS + 1)
        assert release_unblocked(world.worker) == 5, "and all of them are freed"

    def test_the_others_are_looked_at_although_the_nearest_have_gone_their_own_way(
        self, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(releases, "NEAREST", 2)
        world = World()
        world.ready(*(transaction_body() for _ in range(5)))
        world.erp.books.closed_months.add(NOVEMBER)
        post_due_items(world.worker)
        let_time_pass(RECHECK_SECONDS + 1)
        release_unblocked(world.worker)
        for item_id in due_within(RECHECK_SECONDS):
            snapshots.leave(item_id, "WITHDRAWN", why="No longer ready.")

        world.erp.books.closed_months.clear()
        let_time_pass(releases.REST.total_seconds() + 1)

        assert release_unblocked(world.worker) == 3

    def test_a_reopened_month_does_not_wait_for_an_older_one(self) -> None:
        world = World()
        world.ready(*in_october(3), transaction_body(), transaction_body())
        world.erp.books.closed_months |= {NOVEMBER, OCTOBER}
        post_due_items(world.worker)

        world.erp.books.closed_months.remove(NOVEMBER)
        let_time_pass(RECHECK_SECONDS + 1)
        assert release_unblocked(world.worker) == 2

        assert states() == {"FAILED": 3, "READY": 2}

    def test_leaves_a_line_on_each_timeline(self) -> None:
        world = World()
        (item,) = world.ready()
        world.erp.books.closed_months.add(NOVEMBER)
        post_due_items(world.worker)
        world.erp.books.closed_months.clear()
        let_time_pass(RECHECK_SECONDS + 1)

        release_unblocked(world.worker)

        last = ItemEvent.objects.filter(item=item).order_by("id").last()
        assert last is not None
        assert (last.kind, last.text) == ("released", "What blocked it is gone.")


class TestOtherCauses:
    def test_an_account_that_is_active_again_frees_its_items_only(self) -> None:
        world = World()
        books = world.erp.books
        world.ready(transaction_body(account="6999"), transaction_body(account="6100"))
        books.deactivate("account", "6999")  # type: ignore[arg-type]
        books.deactivate("account", "6100")  # type: ignore[arg-type]
        post_due_items(world.worker)

        books.activate("account", "6100")  # type: ignore[arg-type]
        let_time_pass(RECHECK_SECONDS + 1)
        assert release_unblocked(world.worker) == 1

        (freed,) = SyncItem.objects.filter(state="READY")
        assert freed.error_title == ""

    def test_a_mapping_that_was_made_frees_its_items(self) -> None:
        world = World()
        world.ready(transaction_body(account="7777"), transaction_body(account="7777"))
        post_due_items(world.worker)
        let_time_pass(RECHECK_SECONDS + 1)
        assert release_unblocked(world.worker) == 0

        world.mappings.accounts["7777"] = Target("6300", "Meals")  # type: ignore[index]
        let_time_pass(RECHECK_SECONDS + 1)
        assert release_unblocked(world.worker) == 2
        post_due_items(world.worker)

        assert states() == {"POSTED": 2}

    def test_a_tax_code_that_is_open_again_frees_its_items(self) -> None:
        """Nothing is booked gross meanwhile."""
        tax = TaxTarget("vat", "VAT", (TaxPart("vat", "VAT", Decimal("0.2"), "1500"),))
        world = World()
        books = world.erp.books
        books.put(Master(MasterKind.ACCOUNT, "1500", "Input tax", classification="ASSET"))
        books.put(Master(MasterKind.TAX_CODE, "vat", "VAT"))
        world.mappings = replace(world.mappings, tax_codes={"vat": replace(tax, is_active=False)})
        line = spend.line(1200, "USD", coding("6200"), spend.selection("TAX_CODE", "vat"))
        world.ready(transaction_body(1200, line_items=[line]))
        post_due_items(world.worker)
        assert (states(), books.entries) == ({"FAILED": 1}, ())

        world.mappings = replace(world.mappings, tax_codes={"vat": tax})
        let_time_pass(RECHECK_SECONDS + 1)
        assert release_unblocked(world.worker) == 1
        post_due_items(world.worker)

        assert states() == {"POSTED": 1}
        assert books.tax_report("vat") == (Decimal("10.00"), Decimal("2.00"))

    def test_a_cause_the_erp_names_otherwise_when_only_asked_is_still_the_cause(self) -> None:
        """A check may blame another record than the post did; else items would go in circles."""
        world = World()
        (item,) = world.ready()
        world.erp.books.closed_months.add(NOVEMBER)
        post_due_items(world.worker)
        SyncItem.objects.update(blocked_by="erp.period_closed:another name")
        let_time_pass(RECHECK_SECONDS + 1)

        assert release_unblocked(world.worker) == 0

        item.refresh_from_db()
        assert item.state == "FAILED"

    def test_a_silent_erp_frees_nothing_and_is_asked_again_later(self) -> None:
        world = World()
        world.ready()
        world.erp.books.closed_months.add(NOVEMBER)
        post_due_items(world.worker)
        world.erp.books.closed_months.clear()
        world.erp.faults.refuse_with = ErpError(
            Code.ERP_UNAVAILABLE, "No answer.", "", Outcome.NOT_POSTED
        )
        let_time_pass(RECHECK_SECONDS + 1)

        assert release_unblocked(world.worker) == 0
        assert states() == {"FAILED": 1}
        world.erp.faults.refuse_with = None
        let_time_pass(RECHECK_SECONDS + 1)
        assert release_unblocked(world.worker) == 1

    def test_a_silent_erp_is_asked_once_in_a_turn_and_not_for_every_cause(self) -> None:
        world = World()
        world.ready(transaction_body(), *in_october(1))
        world.erp.books.closed_months |= {NOVEMBER, OCTOBER}
        post_due_items(world.worker)
        world.erp.faults.refuse_with = ErpError(
            Code.ERP_UNAVAILABLE, "No answer.", "", Outcome.NOT_POSTED
        )
        let_time_pass(RECHECK_SECONDS + 1)

        release_unblocked(world.worker)

        assert world.erp.calls.count("check") == 1

    def test_causes_have_their_turn_however_many_there_are(self) -> None:
        """Else those that come first by name or number would be looked at again and again."""
        world = World()
        world.ready(*(transaction_body(account=f"77{number:02}") for number in range(25)))
        post_due_items(world.worker)
        youngest = SyncItem.objects.latest("id").blocked_by.rpartition(":")[2]
        for account in {"7724", youngest}:
            world.mappings.accounts[account] = Target("6300", "Meals")  # type: ignore[index]
        let_time_pass(RECHECK_SECONDS + 1)

        released = release_unblocked(world.worker)  # 20 of them
        let_time_pass(RECHECK_SECONDS + 1)  # by when these are due again
        released += release_unblocked(world.worker)

        assert released == len({"7724", youngest})

    def test_a_turn_ends_in_time_and_the_rest_comes_first_in_the_next(
        self, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr("syncing.recheck.TURN_SECONDS", -1.0)
        world = World()
        world.ready(transaction_body(account="7777"), transaction_body(account="8888"))
        post_due_items(world.worker)
        for account in ("7777", "8888"):
            world.mappings.accounts[account] = Target("6300", "Meals")  # type: ignore[index]
        let_time_pass(RECHECK_SECONDS + 1)

        assert [release_unblocked(world.worker) for _ in range(3)] == [1, 1, 0]

    def test_what_only_the_customer_can_mend_is_not_looked_at(self) -> None:
        world = World()
        world.ready(transaction_body(account=None))
        post_due_items(world.worker)
        let_time_pass(10_000)

        assert release_unblocked(world.worker) == 0
        assert world.erp.calls == []


class TestRetryByPeople:
    def test_a_failed_item_is_queued_with_their_name(self) -> None:
        world = World()
        (item,) = world.ready(transaction_body(account=None))
        post_due_items(world.worker)
        item.refresh_from_db()

        retry_item(item=item, actor="ada")

        item.refresh_from_db()
        assert item.state == "READY"
        last = ItemEvent.objects.filter(item=item).order_by("id").last()
        assert last is not None
        assert last.actor == "ada"

    def test_what_nobody_was_told_yet_is_not_told_any_more(self) -> None:
        world = World()
        (item,) = world.ready(transaction_body(account=None))
        post_due_items(world.worker)
        item.refresh_from_db()
        assert item.failure_telling == "due"

        retry_item(item=item, actor="ada")

        item.refresh_from_db()
        assert item.failure_telling == ""

    def test_an_item_that_waits_for_its_turn_comes_at_once(self) -> None:
        world = World()
        (item,) = world.ready()
        let_time_pass(-60)
        assert post_due_items(world.worker) == 0

        retry_item(item=item, actor="ada")

        assert post_due_items(world.worker) == 1

    def test_an_item_whose_outcome_is_unknown_cannot_be_retried(self) -> None:
        """It might be booked twice."""
        world = World()
        (item,) = world.ready()
        world.erp.faults.lose_answers = 1
        post_due_items(world.worker)
        item.refresh_from_db()

        with pytest.raises(NotRetryable, match="looked up in the ERP"):
            retry_item(item=item, actor="ada")

    def test_of_two_people_one_wins(self) -> None:
        world = World()
        (item,) = world.ready(transaction_body(account=None))
        post_due_items(world.worker)
        item.refresh_from_db()
        retry_item(item=item, actor="ada")

        with pytest.raises(NotRetryable, match="Someone else"):
            retry_item(item=item, actor="bob")

    def test_reaches_nobody_elses_items(self) -> None:
        """INV8."""
        ours, theirs = World(), World()
        (item,) = theirs.ready(transaction_body(account=None))
        post_due_items(theirs.worker)

        assert release(ours.connection.pk, ids=[item.pk], why="Retried.") == 0
