"""A customer synced anew: everything is looked at again, nothing is posted again."""

import json
from collections.abc import Iterator
from io import StringIO

import pytest
from django.core.management import CommandError, call_command

from syncing import lists, poll_schedule, polling, reconciliation, results, resync
from syncing.models import ItemEvent, PullCursor, Schedule, SyncItem
from syncing.poll_schedule import LeaseLost
from syncing.resync import NotResyncable
from tests.factories import SyncItemFactory
from tests.syncing.ramp import Customer
from tests.syncing.world import connection_with_schedule, let_time_pass, poll_is_due

pytestmark = pytest.mark.django_db


@pytest.fixture
def customer() -> Iterator[Customer]:
    made = Customer(types=("transaction", "bill"))
    yield made
    made.sim.close()


class TestLists:
    def test_are_read_from_their_start(
        self, customer: Customer, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(lists, "PAGES_PER_TURN", 1)
        monkeypatch.setattr(polling, "PAGE_SIZES", (2, 2))
        for _ in range(5):
            customer.spend()
        customer.pull()
        assert PullCursor.objects.exclude(cursor="").exists()

        begun = resync.resync(customer.connection, actor="ada")

        assert begun.lists == ["bill", "transaction"]
        assert begun.forgotten == 2
        assert not PullCursor.objects.exists()
        assert poll_is_due(customer.connection)
        run = customer.pull()
        assert (run.trigger, run.actor) == ("manual", "ada")
        assert run.new == 0, "it is the first page again"

    def test_of_other_types_go_on_where_they_are(self, customer: Customer) -> None:
        customer.pull()

        resync.resync(customer.connection, actor="ada", lists=["bill"])

        assert [one.object_type for one in PullCursor.objects.all()] == ["transaction"]
        assert Schedule.objects.get().fetch_types == ["bill"]

    def test_a_pull_at_work_does_not_write_its_place_again(self, customer: Customer) -> None:
        with poll_schedule.only_poller(customer.connection) as lease:
            assert lease is not None
            resync.resync(customer.connection, actor="ada")
            with pytest.raises(LeaseLost):
                lease.keep()
            lease.pull_done(next_in=poll_schedule.AT_ONCE)

        assert not PullCursor.objects.exists()
        assert Schedule.objects.get().fetch_due_at is not None


class TestItems:
    def test_what_has_failed_or_waits_is_queued_again(self, customer: Customer) -> None:
        failed = SyncItemFactory.create(connection=customer.connection, failed=True, due_at=None)
        waiting = SyncItemFactory.create(connection=customer.connection)
        results.record_waiting(None, [(waiting.pk, "vendor:m1", "Waits for a vendor.")])
        retrying = SyncItemFactory.create(connection=customer.connection, retrying=True)
        due = SyncItemFactory.create(connection=customer.connection)
        let_time_pass(1)

        begun = resync.resync(customer.connection, actor="ada")

        assert (begun.failed, begun.waiting) == (1, 2)
        for item in (failed, waiting, retrying):
            item.refresh_from_db()
            assert (item.state, item.attempts, item.error_title) == ("READY", 0, "")
            assert item.due_at is not None
            last = ItemEvent.objects.filter(item=item).latest("id")
            assert (last.kind, last.text, last.actor) == ("released", resync.WHY, "ada")
        assert not ItemEvent.objects.filter(item=due).exists()

    def test_many_are_queued_in_several_transactions(
        self, customer: Customer, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(resync, "AT_ONCE", 2)
        for _ in range(5):
            SyncItemFactory.create(connection=customer.connection, failed=True)

        assert resync.resync(customer.connection, actor="ada").failed == 5

    def test_neither_other_customers_nor_other_types_are_touched(self, customer: Customer) -> None:
        stranger = SyncItemFactory.create(connection=connection_with_schedule(), failed=True)
        other = SyncItemFactory.create(
            connection=customer.connection, failed=True, object_type="bill"
        )

        resync.resync(customer.connection, actor="ada", lists=["transaction"])

        for item in (stranger, other):
            item.refresh_from_db()
            assert item.state == "FAILED"

    @pytest.mark.parametrize(
        "traits",
        [
            {"posting": True},
            {"posted": True},
            {"posted": True, "state": "ACKING"},
            {"acked": True},
            {"acked": True, "state": "MISMATCH"},
            {"state": "REVIEW", "due_at": None},
            {"state": "EXTERNAL", "due_at": None},
            {"state": "WITHDRAWN", "due_at": None},
        ],
        ids=lambda traits: str(traits.get("state", next(iter(traits)))),
    )
    def test_what_is_or_may_be_in_the_erp_stays_as_it_is(
        self, customer: Customer, traits: dict[str, object]
    ) -> None:
        item = SyncItemFactory.create(connection=customer.connection, **traits)
        before = SyncItem.objects.values().get(pk=item.pk)

        resync.resync(customer.connection, actor="ada")

        assert SyncItem.objects.values().get(pk=item.pk) == before

    def test_what_is_posted_is_never_posted_again(self, customer: Customer) -> None:
        through = customer.spend()
        customer.go_through()
        posted = customer.spend()
        customer.pull()
        customer.post()

        for _ in range(2):
            resync.resync(customer.connection, actor="ada")
            customer.pull()
            customer.post()
        customer.report_until_quiet()

        refs = [entry.doc.ref for entry in customer.world.erp.books.entries]
        assert len(refs) == len(set(refs))
        assert customer.state(through) == customer.state(posted) == "ACKED"

    def test_twice_does_no_more_than_once(self, customer: Customer) -> None:
        item = SyncItemFactory.create(connection=customer.connection, failed=True)
        resync.resync(customer.connection, actor="ada")
        let_time_pass(1)

        again = resync.resync(customer.connection, actor="ada")

        assert (again.failed, again.waiting, again.forgotten) == (0, 0, 0)
        assert ItemEvent.objects.filter(item=item).count() == 1


def test_the_comparison_is_due_at_once(customer: Customer) -> None:
    resync.resync(customer.connection, actor="ada")

    assert Schedule.objects.get().reconcile_due_at is not None
    assert reconciliation.connections_due() == [customer.connection.pk]


class TestRefuses:
    def test_a_customer_that_is_not_live(self, customer: Customer) -> None:
        customer.connection.stage = "paused"

        with pytest.raises(NotResyncable, match="is paused: nothing is read"):
            resync.resync(customer.connection, actor="ada")

    def test_a_type_that_is_not_synced(self, customer: Customer) -> None:
        with pytest.raises(
            NotResyncable, match=r"no type called 'cashback'. Name some of: bill, tra"
        ):
            resync.resync(customer.connection, actor="ada", lists=["cashback"])

        assert Schedule.objects.get().fetch_due_at is None


class TestCommand:
    def run(self, *arguments: str) -> str:
        out = StringIO()
        call_command("resync", *arguments, stdout=out)
        return out.getvalue()

    def test_says_what_it_has_set_going(self, customer: Customer) -> None:
        customer.pull()
        SyncItemFactory.create(connection=customer.connection, failed=True)

        said = self.run(customer.connection.slug, "--types", "transaction")

        assert "is synced anew: Card transaction." in said
        assert "Failed items that are queued again           1" in said

    def test_and_for_programs(self, customer: Customer) -> None:
        said = json.loads(self.run(customer.connection.slug, "--json"))

        assert said["lists"] == ["bill", "transaction"]
        assert said["failed"] == said["waiting"] == 0

    def test_names_what_there_is(self, customer: Customer) -> None:
        with pytest.raises(CommandError, match=f"There are: {customer.connection.slug}"):
            self.run("nobody")
        with pytest.raises(CommandError, match="'invoice'"):
            self.run(customer.connection.slug, "--types", "invoice")
