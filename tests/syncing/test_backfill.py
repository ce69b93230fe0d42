"""Backfills: a window of days, counted or brought, within a budget of calls (R-63)."""

import json
import uuid
from collections.abc import Iterator
from datetime import UTC, date, datetime, timedelta
from io import StringIO
from typing import Any

import pytest
from django.core.management import CommandError, call_command
from django.db import connection as database

from connections.models import Entity
from syncing import backfill, claims
from syncing.backfill import DATINGS, BadOrder, Outcome, Position
from syncing.kinds import LISTS
from syncing.models import SyncItem, SyncRun
from tests.syncing.ramp import Customer, rewritten
from tests.syncing.test_fairness import FEW_BLOCKS, blocks_to_claim
from tests.syncing.world import connection_with_schedule

pytestmark = pytest.mark.django_db

MARCH = datetime(2026, 3, 10, 12, tzinfo=UTC)
FIRST, LAST = date(2026, 3, 1), date(2026, 3, 31)
TODAY = datetime.now(UTC).date() + timedelta(days=1)
"""Whatever is made now is before its end, in every time zone."""


@pytest.fixture
def customer() -> Iterator[Customer]:
    made = Customer(types=tuple(LISTS))
    yield made
    made.sim.close()


def bought(customer: Customer, at: datetime, minor: int = 1000) -> str:
    return customer.spend(minor, at=at).id


def bring(customer: Customer, **changes: Any) -> Outcome:
    asked: dict[str, Any] = {"first": FIRST, "last": LAST, "today": TODAY} | changes
    naps: list[float] = asked.pop("naps", [])
    what = backfill.order(customer.connection, **asked)
    return backfill.run(customer.connection, customer.ramp, what, actor="ada", sleep=naps.append)


class TestWindow:
    def test_brings_what_is_ready_within_its_days(self, customer: Customer) -> None:
        inside = bought(customer, MARCH)
        bought(customer, MARCH - timedelta(days=30))
        bought(customer, MARCH + timedelta(days=30))

        outcome = bring(customer, lists=["transaction"])

        (item,) = SyncItem.objects.all()
        assert (str(item.ramp_id), item.state, item.arrived_by) == (inside, "READY", "backfill")
        assert outcome.goes_on_at is None

    def test_days_are_the_customers(self, customer: Customer) -> None:
        customer.connection.time_zone = "America/Los_Angeles"
        last_evening = bought(customer, datetime(2026, 4, 1, 5, tzinfo=UTC))
        bought(customer, datetime(2026, 4, 1, 8, tzinfo=UTC))

        bring(customer, lists=["transaction"])

        assert [str(item.ramp_id) for item in SyncItem.objects.all()] == [last_evening]

    def test_what_ramp_lists_in_spite_of_the_window_is_left_alone(self, customer: Customer) -> None:
        """Gotcha 18: it ignores filters that it does not know."""
        bought(customer, MARCH)

        def move(document: dict[str, Any]) -> None:
            for row in document["data"]:
                row["user_transaction_time"] = "2020-01-01T00:00:00+00:00"

        customer.http.event_hooks = {"response": [rewritten(move)]}

        outcome = bring(customer, lists=["transaction"])

        assert (outcome.outside, SyncItem.objects.count()) == (1, 0)

    def test_brings_vendor_credits_from_before_the_customer_came(self, customer: Customer) -> None:
        """A poll leaves them out, for Ramp keeps no sync state of them."""
        customer.business.create_vendor_credit()
        customer.connection.created_at = datetime(2099, 1, 1, tzinfo=UTC)
        customer.connection.save()
        assert customer.pull().seen == 0

        bring(customer, first=date(2020, 1, 1), last=TODAY, lists=["vendor_credit"])

        assert SyncItem.objects.get().object_type == "vendor_credit"

    def test_reads_entity_by_entity_where_the_customer_is_scoped_so(
        self, customer: Customer
    ) -> None:
        customer.connection.scoped_by_entity = True
        Entity.objects.filter(connection=customer.connection).delete()
        for row in customer.sim.world.entities.of("harbor-coffee"):
            Entity.objects.create(connection=customer.connection, ramp_id=row.id, name="Harbor")
        bought(customer, MARCH)

        outcome = bring(customer, lists=["transaction"])

        assert outcome.calls == Entity.objects.count()
        assert SyncItem.objects.count() == 1

    def test_every_list_says_by_which_date_it_is_read(self) -> None:
        assert list(DATINGS) == list(LISTS)


