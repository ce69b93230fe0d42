"""Read back what Ramp has of the chart, and bring our `ramp_*` columns to it."""

from array import array
from collections.abc import Callable, Collection, Iterable, Iterator
from dataclasses import dataclass, field
from itertools import islice
from typing import Any

from django.db.models.functions import Now

from connections.mirror import ramp_side
from connections.mirror.conditions import MODELS
from connections.mirror.diff import KINDS, OPTION, TAX_CODE
from connections.mirror.every_kind import EVERY_KIND
from connections.mirror.kinds import Columns, Mirrored
from connections.models import Connection, CustomField, Mirror
from connections.ramp.chart import Chart

Hear = Callable[[str, CustomField | None, Columns], None]
"""Told of each record that Ramp lists: its kind, whose option it is, and `erp_id` with columns."""

_AT_ONCE = 500
"""Records of Ramp's list that are compared by one statement."""


@dataclass
class Differences:
    """What Ramp had otherwise than we thought, per kind."""

    changed: dict[str, int] = field(default_factory=dict)
    """Somebody made, renamed, hid, deactivated or brought back records there."""
    lost: dict[str, int] = field(default_factory=dict)
    """Records that Ramp does not list any more."""
    strangers: dict[str, int] = field(default_factory=dict)
    """Active records of Ramp that are none of the ERP's."""

    @property
    def total(self) -> int:
        return sum(self.changed.values()) + sum(self.lost.values())


def read_back(
    connection: Connection,
    ramp: Chart,
    *,
    kinds: Collection[str] = KINDS,
    keep: Callable[[], None] = lambda: None,
    is_ours: Callable[[], None] = lambda: None,
    hear: Hear = lambda *_: None,
) -> Differences:
    """Read Ramp's lists of every kind. What somebody changed there shows up as drift.

    :param kinds: those whose lists are read
    :param keep: called before every part of a list is kept; what it raises ends the reading
    :param is_ours: called before any list is read, and again before records are taken as lost:
        raises if the lists are not those of our connection
    :param hear: called with every record as it is listed, also those that nobody has given an id
    :raises RampError: if a list breaks off; what was read until then is kept, and nothing is taken
        as lost by it
    """
    is_ours()
    differences = Differences()
    for name in KINDS:
        if name not in kinds:
            continue
        if not MODELS[name].objects.filter(connection=connection).exists():
            continue  # nothing to compare, and taxes are not open to every business
        if name == OPTION:
            for one in CustomField.objects.filter(connection=connection, ramp_id__isnull=False):
                _List(
                    connection, ramp, EVERY_KIND[name], differences, keep, is_ours, hear, one
                ).read()
        else:
            _List(connection, ramp, EVERY_KIND[name], differences, keep, is_ours, hear).read()
    if set(kinds) == set(KINDS):
        Mirror.objects.filter(connection=connection).update(
            last_verified_at=Now(), strangers=differences.strangers
        )
    return differences


@dataclass
class _List:
    connection: Connection
    ramp: Chart
    kind: Mirrored
    differences: Differences
    keep: Callable[[], None]
    is_ours: Callable[[], None]
    hear: Hear
    of_field: CustomField | None = None
    without_id: int = 0
    """Active records that nobody has given an id of an ERP: made by hand in Ramp."""

    def read(self) -> None:
        """Compare as pages come; held are 500 records at most, and 8 bytes per row met."""
        met = array("q")
        changed = strangers = 0
        for records in _chunks(self._records()):
            self.keep()
            compared = ramp_side.compare(
                self.kind,
                self.connection.pk,
                list(records.values()),
                field_pk=self.of_field.pk if self.of_field else None,
            )
            met.extend(compared.met)
            changed += compared.changed
            active = {erp_id for erp_id, shown in records.items() if shown["ramp_is_active"]}
            strangers += len(active - compared.known)
        strangers += self.without_id
        lost = self._lost(met)
        if lost:
            self.is_ours()  # still, and all the time meanwhile
            self.keep()
            ramp_side.lose(self.kind, lost)
        for into, count in (
            (self.differences.changed, changed),
            (self.differences.lost, len(lost)),
            (self.differences.strangers, strangers),
        ):
            if count:
                into[self.kind.kind] = into.get(self.kind.kind, 0) + count

    def _records(self) -> Iterator[Columns]:
        if self.kind.kind == TAX_CODE and not self._has_tax_field():
            return
        for one in self.kind.listed(self.ramp, **self._filters()):
            columns = {"erp_id": one.id, **self.kind.as_shown(one)}
            self.hear(self.kind.kind, self.of_field, columns)
            if one.id:
                yield columns
            elif one.is_active:
                self.without_id += 1

    def _filters(self) -> dict[str, Any]:
        return {"field_ramp_id": self.of_field.ramp_id} if self.of_field else {}

    def _has_tax_field(self) -> bool:
        found = self.ramp.tax_code_field()
        Mirror.objects.filter(connection=self.connection).update(
            tax_field_ramp_id=found.ramp_id if found else None
        )
        return found is not None

    def _lost(self, met: "array[int]") -> list[int]:
        """Those of ours that a complete list did not have."""
        ours = self.kind.model.objects.filter(connection=self.connection, ramp_id__isnull=False)
        if self.of_field is not None:
            ours = ours.filter(field=self.of_field)
        if ours.count() == len(set(met)):
            return []
        known = set(met)
        return [pk for pk in ours.values_list("pk", flat=True).iterator() if pk not in known]


def _chunks(records: Iterable[Columns]) -> Iterator[dict[Any, Columns]]:
    """By the ERP's id. Of two with the same one, the active one counts."""
    rest = iter(records)
    while some := list(islice(rest, _AT_ONCE)):
        some.sort(key=lambda columns: bool(columns["ramp_is_active"]))
        yield {columns["erp_id"]: columns for columns in some}
