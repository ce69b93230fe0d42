"""What the page of step 12 shows. Reads our rows only."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from migrations_tool.cutover import canaries, codings, what_is_left
from migrations_tool.models import CanaryObject, ConnectionMigration
from migrations_tool.proofs import newest
from rampbridge.lib.money import Money
from syncing.models import SyncItem

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
    compared = sorted(codings.compared(migration), key=lambda one: (one.object_type, one.pk))
    compared.sort(key=lambda one: one.verdict, reverse=True)
    if verdict in FILTERS:
        compared = [one for one in compared if one.verdict == verdict]
    duplicates = newest(migration, "cutover.duplicates")
    return {
        "types": _types(migration),
        "verdicts": codings.verdicts(migration),
        "verdict": verdict if verdict in FILTERS else "",
        "comparisons": compared[:SHOWN],
        "comparisons_shown": SHOWN,
        "codings_checksum": codings.checksum(migration),
        "codings_read": newest(migration, "cutover.codings_read"),
        "suspects": duplicates.result.get("suspects", []) if duplicates else [],
        "bills": [
            (bill, Money(bill.amount_minor, bill.currency, bill.exponent))
            for bill in what_is_left.bills(migration)
            if bill.gone_at is None
        ],
        "rules": what_is_left.rules(migration),
    }


def _types(migration: ConnectionMigration) -> list[TypeLine]:
    chosen = {one.object_type: one for one in what_is_left.sent(migration)}
    return [
        TypeLine(
            one,
            SyncItem.ObjectType(one).label,
            chosen.get(one),
            is_held=is_held,
            has_ready=is_ready,
        )
        for one, is_ready, is_held in what_is_left.types(migration)
    ]
