"""Ramp's sync button in a run: who presses it, how we hear of that, and what must come of it.

Each press is answered row by row within five minutes of it, or says itself that it was not (R-86).
"""

import random
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from uuid import UUID

from connections.ramp_simulator import sync_button
from connections.ramp_simulator.app import Simulator
from connections.ramp_simulator.records import RequestedRow, RowOutcome, SyncRequest, SyncStatus
from syncing import models, sync_requests, tasks
from syncing.statements import rows
from tests.simulation.seeded.company import Company
from tests.simulation.seeded.findings import Book
from tests.simulation.seeded.scheduler import Scheduler

TYPES = ("transaction", "reimbursement")
"""Of which there is a button."""
_AGAIN_SECONDS = 20.0
"""Until Ramp delivers an event once more that nobody took."""
_SENT_TOO_LATE = f"""
    SELECT i.ramp_id, e.at - r.received_at FROM syncing_syncrequest r
    JOIN syncing_syncitem i ON i.sync_request_id = r.id
    JOIN syncing_itemevent e ON e.item_id = i.id AND e.kind = 'sent' AND e.at >= r.stop_at
        AND e.at < r.ends_at + interval '{sync_requests.MARGIN_SECONDS}s'
    WHERE r.connection_id = %s AND EXISTS (
        SELECT FROM syncing_itemevent a WHERE a.item_id = i.id AND a.kind = 'note'
        AND a.at < e.at AND a.data ->> 'sync_request_id' = r.sync_request_id::text)
    ORDER BY i.id
"""


@dataclass(frozen=True, slots=True)
class Press:
    """One press."""

    company: Company
    request: SyncRequest
    in_calm: bool
    """When all was well and there was nothing else to do."""


@dataclass
class Button:
    """All presses of one run."""

    sim: Simulator
    scheduler: Scheduler
    dice: random.Random
    book: Book
    ring: Callable[..., None]
    presses: list[Press] = field(default_factory=list)
    _heard: set[str] = field(default_factory=set)
    _lost: set[str] = field(default_factory=set)

    def press(
        self, company: Company, object_type: str, *, in_calm: Sequence[str] | None = None
    ) -> None:
        """Sync All of a type, if there is anything to sync; the webhook may be late, or be lost.

        :param in_calm: only these are asked for, and nothing is in their way
        """
        request = company.business.press_sync_button(object_type, in_calm)
        if request is None:
            return
        self.presses.append(Press(company, request, in_calm is not None))
        self.book.acts["press_in_calm" if in_calm else "press"] += 1
        now = self.scheduler.clock.seconds
        ends = (request.expires_at - request.pressed_at).total_seconds()
        self.scheduler.at(now + ends, self._expire)
        if not in_calm and self.dice.random() < 0.1:
            self._lost.add(request.id)
            return
        times = 2 if self.dice.random() < 0.1 else 1  # fault S4
        for _ in range(times):
            after = 0.5 if in_calm else self.dice.choice((0.5, self.dice.uniform(0, 30)))
            self.scheduler.at(now + after, lambda: self._deliver(company, request))

    def waits(self) -> bool:
        """Whether somebody looks at a bar that we know of, and it is not full yet."""
        now = self.sim.world.clock()
        return any(
            one.request.id in self._heard
            and one.request.expires_at > now
            and any(map(_waits, one.request.rows))
            for one in self.presses
        )

    def _expire(self) -> None:
        with self.sim.world.change():
            sync_button.expire(self.sim.world)

    def _deliver(self, company: Company, request: SyncRequest) -> None:
        """As often as it takes until it was kept."""
        if request.id in self._heard:
            return
        self.ring(
            self.receive,
            connection_id=str(company.connection.pk),
            object_type=request.object_type,
            sync_request_id=request.id,
        )
        again = self.scheduler.clock.seconds + _AGAIN_SECONDS
        self.scheduler.at(again, lambda: self._deliver(company, request))

    def receive(self, *, connection_id: str, object_type: str, sync_request_id: str) -> None:
        """What `inbox` makes of the event."""
        sync_requests.receive(UUID(connection_id), object_type, UUID(sync_request_id))
        self._heard.add(sync_request_id)
        self.ring(tasks.answer_sync_request, connection_id=connection_id)

    # -- when all is quiet

    def check(self, *, has_forgotten: bool) -> None:
        """What Ramp shows of each press, and what we say that we have answered."""
        for press in self.presses:
            self._check(press, has_forgotten=has_forgotten)
        for company in {press.company.slug: press.company for press in self.presses}.values():
            for ramp_id, after in rows(_SENT_TOO_LATE, [company.connection.pk]):
                self.book.breaks("R-86", f"{ramp_id} is sent {after} after a press")

    def _check(self, press: Press, *, has_forgotten: bool) -> None:
        ours = models.SyncRequest.objects.filter(
            connection=press.company.connection, sync_request_id=press.request.id
        ).first()
        outcomes = [row.outcome.value for row in press.request.rows]
        says = f"press {press.request.id} is {ours and ours.state} here and {outcomes} in Ramp"
        self.book.ends[f"press {ours.state if ours else 'unheard of'}"] += 1
        if ours is None or ours.state == "open":
            if not has_forgotten and press.request.id not in self._lost:
                self.book.breaks("INV6", says)
            return
        for row in press.request.rows:
            if not _waits(row) or self._is_no_matter(press, row, ours):
                continue
            if press.in_calm:
                self.book.breaks("R-82", f"{says}: there was nothing in the way")
            elif ours.state != "late":
                self.book.breaks("INV12", f"{says}: nobody answers {row.object_id}")

    def _is_no_matter(self, press: Press, row: RequestedRow, ours: models.SyncRequest) -> bool:
        """It was taken back, or synced by a person, or by a report that was under way already. Or a
        newer press has it: of two that are open it has the items (S4), whatever Ramp shows."""
        item = models.SyncItem.objects.filter(
            connection=press.company.connection,
            object_type=press.request.object_type,
            ramp_id=row.object_id,
        ).first()
        if item is None or item.sync_request_id not in (None, ours.pk):
            self.book.ends["row of a newer press"] += item is not None
            return True
        found = press.company.business._coded(row.object_id)
        # We count from when we heard of it, as Ramp's guide has it; here Ramp does from the press.
        said = [one for one in found.commits if one.at <= ours.ends_at]
        if found.sync_status is SyncStatus.NOT_SYNC_READY or any(
            one.outcome == "export" for one in said
        ):
            return True
        return any(one.outcome == "success" for one in said) and not _should_have_named(item, ours)


def _should_have_named(item: models.SyncItem, ours: models.SyncRequest) -> bool:
    """Whether the item was the press's own before a report of it was made that names none."""
    report = item.ack_batch
    if report is None or report.sync_request_id is not None:
        return False
    asked = models.ItemEvent.objects.filter(
        item=item, kind="note", data__sync_request_id=str(ours.sync_request_id)
    ).first()
    return asked is not None and asked.at < report.created_at


def _waits(row: RequestedRow) -> bool:
    return row.outcome in (RowOutcome.WAITING, RowOutcome.TIMED_OUT)
