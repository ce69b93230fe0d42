"""Draining the old connection: what is still ready there does not survive the switch (R-88)."""
