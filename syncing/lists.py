"""Read one of Ramp's lists into items, page by page and in turns."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta

from connections.models import Connection
from connections.ramp import errors
from connections.ramp.client import RampClient
from rampbridge.lib import failpoints
from syncing import intake, snapshots
from syncing.cursors import Reading
from syncing.kinds import LISTS, Kind, Scope
from syncing.models import SyncRun
from syncing.poll_schedule import PollLease
from syncing.pull_endings import COUNTED
from syncing.snapshots import Stored

PAGES_PER_TURN = 20
"""Of one list; then others have their turn, so that a customer with 100,000 objects does not hold
a worker (fault S1)."""
MOST_PAGES = 20_000
"""In all turns of one reading: two million objects. A longer list leads in a circle (fault P7)."""


@dataclass(frozen=True, slots=True)
class Turn:
    """What a pull reads its lists with."""

    connection: Connection
    ramp: RampClient
    run: SyncRun
    lease: PollLease
    page_size: int
    announced: Mapping[str, datetime]


def read(turn: Turn, reading: Reading) -> None:
    """Read a list on from where it was left off, a turn's pages at most.

    :raises RampError: `reading` says how far it came
    :raises LeaseLost: at once, so that no call is made twice
    """
    cursor = reading.cursor
    try:
        _read_pages(turn, reading)
    except (errors.InvalidRequest, errors.NotFound):
        if not cursor or reading.cursor != cursor:
            raise
        reading.start_over(began_at=turn.run.started_at)  # Ramp no longer knows the cursor
        _read_pages(turn, reading)


def _read_pages(turn: Turn, reading: Reading) -> None:
    kind = LISTS[reading.list_name][0]
    for number, page in enumerate(kind.ready(turn.ramp, _scope(turn, kind, reading)), start=1):
        _keep(turn, reading, number)
        failpoints.hit("during_poll_page")
        stored = intake.take_in(
            turn.connection,
            reading.list_name,
            page,
            listed_at=turn.run.started_at,
            arrived_by=turn.run.trigger,
            announced=turn.announced,
        )
        failpoints.hit("after_poll_page")
        _count(turn.run, stored)
        reading.pages += 1
        reading.cursor = page.next_cursor or ""
        if page.next_cursor is None:
            reading.is_complete = True
            return
        if reading.pages >= MOST_PAGES:
            raise errors.SchemaSurprise("Ramp's list does not end.")
        if number >= PAGES_PER_TURN:
            return


def _keep(turn: Turn, reading: Reading, number: int) -> None:
    """The lease, and where to go on after a crash: at this page, which is not stored yet."""
    is_first_call = number == 1 and not turn.run.pages
    if not is_first_call:
        turn.lease.keep(reading)
    if number > 1:  # so that a long pull is seen to move; what this page brings comes later
        count_calls(turn.run, turn.ramp)
        turn.run.save(update_fields=COUNTED)


def count_calls(run: SyncRun, ramp: RampClient) -> None:
    """Note on a run what its client has asked of Ramp so far."""
    run.calls, run.throttled_ms = ramp.calls, round(1000 * ramp.waited)


def _count(run: SyncRun, stored: Stored) -> None:
    run.pages += 1
    run.seen += stored.seen
    run.new += stored.new
    run.changed += stored.changed
    run.unannounced += stored.unannounced


def _scope(turn: Turn, kind: Kind, reading: Reading) -> Scope:
    return Scope(
        start=reading.cursor or None,
        page_size=turn.page_size,
        entity_id=reading.entity_id,
        from_date=_since(turn.connection, kind, reading, kind.overlap) if kind.overlap else None,
    )


def _since(connection: Connection, kind: Kind, reading: Reading, overlap: timedelta) -> datetime:
    """From when on a list without a sync state is read: what we did not see, and what is open.

    The first time that is what came since the customer did: what is older was entered by hand, and
    would be a second document. A backfill brings it where it was not.
    """
    since = connection.created_at
    if reading.completed_at is not None:
        since = max(since, reading.completed_at - overlap)
    oldest = snapshots.oldest_open(connection.pk, kind.object_type)
    return min(since, oldest) if oldest else since
