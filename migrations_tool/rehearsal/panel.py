"""What the page of the rehearsal shows."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from migrations_tool import proofs
from migrations_tool.models import ConnectionMigration, RehearsedObject
from migrations_tool.rehearsal import posts_to, reporting, signing
from rampbridge.lib.money import Money
from syncing.queries.words import Look, type_label

OPEN, ALL = "open", "all"
Verdict = RehearsedObject.Verdict
SHOWS = {
    OPEN: "To explain",
    Verdict.DIFFERS.value: "Differ",
    Verdict.HELD.value: "Would be held",
    Verdict.SAME.value: "As before",
    ALL: "All",
}
PAGE_SIZE = 50
VERDICT_LOOKS = {
    Verdict.SAME.value: Look("As before", "done", "equal"),
    Verdict.DIFFERS.value: Look("Differs", "work", "equal-not"),
    Verdict.HELD.value: Look("Would be held", "person", "hand"),
}


def panel(
    migration: ConnectionMigration, *, asked: Mapping[str, str], now: datetime
) -> dict[str, Any]:
    """A rehearsal is small, so its rows are read at once and told apart here."""
    rows = reporting.rehearsed(migration)
    replayed = proofs.newest(migration, reporting.REPLAYED)
    has_open = any(reporting.is_open(row) for row in rows)
    show = asked.get("show", "")
    show = show if show in SHOWS else (OPEN if has_open else ALL)
    object_type = asked.get("type", "")
    shown = [row for row in rows if _is_shown(row, show, object_type)]
    start = int(asked.get("from", "0")) if asked.get("from", "0").isdecimal() else 0
    routing = proofs.newest(migration, reporting.ROUTING)
    conditions = proofs.newest(migration, "rehearsal.preconditions")
    return {
        "replayed": replayed,
        "types": reporting.types_of(rows),
        "accounts": reporting.account_totals(migration, rows) if rows else [],
        "shown": [_line(row) for row in shown[start : start + PAGE_SIZE]],
        "next_from": start + PAGE_SIZE if len(shown) > start + PAGE_SIZE else 0,
        "starts_at": start,
        "show": show,
        "shows": SHOWS.items(),
        "object_type": object_type,
        "routed": routing.result["routed"] if routing else [],
        "conditions": conditions.result if conditions else {},
        "report": reporting.newest_report(migration),
        "signed": signing.signed(migration),
        "has_open": has_open,
        "has_accounts": posts_to.has_accounts(migration),
        "now": now,
    }


def _is_shown(row: RehearsedObject, show: str, object_type: str) -> bool:
    if object_type and row.object_type != object_type:
        return False
    if show == OPEN:
        return reporting.is_open(row)
    return show in (ALL, row.verdict)


def _line(row: RehearsedObject) -> dict[str, Any]:
    return {
        "row": row,
        "type": type_label(row.object_type),
        "money": Money(row.amount_minor, row.currency, row.exponent),
        "is_open": reporting.is_open(row),
        "look": VERDICT_LOOKS[row.verdict],
    }
