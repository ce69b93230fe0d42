"""Exact counts of statements, small enough for every change. In full: `./run bench B8`."""

import pytest

from bench import statements_bulk, statements_single
from bench.service import Service

pytestmark = pytest.mark.django_db(transaction=True)

# What it takes today, and a few more: on a slow machine tokens of the rate limiter expire unused
# and are taken again. Lower them with every improvement; a rise needs a reason in its commit.
SINGLE = 40
BULK = 56
"""For 100 objects of one customer."""


class TestStatements:
    def test_of_a_page_full_are_no_more_than_they_were(self, service: Service) -> None:
        measured = statements_bulk.measure(service, objects=100)

        assert measured.details["statements"] <= BULK, measured.details

    def test_of_a_single_transaction_are_no_more_than_they_were(self, service: Service) -> None:
        measured = statements_single.measure(service)

        assert measured.value <= SINGLE, measured.details
