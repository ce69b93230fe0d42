"""How far Ramp's lists were read. Long ones are read in turns, and a crash costs a page (R-69)."""

import uuid
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any


@dataclass(slots=True)
class Reading:
    """One list of Ramp on one connection, of one entity or of all, and how far it was read."""

    list_name: str
    """As `Connection.object_types` names it."""
    began_at: datetime
    """When this reading began, perhaps turns ago: what was not seen since is not listed."""
    entity_id: uuid.UUID | None = None
    entity_name: str = ""
    cursor: str = ""
    """Where to go on; empty is the list's beginning."""
    pages: int = 0
    """Read so far, in all turns."""
    completed_at: datetime | None = None
    """When the list was last read to its end."""
    is_complete: bool = False
    problem: str = ""
    """Why Ramp does not list it. The next reading starts over."""

    @property
    def is_touched(self) -> bool:
        """Whether there is anything to keep."""
        return bool(self.pages or self.problem)

    def start_over(self, *, began_at: datetime) -> None:
        self.began_at = began_at
        self.cursor, self.pages = "", 0


def found(
    rows: Sequence[dict[str, Any]],
    list_names: Sequence[str],
    entities: Sequence[tuple[uuid.UUID | None, str]],
    *,
    now: datetime,
) -> list[Reading]:
    """A reading for each list of each entity: the one that was left off, or else a new one.

    :param rows: of `PullCursor`, as JSON
    :param entities: ids and names; a single None is all of them together
    """
    known = {(row["object_type"], row["entity_ramp_id"]): row for row in rows}
    return [
        _reading(name, entity_id, entity, known.get((name, entity_id and str(entity_id))), now)
        for name in list_names
        for entity_id, entity in entities
    ]


def _reading(
    name: str,
    entity_id: uuid.UUID | None,
    entity_name: str,
    row: dict[str, Any] | None,
    now: datetime,
) -> Reading:
    reading = Reading(name, now, entity_id, entity_name)
    if row is not None:
        reading.completed_at = _moment(row["completed_at"])
        began_at = _moment(row["began_at"])
        if began_at is not None:
            reading.began_at = began_at
            reading.cursor, reading.pages = row["cursor"], row["pages"]
    return reading


def _moment(text: str | None) -> datetime | None:
    return datetime.fromisoformat(text) if text else None


def values(readings: Sequence[Reading]) -> dict[str, Any]:
    """The parameters of `SAVE`."""
    touched = [one for one in readings if one.is_touched]
    over = [one.is_complete or bool(one.problem) for one in touched]
    return {
        "lists": [one.list_name for one in touched],
        "entities": [one.entity_id for one in touched],
        "cursors": [
            "" if is_over else one.cursor[:512] for one, is_over in zip(touched, over, strict=True)
        ],
        "begun": [
            None if is_over else one.began_at for one, is_over in zip(touched, over, strict=True)
        ],
        "pages": [one.pages for one in touched],
        "complete": [one.is_complete for one in touched],
        "problems": [one.problem[:300] for one in touched],
    }


SAVE = """
    INSERT INTO syncing_pullcursor AS c (connection_id, object_type, entity_ramp_id, cursor,
        began_at, pages, completed_at, problem)
    SELECT held.connection_id, r.list, r.entity, r.cursor, r.began_at, r.pages,
        CASE WHEN r.is_complete THEN now() END, r.problem
    FROM held, unnest(
        %(lists)s::text[], %(entities)s::uuid[], %(cursors)s::text[], %(begun)s::timestamptz[],
        %(pages)s::integer[], %(complete)s::boolean[], %(problems)s::text[]
    ) AS r(list, entity, cursor, began_at, pages, is_complete, problem)
    ON CONFLICT (connection_id, object_type, entity_ramp_id) DO UPDATE SET
        cursor = excluded.cursor, began_at = excluded.began_at, pages = excluded.pages,
        completed_at = coalesce(excluded.completed_at, c.completed_at),
        problem = excluded.problem
"""
"""Keeps readings for each `held.connection_id` of a query that holds the lease."""
