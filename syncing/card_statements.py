"""Keep Ramp's card statements, to compare synced spend with them (R-64). They are never posted."""

import json
from datetime import date, datetime, timedelta

from connections.models import Connection
from connections.ramp.client import RampClient
from syncing.models import CardStatement

REACH = timedelta(days=100)
"""Statements that ended so long ago do not change any more."""


def mirror_statements(connection: Connection, ramp: RampClient, *, now: datetime) -> int:
    """Bring our statements up to Ramp's. Returns how many there are within reach.

    :raises RampError: if Ramp cannot be read
    """
    seen = 0
    for page in ramp.statements(from_date=now - REACH):
        raw = {row["id"]: row for row in json.loads(page.storable)["data"]}
        for statement in page.items:
            CardStatement.objects.update_or_create(
                connection=connection,
                ramp_id=statement.id,
                defaults={
                    "start_date": nearest_midnight(statement.start_date),
                    "end_date": nearest_midnight(statement.end_date),
                    "body": raw[str(statement.id)],
                    "seen_at": now,
                },
            )
            seen += 1
    return seen


def nearest_midnight(moment: datetime) -> date:
    """The day that begins there, for Ramp's bounds of a statement are moments.

    They may be midnight of any time zone, and a second before midnight ends the same day.
    """
    return (moment + timedelta(hours=12)).date()
