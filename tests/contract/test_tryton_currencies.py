"""Money in a real Tryton: other currencies, no decimals, taxes and departments."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from decimal import Decimal
from typing import Any

import pytest

from connections.erp.errors import Code, ErpError, Outcome
from connections.erp.records import DocKind, Idempotency, Line, MasterKind, State
from tests.contract.erp_sides import Papers, TrytonSide, tax_called
from tests.plugins.tryton import TrytonServer


@pytest.fixture(scope="module", params=[True, False], ids=["bridge", "lookup"])
def dollars(request: pytest.FixtureRequest, tryton_server: TrytonServer) -> Iterator[TrytonSide]:
    side = TrytonSide(tryton_server, "bridge", use_bridge=request.param)
    yield side
    side.close()


@pytest.fixture(scope="module", params=[True, False], ids=["bridge", "lookup"])
def yen(request: pytest.FixtureRequest, tryton_server: TrytonServer) -> Iterator[TrytonSide]:
    side = TrytonSide(tryton_server, "yen", use_bridge=request.param)
    yield side
    side.close()


def lines_of(side: TrytonSide, move_id: str) -> list[dict[str, Any]]:
    return side.admin.read(
        "account.move.line",
        [["move", "=", int(move_id)]],
        ["debit", "credit", "amount_second_currency", "second_currency.code"],
        order=[["id", "ASC"]],
    )


class TestAnotherCurrency:
    def test_is_booked_at_the_rate_of_the_document(self, dollars: TrytonSide) -> None:
        doc = Papers(dollars).journal("100.00", currency="EUR", exchange_rate=Decimal("1.25"))

        posted = dollars.adapter.post(doc)

        debit, credit = lines_of(dollars, posted.erp_id)
        assert (debit["debit"], credit["credit"]) == (Decimal("125.00"), Decimal("125.00"))
        assert debit["amount_second_currency"] == Decimal("100.00")
        assert credit["amount_second_currency"] == Decimal("-100.00")
        assert debit["second_currency."]["code"] == "EUR"

    def test_is_booked_at_tryton_s_own_rate_without_one(self, dollars: TrytonSide) -> None:
        posted = dollars.adapter.post(Papers(dollars).journal("92.00", currency="EUR"))

        assert lines_of(dollars, posted.erp_id)[0]["debit"] == Decimal("100.00")

    def test_balances_to_the_cent_when_every_line_is_rounded(self, dollars: TrytonSide) -> None:
        papers = Papers(dollars)
        thirds = [Line(dollars.account("6100"), Decimal("0.33")) for _ in range(7)]
        total = Line(dollars.account("2150"), Decimal("-2.31"))
        doc = papers.journal(
            currency="EUR", exchange_rate=Decimal("1.0837"), lines=(*thirds, total)
        )

        posted = dollars.adapter.post(doc)

        lines = lines_of(dollars, posted.erp_id)
        assert sum(line["debit"] - line["credit"] for line in lines) == 0

    def test_that_tryton_does_not_know_is_refused(self, dollars: TrytonSide) -> None:
        doc = Papers(dollars).journal(currency="XTS")

        with pytest.raises(ErpError) as caught:
            dollars.adapter.post(doc)

        assert caught.value.code == Code.EXCHANGE_RATE_MISSING
        assert caught.value.outcome == Outcome.NOT_POSTED
        assert [each.code for each in dollars.adapter.check(doc)] == [Code.EXCHANGE_RATE_MISSING]

    def test_without_a_rate_on_that_day_is_refused(self, dollars: TrytonSide) -> None:
        values = {"name": "No rate", "code": f"N{id(dollars) % 100:02}", "symbol": "N"}
        dollars.admin.call("model.currency.currency.create", [values])
        fresh = TrytonSide(dollars.server, "bridge")
        doc = Papers(fresh).journal(currency=values["code"])

        problems = fresh.adapter.check(doc)

        fresh.close()
        assert [each.code for each in problems] == [Code.EXCHANGE_RATE_MISSING]
        assert str(values["code"]) in problems[0].title

    def test_of_a_bill_is_tryton_s_to_convert(self, dollars: TrytonSide) -> None:
        doc = Papers(dollars).bill("92.00", currency="EUR")

        posted = dollars.adapter.post(doc)

        assert posted.total == Decimal("92.00")

    def test_of_a_bill_can_be_paid(self, dollars: TrytonSide) -> None:
        papers = Papers(dollars)
        bill = papers.bill("92.00", currency="EUR")
        dollars.adapter.post(bill)

        paid = dollars.adapter.post(papers.payment(bill, "92.00", currency="EUR"))

        assert paid.state == State.POSTED
        domain = [["id", "=", int(dollars.adapter.find(bill.ref).erp_id)]]  # type: ignore[union-attr]
        (row,) = dollars.admin.read("account.invoice", domain, ["state", "amount_to_pay"])
        assert (row["state"], row["amount_to_pay"]) == ("paid", 0)

    def test_at_another_rate_than_booked_leaves_a_difference_that_is_explained(
        self, dollars: TrytonSide
    ) -> None:
        papers = Papers(dollars)
        bill = papers.bill("92.00", currency="EUR")
        dollars.adapter.post(bill)
        payment = papers.payment(bill, "92.00", currency="EUR", exchange_rate=Decimal("1.25"))

        dollars.adapter.post(payment)

        entries = dollars.adapter.ledger_entries(f"ramp-{bill.ref.tenant}-")
        differences = [one for one in entries if one.follows == payment.ref.full]
        if dollars.adapter.capabilities().idempotency is Idempotency.LOOKUP:
            assert differences == [], "without our add-on Tryton pays at its own rate"
        else:
            (difference,) = differences
            assert difference.ref == ""
            assert difference.debit == difference.credit > 0


class TestACurrencyWithoutDecimals:
    def test_is_booked_whole(self, yen: TrytonSide) -> None:
        posted = yen.adapter.post(Papers(yen).journal("1234", currency="JPY"))

        assert posted.total == Decimal("1234")

    def test_refuses_decimals(self, yen: TrytonSide) -> None:
        with pytest.raises(ErpError) as caught:
            yen.adapter.post(Papers(yen).journal("12.5", currency="JPY"))

        assert caught.value.code == Code.REJECTED_PAYLOAD

    def test_takes_dollars_and_rounds_to_whole_yen(self, yen: TrytonSide) -> None:
        posted = yen.adapter.post(Papers(yen).journal("10.01", currency="USD"))

        debit, credit = lines_of(yen, posted.erp_id)
        assert (debit["debit"], credit["credit"]) == (Decimal("1501"), Decimal("1501"))
        assert debit["amount_second_currency"] == Decimal("10.01")


class TestPartsOfADocument:
    def test_departments_are_kept(self, dollars: TrytonSide) -> None:
        value = next(iter(dollars.adapter.changes(MasterKind.DIMENSION_VALUE, None))).items[0]
        doc = Papers(dollars).journal("12.00")
        coded = replace(doc.lines[0], dimensions={value.parent: value.id})

        posted = dollars.adapter.post(replace(doc, lines=(coded, doc.lines[1])))

        rows = dollars.admin.read(
            "analytic_account.line",
            [["move_line.move", "=", int(posted.erp_id)]],
            ["account", "debit"],
        )
        assert [(str(row["account"]), row["debit"]) for row in rows] == [(value.id, 12)]

    def test_taxes_of_a_bill_add_up(self, dollars: TrytonSide) -> None:
        tax = tax_called(dollars.adapter, "Tax 10%")
        doc = Papers(dollars).bill("100.00")
        taxed = replace(doc.lines[0], tax_code=tax.id, tax_amount=Decimal("10.00"))

        posted = dollars.adapter.post(replace(doc, lines=(taxed,)))

        assert posted.total == Decimal("110.00")

    def test_a_tax_that_tryton_computes_otherwise_is_refused(self, dollars: TrytonSide) -> None:
        tax = tax_called(dollars.adapter, "Tax 10%")
        doc = Papers(dollars).bill("100.00")
        taxed = replace(doc.lines[0], tax_code=tax.id, tax_amount=Decimal("9.99"))

        with pytest.raises(ErpError) as caught:
            dollars.adapter.post(replace(doc, lines=(taxed,)))

        assert caught.value.code == Code.REJECTED_PAYLOAD
        assert "110.00" in caught.value.title
        assert dollars.adapter.find(doc.ref) is None

    def test_a_payment_may_settle_several_bills(self, dollars: TrytonSide) -> None:
        papers = Papers(dollars)
        vendor = papers.vendor()
        bills = [papers.bill("40.00", vendor=vendor), papers.bill("60.00", vendor=vendor)]
        dollars.adapter.post_many(bills)
        doc = papers.payment(bills[0], "40.00")
        second = Line("", Decimal("60.00"), applies_to=bills[1].ref)

        answers = dollars.adapter.post_many([replace(doc, lines=(*doc.lines, second))])

        if dollars.adapter.capabilities().idempotency == "lookup":
            assert isinstance(answers[0], ErpError)
            assert answers[0].code == Code.REJECTED_PAYLOAD
        else:
            assert not isinstance(answers[0], ErpError)
            assert answers[0].total == Decimal("100.00")
            paid = [["state", "=", "paid"], ["party", "=", int(vendor)]]
            assert len(dollars.admin.read("account.invoice", paid, [])) == 2

    def test_a_bill_that_we_did_not_post_can_be_paid_by_its_id(self, dollars: TrytonSide) -> None:
        papers = Papers(dollars)
        bill = papers.bill("20.00")
        bill_id = dollars.adapter.post(bill).erp_id
        doc = papers.payment(bill, "20.00")
        by_id = replace(doc.lines[0], applies_to=None, applies_to_id=bill_id)

        assert dollars.adapter.post(replace(doc, lines=(by_id,))).state == State.POSTED

    def test_a_bill_that_carries_our_reference_is_paid_whatever_ramp_calls_it(
        self, dollars: TrytonSide
    ) -> None:
        papers = Papers(dollars)
        bill = papers.bill("20.00")
        number = dollars.adapter.post(bill).number
        doc = papers.payment(bill, "20.00")
        named = replace(doc.lines[0], applies_to_id=number)

        assert dollars.adapter.post(replace(doc, lines=(named,))).state == State.POSTED

    def test_a_bill_that_does_not_carry_our_reference_is_paid_by_its_id(
        self, dollars: TrytonSide
    ) -> None:
        papers = Papers(dollars)
        bill = papers.bill("20.00")
        bill_id = dollars.adapter.post(bill).erp_id
        doc = papers.payment(bill, "20.00")
        nobodys = replace(bill.ref, ramp_id="of-another-system")
        by_id = replace(doc.lines[0], applies_to=nobodys, applies_to_id=bill_id)

        assert dollars.adapter.post(replace(doc, lines=(by_id,))).state == State.POSTED

    def test_a_bill_of_another_vendor_is_not_paid_for_having_the_id(
        self, dollars: TrytonSide
    ) -> None:
        """Who synced the bill may have told Ramp its number: another record's id."""
        papers = Papers(dollars)
        theirs = dollars.adapter.post(papers.bill("20.00", vendor=papers.vendor()))
        doc = papers.payment(papers.bill("20.00", vendor=papers.vendor()), "20.00")
        by_id = replace(doc.lines[0], applies_to=None, applies_to_id=theirs.erp_id)

        with pytest.raises(ErpError) as caught:
            dollars.adapter.post(replace(doc, lines=(by_id,)))

        assert caught.value.code == Code.BILL_NOT_POSTED
        assert dollars.adapter.find(doc.ref) is None

    def test_a_cancelled_bill_is_void(self, dollars: TrytonSide) -> None:
        if dollars.adapter.capabilities().idempotency == "lookup":
            pytest.skip("without the add-on only journal entries can be taken back")
        bill = Papers(dollars).bill("20.00")
        dollars.adapter.post(bill)

        dollars.adapter.void(bill.ref, dollars.today, "Wrong vendor")
        again = dollars.adapter.void(bill.ref, dollars.today, "Wrong vendor")

        assert again.state == State.VOID
        assert dollars.ledger_sum() == 0

    def test_a_payment_can_be_taken_back(self, dollars: TrytonSide) -> None:
        if dollars.adapter.capabilities().idempotency == "lookup":
            pytest.skip("without the add-on only journal entries can be taken back")
        papers = Papers(dollars)
        bill = papers.bill("20.00")
        dollars.adapter.post(bill)
        payment = papers.payment(bill, "20.00")
        dollars.adapter.post(payment)

        voided = dollars.adapter.void(payment.ref, dollars.today, "Bounced")

        assert (voided.ref.kind, voided.state) == (DocKind.BILL_PAYMENT, State.VOID)
        domain = [["id", "=", int(dollars.adapter.post(bill).erp_id)]]
        (row,) = dollars.admin.read("account.invoice", domain, ["state", "amount_to_pay"])
        assert (row["state"], row["amount_to_pay"]) == ("posted", Decimal("20.00"))
