"""Find an item by whatever somebody has in hand: exact things first, then words."""

from syncing.queries.search.asked import LONGEST, asked
from syncing.queries.search.finding import Found, Hits, find
from syncing.queries.search.statements import Scope
from syncing.queries.search.telling import tried, why

__all__ = ["LONGEST", "Found", "Hits", "Scope", "asked", "find", "tried", "why"]
