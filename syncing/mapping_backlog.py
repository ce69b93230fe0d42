"""What missing mappings hold up, the lines that hold up most money first."""

from collections import defaultdict
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any

from connections.mapping_book.changes import Change, Key
from connections.mapping_book.targets import PURPOSES
from connections.models import Connection, CustomField, Entity, FieldOption, MappingKind
from connections.models import Mapping as MappingRow
from rampbridge.lib.money import Money
from syncing.mapping_causes import CLOSED, Place, place_of
from syncing.statements import as_json, from_json, rows

Kind = MappingKind

LOOKED_AT = 50_000
"""Held items that are grouped for a page; an index entry and a row each."""

MOST_LINES = 200
"""Lines that are missing and named; those that hold up most money come first."""


@dataclass(frozen=True, slots=True)
class Held:
    """What one missing line holds up."""

    place: Place
    causes: tuple[str, ...]
    name: str
    """As Ramp shows it; where Ramp does not say, its id."""
    code: str
    is_closed: bool
    """Whether it leads to a record that the ERP has closed, and not just nowhere."""
    items: int
    sums: tuple[Money, ...]
    """Per currency, the customer's own first."""
    oldest_at: datetime
    also: tuple[Key, ...] = ()
    """Lines of the book that lead to the same closed record."""

    def changes(self, after: str, *, entity: str = "") -> list[Change]:
        """What to save so that all its items go on: the coding, and what leads to it."""
        place = self.place
        own = Change(
            place.kind,
            place.external_id,
            after,
            entity_ramp_id=entity,
            field_erp_id=place.field_erp_id,
            ramp_name=self.name,
        )
        others = [
            Change(MappingKind(key.kind), key.external_id, after, key.entity, key.field)
            for key in self.also
            if entity in ("", key.entity)
        ]
        return [own, *(one for one in others if one.key != own.key)]


@dataclass(frozen=True, slots=True)
class Backlog:
    """Everything that missing lines hold up."""

    held: tuple[Held, ...]
    items: int
    sums: tuple[Money, ...]
    by_kind: Mapping[str, tuple[Money, ...]]
    is_all: bool
    """Whether every held item was looked at."""


def backlog(
    connection: Connection, *, fields: Mapping[str, str] | None = None, currency: str = ""
) -> Backlog:
    """What is held up by missing lines, what holds up most money first. Seven statements at most.

    Money counts in the customer's own currency; within other currencies by amount, after that.

    :param fields: names of the customer's fields by their ids, and its currency, if read already
    """
    fields = dict(fields_of(connection)) if fields is None else fields
    currency = currency or currency_of(connection)
    grouped = rows(
        _HELD,
        {"connection": connection.pk, "closed": list(CLOSED), "at_most": LOOKED_AT},
    )
    by_place: dict[Place, list[tuple[Any, ...]]] = defaultdict(list)
    for line in grouped:
        if place := place_of(line[0], fields):
            by_place[place].append(line)
    ranked = sorted(by_place, key=lambda place: _rank(by_place[place], currency))
    words = _words(ranked[:MOST_LINES], by_place)
    options = _fields_of_options(connection, ranked[:MOST_LINES])
    closed = [place for place in ranked[:MOST_LINES] if _is_closed(by_place[place])]
    also = _leading_to(connection, closed)
    held = [
        _held(place, by_place[place], words.get(place, ("", "")), currency, also.get(place, ()))
        for place in ranked[:MOST_LINES]
    ]
    by_kind: dict[str, list[tuple[Any, ...]]] = defaultdict(list)
    for place, lines in by_place.items():
        by_kind[place.kind] += lines
    lines = [line for some in by_place.values() for line in some]
    return Backlog(
        held=tuple(_with_field(one, options) for one in held),
        items=sum(line[3] for line in lines),
        sums=sums_of(lines, currency),
        by_kind={kind: sums_of(some, currency) for kind, some in by_kind.items()},
        is_all=sum(line[3] for line in grouped) < LOOKED_AT,
    )


_HELD = """
    WITH waiting AS (
        SELECT blocked_by, currency, exponent, amount_minor, ready_at, id FROM syncing_syncitem
        WHERE connection_id = %(connection)s AND state IN ('READY', 'FAILED') AND blocked_by <> ''
          AND state = 'FAILED'
          AND (blocked_by LIKE 'mapping.%%' OR split_part(blocked_by, ':', 1) = ANY(%(closed)s))
        LIMIT %(at_most)s
    )
    SELECT blocked_by, currency, exponent, count(*), sum(amount_minor), min(ready_at), min(id)
    FROM waiting GROUP BY blocked_by, currency, exponent
"""

CODED_WITH = "strict $.**{0 to 3}.accounting_field_selections[*] ? (@.external_id == $id)"


