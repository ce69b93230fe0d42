"""Keep waiting: nobody can tell yet, and somebody says until when."""

from datetime import datetime, timedelta

from django.contrib.postgres.functions import TransactionNow as Now
from django.db import transaction

from connections import audit
from syncing.models import Settlement, SyncItem
from syncing.settling import steps
from syncing.settling.refusal import NotSettled
from syncing.states import ItemState

LONGEST = timedelta(days=30)
_STATES = frozenset({ItemState.REVIEW, ItemState.POSTING, ItemState.MISMATCH})


def keep_waiting(
    *, item: SyncItem, until: datetime, reason: str, actor: str, now: datetime
) -> Settlement:
    """Put an item to the end of the uncertain ones until then. Nothing of it moves.

    :raises NotSettled: without a reason, for an item that is not uncertain, or for too long
    """
    if item.state not in _STATES:
        raise NotSettled("This item is no longer uncertain.")
    if not reason.strip():
        raise NotSettled("Say what you wait for. Others read it beside the item.")
    if not now < until <= now + LONGEST:
        raise NotSettled(f"Choose a time within the next {LONGEST.days} days.")
    with transaction.atomic():
        settlement = Settlement.objects.create(
            item=item,
            act=Settlement.Act.WAIT,
            state=Settlement.State.DONE,
            reason=reason.strip()[:300],
            until=until,
            asked_by=actor,
            asked_at=Now(),
        )
        steps.note(
            [item.pk],
            f"Waits: {settlement.reason}",
            actor=actor,
            data={"until": until.isoformat()},
        )
        audit.record(
            actor,
            "items.wait",
            f"Lets {item.reference} wait until {until:%-d %b, %H:%M} UTC: {settlement.reason}",
            connection_id=item.connection_id,
            subject="item",
            subject_id=item.pk,
        )
    return settlement
