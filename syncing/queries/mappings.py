"""Mappings for pages: what waits and may mean what, what is mapped, what a revision has freed."""

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from django.db.models import Count, Q

from connections.mapping_book import lines, records, targets
from connections.mapping_book.changes import Key
from connections.mapping_book.records import Where
from connections.mapping_book.suggestions import Candidate, Coding, Suggester, Suggestion
from connections.models import Connection, CustomField, Entity, MappingKind, MappingRevision
from connections.models import Mapping as MappingRow
from rampbridge.lib.keyset import Cursor, KeysetPage, keyset_page
from rampbridge.lib.money import Money
from syncing.mapping_backlog import Backlog, Held
from syncing.models import SyncItem
from syncing.queries import standing
from syncing.queries.words import Look
from syncing.states import ItemState

Kind = MappingKind

PAGE = 50
_THROUGH = (ItemState.POSTED, ItemState.ACKING, ItemState.ACKED)
_HELD_AGAIN = (ItemState.FAILED, ItemState.REVIEW, ItemState.MISMATCH)


@dataclass(frozen=True, slots=True)
class Names:
    """What people call a customer's entities and fields, by the ids that lines carry."""

    entities: Mapping[str, str]
    fields: Mapping[str, str]
    currency: str = ""
    """The customer's own: that of its first entity."""

    def kind(self, kind: str, field: str = "") -> str:
        """`GL account`, `Department`."""
        if kind == Kind.FIELD_OPTION:
            return self.fields.get(field) or str(Kind.FIELD_OPTION.label)
        return str(Kind(kind).label)

    def ramp(self, kind: str, external_id: str, name: str = "") -> str:
        """What stands on the Ramp side of a line."""
        if kind == Kind.ENTITY:
            return self.entities.get(external_id) or name or external_id
        if kind == Kind.PROFILE and external_id in targets.PURPOSES:
            return targets.PURPOSES[external_id][0]
        return name or external_id


@dataclass(frozen=True, slots=True)
class Waiting:
    """One missing line as the workbench shows it."""

    held: Held
    name: str
    kind_label: str
    suggestions: Sequence[Suggestion]

    @property
    def best(self) -> Suggestion | None:
        return self.suggestions[0] if self.suggestions else None

    @property
    def is_strong(self) -> bool:
        return self.best is not None and self.best.is_strong

    @property
    def query(self) -> dict[str, str]:
        """What names the line in a URL."""
        place = self.held.place
        return {"kind": place.kind, "id": place.external_id, "field": place.field_erp_id}


@dataclass(frozen=True, slots=True)
class Covered:
    """How much of the money that is not synced yet is held up by no mapping of a kind."""

    label: str
    percent: int
    held: Sequence[Money]


@dataclass(frozen=True, slots=True)
class LineRow:
    """One line of the book as lists show it."""

    key: Key
    kind_label: str
    name: str
    entity: str
    target: Candidate | None
    erp_id: str
    reason: str = ""
    changed_by: str = ""
    changed_at: datetime | None = None

    @property
    def query(self) -> dict[str, str]:
        """What names the line in a URL."""
        return {
            "kind": self.key.kind,
            "id": self.key.external_id,
            "field": self.key.field,
            "entity": self.key.entity,
        }


@dataclass(frozen=True, slots=True)
class Progress:
    """What has become of the items that a revision let go."""

    released: int
    looked_at: int
    through: int
    under_way: int
    again: Sequence[tuple[str, int]]
    """Held up by something else: what, and how many."""

    @property
    def is_over(self) -> bool:
        return not self.under_way

    @property
    def look(self) -> Look:
        if self.under_way:
            return Look("Going through", "work", "send")
        if self.again:
            return Look("Held up by something else", "customer", "hand")
        return Look("All through", "done", "circle-check")


def names_of(connection: Connection) -> Names:
    """Two queries."""
    entities = Entity.objects.filter(connection=connection).order_by("-is_primary", "name", "pk")
    listed = list(entities.values_list("ramp_id", "name", "currency"))
    fields = CustomField.objects.filter(connection=connection).order_by("name", "pk")
    return Names(
        {str(ramp_id): name for ramp_id, name, _ in listed},
        dict(fields.values_list("erp_id", "name")),
        listed[0][2] if listed else "",
    )


def waiting(connection: Connection, held: Sequence[Held], names: Names) -> list[Waiting]:
    """Missing lines with what they may mean. A query per kind that occurs, and two more."""
    if not held:
        return []
    by_where: dict[Where, list[Held]] = defaultdict(list)
    for one in held:
        by_where[one.place.kind, one.place.field_erp_id].append(one)
    closed = records.named(
        connection,
        {(h.place.kind, h.place.field_erp_id, h.place.external_id) for h in held if h.is_closed},
    )
    codings = {id(one): _coding(one, names, closed) for one in held}
    before = records.earlier(connection, {coding.name for coding in codings.values()} - {""})
    suggested: dict[int, list[Suggestion]] = {}
    for where, some in by_where.items():
        wanted = [codings[id(one)] for one in some]
        suggester = Suggester(records.candidates(connection, where, wanted), before.get(where))
        for one, coding in zip(some, wanted, strict=True):
            suggested[id(one)] = suggester.suggest(coding)
    return [
        Waiting(
            one,
            _name(one, names, closed),
            names.kind(one.place.kind, one.place.field_erp_id),
            suggested[id(one)],
        )
        for one in held
    ]


