"""Answer presses of Ramp's sync button: pull, post and report in short turns (R-83).

A turn ends after some seconds, so that no customer keeps a worker; the sweep rings again every two
seconds while somebody waits. If an ordinary worker has the connection, it posts what was asked for
before anything else, and only the reports are made here.
"""

import logging
import time
from collections.abc import Callable

from connections.models import Connection
from connections.ramp import errors
from connections.ramp.client import RampClient
from syncing import circuit, claims, engine, intake, outbox, pauses, snapshots, sync_requests
from syncing.dispatch import Worker
from syncing.kinds import KINDS, Scope, Standing
from syncing.models import Schedule, SyncItem, SyncRequest
from syncing.statements import only_one

logger = logging.getLogger(__name__)

TURN_SECONDS = 20.0
"""How long one doorbell works at a press."""
BAR_SECONDS = 4.0
"""How long one chunk may take by the speed measured: after each the customer's bar moves."""
NO_TIME_TITLE = "There was no time left for this one."
NO_TIME = f"{NO_TIME_TITLE} We will try again at {{next}} UTC; nothing to do."
"""`{next}` is when the press is over, which `sync_requests.tell_rest` fills in."""

Report = Callable[[], object]


def pull(connection: Connection, ramp: RampClient) -> None:
    """Read what each new press asks for. What Ramp does not give now is asked for again.

    What stands on the first page is posted by the next turn, while this one reads on.
    """
    for request in sync_requests.to_pull(connection.pk):
        with only_one(f"sync request {request.pk}") as is_mine:
            if not is_mine:
                continue
            try:
                _pull(connection, request, ramp)
            except errors.RampError as error:
                logger.warning(
                    "The rows of a sync button's press could not be read.",
                    extra={"connection": connection.slug, "why": str(error)},
                )


def _pull(connection: Connection, request: SyncRequest, ramp: RampClient) -> None:
    kind = KINDS[request.object_type]
    listed_at = snapshots.database_now()
    for page in kind.ready(ramp, Scope(requested=True)):
        intake.take_in(
            connection,
            request.object_type,
            page,
            listed_at=listed_at,
            arrived_by=SyncItem.Arrival.BUTTON,
        )
        # A Ramp that does not know the filter sends everything: only what is ready counts.
        ready = [one.id for one in page.items if kind.standing(one) is Standing.READY]
        sync_requests.adopt(request, ready, listed_at=listed_at)
    sync_requests.pulled(request)


def work(worker: Worker, lease: claims.WorkLease, *, report: Report) -> None:
    """Post what was asked for, for one turn, and report after each chunk."""
    until = time.monotonic() + TURN_SECONDS
    connection_id = worker.connection.pk
    while time.monotonic() < until and sync_requests.has_work(connection_id):
        if not lease.keep() or not lease.may_post:
            return
        if not engine.post_due_items(worker, limit=_chunk(worker, lease)):
            return
        report()


def _chunk(worker: Worker, lease: claims.WorkLease) -> int:
    """As many as fit in a few seconds; one round of calls while the speed is not known."""
    size = engine.chunk_size(worker, is_probing=lease.is_probing, seconds=BAR_SECONDS)
    if worker.pace.per_second is None:
        size = min(size, worker.calls * max(1, worker.capabilities.batch))
    return size


def finish(connection: Connection, *, report: Report) -> None:
    """End a turn: tell what there is no time for, report, and close what is answered."""
    for object_type in sync_requests.out_of_time(connection.pk):
        title, text = _why_not_now(connection, object_type)
        sync_requests.tell_rest(connection.pk, object_type, title=title, text=text)
    report()
    sync_requests.close_finished(connection.pk)


def report(connection: Connection, ramp: RampClient, *, jitter: float) -> int:
    """Tell Ramp what is known so far. Returns how many batches were sent."""
    return outbox.report_results(connection, lambda: ramp, jitter=jitter)


def _why_not_now(connection: Connection, object_type: str) -> tuple[str, str]:
    """What to say of rows that were not begun: in a few words, and as the customer reads it."""
    is_live = connection.stage == Connection.Stage.LIVE
    if not is_live or pauses.is_paused(connection, object_type):
        title = "Posting is paused at the moment."
        return title, f"{title} {_ONCE_OVER}"
    schedule = Schedule.objects.get(pk=connection.pk)
    if schedule.blocked_side == circuit.ERP:
        return (
            schedule.blocked_title,
            f"{schedule.blocked_title} {schedule.blocked_fix or _ONCE_OVER}",
        )
    if schedule.erp_failures:
        title = f"{connection.erp_name} does not answer at the moment."
        return title, f"{title} It is posted by itself once it does; nothing to do."
    return NO_TIME_TITLE, NO_TIME


_ONCE_OVER = "It is posted by itself once that is over; nothing to do."
