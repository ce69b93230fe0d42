"""A row for every batch that goes to Ramp, committed before it is sent (R-21)."""

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

import orjson
from django.db.models import Case, F, Value, When
from django.db.models.functions import Now

from connections.mirror.diff import OPTION, Action
from connections.mirror.kinds import Mirrored
from connections.models import Connection, MirrorRun, UploadBatch

State = UploadBatch.State


@dataclass
class Sent:
    """What a run has sent so far."""

    taken: dict[str, dict[str, int]] = field(default_factory=dict)
    """Records that Ramp took, per kind and action."""
    refused: int = 0
    """Records that Ramp or we refused."""
    calls: int = 0
    """Calls that change something, whatever came of them."""

    @property
    def records(self) -> int:
        return sum(count for of_kind in self.taken.values() for count in of_kind.values())

    def count(self, kind: str, action: str, records: int) -> None:
        of_kind = self.taken.setdefault(kind, {})
        of_kind[action] = of_kind.get(action, 0) + records


def begin(
    connection: Connection,
    kind: Mirrored,
    action: Action,
    rows: Sequence[Any],
    *,
    run: MirrorRun | None,
) -> UploadBatch:
    """Write down what is about to be sent. Whoever dies from here on leaves it as SENDING."""
    return UploadBatch.objects.create(
        connection=connection,
        run=run,
        kind=kind.kind,
        action=action.value,
        field_erp_id=rows[0].field.erp_id if kind.kind == OPTION else "",
        erp_ids=[row.erp_id for row in rows],
        size=len(rows),
        content=_digest(kind, rows),
    )


def called(batch: UploadBatch, *, trace_id: str = "") -> None:
    """Another call was made for it."""
    named = {"trace_id": trace_id[:100]} if trace_id else {}
    _of(batch).update(calls=F("calls") + 1, **named)


def progress(batch: UploadBatch, *, taken: int = 0, refused: int = 0) -> None:
    """So many more of its records are through."""
    _of(batch).update(taken=F("taken") + taken, refused=F("refused") + refused)


def leave_out(batch: UploadBatch, erp_id: str) -> None:
    """Nothing is to be done about one of its records any more."""
    batch.erp_ids = [one for one in batch.erp_ids if one != erp_id]
    _of(batch).update(erp_ids=batch.erp_ids, size=len(batch.erp_ids))


def end(batch: UploadBatch, *, detail: str = "") -> None:
    """Nothing more is done for it. What its records came to says how it ended.

    A row that a failover has forgotten stays forgotten: what Ramp took of it is found there.
    """
    state = Case(
        When(taken=F("size"), then=Value(State.DONE)),
        When(taken__gt=0, then=Value(State.PARTLY)),
        default=Value(State.REFUSED),
    )
    _of(batch).filter(state=State.SENDING).update(state=state, detail=detail, finished_at=Now())


def under_way(connection: Connection) -> list[UploadBatch]:
    """Those whose end nobody has seen: their answers were lost, or their workers (M1, M2)."""
    lost = UploadBatch.objects.filter(connection=connection, state=State.SENDING)
    return list(lost.order_by("started_at", "id"))


def _of(batch: UploadBatch) -> Any:
    return UploadBatch.objects.filter(pk=batch.pk)


def _digest(kind: Mirrored, rows: Sequence[Any]) -> str:
    content = [[row.erp_id, kind.as_sent(row)] for row in rows]
    options = orjson.OPT_SORT_KEYS | orjson.OPT_NON_STR_KEYS
    return hashlib.sha256(orjson.dumps(content, default=str, option=options)).hexdigest()
