"""How often a connection is polled: inside Ramp's band, in the customer's time zone (R-78)."""

from dataclasses import replace
from datetime import UTC, date, datetime, timedelta

import pytest

from syncing.cadence import HOUR, Habits, next_poll_in, seconds_between

MONDAY = datetime(2026, 11, 16, 10, tzinfo=UTC)
SATURDAY = datetime(2026, 11, 21, 10, tzinfo=UTC)
SOMEBODY = Habits("UTC", spread=12_345)


@pytest.mark.parametrize(
    ("habits", "day", "hours"),
    [
        (SOMEBODY, MONDAY, 2),
        (replace(SOMEBODY, webhooks_work=True), MONDAY, 4),
        (replace(SOMEBODY, webhooks_work=True, is_busy=True), MONDAY, 1),
        (replace(SOMEBODY, is_missing_events=True), MONDAY, 1),
        (SOMEBODY, SATURDAY, 12),
        (replace(SOMEBODY, is_missing_events=True), SATURDAY, 12),
    ],
)
def test_the_pace_follows_the_need_inside_the_recommended_band(
    habits: Habits, day: datetime, hours: int
) -> None:
    assert seconds_between(day.date(), habits) == hours * HOUR


@pytest.mark.parametrize(
    ("day", "hours"),
    [
        (date(2026, 11, 27), 2),  # a Friday, the fourth day from the end
        (date(2026, 11, 30), 1),
        (date(2026, 12, 1), 1),
        (date(2026, 12, 3), 1),
        (date(2026, 12, 4), 2),
        (date(2027, 2, 26), 2),  # February has 28 days: its last two are the 27th and 28th
    ],
)
def test_the_turn_of_the_month_is_watched_closely(day: date, hours: int) -> None:
    assert seconds_between(day, SOMEBODY) == hours * HOUR


def test_slots_stand_still_however_long_a_pull_takes() -> None:
    slot = MONDAY + next_poll_in(SOMEBODY, now=MONDAY)

    assert next_poll_in(SOMEBODY, now=slot - timedelta(seconds=5)) == timedelta(seconds=5)
    assert next_poll_in(SOMEBODY, now=slot) == timedelta(hours=2), "never zero"


def test_the_weekend_is_the_customers_own() -> None:
    friday_evening = datetime(2026, 11, 20, 20, tzinfo=UTC)
    in_tokyo = Habits("Asia/Tokyo", spread=3 * HOUR)  # where it is Saturday, five in the morning

    assert next_poll_in(replace(in_tokyo, time_zone="UTC"), now=friday_evening) <= timedelta(
        hours=2
    )
    assert next_poll_in(in_tokyo, now=friday_evening) > timedelta(hours=2)


def test_monday_morning_does_not_wait_for_the_weekends_slot() -> None:
    late_on_sunday = datetime(2026, 11, 22, 23, tzinfo=UTC)
    habits = Habits("UTC", spread=11 * HOUR)  # whose next slot at a weekend's pace is at eleven

    assert next_poll_in(habits, now=late_on_sunday) == timedelta(hours=2)  # 01:00


def test_customers_do_not_ask_all_at_once() -> None:
    waits = {next_poll_in(Habits("UTC", spread=n * 977), now=MONDAY) for n in range(20)}

    assert len(waits) == 20


def test_a_pace_that_somebody_has_set_holds_on_every_day() -> None:
    assert next_poll_in(SOMEBODY, now=SATURDAY, every=30) <= timedelta(seconds=30)
