"""Step 3: what Ramp does by itself for the old connection, written down to be made anew (R-89)."""

from migrations_tool.rules.confirming import confirm, record_confirmation
from migrations_tool.rules.ticking import tick, untick

__all__ = ["confirm", "record_confirmation", "tick", "untick"]
