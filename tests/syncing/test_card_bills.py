"""A card transaction that pays a bill settles it, and the expense stands once (F-07)."""

import json
import uuid
from collections.abc import Iterator
from dataclasses import replace
from decimal import Decimal
from typing import Any

import pytest

from connections.erp.records import DocKind, Document, Master, MasterKind
from connections.mappings import EntityTarget, Profile, Target
from syncing import card_bills, planning, releases
from syncing.claims import Claimed
from syncing.engine import post_due_items
from syncing.models import CardPayment, ItemEvent, ItemPayload, SyncItem
from syncing.recheck import release_unblocked
from tests import spend
from tests.syncing.posting_world import CARD, MAPPINGS
from tests.syncing.ramp import Customer
from tests.syncing.test_billing import fresh, lines, store, world
from tests.syncing.test_reconciliation import reconcile
from tests.syncing.world import World, let_time_pass, transaction_body

pytestmark = pytest.mark.django_db


def by_card(body: spend.Body, *, minor: int = 11000) -> spend.Body:
    return spend.paid(body, spend.payment(minor, method="ONE_TIME_CARD"))


def card(cents: int = 11000, **changes: Any) -> dict[str, Any]:
    return transaction_body(cents, **{"entity_id": str(spend.ENTITY)} | changes)


def link(ours: World, bought: dict[str, Any], *bills: spend.Body) -> None:
    for bill in bills:
        CardPayment.objects.create(
            connection=ours.connection,
            transaction_ramp_id=bought["id"],
            bill_ramp_id=bill["id"],
        )


def keep(ours: World, bought: dict[str, Any], cents: int = 11000, **changes: Any) -> SyncItem:
    return store(ours, "transaction", bought, **{"amount_minor": cents} | changes)


def post_all(ours: World) -> None:
    while post_due_items(ours.worker):
        pass


def balances(ours: World) -> dict[str, Decimal]:
    """What each side of the books comes to: bills and payments state one side each."""
    made = {"expense": Decimal(0), "payable": Decimal(0), "card": Decimal(0)}
    for entry in ours.erp.books.entries:
        doc = entry.doc
        match doc.kind:
            case DocKind.BILL:
                made["expense"] += doc.gross
                made["payable"] -= doc.gross
            case DocKind.BILL_PAYMENT:
                made["payable"] += doc.gross
                assert doc.bank_account == CARD
                made["card"] -= doc.gross
            case _:
                for line in doc.lines:
                    made["card" if line.account == CARD else "expense"] += line.amount
    return made


SETTLED = {"expense": Decimal(110), "payable": Decimal(0), "card": Decimal(-110)}


