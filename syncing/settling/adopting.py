"""It is this one: an item takes a document that stands in the ERP already, whoever made it."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from django.contrib.postgres.functions import TransactionNow as Now
from django.db import transaction

from connections import audit
from connections.erp.search import FoundDocument
from syncing.models import ErpLook, Settlement, SyncItem
from syncing.settling import looks, steps
from syncing.settling.matching import why_not_adoptable
from syncing.settling.refusal import CHANGED, NotSettled
from syncing.statements import execute
from syncing.states import ItemState

_MAY = "i.state IN ('REVIEW', 'FAILED') OR i.state = 'MISMATCH' AND i.erp_id = ''"
_BILL_IS_THERE = "Its bill is in the ERP: a person has named the document."


def can_adopt(item: SyncItem) -> bool:
    """Whether somebody may say which document the item is."""
    if item.state == ItemState.MISMATCH:
        return not item.erp_id
    return item.state in (ItemState.REVIEW, ItemState.FAILED)


def adopt(*, look: ErpLook, erp_id: str, reason: str, actor: str, now: datetime) -> Settlement:
    """Let the item of a look be the document that the look found. Then it is reported as any other.

    One over another amount or currency needs a reason and a second person: the settlement then
    waits, see `second_person`.

    :raises NotSettled: if the document cannot be it, the look is old, or the item has moved on
    """
    item = look.item
    found = _candidate(look, erp_id)
    document = FoundDocument.from_json(found["document"])
    if not can_adopt(item):
        raise NotSettled("Only what failed, or of which nobody is sure, can be told what it is.")
    if not looks.is_fresh(look, item, now):
        raise NotSettled("This was found a while ago. Look in the ERP again, then decide.")
    if why := why_not_adoptable(document):
        raise NotSettled(why)
    problems = list(found["problems"])
    if problems and not reason.strip():
        raise NotSettled(f"{problems[0]} Say why it is this one all the same; a second person then"
                         " confirms it.")  # fmt: skip
    with transaction.atomic():
        _check_untaken(item, document)
        return _settle(item, found, reason.strip(), actor, needs_second=bool(problems))


def carry_out(settlement: Settlement, actor: str) -> None:
    """Move the item of an adoption that is settled; inside the transaction that settles it.

    :raises NotSettled: if the item has moved on, or another one has the document by now
    """
    assert settlement.document is not None
    item, document = settlement.item, FoundDocument.from_json(settlement.document["document"])
    _check_untaken(item, document)
    is_ours = bool(document.ref) and document.ref == item.erp_ref
    moved = steps.move(
        [item.pk],
        to=steps.TO_ADOPTED,
        only=f"({_MAY}) AND {steps.AS_ASKED}",
        settlement=settlement.pk,
        text=_told(settlement, document),
        actor=actor,
        data={"number": document.number or document.erp_id, "reason": settlement.reason},
        with_files=is_ours,
        frees=_BILL_IS_THERE,
        erp_id=document.erp_id[:100],
        number=(document.number or document.erp_id)[:100],
        url=document.url[:500],
        # Under another reference than ours the nightly comparison would not find it (X25).
        ref=item.erp_ref if is_ours else "",
    )
    if not moved:
        raise NotSettled(CHANGED)


def _settle(
    item: SyncItem, found: Mapping[str, Any], reason: str, actor: str, *, needs_second: bool
) -> Settlement:
    state = Settlement.State.ASKED if needs_second else Settlement.State.DONE
    seen_at = item.state_at
    item = SyncItem.objects.select_for_update().get(pk=item.pk)
    if not can_adopt(item) or item.state_at != seen_at:
        raise NotSettled(CHANGED)
    if item.settlements.filter(state=Settlement.State.ASKED).exists():
        raise NotSettled("A decision about this item waits for a second person already.")
    settlement = Settlement.objects.create(
        item=item,
        act=Settlement.Act.ADOPT,
        state=state,
        reason=reason[:300],
        document=found,
        needs_second=needs_second,
        asked_by=actor,
        asked_at=Now(),
    )
    document = FoundDocument.from_json(found["document"])
    name = document.number or document.erp_id
    if needs_second:
        steps.note([item.pk], f"Says that it is {name}. A second person must confirm it, for "
                   f"{found['problems'][0][0].lower()}{found['problems'][0][1:]}",
                   actor=actor, data={"reason": reason})  # fmt: skip
    else:
        carry_out(settlement, actor)
    audit.record(
        actor,
        "items.adopt",
        f"{'Asked to adopt' if needs_second else 'Adopted'} {name} for {item.reference}.",
        connection_id=item.connection_id,
        subject="item",
        subject_id=item.pk,
        data={"erp_id": document.erp_id, "reason": reason, "problems": found["problems"]},
    )
    return settlement


def _candidate(look: ErpLook, erp_id: str) -> Mapping[str, Any]:
    for found in look.candidates:
        if found["document"]["erp_id"] == erp_id:
            return dict(found)
    raise NotSettled("That document is not among what was found. Look for its number.")


def _check_untaken(item: SyncItem, document: FoundDocument) -> None:
    """One document is one item, also if two people decide at once.

    :raises NotSettled: if another item of the customer has it
    """
    name = f"adopt {item.connection_id} {document.kind} {document.erp_id}"
    execute("SELECT pg_advisory_xact_lock(hashtextextended(%s, 0))", [name])
    number = document.number or document.erp_id
    taken = (
        SyncItem.objects.filter(
            connection_id=item.connection_id, erp_number=number[:100], erp_id=document.erp_id
        )
        .exclude(pk=item.pk)
        .first()
    )
    # What was paid by card is confirmed with its bill's own document.
    if taken is not None and taken.ramp_id != item.ramp_id:
        raise NotSettled(
            f"{number} is the document of {taken.label} ({taken.reference}) already."
            " One document is one item."
        )


def _told(settlement: Settlement, document: FoundDocument) -> str:
    name = document.number or document.erp_id
    second = " Confirmed by a second person." if settlement.needs_second else ""
    return f"It is {name} in the ERP: taken over, and reported to Ramp next.{second}"
