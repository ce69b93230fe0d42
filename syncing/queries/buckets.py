"""What came and went, read from its buckets and from what is not yet folded into them."""

import uuid
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from itertools import starmap

from syncing.models import Span
from syncing.statements import rows

COUNTED = ("arrived", "done", "failed")


@dataclass(frozen=True, slots=True)
class Scope:
    """Whose items are counted. Nothing given is the whole fleet.

    ERP and owner are those that customers had then. Of one customer the minutes are not kept.
    """

    connection_id: uuid.UUID | None = None
    entity_ramp_id: uuid.UUID | None = None
    erp_name: str = ""
    owner: str = ""
    object_type: str = ""


EVERYTHING = Scope()


@dataclass(frozen=True, slots=True)
class FlowLine:
    """How often something happened within one minute, hour or day."""

    at: datetime
    change: str
    detail: str
    items: int


def flow(
    span: Span,
    *,
    since: datetime,
    until: datetime | None = None,
    scope: Scope = EVERYTHING,
    changes: Sequence[str] = COUNTED,
    step: timedelta | None = None,
) -> list[FlowLine]:
    """What came and went, the oldest first. One statement.

    :param since: the beginning of the first bucket
    :param until: before which buckets begin; None for all there are
    :param changes: as `FlowEntry.change`
    :param step: what is within each so long a time, from `since` on, is added up
    """
    found = rows(
        f"""
        SELECT {_AT}, change, detail, sum(items)::bigint
        FROM (
            SELECT b.at, b.change, b.detail, b.items
            FROM syncing_flowbucket b
            WHERE b.span = %(read)s AND b.at >= %(since)s AND b.change = ANY(%(changes)s)
              AND {_of_buckets(scope, sums=_SUMS_OF_FLOW.get(span))}
            UNION ALL
            SELECT date_trunc(%(span)s, e.at, 'UTC'), e.change, e.detail, e.items
            FROM syncing_flowentry e JOIN connections_connection c ON c.id = e.connection_id
            WHERE e.at >= %(since)s AND e.change = ANY(%(changes)s) AND {_of_entries(scope)}
        ) both_kinds
        WHERE %(until)s::timestamptz IS NULL OR at < %(until)s
        GROUP BY 1, change, detail HAVING sum(items) <> 0
        ORDER BY 1, change, detail
        """,  # noqa: S608  conditions of this file
        {
            "span": span.value,
            "read": _read(_SUMS_OF_FLOW, span, scope),
            "since": since,
            "until": until,
            "changes": list(changes),
            "step": step,
            **_values(scope),
        },
    )
    return list(starmap(FlowLine, found))


def done_by_type(connection_id: uuid.UUID, *, since: datetime) -> dict[str, int]:
    """Items of one customer that Ramp confirmed, in the hours that begin at a moment or later, by
    type. One statement.
    """
    found = rows(
        """
        SELECT object_type, sum(items)::bigint FROM (
            SELECT b.object_type, b.items FROM syncing_flowbucket b
            WHERE b.connection_id = %(connection)s AND b.span = %(span)s AND b.at >= %(since)s
              AND b.change = 'done'
            UNION ALL
            SELECT e.object_type, e.items FROM syncing_flowentry e
            WHERE e.connection_id = %(connection)s AND e.change = 'done'
              AND date_trunc('hour', e.at, 'UTC') >= %(since)s
        ) both_kinds
        GROUP BY object_type HAVING sum(items) > 0
        """,
        {"connection": connection_id, "span": Span.HOUR.value, "since": since},
    )
    return dict(found)


