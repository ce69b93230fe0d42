"""Inventory items: one field, then its options, which may name a GL account by Ramp's id."""

from collections.abc import Sequence
from typing import Any

from connections.ramp_simulator import bodies, chart, only_fields, seats
from connections.ramp_simulator.calls import Call
from connections.ramp_simulator.chart_records import Item, ItemField
from connections.ramp_simulator.records import Connection
from connections.ramp_simulator.replies import Reply, created
from connections.ramp_simulator.world import World


def get_field(world: World, call: Call) -> Reply:
    return only_fields.get(world, call, world.item_fields)


def create_field(world: World, call: Call) -> Reply:
    return only_fields.create(world, call, world.item_fields, _add_field)


def patch_field(world: World, call: Call) -> Reply:
    return only_fields.patch(world, call, world.item_fields)


def delete_field(world: World, call: Call) -> Reply:
    return only_fields.delete(world, call, world.item_fields)


def list_items(world: World, call: Call) -> Reply:
    return chart.list_rows(world, call, world.items, item_json)


def upload_items(world: World, call: Call) -> Reply:
    body = call.json(bodies.ItemsUpload)
    connection = seats.writable(world, call.business, chart.text(body.accounting_connection_id))
    rows = _add_items(world, connection, body.options)
    return created({"options": [item_json(world, row) for row in rows]})


def patch_item(world: World, call: Call) -> Reply:
    body = call.json(bodies.ItemPatch)
    row = chart.find_row(
        world, call, world.items, "option_id", chart.text(body.accounting_connection_id)
    )
    row.name = body.name or row.name
    row.is_active = row.is_active or bool(body.reactivate)
    row.updated_at = world.clock()
    return Reply(payload=item_json(world, world.items.put(row)))


def delete_item(world: World, call: Call) -> Reply:
    return chart.delete_row(world, call, world.items, "option_id")


def item_json(_: World, row: Item) -> dict[str, Any]:
    return {
        "ramp_id": row.id,
        "id": row.external_id,
        "name": row.name,
        "gl_account_id": row.account_id,
        "is_active": row.is_active,
        "accounting_connection_id": row.connection_id,
    }


def _add_field(
    world: World, connection: Connection, name: str, display_name: str | None
) -> ItemField:
    now = world.clock()
    return world.item_fields.put(
        ItemField(
            id=world.ids.uuid(),
            seq=world.ids.rank(),
            business=connection.business,
            connection_id=connection.id,
            external_id="InventoryItem",
            name=name,
            display_name=display_name,
            created_at=now,
            updated_at=now,
        )
    )


def _add_items(
    world: World, connection: Connection, uploads: Sequence[bodies.ItemUpload]
) -> list[Item]:
    only_fields.require(world.item_fields, connection, "inventory item field")
    chart.refuse_known(world.items, connection, uploads)
    named = [upload.gl_account_id for upload in uploads if upload.gl_account_id]
    chart.require_accounts(world, connection, named)
    now = world.clock()
    return [
        world.items.put(
            Item(
                id=chart.ramp_id(connection.id, "item", upload.id),
                seq=world.ids.rank(),
                business=connection.business,
                connection_id=connection.id,
                external_id=upload.id,
                name=upload.name,
                account_id=chart.text(upload.gl_account_id),
                created_at=now,
                updated_at=now,
            )
        )
        for upload in uploads
    ]
