"""The inventory as rows: for the page and for a file."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import cached_property
from typing import Any

from migrations_tool.inventory import tally
from migrations_tool.models import Evidence
from rampbridge.lib.money import Money

STATES: Mapping[str, str] = {
    tally.NOT_READY: "Not ready",
    tally.READY: "Ready",
    tally.SYNCED: "Synced",
    tally.UNTRACKED: "No sync state",
    tally.UNKNOWN: "Unknown",
}
TYPES: Mapping[str, str] = {
    "transaction": "Card transactions",
    "reimbursement": "Reimbursements",
    "bill": "Bills",
    "bill_payment": "Bill payments",
    "transfer": "Transfers",
    "cashback": "Cashback",
    "vendor_credit": "Vendor credits",
}
COLUMNS = ("type", "entity", "entity_id", "state", "currency", "count", "amount")


@dataclass(frozen=True, slots=True)
class Cell:
    """How many there are, and their money in each currency."""

    count: int = 0
    amounts: Sequence[Money] = ()


@dataclass(frozen=True, slots=True)
class Line:
    """One type of object, of one entity or of all."""

    label: str
    cells: Sequence[Cell]
    """One for each of the inventory's states."""
    states: Sequence[str]
    """How those are called."""
    entity: str = ""

    @property
    def by_state(self) -> Iterator[tuple[str, Cell]]:
        return zip(self.states, self.cells, strict=True)

    @property
    def count(self) -> int:
        return sum(cell.count for cell in self.cells)


@dataclass
class Inventory:
    """One counting, as evidence keeps it."""

    evidence: Evidence

    @cached_property
    def states(self) -> list[tuple[str, str]]:
        """Those that occur, with the three usual ones always."""
        usual = {tally.NOT_READY, tally.READY, tally.SYNCED}
        seen = {state for of_type in self.evidence.counts.values() for state in of_type}
        return [(key, label) for key, label in STATES.items() if key in usual | seen]

    @cached_property
    def lines(self) -> list[Line]:
        """Each type in whole; where there are several entities, each of them below it."""
        found = []
        states = [label for _, label in self.states]
        for object_type, label in TYPES.items():
            of_type = self.evidence.counts.get(object_type, {})
            found.append(Line(label, self._cells(of_type), states))
            entities = self.evidence.result["by_entity"].get(object_type, {})
            if len(self.evidence.result["entities"]) > 1:
                found += [
                    Line(label, self._cells(of_entity), states, self._entity(key))
                    for key, of_entity in sorted(
                        entities.items(), key=lambda one: self._entity(one[0])
                    )
                ]
        return found

    @property
    def totals(self) -> list[Cell]:
        """Of each state, all types together."""
        return [self._cell(self._summed(state)) for state, _ in self.states]

    @property
    def totals_by_state(self) -> Iterator[tuple[str, Cell]]:
        names = (label for _, label in self.states)
        return zip(names, self.totals, strict=True)

    @property
    def count(self) -> int:
        return sum(cell.count for cell in self.totals)

    @property
    def in_flight(self) -> Cell:
        return self._cell(self.evidence.result["bills_in_flight"])

    @property
    def open_credits(self) -> Cell:
        return self._cell(self.evidence.result["open_credits"])

    @property
    def before_link(self) -> int:
        return int(self.evidence.result["before_the_link"])

    @property
    def linked_at(self) -> datetime | None:
        linked = self.evidence.result["linked_at"]
        return datetime.fromisoformat(linked) if linked else None

    @property
    def unknown(self) -> list[tuple[str, str, int]]:
        """Type, the word as Ramp says it, how many."""
        return [
            (TYPES.get(object_type, object_type), word or "(empty)", count)
            for object_type, words in self.evidence.result["unknown"].items()
            for word, count in sorted(words.items())
        ]

    @property
    def malformed(self) -> list[tuple[str, int]]:
        found = self.evidence.result["malformed"].items()
        return [(TYPES.get(object_type, object_type), count) for object_type, count in found]

    def rows(self) -> Iterator[Sequence[Any]]:
        """For a file: one row for each currency, as `COLUMNS` names them."""
        for object_type, entities in self.evidence.result["by_entity"].items():
            for entity, of_entity in entities.items():
                for state, one in of_entity.items():
                    cell = self._cell(one)
                    label = TYPES.get(object_type, object_type)
                    named = STATES.get(state, state)
                    for number, money in enumerate(cell.amounts):
                        # The objects are counted once, on the row of the first currency.
                        count = cell.count if number == 0 else ""
                        yield (
                            label,
                            self._entity(entity),
                            entity,
                            named,
                            money.currency,
                            count,
                            money.decimal,
                        )

    def _summed(self, state: str) -> tally.Sum:
        of_state = [one[state] for one in self.evidence.counts.values() if state in one]
        amounts: dict[str, int] = {}
        for one in of_state:
            for currency, minor in one["amounts"].items():
                amounts[currency] = amounts.get(currency, 0) + minor
        return {"count": sum(one["count"] for one in of_state), "amounts": amounts}

    def _cells(self, of_states: Mapping[str, tally.Sum]) -> list[Cell]:
        return [self._cell(of_states.get(state)) for state, _ in self.states]

    def _cell(self, one: tally.Sum | None) -> Cell:
        if one is None:
            return Cell()
        exponents = self.evidence.result["exponents"]
        amounts = sorted(one["amounts"].items())
        return Cell(one["count"], [Money(minor, name, exponents[name]) for name, minor in amounts])

    def _entity(self, ramp_id: str) -> str:
        if not ramp_id:
            return "No entity"
        return str(self.evidence.result["entities"].get(ramp_id, ramp_id))
