"""Whether a page of the list of items may look otherwise than before, for less than it costs."""

from datetime import UTC, datetime
from functools import lru_cache
from typing import Any

from rampbridge.lib.keyset import Cursor, keyset_rows
from syncing.queries.items import PAGE_SIZE, ItemFilter, matching, time_of
from syncing.statements import rows


def pulse(
    chosen: ItemFilter, *, after: Cursor | None, viewer: str, query: str, now: datetime
) -> tuple[Any, ...]:
    """What changes whenever a page of a filtered list, the counts above it or what the viewer has
    ticked in it does. One statement; no row of the page leaves the database.

    :param query: the list's filters, as selections are kept by
    """
    page, of_page = _page(chosen, after, now)
    ordered = time_of(chosen)
    if chosen.connection_id:
        counts, mine = "syncing_itemcount", "WHERE connection_id = %s"
        lapsed, of_customer = "AND connection_id = %s", [chosen.connection_id]
    else:
        counts, mine, lapsed, of_customer = "syncing_itemtotal", "", "", []
    (found,) = rows(
        f"""
        SELECT (
            SELECT md5(string_agg(ROW(
                i.id, i.{ordered}, i.state, i.state_at, i.due_at, i.error_category, i.error_title,
                i.erp_number, i.label, i.amount_minor, i.blocked_by, i.lease_until < %s,
                c.name, h.owner, h.tags, h.snoozed_until, h.snoozed_until > %s
            )::text, '|' ORDER BY i.id))
            FROM ({page}) page (id)
            JOIN syncing_syncitem i USING (id)
            JOIN connections_connection c ON c.id = i.connection_id
            LEFT JOIN syncing_handling h ON h.item_id = i.id
        ), (
            SELECT sum(hashtextextended(concat_ws('|', object_type, state, error_category, n), 0))
            FROM (
                SELECT object_type, state, error_category, sum(items) AS n
                FROM {counts} {mine} GROUP BY 1, 2, 3 HAVING sum(items) <> 0
            ) counts
        ), (
            SELECT count(*) FROM syncing_syncitem
            WHERE state = 'POSTING' AND lease_until < %s {lapsed}
        ), (
            SELECT sum(hashint8(item_id)::bigint) FROM (
                SELECT item_id FROM syncing_handling WHERE snoozed_until > %s
                ORDER BY snoozed_until LIMIT 1000
            ) put_off
        ), (
            SELECT concat(is_all, changed_at) FROM syncing_selection
            WHERE owner = %s AND query = %s
        )
        """,  # noqa: S608  the ORM's text, and constants of this function
        [now, now, *of_page, *of_customer, now, *of_customer, now, viewer, query],
    )
    return found


_SHAPES = 1_000
"""Lists that so many tabs may look at before a statement is put together anew."""
_NOW = datetime.max.replace(tzinfo=UTC)
"""Stands where a statement asks for the time, until it is asked."""


def _page(chosen: ItemFilter, after: Cursor | None, now: datetime) -> tuple[str, tuple[Any, ...]]:
    """The statement for the ids of the page's items, and its parameters."""
    statement, asked = _shape(chosen, after)
    return statement, tuple(now if one is _NOW else one for one in asked)


@lru_cache(_SHAPES)
def _shape(chosen: ItemFilter, after: Cursor | None) -> tuple[str, tuple[Any, ...]]:
    """Kept, since a tab asks the same every few seconds and the ORM takes longer to put it into
    words than the database to answer. For the same reason it does not name other columns.
    """
    page = keyset_rows(
        matching(chosen, _NOW),
        field=time_of(chosen),
        after=after,
        size=PAGE_SIZE,
        newest_first=not chosen.is_open,
    )
    return page.values_list("pk").query.sql_with_params()
