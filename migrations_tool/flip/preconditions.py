"""What Ramp asks for before it lets a connection be marked ready to migrate to (R-98).

Pure: everything is told from the list of the business's connections, as Ramp gives it. The words
say what to do, because Ramp's own refusal is not documented.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from uuid import UUID

from connections.ramp.schemas import AccountingConnection


@dataclass(frozen=True, slots=True)
class Precondition:
    """One condition, as it stands in Ramp."""

    code: str
    title: str
    is_met: bool
    words: str
    """What was seen."""
    fix: str = ""
    """What to do, if it is not met."""


def preconditions(
    connections: Sequence[AccountingConnection],
    new_id: UUID | None,
    *,
    old_id: UUID | None = None,
    was_marked_by_us: bool = False,
) -> list[Precondition]:
    """The four of Ramp's guide, and before them that ours is not the one to be left (R-93, C5).

    :param new_id: our inactive connection; None if none was made
    :param old_id: the connection that was active when the migration began
    :param was_marked_by_us: it is marked already, and it was this migration that did it
    """
    ours = next((one for one in connections if one.id == new_id), None)
    others = [one for one in connections if one.id != new_id]
    return [
        _not_the_incumbent(ours, new_id, old_id),
        _inactive_api(ours),
        _something_to_leave(others),
        _not_marked(ours, was_marked_by_us=was_marked_by_us),
        _no_other(others),
    ]


def unmet(conditions: Sequence[Precondition]) -> str:
    """What is not met and what to do about it, in words; empty if all is well."""
    return " ".join(f"{one.words} {one.fix}" for one in conditions if not one.is_met)


def name_of(connection: AccountingConnection) -> str:
    """As the customer's people know it."""
    return connection.remote_provider_name or connection.connection_type.title() or "Without a name"


def _not_the_incumbent(
    ours: AccountingConnection | None, new_id: UUID | None, old_id: UUID | None
) -> Precondition:
    code, title = "not_the_incumbent", "Ours is not the connection that is to be left"
    fix = "Take back step 6 and create the inactive connection anew. Do not mark anything ready."
    if new_id is not None and new_id == old_id:
        said = "Ramp gave the old connection in place of a new one when ours was created."
        return Precondition(code, title, is_met=False, words=said, fix=fix)
    if ours is None:
        said = "Ramp lists no connection of ours."
        return Precondition(code, title, is_met=False, words=said, fix=fix)
    said = f"Ours is {name_of(ours)}, and it is another one than the old connection."
    return Precondition(code, title, is_met=True, words=said)


def _inactive_api(ours: AccountingConnection | None) -> Precondition:
    code, title = "inactive_api", "Ours is an inactive API connection"
    if ours is None:
        said = "Ramp does not list it."
        fix = "Go back to step 6 and create the inactive connection."
        return Precondition(code, title, is_met=False, words=said, fix=fix)
    if not ours.is_api:
        said = f"{name_of(ours)} is of the kind {ours.connection_type}, not API."
        fix = "Take back step 6 and create it as an API connection."
        return Precondition(code, title, is_met=False, words=said, fix=fix)
    if ours.is_live:
        said = f"{name_of(ours)} is active already: the customer has switched to it."
        fix = "Do not mark it again. Check the switch instead."
        return Precondition(code, title, is_met=False, words=said, fix=fix)
    return Precondition(code, title, is_met=True, words=f"{name_of(ours)} is inactive, type API.")


def _something_to_leave(others: Sequence[AccountingConnection]) -> Precondition:
    code, title = "another_active", "Another connection is active, to be left"
    live = [name_of(one) for one in others if one.is_live]
    if live:
        return Precondition(
            code, title, is_met=True, words=f"{', '.join(live)} is active until the switch."
        )
    said = "No other connection is active, so there is nothing to switch from."
    fix = (
        "Ask the customer whether they have disconnected the old provider. If they want to stay"
        " without it, end this migration and start one on the path for a fresh connection."
    )
    return Precondition(code, title, is_met=False, words=said, fix=fix)


def _not_marked(ours: AccountingConnection | None, *, was_marked_by_us: bool) -> Precondition:
    code, title = "not_marked", "Ours is not marked ready yet"
    if ours is None or not ours.is_ready_to_migrate:
        return Precondition(code, title, is_met=True, words="It is not marked.")
    if was_marked_by_us:
        return Precondition(code, title, is_met=True, words="It is marked, by this migration.")
    said = "Somebody else has marked it ready before this migration did."
    fix = (
        "Find out who did, and whether the customer has been told to switch. Then take back step 6"
        " and create another one."
    )
    return Precondition(code, title, is_met=False, words=said, fix=fix)


def _no_other(others: Sequence[AccountingConnection]) -> Precondition:
    code, title = "no_other_migration", "No other migration is in progress"
    marked = [name_of(one) for one in others if one.is_ready_to_migrate]
    if not marked:
        return Precondition(code, title, is_met=True, words="No other connection is marked ready.")
    said = f"{', '.join(marked)} is marked ready too: another migration is in progress."
    fix = (
        "Ask the customer which one they mean. The other one has to be switched to and left again,"
        " or given up by Ramp's support, before ours can be marked."
    )
    return Precondition(code, title, is_met=False, words=said, fix=fix)