class TestSettles:
    def test_the_bill_and_books_the_expense_once(self) -> None:
        ours = world()
        body = by_card(spend.bill())
        store(ours, "bill", body)
        payment = store(ours, "bill_payment", body)
        bought = keep(ours, made := card())
        link(ours, made, body)

        post_all(ours)

        assert {fresh(one).state for one in (payment, bought)} == {"POSTED"}
        assert balances(ours) == SETTLED
        kinds = [entry.doc.kind for entry in ours.erp.books.entries]
        assert kinds == ["bill", "bill_payment"]
        settlement = ours.erp.books.entries[-1].doc
        assert (settlement.party, settlement.ref.kind) == ("v-1", "journal")

    def test_it_waits_for_its_bill_and_follows_it(self) -> None:
        ours = world()
        bought = keep(ours, made := card())
        body = by_card(spend.bill())
        bill = store(ours, "bill", body, due_at=None)
        link(ours, made, body)

        post_all(ours)
        assert (fresh(bought).state, bought.blocked_by) == ("READY", f"bill:{body['id']}")
        assert not ours.erp.books.entries
        releases.hurry(bill.pk, actor="ada")
        post_all(ours)

        assert fresh(bought).state == "POSTED"
        assert [kind for kind, _ in lines(bought)] == ["waiting", "released", "sent", "posted"]
        assert balances(ours) == SETTLED

    def test_whatever_it_is_coded_to(self) -> None:
        ours = world()
        body = by_card(spend.bill())
        store(ours, "bill", body)
        bought = keep(ours, made := card(account=None))
        link(ours, made, body)

        post_all(ours)

        assert fresh(bought).state == "POSTED"
        assert balances(ours) == SETTLED

    def test_one_that_pays_no_bill_is_an_expense_as_ever(self) -> None:
        ours = world()
        bought = keep(ours, card())
        link(ours, card(), spend.bill())

        post_all(ours)

        assert fresh(bought).state == "POSTED"
        assert ours.erp.books.entries[-1].doc.kind == "journal"

    def test_what_is_owed_after_vendor_credits(self) -> None:
        ours = world()
        credit = {"id": "c-1", "amount": spend.amount(3000)}
        body = by_card(spend.bill(applied_vendor_credits=[credit]), minor=8000)
        store(ours, "bill", body)
        bought = keep(ours, made := card(8000), 8000)
        link(ours, made, body)

        post_all(ours)

        assert fresh(bought).state == "POSTED"
        assert balances(ours)["payable"] == -30

    def test_several_bills_with_one_transaction(self) -> None:
        ours = world()
        bodies = [by_card(spend.bill(minor)) for minor in (4000, 7000)]
        for body in bodies:
            store(ours, "bill", body)
        bought = keep(ours, made := card())
        link(ours, made, *bodies)

        post_all(ours)

        assert fresh(bought).state == "POSTED"
        assert balances(ours) == SETTLED

    def test_one_bill_with_several_transactions(self) -> None:
        ours = world()
        body = by_card(spend.bill())
        store(ours, "bill", body)
        parts = [(keep(ours, made := card(cents), cents), made) for cents in (4000, 7000)]
        for _, made in parts:
            link(ours, made, body)

        post_all(ours)

        assert [fresh(one).state for one, _ in parts] == ["POSTED", "POSTED"]
        assert balances(ours) == SETTLED

    def test_its_part_of_a_bill_although_the_other_card_is_not_known_yet(self) -> None:
        ours = world()
        body = by_card(spend.bill())
        store(ours, "bill", body)
        bought = keep(ours, made := card(4000), 4000)
        link(ours, made, body)
        link(ours, card(7000), body)

        post_all(ours)

        assert fresh(bought).state == "POSTED"
        assert balances(ours)["payable"] == -70

    def test_a_bill_that_another_system_posted_by_the_id_ramp_has(self) -> None:
        ours = world()
        theirs = store(ours, "bill", spend.bill())
        post_all(ours)
        body = by_card(spend.bill(sync_status="BILL_SYNCED", remote_id=fresh(theirs).erp_id))
        store(ours, "bill_payment", body)
        bought = keep(ours, made := card())
        link(ours, made, body)

        post_all(ours)

        assert fresh(bought).state == "POSTED"
        (line,) = ours.erp.books.entries[-1].doc.lines
        assert line.applies_to_id == theirs.erp_id

    def test_it_carries_the_reference_that_it_would_carry_as_an_expense(self) -> None:
        """Of the two, the ERP holds one, whatever our database has forgotten (rule 12)."""
        ours = world()
        body = by_card(spend.bill())
        store(ours, "bill", body)
        bought = keep(ours, made := card(), due_at=None)
        link(ours, made, body)
        post_all(ours)
        as_expense = planning.step_of(ours.worker, _claimed(bought))
        as_settlement = planning.step_of(ours.worker, _claimed(bought, pays_bill=True))

        assert isinstance(as_expense, Document)
        assert isinstance(as_settlement, Document)
        assert as_expense.ref == as_settlement.ref


def _claimed(item: SyncItem, *, pays_bill: bool = False) -> Claimed:
    body = ItemPayload.objects.get(item=item).ramp
    return Claimed(
        item.pk, item.object_type, item.ramp_id, str(spend.ENTITY), json.dumps(body), None, 1, 0,
        pays_bill=pays_bill,
    )  # fmt: skip