class TestDryRun:
    def test_stores_nothing_and_counts_what_is_new(self, customer: Customer) -> None:
        bought(customer, MARCH, 1000)
        customer.pull()
        bought(customer, MARCH, 250)
        before = SyncItem.objects.count(), SyncRun.objects.count()

        outcome = bring(customer, lists=["transaction"], is_dry_run=True)

        tally = outcome.tallies["transaction"]
        assert (tally.objects, tally.known, tally.new) == (2, 1, 1)
        assert {code: str(money) for code, money in tally.amounts.items()} == {"USD": "2.50 USD"}
        assert (SyncItem.objects.count(), SyncRun.objects.count()) == before

    def test_costs_as_many_calls_as_the_real_one(self, customer: Customer) -> None:
        for _ in range(3):
            bought(customer, MARCH)

        assert bring(customer, is_dry_run=True).calls == bring(customer).calls

    def test_counts_a_bill_and_its_payment_each(self, customer: Customer) -> None:
        bill = customer.business.create_bill(minor=5000)
        customer.business.pay_bill(bill.id)

        outcome = bring(
            customer, first=date(2020, 1, 1), last=TODAY, lists=["bill"], is_dry_run=True
        )

        assert {name: tally.new for name, tally in outcome.tallies.items()} == {
            "bill": 1,
            "bill_payment": 1,
        }

    def test_what_nobody_can_make_sense_of_is_counted_apart(self, customer: Customer) -> None:
        bought(customer, MARCH)

        def spoil(document: dict[str, Any]) -> None:
            for row in document["data"]:
                row["amount"] = "a lot"

        customer.http.event_hooks = {"response": [rewritten(spoil)]}

        tally = bring(customer, lists=["transaction"], is_dry_run=True).tallies["transaction"]

        assert (tally.objects, tally.odd) == (0, 1)


