"""How the mirror of one customer's chart does: where it stands, what its runs and batches did."""

import uuid
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Generic, TypeVar

from django.db.models import Count, Model, Q, QuerySet, Sum

from connections.models import Mirror, MirrorRun, ReferenceKind, UploadBatch
from connections.queries import PLURALS
from rampbridge.lib.charts import Part, Rect, stacked_bar
from syncing.queries.words import Look

PAGE_SIZE = 25
_Row = TypeVar("_Row", bound=Model)

_DONE: Mapping[str, str] = {
    UploadBatch.Action.CREATE: "created",
    UploadBatch.Action.CHANGE: "changed",
    UploadBatch.Action.HIDE: "hidden",
    UploadBatch.Action.SHOW: "shown again",
    UploadBatch.Action.DEACTIVATE: "deactivated",
    UploadBatch.Action.REACTIVATE: "reactivated",
}
_SEEN: Mapping[str, str] = {
    "new": "new",
    "changed": "changed",
    "gone": "gone",
    "kept_back": "not to be kept",
}
_OTHER = Look("Unknown", "neutral", "circle-help")
_RUN_LOOKS: Mapping[str, Look] = {
    MirrorRun.State.RUNNING: Look("Under way", "work", "loader"),
    MirrorRun.State.DONE: Look("Done", "done", "circle-check"),
    MirrorRun.State.FAILED: Look("Broken off", "person", "octagon-alert"),
}
_BATCH_LOOKS: Mapping[str, Look] = {
    UploadBatch.State.SENDING: Look(
        "On its way", "work", "loader", "Sent, or about to be. Its answer is not known yet."
    ),
    UploadBatch.State.DONE: Look("In Ramp", "done", "circle-check"),
    UploadBatch.State.PARTLY: Look(
        "In Ramp, but for some", "customer", "triangle-alert", "The good ones went through."
    ),
    UploadBatch.State.REFUSED: Look("Refused", "person", "octagon-alert"),
}


@dataclass(frozen=True, slots=True)
class Run:
    """One refresh, in words."""

    run: MirrorRun

    @property
    def look(self) -> Look:
        return _RUN_LOOKS.get(self.run.state, _OTHER)

    @property
    def why(self) -> str:
        """What set it off."""
        if self.run.actor:
            return f"Asked for by {self.run.actor}"
        labels = {choice.value: str(choice.label) for choice in MirrorRun.Trigger}
        return labels.get(self.run.trigger, self.run.trigger.capitalize())

    @property
    def read(self) -> list[str]:
        """What was different in the ERP, kind by kind."""
        return _counted(self.run.seen, _SEEN)

    @property
    def records_read(self) -> int:
        return sum(_number(of_kind, "read") for of_kind in _of_kinds(self.run.seen).values())

    @property
    def sent(self) -> list[str]:
        """What Ramp took, kind by kind."""
        return _counted(self.run.sent, _DONE)

    @property
    def records_sent(self) -> int:
        return sum(
            _number(of_kind, action)
            for of_kind in _of_kinds(self.run.sent).values()
            for action in of_kind
        )

    @property
    def duration(self) -> timedelta | None:
        return self.run.finished_at - self.run.started_at if self.run.finished_at else None


@dataclass(frozen=True, slots=True)
class Batch:
    """One batch, in words. Its progress counts records."""

    batch: UploadBatch

    @property
    def look(self) -> Look:
        return _BATCH_LOOKS.get(self.batch.state, _OTHER)

    @property
    def what(self) -> str:
        """As in `412 vendors created`."""
        kind = PLURALS.get(self.batch.kind, self.batch.kind)
        if self.batch.size == 1:
            kind = _label(self.batch.kind)
        kind = kind if kind.startswith("GL") else kind.lower()
        verb = self.batch.get_action_display().lower()
        return f"{verb.capitalize()} {self.batch.size:,} {kind}"

    @property
    def waiting(self) -> int:
        """Records that nobody knows the fate of yet."""
        return max(self.batch.size - self.batch.taken - self.batch.refused, 0)

    @property
    def bar(self) -> list[Rect]:
        return stacked_bar(
            [
                Part("in Ramp", self.batch.taken, "done"),
                Part("refused", self.batch.refused, "person"),
                Part("on their way", self.waiting, "neutral"),
            ]
        )

    @property
    def duration(self) -> timedelta | None:
        return self.batch.finished_at - self.batch.started_at if self.batch.finished_at else None


