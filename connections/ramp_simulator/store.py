"""Keeps every record across a kill: one SQLite commit per call that changed something."""

import sqlite3
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Protocol

RowKey = tuple[str, str]


class Store(Protocol):
    """Where records survive the process."""

    def write(self, changes: Mapping[RowKey, bytes | None]) -> None:
        """Keep these rows in one commit; None removes a row."""

    def rows(self) -> Iterator[tuple[str, str, bytes]]:
        """Every kept row as kind, id and body, in no particular order."""

    def close(self) -> None: ...


class NoStore:
    """Nothing outlives the process."""

    def write(self, changes: Mapping[RowKey, bytes | None]) -> None:
        pass

    def rows(self) -> Iterator[tuple[str, str, bytes]]:
        return iter(())

    def close(self) -> None:
        pass


class SqliteStore:
    """A file that holds what has been answered.

    A killed process loses nothing, because the operating system has the pages at commit; only a
    machine that loses power could lose the last moments, and a simulator may.
    """

    def __init__(self, path: Path) -> None:
        path.parent.mkdir(parents=True, exist_ok=True)
        self._database = sqlite3.connect(path, check_same_thread=False, isolation_level=None)
        self._database.execute("PRAGMA journal_mode = WAL")
        self._database.execute("PRAGMA synchronous = NORMAL")
        self._database.execute(
            "CREATE TABLE IF NOT EXISTS record"
            " (kind TEXT, id TEXT, body BLOB, PRIMARY KEY (kind, id)) WITHOUT ROWID"
        )

    def write(self, changes: Mapping[RowKey, bytes | None]) -> None:
        kept = [(*key, body) for key, body in changes.items() if body is not None]
        removed = [key for key, body in changes.items() if body is None]
        self._database.execute("BEGIN IMMEDIATE")
        self._database.executemany("INSERT OR REPLACE INTO record VALUES (?, ?, ?)", kept)
        self._database.executemany("DELETE FROM record WHERE kind = ? AND id = ?", removed)
        self._database.execute("COMMIT")

    def rows(self) -> Iterator[tuple[str, str, bytes]]:
        yield from self._database.execute("SELECT kind, id, body FROM record")

    def close(self) -> None:
        self._database.close()
