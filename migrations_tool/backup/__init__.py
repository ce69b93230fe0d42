"""The backup of the old connection: its chart, and the codings of every object (R-90, R-91)."""

from migrations_tool.backup.parts import records
from migrations_tool.backup.versions import latest

__all__ = ["latest", "records"]
