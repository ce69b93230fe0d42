"""What the page of step 12 shows. Reads our rows only."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from migrations_tool.cutover import canaries, codings
from migrations_tool.flip.switching import HELD_BACK
from migrations_tool.models import BillInFlight, CanaryObject, ConnectionMigration, Rule
from migrations_tool.proofs import newest
from rampbridge.lib.money import Money
from syncing.models import SyncItem
from syncing.states import ItemState

SHOWN = 50
FILTERS = ("lost", "changed", "kept")


@dataclass(frozen=True, slots=True)
class TypeLine:
    """One type: what went first, and whether the rest is held back."""

    object_type: str
    label: str
    canary: CanaryObject | None
    is_held: bool
    has_ready: bool

    @property
    def is_booked(self) -> bool:
        item = self.canary.item if self.canary else None
        return item is not None and item.state in canaries.BOOKED


def context(migration: ConnectionMigration, *, asked: Mapping[str, str]) -> dict[str, Any]:
    verdict = asked.get("verdict", "")
    compared = migration.comparisons.order_by("-verdict", "object_type", "pk")
    if verdict in FILTERS:
        compared = compared.filter(verdict=verdict)
    duplicates = newest(migration, "cutover.duplicates")
    bills = BillInFlight.objects.filter(migration=migration, gone_at=None)
    return {
        "types": _types(migration),
        "verdicts": codings.verdicts(migration),
        "verdict": verdict if verdict in FILTERS else "",
        "comparisons": list(compared[:SHOWN]),
        "comparisons_shown": SHOWN,
        "codings_checksum": codings.checksum(migration),
        "codings_read": newest(migration, "cutover.codings_read"),
        "suspects": duplicates.result.get("suspects", []) if duplicates else [],
        "bills": [
            (bill, Money(bill.amount_minor, bill.currency, bill.exponent))
            for bill in bills.order_by("ticked_at", "vendor", "pk")
        ],
        "rules": Rule.objects.filter(migration=migration, dropped_because="").order_by(
            "recreated_at", "name", "pk"
        ),
    }


def _types(migration: ConnectionMigration) -> list[TypeLine]:
    chosen = {one.object_type: one for one in canaries.of(migration)}
    held = set(
        migration.connection.pauses.filter(resumed_at=None, reason=HELD_BACK).values_list(
            "object_type", flat=True
        )
    )
    ready = SyncItem.objects.filter(
        connection_id=migration.connection_id, state=ItemState.READY, due_at__isnull=False
    )
    return [
        TypeLine(
            one,
            SyncItem.ObjectType(one).label,
            chosen.get(one),
            is_held=one in held,
            has_ready=ready.filter(object_type=one).exists(),
        )
        for one in canaries.types_of(migration.connection)
    ]
