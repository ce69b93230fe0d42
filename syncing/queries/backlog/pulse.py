"""Whether the managers' page may look otherwise than before, for less than it costs."""

from datetime import datetime
from typing import Any

from syncing.queries.backlog.scope import Scope, parameters
from syncing.statements import rows


def pulse(scope: Scope) -> tuple[Any, ...]:
    """What changes whenever anything open does, or is sampled. One statement, of roll-ups."""
    counts = (
        "syncing_itemcount WHERE connection_id = %(connection)s"
        if scope.connection_id
        else "syncing_itemtotal"
    )
    (found,) = rows(
        f"""
        SELECT (
            SELECT sum(hashtextextended(
                concat_ws('|', object_type, state, error_category, currency, n, minor), 0))
            FROM (
                SELECT object_type, state, error_category, currency, sum(items) AS n,
                    sum(amount_minor) AS minor
                FROM {counts} GROUP BY 1, 2, 3, 4 HAVING sum(items) <> 0
            ) counts
        ), (
            SELECT max(at) FROM syncing_sampleround
        )
        """,  # noqa: S608  constants of this function
        dict(parameters(scope)),
    )
    return found


def slot(now: datetime, seconds: int = 15) -> int:
    """The page is drawn anew no more often than once in so many seconds, however busy it is."""
    return int(now.timestamp()) // seconds
