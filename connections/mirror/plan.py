"""What the next upload would do, and where both sides differ: for pages. Nothing is sent by it."""

import uuid
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from functools import cache
from typing import Any

from django.db.models import Case, CharField, Count, DateTimeField, F, Q, QuerySet, Value, When
from django.db.models.functions import Cast, Coalesce

from connections.mirror.conditions import (
    ACTIVE,
    DIFFERS,
    SOMEBODY,
    THERE,
    WANTED,
    Prepared,
    annotated,
    differing,
    is_hidden,
)
from connections.mirror.diff import KINDS, OPTION, VENDOR, Action
from connections.mirror.kinds import MOST_AT_ONCE
from connections.models import Connection, DriftDecision

_LONGEST_CURSOR = 20
ADDED, RENAMED, CLOSED, GONE = "added", "renamed", "closed", "gone"
REOPENED, REFUSED, CHANGED_IN_RAMP = "reopened", "refused", "changed_in_ramp"
WHAT: Mapping[str, str] = {
    ADDED: "New in the ERP",
    RENAMED: "Renamed in the ERP",
    CLOSED: "Closed in the ERP",
    GONE: "Gone from the ERP",
    REOPENED: "Back in the ERP",
    CHANGED_IN_RAMP: "Changed in Ramp",
    REFUSED: "Refused",
}


