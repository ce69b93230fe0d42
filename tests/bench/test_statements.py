"""Exact counts of statements, small enough for every change. In full: `./run bench B8`."""

import pytest

from bench import statements_bulk, statements_single
from bench.service import Service
from syncing import tasks

pytestmark = pytest.mark.django_db(transaction=True)

# What it takes today, without what a slow machine sends more of. Lower them with every improvement;
# a rise needs a reason in its commit.
SINGLE = 15
BULK = 54
"""For 100 objects of one customer."""


@pytest.fixture(autouse=True)
def _turns_without_end(monkeypatch: pytest.MonkeyPatch) -> None:
    """A machine that is busy with other things would need another turn for the same work."""
    monkeypatch.setattr(tasks, "TURN_SECONDS", 600.0)


class TestStatements:
    def test_of_a_page_full_are_no_more_than_they_were(self, service: Service) -> None:
        measured = statements_bulk.measure(service, objects=100)

        statements = measured.details["statements"] - measured.details["by_the_clock"]
        assert statements <= BULK, measured.details

    def test_of_a_single_transaction_are_no_more_than_they_were(self, service: Service) -> None:
        measured = statements_single.measure(service)

        assert measured.value - measured.details["by_the_clock"] <= SINGLE, measured.details