class TestHolds:
    @pytest.mark.parametrize(("cents", "difference"), [(12000, "10.00 USD"), (10000, "-10.00 USD")])
    def test_another_amount_with_the_difference_shown(self, cents: int, difference: str) -> None:
        ours = world()
        body = by_card(spend.bill())
        store(ours, "bill", body)
        bought = keep(ours, made := card(cents), cents)
        link(ours, made, body)

        post_all(ours)

        assert (fresh(bought).state, bought.error_category) == ("FAILED", "needs_integrator")
        assert bought.error_title.endswith(f"a difference of {difference}.")
        assert [entry.doc.kind for entry in ours.erp.books.entries] == ["bill"]

    def test_another_currency(self) -> None:
        ours = world()
        body = by_card(spend.bill(11000, "EUR"))
        store(ours, "bill", body)
        bought = keep(ours, made := card())
        link(ours, made, body)

        post_all(ours)

        assert fresh(bought).state == "FAILED"
        assert "110.00 USD of a bill of which 110.00 EUR is owed" in bought.error_title

    def test_cards_that_together_pay_another_amount(self) -> None:
        ours = world()
        body = by_card(spend.bill())
        store(ours, "bill", body)
        cards = [(keep(ours, made := card(cents), cents), made) for cents in (4000, 6000)]
        for _, made in cards:
            link(ours, made, body)

        post_all(ours)

        assert [fresh(one).state for one, _ in cards] == ["FAILED", "FAILED"]
        assert "paid 100.00 USD of a bill of which 110.00 USD is owed" in cards[0][0].error_title

    def test_a_refund(self) -> None:
        ours = world()
        body = by_card(spend.bill())
        store(ours, "bill", body)
        bought = keep(ours, made := card(-11000), -11000)
        link(ours, made, body)

        post_all(ours)

        assert fresh(bought).state == "FAILED"

    def test_a_bill_that_never_came_to_us(self) -> None:
        ours = world()
        bought = keep(ours, made := card())
        link(ours, made, spend.bill())

        post_all(ours)

        assert (fresh(bought).state, bought.error_code) == ("FAILED", "data.pays_unknown_bill")
        assert not ours.erp.books.entries

    def test_bills_of_several_vendors(self) -> None:
        ours = world()
        ours.erp.books.put(Master(MasterKind.VENDOR, "v-2", "Other Ltd"))
        other = spend.bill(7000, accounting_field_selections=[spend.vendor("v-2")])
        bodies = [by_card(spend.bill(4000)), by_card(other)]
        for body in bodies:
            store(ours, "bill", body)
        bought = keep(ours, made := card())
        link(ours, made, *bodies)

        post_all(ours)

        assert (fresh(bought).state, bought.error_code) == ("FAILED", "data.card_pays_several")

    def test_a_bill_of_another_entity(self) -> None:
        ours = world()
        other = str(uuid.uuid4())
        entities = {**MAPPINGS.entities, other: EntityTarget("Other", "", True, "USD")}
        ours.mappings = replace(MAPPINGS, entities=entities)
        body = by_card(spend.bill())
        store(ours, "bill", body)
        bought = keep(ours, made := card(entity_id=other))
        link(ours, made, body)

        post_all(ours)

        assert fresh(bought).error_code == "data.card_pays_several"

    def test_a_missing_mapping_is_looked_at_as_what_it_will_be(self) -> None:
        """Looked at as an expense it would be released, and refused, for ever."""
        ours = world()
        body = by_card(spend.bill())
        store(ours, "bill", body)
        post_all(ours)
        ours.mappings = replace(MAPPINGS, vendors={}, vendor_codes={}, vendor_names={})
        bought = keep(ours, made := card())
        link(ours, made, body)
        post_all(ours)
        assert fresh(bought).state == "FAILED"
        assert bought.blocked_by

        let_time_pass(60)
        assert release_unblocked(ours.worker) == 0
        ours.mappings = MAPPINGS
        let_time_pass(60)
        assert release_unblocked(ours.worker) == 1
        post_all(ours)

        assert balances(ours) == SETTLED

    def test_until_the_bill_is_known_that_the_rest_of_it_pays(self) -> None:
        """Of two bills paid together, one may be listed a page later."""
        ours = world()
        bodies = [by_card(spend.bill(minor)) for minor in (4000, 7000)]
        for body in bodies:
            store(ours, "bill", body)
        bought = keep(ours, made := card())
        link(ours, made, bodies[0])
        post_all(ours)
        assert fresh(bought).state == "FAILED"

        ids = [(bought.ramp_id, uuid.UUID(body["id"])) for body in bodies]
        card_bills.keep_links(ours.connection.pk, ids[:1])
        assert fresh(bought).state == "FAILED", "nothing new"
        card_bills.keep_links(ours.connection.pk, ids)
        post_all(ours)

        assert fresh(bought).state == "POSTED"
        assert balances(ours) == SETTLED


