"""The steps of a migration as data: what each is for, what it waits for, and how it is taken back.

From the design of the wizard; the numbers are those that people say to each other.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum


class Path(StrEnum):
    """Chosen from what Ramp shows (R-87)."""

    MIGRATION = "migration"
    """Another provider has the seat: a second, inactive connection is prepared beside it."""
    FRESH = "fresh"
    """The seat is free, or was a connection by CSV files: we take it."""


class Step(StrEnum):
    PLAN = "plan"
    ACCESS = "access"
    INVENTORY = "inventory"
    RULES = "rules"
    BACKUP = "backup"
    DRAIN = "drain"
    CONNECTION = "connection"
    MAPPING = "mapping"
    PRELOAD = "preload"
    SETTINGS = "settings"
    REHEARSAL = "rehearsal"
    FLIP = "flip"
    CUTOVER = "cutover"
    HYPERCARE = "hypercare"


class Act(StrEnum):
    """What a person can have the worker do about a step."""

    CHECK = "check"
    """Look at both sides and keep what was seen."""
    PLAN = "plan"
    """Say what applying would do. Nothing is changed."""
    APPLY = "apply"
    """Do what is missing."""
    COMPLETE = "complete"
    """Check once more; if every gate is green or waived, the step is done."""
    UNDO = "undo"
    """Take back what applying did, as far as the step's rollback goes."""


@dataclass(frozen=True, slots=True)
class Definition:
    """One step, in the words of its page."""

    step: Step
    title: str
    goal: str
    """In one line."""
    why: str
    """In one line."""
    wrong: str
    """What could go wrong."""
    minutes: int
    """About so long it takes people, waiting not counted."""
    rollback: str
    """What taking it back means."""
    needs: frozenset[Step] = frozenset()
    """Steps that have to be done, skipped or not needed before this one can be completed."""
    acts: frozenset[Act] = frozenset({Act.CHECK, Act.COMPLETE})
    may_be_skipped: bool = False
    """With a reason, by two people."""

    @property
    def number(self) -> int:
        return list(Step).index(self.step)


_LONG = frozenset({Act.CHECK, Act.APPLY, Act.COMPLETE})
_PLANNED = frozenset({Act.CHECK, Act.PLAN, Act.APPLY, Act.COMPLETE, Act.UNDO})

