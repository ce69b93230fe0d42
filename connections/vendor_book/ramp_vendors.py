"""Our copy of Ramp's own vendors, whom bills are from: read page by page, written set by set."""

import logging
import uuid
from collections.abc import Iterable, Iterator, Sequence
from datetime import datetime
from typing import Protocol
from uuid import UUID

from django.contrib.postgres.functions import TransactionNow
from django.db import transaction

from connections.models import Connection, RampVendor
from connections.ramp.errors import NotFound
from connections.ramp.pages import Page
from connections.ramp.schemas import RampVendor as Shown
from connections.ramp.schemas import RampVendorContact
from connections.vendor_book.statements import rows
from rampbridge.lib.statements import execute

PAGE_SIZE = 100
CONTACTS_AT_ONCE = 50
"""Vendors whose e-mail address is asked for in one reading: each takes a call."""

logger = logging.getLogger(__name__)


class RampSide(Protocol):
    """What is asked of Ramp here; `RampClient` has it."""

    def ramp_vendors(
        self, *, start: str | None = None, page_size: int = PAGE_SIZE
    ) -> Iterator[Page[Shown]]: ...

    def ramp_vendor_contacts(self, vendor_id: UUID) -> Sequence[RampVendorContact]: ...


def read_ramp_vendors(connection: Connection, ramp: RampSide) -> int:
    """Bring our copy up to Ramp's. What is as it was is not written. Returns the rows written.

    Vendors that a complete list no longer has are inactive from then on; a list with holes, or one
    that breaks off, says nothing of what it does not name (M5).

    :raises RampError: if Ramp refuses or is silent; the pages before that are kept
    """
    began_at = _database_now()
    seen: set[UUID] = set()
    written, is_whole = 0, True
    for page in ramp.ramp_vendors(page_size=PAGE_SIZE):
        for malformed in page.malformed:
            logger.warning("Vendor %s of Ramp's: %s", malformed.id, malformed.reason)
        is_whole = is_whole and not page.malformed
        written += _store(connection.pk, page.items, began_at)
        seen |= {one.id for one in page.items}
    if is_whole:
        written += _retire(connection.pk, seen)
    _read_contacts(connection, ramp)
    return written


def _store(connection_id: uuid.UUID, vendors: Iterable[Shown], began_at: datetime) -> int:
    by_id = {one.id: one for one in vendors}  # a page may name one twice
    values = [_values(one) for one in by_id.values()]
    columns = {name: [one[name] for one in values] for name in _COLUMNS}
    return execute(_UPSERT, {"connection": connection_id, "began": began_at, **columns})


def _values(vendor: Shown) -> dict[str, object]:
    spend = vendor.spend
    return {
        "ramp_id": vendor.id,
        "name": vendor.name[:300],
        "is_active": vendor.is_active,
        "country": vendor.country.upper() if len(vendor.country) == 2 else "",
        "state": vendor.state[:60],
        "merchant_id": vendor.merchant_id[:100],
        "linked_erp_id": vendor.accounting_vendor_remote_id[:100],
        "spend_minor": spend.minor if spend else 0,
        "spend_currency": spend.currency if spend else "",
        "spend_exponent": spend.exponent if spend else 2,
    }


def _retire(connection_id: uuid.UUID, seen: set[UUID]) -> int:
    """What Ramp no longer lists can no longer be linked, nor stand in anybody's way."""
    return execute(
        """
        UPDATE connections_rampvendor SET is_active = false, seen_at = now()
        WHERE connection_id = %(connection)s AND is_active AND ramp_id <> ALL(%(seen)s::uuid[])
        """,
        {"connection": connection_id, "seen": list(seen)},
    )


def _read_contacts(connection: Connection, ramp: RampSide) -> None:
    """E-mail addresses of vendors that have none yet, those with the most spend first."""
    unread = RampVendor.objects.filter(connection=connection, contacts_read_at=None)
    for vendor in unread.order_by("-spend_minor", "id")[:CONTACTS_AT_ONCE]:
        try:
            contacts = ramp.ramp_vendor_contacts(vendor.ramp_id)
        except NotFound:
            contacts = ()  # it went while we read
        chosen = sorted(contacts, key=lambda one: not one.is_default)
        email = next((one.email for one in chosen if one.email), "")
        RampVendor.objects.filter(pk=vendor.pk).update(
            email=email[:254], contacts_read_at=TransactionNow()
        )


def _database_now() -> datetime:
    with transaction.atomic():
        moment: datetime = rows("SELECT now() AS at", {})[0]["at"]
    return moment


_COLUMNS = {
    "ramp_id": "uuid",
    "name": "text",
    "is_active": "bool",
    "country": "text",
    "state": "text",
    "merchant_id": "text",
    "linked_erp_id": "text",
    "spend_minor": "bigint",
    "spend_currency": "text",
    "spend_exponent": "smallint",
}
_NAMES = ", ".join(_COLUMNS)
_UPSERT = f"""
    INSERT INTO connections_rampvendor AS r ({_NAMES}, connection_id, seen_at, email, tax_id_hint,
        bank_hint)
    SELECT {_NAMES}, %(connection)s, now(), '', '', ''
    FROM unnest({", ".join(f"%({name})s::{kind}[]" for name, kind in _COLUMNS.items())})
        AS page({_NAMES})
    ORDER BY ramp_id
    ON CONFLICT (connection_id, ramp_id) DO UPDATE SET
        {", ".join(f"{name} = excluded.{name}" for name in _COLUMNS if name != "linked_erp_id")},
        linked_erp_id = CASE WHEN r.linked_erp_id = excluded.linked_erp_id OR EXISTS (
                SELECT FROM connections_vendorlink l
                WHERE l.ramp_vendor_id = r.id AND l.done_at >= %(began)s
            ) THEN r.linked_erp_id  -- linked by us since the list was begun
            ELSE excluded.linked_erp_id END,
        seen_at = now()
    WHERE ({", ".join(f"r.{name}" for name in _COLUMNS)})
       IS DISTINCT FROM ({", ".join(f"excluded.{name}" for name in _COLUMNS)})
"""  # noqa: S608  the pieces are constants of this file
