"""One line that is to be written into the book of mappings, and why it may be refused."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import NamedTuple

from connections.models import MappingKind

ONLY_COMPANY = "*"
"""What an entity is mapped to where the ERP has one company and no name for it."""


class Key(NamedTuple):
    """Which line of the book: each exists once per connection."""

    kind: str
    entity: str
    """Ramp's id of the entity that it holds for alone, or nothing for all of them."""
    field: str
    external_id: str


@dataclass(frozen=True, slots=True)
class Change:
    """Where one coding of Ramp is to lead from now on.

    `ramp_external_id` is what the coding carries; of an entity its Ramp id, of a posting account
    its purpose, as `PostingProfile` names its columns.
    """

    kind: MappingKind
    ramp_external_id: str
    after: str
    """The ERP's id; nothing takes the line out of the book. See `ONLY_COMPANY` for entities."""
    entity_ramp_id: str = ""
    field_erp_id: str = ""
    ramp_name: str = ""
    reason: str = ""
    """Why this line; empty: as the whole revision."""

    @property
    def key(self) -> Key:
        return Key(self.kind, self.entity_ramp_id, self.field_erp_id, self.ramp_external_id)


@dataclass(frozen=True, slots=True)
class Problem:
    """Why a line cannot stand in the book: the field at fault, and what to do."""

    change: Change
    field: str
    """One of kind, entity, field, ramp_id, erp_id."""
    title: str
    fix: str

    def __str__(self) -> str:
        return f"{self.title} {self.fix}"


class NotSaved(Exception):
    """Nothing was written. The message is fit to show."""


class BadTarget(NotSaved):
    """A line leads to something that cannot be posted to. Names the field and the fix."""

    def __init__(self, problems: Sequence[Problem]) -> None:
        super().__init__(str(problems[0]))
        self.problems = tuple(problems)
        self.field = problems[0].field


class Outdated(NotSaved):
    """Somebody else has changed one of the same lines since the page was drawn."""

    def __init__(self, number: int, actor: str, names: Sequence[str]) -> None:
        shown = ", ".join(names[:3])
        more = f" and {len(names) - 3} more" if len(names) > 3 else ""
        super().__init__(
            f"{actor} has changed {shown}{more} meanwhile, in revision {number}."
            " Look at it and save again."
        )
        self.number = number


class Conflict(NotSaved):
    """A revision cannot be taken back whole: later ones have changed some of its lines."""

    def __init__(self, number: int, names: Sequence[str]) -> None:
        shown = ", ".join(names[:3])
        more = f" and {len(names) - 3} more" if len(names) > 3 else ""
        super().__init__(
            f"{shown}{more} {'was' if len(names) == 1 else 'were'} changed again after revision"
            f" {number}. Take back the later change first, or only the rest of this one."
        )
        self.names = tuple(names)
