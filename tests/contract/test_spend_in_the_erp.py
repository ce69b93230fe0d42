"""Documents made of Ramp's objects, as they stand in the ledger of a real Tryton and in memory."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from dataclasses import replace
from decimal import Decimal
from fractions import Fraction
from typing import Any

import pytest

from connections.erp.adapters.in_memory import InMemoryErp
from connections.erp.adapters.in_memory_books import Books
from connections.erp.adapters.tryton.adapter import TrytonErp
from connections.erp.errors import Code, ErpError, Outcome
from connections.erp.port import ErpAdapter
from connections.erp.records import (
    DocKind,
    Document,
    Idempotency,
    Master,
    MasterKind,
    Posted,
    State,
)
from connections.mapping_sets import mapping_set
from connections.mappings import EntityTarget, MappingSet, Profile, Target, TaxPart, TaxTarget
from connections.mirror.reading import read_erp
from connections.ramp.spend import Bill
from rampbridge.lib.money import MINOR_UNITS, Money
from syncing.ledger_comparison import Reported, difference
from syncing.posting import document_for, settlement_for
from syncing.posting.card_payments import PaidBill
from tests import spend
from tests.connections.world import new_connection
from tests.contract.erp_sides import LedgerSide, Papers, Side, TrytonSide, tax_called
from tests.plugins.tryton import TrytonServer
from tests.syncing.world import transaction_body

ACCOUNTS = ("6100", "6200", "6300", "6400")
CURRENCY = {"bridge": "USD", "lookup": "USD", "yen": "JPY", "euro": "EUR"}
in_dollars = pytest.mark.parametrize("desk", ["bridge", "lookup"], indirect=True)
"""Where another currency shows nothing that other tests do not show."""
with_and_without_cents = pytest.mark.parametrize("desk", ["bridge", "lookup", "yen"], indirect=True)
"""Where euros are like dollars: their taxes differ, their decimals do not."""
TAXES = {"USD": "Sales tax Denver", "EUR": "TVA 5,5 %", "JPY": "Consumption tax 8 %"}
PAID = ("paid", Decimal(0))
Taxes = Mapping[str, TaxTarget]
Booked = list[tuple[str, str, Decimal]]
"""Account code, party, and the amount: debit above zero, credit below."""


class Desk:
    """One customer: what Ramp sends is mapped and booked."""

    def __init__(self, side: Side, currency: str, *, cashback: str) -> None:
        self.side = side
        self.currency = currency
        self.cashback = cashback
        self.taxes: Taxes = {}
        self.vendor = Papers(side).vendor()
        department = next(iter(side.adapter.changes(MasterKind.DIMENSION_VALUE, None))).items[0]
        self.dimension, self.option = department.parent, department.id
        self.mappings = MappingSet(
            accounts={code: Target(side.account(code), code) for code in ACCOUNTS},
            vendors={"acme": Target(self.vendor, "Acme Hosting")},
            options={(self.dimension, "eng"): Target(self.option, "Engineering")},
            fields={self.dimension: "Department"},
            entities={str(spend.ENTITY): EntityTarget("Own", "", True, currency)},
            profiles={
                "": Profile(
                    card_liability_account=side.account("2150"),
                    bank_account=side.account(side.bank),
                    reimbursement_account=side.account(side.bank),
                    cashback_account=side.account(cashback),
                )
            },
        )

    @property
    def erp(self) -> ErpAdapter:
        return self.side.adapter

    def money(self, minor: int) -> Decimal:
        """Minor units of the company's currency as the ledger writes them."""
        return Decimal(minor).scaleb(-MINOR_UNITS[self.currency])

    def document(self, object_type: str, body: dict[str, Any], **context: Any) -> Document:
        made = document_for(
            object_type, json.dumps(body), mappings=self.mappings, tenant="desk", **context
        )
        return replace(made, posting_date=self.side.today)

    def settlement(self, *bills: dict[str, Any]) -> Document:
        """What a card transaction becomes that pays these bills, whatever it is coded to."""
        minor = sum(bill["amount"]["amount"] for bill in bills)
        amount = float(self.money(minor))
        unit = 10 ** MINOR_UNITS[self.currency]
        bought = transaction_body(
            amount=amount,
            currency_code=self.currency,
            minor_unit_conversion_rate=unit,
            entity_id=str(spend.ENTITY),
            line_items=[spend.line(minor, self.currency, spend.account("6400"))],
        )
        made = settlement_for(
            json.dumps(bought),
            [PaidBill(Bill.read(bill)) for bill in bills],
            other_cards=(),
            mappings=self.mappings,
            tenant="desk",
        )
        return replace(made, posting_date=self.side.today)

    def post_settlement(self, *bills: dict[str, Any]) -> Posted:
        doc = self.settlement(*bills)
        assert self.erp.check(doc) == []
        return self.erp.post(doc)

    def taxed(self, minor: int, currency: str, taxes: Taxes, tax: TaxTarget) -> Document:
        """What a card transaction of one line becomes that is coded with a tax."""
        coded = spend.selection("TAX_CODE", tax.erp_id, field="Tax code")
        body = transaction_body(
            entity_id=str(spend.ENTITY),
            currency_code=currency,
            entity_amount={"value": minor, "currency": currency},
            line_items=[spend.line(minor, currency, spend.account("6200"), coded)],
        )
        mappings = replace(self.mappings, tax_codes=taxes)
        made = document_for("transaction", json.dumps(body), mappings=mappings, tenant="desk")
        return replace(made, posting_date=self.side.today)

    def post(self, object_type: str, body: dict[str, Any], **context: Any) -> Posted:
        return self.book(self.document(object_type, body, **context))

    def book(self, doc: Document) -> Posted:
        assert self.erp.check(doc) == []
        posted = self.erp.post(doc)
        assert posted.state is State.POSTED
        return posted


