"""Create the vendors that transactions wait for: in the ERP, then in Ramp (R-36 to R-38).

    WANTED --found or created in the ERP--> IN_ERP --found or uploaded in Ramp--> IN_RAMP

One row per merchant, however many transactions wait for it. Each step is committed before the next
call is made, and each call finds what an earlier one has made, so that whoever dies in between
leaves a row that is simply gone on with (fault X24). Nothing of it codes a transaction: uploading
a vendor attaches it to none (R-39).
"""

import uuid
from collections.abc import Sequence
from dataclasses import dataclass

from django.contrib.postgres.functions import TransactionNow
from django.db import connection as database
from django.db import transaction
from django.db.models.functions import Lower

from connections.erp.port import ErpAdapter
from connections.erp.records import Master
from connections.erp.records import Vendor as ErpVendor
from connections.models import Connection, Vendor, VendorCreation
from connections.ramp.bodies import VendorUpload
from connections.ramp.chart import Chart
from connections.ramp.errors import InvalidRequest

LEASE_SECONDS = 300
"""How long a merchant is a worker's; far more than its slowest two calls."""
Step = VendorCreation.Step


class SeveralVendors(Exception):
    """The ERP has several vendors of the merchant's name. The message is fit to show."""

    def __init__(self, name: str, count: int) -> None:
        super().__init__(f"The ERP has {count} vendors called {name}.")
        self.name = name


class LeaseLost(Exception):
    """Another worker has taken the merchant over."""


@dataclass(frozen=True, slots=True)
class Merchant:
    """Whom money went to, as Ramp names it."""

    id: str
    """Ramp's id; where it has none, `name:` and the name in small letters."""
    name: str

    @classmethod
    def of(cls, merchant_id: uuid.UUID | None, name: str) -> "Merchant":
        return cls(str(merchant_id) if merchant_id else f"name:{plain(name)}"[:100], name)


def plain(name: str) -> str:
    """A name as it is compared: without case, and with single spaces."""
    return " ".join(name.split()).casefold()


def want(connection_id: uuid.UUID, merchants: Sequence[Merchant]) -> int:
    """Make sure that there is a row for each merchant, and that it is due.

    One that waited for a person is tried again, and one in a worker's hands is due once more when
    it is done: its worker may have looked already who waits. Returns how many rows became due.

    Call it in the transaction that lets the items wait. It holds the rows until then.
    """
    with database.cursor() as cursor:
        cursor.execute(
            """
            INSERT INTO connections_vendorcreation AS v (id, connection_id, merchant_id, name, step,
                erp_id, attempts, due_at, error_category, error_code, error_title, error_fix,
                error_detail, created_at)
            SELECT gen_random_uuid(), %s, m.id, m.name, 'wanted', '', 0, now(), '', '', '', '', '',
                   now()
            FROM unnest(%s::text[], %s::text[]) AS m(id, name)
            ORDER BY m.id
            ON CONFLICT (connection_id, merchant_id) DO UPDATE SET due_at = now(),
                attempts = CASE WHEN v.due_at IS NULL THEN 0 ELSE v.attempts END
            WHERE v.due_at IS NULL OR v.lease_token IS NOT NULL
            """,
            [connection_id, [one.id for one in merchants], [one.name[:300] for one in merchants]],
        )
        return int(cursor.rowcount)


def connections_due(limit: int = 500) -> list[uuid.UUID]:
    """Live connections with a merchant that something is to be done for."""
    with database.cursor() as cursor:
        cursor.execute(
            """
            SELECT DISTINCT v.connection_id
            FROM connections_vendorcreation v JOIN connections_connection c
                ON c.id = v.connection_id
            WHERE v.due_at <= now() AND c.stage = 'live'
              AND (v.lease_until IS NULL OR v.lease_until < now())
            LIMIT %s
            """,
            [limit],
        )
        return [connection_id for (connection_id,) in cursor.fetchall()]


@transaction.atomic
def claim(connection: Connection, token: uuid.UUID, limit: int) -> list[VendorCreation]:
    """Take merchants in hand that are due, those too whose worker was not heard of again."""
    with database.cursor() as cursor:
        cursor.execute(
            """
            UPDATE connections_vendorcreation v
            SET lease_token = %(token)s, attempts = v.attempts + 1,
                lease_until = now() + %(lease)s * interval '1s',
                due_at = now() + %(lease)s * interval '1s'
            WHERE id IN (
                SELECT id FROM connections_vendorcreation
                WHERE connection_id = %(connection)s AND due_at <= now()
                  AND (lease_until IS NULL OR lease_until < now())
                ORDER BY due_at, id LIMIT %(limit)s FOR UPDATE SKIP LOCKED)
            """,
            {"token": token, "lease": LEASE_SECONDS, "connection": connection.pk, "limit": limit},
        )
    mine = VendorCreation.objects.filter(connection=connection, lease_token=token)
    return list(mine.order_by("created_at", "id"))


def advance(creation: VendorCreation, erp: ErpAdapter, chart: Chart) -> None:
    """Go on until both sides know the vendor; each step is committed.

    :raises ErpError, RampError: if a side refuses or is silent; what was reached until then stays
    :raises SeveralVendors: if only a person can say which vendor is meant
    :raises LeaseLost: if another worker has taken over
    """
    if creation.step == Step.WANTED:
        _into_erp(creation, erp)
    if creation.step == Step.IN_ERP:
        _into_ramp(creation, chart)


