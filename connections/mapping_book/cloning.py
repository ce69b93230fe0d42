"""Copy mappings to a sibling entity, or to another customer with the same sort of ERP.

Records are never copied by id from one ERP to another: each is found again by code and name, and
what cannot be found is listed. Nothing is saved here.
"""

from collections import defaultdict
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from uuid import UUID

from connections.mapping_book import lines, records, targets
from connections.mapping_book.changes import Change, Key
from connections.mapping_book.suggestions import Candidate, folded
from connections.models import Connection, MappingKind

Kind = MappingKind


class CannotCopy(Exception):
    """These two cannot be copied from one to the other. The message is fit to show."""


@dataclass(frozen=True, slots=True)
class Copied:
    """One line, where it would lead, and where it leads now."""

    change: Change
    target: Candidate | None
    before: str
    why: str
    """How its record was found again."""

    @property
    def is_news(self) -> bool:
        return self.before != self.change.after


@dataclass(frozen=True, slots=True)
class NotCopied:
    """One line that cannot be copied, and why."""

    key: Key
    name: str
    why: str


@dataclass(frozen=True, slots=True)
class Plan:
    """What copying would do."""

    copied: Sequence[Copied]
    not_copied: Sequence[NotCopied]

    @property
    def changes(self) -> list[Change]:
        return [one.change for one in self.copied if one.is_news]


def to_sibling(connection: Connection, source: str, target: str) -> Plan:
    """Copy the own lines of one entity to another one of the same customer, by their Ramp ids.

    :raises CannotCopy: if they are one, or not both the customer's
    """
    known = {str(one) for one in connection.entities.values_list("ramp_id", flat=True)}
    if source == target or not {source, target} <= known:
        raise CannotCopy("Choose two different entities of this customer.")
    book = lines.everything(connection)
    names = lines.names(connection)
    changes = [
        Change(
            MappingKind(key.kind),
            key.external_id,
            erp_id,
            entity_ramp_id=target,
            field_erp_id=key.field,
            ramp_name=names.get(key, ""),
        )
        for key, erp_id in sorted(book.items())
        if key.entity == source
    ]
    found = records.named(connection, {(c.kind, c.field_erp_id, c.after) for c in changes})
    copied, refused = _checked(connection, changes)
    return Plan(
        [
            Copied(
                one,
                found.get((one.kind, one.field_erp_id, one.after)),
                book.get(one.key, ""),
                "same record",
            )
            for one in copied
        ],
        refused,
    )


def to_customer(source: Connection, target: Connection) -> Plan:
    """Copy the general lines of one customer to another, each record found again by code and name.

    A coding that is a record of the source's own ERP is found again as well; one from elsewhere (an
    older integration) keeps its id, unless the target's ERP uses that id for a record of its own.

    :raises CannotCopy: if they are one, or have different sorts of ERP
    """
    if source.pk == target.pk or source.erp_kind != target.erp_kind:
        raise CannotCopy("Choose another customer with the same sort of ERP.")
    book = {key: to for key, to in lines.everything(source).items() if not key.entity}
    entities = source.entities.values_list("ramp_id", "name")
    names = lines.names(source) | {
        Key(Kind.ENTITY, "", "", str(ramp_id)): name for ramp_id, name in entities
    }
    wanted = {(key.kind, key.field, to) for key, to in book.items()}
    own = {(key.kind, key.field, key.external_id) for key in book}
    theirs = records.named(source, wanted | own)
    chart = _Chart(target, list(theirs.values()), own)
    changes: list[Change] = []
    ways: dict[Key, tuple[Candidate, str]] = {}
    not_copied: list[NotCopied] = []
    for key, erp_id in sorted(book.items()):
        name = names.get(key) or _name(key, theirs)
        made = _found_again(key, erp_id, name, theirs, chart)
        if isinstance(made, str):
            not_copied.append(NotCopied(key, name, made))
        else:
            change, record, why = made
            changes.append(change)
            ways[change.key] = record, why
    copied, refused = _checked(target, changes)
    before = lines.standing(target, [one.key for one in copied])
    return Plan(
        [Copied(one, *_way(ways[one.key], before.get(one.key, ""))) for one in copied],
        [*not_copied, *refused],
    )


