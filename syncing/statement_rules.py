"""A card statement of Ramp beside what is synced: each line explained. Pure (R-64).

Ramp's lines name objects and no amounts; its sections have sums per entity. So each line takes its
amount from our item, and what a section has beyond these is left over as a sum that nobody knows.
"""

import uuid
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from enum import StrEnum

from rampbridge.lib.money import Money


class LineType(StrEnum):
    """Ramp's words for what stands on a statement."""

    CARD = "CARD_TRANSACTION"
    CASHBACK = "CASHBACK"
    PAYMENT = "TRANSFER_PAYMENT"


OBJECT_TYPES: Mapping[str, str] = {
    LineType.CARD: "transaction",
    LineType.CASHBACK: "cashback",
    LineType.PAYMENT: "transfer",
}
"""What our items call them. A line of another type is told as unknown, never passed over."""


class Finding(StrEnum):
    """What became of one line, or of one item that should be one."""

    SYNCED = "synced"
    UNSYNCED = "unsynced"
    DIFFERS = "differs"
    OUTSIDE = "outside"
    TAKEN_BACK = "taken-back"
    PENDING = "pending"
    UNKNOWN = "unknown"
    OTHER_STATEMENT = "other-statement"
    NOT_LISTED = "not-listed"


ON_STATEMENT = (
    Finding.UNSYNCED,
    Finding.DIFFERS,
    Finding.UNKNOWN,
    Finding.PENDING,
    Finding.TAKEN_BACK,
    Finding.OUTSIDE,
    Finding.SYNCED,
)
BESIDE_IT = (Finding.NOT_LISTED, Finding.OTHER_STATEMENT)


@dataclass(frozen=True, slots=True)
class Listed:
    """A line of the statement."""

    ramp_id: uuid.UUID
    type: str
    created_at: datetime | None = None
    cleared_at: datetime | None = None


@dataclass(frozen=True, slots=True)
class Known:
    """An item of ours that a statement may name."""

    item_id: int
    ramp_id: uuid.UUID
    object_type: str
    entity_id: uuid.UUID | None
    label: str
    day: date | None
    money: Money
    state: str
    why: str = ""
    """What is wrong with it, or what it waits for, in words."""
    document: str = ""
    """Its number in the ERP."""


@dataclass(frozen=True, slots=True)
class Section:
    """Ramp's sums of one entity in one currency. All are as Ramp shows them, without a sign."""

    entity_id: uuid.UUID | None
    opening: Money
    charges: Money
    credits: Money
    payments: Money
    ending: Money


@dataclass(frozen=True, slots=True)
class Explained:
    """One line with what became of it."""

    ramp_id: uuid.UUID
    type: str
    finding: Finding
    why: str
    known: Known | None = None
    at: datetime | None = None
    """When it was spent, given or paid, as the statement says."""

    @property
    def money(self) -> Money | None:
        """As our item has it; None where we have none."""
        return self.known.money if self.known else None

    @property
    def entity_id(self) -> uuid.UUID | None:
        return self.known.entity_id if self.known else None


@dataclass(frozen=True, slots=True)
class Figure:
    """One sum of a section: Ramp's, what is synced of it, and what makes the difference."""

    name: str
    ramp: Money
    synced: Money
    explained: Mapping[Finding, Money]
    """What stands on it and is not synced, by what became of it."""

    @property
    def difference(self) -> Money:
        return self.ramp - self.synced

    @property
    def left_over(self) -> Money:
        """What no line that we know explains."""
        left = self.difference
        for money in self.explained.values():
            left -= money
        return left


@dataclass(frozen=True, slots=True)
class SectionFigures:
    """A section beside what is synced."""

    section: Section
    figures: Sequence[Figure]

    @property
    def agrees(self) -> bool:
        return not any(figure.difference for figure in self.figures)


@dataclass(frozen=True, slots=True)
class Comparison:
    """A statement, explained."""

    lines: Sequence[Explained]
    """What needs a look first; what is synced last."""
    sections: Sequence[SectionFigures]

    def count(self, finding: Finding) -> int:
        return sum(line.finding == finding for line in self.lines)

    @property
    def agrees(self) -> bool:
        """Whether everything on it is synced and its sums are ours."""
        fine = {Finding.SYNCED, Finding.OTHER_STATEMENT}
        return all(line.finding in fine for line in self.lines) and all(
            section.agrees for section in self.sections
        )


_ORDER = {
    finding: n for n, finding in enumerate((*ON_STATEMENT[:2], *BESIDE_IT, *ON_STATEMENT[2:]))
}


