"""Tax in journal entries: taken out of what was spent, to the minor unit, on its own account."""

from collections.abc import Sequence
from dataclasses import replace
from decimal import Decimal
from fractions import Fraction
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from connections.erp.records import Document
from connections.mappings import MappingSet, MissingMapping, TaxTarget
from rampbridge.lib.money import Money
from syncing.cannot_post import TaxBelowZero, TaxDoesNotFit
from syncing.classifier import classify
from syncing.posting.journal_taxes import split
from tests import spend
from tests.syncing.posting_world import (
    CARD,
    CURRENCIES,
    INPUT_TAX,
    MAPPINGS,
    PAYBACK,
    by_account,
    document,
    minor_units,
    tax_target,
)
from tests.syncing.world import transaction_body

AMOUNTS = st.integers(-(10**12), 10**12).filter(bool)
RATES = st.decimals(Decimal(0), Decimal(1), places=6)
PARTS = st.lists(RATES, min_size=1, max_size=4)
TAXED = spend.selection("TAX_CODE", "T", field="Tax code")


def with_tax(tax: TaxTarget) -> MappingSet:
    return replace(MAPPINGS, tax_codes={"T": tax})


def card(
    lines: Sequence[spend.Body], mappings: MappingSet, currency: str = "USD", **changes: Any
) -> Document:
    """The document of a card transaction over the sum of these lines."""
    minor = sum(line["amount"]["amount"] for line in lines)
    body = transaction_body(
        entity_id=str(spend.ENTITY),
        currency_code=currency,
        entity_amount={"value": minor, "currency": currency},
        line_items=list(lines),
    )
    return document("transaction", body | changes, mappings)


def taxed(minor: int, currency: str = "USD", *codings: spend.Body) -> spend.Body:
    return spend.line(minor, currency, spend.account("6200"), TAXED, *codings)


class TestSplit:
    @given(AMOUNTS, PARTS, st.sampled_from(CURRENCIES))
    def test_makes_up_the_gross_amount_with_each_part_rounded_by_itself(
        self, minor: int, rates: list[Decimal], currency: str
    ) -> None:
        gross = Money.from_minor(minor, currency)
        tax = tax_target(*map(str, rates))
        exact = [
            Fraction(minor) * Fraction(rate) / (1 + sum(map(Fraction, rates))) for rate in rates
        ]
        try:
            made = split(gross, tax)
        except TaxDoesNotFit:
            assert sum(map(abs, map(round, exact))) > abs(minor), "it would have fitted"
            return

        assert made.net.minor + sum(one.minor for one in made.taxes) == minor
        for own, due in zip(made.taxes, exact, strict=True):
            assert abs(own.minor - due) <= Fraction(1, 2)
        assert all(one.minor * minor >= 0 for one in (made.net, *made.taxes)), "one side only"

    @given(AMOUNTS, PARTS)
    def test_of_a_refund_is_that_of_its_purchase_turned_round(
        self, minor: int, rates: list[Decimal]
    ) -> None:
        tax = tax_target(*map(str, rates))
        try:
            made = split(Money(minor, "USD", 2), tax)
        except TaxDoesNotFit:
            return

        back = split(Money(-minor, "USD", 2), tax)

        assert (back.net, back.taxes) == (-made.net, tuple(-one for one in made.taxes))

    @given(st.integers(0, 10**9), RATES)
    def test_finds_the_net_amount_that_the_tax_was_added_to(self, net: int, rate: Decimal) -> None:
        tax = round(net * Fraction(rate))

        made = split(Money(net + tax, "USD", 2), tax_target(str(rate)))

        again = made.net.minor + round(made.net.minor * Fraction(rate))
        assert again == net + tax, "the same, or one with the same gross amount"

    def test_that_rounds_to_more_than_the_whole_is_held(self) -> None:
        with pytest.raises(TaxDoesNotFit, match="400 %"):
            split(Money(3, "USD", 2), tax_target("1", "1", "1", "1"))