def coverage(connection: Connection, backlog: Backlog, *, now: datetime) -> list[Covered]:
    """Per kind that holds something up, in the customer's main currency; all of them first."""
    open_lines = [
        one
        for one in standing.standings(now=now, connection_id=connection.pk)
        if standing.is_open(one)
    ]
    currency = backlog.sums[0].currency if backlog.sums else ""
    open_money = sum(abs(one.money.decimal) for one in open_lines if one.money.currency == currency)

    def covered(label: str, held: Sequence[Money]) -> Covered:
        stuck = sum(abs(one.decimal) for one in held if one.currency == currency)
        share = 100 if not stuck else int(100 - 100 * stuck / max(open_money, stuck))
        return Covered(label, share, held)

    kinds = [
        covered(str(Kind(kind).label), held)
        for kind, held in sorted(backlog.by_kind.items(), key=lambda one: Kind.values.index(one[0]))
    ]
    return [covered("All mappings", backlog.sums), *kinds]


def page_of_lines(
    connection: Connection,
    *,
    kind: str,
    text: str,
    after: Cursor | None,
    names: Names,
) -> tuple[list[LineRow], KeysetPage[MappingRow] | None]:
    """Lines of one kind, those changed last first; entities and posting accounts all at once."""
    if kind in (Kind.ENTITY, Kind.PROFILE):
        book = {key: to for key, to in lines.everything(connection).items() if key.kind == kind}
        return line_rows(connection, book, names), None
    rows = MappingRow.objects.filter(connection=connection, kind=kind).select_related("entity")
    if text:
        ids = (
            [one.erp_id for one in records.find(connection, kind, text)] if kind != _OPTION else []
        )
        rows = rows.filter(
            Q(ramp_name__icontains=text)
            | Q(ramp_external_id__istartswith=text)
            | Q(erp_id__in=[text, *ids])
        )
    page = keyset_page(rows, field="changed_at", after=after, size=PAGE, newest_first=True)
    written = {lines.key_of(row): row for row in page.rows}
    book = {key: row.erp_id for key, row in written.items()}
    return line_rows(connection, book, names, written), page


def line_rows(
    connection: Connection,
    book: Mapping[Key, str],
    names: Names,
    written: Mapping[Key, MappingRow] | None = None,
) -> list[LineRow]:
    """Lines with the names of what they lead to, in the order given. A query per kind."""
    found = records.named(connection, {(key.kind, key.field, to) for key, to in book.items()})
    made = []
    for key, erp_id in book.items():
        row = (written or {}).get(key)
        made.append(
            LineRow(
                key=key,
                kind_label=names.kind(key.kind, key.field),
                name=names.ramp(key.kind, key.external_id, row.ramp_name if row else ""),
                entity=names.entities.get(key.entity, key.entity),
                target=found.get((key.kind, key.field, erp_id)),
                erp_id=erp_id,
                reason=row.reason if row else "",
                changed_by=row.changed_by if row else "",
                changed_at=row.changed_at if row else None,
            )
        )
    return made


def revisions(connection: Connection, *, before: int = 0) -> list[MappingRevision]:
    """A page of revisions, newest first, with how many lines each has; and one more, if any."""
    found = MappingRevision.objects.filter(connection=connection)
    if before:
        found = found.filter(number__lt=before)
    return list(
        found.annotate(lines=Count("changes"))
        .select_related("reverts")
        .order_by("-number")[: PAGE + 1]
    )


def progress(revision: MappingRevision) -> Progress:
    """What has become of a revision's items; looks at the first few thousand. One query."""
    ids = revision.released_items
    counted = (
        SyncItem.objects.filter(pk__in=ids)
        .order_by()
        .values_list("state", "error_title")
        .annotate(items=Count("pk"))
        if ids
        else ()
    )
    by_state: dict[str, int] = defaultdict(int)
    again: dict[str, int] = defaultdict(int)
    for state, title, items in counted:
        by_state[state] += items
        if state in _HELD_AGAIN:
            again[title or "Somebody has to look at it."] += items
    through = sum(by_state[state] for state in _THROUGH)
    held = sum(again.values())
    return Progress(
        released=revision.released,
        looked_at=len(ids),
        through=through,
        under_way=by_state[ItemState.READY] + by_state[ItemState.POSTING],
        again=sorted(again.items(), key=lambda one: (-one[1], one[0]))[:5] if held else [],
    )


_OPTION = Kind.FIELD_OPTION


def _coding(one: Held, names: Names, closed: Mapping[tuple[str, str, str], Candidate]) -> Coding:
    place = one.place
    record = closed.get((place.kind, place.field_erp_id, place.external_id))
    return Coding(
        external_id=place.external_id,
        name=_name(one, names, closed),
        code=one.code or (record.code if record else ""),
        classification=record.classification if record else "",
    )


def _name(one: Held, names: Names, closed: Mapping[tuple[str, str, str], Candidate]) -> str:
    place = one.place
    record = closed.get((place.kind, place.field_erp_id, place.external_id))
    if record and one.name == place.external_id:
        return record.name
    return names.ramp(place.kind, place.external_id, one.name)


def strong(rows: Iterable[Waiting]) -> list[Waiting]:
    """Those that may be accepted in bulk."""
    return [row for row in rows if row.is_strong]
