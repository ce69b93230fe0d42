"""What a run of the kill test is told, and what it says in the end."""

from dataclasses import dataclass, field

SPEED = 60.0
COMPANIES = {"unique_key": 5, "lookup": 5, "none": 2}
"""How many ERPs there are of each class."""
WITH_ERRANDS = frozenset(
    f"{kind}-{number}" for kind in ("unique-key", "lookup") for number in range(5)
)
"""Companies whose merchants must be vendors and whose ERPs take files."""
WORKERS = 3


@dataclass(slots=True)
class Outcome:
    """What a run did, and what it found."""

    seed: int
    ablation: str
    kills: int = 0
    freezes: int = 0
    disasters: dict[str, int] = field(default_factory=dict)
    ended: int = 0
    """Workers that were asked to end, and did."""
    objects: int = 0
    types: dict[str, int] = field(default_factory=dict)
    seconds: float = 0
    kills_per_second: float = 0
    lost: int = 0
    doubled: int = 0
    unbalanced: int = 0
    unexplained: int = 0
    errors: int = 0
    """Doorbells that broke with an exception."""
    failpoints: dict[str, int] = field(default_factory=dict)
    states: dict[str, int] = field(default_factory=dict)
    erp_faults: dict[str, int] = field(default_factory=dict)
    ramp_faults: dict[str, int] = field(default_factory=dict)
    findings: list[str] = field(default_factory=list)

    @property
    def is_clean(self) -> bool:
        return not (self.lost or self.doubled or self.unbalanced or self.unexplained or self.errors)


@dataclass(frozen=True, slots=True)
class Wanted:
    """What to run."""

    kills: int
    seed: int
    ablation: str = ""
    speed: float = SPEED
