"""What people decide about records that Ramp offers and the ERP no longer has (R-23, R-26)."""

from typing import Any

from django.db import transaction
from django.db.models import Exists, OuterRef
from django.db.models.functions import Now

from connections import audit
from connections.mirror.conditions import ACTIVE, MODELS, WANTED, is_hidden
from connections.mirror.diff import KINDS, OPTION
from connections.models import Connection, DriftDecision


class NeedsWaiver(Exception):
    """Items would become unsyncable, and nobody has said why that is right. Fit to show."""


class CannotDecide(Exception):
    """The record is not there, or there is nothing to decide. Fit to show."""


@transaction.atomic
def decide(
    connection: Connection,
    *,
    kind: str,
    erp_id: str,
    field_erp_id: str = "",
    action: str,
    actor: str,
    reason: str,
    unsynced_items: int,
) -> DriftDecision:
    """Keep a person's decision about one record; the next upload carries it out.

    :param unsynced_items: items that use the record and are not synced yet
    :raises NeedsWaiver: if it is to be deactivated although items use it, without a reason
    :raises CannotDecide: if there is no such record in Ramp, or the ERP has it
    """
    wanted = DriftDecision.Action(action)
    if wanted is DriftDecision.Action.DEACTIVATE:
        if unsynced_items and not reason.strip():
            raise NeedsWaiver(
                f"{unsynced_items} unsynced {'item uses' if unsynced_items == 1 else 'items use'}"
                " this record and could not be synced any more. Give a reason to deactivate it all"
                " the same, or code them anew first."
            )
        _check(connection, kind, erp_id, field_erp_id)
    decision, _ = DriftDecision.objects.update_or_create(
        connection=connection,
        kind=kind,
        erp_id=erp_id,
        field_erp_id=field_erp_id,
        defaults={
            "action": wanted,
            "actor": actor,
            "reason": reason.strip()[:300],
            "unsynced_items": unsynced_items,
            "decided_at": Now(),
            "done_at": None,
        },
    )
    decision.refresh_from_db()
    audit.record(
        actor,
        "chart.decide",
        f"Decided for {kind} {erp_id}: {wanted.label}"
        + (f" ({reason.strip()})." if reason.strip() else "."),
        connection_id=connection.pk,
        subject=kind,
        subject_id=erp_id,
        data={"unsynced_items": unsynced_items},
    )
    return decision


def withdraw(
    connection: Connection, *, kind: str, erp_id: str, field_erp_id: str = "", actor: str
) -> bool:
    """Take back what was decided and is not done yet. False if there is nothing to take back.

    Who took it back stands in the history of decisions.
    """
    with transaction.atomic():
        found = DriftDecision.objects.select_for_update().filter(
            connection=connection,
            kind=kind,
            erp_id=erp_id,
            field_erp_id=field_erp_id,
            done_at=None,
        )
        if not found.update(actor=actor):
            return False
        found.delete()
        audit.record(
            actor,
            "chart.withdraw",
            f"Took back what was decided for {kind} {erp_id}.",
            connection_id=connection.pk,
            subject=kind,
            subject_id=erp_id,
        )
        return True


@transaction.atomic
def try_again(
    connection: Connection, *, kind: str, erp_id: str, field_erp_id: str = "", actor: str
) -> bool:
    """Let the next upload send a record that Ramp has refused, although it is the same as then."""
    rows = MODELS[kind].objects.filter(connection=connection, erp_id=erp_id)
    if kind == OPTION:
        rows = rows.filter(field__erp_id=field_erp_id)
    is_tried = bool(rows.exclude(refused_content="").update(refused_content=""))
    if is_tried:
        audit.record(
            actor,
            "chart.again",
            f"Had {kind} {erp_id} sent to Ramp again.",
            connection_id=connection.pk,
            subject=kind,
            subject_id=erp_id,
        )
    return is_tried


def stands(row: Any, *, kind: str) -> bool:
    """Whether a record is still to be deactivated: somebody may have taken it back just now."""
    return DriftDecision.objects.filter(
        connection_id=row.connection_id,
        kind=kind,
        erp_id=row.erp_id,
        field_erp_id=row.field.erp_id if kind == OPTION else "",
        action=DriftDecision.Action.DEACTIVATE,
        done_at=None,
    ).exists()


def tidy(connection: Connection) -> None:
    """Decisions that are carried out are done; those about records that the ERP has again are void.

    A second closing of the same account asks again.
    """
    undone = DriftDecision.objects.filter(connection=connection, done_at=None)
    open_ones = undone.filter(action=DriftDecision.Action.DEACTIVATE)
    left = undone.filter(action=DriftDecision.Action.LEAVE)
    for kind in set(left.values_list("kind", flat=True)) & set(KINDS):
        alike = _about(connection, kind).filter(WANTED[kind] & ACTIVE).exclude(is_hidden(kind))
        left.filter(Exists(alike), kind=kind).delete()  # nothing is left as it was by it
    for kind in set(open_ones.values_list("kind", flat=True)) & set(KINDS):
        about = _about(connection, kind)
        of_kind = open_ones.filter(kind=kind)
        of_kind.filter(Exists(about.filter(WANTED[kind]))).delete()
        of_kind.filter(Exists(about.filter(ramp_id__isnull=False, ramp_is_active=False))).update(
            done_at=Now()
        )


def _about(connection: Connection, kind: str) -> Any:
    """The record that a decision is about."""
    about = MODELS[kind].objects.filter(connection=connection, erp_id=OuterRef("erp_id"))
    return about.filter(field__erp_id=OuterRef("field_erp_id")) if kind == OPTION else about


def _check(connection: Connection, kind: str, erp_id: str, field_erp_id: str) -> None:
    rows = MODELS[kind].objects.filter(connection=connection, erp_id=erp_id)
    if kind == OPTION:
        rows = rows.filter(field__erp_id=field_erp_id)
    if not rows.filter(ramp_id__isnull=False, ramp_is_active=True).exists():
        raise CannotDecide("Ramp does not offer this record any more, so nothing is left to do.")
    if rows.filter(WANTED[kind]).exists():
        raise CannotDecide(
            "The ERP has this record, so it would be brought back by the next upload. Close it in"
            " the ERP first."
        )