@dataclass(frozen=True, slots=True)
class Plan:
    """What the next upload would send."""

    counts: Mapping[tuple[str, str], int] = field(default_factory=dict)
    """Records per kind and action. Some may turn out not to be fit to send."""

    @property
    def records(self) -> int:
        return sum(self.counts.values())

    @property
    def calls(self) -> int:
        """About so many calls: 500 new records go together, all else goes one by one."""
        return sum(
            -(-count // MOST_AT_ONCE) if action == Action.CREATE and kind != "field" else count
            for (kind, action), count in self.counts.items()
        )


@dataclass(frozen=True, slots=True)
class DriftRow:
    """One record that both sides do not have alike."""

    kind: str
    erp_id: str
    field_erp_id: str
    field_name: str
    name: str
    code: str
    what: str
    """One of `WHAT`."""
    before: str
    """As Ramp has it; empty if it does not."""
    after: str
    """As the ERP has it; empty if it does not any more."""
    since: datetime
    needs_decision: bool
    decision: DriftDecision | None
    """What a person has said and is not carried out yet."""
    refusal: str
    refusal_field: str
    cursor: str
    """Hand it back as `after` to go on behind this row."""


@dataclass(frozen=True, slots=True)
class DriftCount:
    """How many records differ in one way."""

    kind: str
    what: str
    count: int
    undecided: int


def pending(connection: Connection) -> Plan:
    """What the next upload would send, counted by the database: one statement."""
    found = _pending().rows(connection.pk)
    return Plan({(kind, what): records for kind, what, records in found})


@cache
def _pending() -> Prepared:
    parts = [
        differing(kind, SOMEBODY)
        .annotate(kind=Value(kind))
        .order_by()
        .values("kind", "action")
        .annotate(records=Count("pk"))
        .values_list("kind", "action", "records")
        for kind in KINDS
    ]
    return Prepared.of(parts[0].union(*parts[1:], all=True))


def drift(
    connection: Connection,
    *,
    kind: str = "",
    what: str = "",
    text: str = "",
    after: str | None = None,
    limit: int = 50,
) -> list[DriftRow]:
    """Records that differ, kind by kind and the eldest first. Two statements.

    :param what: one of `WHAT`, or nothing for all
    :param text: a part of the name, or the beginning of the code or id
    :param after: the `cursor` of the last row that is known already
    """
    first, beyond = _place(after)
    parts = []
    for position, name in enumerate(KINDS):
        if position < first or kind not in {"", name}:
            continue
        rows = _drifting(name, connection.pk)
        if what:
            rows = rows.filter(what=what)
        if text:
            rows = rows.filter(
                Q(name__icontains=text)
                | Q(ramp_name__icontains=text)
                | Q(code__istartswith=text)
                | Q(erp_id=text)
            )
        if position == first:
            rows = rows.filter(pk__gt=beyond)
        parts.append(_columns(rows, name, position).order_by("pk")[:limit])
    if not parts:
        return []
    found = list(_in_order(parts)[:limit])
    decided = _decisions(connection, found)
    return [_row(one, decided) for one in found]


def _in_order(parts: list[Any]) -> Any:
    """All parts as one list. One alone is in its order already, and cut."""
    first, *others = parts
    return first.union(*others, all=True).order_by("position", "pk") if others else first


def drift_counts(connection: Connection) -> list[DriftCount]:
    """How many records differ, per kind and way; one statement."""
    found = _drift_counts().rows(connection.pk)
    return [DriftCount(KINDS[place], what, n, undecided) for place, what, n, undecided in found]


@cache
def _drift_counts() -> Prepared:
    parts = []
    for position, name in enumerate(KINDS):
        rows = _drifting(name, SOMEBODY).annotate(
            position=Value(position), undecided=_is_undecided(name)
        )
        parts.append(
            rows.order_by()
            .values("position", "what")
            .annotate(records=Count("pk"), open=Count("pk", filter=Q(undecided=True)))
            .values_list("position", "what", "records", "open")
        )
    return Prepared.of(parts[0].union(*parts[1:], all=True).order_by("position", "what"))


def _drifting(kind: str, connection_id: uuid.UUID) -> QuerySet[Any]:
    rows: QuerySet[Any] = annotated(kind, connection_id).annotate(what=_what(kind))
    return rows.exclude(what=None)


def _what(kind: str) -> Case:
    wanted, hidden = WANTED[kind], is_hidden(kind)
    has_field = Q(field__is_active=True, field__gone_at=None) if kind == OPTION else Q()
    by_erp = Q(ramp_confirmed_at=None) | Q(changed_at__gte=F("ramp_confirmed_at"))
    asleep = THERE & (Q(ramp_is_active=False) | hidden)
    differs = wanted & (Q(ramp_id=None) & has_field | asleep | ACTIVE & DIFFERS[kind])
    offered = ~wanted & ACTIVE & ~hidden
    return Case(
        When(~Q(refusal="") & (differs | offered), then=Value(REFUSED)),
        When(wanted & Q(ramp_id=None) & has_field, then=Value(ADDED)),
        When(wanted & asleep & by_erp, then=Value(REOPENED)),
        When(wanted & asleep, then=Value(CHANGED_IN_RAMP)),
        When(wanted & ACTIVE & DIFFERS[kind] & by_erp, then=Value(RENAMED)),
        When(wanted & ACTIVE & DIFFERS[kind], then=Value(CHANGED_IN_RAMP)),
        When(offered & Q(gone_at__isnull=False), then=Value(GONE)),
        When(offered, then=Value(CLOSED)),
        default=None,
        output_field=CharField(null=True),
    )


def _is_undecided(kind: str) -> Case:
    undecided = Q(pk__in=[]) if kind == OPTION else ~WANTED[kind] & ACTIVE & Q(decision="")
    return Case(When(undecided, then=True), default=False)


def _columns(rows: QuerySet[Any], kind: str, position: int) -> Any:
    of_field = ("field__erp_id", "field__name") if kind == OPTION else (Value(""), Value(""))
    since = Case(
        When(what=CHANGED_IN_RAMP, then=F("ramp_confirmed_at")),
        default=Coalesce("gone_at", "changed_at"),
        output_field=DateTimeField(),
    )
    heir = F("merged_into") if kind == VENDOR else Value("")
    is_wanted = Case(When(WANTED[kind], then=True), default=False)
    return rows.annotate(
        position=Value(position),
        of_field=Cast(of_field[0], CharField()),
        of_field_name=Cast(of_field[1], CharField()),
        since=since,
        heir=Cast(heir, CharField()),
        wanted=is_wanted,
        undecided=_is_undecided(kind),
    ).values(
        "position", "pk", "erp_id", "of_field", "of_field_name", "name", "code", "what",
        "ramp_id", "ramp_name", "ramp_code", "since", "heir", "wanted", "undecided", "refusal",
        "refusal_field",
    )  # fmt: skip


def _decisions(
    connection: Connection, found: list[dict[str, Any]]
) -> dict[tuple[str, str, str], DriftDecision]:
    about = DriftDecision.objects.filter(
        connection=connection, erp_id__in={one["erp_id"] for one in found}, done_at=None
    )
    return {(one.kind, one.field_erp_id, one.erp_id): one for one in about}


def _row(one: dict[str, Any], decided: Mapping[tuple[str, str, str], DriftDecision]) -> DriftRow:
    kind = KINDS[one["position"]]
    ours = f"{one['code']} {one['name']}".strip() if one["wanted"] else ""
    return DriftRow(
        kind=kind,
        erp_id=one["erp_id"],
        field_erp_id=one["of_field"],
        field_name=one["of_field_name"],
        name=one["name"],
        code=one["code"],
        what=one["what"],
        before=f"{one['ramp_code']} {one['ramp_name']}".strip() if one["ramp_id"] else "",
        after=f"Merged into {one['heir']}" if one["heir"] else ours,
        since=one["since"],
        needs_decision=one["undecided"],
        decision=decided.get((kind, one["of_field"], one["erp_id"])),
        refusal=one["refusal"],
        refusal_field=one["refusal_field"],
        cursor=f"{one['position']}.{one['pk']}",
    )


def _place(after: str | None) -> tuple[int, int]:
    """The kind and the row behind which to go on; the very beginning for what is no cursor."""
    position, separator, pk = (after or "").partition(".")
    is_cursor = separator and position.isdecimal() and pk.isdecimal()
    if not is_cursor or len(after or "") > _LONGEST_CURSOR:
        return 0, 0
    return int(position), int(pk)
