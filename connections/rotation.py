"""Wrap every secret anew under the first encryption key, while everything goes on working."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from connections.secrets import SEALED_COLUMNS, SealedRow, context_of
from rampbridge.lib import encryption


@dataclass(frozen=True, slots=True)
class Rotated:
    """What was done to one column."""

    name: str
    """Of its table and itself: "Credential.sealed"."""
    rewrapped: int
    current: int
    """Were under the first key already."""
    unopened: Sequence[str]
    """Rows that no configured key opens, or that are damaged: as they were."""


def rotate() -> Iterator[Rotated]:
    """Column by column, row by row. Done again, it finds nothing left to do.

    Each row is exchanged only for what was read of it, so that a secret that is saved meanwhile
    is never overwritten; no row is locked longer than that takes.
    """
    for model, column in SEALED_COLUMNS:
        yield _rotate_column(model, column)


def _rotate_column(model: type[SealedRow], column: str) -> Rotated:
    rewrapped = current = 0
    unopened = []
    for pk in model.objects.exclude(**{column: b""}).order_by("pk").values_list("pk", flat=True):
        try:
            if _rotate_row(model, column, pk):
                rewrapped += 1
            else:
                current += 1
        except encryption.CannotOpen as error:
            unopened.append(f"{model.__name__} {pk}: {error}")
    return Rotated(f"{model.__name__}.{column}", rewrapped, current, unopened)


def _rotate_row(model: type[SealedRow], column: str, pk: Any) -> bool:
    """Whether it had to be wrapped anew. Comes to an end: who was quicker has got further."""
    rows = model.objects.filter(pk=pk)
    while (row := rows.first()) is not None:
        blob = bytes(getattr(row, column))
        if not blob or not encryption.needs_rotation(blob):
            return False
        fresh = encryption.rewrap(blob, context=context_of(row, column))
        if rows.filter(**{column: blob}).update(**{column: fresh}):
            return True
    return False
