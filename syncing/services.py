"""What people do to items and to customers. Each leaves a line with their name."""

import logging
from collections.abc import Mapping

from django.db import transaction

from connections import audit
from connections.models import Connection
from syncing import file_claims, pauses, poll_schedule, reconciliation, releases, schedule
from syncing.models import Attachment, Pause, SyncItem
from syncing.states import ItemState

logger = logging.getLogger(__name__)


class NotRetryable(Exception):
    """The item cannot be retried now. The message is fit to show."""


class NotRunning(Exception):
    """The customer is not live, so there is nothing to run. The message is fit to show."""


@transaction.atomic
def retry_item(*, item: SyncItem, actor: str) -> None:
    """Put a failed item, or one that waits for its next attempt, at the front of the backlog.

    An item whose outcome is unknown cannot be retried: it might be booked twice. One that waits for
    another item, or for a vendor, goes on when that is there.

    :raises NotRetryable: if it is in another state, or someone else has just moved it
    """
    match item.state:
        case ItemState.FAILED:
            moved = releases.release(item.connection_id, ids=[item.pk], why="Retried.", actor=actor)
        case ItemState.READY if item.due_at is None:
            raise NotRetryable(item.error_title or "It waits for something else.")
        case ItemState.READY:
            moved = releases.hurry(item.pk, actor=actor)
        case _:
            raise NotRetryable(why_not_retried(item.state))
    if not moved:
        raise NotRetryable("Someone else has just changed this item. Look again.")
    audit.record(
        actor,
        "items.retry",
        f"Retried {item.reference}, {item.label or 'an item without a name'}.",
        connection_id=item.connection_id,
        subject="item",
        subject_id=item.pk,
    )
    schedule.work_soon(item.connection_id)


def why_not_retried(state: str) -> str:
    """Why an item in this state is not retried, in words."""
    return _WHY_NOT.get(state, "There is nothing to retry.")


_WHY_NOT: Mapping[str, str] = {
    ItemState.POSTING: "It is being posted, or looked up in the ERP. Wait for the answer.",
    ItemState.POSTED: "It is in the ERP already; only the report to Ramp is outstanding.",
    ItemState.ACKING: "It is in the ERP already; only the report to Ramp is outstanding.",
    ItemState.ACKED: "It is through: posted in the ERP and reported to Ramp.",
    ItemState.REVIEW: "Nobody knows whether it is in the ERP. Look there first, then decide.",
    ItemState.EXTERNAL: "It was marked as synced in Ramp by someone else.",
    ItemState.WITHDRAWN: "It is no longer ready to sync in Ramp.",
    ItemState.MISMATCH: "It is in the ERP, and Ramp disagrees. Retrying would not change that.",
}


@transaction.atomic
def retry_file(*, file: Attachment, actor: str) -> None:
    """Attach one file again. Its item and its document are left alone (F-21).

    :raises NotRetryable: if it is being attached, or is attached already
    """
    if not file_claims.retry(file.pk, actor=actor):
        raise NotRetryable("This file is being attached, or is there already. Look again.")
    audit.record(
        actor,
        "files.retry",
        f"Had {file.name or 'a file'} attached again.",
        connection_id=file.connection_id,
        subject="item",
        subject_id=file.item_id,
    )


@transaction.atomic
def pause(*, connection: Connection, object_type: str, reason: str, actor: str) -> None:
    """Post nothing of a type (empty: of any) until somebody resumes it.

    :param reason: words fit to show
    """
    pauses.pause(connection, object_type, reason, actor)
    audit.record(
        actor,
        "posting.pause",
        f"Paused {object_type.replace('_', ' ') or 'everything'}: {reason}",
        connection_id=connection.pk,
        subject="pause",
        subject_id=object_type,
    )
    logger.info(
        "Posting was paused.",
        extra={"connection": connection.slug, "type": object_type, "actor": actor},
    )


@transaction.atomic
def resume(*, pause: Pause, reason: str, actor: str) -> bool:
    """End a pause. False if it has ended already."""
    ended = pauses.resume(pause.connection, pause.object_type, reason, actor)
    if ended:
        audit.record(
            actor,
            "posting.resume",
            f"Resumed {pause.object_type.replace('_', ' ') or 'everything'}: {reason}",
            connection_id=pause.connection_id,
            subject="pause",
            subject_id=pause.object_type,
        )
    logger.info(
        "Posting was resumed.",
        extra={"connection": pause.connection.slug, "type": pause.object_type, "actor": actor},
    )
    return ended


@transaction.atomic
def poll_now(connection: Connection, actor: str) -> None:
    """Have all of Ramp's lists read without waiting for the poll. The run carries the name.

    :raises NotRunning: if the customer is not live
    """
    _check_live(connection)
    if not poll_schedule.fetch_for(connection.pk, actor=actor):
        raise NotRunning(f"{connection.name} has never been scheduled, so nothing is read yet.")
    audit.record(actor, "runs.ask", "Had Ramp read now.", connection_id=connection.pk)


@transaction.atomic
def compare_now(connection: Connection, actor: str) -> None:
    """Have Ramp, us and the ERP compared without waiting for the night.

    :raises NotRunning: if the customer is not live
    """
    _check_live(connection)
    reconciliation.run_soon(connection.pk)
    audit.record(
        actor,
        "runs.compare",
        "Had Ramp, rampbridge and the ERP compared now.",
        connection_id=connection.pk,
    )
    logger.info(
        "A comparison was asked for.", extra={"connection": connection.slug, "actor": actor}
    )


def _check_live(connection: Connection) -> None:
    if connection.stage != Connection.Stage.LIVE:
        stage = connection.get_stage_display().lower()
        raise NotRunning(f"{connection.name} is {stage}: nothing is read from Ramp or the ERP.")