@pytest.fixture(scope="module", params=list(CURRENCY))
def desk(request: pytest.FixtureRequest, tryton_server: TrytonServer) -> Iterator[Desk]:
    """A customer on Tryton: in dollars, without our add-on, in euros, in yen."""
    side = TrytonSide(tryton_server, request.param)
    income = [["type.revenue", "=", True], ["code", "like", "4.%"], ["childs", "=", None]]
    cashback = side.admin.read("account.account", income, ["code"])[0]["code"]
    yield Desk(side, CURRENCY[request.param], cashback=cashback)
    side.close()


@pytest.fixture(params=["USD", "EUR", "JPY"])
def memory(request: pytest.FixtureRequest) -> Desk:
    """A customer on the ERP in memory."""
    side = LedgerSide(Idempotency.UNIQUE_KEY)
    return Desk(side, request.param, cashback="6500")


def every_kind(desk: Desk) -> list[tuple[str, spend.Body]]:
    """One real-shaped object of each type, those first that others lean on."""
    currency = desk.currency
    owed = spend.bill(11000, currency)
    return [
        ("bill", owed),
        ("bill_payment", spend.paid(owed)),
        ("vendor_credit", spend.vendor_credit(3000, currency)),
        ("reimbursement", spend.reimbursement(9000, currency)),
        ("reimbursement", spend.reimbursement(9000, currency, direction="USER_TO_BUSINESS")),
        ("transfer", spend.transfer(500000, currency)),
        ("cashback", spend.cashback(1234, currency)),
    ]


def booked(desk: Desk, posted: Posted) -> Booked:
    """The lines of a document's move in Tryton, in the company's currency."""
    assert isinstance(desk.side, TrytonSide)
    move = int(posted.erp_id)
    if posted.ref.kind in (DocKind.BILL, DocKind.VENDOR_CREDIT):
        (row,) = desk.side.admin.read("account.invoice", [["id", "=", move]], ["move"])
        move = row["move"]
    rows = desk.side.admin.read(
        "account.move.line", [["move", "=", move]], ["account.code", "party", "debit", "credit"]
    )
    return sorted(
        (row["account."]["code"], str(row["party"] or ""), row["debit"] - row["credit"])
        for row in rows
    )


def as_the_erp_tells_them(desk: Desk) -> tuple[Taxes, TaxTarget]:
    """The ERP's taxes, read into our tables and loaded from there, and one that is of interest.

    Read once for each desk: a whole chart takes a second."""
    if not desk.taxes:
        customer = new_connection()
        read_erp(customer, desk.erp, full=True)
        desk.taxes = mapping_set(customer).tax_codes
    return desk.taxes, desk.taxes[tax_called(desk.erp, TAXES[desk.currency]).id]


