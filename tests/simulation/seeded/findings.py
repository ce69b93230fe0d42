"""What a run finds wrong, by the invariant that is broken."""

from collections import Counter
from dataclasses import dataclass, field


@dataclass
class Book:
    """What happened in one run, and what is wrong."""

    broken: list[tuple[str, str]] = field(default_factory=list)
    """The invariant, and what it is about."""
    faults: Counter[str] = field(default_factory=Counter)
    acts: Counter[str] = field(default_factory=Counter)
    """What people did."""
    ends: Counter[str] = field(default_factory=Counter)
    """By type of object and state, what it came to in the end."""
    calls: Counter[str] = field(default_factory=Counter)

    def breaks(self, invariant: str, what: str) -> None:
        self.broken.append((invariant, what))
