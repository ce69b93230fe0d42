"""What waits for a second person, and that person's word."""

import uuid
from collections.abc import Sequence

from django.contrib.postgres.functions import TransactionNow as Now
from django.db import transaction

from connections import audit
from syncing.models import OutsideMark, Settlement
from syncing.settling import adopting, reposting, steps
from syncing.settling.refusal import NotSettled

MOST = 200
_CARRY_OUT = {
    Settlement.Act.ADOPT: adopting.carry_out,
    Settlement.Act.POST: reposting.carry_out,
}


def waiting_settlements(connection_id: uuid.UUID | None = None) -> Sequence[Settlement]:
    """Decisions that wait, the oldest first; with their items and customers."""
    found = Settlement.objects.filter(state=Settlement.State.ASKED)
    if connection_id:
        found = found.filter(item__connection=connection_id)
    return list(found.select_related("item__connection").order_by("asked_at", "pk")[:MOST])


def waiting_marks(connection_id: uuid.UUID | None = None) -> Sequence[OutsideMark]:
    """Marks as handled outside that wait, the oldest first; with their items and customers."""
    found = OutsideMark.objects.filter(state=OutsideMark.State.ASKED)
    if connection_id:
        found = found.filter(item__connection=connection_id)
    return list(found.select_related("item__connection").order_by("asked_at", "pk")[:MOST])


def decide(*, settlement: Settlement, agrees: bool, because: str, actor: str) -> Settlement:
    """The second person's word: the act is carried out, or dropped.

    :raises NotSettled: if it is decided already, the same person asks and agrees, or the item has
        moved on
    """
    with transaction.atomic():
        settlement = Settlement.objects.select_for_update().get(pk=settlement.pk)
        if settlement.state != Settlement.State.ASKED:
            raise NotSettled("Somebody has decided this already.")
        if agrees and settlement.asked_by == actor:
            raise NotSettled("You have asked for it, so somebody else must agree.")
        act = Settlement.Act(settlement.act)
        settlement.state = Settlement.State.DONE if agrees else Settlement.State.REFUSED
        settlement.decided_by, settlement.decided_at = actor, Now()
        settlement.decided_because = because.strip()[:300]
        settlement.save()
        item = settlement.item
        if agrees:
            _CARRY_OUT[act](settlement, actor)
        else:
            said = f" {settlement.decided_because}" if settlement.decided_because else ""
            text = f"“{act.label}” is dropped: the second person does not agree.{said}"
            steps.note([item.pk], text, actor=actor)
        audit.record(
            actor,
            f"items.{act}.decide",
            f"{'Agreed to' if agrees else 'Refused'} “{act.label}” for {item.reference}.",
            connection_id=item.connection_id,
            subject="item",
            subject_id=item.pk,
            data={"asked_by": settlement.asked_by, "because": settlement.decided_because},
        )
    return settlement
