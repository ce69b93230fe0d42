from rampbridge.lib.charts import (
    Part,
    columns_and_line,
    nice_ceiling,
    spark,
    stacked_bar,
    up_and_down,
)


class TestStackedBar:
    def test_shares_fill_the_width_in_proportion(self) -> None:
        rects = stacked_bar([Part("a", 3, "done"), Part("b", 1, "work")], gap=0)

        assert round(sum(rect.width for rect in rects)) == 100
        assert rects[0].width > 2.5 * rects[1].width
        assert rects[1].x == rects[0].width

    def test_a_small_share_stays_visible(self) -> None:
        rects = stacked_bar([Part("a", 1, "done"), Part("b", 100_000, "work")])

        assert rects[0].width >= 1

    def test_nothing_draws_nothing(self) -> None:
        assert stacked_bar([Part("a", 0, "done")]) == []


class TestColumnsAndLine:
    def test_columns_stand_on_the_axis_and_the_highest_fits(self) -> None:
        chart = columns_and_line([0, 5, 10], [1, 2, 3], ["a", "b", "c"], tone="neutral")

        bottoms = {round(rect.y + rect.height, 1) for rect in chart.rects}
        assert bottoms == {chart.height - 20}
        assert min(rect.y for rect in chart.rects) >= 0
        assert len(chart.line.split()) == 3

    def test_no_data_is_a_flat_chart(self) -> None:
        chart = columns_and_line([0, 0], [0, 0], ["a", "b"], tone="neutral")

        assert all(rect.height == 0 for rect in chart.rects)


def test_axes_end_at_numbers_that_read_well() -> None:
    assert [nice_ceiling(n) for n in (1, 3, 7, 11, 43, 999)] == [2, 4, 10, 20, 60, 1000]


class TestUpAndDown:
    def test_draws_what_went_well_upwards_and_what_did_not_downwards(self) -> None:
        up, down = up_and_down([[4, 0], [0, 2], [2, 1]], step=6, high=18, low=8)

        assert up == "M0 18v-18h4.5V18zM12 18v-9h4.5V18z"
        assert down == "M6 18v8h4.5V18zM12 18v4h4.5V18z"

    def test_one_of_anything_is_to_be_seen_beside_many(self) -> None:
        up, _ = up_and_down([[10_000, 0], [1, 0]])

        assert "v-1h" in up

    def test_nothing_draws_nothing(self) -> None:
        assert up_and_down([[0, 0]] * 14) == ("", "")


class TestSpark:
    def test_draws_bars_on_the_ground_and_a_line_where_there_is_nothing(self) -> None:
        chart = spark([0, 10, 5], step=4, height=20)

        assert chart.bars == "M4 20v-19h3v19zM8 20v-9.5h3v9.5z"
        assert chart.ground == "M0 20v-1h3v1z"
        assert (chart.total, chart.view_box) == (15, "0 0 12 20")

    def test_one_of_anything_is_to_be_seen_beside_many(self) -> None:
        assert "v-2h" in spark([10_000, 1]).bars

    def test_nothing_is_a_line_alone(self) -> None:
        assert spark([0, 0]).bars == ""
