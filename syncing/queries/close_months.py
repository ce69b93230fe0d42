"""One customer's month: its entities, what holds it, who has called it clean, what was frozen."""

import uuid
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

from connections.models import Connection, Entity
from rampbridge.lib.money import Money
from syncing.models import (
    NO_ENTITY,
    CloseSnapshot,
    PeriodChange,
    PeriodStamp,
    PeriodStanding,
    SyncItem,
)
from syncing.queries.close_board import UNSYNCED, Blocker, BoardRow, blockers, sums_of
from syncing.queries.close_facts import Part
from syncing.queries.items import ItemRow, in_period
from syncing.queries.items import rows as item_rows
from syncing.queries.words import OPEN, PARTY_LABELS

READ = 500
"""Unsynced items that are looked through for what holds a month, the longest waiting first."""
BILLS_SHOWN = 10
SNAPSHOTS_SHOWN = 10
_State = PeriodStamp.State


@dataclass(frozen=True, slots=True)
class StampRow:
    """A word that a month is clean, and whether it still holds."""

    stamp: PeriodStamp
    is_broken: bool
    changed_at: datetime | None
    """When the month changed last, if it has since."""
    entity: str = ""
    """The name of the one entity it is of."""

    @property
    def holds(self) -> bool:
        return self.stamp.state == _State.STANDING and not self.is_broken


@dataclass(frozen=True, slots=True)
class EntityMonth:
    """One entity's part of a month."""

    entity_id: uuid.UUID
    name: str
    is_mapped: bool
    """Somebody has said which company of the ERP it is; else its items are held."""
    is_known: bool
    parts: Sequence[Part]
    stamp: StampRow | None = None

    @property
    def unsynced(self) -> int:
        return sum(part.items for part in self.parts if part.standing in UNSYNCED)

    @property
    def done(self) -> int:
        return sum(part.items for part in self.parts if part.standing == PeriodStanding.DONE)

    @property
    def aside(self) -> int:
        return sum(part.items for part in self.parts if part.standing == PeriodStanding.ASIDE)

    @property
    def sums(self) -> list[Money]:
        return sums_of(part for part in self.parts if part.standing in UNSYNCED)

    @property
    def done_sums(self) -> list[Money]:
        return sums_of(part for part in self.parts if part.standing == PeriodStanding.DONE)

    @property
    def blockers(self) -> list[Blocker]:
        return blockers(self.parts)


@dataclass(frozen=True, slots=True)
class Cause:
    """What holds some of a month's items, and whose move it is."""

    title: str
    fix: str
    fingerprint: str
    """Of the group of errors; empty: they only wait."""
    rows: Sequence[ItemRow]

    @property
    def items(self) -> int:
        return len(self.rows)

    @property
    def first(self) -> ItemRow:
        return self.rows[0]

    @property
    def move(self) -> str:
        return PARTY_LABELS[self.first.party]

    @property
    def sums(self) -> list[Money]:
        return sums_of(row.item for row in self.rows)


@dataclass(frozen=True, slots=True)
class Held:
    """What holds a month."""

    causes: Sequence[Cause]
    bills: Sequence[ItemRow]
    """Bills that must be paid soon and are not in the ERP, the first to be paid first."""
    is_all: bool


def unsynced_in(snapshot: CloseSnapshot) -> int:
    """How many items of a month were unsynced as it was frozen."""
    return sum(int(part[4]) for part in snapshot.figures["parts"] if part[1] in UNSYNCED)


def entities_of(
    connection: Connection, row: BoardRow | None, stamps: Sequence[StampRow]
) -> list[EntityMonth]:
    """The entities that anything of a month is in, by name; what is of none last. One statement."""
    known = {one.ramp_id: one for one in Entity.objects.filter(connection=connection)}
    standing = {
        one.stamp.entity_ramp_id: one for one in stamps if one.stamp.state in ("asked", "standing")
    }
    parts: dict[uuid.UUID, list[Part]] = {}
    for part in row.parts if row else ():
        parts.setdefault(part.entity_id, []).append(part)
    found = [_entity(pk, known.get(pk), mine, standing.get(pk)) for pk, mine in parts.items()]
    return sorted(found, key=lambda one: (one.entity_id == NO_ENTITY, one.name, one.entity_id))


def _entity(
    pk: uuid.UUID, entity: Entity | None, parts: Sequence[Part], stamp: StampRow | None
) -> EntityMonth:
    if entity:
        return EntityMonth(pk, entity.name, entity.is_mapped, True, parts, stamp)  # noqa: FBT003
    name = "No entity named" if pk == NO_ENTITY else f"Unknown entity {str(pk)[:8]}"
    return EntityMonth(pk, name, pk == NO_ENTITY, pk == NO_ENTITY, parts, stamp)


def stamps_of(connection_id: uuid.UUID, period: date) -> list[StampRow]:
    """All words on a month, the newest first, with whether each holds. Two statements."""
    changes = {
        one.entity_ramp_id: one
        for one in PeriodChange.objects.filter(connection=connection_id, period=period)
    }
    stamps = PeriodStamp.objects.filter(connection=connection_id, period=period)
    return [_stamp_row(one, changes) for one in stamps.select_related("snapshot").order_by("-pk")]


def _stamp_row(stamp: PeriodStamp, changes: Mapping[uuid.UUID, PeriodChange]) -> StampRow:
    mine = [one for pk, one in changes.items() if stamp.entity_ramp_id in (None, pk)]
    is_broken = sum(one.changes for one in mine) != stamp.changes
    last = max((one.changed_at for one in mine), default=None) if is_broken else None
    return StampRow(stamp, is_broken, last)


def snapshots_of(connection_id: uuid.UUID, period: date) -> list[CloseSnapshot]:
    """The newest snapshots of a customer's month."""
    found = CloseSnapshot.objects.filter(connection=connection_id, period=period)
    return list(found.order_by("-pk")[:SNAPSHOTS_SHOWN])


def held(connection_id: uuid.UUID, period: date, *, soon: date, now: datetime) -> Held:
    """What holds a month, by cause, the one with most items first. One statement, so many rows.

    :param soon: bills that must be paid until then are told singly (R-148)
    """
    items = (
        SyncItem.objects.filter(OPEN, in_period(period), connection_id=connection_id)
        .select_related("connection")
        .order_by("ready_at", "pk")[: READ + 1]
    )
    found = item_rows(items, now)
    bills = [
        row
        for row in found
        if row.item.object_type == SyncItem.ObjectType.BILL
        and row.item.payable_on
        and row.item.payable_on <= soon
    ]
    bills.sort(key=lambda row: (row.item.payable_on, row.item.pk))
    return Held(_causes(found[:READ]), bills[:BILLS_SHOWN], is_all=len(found) <= READ)


def _causes(found: Iterable[ItemRow]) -> list[Cause]:
    grouped: dict[tuple[Any, ...], list[ItemRow]] = {}
    for row in found:
        item = row.item
        kind = item.blocked_by.partition(":")[0] if row.is_waiting else ""
        grouped.setdefault((row.word, item.error_fingerprint, kind), []).append(row)
    causes = [
        Cause(
            title=rows[0].item.error_title or (rows[0].move if kind else rows[0].look.meaning),
            fix=rows[0].item.error_fix,
            fingerprint=fingerprint,
            rows=rows,
        )
        for (_, fingerprint, kind), rows in grouped.items()
    ]
    return sorted(causes, key=lambda one: (one.first.word == "working", -one.items))
