"""What would be hurt if a record were deactivated in Ramp: the items coded with it (R-23).

The codings stand in the stored bodies. They are looked through, with a bound, when somebody asks:
it is rare, and a table of codings would cost every item on its way in.
"""

import uuid
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from connections.models import ReferenceKind
from rampbridge.lib.money import Money
from syncing.statements import rows

LOOKED_THROUGH = 5_000
"""Open items that a list looks through, 80 ms' worth. The longest waiting come first."""


@dataclass(frozen=True, slots=True)
class Impact:
    """The open items of one connection that are coded with one record."""

    items: int = 0
    sums: Sequence[Money] = ()
    """Per currency, the one with most items first. Currencies are never added up."""
    oldest_at: datetime | None = None
    """Since when the longest waiting one is ready."""
    is_all: bool = True
    """Whether every open item was looked at; else there may be more."""

    @property
    def is_none(self) -> bool:
        """Whether it is certain that nothing uses the record."""
        return self.is_all and not self.items


@dataclass(frozen=True, slots=True)
class Named:
    """A record of the chart, as codings name it."""

    kind: str
    """Of `ReferenceKind`. Tax rates are in no coding."""
    erp_id: str
    field_erp_id: str = ""
    """The field that an option belongs to."""


def unsynced_items(
    connection_id: uuid.UUID,
    *,
    kind: str,
    erp_ids: Collection[str],
    field_erp_id: str = "",
    at_most: int | None = LOOKED_THROUGH,
) -> Mapping[str, Impact]:
    """The same as `impacts`, for records of one kind, by their ERP ids."""
    named = {Named(kind, erp_id, field_erp_id): erp_id for erp_id in erp_ids}
    found = impacts(connection_id, named, at_most=at_most)
    return {erp_id: found[one] for one, erp_id in named.items()}


def impacts(
    connection_id: uuid.UUID, records: Collection[Named], *, at_most: int | None = LOOKED_THROUGH
) -> Mapping[Named, Impact]:
    """Items not yet synced, failed ones too, that are coded with these records. One statement.

    Only what Ramp has offered to us is known: spend that nobody has marked ready is not counted.

    :param at_most: how many open items are looked through; None is all of them, 1 s per 100,000
    :returns: an impact for each of the records
    """
    if not records:
        return {}
    keys = {one: (str(one.kind), _field_of(one), one.erp_id) for one in records}
    found = rows(
        _CODED,
        {
            "connection": connection_id,
            "at_most": at_most,
            "kinds": [kind for kind, _, _ in keys.values()],
            "fields": [field for _, field, _ in keys.values()],
            "ids": [erp_id for _, _, erp_id in keys.values()],
        },
    )
    (looked_through,) = [_number(row[5]) for row in found if row[0] is None]
    is_all = at_most is None or looked_through < at_most
    return {
        one: _impact([row[3:] for row in found if row[:3] == key], is_all=is_all)
        for one, key in keys.items()
    }


def _field_of(one: Named) -> str:
    return one.field_erp_id if one.kind == ReferenceKind.OPTION else ""


def _impact(lines: Sequence[tuple[object, ...]], *, is_all: bool) -> Impact:
    by_items = sorted(lines, key=lambda line: (-_number(line[2]), str(line[0])))
    moments = [line[4] for line in lines if isinstance(line[4], datetime)]
    return Impact(
        items=sum(_number(line[2]) for line in lines),
        sums=tuple(
            Money(_number(minor), str(currency), _number(exponent))
            for currency, exponent, _, minor, _ in by_items
        ),
        oldest_at=min(moments, default=None),
        is_all=is_all,
    )


def _number(value: object) -> int:
    return int(str(value))


# The codings of an object stand on it and on its lines, whatever their list is called. Each names
# an option and its field; see `connections.ramp.schemas.Selection`. An object that names a record
# twice is one item.
_CODED = """
    WITH looked_through AS MATERIALIZED (
        SELECT id, currency, exponent, amount_minor, ready_at FROM syncing_syncitem
        WHERE connection_id = %(connection)s AND state NOT IN ('ACKED', 'EXTERNAL', 'WITHDRAWN')
        ORDER BY ready_at
        LIMIT %(at_most)s
    ), coded AS (
        SELECT DISTINCT o.id, o.currency, o.exponent, o.amount_minor, o.ready_at,
            named.kind, named.field, named.erp_id
        FROM looked_through o
        JOIN syncing_itempayload p ON p.item_id = o.id
        CROSS JOIN LATERAL jsonb_path_query(
            p.ramp, 'strict $.**{0 to 2}.accounting_field_selections[*]', '{}', true
        ) AS s(coding)
        CROSS JOIN LATERAL (SELECT
            CASE coalesce(nullif(coding #>> '{category_info,type}', ''), coding ->> 'type')
                WHEN 'GL_ACCOUNT' THEN 'account' WHEN 'MERCHANT' THEN 'vendor'
                WHEN 'TAX_CODE' THEN 'tax_code' ELSE 'option' END,
            coding #>> '{category_info,external_id}'
        ) AS c(kind, field)
        CROSS JOIN LATERAL (VALUES
            (c.kind, CASE c.kind WHEN 'option' THEN c.field ELSE '' END, coding ->> 'external_id'),
            ('field', '', c.field)
        ) AS named(kind, field, erp_id)
        WHERE (named.kind, named.field, named.erp_id) IN (
            SELECT * FROM unnest(%(kinds)s::text[], %(fields)s::text[], %(ids)s::text[])
        )
    )
    SELECT kind, field, erp_id, currency, exponent, count(*), sum(amount_minor), min(ready_at)
    FROM coded GROUP BY kind, field, erp_id, currency, exponent
    UNION ALL
    SELECT NULL, '', '', '', 0, count(*), 0, NULL FROM looked_through
"""
