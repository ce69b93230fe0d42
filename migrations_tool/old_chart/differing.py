"""The two charts side by side: what is the same, changed, removed, or added by the new one."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from django.db.models import Exists, F, OuterRef, QuerySet, Value
from django.db.models.functions import Concat, Trim, Upper

from connections.models import FieldOption
from migrations_tool.models import ConnectionMigration, OldRecord
from migrations_tool.old_chart import targets
from migrations_tool.old_chart.coverage import LEADING
from migrations_tool.old_chart.labels import label_of
from migrations_tool.old_chart.translation import why

Kind, State = OldRecord.Kind, OldRecord.State

ADDED, REMOVED, CHANGED, SAME = "added", "removed", "changed", "same"
CHANGES: Mapping[str, str] = {
    CHANGED: "Changed",
    REMOVED: "Removed",
    ADDED: "Added",
    SAME: "Same",
}
PAGE_SIZE = 50


@dataclass(frozen=True, slots=True)
class Pair:
    """One line of the comparison; one of its sides may be empty."""

    old: str = ""
    new: str = ""
    why: str = ""


@dataclass(frozen=True, slots=True)
class Compared:
    """One page of it."""

    pairs: Sequence[Pair]
    next: str
    """Where the next page begins; empty on the last one."""


def compared(
    migration: ConnectionMigration, kind: str, change: str, *, after: str = ""
) -> Compared:
    """A page of one kind and one sort of change. One statement."""
    last = int(after) if after.isdigit() else 0
    if change == ADDED:
        rows, pair = _added(migration, kind), _added_pair
    else:
        rows, pair = _old(migration, kind, change), _old_pair
    found = list(rows.filter(pk__gt=last).order_by("pk")[: PAGE_SIZE + 1])
    page = found[:PAGE_SIZE]
    return Compared([pair(one) for one in page], str(page[-1].pk) if len(found) > len(page) else "")


def kind_of(asked: str) -> str:
    return asked if asked in Kind.values else Kind.ACCOUNT.value


def change_of(asked: str) -> str:
    return asked if asked in CHANGES else CHANGED


def _old(migration: ConnectionMigration, kind: str, change: str) -> QuerySet[Any]:
    rows = OldRecord.objects.filter(migration=migration, kind=kind)
    if change == REMOVED:
        return rows.exclude(state__in=LEADING)
    rows = rows.filter(state__in=LEADING).alias(
        before=Upper(Trim(Concat("code", Value(" "), "name"))), after=Upper("erp_name")
    )
    return rows.filter(before=F("after")) if change == SAME else rows.exclude(before=F("after"))


def _added(migration: ConnectionMigration, kind: str) -> QuerySet[Any]:
    led_to = OldRecord.objects.filter(
        migration=migration, kind=kind, state__in=LEADING, erp_id=OuterRef("erp_id")
    )
    if kind != Kind.OPTION:
        return targets.usable(migration.connection, kind).exclude(Exists(led_to))
    options = FieldOption.objects.filter(
        connection=migration.connection, is_active=True, gone_at=None, field__gone_at=None
    )
    return options.exclude(Exists(led_to.filter(field_erp_id=OuterRef("field__erp_id"))))


def _old_pair(row: OldRecord) -> Pair:
    return Pair(
        label_of(row.code, row.name), row.erp_name if row.state in LEADING else "", why(row)
    )


def _added_pair(row: Any) -> Pair:
    return Pair(new=label_of(row.code, row.name))
