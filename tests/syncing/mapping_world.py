"""A customer whose chart stands in the database, and items that its mappings hold up."""

import uuid
from typing import Any

from connections.mapping_book.changes import Change
from connections.mapping_sets import mapping_set
from connections.models import Entity, MappingKind, MappingRevision, PostingProfile
from syncing import mapping_services
from syncing.engine import post_due_items
from syncing.mapping_services import Saved
from syncing.models import SyncItem
from tests.factories import CustomFieldFactory, FieldOptionFactory, LedgerAccountFactory
from tests.syncing.world import CARD, World, coding, transaction_body

CHART = (
    ("6100", "Travel", "EXPENSE"),
    ("6200", "Software", "EXPENSE"),
    ("6300", "Meals", "EXPENSE"),
    ("6999", "Old projects", "EXPENSE"),
    (CARD, "Ramp card clearing", "LIABILITY"),
)


def world_with_chart() -> World:
    """The chart of the ERP in memory, in our tables; its closed account is open still."""
    world = World()
    for code, name, classification in CHART:
        LedgerAccountFactory.create(
            connection=world.connection,
            erp_id=code,
            code=code,
            name=name,
            classification=classification,
        )
    department = CustomFieldFactory.create(connection=world.connection)
    for code, name in (("ENG", "Engineering"), ("SAL", "Sales")):
        FieldOptionFactory.create(field=department, erp_id=code, code=code, name=name)
    PostingProfile.objects.create(connection=world.connection, card_liability_account=CARD)
    return world


def second_entity(world: World) -> str:
    """Another mapped entity of the customer; gives its Ramp id."""
    entity = Entity.objects.create(
        connection=world.connection,
        ramp_id=uuid.uuid4(),
        name="Second",
        currency="USD",
        is_mapped=True,
    )
    return str(entity.ramp_id)


def work(world: World) -> None:
    """What workers do until nothing is due, with the mappings as they stand."""
    world.mappings = mapping_set(world.connection)
    while post_due_items(world.worker):
        pass


def held_up(world: World, account: str, count: int = 1, cents: int = 1000, **changes: Any) -> None:
    """Transactions that were coded with an account that leads nowhere, and tried."""
    world.ready(*(transaction_body(cents, account, **changes) for _ in range(count)))
    work(world)


def named_coding(external_id: str, name: str) -> dict[str, Any]:
    """A GL account as Ramp shows it."""
    return coding(external_id) | {"name": name, "external_code": f"C{external_id}"}


def account(external_id: str, after: str, **options: str) -> Change:
    return Change(MappingKind.GL_ACCOUNT, external_id, after, **options)


def saved(world: World, *changes: Change) -> Saved:
    return mapping_services.save_and_release(
        world.connection,
        changes,
        actor="maya",
        reason="asked for",
        source=MappingRevision.Source.WORKBENCH,
    )


def states() -> dict[str, int]:
    found: dict[str, int] = {}
    for state in SyncItem.objects.values_list("state", flat=True):
        found[state] = found.get(state, 0) + 1
    return found
