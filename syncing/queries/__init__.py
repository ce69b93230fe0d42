"""Reads for pages and the API: set-based, from the roll-up and partial indexes, never a COUNT."""

from syncing.queries.words import Word, word_for

__all__ = ["Word", "word_for"]
