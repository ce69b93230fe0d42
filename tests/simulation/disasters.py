"""What befalls all processes at once, between the kills of single ones."""

import itertools
from collections import Counter
from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from tests.simulation.forks import ForkServer
    from tests.simulation.power import Power

STOPPED, FLUSHED = "PostgreSQL stopped hard", "broker flushed"
ROLLED, FORGOTTEN = "rolling restart", "PostgreSQL fell back"
ORDER = (FLUSHED, STOPPED, ROLLED, FORGOTTEN)
"""What is forgotten is what was committed between the second and the last."""
FEWEST_KILLS, MOST_KILLS = 25, 150
"""Between two disasters."""


class Disasters:
    """One after the other, so that a run has each of them once at least."""

    def __init__(self, forks: "ForkServer", power: "Power", *, kills: int) -> None:
        self._happen: Mapping[str, Callable[[], None]] = {
            FLUSHED: forks.flush,
            STOPPED: power.fail,
            ROLLED: forks.roll,
            FORGOTTEN: power.fall_back,
        }
        self._every = min(MOST_KILLS, max(FEWEST_KILLS, kills // (len(ORDER) + 2)))
        self._coming = itertools.cycle(ORDER)
        self._next_at = self._every
        self.had: Counter[str] = Counter()

    def strike(self, kills: int) -> str:
        """Have the next one happen if it is time to. Returns which it was, or an empty text."""
        if kills < self._next_at:
            return ""
        self._next_at = kills + self._every
        name = next(self._coming)
        self._happen[name]()
        self.had[name] += 1
        return name

    def all_had(self) -> bool:
        """Whether each has happened."""
        return self.had.keys() == set(ORDER)
