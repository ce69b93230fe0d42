"""Bills that the switch does not carry along: known one by one, so that each is decided (F-26)."""

import json
from collections.abc import Callable, Collection, Iterable
from datetime import datetime
from uuid import UUID, uuid5

from django.db.models.functions import Now

from connections.ramp.client import RampClient
from connections.ramp.errors import NotFound, SchemaSurprise
from connections.ramp.pages import Malformed
from connections.ramp.spend import Bill
from migrations_tool.models import BillInFlight, ConnectionMigration
from migrations_tool.proofs import newest
from rampbridge.lib.text import storable

_WITHOUT_ID = UUID("7a0b9a53-6f0e-5d0b-9c5e-2f6a1f7f4f10")
_NO_CURRENCY = "XXX"
"""As ISO 4217 has it."""
_WHAT_CHANGES = (
    "invoice_number",
    "vendor",
    "amount_minor",
    "currency",
    "exponent",
    "status",
    "issued_on",
    "is_from_before_the_link",
    "gone_at",
)


def keep(migration: ConnectionMigration, bills: Iterable[Bill]) -> set[UUID]:
    """Note the bills of a page that are in flight, and that others no longer are. Two or three
    statements; again changes nothing, and what people decided stays.

    :returns: those in flight
    """
    linked_at = when_linked(migration)
    every = {bill.id: bill for bill in bills}
    flying = {key: one for key, one in every.items() if is_in_flight(one, linked_at)}
    BillInFlight.objects.bulk_create(
        [_row(migration, bill, linked_at) for bill in flying.values()],
        update_conflicts=True,
        unique_fields=["migration", "ramp_id"],
        update_fields=_WHAT_CHANGES,
    )
    landed = BillInFlight.objects.filter(migration=migration, gone_at=None)
    landed.filter(ramp_id__in=every.keys() - flying.keys()).update(gone_at=Now())
    return set(flying)


def keep_unread(migration: ConnectionMigration, bills: Iterable[Malformed]) -> set[UUID]:
    """Note open bills that are not as Ramp documents them: nobody knows that they are not in
    flight, so somebody has to look at each. What is known of one from before stays.

    :returns: the ids under which they are known
    """
    unread = {unread_id(bill): bill for bill in bills}
    BillInFlight.objects.bulk_create(
        [
            BillInFlight(
                migration=migration,
                ramp_id=given,
                invoice_number=_number_of(bill),
                vendor="A bill that cannot be read: look at it in Ramp",
                amount_minor=0,
                currency=_NO_CURRENCY,
                exponent=0,
                status="Not known",
            )
            for given, bill in unread.items()
        ],
        update_conflicts=True,
        unique_fields=["migration", "ramp_id"],
        update_fields=["gone_at"],
    )
    return set(unread)


def unread_id(bill: Malformed) -> UUID:
    """Its own id; of one that has none, one that is computed of all it says. Ramp knows no bill of
    that: once it is not listed any more, it is not in flight any more.
    """
    try:
        return UUID(bill.id)
    except ValueError:
        said = json.dumps(bill.raw, sort_keys=True, default=str)
        return uuid5(_WITHOUT_ID, said)


def _number_of(bill: Malformed) -> str:
    said = bill.raw.get("invoice_number") if isinstance(bill.raw, dict) else None
    return storable(said)[:200] if isinstance(said, str) else ""


def look_again(
    migration: ConnectionMigration,
    ramp: RampClient,
    *,
    seen: Collection[UUID],
    keep_lease: Callable[[], None],
) -> None:
    """Ask Ramp for each bill that was in flight and was not on its list this time.

    :param seen: those that were on the list
    :param keep_lease: called before each call to Ramp
    """
    flying = BillInFlight.objects.filter(migration=migration, gone_at=None)
    for ramp_id in flying.exclude(ramp_id__in=seen).values_list("ramp_id", flat=True):
        keep_lease()
        try:
            bill = Bill.parse(ramp.bill_body(ramp_id))
        except NotFound:
            flying.filter(ramp_id=ramp_id).update(gone_at=Now())
        except SchemaSurprise:
            continue  # nobody knows that it is over, so it stays in flight
        else:
            keep(migration, [bill])


def is_in_flight(bill: Bill, linked_at: datetime | None) -> bool:
    """Whether a bill is lost sight of by a switch unless somebody decides about it.

    What is paid is synced by the old integration while it is drained; unless it is older than the
    link of that integration, for then Ramp never syncs it (F-29). A status that nobody knows is in
    flight.
    """
    is_over = bill.sync_status == "BILL_AND_PAYMENT_SYNCED" or bill.archived_at is not None
    if is_over or bill.enable_accounting_sync is False:
        return False
    if bill.status == "PAID":
        return bill.sync_status == "NOT_SYNCED" and is_from_before(bill, linked_at)
    return True


def is_from_before(bill: Bill, linked_at: datetime | None) -> bool:
    """Whether a bill is older than the link of the old integration (F-29)."""
    return bool(linked_at and bill.created_at and bill.created_at < linked_at)


def when_linked(migration: ConnectionMigration) -> datetime | None:
    """When the integration that has the seat was linked, as the plan's check has read it."""
    seen = newest(migration, "plan.seat")
    linked = seen.result.get("holder", {}).get("linked_at", "") if seen else ""
    return datetime.fromisoformat(linked) if linked else None


def _row(migration: ConnectionMigration, bill: Bill, linked_at: datetime | None) -> BillInFlight:
    status = bill.status_summary or bill.status
    return BillInFlight(
        migration=migration,
        ramp_id=bill.id,
        invoice_number=bill.invoice_number[:200],
        vendor=bill.vendor.name[:300],
        amount_minor=bill.money.minor,
        currency=bill.money.currency,
        exponent=bill.money.exponent,
        status=status[:60],
        issued_on=bill.issued_at.date() if bill.issued_at else None,
        is_from_before_the_link=is_from_before(bill, linked_at),
        gone_at=None,
    )
