"""The whole service in one object: for `./run status`, for probes, for people in a hurry."""

from dataclasses import dataclass

from django.db import connection as database

from connections.models import Connection
from rampbridge.lib.money import Money
from syncing.states import OPEN_STATES, ItemState

WORKER_SILENT_SECONDS = 30


@dataclass(frozen=True, slots=True)
class Status:
    """Counts come from the roll-up; the oldest item from a partial index over what is open."""

    items: dict[str, int]
    """Per state; a state without items is 0."""
    customers: int
    oldest_unsynced_age_seconds: float | None
    """None: nothing is unsynced."""
    unsynced_amounts: dict[str, str]
    """Per currency, in whole units as text."""
    workers: int
    """That finished a doorbell in the last half minute."""


def service_status() -> Status:
    """Where everything stands now. Four statements, however many items there are."""
    with database.cursor() as cursor:
        cursor.execute("SELECT state, sum(items)::bigint FROM syncing_itemcount GROUP BY state")
        found = dict(cursor.fetchall())
        cursor.execute(
            "SELECT extract(epoch FROM now() - min(ready_at))::float FROM syncing_syncitem"
            " WHERE state NOT IN ('ACKED', 'EXTERNAL', 'WITHDRAWN')"
        )
        (age,) = cursor.fetchone()
        cursor.execute(
            "SELECT currency, exponent, sum(amount_minor)::bigint FROM syncing_itemcount"
            " WHERE state = ANY(%s) GROUP BY currency, exponent"
            " HAVING sum(items) > 0 ORDER BY currency",
            [sorted(OPEN_STATES)],
        )
        sums = [Money(minor, currency, exponent) for currency, exponent, minor in cursor.fetchall()]
        cursor.execute(
            "SELECT count(*) FROM syncing_workerbeat WHERE beat_at > now() - %s * interval '1s'",
            [WORKER_SILENT_SECONDS],
        )
        (workers,) = cursor.fetchone()
    return Status(
        items={state.value: int(found.get(state.value, 0)) for state in ItemState},
        customers=Connection.objects.exclude(stage=Connection.Stage.CLOSED).count(),
        oldest_unsynced_age_seconds=None if age is None else round(age, 1),
        unsynced_amounts={money.currency: str(money.decimal) for money in sums},
        workers=workers,
    )
