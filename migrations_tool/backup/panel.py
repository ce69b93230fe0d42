"""What the page of the backup shows."""

from dataclasses import dataclass
from typing import Any

from migrations_tool import proofs
from migrations_tool.backup import versions
from migrations_tool.backup.lists import CHART, LABELS, OBJECTS
from migrations_tool.models import Backup, ConnectionMigration

SHORT = 12
"""Letters of a checksum that people compare at a glance."""


@dataclass(frozen=True, slots=True)
class Kept:
    """One kind of records in the newest version, beside the version before."""

    label: str
    count: int
    before: int | None

    @property
    def difference(self) -> int | None:
        return None if self.before is None else self.count - self.before


@dataclass(frozen=True, slots=True)
class Version:
    """One version, as a line."""

    backup: Backup

    @property
    def total(self) -> int:
        return sum(self.backup.counts.values())

    @property
    def short_checksum(self) -> str:
        return self.backup.checksum[:SHORT]


def panel(migration: ConnectionMigration) -> dict[str, Any]:
    """One statement, however many records there are."""
    lines = [Version(one) for one in versions.newest_first(migration)]
    sealed = [one.backup for one in lines if one.backup.state == Backup.State.SEALED]
    newest = sealed[0] if sealed else None
    before = sealed[1] if len(sealed) > 1 else None
    return {
        "versions": lines,
        "newest": newest,
        "chart_kept": _kept(CHART, newest, before),
        "objects_kept": _kept(OBJECTS, newest, before),
        "test": proofs.newest(migration, "backup.verified"),
        "sealing": proofs.newest(migration, "backup.sealed"),
        "unfinished": versions.unfinished(migration),
    }


def _kept(kinds: Any, newest: Backup | None, before: Backup | None) -> list[Kept]:
    if newest is None:
        return []
    return [
        Kept(
            LABELS[kind],
            newest.counts.get(kind, 0),
            before.counts.get(kind, 0) if before else None,
        )
        for kind in kinds
    ]
