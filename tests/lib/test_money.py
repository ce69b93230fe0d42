import dataclasses
from decimal import Decimal, localcontext
from fractions import Fraction

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from rampbridge.lib.money import (
    MINOR_UNITS,
    InvalidAmount,
    Money,
    allocate,
    exponent_from_rate,
    exponent_of,
)

currencies = st.sampled_from(sorted(MINOR_UNITS))
minors = st.integers(-(10**15), 10**15)
weights = st.lists(st.integers(-1000, 1000), min_size=1, max_size=20)


def usd(minor: int) -> Money:
    return Money(minor, "USD", 2)


class TestShapes:
    def test_a_currency_amount_uses_its_own_factor(self) -> None:
        assert Money.from_minor(1234, "USD", 100) == usd(1234)
        assert Money.from_minor(1234, "JPY", 1) == Money(1234, "JPY", 0)

    def test_without_a_factor_the_currency_says_how_many_digits(self) -> None:
        assert str(Money.from_minor(1234, "USD")) == "12.34 USD"
        assert str(Money.from_minor(1234, "JPY")) == "1234 JPY"
        assert str(Money.from_minor(1234, "KWD")) == "1.234 KWD"
        assert str(Money.from_minor(1234, "IQD")) == "1.234 IQD"
        assert str(Money.from_minor(1234, "CLF")) == "0.1234 CLF"

    def test_ramps_factor_wins_over_the_table(self) -> None:
        assert str(Money.from_minor(1234, "JPY", 100)) == "12.34 JPY"
        assert str(Money.from_decimal("12.34", "JPY", 100)) == "12.34 JPY"

    @pytest.mark.parametrize(
        ("text", "minor"),
        [("90.0", 9000), ("0.1", 10), ("1234567.89", 123456789), ("-0.05", -5), ("1E+2", 10000)],
    )
    def test_a_legacy_number_is_read_digit_by_digit(self, text: str, minor: int) -> None:
        assert Money.from_decimal(Decimal(text), "USD").minor == minor

    def test_more_digits_than_the_currency_has_are_refused_not_rounded(self) -> None:
        with pytest.raises(InvalidAmount, match="more digits"):
            Money.from_decimal("12.345", "USD")
        with pytest.raises(InvalidAmount, match="more digits"):
            Money.from_decimal("0.5", "JPY")
        with pytest.raises(InvalidAmount, match="more digits"):
            Money.from_decimal("1e-999999999", "USD")

    def test_a_number_that_would_fill_the_memory_is_refused(self) -> None:
        with pytest.raises(InvalidAmount, match="many digits"):
            Money.from_decimal("1e999999999", "USD")
        with pytest.raises(InvalidAmount, match="many digits"):
            Money.from_minor(2**63, "USD")

    @pytest.mark.parametrize("value", ["NaN", "Infinity", "-sNaN", "twelve", ""])
    def test_what_is_no_number_is_refused(self, value: str) -> None:
        with pytest.raises(InvalidAmount, match="not a number"):
            Money.from_decimal(value, "USD")

    @pytest.mark.parametrize("value", [0.1, True])
    def test_floats_and_booleans_are_refused(self, value: object) -> None:
        with pytest.raises(TypeError):
            Money.from_decimal(value, "USD")  # type: ignore[arg-type]
        with pytest.raises(TypeError):
            Money.from_minor(value, "USD")  # type: ignore[arg-type]

    @pytest.mark.parametrize("currency", ["", "usd", "US", "XXX", "DOLLAR"])
    def test_an_unknown_currency_without_a_factor_is_refused(self, currency: str) -> None:
        with pytest.raises(InvalidAmount):
            Money.from_minor(1, currency)

    def test_a_currency_newer_than_our_table_is_fine_with_a_factor(self) -> None:
        assert str(Money.from_minor(1234, "USDC", 1_000_000)) == "0.001234 USDC"

    @pytest.mark.parametrize("rate", [0, -100, 5, 50, 101, 10**9])
    def test_a_factor_that_is_no_power_of_ten_is_refused(self, rate: int) -> None:
        with pytest.raises(InvalidAmount):
            exponent_from_rate(rate)

    def test_an_exponent_out_of_reason_is_refused(self) -> None:
        with pytest.raises(InvalidAmount):
            Money(1, "USD", -1)

    def test_a_currency_that_is_no_code_is_refused_even_with_an_exponent(self) -> None:
        with pytest.raises(InvalidAmount):
            Money(1, "us dollar", 2)

    @given(minors, currencies)
    def test_decimal_there_and_back_is_the_same_money(self, minor: int, currency: str) -> None:
        money = Money.from_minor(minor, currency)

        again = Money.from_decimal(money.decimal, currency)

        assert (again.minor, again.exponent) == (minor, exponent_of(currency))
        assert Money.from_decimal(str(money).split()[0], currency) == money

    @given(minors)
    def test_a_narrow_decimal_context_changes_nothing(self, minor: int) -> None:
        with localcontext() as context:
            context.prec = 3

            assert Money.from_decimal(usd(minor).decimal, "USD") == usd(minor)