STEPS: tuple[Definition, ...] = (
    Definition(
        Step.PLAN,
        "Plan",
        goal="Choose the path, the day of the switch, and who is responsible.",
        why="A switch inside a period splits that period's spend over two integrations.",
        wrong="The customer's contact cannot switch providers, because they are no admin in Ramp.",
        minutes=20,
        rollback="Nothing to take back.",
    ),
    Definition(
        Step.ACCESS,
        "Access and preflight",
        goal="Prove that both sides can be read and written before anybody relies on it.",
        why="A missing scope that is found on the day of the switch moves the day.",
        wrong="The ERP's credential belongs to a person who leaves, and takes the access along.",
        minutes=10,
        rollback="Nothing to take back: the ERP is asked for rights, and nothing is written to it.",
        needs=frozenset({Step.PLAN}),
    ),
    Definition(
        Step.INVENTORY,
        "Inventory",
        goal="Count what is there, by type, entity and state, with its money.",
        why="What was counted before can be compared after, so nothing is missed.",
        wrong="Bills from before the link are no part of Ramp's lists and are forgotten.",
        minutes=5,
        rollback="Nothing to take back.",
        needs=frozenset({Step.ACCESS}),
        acts=_LONG,
        may_be_skipped=True,
    ),
    Definition(
        Step.RULES,
        "Rules and automations",
        goal="Write down every rule, policy and default that Ramp has for the old connection.",
        why="Rules point to old accounts. They do not survive, and nobody remembers them later.",
        wrong="A forgotten rule leaves spend uncoded, and the backlog grows from day one.",
        minutes=45,
        rollback="Nothing to take back.",
        needs=frozenset({Step.PLAN}),
        may_be_skipped=True,
    ),
    Definition(
        Step.BACKUP,
        "Backup",
        goal="Keep the old chart and the coding of every object, and prove it can be read back.",
        why="The switch may drop historical codings. What is not kept now is lost.",
        wrong="The chart changes after the backup. Then the backup is stale and is made again.",
        minutes=15,
        rollback="The archive is itself what one goes back to.",
        needs=frozenset({Step.ACCESS}),
        acts=_LONG,
    ),
    Definition(
        Step.DRAIN,
        "Drain the old connection",
        goal="Have the old integration sync everything that is ready, until nothing is left.",
        why="What is ready on the old connection does not survive the switch.",
        wrong="Bills in flight are not carried along: each needs a decision.",
        minutes=60,
        rollback="Nothing to take back.",
        needs=frozenset({Step.INVENTORY}),
    ),
    Definition(
        Step.CONNECTION,
        "Create the inactive connection",
        goal="Create our connection beside the active one, without touching it.",
        why="It can be filled and checked while the old integration goes on working.",
        wrong="Ramp answers with the old connection in place of a new one. Then we stop.",
        minutes=5,
        rollback="Our connection is given up and marked as abandoned; the old one is not touched.",
        needs=frozenset({Step.BACKUP}),
        acts=_PLANNED,
    ),
    Definition(
        Step.MAPPING,
        "Mapping",
        goal="Say for every old account, field, option and vendor in use what takes its place.",
        why="Codings of last year show what matters: it is ranked by money.",
        wrong="Two old accounts lead to one new one by mistake, and reports lose a distinction.",
        minutes=90,
        rollback="An earlier version of the mapping is brought back.",
        needs=frozenset({Step.BACKUP}),
        acts=_LONG,
    ),
    Definition(
        Step.PRELOAD,
        "Preload",
        goal="Bring the ERP's chart onto the inactive connection, record by record alike.",
        why="On the day of the switch people must be able to code at once.",
        wrong="A write without the inactive connection's id would change the live one. It cannot.",
        minutes=20,
        rollback="What we created on the inactive connection is hidden or deleted.",
        needs=frozenset({Step.CONNECTION, Step.MAPPING}),
        acts=_PLANNED,
    ),
    Definition(
        Step.SETTINGS,
        "Tax, credits and switches",
        goal="Tax rates, then the code field, then its options; vendor credits; vendor creation.",
        why="Each of these needs the one before it, and Ramp refuses another order.",
        wrong="The sync button is switched on too early. It stays off for now.",
        minutes=10,
        rollback="The switches are turned off.",
        needs=frozenset({Step.PRELOAD}),
        acts=_PLANNED,
    ),
    Definition(
        Step.REHEARSAL,
        "Rehearsal and sign-off",
        goal="Put the newest real objects through the new mapping, without posting, and sign.",
        why="Differences are found on paper, while there is still time.",
        wrong="Somebody signs a report that is changed afterwards. Its hash tells.",
        minutes=60,
        rollback="The sign-off is withdrawn.",
        needs=frozenset({Step.SETTINGS, Step.MAPPING}),
        acts=_LONG,
    ),
    Definition(
        Step.FLIP,
        "Mark ready, and the customer switches",
        goal="Offer our connection under Switch Providers, and see the customer switch.",
        why="Only the customer can switch. From then on Ramp sends us what is ready.",
        wrong="The customer picks another name or leaves a field unmapped. The page shows which.",
        minutes=30,
        rollback="Before the switch it is left unused. After it the customer reconnects the old"
        " provider, we stop posting, and list what was posted since.",
        needs=frozenset({Step.REHEARSAL, Step.DRAIN, Step.RULES}),
        acts=frozenset({Act.CHECK, Act.APPLY, Act.COMPLETE, Act.UNDO}),
    ),
    Definition(
        Step.CUTOVER,
        "Cutover check",
        goal="One object of each type into the ERP, looked at by a person; codings compared.",
        why="The first object tells more than any rehearsal.",
        wrong="An object was synced by the old integration too. Then it would be booked twice.",
        minutes=45,
        rollback="Posting stops, and the documents of the canary are reversed.",
        needs=frozenset({Step.FLIP}),
        acts=frozenset({Act.CHECK, Act.APPLY, Act.COMPLETE, Act.UNDO}),
    ),
    Definition(
        Step.HYPERCARE,
        "Hypercare",
        goal="Watch more closely until the targets have held for the agreed days.",
        why="What goes wrong in a month end shows only then.",
        wrong="Rare kinds of spend come first weeks later.",
        minutes=30,
        rollback="Nothing to take back.",
        needs=frozenset({Step.CUTOVER}),
    ),
)  # fmt: skip

BY_STEP: Mapping[Step, Definition] = {one.step: one for one in STEPS}

NOT_NEEDED: Mapping[Path, frozenset[Step]] = {
    Path.MIGRATION: frozenset(),
    Path.FRESH: frozenset({Step.BACKUP, Step.DRAIN, Step.MAPPING, Step.FLIP}),
}
"""On a fresh connection there is no old one to keep, to drain, to map from or to switch from."""

LAST_WAY_BACK = Step.REHEARSAL
"""Behind it is the point of no return: what follows changes what the customer works with."""


def definition(step: str) -> Definition:
    """:raises ValueError: if there is no such step"""
    return BY_STEP[Step(step)]


def is_behind_point_of_no_return(step: Step) -> bool:
    return BY_STEP[step].number > BY_STEP[LAST_WAY_BACK].number
