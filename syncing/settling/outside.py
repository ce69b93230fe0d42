"""Handled outside: an item that rampbridge is to leave alone, with the ERP's number or a reason.

It stays so whatever Ramp lists, until somebody takes it back (P-12).
"""

import uuid
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from django.contrib.postgres.functions import TransactionNow as Now
from django.db import transaction

from connections import audit
from syncing import releases, schedule
from syncing.models import OutsideMark, SyncItem
from syncing.settling import limits, steps
from syncing.settling.refusal import NotSettled
from syncing.statements import execute
from syncing.states import ItemState

MARKABLE = frozenset({ItemState.FAILED, ItemState.READY, ItemState.REVIEW})
_NOT_SENT = "i.state IN ('FAILED', 'READY')"
_UNCERTAIN = "i.state = 'REVIEW'"
_BILL_IS_OUTSIDE = "Its bill was handled outside rampbridge."
MOST_IN_A_LINE = 50
"""Items named in one audit line; more are counted."""

_WHY_NOT: Mapping[str, str] = {
    ItemState.POSTING: "It is being posted just now. Wait for what comes of it.",
    ItemState.POSTED: "It is in the ERP already, posted by rampbridge.",
    ItemState.ACKING: "It is in the ERP already, posted by rampbridge.",
    ItemState.ACKED: "It is through: in the ERP, and reported to Ramp.",
    ItemState.MISMATCH: "It is in the ERP. Settle what the two sides disagree about.",
    ItemState.EXTERNAL: "It is marked as handled outside already.",
    ItemState.WITHDRAWN: "It was taken back in Ramp: nothing is to be done.",
}


@dataclass(frozen=True, slots=True)
class Marked:
    """What became of one item that was to be marked."""

    item_id: int
    is_done: bool
    waits: bool
    """For a second person. Until then nothing of it moves."""
    words: str


def mark_outside(
    item_ids: Sequence[int], *, erp_reference: str, reason: str, actor: str
) -> list[Marked]:
    """Mark items as handled outside. One answer for each id, in order; what cannot be marked says
    why, and stops none of the others.

    :param erp_reference: the number of the ERP's document; it or a reason must be given
    :raises NotSettled: if neither is given; nothing is marked then
    """
    erp_reference, reason = erp_reference.strip()[:100], reason.strip()[:300]
    if not erp_reference and not reason:
        raise NotSettled("Give the number of the document in the ERP, or say why there is none.")
    with transaction.atomic():
        items = {
            item.pk: item
            for item in SyncItem.objects.filter(pk__in=item_ids).select_for_update().order_by("pk")
        }
        waiting = set(
            OutsideMark.objects.filter(item__in=items, state=OutsideMark.State.ASKED).values_list(
                "item_id", flat=True
            )
        )
        answers = {pk: _answer(item, is_asked=pk in waiting) for pk, item in items.items()}
        to_mark = [items[pk] for pk, answer in answers.items() if answer.is_done or answer.waits]
        _write(to_mark, answers, erp_reference, reason, actor)
    gone = Marked(0, is_done=False, waits=False, words="There is no such item.")
    return [answers.get(pk) or Marked(pk, gone.is_done, gone.waits, gone.words) for pk in item_ids]


def decide(*, mark: OutsideMark, agrees: bool, because: str, actor: str) -> OutsideMark:
    """The second person's word on a mark that waits.

    :raises NotSettled: if it is decided already, the same person asks and agrees, or the item has
        moved on
    """
    with transaction.atomic():
        mark = OutsideMark.objects.select_for_update().select_related("item").get(pk=mark.pk)
        if mark.state != OutsideMark.State.ASKED:
            raise NotSettled("Somebody has decided this already.")
        if agrees and mark.asked_by == actor:
            raise NotSettled("You have asked for it, so somebody else must agree.")
        item = mark.item
        mark.state = OutsideMark.State.DONE if agrees else OutsideMark.State.REFUSED
        mark.decided_by, mark.decided_at = actor, Now()
        mark.decided_because = because.strip()[:300]
        mark.save()
        if agrees and not _leave([item.pk], mark.erp_reference, mark.reason, actor):
            raise NotSettled(_WHY_NOT.get(item.state, "This item has moved on meanwhile."))
        if not agrees:
            releases.release_waiting(item.connection_id, _waits_for(item.pk), _GO_ON, actor)
            said = f" {mark.decided_because}" if mark.decided_because else ""
            text = f"Not marked as handled outside: the second person does not agree.{said}"
            steps.note([item.pk], text, actor=actor)
        audit.record(
            actor,
            "items.outside.decide",
            f"{'Agreed' if agrees else 'Refused'} to mark {item.reference} as handled outside.",
            connection_id=item.connection_id,
            subject="item",
            subject_id=item.pk,
            data={"asked_by": mark.asked_by, "because": mark.decided_because},
        )
    return mark


def take_back(*, item: SyncItem, reason: str, actor: str) -> None:
    """Queue an item that was handled outside. It is read from Ramp again before it is posted, so
    that one which Ramp has as synced goes back where it was.

    One of which nobody was sure goes back to REVIEW: it may be in the ERP as much as before.

    :raises NotSettled: without a reason, or if it is not marked, or somebody has just moved it
    """
    reason = reason.strip()[:300]
    if item.state != ItemState.EXTERNAL:
        raise NotSettled("It is not marked as handled outside.")
    if not reason:
        raise NotSettled("Say why rampbridge is to post it after all.")
    with transaction.atomic():
        go_back = _back_to_review if _was_uncertain(item) else _back_to_queue
        if not go_back(item, reason, actor):
            raise NotSettled("Somebody has just taken it back. Look again.")
        audit.record(
            actor,
            "items.outside.take_back",
            f"Took back that {item.reference} was handled outside: {reason}",
            connection_id=item.connection_id,
            subject="item",
            subject_id=item.pk,
        )
    schedule.work_soon(item.connection_id)


