"""The page's list of old records: filtered, most money first, page by page without counting."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from django.db.models import Q, QuerySet

from connections.mapping_book.suggestions import STRONG
from migrations_tool.models import ConnectionMigration, OldRecord
from migrations_tool.old_chart import history
from migrations_tool.old_chart.coverage import COVERED, rivals, with_rivals
from migrations_tool.old_chart.labels import label_of
from rampbridge.lib.money import Money
from syncing.queries.words import Look

Kind, State = OldRecord.Kind, OldRecord.State
PAGE_SIZE = 50

LOOKS: Mapping[str, Look] = {
    State.UNMAPPED: Look("Unmapped", "person", "circle-help"),
    State.SUGGESTED: Look("Suggested", "work", "circle-dashed"),
    State.MATCHED: Look("Matched", "done", "equal"),
    State.MAPPED: Look("Mapped", "done", "circle-check"),
    State.PARKED: Look("Parked", "neutral", "pause"),
}

OPEN, CONFLICT, ALL = "open", "conflict", "all"
STATES = {
    OPEN: "Open",
    State.SUGGESTED.value: "Suggested",
    State.UNMAPPED.value: "Unmapped",
    CONFLICT: "Two lead to one",
    State.MATCHED.value: "Matched",
    State.MAPPED.value: "Mapped by a person",
    State.PARKED.value: "Parked",
    ALL: "All",
}


@dataclass(frozen=True, slots=True)
class Filter:
    """What of the list is shown; nonsense in an address falls back to the default."""

    kind: str = ""
    state: str = OPEN
    text: str = ""

    @classmethod
    def of(cls, asked: Mapping[str, str]) -> "Filter":
        kind, state = asked.get("kind", ""), asked.get("state", OPEN)
        return cls(
            kind if kind in Kind.values else "",
            state if state in STATES else OPEN,
            " ".join(asked.get("q", "").split())[:100],
        )


@dataclass(frozen=True, slots=True)
class Line:
    """One old record as the page shows it."""

    row: OldRecord
    has_rival: bool
    money: Money | None
    """None where no currency is known yet."""

    @property
    def label(self) -> str:
        return label_of(self.row.code, self.row.name)

    @property
    def mark(self) -> str:
        return history.mark_of(self.row)

    @property
    def can_be_accepted(self) -> bool:
        return self.row.state == State.SUGGESTED

    @property
    def look(self) -> Look:
        return LOOKS[self.row.state]

    @property
    def is_strong(self) -> bool:
        """A suggestion that may be accepted without a look at it."""
        confidence = self.row.evidence.rpartition("· ")[2].removesuffix(" %")
        return self.can_be_accepted and confidence.isdigit() and int(confidence) >= STRONG

    @property
    def why(self) -> str:
        return self.row.parked_because or self.row.evidence


@dataclass(frozen=True, slots=True)
class Listed:
    """One page."""

    rows: Sequence[Line]
    next: str
    """The cursor of the next page; empty on the last one."""
    is_first: bool

    @property
    def to_accept(self) -> int:
        return sum(line.can_be_accepted for line in self.rows)


def listed(
    migration: ConnectionMigration,
    wanted: Filter,
    *,
    after: str = "",
    currency: tuple[str, int] | None = None,
) -> Listed:
    """A page of the list. One statement.

    :param after: the cursor that the page before gave
    :param currency: the main one and its digits after the point
    """
    rows = with_rivals(filtered(migration, wanted)).order_by("-money_minor", "id")
    cursor = _cursor(after)
    if cursor:
        money, pk = cursor
        rows = rows.filter(Q(money_minor__lt=money) | Q(money_minor=money, pk__gt=pk))
    found = list(rows[: PAGE_SIZE + 1])
    page = found[:PAGE_SIZE]
    following = f"{page[-1].money_minor}~{page[-1].pk}" if len(found) > PAGE_SIZE else ""
    return Listed([_line(row, currency) for row in page], following, is_first=cursor is None)


def filtered(migration: ConnectionMigration, wanted: Filter) -> QuerySet[OldRecord]:
    """The records that a filter means, in no order."""
    rows = OldRecord.objects.filter(migration=migration)
    if wanted.kind:
        rows = rows.filter(kind=wanted.kind)
    match wanted.state:
        case "open":
            rows = rows.filter(uses__gt=0).exclude(state__in=COVERED)
        case "conflict":
            rows = rivals(rows)
        case "all":
            pass
        case state:
            rows = rows.filter(state=state)
    if wanted.text:
        rows = rows.filter(
            Q(name__icontains=wanted.text)
            | Q(code__istartswith=wanted.text)
            | Q(old_id=wanted.text)
            | Q(erp_name__icontains=wanted.text)
        )
    return rows


def _line(row: OldRecord, currency: tuple[str, int] | None) -> Line:
    money = Money(row.money_minor, *currency) if currency and row.uses else None
    return Line(row, bool(getattr(row, "has_rival", False)), money)


def _cursor(text: str) -> tuple[int, int] | None:
    money, separator, pk = text.partition("~")
    try:
        return (int(money), int(pk)) if separator else None
    except ValueError:
        return None
