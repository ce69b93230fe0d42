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


def unsynced_items(
    connection_id: uuid.UUID,
    *,
    kind: str,
    erp_ids: Collection[str],
    field_erp_id: str = "",
    at_most: int | None = LOOKED_THROUGH,
) -> Mapping[str, Impact]:
    """Items not yet synced, failed ones too, that are coded with these records. One statement.

    Only what Ramp has offered to us is known: spend that nobody has marked ready is not counted.

    :param kind: of `ReferenceKind`; tax rates are in no coding and have no impact
    :param field_erp_id: the field that options belong to
    :param at_most: how many open items are looked through; None is all of them, 1 s per 100,000
    :returns: an impact for each of the ids
    """
    if not erp_ids or kind not in _CODED_AS:
        return {erp_id: Impact() for erp_id in erp_ids}
    found = rows(
        _CODED.format(key=_KEY[kind], belongs=_CODED_AS[kind]),
        {
            "connection": connection_id,
            "ids": list(erp_ids),
            "field": field_erp_id,
            "at_most": at_most,
        },
    )
    ((_, _, _, looked_through, _, _),) = [row for row in found if row[0] is None]
    is_all = at_most is None or looked_through < at_most
    return {
        erp_id: _impact([row for row in found if row[0] == erp_id], is_all=is_all)
        for erp_id in erp_ids
    }


def _impact(lines: Sequence[tuple[object, ...]], *, is_all: bool) -> Impact:
    by_items = sorted(lines, key=lambda line: (-_number(line[3]), str(line[1])))
    moments = [line[5] for line in lines if isinstance(line[5], datetime)]
    return Impact(
        items=sum(_number(line[3]) for line in lines),
        sums=tuple(
            Money(_number(minor), str(currency), _number(exponent))
            for _, currency, exponent, _, minor, _ in by_items
        ),
        oldest_at=min(moments, default=None),
        is_all=is_all,
    )


def _number(value: object) -> int:
    return int(str(value))


_OPTION_ID = "s.coding ->> 'external_id'"
_FIELD_ID = "s.coding #>> '{category_info,external_id}'"
_TYPE = "coalesce(nullif(s.coding #>> '{category_info,type}', ''), s.coding ->> 'type')"

_KEY: Mapping[str, str] = {
    ReferenceKind.ACCOUNT: _OPTION_ID,
    ReferenceKind.VENDOR: _OPTION_ID,
    ReferenceKind.TAX_CODE: _OPTION_ID,
    ReferenceKind.OPTION: _OPTION_ID,
    ReferenceKind.FIELD: _FIELD_ID,
}
"""Where a coding names the record."""

_CODED_AS: Mapping[str, str] = {
    ReferenceKind.ACCOUNT: f"{_TYPE} = 'GL_ACCOUNT'",
    ReferenceKind.VENDOR: f"{_TYPE} = 'MERCHANT'",
    ReferenceKind.TAX_CODE: f"{_TYPE} = 'TAX_CODE'",
    ReferenceKind.OPTION: f"{_FIELD_ID} = %(field)s",
    ReferenceKind.FIELD: "true",
}
"""How it is told from a coding of another kind; see `connections.ramp.schemas.Selection`."""

# The codings of an object stand on it and on its lines, whatever their list is called. An object
# that names a record twice is one item.
_CODED = """
    WITH looked_through AS MATERIALIZED (
        SELECT id, currency, exponent, amount_minor, ready_at FROM syncing_syncitem
        WHERE connection_id = %(connection)s AND state NOT IN ('ACKED', 'EXTERNAL', 'WITHDRAWN')
        ORDER BY ready_at
        LIMIT %(at_most)s
    ), coded AS (
        SELECT DISTINCT o.id, o.currency, o.exponent, o.amount_minor, o.ready_at, {key} AS erp_id
        FROM looked_through o
        JOIN syncing_itempayload p ON p.item_id = o.id
        CROSS JOIN LATERAL jsonb_path_query(
            p.ramp, 'strict $.**{{0 to 2}}.accounting_field_selections[*]', '{{}}', true
        ) AS s(coding)
        WHERE {key} = ANY(%(ids)s) AND {belongs}
    )
    SELECT erp_id, currency, exponent, count(*), sum(amount_minor), min(ready_at)
    FROM coded GROUP BY erp_id, currency, exponent
    UNION ALL
    SELECT NULL, '', 0, count(*), 0, NULL FROM looked_through
"""
