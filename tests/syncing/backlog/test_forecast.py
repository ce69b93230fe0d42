"""When the backlog clears, and what holds it up, in words."""

from datetime import UTC, datetime, timedelta

from syncing.backlog.forecast import Pressure, forecast

NOON = datetime(2026, 11, 22, 12, 0, tzinfo=UTC)


def pressure(**changes: object) -> Pressure:
    facts: dict[str, object] = {
        "moving": 140, "for_customers": 0, "for_us": 0, "arrived_per_hour": 10.0,
        "done_per_hour": 40.0,
    }  # fmt: skip
    return Pressure(**{**facts, **changes})  # type: ignore[arg-type]


class TestForecast:
    def test_says_when_it_clears(self) -> None:
        found = forecast(pressure(), now=NOON)

        assert found.clears_at == NOON + timedelta(hours=4, minutes=40)
        assert found.words == "Clears at 16:40 UTC at the current rate."

    def test_names_the_day_if_it_is_another(self) -> None:
        found = forecast(pressure(moving=900), now=NOON)

        assert found.words == "Clears on 23 Nov at 18:00 UTC at the current rate."

    def test_does_not_foretell_what_grows(self) -> None:
        found = forecast(pressure(arrived_per_hour=52.0), now=NOON)

        assert found.clears_at is None
        assert found.is_growing
        assert "12 more an hour arrive than go through" in found.words

    def test_tells_standing_still_from_growing(self) -> None:
        found = forecast(pressure(arrived_per_hour=40.0), now=NOON)

        assert not found.is_growing
        assert "as much arrives as goes through" in found.words

    def test_says_that_nothing_goes_through(self) -> None:
        found = forecast(pressure(done_per_hour=0.0, arrived_per_hour=0.0), now=NOON)

        assert found.words == "Nothing went through in the last hour."

    def test_does_not_look_months_ahead(self) -> None:
        found = forecast(pressure(moving=10**6), now=NOON)

        assert found.clears_at is None
        assert "more than 30 days" in found.words

    def test_leaves_people_out(self) -> None:
        found = forecast(pressure(moving=0, for_customers=3, for_us=1), now=NOON)

        assert found.is_clear
        assert found.waits_for_people
        assert found.words == "All that is left waits for people."
        assert found.limits == ("Blocked on customers: 3 items.", "Blocked on us: 1 item.")

    def test_is_content_with_nothing(self) -> None:
        assert forecast(pressure(moving=0), now=NOON).words == "Everything is through."

    def test_names_what_limits_it(self) -> None:
        later = NOON + timedelta(seconds=8)
        found = forecast(
            pressure(ramp_frozen_until=later, erps_at_limit=2, paused=1, ramp_share=0.5), now=NOON
        )

        assert found.limits == (
            "Ramp's budget: Ramp asked us to wait until 12:00:08 UTC.",
            "ERP concurrency: the ERP of 2 customers takes no more, or does not answer.",
            "Paused: 1 customer.",
        )

    def test_says_that_the_budget_is_low_after_a_refusal(self) -> None:
        found = forecast(pressure(ramp_share=0.5, ramp_frozen_until=NOON), now=NOON)

        assert found.limits == ("Ramp's budget: down to 50% since Ramp last refused us.",)