def _held(
    place: Place,
    lines: Sequence[tuple[Any, ...]],
    words: tuple[str, str],
    currency: str,
    also: Collection[Key],
) -> Held:
    name, code = words
    return Held(
        place=place,
        causes=tuple(sorted({line[0] for line in lines})),
        name=name or place.external_id,
        code=code,
        is_closed=_is_closed(lines),
        items=sum(line[3] for line in lines),
        sums=sums_of(lines, currency),
        oldest_at=min(line[5] for line in lines),
        also=tuple(sorted(also)),
    )


def _is_closed(lines: Sequence[tuple[Any, ...]]) -> bool:
    return any(line[0].partition(":")[0] in CLOSED for line in lines)


def _rank(lines: Sequence[tuple[Any, ...]], currency: str) -> tuple[int, int, int, str]:
    own = sum(abs(int(line[4])) for line in lines if line[1] == currency)
    other = sum(abs(int(line[4])) for line in lines if line[1] != currency)
    return (-own, -other, -sum(line[3] for line in lines), min(line[0] for line in lines))


def sums_of(lines: Iterable[tuple[Any, ...]], currency: str) -> tuple[Money, ...]:
    totals: dict[tuple[str, int], int] = defaultdict(int)
    for line in lines:
        totals[line[1], line[2]] += int(line[4])
    ordered = sorted(totals, key=lambda key: (key[0] != currency, key))
    return tuple(Money(totals[key], *key) for key in ordered)


def _words(
    places: Sequence[Place], lines: Mapping[Place, Sequence[tuple[Any, ...]]]
) -> dict[Place, tuple[str, str]]:
    """What Ramp calls each coding, and its code there, from one item of each. One statement."""
    if not places:
        return {}
    samples = [
        {"n": n, "item": min(line[6] for line in lines[place]), "id": place.external_id}
        for n, place in enumerate(places)
    ]
    found = rows(
        f"""
        SELECT s.n, jsonb_path_query_first(
            p.ramp, '{CODED_WITH}', jsonb_build_object('id', s.id), true)::text,
            coalesce(p.ramp #>> '{{vendor,name}}', p.ramp #>> '{{vendor,remote_name}}', '')
        FROM jsonb_to_recordset(%s::jsonb) AS s(n int, item bigint, id text)
        JOIN syncing_itempayload p ON p.item_id = s.item
        """,  # noqa: S608  a constant of this file
        [as_json(samples)],
    )
    words = {}
    for n, coding, vendor in found:
        said = from_json(coding) or {}
        name = said.get("name") or (vendor if places[n].kind == Kind.VENDOR else "")
        words[places[n]] = (str(name or ""), str(said.get("external_code") or ""))
    return words


def _fields_of_options(connection: Connection, places: Sequence[Place]) -> dict[str, str]:
    """The field of each closed option, for the ERP does not say. None where several have one."""
    ids = [one.external_id for one in places if _lacks_field(one)]
    found: dict[str, set[str]] = defaultdict(set)
    if ids:
        options = FieldOption.objects.filter(connection=connection, erp_id__in=ids)
        for erp_id, field in options.values_list("erp_id", "field__erp_id"):
            found[erp_id].add(field)
    return {erp_id: fields.pop() for erp_id, fields in found.items() if len(fields) == 1}


def _lacks_field(place: Place) -> bool:
    return place.kind == Kind.FIELD_OPTION and not place.field_erp_id


def _with_field(held: Held, options: Mapping[str, str]) -> Held:
    if not _lacks_field(held.place):
        return held
    field = options.get(held.place.external_id, "")
    return replace(held, place=replace(held.place, field_erp_id=field))


def _leading_to(connection: Connection, places: Sequence[Place]) -> dict[Place, list[Key]]:
    """Lines of the book that lead to a closed record. Two queries, none if nothing is closed."""
    wanted = {(one.kind, one.external_id): one for one in places}
    found: dict[Place, list[Key]] = defaultdict(list)
    if not wanted:
        return found
    ids = [external_id for _, external_id in wanted]
    for row in MappingRow.objects.filter(connection=connection, erp_id__in=ids).select_related(
        "entity"
    ):
        if place := wanted.get((MappingKind(row.kind), row.erp_id)):
            entity = str(row.entity.ramp_id) if row.entity else ""
            found[place].append(Key(row.kind, entity, row.field_erp_id, row.ramp_external_id))
    for profile in connection.profiles.select_related("entity"):
        for purpose in PURPOSES:
            if place := wanted.get((Kind.GL_ACCOUNT, getattr(profile, purpose))):
                entity = str(profile.entity.ramp_id) if profile.entity else ""
                found[place].append(Key(Kind.PROFILE, entity, "", purpose))
    return found


def fields_of(connection: Connection) -> Iterable[tuple[str, str]]:
    found = CustomField.objects.filter(connection=connection)
    return found.order_by("erp_id").values_list("erp_id", "name")


def currency_of(connection: Connection) -> str:
    """The customer's own: that of its first entity."""
    entities = Entity.objects.filter(connection=connection).order_by("-is_primary", "pk")
    return entities.values_list("currency", flat=True).first() or ""
