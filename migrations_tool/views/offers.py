"""Which acts a step offers now, in which words, and which connection each of them touches."""

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum

from migrations_tool.models import StepRun
from migrations_tool.queries import Seen
from migrations_tool.steps import BY_STEP, Act, Step
from migrations_tool.wizard import OVER, Gate, Light, Status, missing


class Side(StrEnum):
    """Which connection in Ramp an act changes."""

    OLD = "old"
    NEW = "new"


@dataclass(frozen=True, slots=True)
class Offer:
    """One button of a step."""

    act: Act
    label: str
    icon: str
    key: str = ""
    """The key of the keyboard that presses it."""
    touches: Side | None = None
    is_main: bool = False
    must_be_confirmed: bool = False
    """By typing the customer's name."""
    why_not: str = ""
    """Why it cannot be pressed now; empty if it can."""


TOUCHES: Mapping[tuple[Step, Act], Side] = {
    (Step.CONNECTION, Act.APPLY): Side.NEW,
    (Step.CONNECTION, Act.UNDO): Side.NEW,
    (Step.PRELOAD, Act.APPLY): Side.NEW,
    (Step.PRELOAD, Act.UNDO): Side.NEW,
    (Step.SETTINGS, Act.APPLY): Side.NEW,
    (Step.SETTINGS, Act.UNDO): Side.NEW,
    (Step.FLIP, Act.APPLY): Side.NEW,
    (Step.FLIP, Act.UNDO): Side.NEW,
    (Step.CUTOVER, Act.APPLY): Side.NEW,
    (Step.CUTOVER, Act.UNDO): Side.NEW,
}
APPLY_WORDS: Mapping[Step, str] = {
    Step.INVENTORY: "Count now",
    Step.BACKUP: "Make the backup",
    Step.CONNECTION: "Create the connection",
    Step.MAPPING: "Find matches",
    Step.PRELOAD: "Preload",
    Step.SETTINGS: "Apply the settings",
    Step.REHEARSAL: "Rehearse",
    Step.FLIP: "Mark ready",
    Step.CUTOVER: "Post the canary",
}
UNDO_WORDS: Mapping[Step, str] = {
    Step.CONNECTION: "Give the connection up",
    Step.PRELOAD: "Take back what was preloaded",
    Step.SETTINGS: "Turn the switches off",
    Step.FLIP: "Go back to the old provider",
    Step.CUTOVER: "Stop posting and reverse",
}
_ICONS: Mapping[Act, str] = {
    Act.CHECK: "refresh-cw",
    Act.PLAN: "list",
    Act.APPLY: "send",
    Act.COMPLETE: "check-check",
    Act.UNDO: "undo-2",
}


def is_destructive(step: Step, act: Act) -> bool:
    """Whether the customer's name has to be typed."""
    return act is Act.UNDO or (step, act) == (Step.FLIP, Act.APPLY)


def why_not_yet(seen: Seen, step: Step, act: Act) -> str:
    """Why an act waits for another one: applying is shown before it is done."""
    if act is Act.APPLY and Act.PLAN in BY_STEP[step].acts:
        plan = seen.runs.get((step, Act.PLAN))
        if plan is None or plan.state != StepRun.State.DONE:
            return "Plan first: it shows what would change, and changes nothing."
    return ""


def offers(seen: Seen, step: Step, gates: list[Gate]) -> list[Offer]:
    """The buttons in the order in which they are used."""
    status = seen.standings[step].status
    if status is Status.NOT_NEEDED:
        return []
    known = BY_STEP[step].acts
    is_ready = all(one.is_open for one in gates) and not missing(step, seen.standings)
    main = _main(seen, step, gates, is_ready=is_ready)
    found = []
    for act in Act:
        if act not in known or (act is Act.COMPLETE and status in OVER):
            continue
        if act is Act.UNDO and (step, Act.APPLY) not in seen.runs:
            continue  # nothing was done that could be taken back
        if (step, act) == (Step.FLIP, Act.APPLY) and _is_marked(seen, gates):
            continue
        why_not = why_not_yet(seen, step, act)
        if why_not and status in OVER:
            continue  # it is done: who wants it once more begins with the plan
        found.append(
            Offer(
                act=act,
                label=_label(step, act),
                icon=_ICONS[act],
                key="c" if act is Act.CHECK else "",
                touches=TOUCHES.get((step, act)),
                is_main=act is main,
                must_be_confirmed=is_destructive(step, act),
                why_not=why_not,
            )
        )
    return found


def _main(seen: Seen, step: Step, gates: list[Gate], *, is_ready: bool) -> Act | None:
    """What one would do next: check, plan, apply, and complete once nothing is in the way; or what
    a condition says that mends it. Nothing of a step that is over, that only waits for others, or
    whose own part of the page has what is to be done."""
    status = seen.standings[step].status
    if status in OVER:
        return None
    if is_ready:
        return Act.COMPLETE
    if gates and all(one.is_open for one in gates):
        return None  # other steps come first
    for act in (Act.PLAN, Act.APPLY) if status is not Status.STALE else ():
        run = seen.runs.get((step, act))
        if act in BY_STEP[step].acts and (run is None or run.state != StepRun.State.DONE):
            return act
    closed = [one for one in gates if not one.is_open]
    mending = next((one.mended_by for one in closed if one.mended_by), None)
    is_looked_at = status not in {Status.NOT_LOOKED_AT, Status.STALE}
    if mending is None and is_looked_at and any(one.mended_here for one in closed):
        return None
    return mending or Act.CHECK


def _is_marked(seen: Seen, gates: list[Gate]) -> bool:
    """It is offered to the customer already, or they have taken it."""
    return seen.migration.flipped_at is not None or any(
        one.code == "flip.marked" and one.light is Light.GREEN for one in gates
    )


def run_words(step: Step, act: Act) -> str:
    """An act that runs or has run, in the words of its button."""
    return _label(step, act).removesuffix(" now")


def _label(step: Step, act: Act) -> str:
    match act:
        case Act.CHECK:
            return "Check now"
        case Act.PLAN:
            return "Plan"
        case Act.APPLY:
            return APPLY_WORDS.get(step, "Apply")
        case Act.COMPLETE:
            return "Complete"
        case Act.UNDO:
            return UNDO_WORDS.get(step, "Take back")
