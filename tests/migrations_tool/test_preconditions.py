"""The conditions of marking ready, told from Ramp's list of connections (R-98)."""

from uuid import UUID

import pytest

from connections.ramp.schemas import AccountingConnection
from migrations_tool.flip.preconditions import preconditions, unmet

OLD = UUID(int=1)
NEW = UUID(int=2)
OTHER = UUID(int=3)


def one(id_: UUID, name: str, **changes: object) -> AccountingConnection:
    facts = {
        "id": str(id_),
        "remote_provider_name": name,
        "connection_type": "API",
        "is_active": False,
        "is_ready_to_migrate": False,
        "status": "unlinked",
        "settings": None,
    }
    return AccountingConnection.read(facts | changes)


old = one(OLD, "Old Books", connection_type="DIRECT", is_active=True, status="linked")
new = one(NEW, "Tryton by Rampbridge")


def test_all_are_met_by_an_inactive_api_connection_beside_the_active_one() -> None:
    conditions = preconditions([old, new], NEW, old_id=OLD)

    assert [each.is_met for each in conditions] == [True] * 5
    assert unmet(conditions) == ""


@pytest.mark.parametrize(
    ("connections", "code", "words", "fix"),
    [
        ([old], "inactive_api", "Ramp does not list it", "create the inactive connection"),
        (
            [old, one(NEW, "Ours", connection_type="CSV")],
            "inactive_api",
            "of the kind CSV",
            "create it as an API connection",
        ),
        (
            [one(OLD, "Old Books"), one(NEW, "Ours", is_active=True)],
            "inactive_api",
            "active already",
            "Check the switch",
        ),
        (
            [one(OLD, "Old Books"), new],
            "another_active",
            "nothing to switch from",
            "fresh connection",
        ),
        (
            [old, one(NEW, "Ours", is_ready_to_migrate=True)],
            "not_marked",
            "Somebody else has marked it",
            "Find out who",
        ),
        (
            [old, new, one(OTHER, "Rival Books", is_ready_to_migrate=True)],
            "no_other_migration",
            "Rival Books is marked ready too",
            "Ask the customer which one",
        ),
    ],
)
def test_each_that_is_not_met_says_what_to_do(
    connections: list[AccountingConnection], code: str, words: str, fix: str
) -> None:
    conditions = preconditions(connections, NEW, old_id=OLD)

    found = next(each for each in conditions if each.code == code)
    assert not found.is_met
    assert words in found.words
    assert fix in found.fix
    assert words in unmet(conditions)


def test_the_incumbent_is_refused_when_ramp_gave_it_in_place_of_a_new_one() -> None:
    conditions = preconditions([old], OLD, old_id=OLD)

    assert not conditions[0].is_met
    assert "old connection in place of a new one" in conditions[0].words
    assert "create the inactive connection anew" in conditions[0].fix


def test_a_repeat_after_our_own_marking_is_fine() -> None:
    marked = one(NEW, "Ours", is_ready_to_migrate=True)

    assert unmet(preconditions([old, marked], NEW, old_id=OLD, was_marked_by_us=True)) == ""
