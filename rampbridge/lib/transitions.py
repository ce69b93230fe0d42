"""A state machine as a table: which steps are allowed. The database's trigger holds rows to it."""

from collections.abc import Mapping, Set
from typing import TypeVar

State = TypeVar("State")

Transitions = Mapping[State, Set[State]]
"""From each state, the states it may go to next."""