def latencies(
    span: Span, *, since: datetime, scope: Scope = EVERYTHING, step: timedelta | None = None
) -> Mapping[datetime, Mapping[int, int]]:
    """By the beginning of each hour or day: what was done then, by the bin of its time from ready
    to confirmed (`syncing.latency_bins`). One statement. Of one customer only days are kept, and no
    entity is told apart.

    :param step: what is within each so long a time, from `since` on, is added up
    """
    found: dict[datetime, Counter[int]] = {}
    for at, number, items in rows(
        f"""
        SELECT {_AT}, bin, sum(items)::bigint FROM (
            SELECT b.at, b.bin, b.items FROM syncing_latencybucket b
            WHERE b.span = %(read)s AND b.at >= %(since)s
              AND {_of_buckets(scope, sums=_SUMS_OF_LATENCY.get(span), has_entity=False)}
            UNION ALL
            SELECT date_trunc(%(span)s, e.at, 'UTC'), e.bin, e.items
            FROM syncing_flowentry e JOIN connections_connection c ON c.id = e.connection_id
            WHERE e.at >= %(since)s AND e.change = 'done'
              AND {_of_entries(scope, has_entity=False)}
        ) both_kinds
        GROUP BY 1, bin HAVING sum(items) > 0
        """,  # noqa: S608  conditions of this file
        {
            "span": span.value,
            "read": _read(_SUMS_OF_LATENCY, span, scope),
            "since": since,
            "step": step,
            **_values(scope),
        },
    ):
        found.setdefault(at, Counter())[number] = items
    return found


_AT = "coalesce(date_bin(%(step)s::interval, at, %(since)s::timestamptz), at)"
"""Where a line stands in time: with no step, its bucket."""


def _values(scope: Scope) -> dict[str, object]:
    return {
        "connection": scope.connection_id,
        "entity": scope.entity_ramp_id,
        "erp": scope.erp_name,
        "owner": scope.owner,
        "type": scope.object_type,
    }


_SUMS_OF_FLOW = {Span.HOUR: Span.FLEET_HOUR, Span.DAY: Span.FLEET_DAY}
_SUMS_OF_LATENCY = {Span.HOUR: Span.FLEET_HOUR}


def _read(sums: Mapping[Span, Span], span: Span, scope: Scope) -> str:
    """The span of the buckets that are read: the sums of everything, where there are such."""
    return (sums[span] if _is_added_up(scope) and span in sums else span).value


def _is_added_up(scope: Scope) -> bool:
    """Whether sums are kept: of all types and all customers, those of one ERP or of one owner."""
    is_of_both = scope.erp_name and scope.owner
    return not (scope.connection_id or scope.entity_ramp_id or scope.object_type or is_of_both)


def _of_buckets(scope: Scope, *, sums: Span | None, has_entity: bool = True) -> str:
    if sums and _is_added_up(scope):
        return "b.connection_id IS NULL AND b.erp_name = %(erp)s AND b.owner = %(owner)s"
    narrowed = [
        "b.connection_id = %(connection)s" if scope.connection_id else "b.connection_id IS NULL"
    ]
    if scope.entity_ramp_id and has_entity:
        narrowed.append("b.entity_ramp_id = %(entity)s")
    if not scope.connection_id:
        narrowed += ["b.erp_name = %(erp)s"] if scope.erp_name else []
        narrowed += ["b.owner = %(owner)s"] if scope.owner else []
    return _joined(narrowed, scope, "b")


def _of_entries(scope: Scope, *, has_entity: bool = True) -> str:
    narrowed = ["e.connection_id = %(connection)s"] if scope.connection_id else []
    if scope.entity_ramp_id and has_entity:
        narrowed.append("e.entity_ramp_id = %(entity)s")
    if not scope.connection_id:
        narrowed += ["c.erp_name = %(erp)s"] if scope.erp_name else []
        narrowed += ["c.owner = %(owner)s"] if scope.owner else []
    return _joined(narrowed, scope, "e")


def _joined(narrowed: list[str], scope: Scope, table: str) -> str:
    if scope.object_type:
        narrowed = [*narrowed, f"{table}.object_type = %(type)s"]
    return " AND ".join(narrowed) or "true"
