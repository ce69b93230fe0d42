"""What this process has counted and timed, until somebody writes it down.

Counting is an entry in a dictionary, so it may stand on any path. A process keeps figures for
seconds only: `syncing.metrics.writing` takes them off and adds them to rows that all processes
share and that outlive all of them.
"""

import os
from bisect import bisect_left
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from threading import Lock
from typing import NamedTuple

SUM = "sum"
"""The part of a duration that says how many seconds there were together."""


class Figure(NamedTuple):
    """What a number is the number of."""

    name: str
    labels: tuple[str, ...]
    """The values of the labels, in the order in which the meter names them."""
    part: str = ""
    """Of a duration: the index of its bin, or `SUM`."""


_lock = Lock()
_figures: dict[Figure, float] = {}


@dataclass(frozen=True, slots=True)
class Counter:
    """Something that happens."""

    name: str
    """Without the prefix and the ending that Prometheus shows it by."""
    help: str
    labels: Sequence[str] = ()

    def add(self, *labels: str, times: float = 1) -> None:
        """It has happened, once or so many times.

        :param labels: their values, in the meter's order
        """
        assert len(labels) == len(self.labels)
        with _lock:
            figure = Figure(self.name, labels)
            _figures[figure] = _figures.get(figure, 0) + times


@dataclass(frozen=True, slots=True)
class Durations:
    """Something that takes time."""

    name: str
    help: str
    labels: Sequence[str] = ()
    bounds: Sequence[float] = field(kw_only=True)
    """Seconds. The upper ends of the bins; there is one more bin, without an end."""

    def add(self, seconds: float, *labels: str) -> None:
        """It took so long, once."""
        assert len(labels) == len(self.labels)
        at = Figure(self.name, labels, str(bisect_left(self.bounds, seconds)))
        total = Figure(self.name, labels, SUM)
        with _lock:
            _figures[at] = _figures.get(at, 0) + 1
            _figures[total] = _figures.get(total, 0) + max(seconds, 0.0)


Meter = Counter | Durations


def take() -> Mapping[Figure, float]:
    """Everything counted since the last time. It is the caller's now: to write, or to give back."""
    with _lock:
        taken = dict(_figures)
        _figures.clear()
    return taken


def give_back(figures: Mapping[Figure, float]) -> None:
    """What could not be written down is counted with the rest, and written with it."""
    with _lock:
        for figure, value in figures.items():
            _figures[figure] = _figures.get(figure, 0) + value


def _forget() -> None:
    global _lock  # a fork may have copied it while it was held
    _lock = Lock()
    _figures.clear()  # they are the parent's to write down


os.register_at_fork(after_in_child=_forget)
