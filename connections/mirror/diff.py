"""What is to be done so that Ramp has the chart as the ERP has it. Pure.

                        Ramp has it not   active         hidden     inactive
    the ERP wants it    create            change, or -   show       reactivate
    it does not: option -                 hide           -          -
    it does not: other  -                 (a decision)   -          -

What the ERP no longer has is hidden where Ramp can hide, and deactivated only after a person has
decided so (R-25, R-26).
"""

from collections.abc import Iterable
from dataclasses import dataclass
from enum import StrEnum

ACCOUNT, FIELD, OPTION, VENDOR = "account", "field", "option", "vendor"
TAX_RATE, TAX_CODE = "tax_rate", "tax_code"

KINDS = (ACCOUNT, FIELD, OPTION, VENDOR, TAX_RATE, TAX_CODE)
"""As they depend on each other: a field before its options (R-17), accounts before the tax rates
booked on them, rates before the codes that name them (R-46)."""


class Action(StrEnum):
    """What is asked of Ramp, as batches name it."""

    CHANGE = "change"
    REACTIVATE = "reactivate"
    SHOW = "show"
    CREATE = "create"
    HIDE = "hide"
    DEACTIVATE = "deactivate"


BUILDING = (Action.CHANGE, Action.REACTIVATE, Action.SHOW, Action.CREATE)
"""In this order within a kind: a code that is given up is free before somebody else gets it."""
WITHDRAWING = (Action.HIDE, Action.DEACTIVATE)
ORDER = (
    *((kind, action) for kind in KINDS for action in BUILDING),
    *((kind, action) for kind in reversed(KINDS) for action in WITHDRAWING),
)
"""Kinds and actions in the order that they go out: first everything is built, then what nobody
builds upon any more is withdrawn, the other way round."""


class Decision(StrEnum):
    """What a person has decided about a record, and is not done yet."""

    NONE = ""
    DEACTIVATE = "deactivate"
    LEAVE = "leave"


@dataclass(frozen=True, slots=True)
class InRamp:
    """A record as Ramp has it."""

    content: tuple[object, ...]
    is_active: bool = True
    is_hidden: bool = False


@dataclass(frozen=True, slots=True)
class Record:
    """One record of the chart on both sides."""

    kind: str
    erp_id: str
    is_wanted: bool
    content: tuple[object, ...]
    """What the ERP wants Ramp to show: name, code and what else the kind has."""
    in_ramp: InRamp | None = None
    field_erp_id: str = ""
    decision: Decision = Decision.NONE


@dataclass(frozen=True, slots=True)
class Step:
    """One thing to do."""

    action: Action
    record: Record

    @property
    def rank(self) -> int:
        """Its place in the order that may not be changed."""
        return ORDER.index((self.record.kind, self.action))


def steps(records: Iterable[Record]) -> list[Step]:
    """Everything to be done, in an order in which each step finds what it depends on."""
    wanted = ((action_for(record), record) for record in records)
    return sorted(
        (Step(action, record) for action, record in wanted if action is not None),
        key=lambda step: step.rank,
    )


def action_for(record: Record) -> Action | None:
    """The one thing to do about a record, or None."""
    there = record.in_ramp
    if there is None:
        return Action.CREATE if record.is_wanted else None
    action = _to_build(record, there) if record.is_wanted else _to_withdraw(record, there)
    left = record.decision is Decision.LEAVE and action is not Action.CHANGE
    return None if left else action


def needs_decision(record: Record) -> bool:
    """Whether Ramp still offers what the ERP no longer has, and nobody has said what to do."""
    there = record.in_ramp
    return bool(
        not record.is_wanted
        and there
        and there.is_active
        and record.kind != OPTION
        and record.decision is Decision.NONE
    )


def _to_build(record: Record, there: InRamp) -> Action | None:
    """What is brought back takes its new name along in the same call."""
    if not there.is_active:
        return Action.REACTIVATE
    if there.is_hidden:
        return Action.SHOW
    return Action.CHANGE if there.content != record.content else None


def _to_withdraw(record: Record, there: InRamp) -> Action | None:
    if not there.is_active:
        return None
    if record.decision is Decision.DEACTIVATE:
        return Action.DEACTIVATE
    return Action.HIDE if record.kind == OPTION and not there.is_hidden else None