def tax_report(desk: Desk, tax: TaxTarget) -> list[list[Decimal]]:
    """What Tryton's tax report is made of, for each part: base and tax of bills, and of credits."""
    assert isinstance(desk.side, TrytonSide)
    names = [f"{kind}_{what}_amount" for kind in ("invoice", "credit") for what in ("base", "tax")]
    periods = [row["id"] for row in desk.side.admin.read("account.period", [], [])]
    rows = desk.side.admin.read(
        "account.tax",
        [["id", "in", [int(part.erp_id) for part in tax.parts]]],
        names,
        context={"periods": periods},
    )
    by_id = {str(row["id"]): row for row in rows}
    return [[by_id[part.erp_id][name] for name in names] for part in tax.parts]


def as_reported(desk: Desk, posted: Posted, minor: int) -> str:
    """How the nightly comparison finds a document to differ from what Ramp was told."""
    ref = posted.ref.full
    item = Reported(1, ref, posted.number, Money.from_minor(minor, desk.currency))
    adapter = desk.side.adapter
    assert isinstance(adapter, InMemoryErp | TrytonErp)
    (entry,) = adapter.entries_under([ref])
    assert entry.debit == entry.credit
    return difference(item, [entry], erp_name="the ERP")


def with_tax(desk: Desk) -> tuple[Books, TaxTarget]:
    """The books in memory, which know a tax of 10 % from now on."""
    assert isinstance(desk.side, LedgerSide)
    books = desk.side.adapter.books
    books.put(Master(MasterKind.ACCOUNT, "1500", "Input tax", code="1500", classification="ASSET"))
    books.put(Master(MasterKind.TAX_CODE, "t", "Tax", extra={"rate": "0.1", "account": "1500"}))
    return books, TaxTarget("t", "Tax", (TaxPart("t", "Tax", Decimal("0.1"), "1500"),))


def open_amount(desk: Desk, posted: Posted) -> tuple[str, Decimal]:
    """Whether a bill is paid in Tryton, and what is left to pay in its own currency."""
    assert isinstance(desk.side, TrytonSide)
    domain = [["id", "=", int(posted.erp_id)]]
    (row,) = desk.side.admin.read("account.invoice", domain, ["state", "amount_to_pay"])
    return row["state"], row["amount_to_pay"]


def balance(lines: Booked, account: str) -> Decimal:
    return sum((amount for code, _, amount in lines if code == account), Decimal(0))


def let_cards_pay(desk: Desk) -> None:
    """Without our add-on, Tryton pays from the accounts that it has a payment method for."""
    assert isinstance(desk.side, TrytonSide)
    card = int(desk.side.account("2150"))
    method = "account.invoice.payment.method"
    if desk.side.admin.read(method, [["credit_account", "=", card]], []):
        return
    (known,) = desk.side.admin.read(method, [], ["company", "journal"])[:1]
    desk.side.admin.call(
        f"model.{method}.create",
        [{"name": "Ramp card", "company": known["company"], "journal": known["journal"],
          "credit_account": card, "debit_account": card}],
    )  # fmt: skip


