"""The rehearsal: real objects through the new mapping without posting, and who stands for it."""

from migrations_tool.rehearsal.signing import sign, withdraw

__all__ = ["sign", "withdraw"]
