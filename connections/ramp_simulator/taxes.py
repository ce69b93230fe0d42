"""Taxes, in strict order: rates, then the one field, then the codes that name rates.

No source tells the codes of what is refused here; 7001 is ours.
"""

from collections.abc import Iterable, Sequence
from typing import Any
from uuid import UUID

from connections.ramp_simulator import bodies, chart, only_fields, seats
from connections.ramp_simulator.calls import Call
from connections.ramp_simulator.chart_records import TaxCode, TaxField, TaxRate
from connections.ramp_simulator.records import Connection
from connections.ramp_simulator.replies import ApiError, Reply, created, no_content
from connections.ramp_simulator.world import World


def list_rates(world: World, call: Call) -> Reply:
    return chart.list_rows(world, call, world.tax_rates, rate_json)


def upload_rates(world: World, call: Call) -> Reply:
    body = call.json(bodies.TaxRatesUpload)
    connection = seats.writable(world, call.business, chart.text(body.accounting_connection_id))
    rows = add_rates(world, connection, body.tax_rates)
    return created(
        {
            "accounting_connection_id": connection.id,
            "tax_rates": [rate_json(world, row) for row in rows],
        }
    )


def add_rates(
    world: World, connection: Connection, uploads: Sequence[bodies.TaxRateUpload]
) -> list[TaxRate]:
    chart.refuse_known(world.tax_rates, connection, uploads)
    accounts = (upload.accounting_gl_account_id for upload in uploads)
    chart.require_accounts(world, connection, accounts)
    now = world.clock()
    return [
        world.tax_rates.put(
            TaxRate(
                id=chart.ramp_id(connection.id, "tax_rate", upload.id),
                seq=world.ids.rank(),
                business=connection.business,
                connection_id=connection.id,
                external_id=upload.id,
                name=upload.name,
                rate=str(upload.rate),
                account_id=str(upload.accounting_gl_account_id),
                created_at=now,
                updated_at=now,
            )
        )
        for upload in uploads
    ]


def patch_rate(world: World, call: Call) -> Reply:
    body = call.json(bodies.TaxRatePatch)
    row = _rate(world, call, body.accounting_connection_id)
    if body.accounting_gl_account_id:
        connection = seats.writable(world, call.business, row.connection_id)
        chart.require_accounts(world, connection, [body.accounting_gl_account_id])
        row.account_id = str(body.accounting_gl_account_id)
    row.name = body.name or row.name
    row.rate = row.rate if body.rate is None else str(body.rate)
    row.updated_at = world.clock()
    return Reply(payload=rate_json(world, world.tax_rates.put(row)))


def delete_rate(world: World, call: Call) -> Reply:
    """For good: a rate has neither `is_active` nor `reactivate`."""
    body = call.json(bodies.OfConnection)
    world.tax_rates.remove(_rate(world, call, body.accounting_connection_id))
    return no_content()


def get_field(world: World, call: Call) -> Reply:
    return only_fields.get(world, call, world.tax_fields)


def create_field(world: World, call: Call) -> Reply:
    return only_fields.create(world, call, world.tax_fields, add_field)


def add_field(
    world: World, connection: Connection, name: str, display_name: str | None = None
) -> TaxField:
    """Ramp gives it an id; the ERP has no say in it."""
    now = world.clock()
    return world.tax_fields.put(
        TaxField(
            id=world.ids.uuid(),
            seq=world.ids.rank(),
            business=connection.business,
            connection_id=connection.id,
            external_id="TaxCode",
            name=name,
            display_name=display_name,
            created_at=now,
            updated_at=now,
        )
    )


def patch_field(world: World, call: Call) -> Reply:
    return only_fields.patch(world, call, world.tax_fields)


def delete_field(world: World, call: Call) -> Reply:
    return only_fields.delete(world, call, world.tax_fields)


def list_codes(world: World, call: Call) -> Reply:
    return chart.list_rows(world, call, world.tax_codes, code_json)


def upload_codes(world: World, call: Call) -> Reply:
    body = call.json(bodies.TaxCodesUpload)
    connection = seats.writable(world, call.business, chart.text(body.accounting_connection_id))
    rows = add_codes(world, connection, body.options)
    return created({"options": [code_json(world, row) for row in rows]})


def add_codes(
    world: World, connection: Connection, uploads: Sequence[bodies.TaxCodeUpload]
) -> list[TaxCode]:
    only_fields.require(world.tax_fields, connection, "tax code field")
    chart.refuse_known(world.tax_codes, connection, uploads)
    _require_rates(world, connection, [one for upload in uploads for one in upload.tax_rate_ids])
    now = world.clock()
    return [
        world.tax_codes.put(
            TaxCode(
                id=chart.ramp_id(connection.id, "tax_code", upload.id),
                seq=world.ids.rank(),
                business=connection.business,
                connection_id=connection.id,
                external_id=upload.id,
                name=upload.name,
                rate_ids=list(upload.tax_rate_ids),
                created_at=now,
                updated_at=now,
            )
        )
        for upload in uploads
    ]


def patch_code(world: World, call: Call) -> Reply:
    """A list of rates takes the place of the one before. A deleted code stays deleted."""
    body = call.json(bodies.TaxCodePatch)
    row = chart.find_row(
        world, call, world.tax_codes, "option_id", chart.text(body.accounting_connection_id)
    )
    if body.tax_rate_ids is not None:
        connection = seats.writable(world, call.business, row.connection_id)
        _require_rates(world, connection, body.tax_rate_ids)
        row.rate_ids = list(body.tax_rate_ids)
    row.name = body.name or row.name
    row.updated_at = world.clock()
    return Reply(payload=code_json(world, world.tax_codes.put(row)))


def delete_code(world: World, call: Call) -> Reply:
    return chart.delete_row(world, call, world.tax_codes, "option_id")


def rate_json(_: World, row: TaxRate) -> dict[str, Any]:
    return {
        "ramp_id": row.id,
        "id": row.external_id,
        "name": row.name,
        "rate": row.rate,
        "accounting_gl_account_id": row.account_id,
        "accounting_connection_id": row.connection_id,
    }


def code_json(_: World, row: TaxCode) -> dict[str, Any]:
    return {
        "ramp_id": row.id,
        "id": row.external_id,
        "name": row.name,
        "tax_rate_ids": row.rate_ids,
        "is_active": row.is_active,
        "accounting_connection_id": row.connection_id,
    }


def _rate(world: World, call: Call, connection_id: UUID | None) -> TaxRate:
    return chart.find_row(world, call, world.tax_rates, "tax_rate_id", chart.text(connection_id))


def _require_rates(world: World, connection: Connection, external_ids: Iterable[str]) -> None:
    unknown = [
        one for one in external_ids if not world.tax_rates.of_external_id(connection.id, one)
    ]
    if unknown:
        raise ApiError(
            400,
            "DEVELOPER_7001",
            f"There are no tax rates {', '.join(dict.fromkeys(unknown))}",
            {"tax_rate_ids": unknown},
        )
