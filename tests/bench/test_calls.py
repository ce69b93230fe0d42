"""Exact counts of calls, small enough for every change. The whole benchmarks are `./run bench`."""

from collections.abc import Iterator

import pytest

from bench import (
    bad_rows,
    calls,
    calls_with_faults,
    chart_bad_row,
    chart_changed,
    chart_first,
    chart_preload,
    chart_resumed,
    chart_unchanged,
    http_calls,
)
from bench.service import Service
from bench.virtual_service import VirtualService, virtual_service

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def virtual() -> Iterator[VirtualService]:
    with virtual_service() as service:
        yield service


class TestCallsToRamp:
    def test_are_the_fewest_possible(self, virtual: VirtualService) -> None:
        measured = calls.measure(virtual, counts=(0, 3, 130))

        assert measured.value == 1, measured.details

    def test_are_hardly_more_while_ramp_is_ill(self, virtual: VirtualService) -> None:
        measured = calls_with_faults.measure(virtual, counts=(0, 20, 200))

        assert measured.details["failed"] > 0
        assert measured.value <= 1.25, measured.details

    def test_to_find_bad_rows_are_no_more_than_by_halving(self, virtual: VirtualService) -> None:
        most = {1: 18, 10: 89}  # 2 k log2(200 / k) + 2

        measured = bad_rows.measure(virtual, objects=200, most=most)

        assert measured.value <= 1, measured.details


class TestCallsPerObject:
    def test_are_a_seventh_of_an_existing_tools(self, service: Service) -> None:
        measured = http_calls.measure(service, objects=50)

        # 50 documents, one page, one report; the tool also takes a token for its list
        assert measured.details["ours_per_object"] == 52 / 50
        assert measured.details["theirs_per_object"] == 352 / 50


class TestCallsForAChart:
    def test_are_the_fewest_possible_the_first_time(self, virtual: VirtualService) -> None:
        measured = chart_first.measure(virtual, vendors=1300, options=600)

        assert measured.details["fewest"] == 1 + 3 + 2
        assert sum(measured.details["made"].values()) == 6 + 1, "and one asks for the seat"

    def test_are_the_fewest_possible_onto_an_inactive_connection(
        self, virtual: VirtualService
    ) -> None:
        measured = chart_preload.measure(virtual, accounts=700, options=1100, vendors=1200)

        writes = {name for name in measured.details["made"] if not name.startswith("GET")}
        assert measured.value == 1, measured.details
        assert len(writes) == 4, "accounts, fields, options, vendors"

    def test_are_none_where_nothing_has_changed(self, virtual: VirtualService) -> None:
        assert chart_unchanged.measure(virtual, vendors=300, options=30).value == 0

    def test_are_one_for_each_change(self, virtual: VirtualService) -> None:
        measured = chart_changed.measure(virtual, vendors=600, options=200)

        assert measured.details["changed"] == 8
        assert sum(measured.details["made"].values()) == 8 + 1, "and one asks for the seat"

    def test_are_not_made_twice_by_whoever_goes_on(self, virtual: VirtualService) -> None:
        measured = chart_resumed.measure(virtual, vendors=3500, options=600)

        assert measured.value == 0, measured.details

    def test_to_find_a_bad_record_are_those_of_halving(self, virtual: VirtualService) -> None:
        assert chart_bad_row.measure(virtual).value <= 1
