"""Bills that are not paid yet: the switch does not carry them along (F-26, F-29)."""

import uuid
from collections.abc import Iterable, Iterator
from datetime import datetime

from connections.ramp.client import RampClient
from connections.ramp.pages import Page
from connections.ramp.spend import Bill
from migrations_tool.models import BillInFlight, ConnectionMigration
from rampbridge.lib.text import storable


def pages(ramp: RampClient) -> Iterator[Page[Bill]]:
    """All bills that Ramp calls open, whatever became of their approval."""
    return ramp.bills(payment_status="OPEN")


def is_in_flight(bill: Bill) -> bool:
    """Asked again, for Ramp ignores filters that it does not know."""
    return bill.status != "PAID" and bill.archived_at is None


def keep(
    migration: ConnectionMigration, bills: Iterable[Bill], *, linked_at: datetime | None = None
) -> int:
    """Keep those that are in flight; what was decided about them stays. One statement.

    :param linked_at: since when the old provider is linked: what is older, Ramp cannot sync (F-29)
    :returns: how many of them are in flight
    """
    rows = {bill.id: _row(migration, bill, linked_at) for bill in bills if is_in_flight(bill)}
    BillInFlight.objects.bulk_create(
        rows.values(),
        update_conflicts=True,
        unique_fields=["migration", "ramp_id"],
        update_fields=[*_AS_IN_RAMP, *(["is_from_before_the_link"] if linked_at else [])],
    )
    return len(rows)


def refresh(
    migration: ConnectionMigration,
    found: Iterable[Page[Bill]],
    *,
    now: datetime,
    linked_at: datetime | None = None,
) -> int:
    """Keep all pages of the list, and note which bills are no longer on it.

    :returns: how many bills are in flight
    """
    listed: set[uuid.UUID] = set()
    for page in found:
        keep(migration, page.items, linked_at=linked_at)
        listed |= {bill.id for bill in page.items if is_in_flight(bill)}
    flying = BillInFlight.objects.filter(migration=migration, gone_at=None)
    flying.exclude(ramp_id__in=listed).update(gone_at=now)
    return len(listed)


def _row(migration: ConnectionMigration, bill: Bill, linked_at: datetime | None) -> BillInFlight:
    issued = bill.issued_at
    return BillInFlight(
        migration=migration,
        ramp_id=bill.id,
        invoice_number=storable(bill.invoice_number)[:200],
        vendor=storable(bill.vendor.name)[:300],
        amount_minor=bill.money.minor,
        currency=bill.money.currency,
        exponent=bill.money.exponent,
        status=storable(bill.status_summary or bill.status)[:60],
        issued_on=issued.date() if issued else None,
        is_from_before_the_link=bool(linked_at and bill.created_at and bill.created_at < linked_at),
        gone_at=None,
    )


_AS_IN_RAMP = (
    "invoice_number", "vendor", "amount_minor", "currency", "exponent", "status", "issued_on",
    "gone_at",
)  # fmt: skip