def compare(
    listed: Sequence[Listed],
    sections: Sequence[Section],
    known: Iterable[Known],
    beside: Iterable[Known],
    elsewhere: Mapping[uuid.UUID, str],
) -> Comparison:
    """Explain a statement line by line.

    :param known: our items of the objects on it
    :param beside: our synced items of its days that are not on it
    :param elsewhere: what stands on another statement, by what that one is called
    """
    items = {(one.object_type, one.ramp_id): one for one in known}
    lines = [_explain(line, items.get((OBJECT_TYPES.get(line.type, ""), line.ramp_id)))
             for line in listed]  # fmt: skip
    lines += [_beside(one, elsewhere.get(one.ramp_id, "")) for one in beside]
    lines.sort(key=lambda line: (_ORDER[line.finding], line.at is None, str(line.at or "")))
    by_entity: dict[tuple[uuid.UUID | None, str], list[Explained]] = defaultdict(list)
    for line in lines:
        if line.known and line.finding not in BESIDE_IT:
            by_entity[line.known.entity_id, line.known.money.currency].append(line)
    figures = [
        SectionFigures(section, list(_figures(section, _of_section(section, sections, by_entity))))
        for section in sections
    ]
    return Comparison(lines, figures)


def _of_section(
    section: Section,
    sections: Sequence[Section],
    by_entity: Mapping[tuple[uuid.UUID | None, str], Sequence[Explained]],
) -> list[Explained]:
    """The lines of a section. What is of no entity belongs to the only section of its currency."""
    currency = section.charges.currency
    found = list(by_entity.get((section.entity_id, currency), ()))
    alone = [one for one in sections if one.charges.currency == currency] == [section]
    if not alone:
        return found
    if section.entity_id is None:  # of nobody in particular: everything in its currency
        return [line for (_, code), lines in by_entity.items() if code == currency
                for line in lines]  # fmt: skip
    return [*found, *by_entity.get((None, currency), ())]


def _explain(line: Listed, item: Known | None) -> Explained:
    cleared = line.cleared_at is not None
    finding = finding_of(line.type, item.state if item else None, is_cleared=cleared)
    why = _why(finding, line, item)
    return Explained(line.ramp_id, line.type, finding, why, item, line.created_at)


def finding_of(line_type: str, state: str | None, *, is_cleared: bool) -> Finding:
    """What became of a line.

    :param state: of our item; None if there is none
    """
    if line_type not in OBJECT_TYPES:
        return Finding.UNKNOWN
    match state:
        case None:
            pending = line_type == LineType.CARD and not is_cleared
            return Finding.PENDING if pending else Finding.UNKNOWN
        case "POSTED" | "ACKING" | "ACKED":
            return Finding.SYNCED
        case "MISMATCH":
            return Finding.DIFFERS
        case "EXTERNAL":
            return Finding.OUTSIDE
        case "WITHDRAWN":
            return Finding.TAKEN_BACK
        case _:
            return Finding.UNSYNCED


def _why(finding: Finding, line: Listed, item: Known | None) -> str:
    match finding:
        case Finding.SYNCED:
            return f"In the ERP as {item.document}." if item and item.document else "In the ERP."
        case Finding.DIFFERS:
            return (item and item.why) or "The two sides disagree about it."
        case Finding.OUTSIDE:
            return "It was synced in Ramp, but not by us."
        case Finding.TAKEN_BACK:
            return "It was taken back in Ramp before we sent anything."
        case Finding.PENDING:
            return "It has not cleared yet, so it cannot be ready to sync."
        case Finding.UNKNOWN if line.type not in OBJECT_TYPES:
            return f"Ramp calls it {line.type or 'nothing'}, which we do not know."
        case Finding.UNKNOWN:
            return "It never became ready to sync, as far as we know."
        case _:
            return (item and item.why) or "It is on its way."


def _beside(item: Known, statement: str) -> Explained:
    kind = next((name for name, ours in OBJECT_TYPES.items() if ours == item.object_type), "")
    if statement:
        why = f"It stands on the statement {statement}."
        return Explained(item.ramp_id, kind, Finding.OTHER_STATEMENT, why, item)
    why = "It is synced and dated within these days, and on no statement that we know."
    return Explained(item.ramp_id, kind, Finding.NOT_LISTED, why, item)


def _figures(section: Section, lines: Sequence[Explained]) -> Iterator[Figure]:
    for name, ramp in (
        ("Charges", section.charges),
        ("Credits", section.credits),
        ("Payments", section.payments),
    ):
        mine = [(line, abs(line.known.money)) for line in lines
                if line.known and _figure_of(line.known) == name]  # fmt: skip
        synced = Money.zero(ramp.currency, ramp.exponent)
        explained: dict[Finding, Money] = {}
        for line, money in mine:
            if line.finding == Finding.SYNCED:
                synced += money
            else:
                explained[line.finding] = explained.get(line.finding, _zero(ramp)) + money
        yield Figure(name, ramp, synced, explained)


def _zero(like: Money) -> Money:
    return Money.zero(like.currency, like.exponent)


def _figure_of(item: Known) -> str:
    """Which of a section's sums an object counts to: purchases, what comes back, what is paid."""
    if item.object_type == "transfer":
        return "Payments"
    if item.object_type == "cashback" or item.money.minor < 0:
        return "Credits"
    return "Charges"