@dataclass(frozen=True, slots=True)
class Page(Generic[_Row]):
    """One page of rows, the newest first, and where the next one starts if there is one."""

    rows: Sequence[_Row]
    next: str
    is_first: bool


@dataclass(frozen=True, slots=True)
class Progress:
    """What a run has sent so far."""

    batches: int
    size: int
    taken: int
    refused: int
    calls: int

    @property
    def waiting(self) -> int:
        return max(self.size - self.taken - self.refused, 0)

    @property
    def bar(self) -> list[Rect]:
        return stacked_bar(
            [
                Part("in Ramp", self.taken, "done"),
                Part("refused", self.refused, "person"),
                Part("on their way", self.waiting, "neutral"),
            ]
        )


def is_at_work(mirror: Mirror, now: datetime) -> bool:
    """Whether a worker reads or uploads the chart just now."""
    return bool(mirror.lease_token and mirror.lease_until and mirror.lease_until > now)


def runs(connection_id: uuid.UUID, *, after: str = "") -> Page[MirrorRun]:
    """One page of a customer's refreshes, the newest first. One query."""
    return _page(MirrorRun.objects.filter(connection_id=connection_id), after)


def batches(connection_id: uuid.UUID, *, after: str = "") -> Page[UploadBatch]:
    """One page of a customer's upload batches, the newest first. One query."""
    found = UploadBatch.objects.filter(connection_id=connection_id).defer("erp_ids")
    return _page(found, after)


def batches_of(run: MirrorRun, *, after: str = "") -> Page[UploadBatch]:
    """One page of the batches of one run, the newest first. One query."""
    return _page(UploadBatch.objects.filter(run=run).defer("erp_ids"), after)


def progress(run: MirrorRun) -> Progress:
    """All batches of a run added up. One query."""
    sums = UploadBatch.objects.filter(run=run).aggregate(
        batches=Count("pk"),
        size=Sum("size", default=0),
        taken=Sum("taken", default=0),
        refused=Sum("refused", default=0),
        calls=Sum("calls", default=0),
    )
    return Progress(**sums)


def _page(rows: QuerySet[_Row], after: str) -> Page[_Row]:
    place = _place(after)
    if place:
        at, pk = place
        rows = rows.filter(Q(started_at__lte=at), Q(started_at__lt=at) | Q(pk__lt=pk))
    found: list[Any] = list(rows.order_by("-started_at", "-pk")[: PAGE_SIZE + 1])
    page = found[:PAGE_SIZE]
    more = f"{page[-1].started_at.isoformat()}~{page[-1].pk}" if len(found) > PAGE_SIZE else ""
    return Page(page, more, is_first=place is None)


def _place(after: str) -> tuple[datetime, uuid.UUID] | None:
    """The last row of the page before; None for what is not one."""
    at, _, pk = after.partition("~")
    try:
        moment, row = datetime.fromisoformat(at.replace(" ", "+")), uuid.UUID(pk)
    except ValueError:
        return None
    return (moment, row) if moment.tzinfo else None


def _counted(found: Any, words: Mapping[str, str]) -> list[str]:
    """As in `3 vendors new`, for whatever is not zero."""
    return [
        f"{number:,} {_of(kind, number)} {word}"
        for kind, of_kind in _of_kinds(found).items()
        for key, word in words.items()
        if (number := _number(of_kind, key))
    ]


def _of_kinds(found: Any) -> dict[str, Mapping[str, Any]]:
    if not isinstance(found, Mapping):
        return {}
    return {str(kind): one for kind, one in found.items() if isinstance(one, Mapping)}


def _number(of_kind: Mapping[str, Any], key: str) -> int:
    value = of_kind.get(key)
    return value if isinstance(value, int) else 0


def _of(kind: str, number: int) -> str:
    plural = PLURALS.get(kind, "entities" if kind == "entity" else kind)
    words = _label(kind) if number == 1 else plural
    return words if words.startswith("GL") else words.lower()


def _label(kind: str) -> str:
    return str(ReferenceKind(kind).label) if kind in ReferenceKind.values else kind
