"""Carry wished links to Ramp. Each call says the same thing however often it is made."""

import uuid
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Protocol
from uuid import UUID

from django.contrib.postgres.functions import TransactionNow
from django.db import connection as database
from django.db import transaction
from django.db.models import Exists, OuterRef, QuerySet

from connections.models import Connection, RampVendor, Vendor, VendorLink
from connections.ramp.errors import (
    OutcomeUnknown,
    RampError,
    RampRateLimited,
    RampUnauthorised,
    RampUnreachable,
    ScopeMissing,
)
from connections.ramp.schemas import RampVendor as Shown

LINKS_AT_ONCE = 100
"""Per ring; then other connections have their turn."""
PATIENCE = 8
"""Lost answers in a row before a person is asked to look."""

_NOT_ALLOWED = (
    "Ramp does not let us link vendors: the scope vendors:write is missing."
    " Have the customer's admin grant it, then try again."
)

State = VendorLink.State


class RampSide(Protocol):
    """What is asked of Ramp here; `RampClient` has it."""

    def ramp_vendor(self, vendor_id: UUID) -> Shown: ...

    def link_ramp_vendor(self, vendor_id: UUID, *, accounting_vendor_remote_id: str) -> Shown: ...


def due(connection_id: uuid.UUID | None = None) -> QuerySet[VendorLink]:
    """Wished links that can be made: Ramp has both vendors. Of one open connection, or of all.

    One whose accounting vendor is still to be uploaded waits; the upload makes it due.
    """
    uploaded = Vendor.objects.filter(
        connection=OuterRef("connection"), erp_id=OuterRef("erp_id"), ramp_id__isnull=False
    )
    wanted = VendorLink.objects.filter(Exists(uploaded), state=State.WANTED)
    wanted = wanted.exclude(connection__stage=Connection.Stage.CLOSED)
    # Uploaded to a connection that is not active yet: Ramp links within the active one only.
    wanted = wanted.exclude(connection__mirror__is_being_prepared=True)
    if connection_id is not None:
        return wanted.filter(connection_id=connection_id)
    return wanted


def connections_due(*, limit: int = 50) -> list[uuid.UUID]:
    """Connections with links to be made, for whoever rings."""
    found = due().order_by("connection_id").values_list("connection_id", flat=True).distinct()
    return list(found[:limit])


def link_due(connection: Connection, ramp: RampSide) -> int:
    """Make the links that are due. Returns how many are done; none while another worker is at it.

    A lost answer is read again, never guessed. What Ramp refuses stays with its words and trace id.

    :raises RampUnreachable, RampRateLimited, RampUnauthorised: nothing can be linked now; what is
        left stays wished
    """
    with _only_worker(connection) as is_mine:
        if not is_mine:
            return 0
        links = due(connection.pk).select_related("ramp_vendor").order_by("wanted_at", "pk")
        return sum(_link(link, ramp) for link in links[:LINKS_AT_ONCE])


def _link(link: VendorLink, ramp: RampSide) -> bool:
    try:
        shown = _ask(link, ramp)
    except (RampUnreachable, RampRateLimited, RampUnauthorised):
        raise
    except ScopeMissing as error:
        return _refuse(link, _NOT_ALLOWED, error.trace_id)
    except RampError as error:
        return _refuse(link, f"Ramp refuses the link: {error}", error.trace_id)
    if shown.accounting_vendor_remote_id == link.erp_id:
        return _done(link)
    return _refuse(link, "Ramp took the link and shows the vendor without it. Try again.", "")


def _ask(link: VendorLink, ramp: RampSide) -> Shown:
    """The vendor after the call; where its answer was lost, as it is read anew.

    :raises OutcomeUnknown: if it does not have the link: the request may still land
    """
    vendor_id = link.ramp_vendor.ramp_id
    try:
        return ramp.link_ramp_vendor(vendor_id, accounting_vendor_remote_id=link.erp_id)
    except OutcomeUnknown:
        if link.attempts + 1 >= PATIENCE:
            return ramp.ramp_vendor(vendor_id)
        VendorLink.objects.filter(pk=link.pk).update(attempts=link.attempts + 1)
        shown = ramp.ramp_vendor(vendor_id)
        if shown.accounting_vendor_remote_id != link.erp_id:
            raise
        return shown


@transaction.atomic
def _done(link: VendorLink) -> bool:
    """Only if it is still what is wished: somebody may have chosen another vendor meanwhile."""
    RampVendor.objects.filter(pk=link.ramp_vendor_id).update(linked_erp_id=link.erp_id)
    mine = VendorLink.objects.filter(pk=link.pk, state=State.WANTED)
    return bool(mine.update(state=State.DONE, done_at=TransactionNow(), refusal="", trace_id=""))


def _refuse(link: VendorLink, why: str, trace_id: str) -> bool:
    VendorLink.objects.filter(pk=link.pk, state=State.WANTED).update(
        state=State.REFUSED,
        refusal=why[:500],
        trace_id=trace_id[:100],
        done_at=TransactionNow(),
        attempts=link.attempts + 1,
    )
    return False


@contextmanager
def _only_worker(connection: Connection) -> Iterator[bool]:
    """A lock of the session, not of a transaction: Ramp is called while it is held."""
    key = zlib.crc32(f"link vendors of {connection.pk}".encode())
    with database.cursor() as cursor:
        cursor.execute("SELECT pg_try_advisory_lock(%s)", [key])
        (is_mine,) = cursor.fetchone()
    try:
        yield is_mine
    finally:
        if is_mine:
            with database.cursor() as cursor:
                cursor.execute("SELECT pg_advisory_unlock(%s)", [key])
