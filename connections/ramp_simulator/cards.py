"""The cards of a business: one per person."""

from typing import Any

from connections.ramp_simulator.calls import Call
from connections.ramp_simulator.pages import page
from connections.ramp_simulator.records import Person
from connections.ramp_simulator.replies import Reply
from connections.ramp_simulator.world import World


def list_cards(world: World, call: Call) -> Reply:
    return page(
        call,
        world.people.of(call.business),
        find=lambda row_id: world.people.get(row_id, call.business),
        render=_json,
    )


def last_four(card_id: str) -> str:
    """The end of a card's number: always the same for the same card."""
    return f"{int(card_id[:8], 16) % 10_000:04}"


def _json(person: Person) -> dict[str, Any]:
    return {
        "id": person.card_id,
        "display_name": f"{person.first_name} {person.last_name}",
        "cardholder_name": f"{person.first_name} {person.last_name}",
        "last_four": last_four(person.card_id),
        "state": "ACTIVE",
        "is_physical": True,
        "entity_id": person.entity_id,
    }
