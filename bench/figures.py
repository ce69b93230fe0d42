"""Figures, the targets they must reach, and the one line in which they are told."""

import json
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

TARGETS = Path(__file__).with_name("targets.toml")


@dataclass(frozen=True, slots=True)
class Measured:
    """What a benchmark found, and the parts its value is made of."""

    value: float
    details: Mapping[str, Any] = field(default_factory=dict)
    interval: tuple[float, float] | None = None
    """Where the value lies eight times out of ten, if it varies from run to run."""


@dataclass(frozen=True, slots=True)
class Target:
    """A bound on one side; the reason stands beside it in the file."""

    id: str
    """As the design names it; several benchmarks may be parts of one, each with its own bound."""
    reason: str
    at_most: float | None = None
    at_least: float | None = None
    measured_by: str = ""
    """The benchmark that finds this among other figures; empty: the one of its own name."""

    def __str__(self) -> str:
        return f"<= {self.at_most}" if self.at_least is None else f">= {self.at_least}"

    def is_met_by(self, value: float) -> bool:
        if self.at_least is not None:
            return value >= self.at_least
        return self.at_most is not None and value <= self.at_most

    def is_reached(self, measured: Measured) -> bool:
        """Whether it is met: of what varies, whether it is not missed by the whole interval."""
        return any(map(self.is_met_by, measured.interval or (measured.value,)))


def targets() -> dict[str, Target]:
    """The target of every benchmark, by name, in the order they are to run."""
    return {name: Target(**table) for name, table in tomllib.loads(TARGETS.read_text()).items()}


def benchmark_of(name: str) -> str:
    """The module that finds the figure of this name."""
    return targets()[name].measured_by or name


def line(name: str, measured: Measured, target: Target) -> str:
    """One benchmark's outcome as one line of JSON."""
    told = {
        "id": target.id,
        "name": name,
        "value": round(measured.value, 4),
        "target": str(target),
        "met": target.is_reached(measured),
        "details": measured.details,
    }
    if measured.interval:
        told["interval"] = [round(end, 4) for end in measured.interval]
    return json.dumps(told)


def words(line: str) -> str:
    """The same for people: no more than what one asks first."""
    told = json.loads(line)
    outcome = "met" if told["met"] else "MISSED"
    return f"{told['id']:<4} {told['name']:<20} {told['value']:>9} {told['target']:>9}  {outcome}"
