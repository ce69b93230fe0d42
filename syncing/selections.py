"""What somebody has ticked in a list: kept on the server, so that no paging or poll loses it.

A selection belongs to a person and to the filters of one list. It is either some items, or all that
match but some; the ids are frozen only when a job is made of it.
"""

from collections.abc import Collection, Iterable
from datetime import datetime

from django.db.models import QuerySet

from syncing.models import Selection, SyncItem
from syncing.queries.items import ItemFilter, matching
from syncing.queries.totals import Totals, counted
from syncing.statements import execute

KEPT_HOURS = 24
"""What nobody has touched for so long is forgotten: who comes back begins anew."""
MOST = 10_000
"""Items that may be ticked one by one; more are chosen by their filter."""


class TooMany(Exception):
    """More items than can be ticked one by one. The message is fit to show."""


def of(owner: str, query: str, *, now: datetime) -> Selection:
    """What a person has ticked in a list; nothing, if they have not."""
    found = Selection.objects.filter(owner=owner, query=query).first()
    if found is None or (now - found.changed_at).total_seconds() > KEPT_HOURS * 3600:
        return Selection(owner=owner, query=query, changed_at=now)
    return found


def is_empty(selection: Selection) -> bool:
    """Whether nothing is ticked, for all that the row can say."""
    return not selection.is_all and not selection.ids


def ticked(selection: Selection, ids: Iterable[int]) -> frozenset[int]:
    """Which of these items are in the selection."""
    named = frozenset(selection.ids)
    return frozenset(pk for pk in ids if (pk in named) != selection.is_all)


def tick(owner: str, query: str, ids: Collection[int], *, on: bool) -> None:
    """Tick or untick items. Two windows that do so at once lose nothing.

    :raises TooMany: if more than `MOST` would be ticked one by one; nothing has changed then
    """
    written = execute(
        """
        WITH forgotten AS (
            DELETE FROM syncing_selection
            WHERE changed_at < now() - %(kept)s * interval '1h'
              AND NOT (owner = %(owner)s AND query = %(query)s)
        )
        INSERT INTO syncing_selection AS s (owner, query, is_all, ids, changed_at)
        VALUES (%(owner)s, %(query)s, false, %(added)s::bigint[], now())
        ON CONFLICT (owner, query) DO UPDATE SET changed_at = now(),
            is_all = s.is_all AND s.changed_at >= now() - %(kept)s * interval '1h',
            ids = CASE
                WHEN s.changed_at < now() - %(kept)s * interval '1h' THEN excluded.ids
                WHEN s.is_all <> %(on)s THEN
                    ARRAY(SELECT unnest(s.ids) UNION SELECT unnest(%(ids)s::bigint[]))
                ELSE ARRAY(SELECT unnest(s.ids) EXCEPT SELECT unnest(%(ids)s::bigint[]))
            END
        WHERE s.is_all = %(on)s OR cardinality(s.ids) + cardinality(%(ids)s::bigint[]) <= %(most)s
        """,
        {
            "owner": owner,
            "query": query,
            "ids": list(ids),
            "added": list(ids) if on else [],
            "on": on,
            "kept": KEPT_HOURS,
            "most": MOST,
        },
    )
    if not written:
        raise TooMany(
            f"No more than {MOST:,} can be ticked one by one. Choose all that match instead, and"
            " narrow the list by its filters."
        )


def tick_all(owner: str, query: str) -> None:
    """Select all that match, those too that are on no page yet."""
    _replace(owner, query, is_all=True)


def clear(owner: str, query: str) -> None:
    """Untick everything."""
    _replace(owner, query, is_all=False)


def _replace(owner: str, query: str, *, is_all: bool) -> None:
    execute(
        """
        INSERT INTO syncing_selection (owner, query, is_all, ids, changed_at)
        VALUES (%s, %s, %s, '{}', now())
        ON CONFLICT (owner, query) DO UPDATE
        SET is_all = excluded.is_all, ids = '{}', changed_at = now()
        """,
        [owner, query, is_all],
    )


def items(selection: Selection, chosen: ItemFilter, now: datetime) -> QuerySet[SyncItem]:
    """The items in a selection. What was ticked one by one stays in it, whatever becomes of it."""
    if selection.is_all:
        return matching(chosen, now).exclude(pk__in=selection.ids)
    return SyncItem.objects.select_related("connection").filter(pk__in=selection.ids)


def size(selection: Selection, chosen: ItemFilter, now: datetime, *, whole: Totals) -> Totals:
    """How many are selected, and over how much. One statement at most.

    :param whole: the totals of the list
    """
    if not selection.is_all:
        return counted(items(selection, chosen, now), at_most=MOST) if selection.ids else Totals()
    if not selection.ids:
        return whole
    if not whole.is_all:
        return counted(items(selection, chosen, now))
    left_out = matching(chosen, now).filter(pk__in=selection.ids)
    return whole.without(counted(left_out, at_most=MOST))


def strays(selection: Selection, chosen: ItemFilter, now: datetime, *, selected: int) -> int:
    """How many of those that were ticked one by one the list does not have any more.

    :param selected: how many are ticked
    """
    if selection.is_all or not selection.ids:
        return 0
    return selected - matching(chosen, now).filter(pk__in=selection.ids).order_by().count()
