"""Set-based SQL for the vendor book: one statement, rows by name."""

from collections.abc import Mapping
from typing import Any

from django.db import connection as database

WANTED = "v.is_active AND v.gone_at IS NULL AND v.merged_into = ''"
"""Of vendors `v`: those that Ramp should have, and whom something can be linked to."""


def rows(sql: str, parameters: Mapping[str, Any]) -> list[dict[str, Any]]:
    """What a SELECT, or a RETURNING, gives."""
    with database.cursor() as cursor:
        cursor.execute(sql, parameters)
        names = [column.name for column in cursor.description or ()]
        return [dict(zip(names, row, strict=True)) for row in cursor.fetchall()]