class TestKnownTooLate:
    """The transaction was posted as an expense before Ramp said that it pays a bill."""

    def posted_as_expense(self, ours: World, state: str = "ACKED") -> tuple[SyncItem, Any]:
        bought = keep(ours, made := card())
        post_all(ours)
        SyncItem.objects.filter(pk=bought.pk).update(state="ACKING")
        SyncItem.objects.filter(pk=bought.pk).update(state=state)
        return bought, made

    def pay(self, ours: World, made: Any) -> tuple[SyncItem, SyncItem]:
        body = by_card(spend.bill())
        bill = store(ours, "bill", body)
        payment = store(ours, "bill_payment", body)
        link(ours, made, body)
        post_all(ours)
        return bill, payment

    def test_the_transaction_needs_a_person_and_says_what_to_rebook(self) -> None:
        ours = world()
        bought, made = self.posted_as_expense(ours)

        bill, _ = self.pay(ours, made)

        assert (fresh(bought).state, bought.error_code) == ("MISMATCH", card_bills.EXPENSE_TWICE)
        assert bought.error_title == (
            f"The expense stands twice: {bought.erp_number} was posted before Ramp said that it"
            f" pays the bill {fresh(bill).erp_number} of Acme Hosting."
        )
        assert "from the expense to what the vendor is owed" in bought.error_fix
        assert lines(bought)[-1][0] == "reconciled"

    def test_the_payment_is_confirmed_and_its_timeline_says_so(self) -> None:
        ours = world()
        bought, made = self.posted_as_expense(ours)

        _, payment = self.pay(ours, made)

        assert fresh(payment).state == "POSTED", "the bill is paid, and Ramp may know it"
        kind, text = lines(payment)[-1]
        assert (kind, text) == (
            "found",
            "The bill was paid by card: the card transaction is the payment. The expense stands"
            f" twice: {fresh(bought).erp_number} was posted before Ramp said that it pays a bill.",
        )

    def test_one_that_was_not_reported_yet_is_found_by_the_comparison(self) -> None:
        ours = world()
        bought, made = self.posted_as_expense(ours, state="POSTED")
        self.pay(ours, made)
        assert fresh(bought).state == "POSTED"
        SyncItem.objects.filter(pk=bought.pk).update(state="ACKING")
        SyncItem.objects.filter(pk=bought.pk).update(state="ACKED")

        assert card_bills.find_twice(ours.connection) == 1

        assert fresh(bought).state == "MISMATCH"

    def test_whoever_has_rebooked_it_is_not_asked_again(self) -> None:
        ours = world()
        bought, made = self.posted_as_expense(ours)
        self.pay(ours, made)
        SyncItem.objects.filter(pk=bought.pk).update(state="ACKED")

        assert card_bills.find_twice(ours.connection) == 0

    def test_neither_settlements_nor_other_customers_are_found(self) -> None:
        ours, theirs = world(), world()
        body = by_card(spend.bill())
        store(ours, "bill", body)
        bought = keep(ours, made := card())
        link(ours, made, body)
        link(theirs, made, body)
        post_all(ours)
        SyncItem.objects.filter(pk=bought.pk).update(state="ACKING")
        SyncItem.objects.filter(pk=bought.pk).update(state="ACKED")

        assert card_bills.find_twice(ours.connection) == 0
        assert card_bills.find_twice(theirs.connection) == 0

    def test_a_bill_that_was_synced_without_us_doubles_it_too(self) -> None:
        ours = world()
        bought, made = self.posted_as_expense(ours)
        body = by_card(spend.bill())
        store(ours, "bill", body, state="EXTERNAL", due_at=None)
        link(ours, made, body)

        assert card_bills.find_twice(ours.connection) == 1

        assert fresh(bought).error_title == (
            f"The expense stands twice: {bought.erp_number} was posted before Ramp said that it"
            " pays a bill of Acme Hosting that was synced outside of us."
        )

    def test_a_bill_that_is_not_in_the_erp_doubles_nothing_yet(self) -> None:
        ours = world()
        _, made = self.posted_as_expense(ours)
        body = by_card(spend.bill())
        store(ours, "bill", body, due_at=None)
        link(ours, made, body)

        assert card_bills.find_twice(ours.connection) == 0


