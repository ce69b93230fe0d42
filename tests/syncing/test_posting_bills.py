"""Documents of bills: every line, the vendor, the number and the tax, to the cent or none."""

import uuid
from dataclasses import replace
from decimal import Decimal
from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from connections.erp.records import DocKind
from connections.mappings import MissingMapping
from rampbridge.lib.money import Money
from syncing.cannot_post import (
    CannotPost,
    LinesDoNotAddUp,
    NoAccountingDate,
    NoCoding,
    NothingToPost,
    TaxDoesNotFit,
    UnexpectedSign,
)
from syncing.posting.taxes import net_amounts
from tests import spend
from tests.syncing.posting_world import (
    CURRENCIES,
    MAPPINGS,
    TENANT,
    by_account,
    document,
    minor_units,
    tax_target,
    with_profile,
)

PARTS = st.lists(st.integers(-(10**8), 10**9).filter(bool), min_size=1, max_size=12).filter(
    lambda parts: sum(parts) > 0
)
TAXED = spend.selection("TAX_CODE", "T10", field="Tax Code")


class TestLines:
    @given(PARTS, st.integers(0, 12), st.sampled_from(CURRENCIES))
    def test_expense_and_inventory_lines_make_up_the_bill(
        self, parts: list[int], expenses: int, currency: str
    ) -> None:
        lines = [spend.line(part, currency, spend.account("6200")) for part in parts]
        stock = [one | {"quantity": 2.5, "unit_price": spend.amount(1)} for one in lines[expenses:]]
        body = spend.bill(
            sum(parts), currency, line_items=lines[:expenses], inventory_line_items=stock
        )

        made = document("bill", body)

        assert made.currency == currency
        assert [minor_units(one.amount, currency) for one in made.lines] == parts

    @given(st.integers(1, 10**6), st.integers(1, 10**6))
    def test_that_do_not_add_up_are_held_with_the_difference(self, minor: int, more: int) -> None:
        body = spend.bill(
            minor, line_items=[spend.line(minor + more, "USD", spend.account("6200"))]
        )

        with pytest.raises(LinesDoNotAddUp) as refusal:
            document("bill", body)

        assert f"a difference of -{Money(more, 'USD', 2)}." in refusal.value.title

    def test_keep_their_own_coding_and_take_the_rest_from_the_body(self) -> None:
        """Gotcha 15: coding stands on the line, on the body, or on both."""
        department = spend.selection("OTHER", "ENG", field="department")
        body = spend.bill(
            300,
            line_items=[spend.line(100, "USD", spend.account("6300")), spend.line(200)],
            accounting_field_selections=[spend.account("6100"), department, spend.vendor("acme")],
        )

        made = document("bill", body)

        assert by_account(made) == [("6300", "1.00"), ("6100", "2.00")]
        assert [line.dimensions for line in made.lines] == [{"department": "ENG"}] * 2

    def test_none_at_all_make_one_of_the_whole(self) -> None:
        body = spend.bill(
            500,
            line_items=[],
            accounting_field_selections=[spend.account("6100"), spend.vendor("acme")],
        )

        assert by_account(document("bill", body)) == [("6100", "5.00")]


class TestContent:
    def test_is_a_bill_of_the_vendor_under_its_number(self) -> None:
        body = spend.bill(invoice_number="2026-117")

        made = document("bill", body)

        assert (made.kind, made.party, made.number) == (DocKind.BILL, "v-1", "2026-117")
        assert (str(made.posting_date), str(made.due)) == ("2026-11-05", "2026-12-03")
        assert made.ref.full == f"ramp-{TENANT}-bill-{body['id']}"
        assert (made.entity, made.payables_account) == ("erp-1", "")
        assert made.memo == "Acme Hosting · 2026-117 · November"

    def test_is_owed_on_the_account_of_the_profile_where_it_has_one(self) -> None:
        made = document("bill", spend.bill(), with_profile(payables_account="2110"))

        assert made.payables_account == "2110"

    def test_without_an_accounting_date_is_dated_as_it_was_issued(self) -> None:
        made = document("bill", spend.bill(accounting_date=None))

        assert str(made.posting_date) == "2026-11-03"

    @pytest.mark.parametrize(
        ("currency", "rate", "kept"),
        [
            ("EUR", "1.0837", Decimal("1.0837")),
            ("EUR", "1", None),
            ("EUR", "1.000", None),
            ("EUR", "0", None),
            ("EUR", None, None),
            ("USD", "1.0837", None),
        ],
    )
    def test_keeps_the_rate_of_a_bill_that_ramp_converts(
        self, currency: str, rate: str | None, kept: Decimal | None
    ) -> None:
        made = document("bill", spend.bill(10000, currency, fx_conversion_rate=rate))

        assert made.exchange_rate == kept


