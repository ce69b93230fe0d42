"""Not there: an item whose answer was lost is posted after all."""

from datetime import datetime

from django.contrib.postgres.functions import TransactionNow as Now
from django.db import transaction

from connections import audit
from syncing import schedule
from syncing.models import ErpLook, Settlement, SyncItem
from syncing.settling import limits, looks, steps
from syncing.settling.refusal import CHANGED, NotSettled
from syncing.states import ItemState


def post_anyway(*, item: SyncItem, reason: str, actor: str, now: datetime) -> Settlement:
    """Queue an item of REVIEW again, because it is certainly not in the ERP.

    The ERP must have been searched just now and not have had it. One that cannot be searched by
    our reference (class N) has somebody's word instead: with a reason, and above the limit a
    second person's.

    :raises NotSettled: if nobody has looked just now, something was found, or the item has moved on
    """
    if item.state != ItemState.REVIEW:
        raise NotSettled("Only an item that nobody is sure of can be posted so.")
    look = _look_of(item, now)
    reason = reason.strip()[:300]
    if not look.is_conclusive and not reason:
        raise NotSettled(
            "This ERP cannot be searched by our reference. Look into it yourself, and say how you"
            " know that it is not there."
        )
    needs_second = not look.is_conclusive and limits.is_above_limit(item.money)
    with transaction.atomic():
        locked = SyncItem.objects.select_for_update().get(pk=item.pk)
        if locked.state != ItemState.REVIEW or locked.state_at != item.state_at:
            raise NotSettled(CHANGED)
        if locked.settlements.filter(state=Settlement.State.ASKED).exists():
            raise NotSettled("A decision about this item waits for a second person already.")
        settlement = Settlement.objects.create(
            item=locked,
            act=Settlement.Act.POST,
            state=Settlement.State.ASKED if needs_second else Settlement.State.DONE,
            reason=reason,
            needs_second=needs_second,
            asked_by=actor,
            asked_at=Now(),
        )
        if needs_second:
            steps.note(
                [item.pk],
                "Says that it is not in the ERP. A second person must agree before it is posted:"
                f" it is over more than {limits.in_words(item.money)}.",
                actor=actor,
                data={"reason": reason},
            )
        else:
            carry_out(settlement, actor)
        audit.record(
            actor,
            "items.post",
            f"{'Asked to post' if needs_second else 'Had'} {item.reference}"
            f"{'' if needs_second else ' posted'} after a look in the ERP.",
            connection_id=item.connection_id,
            subject="item",
            subject_id=item.pk,
            data={"reason": reason, "look": look.pk, "searched": look.is_conclusive},
        )
    return settlement


def carry_out(settlement: Settlement, actor: str) -> None:
    """Queue the item again; inside the transaction that settles it.

    :raises NotSettled: if it has moved on
    """
    item = settlement.item
    moved = steps.move(
        [item.pk],
        to=steps.TO_QUEUE,
        only=f"i.state = 'REVIEW' AND {steps.AS_ASKED}",
        settlement=settlement.pk,
        text="It is not in the ERP, so it is posted.",
        actor=actor,
        event="released",
        data={"reason": settlement.reason},
    )
    if not moved:
        raise NotSettled(CHANGED)
    schedule.work_soon(item.connection_id)


def _look_of(item: SyncItem, now: datetime) -> ErpLook:
    look = item.looks.filter(number="").order_by("-asked_at", "-pk").first()
    if look is None or not looks.is_fresh(look, item, now):
        raise NotSettled("Look in the ERP first: nobody may post it unseen.")
    ours = [one["document"] for one in look.candidates if one["document"]["ref"]]
    mine = [one for one in ours if one["ref"] == item.erp_ref]
    if mine:
        name = mine[0]["number"] or mine[0]["erp_id"]
        raise NotSettled(f"{name} in the ERP carries our reference: it is there. Adopt it.")
    return look
