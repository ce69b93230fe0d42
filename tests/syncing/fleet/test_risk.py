"""The number that puts customers in order: what outranks what."""

from datetime import UTC, date, datetime, timedelta

from hypothesis import given
from hypothesis import strategies as st

from rampbridge.lib.money import Money
from syncing.queries.risk import BAND, RiskFacts, risk, worth

NOON = datetime(2026, 5, 14, 12, tzinfo=UTC)
MID_MONTH = date(2026, 5, 14)


def of(*, today: date = MID_MONTH, hours: float | None = None, **facts: object) -> float:
    oldest_at = None if hours is None else NOON - timedelta(hours=hours)
    return risk(RiskFacts(oldest_at=oldest_at, **facts), now=NOON, today=today)  # type: ignore[arg-type]


class TestOrder:
    def test_nothing_wrong_and_nothing_open_is_no_risk(self) -> None:
        assert of() == 0

    def test_a_broken_connection_outranks_everything_that_is_merely_late(self) -> None:
        worst_of_the_rest = of(
            today=date(2026, 5, 31), hours=5000, worth=1e9, needs_us=True, severity=2
        )

        assert of(severity=3) > worst_of_the_rest

    def test_a_blocked_customer_outranks_a_silent_one_and_that_a_paused_one(self) -> None:
        assert of(severity=5) > of(severity=4) > of(severity=3)

    def test_among_the_broken_more_money_and_age_come_first(self) -> None:
        assert of(severity=5, hours=9, worth=40_000) > of(severity=5, hours=1, worth=40)

    def test_our_move_outranks_the_customers(self) -> None:
        assert of(hours=2, needs_us=True) > of(hours=2, needs_customer=True) > of(hours=2)

    def test_three_for_412_000_outrank_300_for_900(self) -> None:
        assert of(hours=2, worth=412_000) > of(hours=2, worth=900)

    def test_what_is_past_its_time_outranks_what_is_not(self) -> None:
        assert of(hours=4.5) > of(hours=3.9) > of(hours=0.1)

    def test_counts_more_when_a_month_is_closed(self) -> None:
        facts = {"hours": 6.0, "worth": 5_000.0}

        assert of(today=date(2026, 4, 29), **facts) > of(today=date(2026, 4, 15), **facts)
        assert of(today=date(2026, 5, 5), **facts) > of(today=date(2026, 5, 6), **facts)

    @given(
        hours=st.floats(0, 10_000), more=st.floats(0, 10_000), dollars=st.floats(0, 1e12),
        extra=st.floats(0, 1e12), day=st.dates(date(2026, 1, 1), date(2026, 12, 31)),
    )  # fmt: skip
    def test_never_falls_as_things_get_worse_and_stays_in_its_band(
        self, hours: float, more: float, dollars: float, extra: float, day: date
    ) -> None:
        less = of(today=day, hours=hours, worth=dollars, needs_us=True)
        worse = of(today=day, hours=hours + more, worth=dollars + extra, needs_us=True)

        assert less <= worse < BAND


class TestWorth:
    def test_adds_up_currencies_roughly(self) -> None:
        sums = [Money(100_00, "USD", 2), Money(15_000, "JPY", 0)]

        assert 150 < worth(sums) < 250

    def test_takes_refunds_as_money_too_and_unknown_currencies_one_for_one(self) -> None:
        assert worth([Money(-70_00, "XTS", 2)]) == 70