class TestTheNumber:
    def test_stays_the_vendors_unless_another_bill_has_it(self) -> None:
        """Gotcha 10."""
        body = spend.bill(invoice_number="ACC-1")

        assert document("bill", body).number == "ACC-1"
        assert document("bill", body, number_is_taken=True).number == f"ACC-1 ({body['id'][:8]})"

    def test_is_the_same_each_time_and_another_for_each_bill(self) -> None:
        one, two = (spend.bill(invoice_number="ACC-1") for _ in range(2))

        numbers = [document("bill", body, number_is_taken=True) for body in (one, one, two)]

        assert numbers[0] == numbers[1]
        assert numbers[1].number != numbers[2].number

    def test_that_the_vendor_did_not_give_is_left_to_the_erp(self) -> None:
        made = document("bill", spend.bill(invoice_number=None), number_is_taken=True)

        assert made.number == ""


def vendor_body(**vendor: str | None) -> spend.Body:
    """A bill that is not coded with a vendor, from the vendor that Ramp shows."""
    stated = {"id": str(uuid.uuid4()), "name": "", **vendor}
    return spend.bill(vendor=stated, accounting_field_selections=[])


class TestTheVendor:
    """Gotcha 29."""

    @pytest.mark.parametrize(
        ("vendor", "party"),
        [
            ({"remote_id": "v-2", "remote_code": "C-1", "name": "Acme Hosting"}, "v-2"),
            ({"remote_id": None, "remote_code": "C-1", "name": "Other Ltd"}, "v-1"),
            ({"name": "OTHER ltd"}, "v-2"),
        ],
    )
    def test_is_the_first_that_ramp_states(self, vendor: dict[str, str], party: str) -> None:
        assert document("bill", vendor_body(**vendor)).party == party

    def test_is_what_it_is_coded_with_before_all(self) -> None:
        body = vendor_body(remote_id="v-2") | {
            "accounting_field_selections": [spend.vendor("acme")]
        }

        assert document("bill", body).party == "v-1"

    def test_may_stand_on_the_lines_if_they_agree(self) -> None:
        acme, other = spend.vendor("acme"), spend.vendor("v-2")
        line = spend.line(5500, "USD", spend.account("6200"), acme)
        agreed = vendor_body(name="Other Ltd") | {"line_items": [line, line]}
        at_odds = agreed | {
            "line_items": [line, spend.line(5500, "USD", spend.account("6200"), other)]
        }

        assert document("bill", agreed).party == "v-1"
        assert document("bill", at_odds).party == "v-2", "the name decides"

    def test_can_be_mapped_by_a_person(self) -> None:
        body = vendor_body(name="Acme Incorporated")
        mapped = {**MAPPINGS.vendors, body["vendor"]["id"]: MAPPINGS.vendors["acme"]}

        assert document("bill", body, replace(MAPPINGS, vendors=mapped)).party == "v-1"

    @pytest.mark.parametrize(
        ("vendor", "value"),
        [
            ({"remote_id": "v-9", "name": "Acme Hosting"}, "v-9"),
            ({"remote_code": "C-9", "name": "Acme Hosting"}, "code:C-9"),
        ],
    )
    def test_is_not_guessed_by_name_where_ramp_states_more(
        self, vendor: dict[str, str], value: str
    ) -> None:
        with pytest.raises(MissingMapping) as missing:
            document("bill", vendor_body(**vendor))

        assert (missing.value.kind, missing.value.value) == ("vendor", value)
        assert missing.value.name == "Acme Hosting"

    def test_that_nobody_knows_can_be_mapped_by_ramps_id(self) -> None:
        body = vendor_body(name="Nobody")

        with pytest.raises(MissingMapping) as missing:
            document("bill", body)

        assert (missing.value.value, missing.value.name) == (body["vendor"]["id"], "Nobody")