class TestInMemory:
    def test_every_kind_is_booked_with_its_amount(self, memory: Desk) -> None:
        totals = [memory.post(kind, body).total for kind, body in every_kind(memory)]

        assert totals == [
            memory.money(minor) for minor in (11000, 11000, 3000, 9000, 9000, 500000, 1234)
        ]

    def test_a_card_that_pays_a_bill_settles_it(self, memory: Desk) -> None:
        """F-07: the books refuse to have it paid once more."""
        body = spend.bill(11000, memory.currency)
        memory.post("bill", body)

        payment = memory.post_settlement(body)

        assert payment.total == memory.money(11000)
        (refused,) = memory.erp.check(memory.document("bill_payment", spend.paid(body)))
        assert refused.code is Code.OVERPAYMENT

    @pytest.mark.parametrize("sign", [1, -1], ids=["purchase", "refund"])
    def test_a_taxed_card_transaction_reclaims_its_tax(self, memory: Desk, sign: int) -> None:
        """R-48."""
        books, tax = with_tax(memory)

        posted = memory.book(memory.taxed(sign * 11000, memory.currency, {tax.erp_id: tax}, tax))

        assert posted.total == memory.money(11000)
        assert as_reported(memory, posted, sign * 11000) == ""
        assert books.balance("6200") == sign * memory.money(10000)
        assert books.balance("1500") == sign * memory.money(1000)
        assert books.balance("2150") == -sign * memory.money(11000)
        assert books.tax_report("t") == (sign * memory.money(10000), sign * memory.money(1000))

    def test_a_tax_that_was_closed_meanwhile_is_refused(self, memory: Desk) -> None:
        books, tax = with_tax(memory)
        doc = memory.taxed(11000, memory.currency, {tax.erp_id: tax}, tax)
        books.deactivate(MasterKind.TAX_CODE, "t")

        with pytest.raises(ErpError) as refused:
            memory.erp.post(doc)

        assert refused.value.code is Code.TAX_CODE_INVALID
        assert refused.value.subject == (MasterKind.TAX_CODE, "t")

    def test_the_accounts_of_the_profile_end_up_with_what_moved(self, memory: Desk) -> None:
        for kind, body in every_kind(memory):
            memory.post(kind, body)

        side = memory.side
        assert isinstance(side, LedgerSide)
        balance = side.adapter.books.balance
        assert balance("2150") == memory.money(500000 + 1234)
        assert balance("6500") == -memory.money(1234)
        assert balance(side.bank) == -memory.money(500000)


