"""A customer as a doorbell takes it up: all that calls to both its sides need, in one statement.

It is handed on from the pull to the posts to the report where one worker does all three, for as
long as it is fresh. Who works on it still decides by leases, and Ramp or the ERP by what they are
shown: what is read here only saves reading it three times.
"""

import time
import uuid
from dataclasses import dataclass
from typing import Any

from django.db import connection as database
from django.db.models import Model

from connections.models import Connection, Credential, RampToken
from syncing.models import Schedule, SyncRun
from syncing.poll_schedule import IS_DUE
from syncing.statements import rows

FRESH_SECONDS = 5.0
"""As long as a turn at posting: so long a worker goes by what it read at its beginning anyway."""


@dataclass(frozen=True, slots=True)
class InHand:
    """What was read of a customer."""

    connection: Connection
    """With its schedule, and its credentials and token as `known_credentials` and `known_token`."""
    rang: str | None
    """What a pull that is due now comes from, see `SyncRun.Trigger`. None: none is due."""
    read_at: float
    """By the monotonic clock."""

    @property
    def is_fresh(self) -> bool:
        return time.monotonic() < self.read_at + FRESH_SECONDS


def take(connection_id: uuid.UUID | str) -> InHand:
    """Read a customer.

    :raises Connection.DoesNotExist: if there is none
    """
    read_at = time.monotonic()
    found = rows(_READ, [connection_id])
    if not found:
        raise Connection.DoesNotExist(f"There is no connection {connection_id}.")
    (*values, is_due, has_events) = found[0]
    parts, at = [], 0
    for part in _PARTS:
        parts.append(part.made_of(values[at : at + part.width]))
        at += part.width
    connection, schedule, ramp, erp, token = parts
    assert isinstance(connection, Connection)
    if schedule is not None:
        schedule.connection = connection
    connection.known_credentials = {one.side: one for one in (ramp, erp) if one is not None}
    connection.known_token = token
    trigger = SyncRun.Trigger.WEBHOOK if has_events else SyncRun.Trigger.POLL
    return InHand(connection, trigger if is_due else None, read_at)


class _Part:
    """The columns of one model in the statement."""

    def __init__(self, model: type[Model], alias: str) -> None:
        self._model = model
        self._fields = model._meta.concrete_fields  # noqa: SLF001
        self._names = [field.attname for field in self._fields]
        self._key = self._names.index(model._meta.pk.attname)  # noqa: SLF001
        self.columns = ", ".join(f'{alias}."{field.column}"' for field in self._fields)

    @property
    def width(self) -> int:
        return len(self._fields)

    def made_of(self, values: list[Any]) -> Any:
        """As the ORM would have made it; None if there was no such row."""
        if values[self._key] is None:
            return None
        for place, field in enumerate(self._fields):
            for converter in field.get_db_converters(database):
                values[place] = converter(values[place], None, database)
        return self._model.from_db(database.alias, self._names, values)


_PARTS = (
    _Part(Connection, "c"),
    _Part(Schedule, "s"),
    _Part(Credential, "ramp"),
    _Part(Credential, "erp"),
    _Part(RampToken, "t"),
)
_READ = f"""
    SELECT {", ".join(part.columns for part in _PARTS)},
        coalesce(c.stage = 'live' AND {IS_DUE}, false),
        EXISTS (SELECT FROM syncing_webhookevent e
                WHERE e.connection_id = c.id AND e.handled_at IS NULL)
    FROM connections_connection c
    LEFT JOIN syncing_schedule s ON s.connection_id = c.id
    LEFT JOIN connections_credential ramp ON ramp.connection_id = c.id AND ramp.side = 'ramp'
    LEFT JOIN connections_credential erp ON erp.connection_id = c.id AND erp.side = 'erp'
    LEFT JOIN connections_ramptoken t ON t.connection_id = c.id
    WHERE c.id = %s
"""  # noqa: S608  columns of models
