"""Every type of object that Ramp can sync, as the engine sees it."""

from collections.abc import Mapping

from syncing.kinds.base import Kind, Scope, Snapshot, Standing
from syncing.kinds.transactions import TRANSACTION

__all__ = ["KINDS", "Kind", "Scope", "Snapshot", "Standing", "kind_of"]

KINDS: Mapping[str, Kind] = {kind.object_type: kind for kind in (TRANSACTION,)}
"""By object type, in the order that lists are read."""


def kind_of(object_type: str) -> Kind:
    """The kind of an item.

    :raises KeyError: if no type of that name is synced
    """
    return KINDS[object_type]
