"""Keep what pages show of the past small: the older, the further apart."""

from collections.abc import Sequence

from syncing.backlog.folding import (
    CUSTOMER_DAYS_KEPT,
    CUSTOMER_HOURS_KEPT,
    CUSTOMER_LATENCY_KEPT,
    DAYS_KEPT,
    HOURS_KEPT,
    LATENCY_HOURS_KEPT,
    MINUTES_KEPT,
)
from syncing.statements import execute

MOST_AT_ONCE = 50_000
"""Rows taken away by one statement; the rest goes the next time."""

_OF_FLEET, _OF_CUSTOMERS = "connection_id IS NULL", "connection_id IS NOT NULL"


def _older(kept: str) -> str:
    return f"at < now() - interval '{kept}'"


def _follows(width: str) -> str:
    """Whether an earlier round fell into the same stretch of time."""
    return (
        f"EXISTS (SELECT FROM syncing_sampleround e WHERE e.at < t.at"
        f" AND e.at >= date_bin('{width}', t.at, 'epoch'))"
    )


_HAS_NO_ROUND = "NOT EXISTS (SELECT FROM syncing_sampleround r WHERE r.at = t.at)"

_TOO_OLD: Sequence[tuple[str, str]] = (
    ("syncing_flowbucket", f"span = 'minute' AND {_older(MINUTES_KEPT)}"),
    ("syncing_flowbucket", f"span = 'hour' AND {_OF_FLEET} AND {_older(HOURS_KEPT)}"),
    ("syncing_flowbucket", f"span = 'hours' AND {_older(HOURS_KEPT)}"),
    ("syncing_flowbucket", f"span = 'hour' AND {_OF_CUSTOMERS} AND {_older(CUSTOMER_HOURS_KEPT)}"),
    ("syncing_flowbucket", f"span = 'day' AND {_OF_CUSTOMERS} AND {_older(CUSTOMER_DAYS_KEPT)}"),
    ("syncing_flowbucket", f"span IN ('day', 'all') AND {_older(DAYS_KEPT)}"),
    ("syncing_latencybucket", f"span IN ('hour', 'hours') AND {_older(LATENCY_HOURS_KEPT)}"),
    (
        "syncing_latencybucket",
        f"span = 'day' AND {_OF_CUSTOMERS} AND {_older(CUSTOMER_LATENCY_KEPT)}",
    ),
    ("syncing_latencybucket", f"span = 'day' AND {_older(DAYS_KEPT)}"),
    ("syncing_sampleround", f"{_older('6 hours')} AND {_follows('5 minutes')}"),
    ("syncing_sampleround", f"{_older('3 days')} AND {_follows('1 hour')}"),
    ("syncing_sampleround", f"{_older('60 days')} AND {_follows('1 day')}"),
    ("syncing_sampleround", _older(DAYS_KEPT)),
    ("syncing_backlogsample", f"{_older('6 hours')} AND {_HAS_NO_ROUND}"),
    ("syncing_fleetsample", f"{_older('6 hours')} AND {_HAS_NO_ROUND}"),
    ("syncing_backlogsample", f"{_OF_CUSTOMERS} AND {_older('3 days')} AND {_follows('1 day')}"),
    ("syncing_backlogsample", f"{_OF_CUSTOMERS} AND {_older(CUSTOMER_DAYS_KEPT)}"),
    ("syncing_customerday", f"day < now() - interval '{CUSTOMER_DAYS_KEPT}'"),
)


def thin_out() -> int:
    """Take away what is no longer shown that closely; how many rows went."""
    return sum(
        execute(
            f"DELETE FROM {table} WHERE ctid IN"  # noqa: S608  constants of this file
            f" (SELECT t.ctid FROM {table} t WHERE {condition} LIMIT {MOST_AT_ONCE})",
            {},
        )
        for table, condition in _TOO_OLD
    )
