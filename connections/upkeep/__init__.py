"""Keeping a connection in order: its seat in Ramp, its switches, its health, its credentials."""
