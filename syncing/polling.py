"""Pull what is ready in Ramp: the guarantee under webhooks, which only shorten the wait."""

import hashlib
import logging
from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

from django.conf import settings
from django.contrib.postgres.functions import TransactionNow

from connections.models import Connection
from connections.ramp import errors
from connections.ramp.client import RampClient
from connections.ramp.pages import Malformed, TransactionPage
from connections.ramp.schemas import Transaction
from rampbridge.lib import failpoints
from syncing import inbox, schedule, snapshots
from syncing.classifier import classify_ramp
from syncing.kinds.transactions import snapshot_of
from syncing.models import SyncItem, SyncRun
from syncing.quarantine import quarantine
from syncing.schedule import PollLease
from syncing.snapshots import Stored

logger = logging.getLogger(__name__)

PAGE_SIZES = (100, 100, 50, 50, 25)
"""By failures in a row: Ramp cuts answers at 60 s, and smaller pages answer sooner (fault P9)."""
MOST_REREADS = 100
"""Vanished items read one by one after a pull; the rest waits for the next pull."""
TRANSACTION = SyncItem.ObjectType.TRANSACTION.value


class LeaseLost(Exception):
    """Another worker has begun to pull this connection."""


def pull(
    connection: Connection, ramp: RampClient, *, trigger: str, now: datetime, jitter: float
) -> SyncRun | None:
    """Bring our items up to what Ramp says is ready. None if another worker is at it.

    A pull that breaks off keeps the pages it has and plans its next try; what is wrong stands on
    the run and, if a person must act, on the connection.
    """
    with schedule.only_poller(connection) as lease:
        if lease is None:
            return None
        run = SyncRun.objects.create(
            connection=connection, trigger=trigger, started_at=lease.began_at
        )
        try:
            stored = _pull_pages(connection, ramp, run, lease)
            _settle_vanished(connection, ramp, since=run.started_at)
        except errors.RampError as error:
            failure = classify_ramp(error)
            run.problem = failure.title
            run.trace_id = error.trace_id
            schedule.pull_failed(connection, failure, jitter=jitter)
            logger.warning(
                "A pull broke off.", extra={"connection": connection.slug, "why": str(error)}
            )
        except LeaseLost:
            run.problem = "It took so long that another worker took over."
        else:
            lease.pull_done(next_in=next_poll_in(connection, now=now))
            outcome = f"pulled, {stored.new} new" if stored.new else "pulled, nothing new"
            inbox.mark_handled(connection.pk, until=run.started_at, outcome=outcome)
        run.finished_at = TransactionNow()
        run.save()
    return run


def next_poll_in(connection: Connection, *, now: datetime) -> timedelta:
    """Time to the connection's next slot: two hours apart on weekdays, twelve at weekends (R-78).

    In the customer's time zone, and spread by hash so that a thousand customers do not ask at once.
    """
    local = now.astimezone(ZoneInfo(connection.time_zone))
    seconds = settings.POLL_INTERVAL_SECONDS or (7200 if local.weekday() < 5 else 43200)
    digest = hashlib.sha256(connection.pk.bytes).digest()
    offset = int.from_bytes(digest[:8]) % seconds
    elapsed = (int(now.timestamp()) - offset) % seconds
    return timedelta(seconds=seconds - elapsed)


def _pull_pages(connection: Connection, ramp: RampClient, run: SyncRun, lease: PollLease) -> Stored:
    failures = connection.schedule.poll_failures
    size = PAGE_SIZES[min(failures, len(PAGE_SIZES) - 1)]
    total = Stored()
    for page in ramp.transactions(sync_status="SYNC_READY", page_size=size):
        if not lease.keep():
            raise LeaseLost
        if run.pages:  # so that a long pull is seen to move; what the last page brings comes later
            run.save(update_fields=["pages", "seen", "new", "changed"])
        failpoints.hit("during_poll_page")
        total += _store(connection, page, run.started_at)
        failpoints.hit("after_poll_page")
        run.pages += 1
        run.seen, run.new, run.changed = total.seen, total.new, total.changed
    return total


def _store(connection: Connection, page: TransactionPage, listed_at: datetime) -> Stored:
    # Ramp ignores query keys it does not know and then lists everything, so look again (gotcha 18).
    ready = [one for one in page.transactions if one.sync_status == "SYNC_READY"]
    unique = {one.ramp_id: one for one in map(snapshot_of, ready)}
    stored = snapshots.store_page(
        connection, TRANSACTION, page.storable, list(unique.values()), listed_at=listed_at
    )
    for malformed in page.malformed:
        if _status(malformed) == "SYNC_READY":
            quarantine(connection, TRANSACTION, malformed, listed_at=listed_at)
    return stored


def _status(malformed: Malformed) -> str:
    """What a malformed object says of itself; ready if nothing, for those were asked for."""
    raw = malformed.raw if isinstance(malformed.raw, dict) else {}
    return str(raw.get("sync_status") or "SYNC_READY")


def _settle_vanished(connection: Connection, ramp: RampClient, *, since: datetime) -> None:
    """What Ramp no longer lists as ready has been synced by someone else, or taken back.

    A list that was read while it changed may have skipped a row: each is read again (fault P5).
    """
    for item_id, ramp_id in snapshots.not_listed_since(connection.pk, since, MOST_REREADS):
        try:
            answer = ramp.transaction_body(ramp_id)
        except errors.NotFound:
            snapshots.leave(item_id, "WITHDRAWN", why=_WHY["WITHDRAWN"])
            continue
        page = _as_page(answer)
        (status,) = [one.sync_status for one in page.transactions] or map(_status, page.malformed)
        if status == "SYNC_READY":
            _store(connection, page, since)
        else:
            state = "EXTERNAL" if status == "SYNCED" else "WITHDRAWN"
            snapshots.leave(item_id, state, why=_WHY[state])


def _as_page(body: bytes) -> TransactionPage:
    """One object as a list of one, to be stored, or put aside if malformed, like any other."""
    return TransactionPage.read(
        b'{"data":[' + body + b'],"page":null}', Transaction, base_url=settings.RAMP_API_URL
    )


_WHY = {
    "EXTERNAL": "Marked as synced in Ramp, but not by rampbridge: the Export button,"
    " or another tool.",
    "WITHDRAWN": "No longer ready to sync in Ramp.",
}
