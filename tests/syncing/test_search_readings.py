"""What a text may mean, before anything is looked up."""

import uuid
from datetime import date
from decimal import Decimal

import pytest

from syncing.queries.search import asked
from syncing.queries.search.asked import Reading

TODAY = date(2026, 11, 21)
ID = uuid.UUID("6bc41b14-f853-4862-bae5-4f122f123f6e")


def reading(text: str, place: int = 1) -> Reading:
    """One reading of a text; the first is always that all of it is words."""
    return asked(text, today=TODAY).readings[place]


def amount(text: str) -> tuple[list[str], str]:
    found = reading(text).amount
    assert found is not None
    return [str(figure) for figure in found.figures], found.currency


class TestIds:
    @pytest.mark.parametrize(
        "text",
        [
            str(ID),
            str(ID).upper(),
            ID.hex,
            f"https://app.ramp.com/details/transactions/{ID}/memo?tab=1",
            f"ramp-harbor-coffee-bill-{ID}",
        ],
    )
    def test_a_ramp_id_is_one_wherever_it_stands(self, text: str) -> None:
        assert asked(text, today=TODAY).ramp_id == ID

    def test_a_longer_row_of_figures_is_none(self) -> None:
        assert asked(ID.hex + "0", today=TODAY).ramp_id is None

    @pytest.mark.parametrize("text", ["RB-7K3Q", "rb7k3q", "RB 7K3Q", "rb-7k3q "])
    def test_a_reference_is_read_as_people_say_it(self, text: str) -> None:
        assert asked(text, today=TODAY).item_id == 690855

    def test_the_address_of_an_items_page_is_that_item(self) -> None:
        assert asked("https://bridge.example/items/55/?tab=x", today=TODAY).item_id == 55


class TestAmounts:
    @pytest.mark.parametrize(
        ("text", "figures", "currency"),
        [
            ("412.50", ["412.50"], ""),
            ("412,50", ["412.50"], ""),
            ("$412.50", ["412.50"], ""),
            ("412.5 USD", ["412.5"], "USD"),
            ("usd 412.5", ["412.5"], "USD"),
            ("USD412.5", ["412.5"], "USD"),
            ("€412", ["412"], "EUR"),
            ("412€", ["412"], "EUR"),
            ("¥1200", ["1200"], "JPY"),
            ("1200 JPY", ["1200"], "JPY"),
            ("1,204.50", ["1204.50"], ""),
            ("1.204,50", ["1204.50"], ""),
            ("1'204.50 chf", ["1204.50"], "CHF"),
            ("1,204,500", ["1204500"], ""),
            ("1,204", ["1204", "1.204"], ""),
            ("-412.50", ["412.50"], ""),
            ("\N{MINUS SIGN}$412.50", ["412.50"], ""),
            ("(412.50)", ["412.50"], ""),
        ],
    )
    def test_are_read_in_every_spelling(self, text: str, figures: list[str], currency: str) -> None:
        assert amount(text) == (figures, currency)

    @pytest.mark.parametrize(
        "text", ["1.2.3", "12-34", "9" * 16, "INV-204", "4x4", "1,20,3", "1.23456", "192.168.0.1"]
    )
    def test_other_figures_are_words(self, text: str) -> None:
        assert [one.amount for one in asked(text, today=TODAY).readings] == [None]

    def test_stand_beside_words(self) -> None:
        found = reading("amazon 412.50 USD seats")

        assert found.amount is not None
        assert (found.amount.figures, found.amount.currency) == ((Decimal("412.50"),), "USD")
        assert found.words == ["amazon", "seats"]

    def test_a_word_of_three_letters_is_no_currency_unless_it_is_one(self) -> None:
        found = reading("412 the")

        assert found.amount is not None
        assert (found.amount.currency, found.words) == ("", ["the"])


class TestCards:
    @pytest.mark.parametrize(
        "text", ["•4242", "**** 4242", "xxxx-4242", "...4242", "card 4242", "ending 4242"]
    )
    def test_are_read_where_the_text_says_so(self, text: str) -> None:
        found = asked(text, today=TODAY).readings[1:]

        assert [(one.card, one.amount, list(one.words)) for one in found] == [("4242", None, [])]

    def test_four_figures_alone_are_an_amount_or_a_card(self) -> None:
        assert [(bool(one.amount), one.card) for one in asked("4242", today=TODAY).readings] == [
            (False, ""),
            (True, ""),
            (False, "4242"),
        ]

    def test_stand_beside_words(self) -> None:
        assert reading("delta •4242").words == ["delta"]


class TestDays:
    @pytest.mark.parametrize(
        ("text", "day"),
        [
            ("2026-11-21", date(2026, 11, 21)),
            ("2026/11/21", date(2026, 11, 21)),
            ("21.11.2026", date(2026, 11, 21)),
            ("21.11.", date(2026, 11, 21)),
            ("11/21/2026", date(2026, 11, 21)),
            ("21/11/26", date(2026, 11, 21)),
            ("21 Nov", date(2026, 11, 21)),
            ("Nov 21", date(2026, 11, 21)),
            ("november 21st, 2025", date(2025, 11, 21)),
            ("21 Nov 2025", date(2025, 11, 21)),
            ("3 Sept", date(2026, 9, 3)),
        ],
    )
    def test_are_read_in_every_spelling(self, text: str, day: date) -> None:
        assert reading(text).day == day

    def test_without_a_year_are_last_years_if_far_ahead(self) -> None:
        assert reading("20 Dec").day == date(2026, 12, 20)
        assert reading("24 Dec").day == date(2025, 12, 24)

    @pytest.mark.parametrize("text", ["31 Feb", "2026-13-01", "21 Novotel", "May", "99.99.2026"])
    def test_days_that_do_not_exist_are_words(self, text: str) -> None:
        assert all(one.day is None for one in asked(text, today=TODAY).readings)

    def test_stand_beside_an_amount_and_words(self) -> None:
        found = reading("uber 21 Nov 40.00")

        assert found.amount is not None
        assert (found.day, found.words) == (date(2026, 11, 21), ["uber"])


class TestNothing:
    @pytest.mark.parametrize("text", ["", "  ", "%", "-- &", "\0"])
    def test_is_asked_by_signs_alone(self, text: str) -> None:
        assert asked(text, today=TODAY).is_nothing