def _into_erp(creation: VendorCreation, erp: ErpAdapter) -> None:
    known = _of_same_name(creation)
    if known is None:
        made = erp.upsert_vendor(ErpVendor(ref=creation.merchant_id, name=creation.name))
        known = _kept(creation, made)
    _reach(creation, Step.IN_ERP, erp_id=known.erp_id)


def _into_ramp(creation: VendorCreation, chart: Chart) -> None:
    vendor = Vendor.objects.get(connection_id=creation.connection_id, erp_id=creation.erp_id)
    ramp_id = vendor.ramp_id or _in_ramp(chart, vendor) or _uploaded(chart, vendor)
    Vendor.objects.filter(pk=vendor.pk).update(ramp_id=ramp_id)
    _reach(creation, Step.IN_RAMP, ramp_id=ramp_id)


def _of_same_name(creation: VendorCreation) -> Vendor | None:
    """The ERP's vendor of that name, which people have made, is not doubled.

    :raises SeveralVendors: if there are two
    """
    name = " ".join(creation.name.split())
    vendors = Vendor.objects.filter(connection_id=creation.connection_id, is_active=True)
    found = list(vendors.alias(small=Lower("name")).filter(small=name.lower()).order_by("id")[:10])
    if len(found) > 1:
        raise SeveralVendors(name, len(found))
    return found[0] if found else None


def _kept(creation: VendorCreation, made: Master) -> Vendor:
    """Our copy of what the ERP has made, with which documents are translated."""
    vendor, _ = Vendor.objects.update_or_create(
        connection_id=creation.connection_id,
        erp_id=made.id,
        defaults={"name": made.name[:300], "code": made.code[:100], "is_active": made.active},
    )
    return vendor


def _in_ramp(chart: Chart, vendor: Vendor) -> uuid.UUID | None:
    """Ramp's id, if it has the vendor although we do not know: an answer was lost."""
    found = [one for one in chart.vendors(remote_id=vendor.erp_id) if one.id == vendor.erp_id]
    return found[0].ramp_id if found else None


def _uploaded(chart: Chart, vendor: Vendor) -> uuid.UUID:
    try:
        (made,) = chart.upload_vendors([VendorUpload(id=vendor.erp_id, name=vendor.name)])
    except InvalidRequest:
        known = _in_ramp(chart, vendor)  # somebody else may have been faster
        if known is None:
            raise
        return known
    return made.ramp_id


def _reach(creation: VendorCreation, step: str, **facts: object) -> None:
    """Commit a step, unless the lease was lost."""
    mine = VendorCreation.objects.filter(pk=creation.pk, lease_token=creation.lease_token)
    if not mine.update(step=step, **facts):
        raise LeaseLost(creation.name)
    creation.step = step
    for name, value in facts.items():
        setattr(creation, name, value)


def done(creation: VendorCreation) -> int:
    """Nobody waited for the vendor any more when we looked. Returns 0 if the lease was lost."""
    with database.cursor() as cursor:
        cursor.execute(
            """
            UPDATE connections_vendorcreation
            SET done_at = coalesce(done_at, now()), attempts = 0,
                due_at = CASE WHEN due_at <= now() THEN due_at END,  -- wanted again meanwhile
                lease_token = NULL, lease_until = NULL, error_category = '', error_code = '',
                error_title = '', error_fix = '', error_detail = ''
            WHERE id = %s AND lease_token = %s
            """,
            [creation.pk, creation.lease_token],
        )
        return int(cursor.rowcount)


def go_on_later(creation: VendorCreation) -> int:
    """There is more to do for a merchant than fits in one turn. Returns 0 if the lease was lost."""
    mine = VendorCreation.objects.filter(pk=creation.pk, lease_token=creation.lease_token)
    return mine.update(due_at=TransactionNow(), lease_token=None, lease_until=None, attempts=0)


def record_failure(
    creation: VendorCreation,
    *,
    category: str,
    code: str,
    title: str,
    fix: str,
    detail: str,
    again_in: float | None,
    counts: bool = True,
) -> int:
    """Write why a merchant's vendor is not there yet. Returns 0 if the lease was lost.

    :param again_in: seconds until the next try; None: a person must act first
    :param counts: whether the try uses up the budget
    """
    with database.cursor() as cursor:
        cursor.execute(
            """
            UPDATE connections_vendorcreation
            SET error_category = %(category)s, error_code = %(code)s, error_title = %(title)s,
                error_fix = %(fix)s, error_detail = %(detail)s,
                due_at = now() + %(again_in)s * interval '1s', lease_token = NULL,
                lease_until = NULL, attempts = attempts - CASE WHEN %(counts)s THEN 0 ELSE 1 END
            WHERE id = %(id)s AND lease_token = %(token)s
            """,
            {
                "category": category,
                "code": code[:60],
                "title": title[:300],
                "fix": fix[:500],
                "detail": detail[:4000],
                "again_in": again_in,
                "counts": counts,
                "id": creation.pk,
                "token": creation.lease_token,
            },
        )
        return int(cursor.rowcount)
