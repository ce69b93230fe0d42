"""What all lines of the fleet come to, so that no page adds up ten thousand of them."""

from datetime import datetime
from typing import Any

from django.db.models import Count, Q, Sum

from syncing.models import CustomerStanding, FleetRound

IN_TROUBLE_FROM = 2
"""Severity of a `Health` from which on somebody should look."""


def keep(now: datetime, *, are_new: bool, are_all: bool) -> None:
    """Note what a round has found.

    :param are_new: whether it has written lines, or taken some away
    :param are_all: whether nothing was left for another one, so that all lines are as of now
    """
    changed = _added_up() if are_new else {}
    if are_all:
        changed["at"] = now
        FleetRound.objects.bulk_create(
            [FleetRound(**changed)],
            update_conflicts=True,
            unique_fields=["id"],
            update_fields=list(changed),
        )
    elif are_new:
        FleetRound.objects.update(**changed)


def _added_up() -> dict[str, Any]:
    return CustomerStanding.objects.aggregate(
        customers=Count("pk"),
        in_trouble=Count("pk", filter=Q(severity__gte=IN_TROUBLE_FROM)),
        severities=Sum("severity", default=0),
        failed_items=Sum("failed_items", default=0),
    )
