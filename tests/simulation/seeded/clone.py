"""Connect customers by copying one: a statement in place of forty."""

import json
import uuid
from dataclasses import replace
from functools import cache
from typing import Any
from uuid import UUID

from connections import secrets
from connections.models import Connection, Credential
from connections.ramp_simulator import scenarios
from connections.ramp_simulator.app import Simulator
from connections.ramp_simulator.handles import BusinessHandle
from connections.ramp_simulator.scenario_data import PLANS
from rampbridge.lib import encryption
from syncing.statements import execute
from tests.simulation import customers
from tests.simulation.seeded.tables import columns_of

PLAN = replace(PLANS[0], key="template", currency="USD", people=PLANS[0].people[:1])
"""The business of every customer."""
_COPIED = {
    "connections_connection": "id",
    "connections_credential": "connection_id",
    "connections_entity": "connection_id",
    "connections_ledgeraccount": "connection_id",
    "connections_postingprofile": "connection_id",
    "connections_vendor": "connection_id",
    "syncing_schedule": "connection_id",
}
"""Tables, with the column that says whose a row is."""


def connect(business: BusinessHandle, types: list[str]) -> Connection:
    """A customer like all others, live and mapped."""
    connection_id = uuid.uuid4()
    (entity,) = business._world.entities.of(business.key)
    changes: dict[str, dict[str, Any]] = {
        "connections_connection": {
            "id": str(connection_id),
            "slug": business.key,
            "name": business.key,
            "ramp_business_id": business.id,
            "object_types": types,
        },
        "connections_entity": {"ramp_id": entity.id},
        "syncing_schedule": {"rung_at": None},
    }
    sealed = {
        "ramp": _sealed(
            connection_id,
            Credential.Side.RAMP,
            {"client_id": business.client_id, "client_secret": business.client_secret},
        ),
        "erp": _sealed(connection_id, Credential.Side.ERP, {"company": business.key}),
    }
    copies = [
        _copy(table, whose, has_own_id=table not in _ONE_EACH) for table, whose in _COPIED.items()
    ]
    execute(
        f"WITH {', '.join(copies[:-1])} {copies[-1].partition('(')[2].rpartition(')')[0]}",
        {
            "template": template(),
            "whose": connection_id,
            "sealed": json.dumps(sealed),
            **{name: json.dumps(changes.get(name, {})) for name in _COPIED},
        },
    )
    return Connection.objects.get(pk=connection_id)


_ONE_EACH = {"connections_connection", "syncing_schedule"}
"""Tables whose key is the connection's."""


def _copy(table: str, whose: str, *, has_own_id: bool) -> str:
    """SQL that copies the template's rows of a table."""
    fresh = f"'id', nextval(pg_get_serial_sequence('{table}', 'id'))," if has_own_id else ""
    seal = "'sealed', %(sealed)s::jsonb ->> t.side," if table.endswith("credential") else ""
    columns = ", ".join(columns_of(table))
    return f"""{table} AS (
        INSERT INTO {table} ({columns}) SELECT {columns} FROM (
            SELECT (jsonb_populate_record(t, jsonb_build_object(
                {fresh} {seal} '{whose}', %(whose)s::uuid) || %({table})s::jsonb)).*
            FROM {table} t WHERE t.{whose} = %(template)s) copied)"""


def _sealed(connection_id: UUID, side: Credential.Side, secret: dict[str, str]) -> str:
    row = Credential(connection_id=connection_id, side=side)
    context = secrets.context_of(row, "sealed")
    return "\\x" + encryption.seal(json.dumps(secret).encode(), context=context).hex()


@cache
def template() -> UUID:
    """The customer that all others are copies of; its polls never come. Made before any seed."""
    sim = Simulator(seed=0)
    with sim.world.change():
        scenarios._found(sim.world, PLAN)
    connection = customers.connect(sim, PLAN.key, {"company": PLAN.key})
    sim.close()
    execute(
        "UPDATE syncing_schedule SET rung_at = 'infinity' WHERE connection_id = %s", [connection.pk]
    )
    return connection.pk
