"""A person settles what the two sides disagree about, once the document is in the ERP."""

from django.contrib.postgres.functions import TransactionNow as Now
from django.db import transaction

from connections import audit
from syncing.models import Settlement, SyncItem
from syncing.reports import SILENT_TYPES
from syncing.settling import steps
from syncing.settling.refusal import CHANGED, NotSettled
from syncing.states import ItemState

_MAY = "i.state = 'MISMATCH' AND i.erp_id <> ''"


def about(item: SyncItem) -> str:
    """What tells the item's difference from any other, as `findings.disagree` compares it."""
    seen = [item.error_code, item.error_title, item.error_detail]
    return " ".join(part for part in seen if part)[:400]


def agree(*, item: SyncItem, reason: str, actor: str) -> Settlement:
    """Both sides are right as they are: the item is through.

    The same difference is not raised again by the nightly comparison; another one is.

    :raises NotSettled: without a reason, or if the item has moved on
    """
    return _settle(
        item,
        Settlement.Act.AGREE,
        reason,
        actor,
        to=steps.TO_AGREED,
        text="Both sides agree, says a person. The same difference is not raised again.",
        said=f"Settled the difference of {item.reference}: both sides agree.",
    )


def report_again(*, item: SyncItem, reason: str, actor: str) -> Settlement:
    """Tell Ramp once more what stands in the ERP.

    :raises NotSettled: without a reason, for a type that Ramp keeps no sync state of, or if the
        item has moved on
    """
    if item.object_type in SILENT_TYPES:
        raise NotSettled("Ramp keeps no sync state of this type: there is nothing to report.")
    return _settle(
        item,
        Settlement.Act.REPORT,
        reason,
        actor,
        to=steps.TO_REPORT,
        text="It is reported to Ramp once more.",
        said=f"Had {item.reference} reported to Ramp again.",
    )


def _settle(
    item: SyncItem, act: Settlement.Act, reason: str, actor: str, *, to: str, text: str, said: str
) -> Settlement:
    reason = reason.strip()[:300]
    if item.state != ItemState.MISMATCH:
        raise NotSettled("The two sides of this item do not disagree.")
    if not item.erp_id:
        raise NotSettled("Nobody knows which document it is. Look in the ERP, then adopt one.")
    if not reason:
        raise NotSettled("Say why. Whoever looks next reads it on the timeline.")
    with transaction.atomic():
        settlement = Settlement.objects.create(
            item=item,
            act=act,
            state=Settlement.State.DONE,
            reason=reason,
            about=about(item),
            asked_by=actor,
            asked_at=Now(),
        )
        moved = steps.move(
            [item.pk], to=to, only=f"{_MAY} AND i.state_at = %(seen_at)s", text=text, actor=actor,
            data={"reason": reason, "code": item.error_code}, seen_at=item.state_at,
        )  # fmt: skip
        if not moved:
            raise NotSettled(CHANGED)
        audit.record(
            actor,
            f"items.{act}",
            said,
            connection_id=item.connection_id,
            subject="item",
            subject_id=item.pk,
            data={"reason": reason, "about": settlement.about},
        )
    return settlement
