"""Which customers' lines may be wrong: what the triggers have left, and what time alone changes."""

import uuid
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime

from syncing.models import CustomerStanding
from syncing.statements import rows

MOST_CHANGES = 2_000
"""Taken in one round; a customer that is new takes a few statements of its own."""
MOST_LATE = 400
"""Lines looked at in one round because of time alone; ten thousand take a minute and a half."""


@dataclass(frozen=True, slots=True)
class Change:
    """What has happened to a customer since its line was written."""

    lines: int = 0
    done: int = 0
    failed: int = 0
    in_chart: bool = False


NOTHING = Change()


def take() -> Mapping[uuid.UUID, Change]:
    """The customers of which anything changed. Gone once the transaction around it is committed."""
    taken = rows(
        """
        WITH taken AS (
            DELETE FROM syncing_standingchange WHERE id IN (
                SELECT id FROM syncing_standingchange ORDER BY id LIMIT %s)
            RETURNING connection_id, done, failed, in_chart
        )
        SELECT connection_id, count(*), sum(done)::bigint, sum(failed)::bigint, bool_or(in_chart)
        FROM taken GROUP BY connection_id
        """,
        [MOST_CHANGES],
    )
    return {pk: Change(*found) for pk, *found in taken}


def are_all(taken: Mapping[uuid.UUID, Change]) -> bool:
    """Whether nothing was left for another round."""
    return sum(one.lines for one in taken.values()) < MOST_CHANGES


def late(now: datetime) -> list[uuid.UUID]:
    """Customers whose lines are due because time has passed, the longest due first."""
    due = CustomerStanding.objects.filter(look_again_at__lte=now).order_by("look_again_at")
    return list(due.values_list("pk", flat=True)[:MOST_LATE])
