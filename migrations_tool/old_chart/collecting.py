"""Take the old chart out of the backup, with how often and for how much each record was used."""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from itertools import islice
from typing import Any

from django.db import connection as database
from django.db.models import Count, Max

from connections.models import Entity
from migrations_tool import backup
from migrations_tool.backup import parts
from migrations_tool.models import Backup, ConnectionMigration, FormerCoding, OldRecord
from migrations_tool.work import Work
from rampbridge.lib.money import MINOR_UNITS

Kind = OldRecord.Kind
YEAR = timedelta(days=365)
KINDS: Mapping[str, OldRecord.Kind] = {
    "accounts": Kind.ACCOUNT,
    "fields": Kind.FIELD,
    "options": Kind.OPTION,
    "vendors": Kind.VENDOR,
    "tax_codes": Kind.TAX_CODE,
}
"""Kinds of the backup that have to be mapped. Tax rates come along with their codes."""
_AT_ONCE = 1000


@dataclass(frozen=True, slots=True)
class MainCurrency:
    """What the mapping is ranked in."""

    code: str
    exponent: int


def collect(work: Work, archive: Backup) -> int:
    """Every record of the old chart as a row of ours, ranked. What people decided stays.

    :returns: how many records the old chart has
    """
    counts: Mapping[str, Any] = archive.counts
    whole = sum(int(counts.get(kind, 0)) for kind in KINDS)
    read = 0
    for kind, as_kind in KINDS.items():
        rows = (_row(work.migration, as_kind, one) for one in _records(archive, kind))
        for chunk in _chunks(row for row in rows if row is not None):
            _keep(chunk)
            read += len(chunk)
            work.progress(read, max(whole, read), f"Reading the old {kind.replace('_', ' ')}.")
    return read


def rank(
    migration: ConnectionMigration, archive: Backup, main: MainCurrency, *, now: datetime
) -> None:
    """Count the uses of the last twelve months, and their money in the main currency.

    One statement. What objects are coded with and the old chart has no longer becomes a record
    that is not active, so that it is mapped too.
    """
    with database.cursor() as cursor:
        cursor.execute(
            _RANK,
            {
                "migration": migration.pk,
                "backup": archive.pk,
                "since": (now - YEAR).date(),
                "currency": main.code,
            },
        )


def main_currency(migration: ConnectionMigration, archive: Backup) -> MainCurrency:
    """The primary entity's currency, else what most objects are in."""
    codings = FormerCoding.objects.filter(backup=archive)
    entities = Entity.objects.filter(connection=migration.connection, is_primary=True)
    code = entities.values_list("currency", flat=True).first() or ""
    if not code:
        by_count = codings.order_by().values("currency").annotate(how_many=Count("pk"))
        most = by_count.order_by("-how_many", "currency").first()
        code = most["currency"] if most else "USD"
    found = codings.filter(currency=code).aggregate(exponent=Max("exponent"))["exponent"]
    return MainCurrency(code, MINOR_UNITS.get(code, 2) if found is None else found)


def other_currencies(archive: Backup, main: MainCurrency) -> dict[str, int]:
    """How many objects are in other currencies: counted as uses, but in no sum."""
    others = FormerCoding.objects.filter(backup=archive).exclude(currency=main.code).order_by()
    counted = others.values_list("currency").annotate(how_many=Count("pk"))
    return dict(sorted(counted))


def _records(archive: Backup, kind: str) -> Iterator[dict[str, Any]]:
    """As Ramp sent them; options with the old id of their field, which their record leaves out."""
    if kind != "options":
        yield from backup.records(archive, kind)
        return
    fields = {str(one.get("ramp_id")): one.get("id") for one in backup.records(archive, "fields")}
    for field, option in parts.options(archive):
        yield option | {"field_id": fields.get(field)}


