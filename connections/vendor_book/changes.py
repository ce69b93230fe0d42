"""Changed details of vendors that wait for people: found, checked by one, accepted by another.

New bank details are how invoices are stolen, so they take two people (R-40); the database holds to
that too. Nothing here is ever sent: what is accepted is what the next change is compared with.
"""

import uuid
from dataclasses import dataclass

from django.contrib.postgres.functions import TransactionNow
from django.db import transaction
from django.db.models import QuerySet

from connections import audit
from connections.models import Connection, Vendor, VendorChange, VendorField
from rampbridge.lib.statements import execute

State = VendorChange.State
OPEN = (State.FOUND, State.CHECKED)


class NotDecidable(Exception):
    """The change cannot be decided in this way now. The message is fit to show."""


@dataclass(frozen=True, slots=True)
class _Decision:
    state: State
    actor: str
    reason: str


def find_bank_changes(connection: Connection) -> int:
    """Note each account that is not the accepted one. Returns how many changes are new or other.

    The first account that we see of a vendor is taken as it is. One that was rejected is not asked
    about again. A change that is replaced by another must be checked anew.
    """
    place = {"connection": connection.pk}
    execute(_BASELINE, place)
    execute(_GONE_BACK, place)
    return execute(_FIND, place)


@transaction.atomic
def check(change: VendorChange, *, actor: str, reason: str, digest: str) -> None:
    """Say that one has called the vendor, or otherwise made sure; a second person decides.

    :param digest: of the account that was looked at; another may be there by now
    :raises NotDecidable: if it is not to be checked any more
    """
    if change.field != VendorField.BANK:
        raise NotDecidable("Only bank details are checked first. Accept or reject this change.")
    mine = VendorChange.objects.filter(pk=change.pk, state=State.FOUND, digest=digest)
    if not mine.update(
        state=State.CHECKED, checked_by=actor, checked_at=TransactionNow(), reason=reason
    ):
        raise NotDecidable(
            "This is not what you looked at: somebody has checked it already, or the ERP has"
            " changed again. Look at it once more."
        )
    _record(change, actor, "check", reason)


def accept(change: VendorChange, *, actor: str, reason: str = "") -> None:
    """Take the ERP's value as the right one.

    :raises NotDecidable: if it was decided, or of bank details unless somebody else has checked it
    """
    is_bank = change.field == VendorField.BANK
    if is_bank and change.state == State.FOUND:
        raise NotDecidable("Bank details are checked by one person and accepted by another.")
    if is_bank and change.checked_by.casefold() == actor.casefold():
        raise NotDecidable("You have checked this change. A second person must accept it.")
    with transaction.atomic():
        _decide(change, _Decision(State.ACCEPTED, actor, reason))
        if is_bank:
            _accept_bank(change)
        elif change.field == VendorField.NAME:
            _of(change).update(name_is_held=False)
        _record(change, actor, "accept", reason)


@transaction.atomic
def reject(change: VendorChange, *, actor: str, reason: str) -> None:
    """Say that the ERP's value is wrong. It stays in the ERP until somebody corrects it there.

    :raises NotDecidable: if it was decided already
    """
    _decide(change, _Decision(State.REJECTED, actor, reason))
    _record(change, actor, "reject", reason)


def _record(change: VendorChange, actor: str, act: str, reason: str) -> None:
    audit.record(
        actor,
        f"vendors.{act}",
        f"{act.capitalize()}ed the changed {change.get_field_display().lower()}"
        f" of vendor {change.vendor_erp_id}" + (f": {reason}" if reason else "."),
        connection_id=change.connection_id,
        subject="vendor",
        subject_id=change.vendor_erp_id,
    )


def _decide(change: VendorChange, decision: _Decision) -> None:
    """Only what was looked at: a change that was found anew in between is another one."""
    mine = VendorChange.objects.filter(
        pk=change.pk, state=change.state, digest=change.digest, after=change.after
    ).filter(state__in=OPEN)
    reason = {"reason": decision.reason} if decision.reason else {}
    if not mine.update(
        state=decision.state, decided_by=decision.actor, decided_at=TransactionNow(), **reason
    ):
        raise NotDecidable("Somebody has decided this already, or the ERP has changed it again.")


def _accept_bank(change: VendorChange) -> None:
    standing = _of(change).filter(bank_digest=change.digest)
    if not standing.update(accepted_bank_digest=change.digest, accepted_bank_hint=change.after):
        raise NotDecidable("The ERP has changed the account again. Look at it once more.")


def _of(change: VendorChange) -> QuerySet[Vendor]:
    return Vendor.objects.filter(connection_id=change.connection_id, erp_id=change.vendor_erp_id)


def open_changes(connection_id: uuid.UUID) -> QuerySet[VendorChange]:
    """What waits for people, the longest first."""
    mine = VendorChange.objects.filter(connection_id=connection_id, state__in=OPEN)
    return mine.order_by("found_at", "pk")


# Written as the index writes it: only the few vendors whose account differs are read.
_DIFFERS = "NOT (v.bank_digest = v.accepted_bank_digest AND v.accepted_bank_digest IS NOT NULL)"

_BASELINE = """
    UPDATE connections_vendor SET accepted_bank_digest = bank_digest, accepted_bank_hint = bank_hint
    WHERE connection_id = %(connection)s AND accepted_bank_digest IS NULL
"""
_GONE_BACK = """
    UPDATE connections_vendorchange c
    SET state = 'rejected', decided_at = now(),
        reason = 'The ERP has gone back to the accepted account by itself.'
    FROM connections_vendor v
    WHERE c.connection_id = %(connection)s AND c.field = 'bank' AND c.state IN ('found', 'checked')
      AND v.connection_id = c.connection_id AND v.erp_id = c.vendor_erp_id
      AND v.bank_digest = v.accepted_bank_digest
"""
_FIND = f"""
    INSERT INTO connections_vendorchange AS c (id, connection_id, vendor_erp_id, field, before,
        after, digest, state, found_at, checked_by, reason, decided_by)
    SELECT gen_random_uuid(), v.connection_id, v.erp_id, 'bank', v.accepted_bank_hint, v.bank_hint,
           v.bank_digest, 'found', now(), '', '', ''
    FROM connections_vendor v
    WHERE v.connection_id = %(connection)s AND {_DIFFERS}
      AND v.accepted_bank_digest IS NOT NULL
      AND NOT EXISTS (
          SELECT FROM connections_vendorchange d
          WHERE d.connection_id = v.connection_id AND d.vendor_erp_id = v.erp_id
            AND d.field = 'bank' AND d.state = 'rejected' AND d.decided_by <> ''
            AND d.digest = v.bank_digest AND d.before = v.accepted_bank_hint)
    ORDER BY v.erp_id
    ON CONFLICT (connection_id, vendor_erp_id, field) WHERE state IN ('found', 'checked')
    DO UPDATE SET before = excluded.before, after = excluded.after, digest = excluded.digest,
        state = 'found', found_at = now(), checked_by = '', checked_at = NULL, reason = ''
    WHERE c.digest <> excluded.digest
"""  # noqa: S608  the pieces are constants of this file
