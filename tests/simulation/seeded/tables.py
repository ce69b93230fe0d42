"""What copies whole rows needs to know of the tables."""

from collections.abc import Sequence
from functools import cache

from syncing.statements import rows


@cache
def columns_of(table: str) -> Sequence[str]:
    """Its columns in their order, but for those that PostgreSQL fills itself."""
    found = rows(
        "SELECT column_name FROM information_schema.columns"
        " WHERE table_schema = 'public' AND table_name = %s AND is_generated = 'NEVER'"
        " ORDER BY ordinal_position",
        [table],
    )
    return [f'"{name}"' for (name,) in found]
