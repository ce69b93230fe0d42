"""A snapshot beside today's figures: what has arrived, gone or moved on since it was taken."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from connections.models import Entity
from rampbridge.lib.money import Money
from syncing.models import NO_ENTITY, CloseSnapshot, PeriodCount, PeriodStanding, SyncItem
from syncing.queries.items import in_period

ARRIVED_SHOWN = 50


@dataclass(frozen=True, slots=True)
class Line:
    """One figure of a snapshot, and the same now."""

    entity: str
    standing: str
    then_items: int
    then: Money
    now_items: int | None = None
    """None where nobody keeps today's figure: of boards and statements."""
    now: Money | None = None

    @property
    def is_same(self) -> bool:
        return self.now_items is None or (
            self.now_items == self.then_items and self.now == self.then
        )


@dataclass(frozen=True, slots=True)
class Since:
    """What has become of what a snapshot of a month froze."""

    arrived: Sequence[SyncItem]
    """Items of the month that came after it, the newest first; not all of many."""
    then_unsynced: int
    """Of what was unsynced then, so many are known by number."""
    through: int
    """So many of them are in the ERP by now."""
    aside: int
    left: int
    """And so many are unsynced still."""


def lines(snapshot: CloseSnapshot) -> list[Line]:
    """The frozen figures; of a customer's month beside today's. At most two statements."""
    names = _names(snapshot)
    then = {tuple(part[:4]): (int(part[4]), int(part[5])) for part in snapshot.figures["parts"]}
    today = _today(snapshot)
    keys = sorted({*then, *(today or {})}, key=lambda key: (names.get(key[0], key[0]), *key[1:]))
    return [_line(key, names, then.get(key, (0, 0)), today) for key in keys]


def _line(
    key: tuple[Any, ...],
    names: Mapping[str, str],
    then: tuple[int, int],
    today: Mapping[tuple[Any, ...], tuple[int, int]] | None,
) -> Line:
    entity, standing, currency, exponent = key
    known = dict(PeriodStanding.choices)
    line = Line(
        entity=names.get(entity, entity[:8]),
        standing=str(known.get(standing, standing.replace("-", " ").capitalize())),
        then_items=then[0],
        then=Money(then[1], currency, exponent),
    )
    if today is None:
        return line
    items, minor = today.get(key, (0, 0))
    return Line(
        line.entity, line.standing, line.then_items, line.then, items,
        Money(minor, currency, exponent),
    )  # fmt: skip


def _names(snapshot: CloseSnapshot) -> dict[str, str]:
    names = {"": "", str(NO_ENTITY): "No entity named"}
    if snapshot.connection_id:
        known = Entity.objects.filter(connection=snapshot.connection_id)
        names |= {str(pk): name for pk, name in known.values_list("ramp_id", "name")}
    return names


def _today(snapshot: CloseSnapshot) -> dict[tuple[Any, ...], tuple[int, int]] | None:
    """The same figures of a customer's month now; of boards and statements nobody keeps them."""
    if snapshot.connection_id is None or snapshot.period is None:
        return None
    found = PeriodCount.objects.filter(
        connection=snapshot.connection_id, period=snapshot.period, items__gt=0
    )
    if snapshot.entity_ramp_id:
        found = found.filter(entity_ramp_id=snapshot.entity_ramp_id)
    return {
        (str(one.entity_ramp_id), one.standing, one.currency, one.exponent): (
            one.items,
            one.amount_minor,
        )
        for one in found
    }


def since(snapshot: CloseSnapshot) -> Since | None:
    """What has happened to a customer's month since; None for other snapshots. Two statements."""
    if snapshot.connection_id is None or snapshot.period is None:
        return None
    arrived = SyncItem.objects.filter(
        in_period(snapshot.period),
        connection_id=snapshot.connection_id,
        ready_at__gt=snapshot.taken_at,
    )
    if snapshot.entity_ramp_id:
        named: UUID | None = snapshot.entity_ramp_id
        arrived = arrived.filter(entity_ramp_id=None if named == NO_ENTITY else named)
    numbers = snapshot.figures.get("unsynced", [])
    states = list(SyncItem.objects.filter(pk__in=numbers).values_list("state", flat=True))
    through = states.count("ACKED")
    aside = sum(state in ("EXTERNAL", "WITHDRAWN") for state in states)
    return Since(
        arrived=list(
            arrived.select_related("connection").order_by("-ready_at", "-pk")[:ARRIVED_SHOWN]
        ),
        then_unsynced=len(numbers),
        through=through,
        aside=aside,
        left=len(states) - through - aside,
    )
