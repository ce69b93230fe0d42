import pytest

from bench.figures import Measured, Target
from bench.memory import slope
from bench.paired import interval, ratio
from bench.scaling import serial_share


class TestRatio:
    def test_is_the_median_of_the_pairs_and_lies_in_its_interval(self) -> None:
        measured = ratio([(10, 5), (12, 4), (9, 9)])

        assert measured.value == 2
        assert measured.interval is not None
        low, high = measured.interval
        assert 1 <= low <= 2 <= high <= 3

    def test_of_equal_pairs_leaves_no_doubt(self) -> None:
        assert interval([2.0] * 7) == (2, 2)


class TestInterval:
    @pytest.mark.parametrize(
        ("found", "reached"), [((11.5, 12.5), True), ((12.5, 13.5), True), ((10.5, 11.5), False)]
    )
    def test_misses_its_target_only_as_a_whole(
        self, found: tuple[float, float], *, reached: bool
    ) -> None:
        target = Target("B4", "why", at_least=12)

        assert target.is_reached(Measured(sum(found) / 2, interval=found)) is reached


class TestSerialShare:
    def test_is_found_again_in_what_it_makes_of_slots(self) -> None:
        speeds = [(n, 3 * n / (1 + 0.05 * (n - 1))) for n in (1, 2, 4, 8, 16, 32, 64)]

        assert serial_share(speeds) == pytest.approx(0.05)

    def test_is_none_where_each_slot_brings_as_much_as_the_first(self) -> None:
        assert serial_share([(1, 3.0), (8, 24.0), (64, 192.0)]) == 0


def test_a_slope_is_told_by_the_hour() -> None:
    assert slope([(0, 100.0), (1800, 101.0), (3600, 102.0)]) == pytest.approx(2)
