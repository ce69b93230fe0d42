"""Merchants on their way to being vendors: which are due, whose they are, how far they came.

One row per merchant, however many transactions wait for it. Every write of a worker says
`lease_token = mine`, so that one that lost its lease writes nothing (fault X12).
"""

import uuid
from collections.abc import Sequence
from dataclasses import dataclass

from django.contrib.postgres.functions import TransactionNow
from django.db import connection as database
from django.db import transaction

from connections.models import Connection, VendorCreation

LEASE_SECONDS = 300
"""How long a merchant is a worker's; far more than its slowest two calls."""


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


def reach(creation: VendorCreation, step: str, **facts: object) -> None:
    """Commit a step.

    :raises LeaseLost: if another worker has taken over
    """
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

    :param again_in: seconds until the next try; None: a person must act first, unless it was
        wanted again meanwhile: who waits since then has not been told why
    :param counts: whether the try uses up the budget
    """
    with database.cursor() as cursor:
        cursor.execute(
            """
            UPDATE connections_vendorcreation
            SET error_category = %(category)s, error_code = %(code)s, error_title = %(title)s,
                error_fix = %(fix)s, error_detail = %(detail)s,
                due_at = CASE WHEN %(again_in)s::float8 IS NULL AND due_at <= now() THEN due_at
                    ELSE now() + %(again_in)s * interval '1s' END,
                lease_token = NULL, lease_until = NULL,
                attempts = attempts - CASE WHEN %(counts)s THEN 0 ELSE 1 END
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
