"""Documents of bill payments: the bill's own amount, from the bank, for the right bill; or none."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from connections.erp.records import DocKind
from connections.mappings import MissingMapping
from syncing.cannot_post import BillNotNamed, PaymentBelowBill, PaymentNotDue
from tests import spend
from tests.syncing.posting_world import (
    BANK,
    CURRENCIES,
    TENANT,
    document,
    minor_units,
    with_profile,
)

AMOUNTS = st.integers(1, 10**11)


class TestAmount:
    @given(AMOUNTS, AMOUNTS, st.sampled_from(CURRENCIES))
    def test_is_the_bills_own_however_large_the_payment_is(
        self, own: int, others: int, currency: str
    ) -> None:
        """Gotcha 9."""
        whole = spend.payment(own + others, currency)

        made = document("bill_payment", spend.paid(spend.bill(own, currency), whole))

        (line,) = made.lines
        assert minor_units(line.amount, currency) == own
        assert made.currency == currency

    @given(AMOUNTS, st.data())
    def test_is_less_the_credits_set_off(self, own: int, data: st.DataObject) -> None:
        set_off = data.draw(st.integers(0, own - 1))
        credits_ = [{"id": "c", "amount": spend.amount(set_off)}]
        body = spend.paid(spend.bill(own), spend.payment(own - set_off))

        made = document("bill_payment", body | {"applied_vendor_credits": credits_})

        assert minor_units(made.lines[0].amount, "USD") == own - set_off

    @given(st.integers(2, 10**9), st.data())
    def test_that_exceeds_what_was_paid_is_held_with_the_difference(
        self, own: int, data: st.DataObject
    ) -> None:
        less = data.draw(st.integers(1, own - 1))

        with pytest.raises(PaymentBelowBill, match="a difference of"):
            document("bill_payment", spend.paid(spend.bill(own), spend.payment(less)))

    def test_in_another_currency_than_the_payments_cannot_be_compared(self) -> None:
        body = spend.bill(10000, "EUR", fx_conversion_rate="1.08")

        made = document("bill_payment", spend.paid(body, spend.payment(900, "USD")))

        assert (made.currency, str(made.lines[0].amount)) == ("EUR", "100.00")
        assert str(made.exchange_rate) == "1.08"


class TestContent:
    def test_pays_our_bill_by_its_reference_from_the_bank(self) -> None:
        body = spend.paid(spend.bill())
        owed = document("bill", body)

        made = document("bill_payment", body)

        assert made.kind is DocKind.BILL_PAYMENT
        assert made.ref.full == f"ramp-{TENANT}-bill_payment-{body['id']}"
        assert (made.bank_account, made.party) == (BANK, owed.party)
        assert (made.lines[0].applies_to, made.lines[0].applies_to_id) == (owed.ref, "")

    def test_pays_a_bill_of_others_by_the_erps_id_unless_it_carries_our_reference(self) -> None:
        body = spend.paid(spend.bill(remote_id="4711"))
        owed = document("bill", body)

        (line,) = document("bill_payment", body, bill_is_ours=False).lines

        assert (line.applies_to, line.applies_to_id) == (owed.ref, "4711")

    def test_of_a_bill_of_others_without_an_id_is_held(self) -> None:
        with pytest.raises(BillNotNamed):
            document("bill_payment", spend.paid(spend.bill()), bill_is_ours=False)

    @pytest.mark.parametrize(
        ("dates", "day"),
        [
            ({}, "2026-11-10"),
            ({"effective_date": None}, "2026-11-09"),
            ({"effective_date": None, "payment_date": None}, "2026-11-12"),
        ],
    )
    def test_is_dated_when_the_money_left(self, dates: dict[str, None], day: str) -> None:
        by = spend.payment(11000) | dates

        assert str(document("bill_payment", spend.paid(spend.bill(), by)).posting_date) == day

    def test_names_what_the_bank_statement_says(self) -> None:
        trace = {"descriptor": "ACH trace", "trace_id": "021000021"}
        body = spend.paid(spend.bill(invoice_number="7"), spend.payment(11000, trace_id=trace))

        memo = document("bill_payment", body).memo

        assert memo == "Acme Hosting · 7 · A6PMDVX628 · 021000021"


class TestNoDocument:
    @pytest.mark.parametrize(
        "body",
        [
            spend.paid(spend.bill(), spend.payment(11000, method="CARD")),
            spend.paid(spend.bill(), spend.payment(11000, method="BARTER")),
            spend.paid(spend.bill(), spend.payment(11000, method="PAID_MANUALLY", manual="CASH")),
            spend.bill(status="PAID"),
        ],
    )
    def test_of_what_is_confirmed_or_held(self, body: spend.Body) -> None:
        with pytest.raises(PaymentNotDue):
            document("bill_payment", body)

    def test_without_a_bank_account_says_so(self) -> None:
        with pytest.raises(MissingMapping) as missing:
            document("bill_payment", spend.paid(spend.bill()), with_profile(bank_account=""))

        assert missing.value.name == "account for bill payments"
