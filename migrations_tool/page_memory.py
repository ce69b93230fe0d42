"""What a page has read of a migration already, for its gates and its panel ask for the same.

A worker's migration has no such memory, so that it always reads what is true now.
"""

from collections.abc import Callable
from typing import TypeVar

from migrations_tool.models import ConnectionMigration

_MEMORY = "_page_memory"
_Read = TypeVar("_Read")


def begin(migration: ConnectionMigration) -> None:
    """Remember from now on, for as long as this object of the migration lives."""
    vars(migration)[_MEMORY] = {}


def once(migration: ConnectionMigration, what: str, read: Callable[[], _Read]) -> _Read:
    """What is read; on a page what was read the first time."""
    memory: dict[str, _Read] | None = vars(migration).get(_MEMORY)
    if memory is None:
        return read()
    if what not in memory:
        memory[what] = read()
    return memory[what]
