"""The rows of migrations."""

from migrations_tool.models.archive import Backup, BackupPart, FormerCoding
from migrations_tool.models.migration import (
    ConnectionMigration,
    Evidence,
    Presence,
    StepRecord,
    StepRun,
    Waiver,
    Watch,
)
from migrations_tool.models.preparing import (
    BillInFlight,
    DrainReading,
    OldRecord,
    Rule,
    Screenshot,
)
from migrations_tool.models.proving import (
    CanaryObject,
    CodingComparison,
    RehearsedObject,
    Report,
    ShareLink,
    Signature,
    WatchedHour,
)

__all__ = [
    "Backup",
    "BackupPart",
    "BillInFlight",
    "CanaryObject",
    "CodingComparison",
    "ConnectionMigration",
    "DrainReading",
    "Evidence",
    "FormerCoding",
    "OldRecord",
    "Presence",
    "RehearsedObject",
    "Report",
    "Rule",
    "Screenshot",
    "ShareLink",
    "Signature",
    "StepRecord",
    "StepRun",
    "Waiver",
    "Watch",
    "WatchedHour",
]
