"""New, ongoing, regressed, snoozed, resolved: what follows from what."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from syncing.queries.group_states import LOOKS, Facts, GroupState, open_since, state_of

NOW = datetime(2026, 11, 20, 12, tzinfo=UTC)
DAY = timedelta(days=1)


def at(days: float) -> datetime:
    return NOW - days * DAY


@pytest.mark.parametrize(
    ("facts", "state"),
    [
        ({"first_seen_at": at(0.5)}, GroupState.NEW),
        ({"first_seen_at": at(1)}, GroupState.ONGOING),
        ({"first_seen_at": at(90)}, GroupState.ONGOING),
        ({"first_seen_at": at(0.5), "open_items": 0}, GroupState.RESOLVED),
        ({"open_items": 0, "is_snoozed": True}, GroupState.RESOLVED),
        ({"open_items": 0, "regressed_at": at(1)}, GroupState.RESOLVED),
        ({"is_snoozed": True}, GroupState.SNOOZED),
        ({"is_snoozed": True, "regressed_at": at(1)}, GroupState.SNOOZED),
        ({"regressed_at": at(1), "resolved_at": at(2)}, GroupState.REGRESSED),
        ({"regressed_at": at(1)}, GroupState.REGRESSED),
        ({"regressed_at": at(7), "resolved_at": at(8)}, GroupState.ONGOING),
        ({"resolved_at": at(30)}, GroupState.REGRESSED),
        ({"regressed_at": at(0.1), "first_seen_at": at(0.5)}, GroupState.REGRESSED),
    ],
    ids=repr,
)
def test_the_state_follows_from_the_facts(facts: dict[str, Any], state: GroupState) -> None:
    standing: dict[str, Any] = {"open_items": 1, "first_seen_at": at(30), **facts}

    assert state_of(Facts(**standing), NOW) is state


def test_every_state_has_a_look() -> None:
    assert set(LOOKS) == set(GroupState)


def test_its_age_counts_from_when_it_came_back() -> None:
    back = Facts(open_items=1, first_seen_at=at(90), resolved_at=at(20), regressed_at=at(2))

    assert open_since(back) == at(2)
    assert open_since(Facts(open_items=1, first_seen_at=at(90), resolved_at=at(20))) == at(20)
    assert open_since(Facts(open_items=1, first_seen_at=at(90))) == at(90)
