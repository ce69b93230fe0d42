from datetime import UTC, datetime, timedelta

import pytest
from django.template import Context, Template

from rampbridge.lib.money import Money
from rampbridge.lib.template_tags import amount, clock, digits, duration, moment

NOON = datetime(2026, 11, 20, 12, 0, tzinfo=UTC)


def render(source: str, **context: object) -> str:
    return Template(source).render(Context({"now": NOON, **context}))


class TestAmount:
    @pytest.mark.parametrize(
        ("money", "text"),
        [
            (Money(123456, "USD", 2), "1,234.56"),
            (Money(-5, "USD", 2), "\N{MINUS SIGN}0.05"),
            (Money(128000, "JPY", 0), "128,000"),
            (Money(1500, "KWD", 3), "1.500"),
        ],
    )
    def test_figures_have_the_digits_of_their_currency(self, money: Money, text: str) -> None:
        assert digits(money) == text

    def test_says_its_currency(self) -> None:
        assert "USD" in amount(Money(1, "USD", 2))

    def test_nothing_is_nothing(self) -> None:
        assert amount(None) == ""


class TestTimes:
    @pytest.mark.parametrize(
        ("seconds", "text"),
        [
            (2, "just now"),
            (42, "42 s ago"),
            (600, "10 min ago"),
            (7_800, "2 h 10 min ago"),
            (7_200, "2 h ago"),
            (90_000, "1 d 1 h ago"),
            (-300, "in 5 min"),
        ],
    )
    def test_ago_is_written_in_two_units(self, seconds: int, text: str) -> None:
        html = render("{% ago when %}", when=NOON - timedelta(seconds=seconds))

        assert f">{text}<" in html

    @pytest.mark.parametrize(("seconds", "text"), [(134, "2:14"), (59, "0:59"), (-5, "0:00")])
    def test_a_countdown_ends_at_nothing(self, seconds: int, text: str) -> None:
        html = render("{% countdown when %}", when=NOON + timedelta(seconds=seconds))

        assert f">{text}</time>" in html

    def test_the_exact_time_is_on_it(self) -> None:
        html = render("{% age when %}", when=NOON - timedelta(hours=1))

        assert "20 Nov 2026, 11:00:00 UTC" in html
        assert 'datetime="2026-11-20T11:00:00+00:00"' in html

    def test_a_moment_is_told_in_the_customers_zone(self) -> None:
        assert "20 Nov 2026, 07:00:00 EST" in moment(NOON, "America/New_York")
        assert "21:00:00" in clock(NOON, "Asia/Tokyo")

    @pytest.mark.parametrize(
        ("length", "text"),
        [
            (timedelta(milliseconds=80), "80 ms"),
            (timedelta(seconds=3.21), "3.2 s"),
            (timedelta(seconds=75), "1 min"),
            (None, ""),
        ],
    )
    def test_durations_are_as_exact_as_is_useful(self, length: timedelta | None, text: str) -> None:
        assert duration(length) == text


class TestText:
    def test_what_others_wrote_stays_text(self) -> None:
        html = render("{% copy_id value %}", value='"><img src=x onerror=alert(1)>')

        assert "<img" not in html

    def test_an_icon_is_hidden_from_readers(self) -> None:
        assert 'aria-hidden="true"' in render('{% icon "clock" %}')

    def test_an_unknown_icon_is_a_bug(self) -> None:
        with pytest.raises(FileNotFoundError):
            render('{% icon "no-such-icon" %}')
