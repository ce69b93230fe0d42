"""What step 12 still waits for, as our rows know it. Its gates and its page read the same."""

from typing import Any

from migrations_tool import page_memory
from migrations_tool.cutover import canaries
from migrations_tool.flip.switching import HELD_BACK
from migrations_tool.models import BillInFlight, CanaryObject, ConnectionMigration, Rule
from rampbridge.lib.statements import rows
from rampbridge.lib.together import together


def sent(migration: ConnectionMigration) -> list[CanaryObject]:
    """What went first of each type so far."""
    return page_memory.once(migration, "canaries", lambda: canaries.of(migration))


def types(migration: ConnectionMigration) -> list[tuple[str, bool, bool]]:
    """What is synced: whether something of it is ready, and whether the rest is held back. One
    statement, with one look into an index for each.
    """
    return page_memory.once(migration, "types at cutover", lambda: _types(migration))


def bills(migration: ConnectionMigration) -> list[BillInFlight]:
    """Those in flight at the switch, what is not ticked off first."""
    return _by_hand(migration)[0]


def rules(migration: ConnectionMigration) -> list[Rule]:
    """Those to be made anew, in the order in which that was done."""
    return _by_hand(migration)[1]


def _by_hand(migration: ConnectionMigration) -> tuple[list[Any], ...]:
    """What people do in Ramp and tick off here. One statement."""
    bills = BillInFlight.objects.filter(migration=migration).order_by("ticked_at", "vendor", "pk")
    rules = Rule.objects.filter(migration=migration, dropped_because="")
    ordered = rules.order_by("recreated_at", "name", "pk")
    return page_memory.once(migration, "to do by hand", lambda: together(bills, ordered))


def _types(migration: ConnectionMigration) -> list[tuple[str, bool, bool]]:
    found = rows(
        """
        SELECT of.type,
            EXISTS (
                SELECT FROM syncing_syncitem WHERE connection_id = %(connection)s
                AND object_type = of.type AND state = 'READY' AND due_at IS NOT NULL
            ),
            EXISTS (
                SELECT FROM syncing_pause WHERE connection_id = %(connection)s
                AND object_type = of.type AND resumed_at IS NULL AND reason = %(held_back)s
            )
        FROM unnest(%(types)s::text[]) WITH ORDINALITY AS of (type, place) ORDER BY of.place
        """,
        {
            "connection": migration.connection_id,
            "held_back": HELD_BACK,
            "types": canaries.types_of(migration.connection),
        },
    )
    return [(object_type, is_ready, is_held) for object_type, is_ready, is_held in found]