class TestCardTransactions:
    @given(
        st.lists(AMOUNTS, min_size=1, max_size=8).filter(sum),
        st.lists(st.booleans(), min_size=8, max_size=8),
        st.lists(st.decimals(Decimal(0), Decimal("0.4"), places=4), min_size=1, max_size=3),
        st.sampled_from(CURRENCIES),
    )
    def test_balance_and_each_line_with_its_taxes_is_what_ramp_says(
        self, parts: list[int], is_taxed: list[bool], rates: list[Decimal], currency: str
    ) -> None:
        lines = [
            taxed(part, currency) if with_it else spend.line(part, currency, spend.account("6300"))
            for part, with_it in zip(parts, is_taxed, strict=False)
        ]

        made = card(lines, with_tax(tax_target(*map(str, rates))), currency)

        assert made.total == 0
        *spent, paid = made.lines
        assert paid.account == CARD
        assert minor_units(paid.amount, currency) == -sum(parts)
        gross: list[Decimal] = []
        for one in spent:
            if one.tax_of:
                gross[-1] += one.amount
            else:
                gross.append(one.amount)
        assert [minor_units(one, currency) for one in gross] == parts

    def test_stand_net_with_the_tax_on_its_account(self) -> None:
        made = card([taxed(11000), spend.line(500, "USD", spend.account("6300"))], MAPPINGS_10)

        assert by_account(made) == [
            ("6200", "100.00"),
            (INPUT_TAX, "10.00"),
            ("6300", "5.00"),
            (CARD, "-115.00"),
        ]
        assert [(one.tax_code, one.base_of, one.tax_of) for one in made.lines] == [
            ("t-10", ("t-10.1",), ""),
            ("", (), "t-10.1"),
            ("", (), ""),
            ("", (), ""),
        ]
        assert made.gross == 0, "the tax is a line of its own and nothing on top"

    def test_of_several_taxes_have_a_line_for_each_on_its_own_account(self) -> None:
        tax = tax_target("0.05", "0.09975", name="Quebec")
        gst, qst = tax.parts
        tax = replace(tax, parts=(gst, replace(qst, account="1510")))

        made = card([taxed(114975)], with_tax(tax), currency="USD")

        assert by_account(made) == [
            ("6200", "1000.00"),
            (INPUT_TAX, "50.00"),
            ("1510", "99.75"),
            (CARD, "-1149.75"),
        ]
        assert made.lines[0].base_of == ("t.1", "t.2")
        assert [one.tax_of for one in made.lines[1:3]] == ["t.1", "t.2"]
        assert made.lines[1].memo.startswith("Quebec 0.05 · Figma")

    def test_that_are_refunds_have_every_side_turned(self) -> None:
        bought, back = (card([taxed(minor)], MAPPINGS_10) for minor in (11000, -11000))

        assert [-one.amount for one in back.lines] == [one.amount for one in bought.lines]

    def test_without_lines_are_taxed_as_the_whole_is_coded(self) -> None:
        body = transaction_body(
            1100,
            entity_id=str(spend.ENTITY),
            line_items=[],
            accounting_field_selections=[spend.account("6200"), TAXED],
        )

        made = document("transaction", body, MAPPINGS_10)

        assert by_account(made) == [("6200", "10.00"), (INPUT_TAX, "1.00"), (CARD, "-11.00")]

    def test_lines_in_the_merchants_currency_are_taxed_in_the_cards(self) -> None:
        lines = [taxed(700, "EUR"), taxed(300, "EUR")]
        made = card(lines, MAPPINGS_10, entity_amount={"value": 1100, "currency": "USD"})

        assert by_account(made) == [
            ("6200", "7.00"),
            (INPUT_TAX, "0.70"),
            ("6200", "3.00"),
            (INPUT_TAX, "0.30"),
            (CARD, "-11.00"),
        ]

    def test_keep_the_tax_out_of_the_department(self) -> None:
        department = spend.selection("OTHER", "ENG", field="department")

        made = card([taxed(1100, "USD", department)], MAPPINGS_10)

        assert [one.dimensions for one in made.lines] == [{"department": "ENG"}, {}, {}]

    def test_with_a_tax_of_nothing_name_its_base_and_need_no_account_for_it(self) -> None:
        tax = tax_target("0")
        tax = replace(tax, parts=(replace(tax.parts[0], account=""),))

        made = card([taxed(1100)], with_tax(tax))

        assert by_account(made) == [("6200", "11.00"), (CARD, "-11.00")]
        assert made.lines[0].base_of == ("t.1",)

    def test_too_small_to_be_taxed_have_no_line_of_nothing(self) -> None:
        made = card([taxed(4)], MAPPINGS_10)

        assert by_account(made) == [("6200", "0.04"), (CARD, "-0.04")]
        assert made.lines[0].base_of == ("t-10.1",)


