"""A state machine as a table: which steps are allowed."""

from collections.abc import Mapping, Set
from typing import TypeVar

State = TypeVar("State")

Transitions = Mapping[State, Set[State]]
"""From each state, the states it may go to next."""


class IllegalTransition(Exception):
    """A step that the table does not allow. A bug, never a message for a customer."""


def check(table: Transitions[State], before: State, after: State) -> None:
    """Return if the step is allowed.

    :raises IllegalTransition: if it is not, naming both states
    """
    if after not in table.get(before, frozenset()):
        raise IllegalTransition(f"{before} may not become {after}.")