def _row(migration: ConnectionMigration, kind: Kind, record: Mapping[str, Any]) -> OldRecord | None:
    old_id = str(record.get("id") or "")
    if not old_id:
        return None
    name = record.get("name") or record.get("value") or record.get("display_name") or old_id
    return OldRecord(
        migration=migration,
        kind=kind,
        field_old_id=str(record.get("field_id") or "") if kind == Kind.OPTION else "",
        old_id=old_id[:200],
        ramp_id=record.get("ramp_id"),
        name=str(name)[:300],
        code=str(record.get("code") or "")[:100],
        is_active=record.get("is_active") is not False,
    )


def _chunks(rows: Iterable[OldRecord]) -> Iterator[list[OldRecord]]:
    going = iter(rows)
    while chunk := list(islice(going, _AT_ONCE)):
        yield chunk


def _keep(rows: list[OldRecord]) -> None:
    once = {(row.kind, row.field_old_id, row.old_id): row for row in rows}
    OldRecord.objects.bulk_create(
        once.values(),
        update_conflicts=True,
        unique_fields=["migration", "kind", "field_old_id", "old_id"],
        update_fields=["ramp_id", "name", "code", "is_active"],
    )


_RANK = """
WITH coded AS (
    SELECT f.id AS object, coalesce(line ->> 'currency', f.currency) AS currency,
        abs((line ->> 'minor')::bigint) AS minor,
        CASE s ->> 'type' WHEN 'GL_ACCOUNT' THEN 'account' WHEN 'MERCHANT' THEN 'vendor'
            WHEN 'TAX_CODE' THEN 'tax_code' ELSE 'option' END AS kind,
        coalesce(s ->> 'field_id', '') AS field, coalesce(s ->> 'id', '') AS old_id,
        coalesce(s ->> 'name', '') AS name, coalesce(s ->> 'code', '') AS code
    FROM migrations_tool_formercoding f
    CROSS JOIN jsonb_array_elements(f.codings) AS line
    CROSS JOIN jsonb_array_elements(line -> 'selections') AS s
    WHERE f.backup_id = %(backup)s AND (f.spent_on IS NULL OR f.spent_on >= %(since)s)
        AND s ->> 'type' IS DISTINCT FROM 'NON_ERP'
), each AS (
    SELECT object, currency, minor, kind, CASE kind WHEN 'option' THEN field ELSE '' END AS field,
        old_id, name, code FROM coded WHERE old_id <> ''
    UNION ALL
    SELECT object, currency, minor, 'field', '', field, '', '' FROM coded
    WHERE kind = 'option' AND old_id <> '' AND field <> ''
), used AS (
    SELECT kind, left(field, 200) AS field, left(old_id, 200) AS old_id,
        count(DISTINCT object) AS uses,
        coalesce(sum(minor) FILTER (WHERE currency = %(currency)s), 0)::bigint AS money,
        max(name) AS name, max(code) AS code
    FROM each GROUP BY 1, 2, 3
), unused AS (
    UPDATE migrations_tool_oldrecord o SET uses = 0, money_minor = 0
    WHERE o.migration_id = %(migration)s AND (o.uses > 0 OR o.money_minor > 0)
        AND NOT EXISTS (SELECT FROM used u
            WHERE u.kind = o.kind AND u.field = o.field_old_id AND u.old_id = o.old_id)
)
INSERT INTO migrations_tool_oldrecord AS o (migration_id, kind, field_old_id, old_id, name, code,
    is_active, uses, money_minor, state, erp_id, field_erp_id, erp_name, evidence, parked_because,
    shared_because, decided_by)
SELECT %(migration)s, kind, field, old_id, left(coalesce(nullif(name, ''), old_id), 300),
    left(code, 100), false, uses, money, 'unmapped', '', '', '', '', '', '', ''
FROM used
ON CONFLICT (migration_id, kind, field_old_id, old_id) DO UPDATE
SET uses = excluded.uses, money_minor = excluded.money_minor
WHERE (o.uses, o.money_minor) IS DISTINCT FROM (excluded.uses, excluded.money_minor)
"""
