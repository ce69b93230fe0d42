"""The first four steps of a migration, as people meet them: new, looked at, and with long names."""

import struct
import zlib
from dataclasses import replace
from datetime import timedelta

from migrations_tool.models import BillInFlight, ConnectionMigration, Evidence
from migrations_tool.plan.services import Agreed, save_plan
from migrations_tool.rules import record_confirmation, screenshots
from migrations_tool.rules.services import Written, add, drop
from migrations_tool.steps import Act, Step
from tests.factories import LONG_NAME, UserFactory
from tests.migrations_tool.world import World, migrating

STEPS = (Step.PLAN, Step.ACCESS, Step.INVENTORY, Step.RULES)
LONG_WORD = "Donaudampfschifffahrtselektrizitätenhauptbetriebswerkbauunterbeamtengesellschaft"


def nobody_looked() -> ConnectionMigration:
    """Just started."""
    with migrating(spend=False) as world:
        return world.migration


def looked_at() -> ConnectionMigration:
    """Both sides were asked; some things are missing; the customer has confirmed the rules."""
    UserFactory.create(username="ines", roles=["implementer"])
    UserFactory.create(username="sam", roles=["support"])
    with migrating() as world:
        _look(world)
        _agree(world, contact_role="bookkeeper")
        _write_rules(world)
        return world.migration


def long_names() -> ConnectionMigration:
    """Names as long as they come, and words that nobody knows."""
    UserFactory.create(username="ines", roles=["implementer"])
    UserFactory.create(username="sam", roles=["support"])
    with migrating() as world:
        with world.scene.change():
            world.scene.connections.put(replace(world.old, name=LONG_NAME))
        _look(world)
        _agree(world, contact_name=LONG_WORD, contact_role="")
        world.connection.name = LONG_NAME
        world.connection.erp_name = LONG_WORD[:60]
        world.connection.save()
        _write_rules(world)
        rule = Written("automation", LONG_NAME, f"{LONG_WORD}\n{LONG_NAME}", "sam")
        add(world.migration, rule, actor="ines", now=world.clock())
        bills = BillInFlight.objects.filter(migration=world.migration)
        bills.update(vendor=LONG_NAME, invoice_number=LONG_WORD, amount_minor=123_456_789_012_34)
        _count_what_is_odd(world.migration)
        return world.migration


def _look(world: World) -> None:
    world.erp.faults.may_not = {"pay bills"}
    world.erp.faults.login_of = "Maya Okafor"
    for step in STEPS:
        world.do(step, Act.CHECK)


def _agree(world: World, **changes: object) -> None:
    plan = {
        "flip_on": (world.clock() + timedelta(days=40)).date().replace(day=15),
        "implementer": "ines",
        "supporter": "",
        "contact_name": "Carla Ruiz",
        "contact_email": "carla@harbor-coffee.example",
        "contact_role": "admin",
        "hypercare_days": 14,
    }
    agreed = Agreed(**plan | changes)  # type: ignore[typeddict-item]
    version = world.migration.steps.get(step=Step.PLAN).version
    save_plan(world.migration, agreed, version=version, actor="ines", now=world.clock())


def _write_rules(world: World) -> None:
    migration, now = world.migration, world.clock()
    meals = add(
        migration,
        Written("rule", "Meals over 50 USD", "Restaurants: 6300 Meals, department Sales.", "ines"),
        actor="ines",
        now=now,
    )
    add(migration, Written("card_programme", "Field staff"), actor="ines", now=now)
    old = add(migration, Written("policy", "Travel before 2024"), actor="ines", now=now)
    drop(old, because="Carla: not used since May.", actor="ines", now=now)
    screenshots.keep(meals, name="meals.png", content=picture(), actor="ines", now=now)
    record_confirmation(
        migration,
        name="Carla Ruiz",
        email="carla@harbor-coffee.example",
        rests_on="Her mail of 3 November: “That is all of them.”",
        version=migration.steps.get(step=Step.RULES).version,
        actor="ines",
        now=now,
    )


def _count_what_is_odd(migration: ConnectionMigration) -> None:
    """Counted once more, with several entities, currencies, and things nobody can judge."""
    counted = Evidence.objects.filter(migration=migration, code="inventory.counted").latest("pk")
    ready = {"count": 1_234_567, "amounts": {"USD": 9_876_543_210_00, "JPY": 12_345_678}}
    states = {"ready": ready, "unknown": {"count": 2, "amounts": {"USD": 100}}}
    result = counted.result | {
        "entities": {"a": LONG_NAME, "b": LONG_WORD},
        "exponents": {"USD": 2, "JPY": 0},
        "by_entity": {"transaction": {"a": states, "b": {"ready": ready}}},
        "unknown": {"transaction": {"SYNC_" + LONG_WORD.upper(): 2}},
        "malformed": {"bill": 1},
    }
    Evidence.objects.create(
        migration=migration,
        step=Step.INVENTORY,
        code=counted.code,
        at=counted.at + timedelta(minutes=1),
        by="ines",
        is_good=True,
        text=counted.text,
        counts={"transaction": states},
        result=result,
    )


def picture() -> bytes:
    """A small PNG of one colour."""
    width, height = 160, 100
    rows = b"".join(b"\x00" + b"\x4a\x7b\xd0" * width for _ in range(height))
    parts = (
        (b"IHDR", struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)),
        (b"IDAT", zlib.compress(rows)),
        (b"IEND", b""),
    )
    body = b"".join(
        struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))
        for kind, data in parts
    )
    return b"\x89PNG\r\n\x1a\n" + body
