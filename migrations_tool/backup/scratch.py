"""A store that lives as long as one proof: the archive restored into it, to be compared with Ramp.

A temporary table of this session; whoever dies leaves nothing, and the next one restores again.
"""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass

from migrations_tool.backup.restored import Restored
from rampbridge.lib.statements import execute, rows


@dataclass(frozen=True, slots=True)
class Tally:
    """How the records of one kind in the archive compare with a second reading of Ramp."""

    restored: int = 0
    same: int = 0
    changed: int = 0
    """Restored to something else than what Ramp has now."""
    gone: int = 0
    """No longer listed."""
    late: int = 0
    """Listed now, and not when the archive read that list."""

    @property
    def moved(self) -> int:
        return self.changed + self.gone + self.late


@contextmanager
def scratch() -> Iterator[None]:
    """An empty store."""
    execute("DROP TABLE IF EXISTS pg_temp.archive_scratch", None)
    execute(
        """
        CREATE TEMPORARY TABLE archive_scratch (
            kind text, key text, digest bytea, is_late boolean DEFAULT false, seen bytea,
            PRIMARY KEY (kind, key)
        )
        """,
        None,
    )
    try:
        yield
    finally:
        execute("DROP TABLE IF EXISTS pg_temp.archive_scratch", None)


def restore(kind: str, records: Sequence[Restored], *, is_late: bool = False) -> None:
    """Bring records of the archive back. One that Ramp listed twice counts once."""
    execute(
        """
        INSERT INTO archive_scratch (kind, key, digest, is_late, seen)
        SELECT %(kind)s, s.key, s.digest, %(late)s, CASE WHEN %(late)s THEN s.digest END
        FROM unnest(%(keys)s::text[], %(digests)s::bytea[]) AS s(key, digest)
        ON CONFLICT DO NOTHING
        """,
        {"kind": kind, "late": is_late, **_columns(records)},
    )


def compare(kind: str, records: Sequence[Restored]) -> set[str]:
    """Note what Ramp has now. Returns the keys that the archive does not have."""
    found = rows(
        """
        WITH now AS (
            SELECT DISTINCT ON (key) key, digest
            FROM unnest(%(keys)s::text[], %(digests)s::bytea[]) AS s(key, digest)
        ), met AS (
            UPDATE archive_scratch a SET seen = now.digest FROM now
            WHERE a.kind = %(kind)s AND a.key = now.key
            RETURNING a.key
        )
        SELECT key FROM now WHERE key NOT IN (SELECT key FROM met)
        """,
        {"kind": kind, **_columns(records)},
    )
    return {key for (key,) in found}


def tallies() -> dict[str, Tally]:
    """By kind."""
    found = rows(
        """
        SELECT kind, count(*),
            count(*) FILTER (WHERE NOT is_late AND seen = digest),
            count(*) FILTER (WHERE NOT is_late AND seen <> digest),
            count(*) FILTER (WHERE NOT is_late AND seen IS NULL),
            count(*) FILTER (WHERE is_late)
        FROM archive_scratch GROUP BY kind ORDER BY kind
        """,
        None,
    )
    return {kind: Tally(*counts) for kind, *counts in found}


def digest_of(kind: str) -> str:
    """SHA-256 over what all records of a kind are restored to, whatever the order of the list."""
    ((digest,),) = rows(
        """
        SELECT encode(sha256(coalesce(string_agg(digest, '' ORDER BY key), '')), 'hex')
        FROM archive_scratch WHERE kind = %s
        """,
        [kind],
    )
    return str(digest)


def _columns(records: Sequence[Restored]) -> dict[str, object]:
    return {
        "keys": [one.key for one in records],
        "digests": [one.digest for one in records],
    }
