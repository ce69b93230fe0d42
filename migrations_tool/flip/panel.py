"""What the page of step 11 shows. Reads our rows only."""

from datetime import datetime
from typing import Any

from migrations_tool.models import ConnectionMigration, Report, Watch
from migrations_tool.proofs import newest
from migrations_tool.sharing.links import working
from migrations_tool.steps import Step

WAY = ("Accounting", "Settings", "Danger Zone", "Switch Providers")
"""Where the customer switches, in Ramp's words (R-100)."""
REMIND_AFTER_DAYS = 2


def context(migration: ConnectionMigration, *, now: datetime) -> dict[str, Any]:
    from migrations_tool.rollback import after_flip
    from migrations_tool.rollback.documents import posted_since

    switched = newest(migration, "flip.switched")
    conditions = newest(migration, "flip.preconditions")
    is_back = after_flip.is_under_way(migration)
    links = migration.links.filter(working(now)).order_by("-made_at", "-pk")
    return {
        "way": WAY,
        "label": migration.connection.ramp_provider_name,
        "switched": switched,
        "seats": (switched.result.get("connections", []) if switched else []),
        "before": (switched.inputs.get("before", {}).get("connections", []) if switched else []),
        "conditions": (conditions.result.get("conditions", []) if conditions else []),
        "conditions_at": conditions.at if conditions else None,
        "watch": Watch.objects.filter(migration=migration, step=Step.FLIP).first(),
        "reminder": reminder(migration, now),
        "links": list(links),
        "is_being_taken_back": is_back,
        "seen_back": newest(migration, after_flip.SEEN) if is_back else None,
        "has_report": _has_report(migration),
        "way_back": after_flip.instructions(migration) if is_back else [],
        "documents": posted_since(migration).count() if migration.flipped_at else 0,
    }


def _has_report(migration: ConnectionMigration) -> bool:
    """Of a migration that was taken back; another's is found where it ends."""
    if migration.state != ConnectionMigration.State.ROLLED_BACK:
        return False
    return migration.reports.filter(kind=Report.Kind.CLOSING).exists()


def reminder(migration: ConnectionMigration, now: datetime) -> str:
    """How long the customer has had it, in words, and when to remind them; empty if not theirs."""
    if migration.marked_ready_at is None or migration.flipped_at is not None:
        return ""
    days = (now - migration.marked_ready_at).days
    since = "today" if days == 0 else "1 day ago" if days == 1 else f"{days} days ago"
    if days >= REMIND_AFTER_DAYS:
        return f"Marked ready {since}, and not switched yet. Remind {_whom(migration)}."
    return f"Marked ready {since}. {_whom(migration)} has not switched yet."


def _whom(migration: ConnectionMigration) -> str:
    return migration.contact_name or "The customer's contact"