class TestInTryton:
    def test_every_kind_is_booked_on_the_right_accounts(self, desk: Desk) -> None:
        found = [booked(desk, desk.post(kind, body)) for kind, body in every_kind(desk)]

        money, payable = desk.money, desk.side.payable
        assert found == [
            sorted([("6200", "", money(11000)), (payable, desk.vendor, -money(11000))]),
            sorted([(payable, desk.vendor, money(11000)), ("1010", "", -money(11000))]),
            sorted([("6200", "", -money(3000)), (payable, desk.vendor, money(3000))]),
            sorted([("6300", "", money(9000)), ("1010", "", -money(9000))]),
            sorted([("6300", "", -money(9000)), ("1010", "", money(9000))]),
            sorted([("2150", "", money(500000)), ("1010", "", -money(500000))]),
            sorted([("2150", "", money(1234)), (desk.cashback, "", -money(1234))]),
        ]

    @in_dollars
    def test_two_bills_under_one_payment_are_paid_with_their_own_amounts(self, desk: Desk) -> None:
        """Gotcha 9: the payment says 250, and that is both together."""
        whole = spend.payment(25000, desk.currency)
        bodies = [spend.bill(minor, desk.currency) for minor in (10000, 15000)]
        bills = [desk.post("bill", body) for body in bodies]

        payments = [desk.post("bill_payment", spend.paid(body, whole)) for body in bodies]

        assert [one.total for one in payments] == [desk.money(10000), desk.money(15000)]
        assert [open_amount(desk, one) for one in bills] == [PAID, PAID]

    @in_dollars
    def test_an_invoice_number_that_comes_every_month_is_booked_under_its_own(
        self, desk: Desk
    ) -> None:
        """Gotcha 10: Tryton itself warns of a second bill with the vendor's number."""
        first, second = (
            spend.bill(minor, desk.currency, invoice_number=f"ACC-{desk.vendor}")
            for minor in (5000, 6000)
        )
        desk.post("bill", first)

        with pytest.raises(ErpError) as refused:
            desk.erp.post(desk.document("bill", second))
        posted = desk.post("bill", second, number_is_taken=True)

        assert refused.value.code is Code.DUPLICATE_NUMBER
        assert posted.total == desk.money(6000)

    @in_dollars
    def test_a_bill_of_many_lines_is_booked_line_by_line(self, desk: Desk) -> None:
        """Expense lines, a discount, an inventory line, and a department."""
        coded = spend.selection("OTHER", "eng", field=desk.dimension)
        currency = desk.currency
        body = spend.bill(
            10001,
            currency,
            line_items=[
                spend.line(8000, currency, spend.account("6200"), coded),
                spend.line(-500, currency, spend.account("6200"), memo="Discount"),
            ],
            inventory_line_items=[
                spend.line(2501, currency, spend.account("6400"))
                | {"quantity": 2.5, "unit_price": spend.amount(1000, currency)}
            ],
        )

        posted = desk.post("bill", body)

        assert booked(desk, posted) == sorted(
            [
                ("6200", "", desk.money(8000)),
                ("6200", "", -desk.money(500)),
                ("6400", "", desk.money(2501)),
                (desk.side.payable, desk.vendor, -desk.money(10001)),
            ]
        )

    @with_and_without_cents
    def test_a_bill_in_another_currency_is_paid_to_the_cent(self, desk: Desk) -> None:
        other, minor = ("JPY", 10007) if desk.currency != "JPY" else ("USD", 10007)
        body = spend.bill(minor, other, fx_conversion_rate="0.0063124")
        bill = desk.post("bill", body)

        payment = desk.post("bill_payment", spend.paid(body))

        assert open_amount(desk, bill) == PAID
        assert sum(amount for _, _, amount in booked(desk, payment)) == 0

    @in_dollars
    def test_without_an_account_for_currency_gains_it_says_so(self, desk: Desk) -> None:
        if desk.erp.capabilities().idempotency is Idempotency.LOOKUP:
            pytest.skip("Tryton's own wizard pays at Tryton's rate")
        assert isinstance(desk.side, TrytonSide)
        configure = "model.account.configuration.write"
        names = [f"currency_exchange_{side}_account" for side in ("credit", "debit")]
        (kept,) = desk.side.admin.read("account.configuration", [], names)
        other = "JPY" if desk.currency != "JPY" else "USD"
        body = spend.bill(10007, other, fx_conversion_rate="0.0063124")
        desk.post("bill", body)

        desk.side.admin.call(configure, [kept["id"]], dict.fromkeys(names))
        try:
            with pytest.raises(ErpError) as refused:
                desk.erp.post(desk.document("bill_payment", spend.paid(body)))
        finally:
            desk.side.admin.call(configure, [kept["id"]], {name: kept[name] for name in names})

        assert "currency gains and losses" in refused.value.title
        assert refused.value.outcome is Outcome.NOT_POSTED
        assert desk.post("bill_payment", spend.paid(body)).state is State.POSTED

    @with_and_without_cents
    def test_a_card_that_pays_a_bill_settles_it_and_the_expense_stands_once(
        self, desk: Desk
    ) -> None:
        """F-07."""
        let_cards_pay(desk)
        body = spend.bill(11000, desk.currency)
        bill = desk.post("bill", body)

        payment = desk.post_settlement(body)

        moved = booked(desk, bill) + booked(desk, payment)
        assert balance(moved, "6200") == desk.money(11000)
        assert balance(moved, desk.side.payable) == 0
        assert balance(moved, "2150") == -desk.money(11000)
        assert open_amount(desk, bill) == PAID
        assert payment.ref.kind is DocKind.JOURNAL
        again = desk.erp.find(payment.ref)
        assert again is not None
        assert again.erp_id == payment.erp_id
        earned = desk.erp.find(desk.post("cashback", spend.cashback(1234, desk.currency)).ref)
        assert earned is not None
        # Our add-on compares the whole document itself.
        tells = desk.erp.capabilities().idempotency is Idempotency.LOOKUP
        assert again.kind is (DocKind.BILL_PAYMENT if tells else None)
        assert earned.kind is (DocKind.JOURNAL if tells else None)

    @in_dollars
    def test_an_expense_is_not_taken_for_the_settlement_that_its_card_is_by_now(
        self, desk: Desk
    ) -> None:
        """Both carry the card's reference, and are over the same amount (I5)."""
        let_cards_pay(desk)
        body = spend.bill(11000, desk.currency)
        desk.post("bill", body)
        settles = desk.settlement(body)
        other = desk.document("cashback", spend.cashback(11000, desk.currency))
        desk.book(replace(other, ref=settles.ref))

        with pytest.raises(ErpError) as refused:
            desk.erp.post(settles)

        assert refused.value.code is Code.REF_REUSED

    @with_and_without_cents
    def test_a_card_may_settle_several_bills_of_a_vendor(self, desk: Desk) -> None:
        if desk.erp.capabilities().idempotency is Idempotency.LOOKUP:
            pytest.skip("Tryton's own wizard pays one bill at a time")
        bodies = [spend.bill(minor, desk.currency) for minor in (4000, 7000)]
        bills = [desk.post("bill", body) for body in bodies]

        payment = desk.post_settlement(*bodies)

        assert payment.total == desk.money(11000)
        assert [open_amount(desk, one) for one in bills] == [PAID, PAID]

    @in_dollars
    def test_a_bill_less_a_credit_leaves_the_bank_with_the_rest(self, desk: Desk) -> None:
        body = spend.bill(10000, desk.currency)
        bill = desk.post("bill", body)
        credit = {"id": "c-1", "amount": spend.amount(3000, desk.currency)}
        rest = spend.payment(7000, desk.currency)

        payment = desk.post("bill_payment", spend.paid(body, rest, applied_vendor_credits=[credit]))

        assert payment.total == desk.money(7000)
        assert open_amount(desk, bill) == ("posted", desk.money(3000))

    @in_dollars
    def test_a_bill_that_another_system_posted_is_paid_by_its_id(self, desk: Desk) -> None:
        theirs = desk.erp.post(
            Papers(desk.side).bill("40", vendor=desk.vendor, currency=desk.currency)
        )
        minor = 40 * 10 ** MINOR_UNITS[desk.currency]
        body = spend.bill(minor, desk.currency, sync_status="BILL_SYNCED", remote_id=theirs.erp_id)

        desk.post("bill_payment", spend.paid(body), bill_is_ours=False)

        assert open_amount(desk, theirs) == PAID

    @in_dollars
    def test_bills_may_be_owed_on_an_account_of_the_profile(self, desk: Desk) -> None:
        profile = replace(desk.mappings.profiles[""], payables_account=desk.side.account("2.1.4"))
        other = replace(desk.mappings, profiles={"": profile})
        body = spend.bill(5000, desk.currency)
        docs = [
            replace(
                document_for(kind, json.dumps(spend.paid(body)), mappings=other, tenant="desk"),
                posting_date=desk.side.today,
            )
            for kind in ("bill", "bill_payment")
        ]

        bill, payment = (desk.erp.post(doc) for doc in docs)

        assert ("2.1.4", desk.vendor, -desk.money(5000)) in booked(desk, bill)
        assert ("2.1.4", desk.vendor, desk.money(5000)) in booked(desk, payment)
        assert open_amount(desk, bill) == PAID

    @with_and_without_cents
    def test_a_taxed_bill_comes_to_what_the_vendor_asks_for(self, desk: Desk) -> None:
        tax = tax_called(desk.erp, "Tax 10%")
        taxed = spend.selection("TAX_CODE", tax.id, field="Tax Code")
        codes = {tax.id: TaxTarget(tax.id, tax.name, (TaxPart(tax.id, tax.name, Decimal("0.10")),))}
        lines = [
            spend.line(minor, desk.currency, spend.account("6200"), taxed)
            for minor in (3333, 3333, 3335)
        ]
        body = spend.bill(10001, desk.currency, line_items=lines)
        doc = document_for(
            "bill",
            json.dumps(body),
            mappings=replace(desk.mappings, tax_codes=codes),
            tenant="desk",
        )

        posted = desk.erp.post(replace(doc, posting_date=desk.side.today))

        assert posted.total == desk.money(10001)
        assert (desk.side.payable, desk.vendor, -desk.money(10001)) in booked(desk, posted)

    @pytest.mark.django_db
    @pytest.mark.parametrize(
        ("kind", "sign"), [("bill", 1), ("vendor_credit", -1)], ids=["bill", "credit"]
    )
    def test_taxes_as_the_erp_tells_them_come_out_to_the_cent(
        self, desk: Desk, kind: str, sign: int
    ) -> None:
        """Read into our tables and loaded from there; one of them is two taxes at once."""
        taxes, tax = as_the_erp_tells_them(desk)
        charged = [round(Fraction(rate) * 9287) for rate in tax.rates]
        taxed = spend.selection("TAX_CODE", tax.erp_id, field="Tax Code")
        lines = [
            spend.line(minor, desk.currency, spend.account("6200"), taxed)
            for minor in (3333, 4444, 9287 + sum(charged) - 7777)
        ]
        total = 9287 + sum(charged)
        body = (
            spend.bill(total, desk.currency, line_items=lines)
            if kind == "bill"
            else spend.vendor_credit(total, desk.currency, expense_line_items=lines)
        )
        mappings = replace(desk.mappings, tax_codes=taxes)
        doc = document_for(kind, json.dumps(body), mappings=mappings, tenant="desk")

        posted = desk.erp.post(replace(doc, posting_date=desk.side.today))

        assert posted.total == desk.money(total)
        lines_of_it = booked(desk, posted)
        assert balance(lines_of_it, "6200") == sign * desk.money(9287)
        assert balance(lines_of_it, "6.3.6") == sign * desk.money(sum(charged))
        assert (desk.side.payable, desk.vendor, -sign * desk.money(total)) in lines_of_it

    @pytest.mark.django_db
    @pytest.mark.parametrize("sign", [1, -1], ids=["purchase", "refund"])
    def test_a_taxed_card_transaction_reclaims_its_tax_to_the_cent(
        self, desk: Desk, sign: int
    ) -> None:
        """R-48. Net, tax and card stand apart, and Tryton's own tax report knows base and tax."""
        taxes, tax = as_the_erp_tells_them(desk)
        charged = [round(Fraction(rate) * 9287) for rate in tax.rates]
        before = tax_report(desk, tax)

        posted = desk.book(desk.taxed(sign * (9287 + sum(charged)), desk.currency, taxes, tax))

        moved = booked(desk, posted)
        assert posted.total == desk.money(9287 + sum(charged))
        assert balance(moved, "6200") == sign * desk.money(9287)
        assert balance(moved, "6.3.6") == sign * desk.money(sum(charged))
        assert balance(moved, "2150") == -sign * desk.money(9287 + sum(charged))
        assert as_reported(desk, posted, sign * (9287 + sum(charged))) == ""
        after = tax_report(desk, tax)
        column = 0 if sign > 0 else 2  # of bills, or of credits
        for was, now, part in zip(before, after, charged, strict=True):
            grown = [new - old for old, new in zip(was, now, strict=True)]
            assert grown.pop(column) == sign * desk.money(9287)
            assert grown.pop(column) == sign * desk.money(part)
            assert grown == [0, 0]

    @with_and_without_cents
    @pytest.mark.django_db
    def test_tax_in_another_currency_is_told_in_the_companys(self, desk: Desk) -> None:
        taxes, tax = as_the_erp_tells_them(desk)
        other = "JPY" if desk.currency != "JPY" else "USD"
        before = tax_report(desk, tax)

        moved = booked(desk, desk.book(desk.taxed(123457, other, taxes, tax)))

        after = tax_report(desk, tax)
        grown = [
            [new - old for old, new in zip(was, now, strict=True)]
            for was, now in zip(before, after, strict=True)
        ]
        assert [base for base, *_ in grown] == [balance(moved, "6200")] * len(tax.parts)
        assert sum(amount for _, amount, *_ in grown) == balance(moved, "6.3.6")

    @in_dollars
    @pytest.mark.django_db
    def test_what_is_taken_back_takes_its_tax_back(self, desk: Desk) -> None:
        taxes, tax = as_the_erp_tells_them(desk)
        before = tax_report(desk, tax)
        posted = desk.book(desk.taxed(11000, desk.currency, taxes, tax))

        desk.erp.void(posted.ref, desk.side.today, "Entered twice")

        after = tax_report(desk, tax)
        for was, now in zip(before, after, strict=True):
            assert sum(now) == sum(was), "what bills and credits report cancels out"

    @in_dollars
    @pytest.mark.django_db
    def test_a_tax_that_was_closed_meanwhile_is_named(self, desk: Desk) -> None:
        """Tryton would book it: to it, these are lines of a journal entry like any other."""
        assert isinstance(desk.side, TrytonSide)
        taxes, tax = as_the_erp_tells_them(desk)
        doc = desk.taxed(11000, desk.currency, taxes, tax)
        part = tax.parts[-1].erp_id
        write = "model.account.tax.write"

        desk.side.admin.call(write, [int(part)], {"active": False})
        try:
            (problem,) = desk.erp.check(doc)
        finally:
            desk.side.admin.call(write, [int(part)], {"active": True})

        assert problem.code is Code.TAX_CODE_INVALID
        assert problem.subject == (MasterKind.TAX_CODE, part)

    def test_nothing_of_it_leaves_the_ledger_out_of_balance(self, desk: Desk) -> None:
        assert isinstance(desk.side, TrytonSide)
        assert desk.side.ledger_sum() == 0