class TestBudget:
    def test_stops_and_goes_on_where_it_stopped(
        self, customer: Customer, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(backfill, "PAGE_SIZE", 2)
        for _ in range(5):
            bought(customer, MARCH)

        first = bring(customer, lists=["transaction"], budget=2)
        assert (first.calls, SyncItem.objects.count()) == (2, 4)
        assert first.goes_on_at is not None
        start = Position.parse(str(first.goes_on_at))
        second = bring(customer, lists=["transaction"], budget=2, start=start)

        assert (second.calls, second.goes_on_at) == (1, None)
        assert SyncItem.objects.count() == 5

    def test_goes_on_with_the_lists_that_were_not_begun(self, customer: Customer) -> None:
        first = bring(customer, budget=2)
        assert first.goes_on_at == Position("reimbursement")

        second = bring(customer, start=first.goes_on_at)

        assert [*first.tallies, *second.tallies] == _types()

    @pytest.mark.matrix("P8")
    def test_waits_where_ramp_asks_to_slow_down(self, customer: Customer) -> None:
        bought(customer, MARCH)
        customer.fault("answer", "GET /transactions", status=429, times=2)
        naps: list[float] = []

        outcome = bring(customer, lists=["transaction"], naps=naps)

        assert (outcome.calls, len(naps)) == (3, 2)
        assert SyncItem.objects.count() == 1

    @pytest.mark.matrix("P9")
    def test_what_broke_off_says_why_and_where_it_goes_on(self, customer: Customer) -> None:
        customer.fault("answer", "GET /transactions", status=502)

        outcome = bring(customer, lists=["transaction", "bill"])

        assert outcome.problem
        assert outcome.goes_on_at == Position("transaction")
        assert SyncRun.objects.get().problem == outcome.problem

    @pytest.mark.matrix("P7")
    def test_pages_in_a_circle_end_it(
        self, customer: Customer, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(backfill, "PAGE_SIZE", 2)
        for _ in range(6):
            bought(customer, MARCH)
        following: list[str] = []

        def go_round(document: dict[str, Any]) -> None:
            following.append(document["page"]["next"])
            document["page"]["next"] = following[(len(following) - 1) % 2]

        customer.http.event_hooks = {"response": [rewritten(go_round)]}

        outcome = bring(customer, lists=["transaction"])

        assert (outcome.calls, outcome.problem != "") == (3, True)


class TestTraces:
    def test_a_run_shows_it(self, customer: Customer) -> None:
        bought(customer, MARCH)

        bring(customer, lists=["transaction"])

        run = SyncRun.objects.get()
        assert (run.trigger, run.actor, run.seen, run.new) == ("backfill", "ada", 1, 1)
        assert run.finished_at is not None

    def test_repeated_it_makes_nothing_twice(self, customer: Customer) -> None:
        bought(customer, MARCH)
        bring(customer, lists=["transaction"])
        customer.post()

        outcome = bring(customer, lists=["transaction"])
        customer.post()

        assert outcome.tallies["transaction"].known == 1
        assert (SyncItem.objects.count(), customer.documents) == (1, 1)


def _types() -> list[str]:
    return [kind.object_type for kinds in LISTS.values() for kind in kinds]


class TestPlaceInTheQueue:
    def test_what_it_brings_comes_after_what_is_fresh(self, customer: Customer) -> None:
        old = bought(customer, MARCH)
        bring(customer, lists=["transaction"])
        fresh = customer.spend()
        customer.pull()

        order = []
        while taken := claims.lock_ready(customer.connection.pk, 1):
            order.append(str(taken[0].ramp_id))
            SyncItem.objects.filter(pk=taken[0].id).update(due_at=None)

        assert order == [fresh.id, old]

    def test_it_fills_the_room_that_the_fresh_ones_leave(self, customer: Customer) -> None:
        bought(customer, MARCH)
        bring(customer, lists=["transaction"])
        customer.spend()
        customer.pull()

        assert len(claims.lock_ready(customer.connection.pk, 25)) == 2

    def test_a_hundred_thousand_of_it_cost_a_fresh_one_nothing(self) -> None:
        connection = connection_with_schedule()
        many(connection.pk, 100_000, "backfill", hours_ago=1)
        many(connection.pk, 3, "poll", hours_ago=0)
        with database.cursor() as cursor:
            cursor.execute("ANALYZE syncing_syncitem, syncing_itempayload")

        assert blocks_to_claim(connection.pk) < FEW_BLOCKS
        (first,) = claims.lock_ready(connection.pk, 1)
        assert SyncItem.objects.get(pk=first.id).arrived_by == "poll"


def many(connection_id: uuid.UUID, count: int, arrived_by: str, *, hours_ago: int) -> None:
    """Due transactions, read just now."""
    with database.cursor() as cursor:
        cursor.execute(
            """
            WITH made AS (
                INSERT INTO syncing_syncitem (
                    connection_id, object_type, ramp_id, phase, label, memo, person, amount_minor,
                    currency, exponent, content_hash, state, state_at, ready_at, due_at,
                    seen_ready_at, snapshot_at, arrived_by, attempts, claims_without_result,
                    report_attempt, reack_due, failure_telling, erp_ref, erp_id, erp_number,
                    erp_url, error_category, error_origin, error_code, error_title, error_fix,
                    error_text, error_detail, blocked_by)
                SELECT %s, 'transaction', gen_random_uuid(), 0, '', '', '', 1, 'USD', 2, '',
                    'READY', now(), now(), now() - %s * interval '1h', now(), now(), %s, 0, 0, 0,
                    false, '', '', '', '', '', '', '', '', '', '', '', '', ''
                FROM generate_series(1, %s) RETURNING id
            )
            INSERT INTO syncing_itempayload (item_id, ramp) SELECT id, '{}' FROM made
            """,
            [connection_id, hours_ago, arrived_by, count],
        )


class TestRefuses:
    @pytest.mark.parametrize(
        ("about", "changes", "words"),
        [
            ("last", {"first": LAST, "last": FIRST}, "2026-03-01 is before 2026-03-31"),
            ("first", {"first": date(2027, 1, 1), "last": date(2027, 1, 2)}, "still to come"),
            ("budget", {"budget": 0}, "one call at least"),
            ("lists", {"lists": ["bill_payment"]}, "Ask for bill instead"),
            ("lists", {"lists": ["invoice"]}, "There are: bill, transaction, reimb"),
            ("start", {"lists": ["bill"], "start": Position("cashback")}, "not among the types"),
            ("start", {"start": Position("bill", uuid.uuid4())}, "no longer read"),
        ],
    )
    def test_what_makes_no_sense(
        self, customer: Customer, about: str, changes: dict[str, Any], words: str
    ) -> None:
        with pytest.raises(BadOrder, match=words) as refused:
            bring(customer, **changes)

        assert refused.value.about == about
        assert not SyncItem.objects.exists()

    def test_a_type_that_is_not_switched_on(self, customer: Customer) -> None:
        customer.connection.object_types = ["transaction"]

        with pytest.raises(BadOrder, match="bill is not switched on for Harbor"):
            bring(customer, lists=["bill"])

    def test_a_customer_that_is_closed(self, customer: Customer) -> None:
        customer.connection.stage = "closed"

        with pytest.raises(BadOrder, match="is closed"):
            bring(customer)


class TestCommand:
    @pytest.fixture(autouse=True)
    def _ramp(self, customer: Customer, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr("connections.clients.ramp_client", lambda *_: customer.ramp)

    def run(self, customer: Customer, *arguments: str) -> str:
        out = StringIO()
        slug = customer.connection.slug
        call_command(
            "backfill", slug, "--from", "2026-03-01", "--to", "2026-03-31", *arguments, stdout=out
        )
        return out.getvalue()

    def test_counts_in_a_table(self, customer: Customer) -> None:
        bought(customer, MARCH, 1000)

        said = self.run(customer, "--dry-run", "--types", "transaction,bill")

        assert "counted only, nothing is stored" in said
        (row,) = [line for line in said.splitlines() if line.startswith("Card transaction   ")]
        assert row.split()[2:] == ["1", "0", "1", "0", "10.00", "USD"]
        assert "Ramp was asked with 2 calls. To bring it takes as many." in said
        assert "Bill: by the day it was entered in Ramp; not by a day of change" in said
        assert not SyncItem.objects.exists()

    def test_says_how_to_go_on_and_the_words_do(
        self, customer: Customer, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(backfill, "PAGE_SIZE", 2)
        for _ in range(5):
            bought(customer, MARCH)

        said = json.loads(self.run(customer, "--types", "transaction", "--budget", "2", "--json"))
        assert (said["complete"], SyncItem.objects.count()) == (False, 4)
        words = said["go_on"].split()
        assert words[:3] == ["manage.py", "backfill", customer.connection.slug]
        out = StringIO()
        call_command(*words[1:], stdout=out)

        assert SyncItem.objects.count() == 5
        assert "There is more" not in out.getvalue()

    def test_fails_if_ramp_cannot_be_read(self, customer: Customer) -> None:
        customer.fault("answer", "GET /transactions", status=502)

        with pytest.raises(SystemExit) as ended:
            self.run(customer, "--types", "transaction")

        assert ended.value.code == 1

    @pytest.mark.parametrize(
        ("arguments", "words"),
        [
            (("--from", "2026-02-30"), "--from: 2026-02-30 is not a day. Write it as 2026-01-31."),
            (("--to", "20260331"), "--to: 20260331 is not a day."),
            (("--budget", "few"), "--budget: few is not a number of calls."),
            (("--types", "invoice"), "--types: There is no type 'invoice'."),
            (("--start", "there"), "--start: there is no place to start from."),
        ],
    )
    def test_names_the_option_that_is_wrong(
        self, customer: Customer, arguments: tuple[str, ...], words: str
    ) -> None:
        with pytest.raises(CommandError) as refused:
            self.run(customer, *arguments)

        assert words in str(refused.value)

    def test_names_the_customers_there_are(self, customer: Customer) -> None:
        with pytest.raises(CommandError, match=customer.connection.slug):
            call_command("backfill", "nobody", "--from", "2026-03-01", "--to", "2026-03-31")
