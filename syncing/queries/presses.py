"""Presses of Ramp's sync button: how each was answered, or how it goes just now."""

import uuid
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from django.db.models import Count

from rampbridge.lib.charts import Part, Rect, stacked_bar
from syncing.models import SyncItem, SyncRequest
from syncing.queries import items as item_queries
from syncing.queries.words import LOOKS, OPEN, Look, Word, type_label, word_of

ROWS_SHOWN = 50
State = SyncRequest.State

_STATE_LOOKS: Mapping[str, Look] = {
    State.OPEN: Look("Being answered", "work", "loader", "Somebody waits at the button in Ramp."),
    State.ANSWERED: Look("Answered", "done", "circle-check", "Every row was answered in time."),
    State.PARTIAL: Look(
        "Answered in part",
        "retry",
        "hourglass",
        "Some rows were told as not done in time. They went on by themselves.",
    ),
    State.LATE: Look(
        "Late", "person", "octagon-alert", "Ramp has called rows failed that we had not answered."
    ),
}


@dataclass(frozen=True, slots=True)
class Press:
    """One press of the button."""

    request: SyncRequest
    now: datetime

    @property
    def look(self) -> Look:
        return _STATE_LOOKS.get(
            self.request.state, Look(self.request.state.capitalize(), "neutral", "circle-help")
        )

    @property
    def type_label(self) -> str:
        return f"{type_label(self.request.object_type)}s"

    @property
    def is_open(self) -> bool:
        return self.request.state == State.OPEN

    @property
    def may_start(self) -> bool:
        """Whether new rows are still being sent to the ERP."""
        return self.is_open and self.now < self.request.stop_at

    @property
    def is_over(self) -> bool:
        """Whether Ramp has given up on what is not answered."""
        return self.now >= self.request.ends_at

    @property
    def answered(self) -> int:
        return self.request.succeeded + self.request.failed + self.request.not_started

    @property
    def unanswered(self) -> int:
        return max(self.request.requested - self.answered, 0)

    @property
    def duration(self) -> timedelta | None:
        """From the receipt to the last answer."""
        return self._after(self.request.last_ack_at)

    @property
    def first_after(self) -> timedelta | None:
        """From the receipt to the first answer."""
        return self._after(self.request.first_ack_at)

    def _after(self, at: datetime | None) -> timedelta | None:
        return at - self.request.received_at if at else None

    @property
    def bar(self) -> list[Rect]:
        """What became of the rows, as shares of a bar."""
        request = self.request
        return stacked_bar(
            [
                Part("Done", request.succeeded, "done"),
                Part("Failed", request.failed, "customer"),
                Part("Not started in time", request.not_started, "retry"),
                Part("Not answered", self.unanswered, "work" if self.is_open else "person"),
            ]
        )


@dataclass(frozen=True, slots=True)
class Row:
    """How many rows of a press stand where now."""

    look: Look
    word: Word
    items: int


def last_presses(connection_id: uuid.UUID, *, now: datetime, limit: int = 4) -> list[Press]:
    """The newest presses of one customer."""
    found = SyncRequest.objects.filter(connection_id=connection_id).order_by("-received_at", "-pk")
    return [Press(request, now) for request in found[:limit]]


def press(connection_id: uuid.UUID, pk: uuid.UUID, *, now: datetime) -> Press:
    """One press.

    :raises SyncRequest.DoesNotExist: if this customer has none of that id
    """
    return Press(SyncRequest.objects.get(connection_id=connection_id, pk=pk), now)


def standing(request: SyncRequest) -> list[Row]:
    """Where the rows of a press stand now, in the order of urgency; one query."""
    found = (
        SyncItem.objects.filter(sync_request=request)
        .order_by()
        .values("state", "error_category")
        .annotate(items=Count("pk"))
    )
    counts: Counter[Word] = Counter()
    for row in found:
        counts[word_of(row["state"], row["error_category"])] += row["items"]
    return [Row(LOOKS[word], word, counts[word]) for word in Word if counts[word]]


def open_rows(request: SyncRequest, *, now: datetime) -> Sequence[item_queries.ItemRow]:
    """Rows of a press that are not through yet, those first that changed last."""
    found = SyncItem.objects.filter(OPEN, sync_request=request).select_related("connection")
    return item_queries.rows(found.order_by("-state_at", "-pk")[:ROWS_SHOWN], now)
