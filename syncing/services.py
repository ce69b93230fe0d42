"""What people do to items. Each leaves a line on the timeline with their name."""

from syncing import releases, schedule
from syncing.models import SyncItem
from syncing.states import ItemState


class NotRetryable(Exception):
    """The item cannot be retried now. The message is fit to show."""


def retry_item(*, item: SyncItem, actor: str) -> None:
    """Put a failed item, or one that waits for its next attempt, at the front of the backlog.

    An item whose outcome is unknown cannot be retried: it might be booked twice.

    :raises NotRetryable: if it is in another state, or someone else has just moved it
    """
    match item.state:
        case ItemState.FAILED:
            moved = releases.release(item.connection_id, ids=[item.pk], why="Retried.", actor=actor)
        case ItemState.READY:
            moved = releases.hurry(item.pk, actor=actor)
        case _:
            raise NotRetryable(_WHY_NOT.get(ItemState(item.state), "There is nothing to retry."))
    if not moved:
        raise NotRetryable("Someone else has just changed this item. Look again.")
    schedule.work_soon(item.connection_id)


_WHY_NOT = {
    ItemState.POSTING: "It is being posted, or looked up in the ERP. Wait for the answer.",
    ItemState.POSTED: "It is in the ERP already; only the report to Ramp is outstanding.",
    ItemState.ACKING: "It is in the ERP already; only the report to Ramp is outstanding.",
    ItemState.ACKED: "It is through: posted in the ERP and reported to Ramp.",
    ItemState.REVIEW: "Nobody knows whether it is in the ERP. Look there first, then decide.",
    ItemState.EXTERNAL: "It was marked as synced in Ramp by someone else.",
    ItemState.WITHDRAWN: "It is no longer ready to sync in Ramp.",
    ItemState.MISMATCH: "It is in the ERP, and Ramp disagrees. Retrying would not change that.",
}