def _way(way: tuple[Candidate, str], before: str) -> tuple[Candidate, str, str]:
    record, why = way
    return record, before, why


def _found_again(
    key: Key,
    erp_id: str,
    name: str,
    theirs: Mapping[tuple[str, str, str], Candidate],
    chart: "_Chart",
) -> tuple[Change, Candidate, str] | str:
    """The line as the target needs it, or why there is none."""
    kind = MappingKind(key.kind)
    if kind == Kind.ENTITY:
        return "Entities are each customer's own. Map them by hand."
    record = theirs.get((key.kind, key.field, erp_id))
    if record is None:
        return "The record it leads to is not known any more."
    match = chart.like(key.kind, key.field, record)
    if match is None:
        return f"{chart.erp} has no one {record} there."
    external_id = key.external_id
    if kind != Kind.PROFILE:
        coded = theirs.get((key.kind, key.field, key.external_id))
        twin = chart.like(key.kind, key.field, coded) if coded else None
        if coded and twin is None:
            return f"Its own record {coded} does not exist there."
        if not coded and (key.kind, key.field, key.external_id) in chart.known:
            return "There the id means another record."
        if kind == Kind.VENDOR and _is_ramps(key.external_id):
            return "Vendors of Ramp are each customer's own."
        external_id = twin[0].erp_id if twin else key.external_id
    if external_id == match[0].erp_id:
        return "There it leads to itself."
    change = Change(kind, external_id, match[0].erp_id, field_erp_id=key.field, ramp_name=name)
    return change, *match


def _checked(
    connection: Connection, changes: Sequence[Change]
) -> tuple[list[Change], list[NotCopied]]:
    problems = targets.problems(connection, changes)
    bad = {one.change.key: one for one in problems}
    refused = [
        NotCopied(one.change.key, targets.name_of(one.change), str(one)) for one in bad.values()
    ]
    return [one for one in changes if one.key not in bad], refused


def _name(key: Key, theirs: Mapping[tuple[str, str, str], Candidate]) -> str:
    record = theirs.get((key.kind, key.field, key.external_id))
    if key.kind == Kind.PROFILE:
        return targets.PURPOSES[key.external_id][0]
    return record.name if record else key.external_id


def _is_ramps(external_id: str) -> bool:
    """Whether it is an id of Ramp's own, which other businesses do not have."""
    try:
        UUID(external_id)
    except ValueError:
        return False
    return True


class _Chart:
    """The target's records that are like the source's, by code and by name."""

    def __init__(
        self,
        connection: Connection,
        wanted: Sequence[Candidate],
        ids: Collection[tuple[str, str, str]],
    ) -> None:
        self.erp = connection.erp_name
        self.known: set[tuple[str, str, str]] = set()
        self._records: dict[tuple[str, str], list[Candidate]] = defaultdict(list)
        codes = sorted({one.code for one in wanted if one.code})
        names = sorted({one.name for one in wanted if one.name})
        for kind, field in sorted({(kind, field) for kind, field, _ in ids}):
            if kind == Kind.ENTITY:
                continue
            own = [one for its, of, one in ids if (its, of) == (kind, field)]
            self.known |= {
                (kind, field, one.erp_id)
                for one in records.like(connection, (kind, field), ids=own)
            }
            self._records[kind, field] = records.like(
                connection, (kind, field), codes=codes, names=names
            )

    def like(self, kind: str, field: str, record: Candidate) -> tuple[Candidate, str] | None:
        """The one record that is like another customer's, and how it is told."""
        known = self._records[kind, field]
        name = folded(record.name)
        same_code = [one for one in known if record.code and one.code == record.code]
        same_name = [one for one in known if name and folded(one.name) == name]
        both = [one for one in same_code if one in same_name]
        ways = (("same code and name", both), ("same code", same_code), ("same name", same_name))
        return next(((found[0], why) for why, found in ways if len(found) == 1), None)
