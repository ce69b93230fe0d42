"""Exact counts, small enough for every change. The whole benchmarks are `./run bench`."""

import pytest

from bench import calls, http_against_naive, statements_bulk, statements_single
from bench.service import Service

pytestmark = pytest.mark.django_db(transaction=True)

# What it takes today, and a few more: on a slow machine tokens of the rate limiter expire unused
# and are taken again. Lower them with every improvement; a rise needs a reason in its commit.
SINGLE = 51
BULK = 62
"""For 100 objects of one customer."""


class TestCalls:
    def test_to_ramp_are_the_fewest_possible(self, service: Service) -> None:
        measured = calls.measure(service, ready=(0, 100, 101))

        assert measured.value == 1
        assert measured.details["made"] == {
            "GET /transactions": 4 + 3,
            "GET /reimbursements": 2 * 3,
            "GET /bills": 3,
            "GET /transfers": 3,
            "GET /cashbacks": 3,
            "GET /vendors/credits": 3,
            "POST /accounting/syncs": 2,
        }

    def test_are_a_third_of_the_naive_loops(self, service: Service) -> None:
        measured = http_against_naive.measure(service, objects=50)

        # 50 documents, one page, one report; the loop also takes its token
        assert measured.details["ours_per_object"] == 52 / 50
        assert measured.details["naive_per_object"] == 151 / 50


class TestStatements:
    def test_of_a_page_full_are_no_more_than_they_were(self, service: Service) -> None:
        measured = statements_bulk.measure(service, objects=100)

        assert measured.details["statements"] <= BULK, measured.details

    def test_of_a_single_transaction_are_no_more_than_they_were(self, service: Service) -> None:
        measured = statements_single.measure(service)

        assert measured.value <= SINGLE, measured.details
