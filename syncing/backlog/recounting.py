"""Count again what roll-ups say, from the items themselves; tell of each difference and mend it.

Triggers keep the roll-ups, so a difference means that somebody went around them, or that one is
wrong. Each comparison is one statement and sees both sides at one moment, and it mends by adding
what is missing: items that move meanwhile change both sides alike.
"""

import logging
import uuid
from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any

from django.db import transaction

from connections.models import Connection
from syncing.backlog.roll_ups import OF_CUSTOMERS, OF_FLEET, RollUp
from syncing.models import ItemCount, RecountFinding, RecountRound
from syncing.statements import rows

MOST_CUSTOMERS = 200
MOST_ITEMS = 250_000
"""Counted in one turn; ten million items take less than an hour of turns, a minute apart."""
ROUND_EVERY = timedelta(hours=20)
FINDINGS_KEPT = timedelta(days=400)

logger = logging.getLogger(__name__)


def recount(*, now: datetime) -> int:
    """Take a turn: some customers, or at the end of a round what is added up of all. Returns how
    many lines differed; each is a `RecountFinding` and an error in the log.

    Only one may be at it. A round begins once a day, at once where there never was one.
    """
    place, _ = RecountRound.objects.get_or_create(pk=1)
    if place.round_began_at is None:
        if place.round_ended_at and now - place.round_ended_at < ROUND_EVERY:
            return 0
        place.round_began_at, place.after, place.customers = now, None, 0
    customers = _next_customers(place.after)
    with transaction.atomic():
        if customers:
            wrong = _compare(OF_CUSTOMERS, now, customers=customers)
            place.after = customers[-1]
            place.customers += len(customers)
        else:
            wrong = _compare(OF_FLEET, now)
            place.round_began_at, place.round_ended_at = None, now
            RecountFinding.objects.filter(at__lt=now - FINDINGS_KEPT).delete()
        place.last_at = now
        place.save()
    return wrong


def _next_customers(after: uuid.UUID | None) -> list[uuid.UUID]:
    """As many as are counted in one turn, but always one if there is one."""
    found = Connection.objects.order_by("pk")
    if after is not None:
        found = found.filter(pk__gt=after)
    ids = list(found.values_list("pk", flat=True)[:MOST_CUSTOMERS])
    sizes = ItemCount.objects.filter(connection_id__in=ids).values_list("connection_id", "items")
    items: dict[uuid.UUID, int] = dict.fromkeys(ids, 0)
    for pk, n in sizes:
        items[pk] += n
    chosen: list[uuid.UUID] = []
    total = 0
    for pk in ids:
        total += items[pk]
        if chosen and total > MOST_ITEMS:
            break
        chosen.append(pk)
    return chosen


def _compare(
    roll_ups: Sequence[RollUp], now: datetime, *, customers: Sequence[uuid.UUID] = ()
) -> int:
    midnight = now.replace(hour=0, minute=0, second=0, microsecond=0)
    values = {"now": now, "customers": list(customers), "since": midnight - timedelta(days=1)}
    return sum(_compare_one(roll_up, values) for roll_up in roll_ups)


def _compare_one(roll_up: RollUp, values: dict[str, Any]) -> int:
    keys = [key.strip() for key in roll_up.keys.split(",")]
    named = ", ".join(f"'{key}', {key}" for key in keys if key != "connection_id")
    found = rows(
        f"""
        WITH found AS ({roll_up.found}), kept AS ({roll_up.kept}), wrong AS (
            SELECT {roll_up.keys}, coalesce(k.items, 0) AS items_kept,
                coalesce(f.items, 0) AS items_found, coalesce(k.minor, 0) AS minor_kept,
                coalesce(f.minor, 0) AS minor_found,
                coalesce(f.items, 0) - coalesce(k.items, 0) AS items,
                coalesce(f.minor, 0) - coalesce(k.minor, 0) AS minor
            FROM found f FULL JOIN kept k USING ({roll_up.keys})
            WHERE coalesce(f.items, 0) <> coalesce(k.items, 0)
               OR coalesce(f.minor, 0) <> coalesce(k.minor, 0)
        ), told AS (
            INSERT INTO syncing_recountfinding (at, roll_up, connection_id, keys, items_kept,
                items_found, minor_kept, minor_found)
            SELECT %(now)s, '{roll_up.name}', {roll_up.connection}, jsonb_build_object({named}),
                items_kept, items_found, minor_kept, minor_found
            FROM wrong
        ), mended AS (
            {roll_up.mend}
        )
        SELECT {roll_up.keys}, items_kept, items_found FROM wrong
        """,  # noqa: S608  constants of this file
        values,
    )
    for *line, kept, counted in found:
        logger.error(
            "A roll-up differed from the items and was mended.",
            extra={
                "roll_up": roll_up.name,
                "line": ", ".join(str(part) for part in line),
                "kept": int(kept),
                "found": int(counted),
            },
        )
    return len(found)
