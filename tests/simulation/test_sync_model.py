"""The design, looked at from every side: safe as it is, and broken without any one of its parts."""

from functools import cache

import pytest

from syncing.states import TRANSITIONS, ItemState
from tests.simulation.sync_model import (
    KEY,
    LOOKUP,
    NOTHING,
    SAFE,
    Budget,
    Design,
    Verdict,
    check,
    without,
)

S = ItemState
TROUBLE = Budget(kills=2)
FAILOVER = Budget(people=0, refusals=0, failovers=1)
"""Commits are forgotten once, beside one kill, one lease that ends and one lost message."""
ENFORCES, SEARCHES, DOES_NEITHER = Design(KEY), Design(LOOKUP), Design(NOTHING)
EVERY_ERP = [ENFORCES, SEARCHES, DOES_NEITHER]

NOT_MODELLED = {
    (S.READY, S.POSTED): "a bill paid by card: no ERP is asked, so there is nothing to double",
    (S.READY, S.FAILED): "our own mapper refuses before anything is sent",
    (S.POSTING, S.MISMATCH): "two documents under one reference, which is what the model excludes",
    (S.POSTED, S.ACKED): "vendor credits: Ramp keeps no sync state, so nothing is reported",
    (S.ACKED, S.MISMATCH): "the document is changed in the ERP afterwards; reconciliation sees it",
    (S.FAILED, S.POSTED): "a person names a document that somebody else booked; nothing is sent",
    (S.REVIEW, S.EXTERNAL): "a person says that it was handled outside; nothing is sent",
    (S.EXTERNAL, S.READY): "a person takes it back on the page of the item",
    (S.EXTERNAL, S.REVIEW): "the same of one that nobody was sure of; nothing is sent",
    (S.WITHDRAWN, S.EXTERNAL): "only a pull decides between the two; nothing was sent",
    (S.MISMATCH, S.POSTED): "a person decides between two sides that disagree",
    (S.MISMATCH, S.ACKED): "a person decides between two sides that disagree",
}
"""Steps of the table that the model does not make, and why."""


@cache
def in_trouble(design: Design) -> Verdict:
    """Everything that a design may come to takes seconds to look at: once."""
    return check(design, TROUBLE)


@pytest.fixture(scope="module")
def used() -> set[tuple[ItemState, ItemState]]:
    """All steps that the safe designs made."""
    return set().union(*(in_trouble(design).used for design in EVERY_ERP))


@pytest.mark.parametrize("design", EVERY_ERP, ids=lambda design: design.erp)
def test_the_design_is_safe_with_any_erp(design: Design) -> None:
    verdict = in_trouble(design)

    assert verdict.what == SAFE, verdict.trace
    assert verdict.states > 10_000, "the budgets leave something to look at"


@pytest.mark.matrix("I5")
@pytest.mark.parametrize("design", EVERY_ERP, ids=lambda design: design.erp)
def test_it_stays_safe_when_the_database_forgets_commits(design: Design) -> None:
    assert check(design, FAILOVER).what == SAFE


@pytest.mark.parametrize(
    ("design", "budget", "what"),
    [
        (without(SEARCHES, "deadline"), TROUBLE, "doubled"),
        (without(SEARCHES, "settle"), TROUBLE, "doubled"),
        (without(SEARCHES, "intent"), TROUBLE, "doubled"),
        (without(SEARCHES, "lookup"), TROUBLE, "doubled"),
        (without(DOES_NEITHER, "lookup"), TROUBLE, "doubled"),
        (without(SEARCHES, "suspect"), FAILOVER, "doubled"),
        (without(DOES_NEITHER, "suspect"), FAILOVER, "doubled"),
        (without(SEARCHES, "token"), TROUBLE, "falls back"),
        (without(ENFORCES, "reread"), TROUBLE, "never ends"),
    ],
    ids=lambda value: str(value) if isinstance(value, str) else None,
)
def test_without_any_one_of_its_parts_it_is_not(design: Design, budget: Budget, what: str) -> None:
    verdict = check(design, budget)

    assert what in verdict.what
    assert len(verdict.trace) <= 14, "the shortest way there, to be read"


def test_an_erp_that_enforces_our_key_is_worth_more_than_all_of_it() -> None:
    bare = without(ENFORCES, "deadline", "settle")

    assert check(bare, Budget()).what == SAFE


class TestTheTable:
    def test_every_step_of_the_model_is_in_it(self, used: set[tuple[ItemState, ItemState]]) -> None:
        table = {(one, other) for one, others in TRANSITIONS.items() for other in others}

        assert used - table == set()

    def test_every_step_in_it_is_made_by_the_model_or_has_a_reason(
        self, used: set[tuple[ItemState, ItemState]]
    ) -> None:
        table = {(one, other) for one, others in TRANSITIONS.items() for other in others}

        assert table - used == NOT_MODELLED.keys()
