"""Fields that an ERP adds to the coding, and the options to choose from."""

from collections.abc import Sequence
from typing import Any

from connections.ramp_simulator import bodies, chart, seats
from connections.ramp_simulator.calls import Call
from connections.ramp_simulator.chart_records import CustomField, FieldOption
from connections.ramp_simulator.clock import wire_time
from connections.ramp_simulator.records import Connection
from connections.ramp_simulator.replies import (
    ApiError,
    Reply,
    created,
    invalid,
    not_found,
)
from connections.ramp_simulator.world import World

_RAMPS_OWN = frozenset({"display_name", "visibility"})


def list_fields(world: World, call: Call) -> Reply:
    return chart.list_rows(world, call, world.fields, field_json)


def get_field(world: World, call: Call) -> Reply:
    return Reply(payload=field_json(world, chart.named_row(world, call, world.fields, "field_id")))


def create_field(world: World, call: Call) -> Reply:
    """A known id gives back the field as it is, alive again if it was deleted."""
    body = call.json(bodies.FieldCreate)
    connection = seats.writable(world, call.business, chart.text(body.accounting_connection_id))
    return created(field_json(world, add_field(world, connection, body)))


def add_field(world: World, connection: Connection, body: bodies.FieldCreate) -> CustomField:
    field_id = chart.ramp_id(connection.id, "field", body.id)
    if known := world.fields.get(field_id):
        known.is_active = True
        return world.fields.put(known)
    now = world.clock()
    return world.fields.put(
        CustomField(
            id=field_id,
            seq=world.ids.rank(),
            business=connection.business,
            connection_id=connection.id,
            external_id=body.id,
            name=body.name,
            display_name=body.display_name,
            input_type=body.input_type,
            is_splittable=body.is_splittable,
            is_required_for=list(body.is_required_for),
            created_at=now,
            updated_at=now,
        )
    )


def patch_field(world: World, call: Call) -> Reply:
    body = call.json(bodies.FieldPatch)
    row = chart.find_row(
        world, call, world.fields, "field_id", chart.text(body.accounting_connection_id)
    )
    row.name = body.name or row.name
    if "display_name" in body.model_fields_set:
        row.display_name = body.display_name
    if body.is_splittable is not None:
        row.is_splittable = body.is_splittable
    row.updated_at = world.clock()
    world.fields.put(row)
    return Reply(payload=field_json(world, row))


def delete_field(world: World, call: Call) -> Reply:
    return chart.delete_row(world, call, world.fields, "field_id")


def list_options(world: World, call: Call) -> Reply:
    field_id = call.uuid("field_id")
    if field_id is None:
        raise invalid({"field_id": ["Missing data for required field."]})
    visibility = call.choice("visibility", ("HIDDEN", "VISIBLE"))
    return chart.list_rows(
        world,
        call,
        world.options,
        option_json,
        also=lambda option: (
            option.field_id == field_id and visibility in {None, _visibility(option)}
        ),
    )


def get_option(world: World, call: Call) -> Reply:
    option = chart.named_row(world, call, world.options, "field_option_id")
    return Reply(payload=option_json(world, option))


def upload_options(world: World, call: Call) -> Reply:
    body = call.json(bodies.OptionsUpload)
    connection = seats.writable(world, call.business, chart.text(body.accounting_connection_id))
    field = world.fields.get(str(body.field_id), call.business)
    if field is None or field.connection_id != connection.id:
        raise not_found("Field", str(body.field_id))
    if field.input_type != "SINGLE_CHOICE":
        raise ApiError(400, "DEVELOPER_7001", f"Field {field.id} does not take options")
    rows = add_options(world, connection, field, body.options)
    return created(
        {
            "accounting_connection_id": connection.id,
            "options": [option_json(world, row) for row in rows],
            "uploaded": [row.id for row in rows],
        }
    )


def add_options(
    world: World,
    connection: Connection,
    field: CustomField,
    uploads: Sequence[bodies.OptionUpload],
) -> list[FieldOption]:
    chart.refuse_known(world.options, connection, uploads, field.id)
    now = world.clock()
    return [
        world.options.put(
            FieldOption(
                id=chart.ramp_id(field.id, "option", upload.id),
                seq=world.ids.rank(),
                business=connection.business,
                connection_id=connection.id,
                field_id=field.id,
                external_id=upload.id,
                name=upload.value,
                code=upload.code,
                display_name=upload.display_name,
                created_at=now,
                updated_at=now,
            )
        )
        for upload in uploads
    ]


def patch_option(world: World, call: Call) -> Reply:
    """Needs no connection id: an option is found by its own.

    Of a connection that is not fed by the API, only what is Ramp's own may change.
    """
    body = call.json(bodies.OptionPatch)
    option = world.options.get(call.params["field_option_id"], call.business)
    if option is None:
        raise not_found("FieldOption", call.params["field_option_id"])
    if not seats.is_api(world, option.connection_id) and body.model_fields_set - _RAMPS_OWN:
        raise ApiError(
            400, "DEVELOPER_7089", f"Only {' and '.join(sorted(_RAMPS_OWN))} may change here"
        )
    option.name = body.value or option.name
    if body.code is not None:
        option.code = body.code or None
    if "display_name" in body.model_fields_set:
        option.display_name = body.display_name
    if body.visibility is not None:
        option.is_hidden = body.visibility == "HIDDEN"
    option.is_active = option.is_active or bool(body.reactivate)
    option.updated_at = world.clock()
    world.options.put(option)
    return Reply(payload=option_json(world, option))


def delete_option(world: World, call: Call) -> Reply:
    return chart.delete_row(world, call, world.options, "field_option_id")


def field_json(world: World, field: CustomField) -> dict[str, Any]:
    return {
        "ramp_id": field.id,
        "id": field.external_id,
        "name": field.name,
        "display_name": field.display_name,
        "input_type": field.input_type,
        "is_active": field.is_active,
        "is_splittable": field.is_splittable,
        "is_required_for": field.is_required_for,
        "created_at": wire_time(field.created_at),
        "updated_at": wire_time(field.updated_at),
        "provider_name": _provider_name(world, field),
        "accounting_connection_id": field.connection_id,
    }


def option_json(world: World, option: FieldOption) -> dict[str, Any]:
    return chart.row_json(world, option) | {
        "value": option.name,
        "display_name": option.display_name or option.name,
        "visibility": _visibility(option),
    }


def _provider_name(world: World, field: CustomField) -> str | None:
    connection = world.connections.get(field.connection_id)
    return connection.name if connection else None


def _visibility(option: FieldOption) -> str:
    return "HIDDEN" if option.is_hidden else "VISIBLE"
