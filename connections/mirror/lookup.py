"""Ask Ramp whether it has records already: after a lost answer, or where it says it knows them.

Ids are the ERP's, so whatever has landed is found by them and nothing is made twice (M1, M2).
"""

from collections.abc import Callable, Iterator, Sequence
from itertools import islice
from typing import Any

from connections.mirror import batches, ramp_side
from connections.mirror.diff import OPTION, Action
from connections.mirror.every_kind import EVERY_KIND
from connections.mirror.kinds import Mirrored
from connections.models import Connection, UploadBatch
from connections.ramp.chart import Chart

_FEW = 5
"""So many are asked for one by one."""


def landed(kind: Mirrored, chart: Chart, rows: Sequence[Any]) -> list[tuple[Any, Any]]:
    """What Ramp has of an upload whose answer is lost: all of it, or nothing.

    One call if there is nothing; else the list is read on from the first record, for those uploaded
    together stand together.
    """
    first = kind.find(chart, rows[0])
    return [] if first is None else _with_first(kind, chart, rows, first)


def known(kind: Mirrored, chart: Chart, rows: Sequence[Any]) -> list[tuple[Any, Any]]:
    """Those of the rows that Ramp has, each with Ramp's record. They need not all be there."""
    for index, row in enumerate(rows):
        first = kind.find(chart, row)
        if first is not None:
            return _with_first(kind, chart, rows[index:], first)
    return []


def settle(
    connection: Connection, chart: Chart, *, keep: Callable[[], None] = lambda: None
) -> None:
    """Find out what became of batches whose end nobody has seen. Only reads from Ramp.

    :param keep: called before what was found is kept; what it raises ends the work

    :raises RampError: if Ramp does not answer; they stay open then
    """
    for batch in batches.under_way(connection):
        kind = EVERY_KIND[batch.kind]
        rows = _rows_of(kind, batch)
        if batch.action == Action.CREATE:
            found = landed(kind, chart, rows) if rows else []
        else:
            found = _last_touched(kind, chart, batch, rows)
        keep()
        adopt(kind, found)
        batches.progress(batch, taken=len(found))
        batches.end(batch, detail="Broken off, and settled by what Ramp has.")


def adopt(kind: Mirrored, found: Sequence[tuple[Any, Any]]) -> None:
    """Keep what Ramp shows of records that it turned out to have."""
    ramp_side.confirm(kind, [(row.pk, kind.as_shown(shown)) for row, shown in found])


def _rows_of(kind: Mirrored, batch: UploadBatch) -> list[Any]:
    """Records of a batch in its order; of a creation those about which nothing is known yet."""
    rows = kind.model.objects.filter(connection_id=batch.connection_id, erp_id__in=batch.erp_ids)
    if kind.kind == OPTION:
        rows = rows.select_related("field").filter(field__erp_id=batch.field_erp_id)
    if batch.action == Action.CREATE:
        # Sent in order, so the first of these is what was under way, or nothing was.
        rows = rows.filter(ramp_id=None, refused_content="")
    place = {erp_id: index for index, erp_id in enumerate(batch.erp_ids)}
    return sorted(rows, key=lambda row: place[row.erp_id])


def _last_touched(
    kind: Mirrored, chart: Chart, batch: UploadBatch, rows: Sequence[Any]
) -> list[tuple[Any, Any]]:
    """Changes go one by one and each is kept, so of one alone nothing is known. What Ramp shows of
    it is the truth; whether that is what was wanted, the next comparison says.
    """
    untold = batch.erp_ids[batch.taken + batch.refused :][:1]
    open_row = next((row for row in rows if row.erp_id in untold), None)
    shown = kind.find(chart, open_row) if open_row is not None else None
    return [] if shown is None else [(open_row, shown)]


def _with_first(
    kind: Mirrored, chart: Chart, rows: Sequence[Any], first: Any
) -> list[tuple[Any, Any]]:
    wanted = {row.erp_id: row for row in rows}
    found = {first.id: first}
    if len(rows) > _FEW:
        followers = kind.listed(chart, start=str(first.ramp_id), **kind.beside(rows[0]))
        found |= {one.id: one for one in islice(followers, len(rows) - 1) if one.id in wanted}
    found |= {one.id: one for one in _one_by_one(kind, chart, rows, set(found))}
    return [(wanted[erp_id], shown) for erp_id, shown in found.items()]


def _one_by_one(
    kind: Mirrored, chart: Chart, rows: Sequence[Any], known_ids: set[str]
) -> Iterator[Any]:
    """Where a list is in another order than that in which its records came."""
    for row in rows:
        if row.erp_id not in known_ids:
            shown = kind.find(chart, row)
            if shown is not None:
                yield shown
