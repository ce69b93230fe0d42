"""`/business` and `/entities`."""

from typing import Any

from connections.ramp_simulator import seats
from connections.ramp_simulator.calls import Call
from connections.ramp_simulator.clock import wire_time
from connections.ramp_simulator.pages import page
from connections.ramp_simulator.records import Business, Entity
from connections.ramp_simulator.replies import Reply, not_found
from connections.ramp_simulator.world import World

CARD_LIABILITY_CODE = "2150"


def get_business(world: World, call: Call) -> Reply:
    return Reply(payload=_business_json(world.business(call.business)))


def list_entities(world: World, call: Call) -> Reply:
    currency = call.query.get("currency")
    name = call.query.get("entity_name")
    is_primary = call.flag("is_primary")
    rows = (
        entity
        for entity in world.entities.of(call.business)
        if currency in {None, entity.currency}
        and name in {None, entity.name}
        and is_primary in {None, entity.is_primary}
    )
    return page(
        call,
        rows,
        find=lambda row_id: world.entities.get(row_id, call.business),
        render=lambda entity: _entity_json(world, entity),
    )


def get_entity(world: World, call: Call) -> Reply:
    entity = world.entities.get(call.params["entity_id"], call.business)
    if entity is None:
        raise not_found("Entity", call.params["entity_id"])
    return Reply(payload=_entity_json(world, entity))


def _business_json(business: Business) -> dict[str, Any]:
    return {
        "id": business.id,
        "active": True,
        "business_name_legal": business.name,
        "business_name_on_card": business.name[:21],
        "created_time": wire_time(business.created_at),
        "enforce_sso": False,
        "initial_approved_limit": 500_000,
        "is_integrated_with_slack": False,
        "is_reimbursements_enabled": True,
        "limit_locked": False,
        "phone": business.phone,
        "website": business.website,
        "billing_address": {"country": business.country},
    }


def _entity_json(world: World, entity: Entity) -> dict[str, Any]:
    return {
        "id": entity.id,
        "entity_name": entity.name,
        "currency": entity.currency,
        "is_primary": entity.is_primary,
        "location_ids": sorted(
            {
                person.location_id
                for person in world.people.of(entity.business)
                if person.entity_id == entity.id
            }
        ),
        "accounts": _accounts_json(world, entity),
    }


def _accounts_json(world: World, entity: Entity) -> list[dict[str, Any]]:
    """The ERP account for the card's liability, once a chart that has it was uploaded."""
    connection = seats.active(world, entity.business)
    if connection is None:
        return []
    return [
        {
            "internal_id": account.id,
            "external_id": account.external_id,
            "external_name": account.name,
            "classification": account.classification,
            "usage_type": "CARD_LIABILITY_ACCOUNT",
            "created_at": wire_time(account.created_at),
        }
        for account in world.accounts.of(entity.business)
        if account.connection_id == connection.id and account.code == CARD_LIABILITY_CODE
    ]
