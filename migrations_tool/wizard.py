"""What may be done about a migration now: the rules of the task list, and nothing else.

A step's standing follows from what its record says and what its gates say; nobody sets it by hand.
"""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum

from migrations_tool.steps import BY_STEP, NOT_NEEDED, STEPS, Act, Path, Step


class Status(StrEnum):
    """Of a step. "Nobody has looked" and "somebody looked and it is not done" are told apart."""

    NOT_LOOKED_AT = "not_looked_at"
    IN_PROGRESS = "in_progress"
    WAITING_FOR_CUSTOMER = "waiting_for_customer"
    WAITING_FOR_RAMP = "waiting_for_ramp"
    BLOCKED = "blocked"
    DONE = "done"
    STALE = "stale"
    SKIPPED = "skipped"
    NOT_NEEDED = "not_needed"


LABELS: Mapping[Status, str] = {
    Status.NOT_LOOKED_AT: "Not looked at",
    Status.IN_PROGRESS: "In progress",
    Status.WAITING_FOR_CUSTOMER: "Waiting for customer",
    Status.WAITING_FOR_RAMP: "Waiting for Ramp",
    Status.BLOCKED: "Blocked",
    Status.DONE: "Done",
    Status.STALE: "Done – evidence stale",  # noqa: RUF001
    Status.SKIPPED: "Skipped",
    Status.NOT_NEEDED: "Not needed",
}
OVER = frozenset({Status.DONE, Status.SKIPPED, Status.NOT_NEEDED})
"""Steps that need it can go on."""


class Light(StrEnum):
    """Of a gate."""

    GREEN = "green"
    RED = "red"
    UNKNOWN = "unknown"
    """Nobody has checked yet."""
    WARNING = "warning"
    """Worth knowing; holds up nothing."""
    WAIVED = "waived"


@dataclass(frozen=True, slots=True)
class Gate:
    """One condition of a step, as it stands."""

    code: str
    """Stable, such as `drain.zero_twice`."""
    title: str
    light: Light
    words: str = ""
    """What was seen."""
    fix: str = ""
    """What to do, if it is not green."""
    may_be_waived: bool = False
    """By two people, with a reason that the closing report prints."""
    left: int | None = None
    """How many things keep it from being green, where they can be counted: a waiver covers no more
    of them than there were."""
    mended_by: Act | None = None
    """The act that makes it green, where it is one of the step's own: that is the page's first
    button then."""
    mended_here: bool = False
    """People make it green in the step's own part of the page: what they press is there then, and
    none of the acts is the first button."""

    @property
    def is_open(self) -> bool:
        """It lets the step pass."""
        return self.light in {Light.GREEN, Light.WARNING, Light.WAIVED}


@dataclass(frozen=True, slots=True)
class Standing:
    """What the record of one step says."""

    step: Step
    status: Status
    version: int
    """Counts up with every change; a page that shows an older one is stale."""
    runner: str = ""
    """Who is running it now."""


class Refused(Exception):
    """It may not be done now. The message is fit to show and says what to do."""


class StepNotCurrent(Refused):
    """The page is stale: somebody else has changed the step meanwhile."""


class StepNotYours(Refused):
    """Somebody else is running it."""


class GateClosed(Refused):
    """A condition is not met."""

    def __init__(self, gates: Sequence[Gate]) -> None:
        self.gates = gates
        super().__init__(" ".join(f"{one.title}: {one.words} {one.fix}".strip() for one in gates))


def standings_from(
    path: Path,
    statuses: Mapping[Step, tuple[Status, int]],
    *,
    stale: Collection[Step],
    runners: Mapping[Step, str],
) -> dict[Step, Standing]:
    """How every step stands, from what is written about them.

    :param statuses: with the version of each; steps that are missing stand at their first
    :param stale: steps whose evidence is worth nothing any more
    :param runners: who is running which
    """
    standings = {}
    for one in STEPS:
        status, version = statuses.get(one.step, (first_status(one.step, path), 0))
        if status is Status.DONE and one.step in stale:
            status = Status.STALE
        standings[one.step] = Standing(one.step, status, version, runners.get(one.step, ""))
    return standings


def current_step(standings: Mapping[Step, Standing]) -> Step | None:
    """The first step that is not over; None if all are."""
    return next((one.step for one in STEPS if standings[one.step].status not in OVER), None)


def first_status(step: Step, path: Path) -> Status:
    return Status.NOT_NEEDED if step in NOT_NEEDED[path] else Status.NOT_LOOKED_AT


def missing(step: Step, standings: Mapping[Step, Standing]) -> list[Step]:
    """What has to be over before this step can be completed, in the order of the steps."""
    needs = BY_STEP[step].needs
    return [
        one.step for one in STEPS if one.step in needs and standings[one.step].status not in OVER
    ]


def check_page(standing: Standing, version: int) -> None:
    """:raises StepNotCurrent: if the page that asks shows an older version"""
    if version != standing.version:
        raise StepNotCurrent(
            f"{BY_STEP[standing.step].title} has changed since this page was loaded."
            " It shows the newest now; look at it and decide again."
        )


def check_runner(standing: Standing, actor: str) -> None:
    """:raises StepNotYours: if somebody is running the step"""
    if standing.runner:
        who = "You are" if standing.runner == actor else f"{standing.runner} is"
        raise StepNotYours(f"{who} running this step. Wait until it has ended.")


def check_order(step: Step, standings: Mapping[Step, Standing]) -> None:
    """:raises GateClosed: if steps that this one needs are not over"""
    open_steps = missing(step, standings)
    if not open_steps:
        return
    names = ", ".join(_name_of(standings[one]) for one in open_steps)
    raise GateClosed(
        [
            Gate(
                "wizard.order",
                "Earlier steps",
                Light.RED,
                f"Still open: {names}.",
                "Complete them first.",
            )
        ]
    )


def _name_of(standing: Standing) -> str:
    one = BY_STEP[standing.step]
    is_stale = standing.status is Status.STALE
    return f"{one.number} {one.title}" + (" (its evidence is stale)" if is_stale else "")


def check_gates(gates: Sequence[Gate]) -> None:
    """:raises GateClosed: with those that do not let the step pass"""
    if closed := [one for one in gates if not one.is_open]:
        raise GateClosed(closed)


def after_check(gates: Sequence[Gate], waits_for: Status | None) -> Status:
    """The status of a step that somebody has looked at and that is not done.

    :param waits_for: whose move the step itself says it is
    """
    if waits_for is not None:
        return waits_for
    is_blocked = any(one.light is Light.RED for one in gates)
    return Status.BLOCKED if is_blocked else Status.IN_PROGRESS