class TestTable:
    def test_knows_the_currencies_that_are_not_cents(self) -> None:
        assert {code for code, digits in MINOR_UNITS.items() if digits == 3} == {
            *("BHD", "IQD", "JOD", "KWD", "LYD", "OMR", "TND")
        }
        assert exponent_of("JPY") == exponent_of("KRW") == exponent_of("CLP") == 0

    def test_has_every_code_once(self) -> None:
        assert len(MINOR_UNITS) >= 170
        assert all(len(code) == 3 and code.isupper() for code in MINOR_UNITS)


class TestArithmetic:
    def test_adds_and_subtracts_within_a_currency(self) -> None:
        assert usd(150) + usd(-50) - usd(25) == usd(75)
        assert sum([usd(1), usd(2)], Money.zero("USD")) == usd(3)
        assert abs(usd(-5)) == usd(5)
        assert not Money.zero("JPY")
        assert Money.zero("JPY", exponent=2).exponent == 2

    def test_two_currencies_are_never_put_together(self) -> None:
        euro = Money(1, "EUR", 2)

        with pytest.raises(ValueError, match="USD and EUR"):
            usd(1) + euro
        with pytest.raises(ValueError, match="USD and EUR"):
            usd(1) - euro
        with pytest.raises(ValueError, match="cannot be put together"):
            assert usd(1) < euro
        with pytest.raises(ValueError, match="cannot be put together"):
            assert usd(1) >= euro

    def test_two_currencies_are_different_not_an_error_when_asked_for_equality(self) -> None:
        assert usd(1) != Money(1, "EUR", 2)
        assert usd(1) != 1

    def test_only_money_is_added_to_money(self) -> None:
        with pytest.raises(TypeError):
            usd(1) + 1  # type: ignore[operator]
        with pytest.raises(TypeError):
            usd(1) - 1  # type: ignore[operator]

    def test_one_currency_with_two_exponents_is_compared_by_value(self) -> None:
        coarse, fine = Money(12, "JPY", 0), Money(1200, "JPY", 2)

        assert coarse == fine
        assert hash(coarse) == hash(fine)
        assert coarse + fine == Money(24, "JPY", 0)
        assert coarse < Money(1201, "JPY", 2)
        assert coarse <= fine <= coarse

    def test_cannot_be_changed(self) -> None:
        with pytest.raises(dataclasses.FrozenInstanceError):
            usd(1).minor = 2  # type: ignore[misc]

    @given(minors, minors, minors)
    def test_order_and_sums_agree_with_the_integers(self, a: int, b: int, c: int) -> None:
        assert (usd(a) + usd(b)) + usd(c) == usd(a) + (usd(b) + usd(c)) == usd(a + b + c)
        assert (usd(a) < usd(b)) == (a < b)
        assert (usd(a) > usd(b)) == (a > b)
        assert (usd(a) <= usd(b)) == (a <= b)
        assert usd(0) - usd(a) == -usd(a)


class TestAllocate:
    def test_gives_what_is_left_over_to_the_largest_remainders(self) -> None:
        assert allocate(usd(100), [1, 1, 1]) == [usd(34), usd(33), usd(33)]
        assert allocate(usd(10), [Decimal("0.5"), Decimal("2.5")]) == [usd(2), usd(8)]

    def test_a_refund_splits_as_its_purchase_did(self) -> None:
        assert allocate(usd(-100), [1, 1, 1]) == [usd(-34), usd(-33), usd(-33)]

    def test_a_discount_line_keeps_its_sign(self) -> None:
        assert allocate(usd(900), [1000, -100]) == [usd(1000), usd(-100)]

    @pytest.mark.parametrize("nothing", [[], [0, 0], [5, -5]])
    def test_refuses_weights_that_add_up_to_nothing(self, nothing: list[int]) -> None:
        with pytest.raises(ValueError, match="add up to zero"):
            allocate(usd(1), nothing)

    @given(minors, currencies, weights)
    def test_parts_add_up_and_are_within_one_unit_of_their_share(
        self, minor: int, currency: str, by: list[int]
    ) -> None:
        assume(sum(by) != 0)
        total = Money.from_minor(minor, currency)
        assume(all(abs(minor * weight) < 2**62 for weight in by))

        parts = allocate(total, by)

        assert sum(parts, Money.zero(currency)) == total
        for part, weight in zip(parts, by, strict=True):
            assert abs(part.minor - Fraction(minor * weight, sum(by))) < 1

    @given(st.lists(st.integers(0, 10**9), min_size=1, max_size=20))
    def test_splitting_a_sum_by_its_own_parts_changes_nothing(self, minor: list[int]) -> None:
        assume(sum(minor) > 0)

        assert allocate(usd(sum(minor)), minor) == [usd(m) for m in minor]