def with_a_tenth(near: int) -> set[int]:
    """What net amounts and a tax of a tenth add up to, near an amount."""
    exact = near * 10 // 11
    return {net + round(Fraction(net, 10)) for net in range(exact - 5, exact + 6)}


def with_parts(net: int, rates: tuple[Decimal, ...]) -> int:
    return net + sum(round(Fraction(rate) * net) for rate in rates)


class TestTax:
    @given(st.lists(st.integers(1, 10**7), min_size=1, max_size=8), st.sampled_from(CURRENCIES))
    def test_is_taken_out_of_the_amount_and_comes_back_to_it(
        self, parts: list[int], currency: str
    ) -> None:
        lines = [spend.line(part, currency, spend.account("6200"), TAXED) for part in parts]
        try:
            made = document("bill", spend.bill(sum(parts), currency, line_items=lines))
        except TaxDoesNotFit:
            assert sum(parts) not in with_a_tenth(sum(parts)), "a net amount would have made it"
            return

        assert minor_units(made.gross, currency) == sum(parts)
        assert {line.tax_code for line in made.lines} == {"t-10"}
        net = minor_units(made.total, currency)
        tax = sum(minor_units(line.tax_amount or Decimal(0), currency) for line in made.lines)
        assert tax == round(Fraction(net) / 10)

    def test_that_fits_no_net_amount_is_held_with_the_difference(self) -> None:
        tax = tax_target("1")

        with pytest.raises(TaxDoesNotFit, match="a difference of") as refusal:
            net_amounts([Money(3, "USD", 2)], [tax])

        assert "100 %" in refusal.value.title

    @given(st.integers(1, 10**7))
    def test_of_several_at_once_is_rounded_part_by_part(self, gross: int) -> None:
        tax = tax_target("0.029", "0.0481")
        rates = tax.rates
        try:
            (net,) = net_amounts([Money(gross, "USD", 2)], [tax])
        except TaxDoesNotFit:
            exact = int(gross / (1 + sum(rates)))
            near = range(exact - 5, exact + 6)
            assert gross not in {with_parts(each, rates) for each in near}
            return

        assert with_parts(net.minor, rates) == gross

    def test_leaves_lines_without_a_tax_code_alone(self) -> None:
        lines = [
            spend.line(11000, "USD", spend.account("6200"), TAXED),
            spend.line(5000, "USD", spend.account("6300")),
        ]

        made = document("bill", spend.bill(16000, line_items=lines))

        assert by_account(made) == [("6200", "100.00"), ("6300", "50.00")]
        assert [line.tax_amount for line in made.lines] == [Decimal("10.00"), None]

    def test_that_the_erp_does_not_have_is_named(self) -> None:
        unknown = spend.selection("TAX_CODE", "T99", field="Tax Code")
        body = spend.bill(100, line_items=[spend.line(100, "USD", spend.account("6200"), unknown)])

        with pytest.raises(MissingMapping, match="tax code"):
            document("bill", body)


class TestRefusals:
    @pytest.mark.parametrize(
        ("body", "refusal"),
        [
            (spend.bill(0), NothingToPost),
            (spend.bill(-100), UnexpectedSign),
            (spend.bill(100, line_items=[spend.line(100)]), NoCoding),
            (spend.bill(accounting_date=None, issued_at=None), NoAccountingDate),
        ],
    )
    def test_it_is_held_and_says_why(self, body: spend.Body, refusal: type[CannotPost]) -> None:
        with pytest.raises(refusal):
            document("bill", body)
