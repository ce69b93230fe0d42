"""Series over time as geometry."""

import re

from rampbridge.lib.time_charts import Outlook, stacked_areas, two_lines

NUMBER = re.compile(r"-?\d+(?:\.\d+)?")


def xs(path: str) -> list[float]:
    return [float(one) for one in NUMBER.findall(path)[::2]]


def ys(path: str) -> list[float]:
    return [float(one) for one in NUMBER.findall(path)[1::2]]


class TestStackedAreas:
    def test_lie_upon_each_other(self) -> None:
        drawn = stacked_areas([("old", [2, 2]), ("young", [4, 8])], ["1", "2"])

        old, young = drawn.areas
        assert drawn.frame.ceiling == 10
        assert ys(old.path)[:2] == ys(young.path)[:1:-1][:2] == [drawn.frame.y(2)] * 2
        assert ys(young.path)[:2] == [drawn.frame.y(6), drawn.frame.y(10)]

    def test_leave_a_gap_where_nobody_measured(self) -> None:
        drawn = stacked_areas([("a", [1, 1, None, 1, 1])], list("12345"))

        (area,) = drawn.areas
        assert area.path.count("M") == 2
        assert drawn.frame.x(2) not in xs(area.path)

    def test_show_a_single_point_as_wide_as_can_be_seen(self) -> None:
        drawn = stacked_areas([("a", [None] * 399 + [7])], [str(n) for n in range(400)])

        (area,) = drawn.areas
        assert max(xs(area.path)) - min(xs(area.path)) > 1
        assert max(xs(area.path)) <= drawn.frame.width

    def test_draw_nothing_of_an_empty_layer(self) -> None:
        drawn = stacked_areas([("a", [0, 0]), ("b", [1, 1])], ["1", "2"])

        assert [bool(area.path) for area in drawn.areas] == [False, True]

    def test_draw_the_threshold_on_top_of_what_is_too_old(self) -> None:
        drawn = stacked_areas([("a", [1, 2]), ("b", [1, 1])], ["1", "2"], threshold_over=1)

        assert ys(drawn.threshold) == [drawn.frame.y(1), drawn.frame.y(2)]

    def test_label_no_more_slots_than_there_is_room_for(self) -> None:
        drawn = stacked_areas([("a", [1] * 400)], [str(n) for n in range(400)])

        assert len(drawn.frame.x_ticks) <= 8
        assert drawn.frame.x_ticks[-1].label == "399"

    def test_of_nothing_are_an_empty_frame(self) -> None:
        drawn = stacked_areas([("a", [])], [])

        assert drawn.areas[0].path == ""
        assert drawn.frame.x_ticks == []


class TestTwoLines:
    def test_share_a_scale(self) -> None:
        drawn = two_lines([1, 9], [4, 4], ["1", "2"])

        assert drawn.frame.ceiling == 10
        assert drawn.first == [
            f"{drawn.frame.x(0)},{drawn.frame.y(1)} {drawn.frame.x(1)},{drawn.frame.y(9)}"
        ]

    def test_shade_where_more_comes_than_goes(self) -> None:
        assert two_lines([1, 9], [4, 4], ["1", "2"]).between
        assert not two_lines([1, 2], [4, 4], ["1", "2"]).between

    def test_go_on_as_foretold(self) -> None:
        outlook = Outlook(slots=3, first=2, second=4, over_after=1.5, label="clears 16:40")
        drawn = two_lines([2, 2], [4, 4], ["1", "2"], outlook=outlook)

        assert drawn.frame.slots == 5
        assert drawn.ahead is not None
        assert drawn.ahead.second.endswith(f"{drawn.frame.x(4)},{drawn.frame.y(4)}")
        assert drawn.ahead.meets is not None
        assert drawn.ahead.meets.at == drawn.frame.x(2.5)

    def test_do_not_mark_an_end_beyond_the_drawing(self) -> None:
        outlook = Outlook(slots=3, first=2, second=4, over_after=9, label="far away")

        drawn = two_lines([2, 2], [4, 4], ["1", "2"], outlook=outlook)

        assert drawn.ahead is not None
        assert drawn.ahead.meets is None

    def test_are_broken_where_nobody_measured(self) -> None:
        drawn = two_lines([1, None, 3], [1, None, 1], ["1", "2", "3"])

        assert len(drawn.first) == len(drawn.second) == 2