@pytest.fixture
def customer() -> Iterator[Customer]:
    """Whose bills and cards come from the pretend Ramp."""
    made = Customer(types=("transaction", "bill"))
    made.world.erp.books.put(Master(MasterKind.VENDOR, "v-1", "Uline"))
    profile = Profile(card_liability_account=CARD, bank_account="1000")
    made.world.mappings = replace(
        made.world.mappings,
        profiles={"": profile},
        vendor_names={"uline": Target("v-1", "Uline")},
    )
    made.business.upload_chart(
        vendors=[{"id": "v-1", "name": "Uline"}],
    )
    made.world.mappings = replace(made.world.mappings, vendors={"v-1": Target("v-1", "Uline")})
    yield made
    made.sim.close()


def test_from_ramp_and_back_all_of_it_is_synced_and_booked_once(customer: Customer) -> None:
    bill = customer.business.create_bill(minor=11000, account_code="6200")
    customer.business.pay_bill(bill.id, method="ONE_TIME_CARD")
    assert CardPayment.objects.count() == 0

    for _ in range(3):
        customer.pull()
        while customer.post():
            pass
        customer.report_until_quiet()

    assert CardPayment.objects.count() == 1
    states = dict(SyncItem.objects.values_list("object_type", "state"))
    assert states == {"bill": "ACKED", "bill_payment": "ACKED", "transaction": "ACKED"}
    assert balances(customer.world) == SETTLED


def test_a_payment_that_a_failover_forgot_is_heard_of_in_the_night(customer: Customer) -> None:
    """Ramp has it as synced and lists it to nobody; the expense stands twice all the same."""
    bill = customer.business.create_bill(minor=11000, account_code="6200")
    customer.business.pay_bill(bill.id, method="ONE_TIME_CARD")
    take_in(customer, ["transaction"])  # as if Ramp had said late what it pays
    take_in(customer, ["transaction", "bill"])
    bought = SyncItem.objects.get(object_type="transaction")
    CardPayment.objects.all().delete()
    SyncItem.objects.filter(object_type="bill_payment").delete()
    SyncItem.objects.filter(pk=bought.pk).update(state="ACKED")
    ItemEvent.objects.filter(item=bought, kind="reconciled").delete()

    run = reconcile(customer)

    assert run.found["expense_twice"] == 1
    assert (fresh(bought).state, bought.error_code) == ("MISMATCH", card_bills.EXPENSE_TWICE)


def test_no_bill_is_known_without_the_card_that_pays_it(
    customer: Customer, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The bill may be through by the next list: then nobody would ever say what its card pays."""
    bill = customer.business.create_bill(minor=11000, account_code="6200")
    customer.business.pay_bill(bill.id, method="ONE_TIME_CARD")
    with monkeypatch.context() as dying:
        dying.setattr(card_bills, "keep_links", _die)
        with pytest.raises(Dead):
            take_in(customer, ["transaction", "bill"])

    assert not SyncItem.objects.exists()
    let_time_pass(900)
    take_in(customer, ["transaction", "bill"])
    settled = [one.doc.kind for one in customer.world.erp.books.entries]
    assert settled == [DocKind.BILL, DocKind.BILL_PAYMENT]


class Dead(BaseException):
    """Nothing runs on."""


def _die(*_: Any) -> None:
    raise Dead


def take_in(customer: Customer, types: list[str]) -> None:
    """Pull objects of these types, post and report them."""
    customer.connection.object_types = types
    customer.connection.save()
    customer.pull()
    while customer.post():
        pass
    customer.report_until_quiet()
