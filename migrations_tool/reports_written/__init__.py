"""The reports that a migration leaves behind."""