def _was_uncertain(item: SyncItem) -> bool:
    marked = item.events.filter(kind="external").order_by("-pk").first()
    return marked is not None and marked.data.get("was") == ItemState.REVIEW


def _back_to_review(item: SyncItem, reason: str, actor: str) -> list[int]:
    return steps.move(
        [item.pk],
        to=steps.TO_REVIEW,
        only="i.state = 'EXTERNAL'",
        text=f"No longer handled outside. {_UNKNOWN_AGAIN}",
        actor=actor,
        data={"reason": reason},
        title=_UNKNOWN_AGAIN,
    )


_UNKNOWN_AGAIN = "Its answer was lost before it was marked, so nobody knows whether it is there."


def _back_to_queue(item: SyncItem, reason: str, actor: str) -> list[int]:
    return steps.move(
        [item.pk],
        # as old as can be, so that it is read again before it is posted (rule 7)
        to=f"{steps.TO_QUEUE}, snapshot_at = 'epoch'",
        only="i.state = 'EXTERNAL'",
        text="No longer handled outside: rampbridge posts it, if Ramp calls it ready still.",
        actor=actor,
        event="released",
        data={"reason": reason},
    )


def _answer(item: SyncItem, *, is_asked: bool) -> Marked:
    if item.state not in MARKABLE:
        words = _WHY_NOT.get(item.state, "This version does not know its state.")
        return Marked(item.pk, is_done=False, waits=False, words=words)
    if is_asked:
        words = "It waits for a second person already."
        return Marked(item.pk, is_done=False, waits=False, words=words)
    if limits.is_above_limit(item.money):
        words = f"It is over more than {limits.in_words(item.money)}: a second person must agree."
        return Marked(item.pk, is_done=False, waits=True, words=words)
    return Marked(item.pk, is_done=True, waits=False, words="Marked as handled outside.")


def _write(
    items: Sequence[SyncItem],
    answers: Mapping[int, Marked],
    erp_reference: str,
    reason: str,
    actor: str,
) -> None:
    if not items:
        return
    done = [item.pk for item in items if answers[item.pk].is_done]
    OutsideMark.objects.bulk_create(
        OutsideMark(
            item=item,
            erp_reference=erp_reference,
            reason=reason,
            needs_second=answers[item.pk].waits,
            state=OutsideMark.State.DONE if answers[item.pk].is_done else OutsideMark.State.ASKED,
            asked_by=actor,
            asked_at=Now(),
        )
        for item in items
    )
    if done:
        _leave(done, erp_reference, reason, actor)
    asked = [item.pk for item in items if answers[item.pk].waits]
    if asked:
        text = f"To be marked as handled outside{_as(erp_reference)}. A second person must agree."
        steps.note(asked, text, actor=actor, data={"reason": reason})
        _hold(asked)
    for connection_id, of_one in _by_customer(items):
        names = ", ".join(item.reference for item in of_one[:MOST_IN_A_LINE])
        audit.record(
            actor,
            "items.outside",
            f"Marked {len(of_one)} item{'s' if len(of_one) > 1 else ''} as handled"
            f" outside{_as(erp_reference)}: {names}",
            connection_id=connection_id,
            subject="item",
            subject_id=of_one[0].pk if len(of_one) == 1 else "",
            data={"items": [item.pk for item in of_one], "reason": reason, "waiting": asked},
        )


def _hold(ids: Sequence[int]) -> None:
    """Post nothing of these until the second person has answered (`releases.release_waiting`)."""
    execute(
        """
        UPDATE syncing_syncitem
        SET due_at = NULL, blocked_by = %(cause)s || id, error_title = %(words)s
        WHERE id = ANY(%(ids)s) AND state = 'READY'
        """,
        {"ids": list(ids), "cause": _SECOND_PERSON, "words": _WAITS},
    )


_SECOND_PERSON = "second_person:"
_WAITS = "Waits for a second person, who is asked whether it was handled outside."
_GO_ON = "The second person does not agree, so it goes on."


def _waits_for(item_id: int) -> str:
    return f"{_SECOND_PERSON}{item_id}"


def _leave(ids: Sequence[int], erp_reference: str, reason: str, actor: str) -> list[int]:
    """What was uncertain says so on its timeline, for whoever takes it back."""
    data = {"number": erp_reference, "reason": reason}
    return [
        item_id
        for only, more in ((_NOT_SENT, {}), (_UNCERTAIN, {"was": ItemState.REVIEW.value}))
        for item_id in steps.move(
            ids,
            to=steps.TO_OUTSIDE,
            only=only,
            text=f"Handled outside rampbridge{_as(erp_reference)}. It is left alone until somebody"
            " takes that back.",
            actor=actor,
            event="external",
            data=data | more,
            frees=_BILL_IS_OUTSIDE,
        )
    ]


def _as(erp_reference: str) -> str:
    return f" as {erp_reference}" if erp_reference else ""


def _by_customer(items: Sequence[SyncItem]) -> Iterator[tuple[uuid.UUID, list[SyncItem]]]:
    for connection_id in dict.fromkeys(item.connection_id for item in items):
        yield connection_id, [item for item in items if item.connection_id == connection_id]