MAPPINGS_10 = with_tax(tax_target("0.10", erp_id="t-10", name="Tax 10%"))


class TestReimbursements:
    @pytest.mark.parametrize(
        ("direction", "sign"), [("BUSINESS_TO_USER", 1), ("USER_TO_BUSINESS", -1)]
    )
    def test_reclaim_the_tax_in_both_directions(self, direction: str, sign: int) -> None:
        body = spend.reimbursement(11000, direction=direction, line_items=[taxed(11000)])

        made = document("reimbursement", body, MAPPINGS_10)

        assert [(one.account, sign * one.amount) for one in made.lines] == [
            ("6200", Decimal("100.00")),
            (INPUT_TAX, Decimal("10.00")),
            (PAYBACK, Decimal("-110.00")),
        ]
        assert (made.lines[0].base_of, made.lines[1].tax_of) == (("t-10.1",), "t-10.1")

    @given(st.lists(st.integers(1, 10**9), min_size=1, max_size=8), st.sampled_from(CURRENCIES))
    def test_balance_in_any_currency(self, parts: list[int], currency: str) -> None:
        lines = [taxed(part, currency) for part in parts]
        body = spend.reimbursement(sum(parts), currency, line_items=lines)

        made = document("reimbursement", body, MAPPINGS_10)

        assert made.total == 0
        assert minor_units(made.lines[-1].amount, currency) == -sum(parts)


class TestHeld:
    def test_where_the_erp_has_no_such_tax_code(self) -> None:
        with pytest.raises(MissingMapping) as missing:
            card([taxed(1100)], MAPPINGS)

        said = classify(missing.value, erp_name="Tryton")
        assert said.title == "Tryton has no tax code called T."

    def test_where_the_tax_code_is_no_longer_active(self) -> None:
        closed = replace(tax_target("0.1", name="Old VAT"), is_active=False)

        with pytest.raises(MissingMapping) as missing:
            card([taxed(1100)], with_tax(closed))

        said = classify(missing.value, erp_name="Tryton")
        assert said.title == "The tax code Old VAT is no longer active in Tryton."
        assert said.blocked_by == "mapping.tax code:T", "another mapping, or the ERP, frees it"

    @pytest.mark.parametrize(
        ("rates", "words"),
        [
            (("0.1",), "The tax code Tax has no account in Tryton."),
            (("0.05", "0.1"), "The tax code Tax has no account for Tax 0.1 in Tryton."),
        ],
    )
    def test_where_a_rate_has_no_account(self, rates: tuple[str, ...], words: str) -> None:
        tax = tax_target(*rates)
        tax = replace(tax, parts=(*tax.parts[:-1], replace(tax.parts[-1], account="")))

        with pytest.raises(MissingMapping) as missing:
            card([taxed(1100)], with_tax(tax))

        said = classify(missing.value, erp_name="Tryton")
        assert said.title == words
        assert "It then goes through by itself." in said.fix

    def test_where_a_part_is_below_zero(self) -> None:
        with pytest.raises(TaxBelowZero, match="Reverse charge"):
            card([taxed(1100)], with_tax(tax_target("0.2", "-0.2", name="Reverse charge")))
