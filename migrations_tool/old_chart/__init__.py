"""The old chart of accounts, and what takes the place of each of its records (R-96)."""

from migrations_tool.old_chart.sheet import SheetRow, sheet_of
from migrations_tool.old_chart.translation import Translation, translation_of
from migrations_tool.old_chart.version import version_of

__all__ = ["SheetRow", "Translation", "sheet_of", "translation_of", "version_of"]
