"""What people agree on in the plan."""

from datetime import date, datetime
from typing import TypedDict

from django.db import transaction

from migrations_tool.models import ConnectionMigration
from migrations_tool.step_records import changed, held, write_down
from migrations_tool.steps import Step


class Agreed(TypedDict):
    """The plan as people enter it; empty where nothing is agreed yet."""

    flip_on: date | None
    implementer: str
    supporter: str
    contact_name: str
    contact_email: str
    contact_role: str
    hypercare_days: int


_WORDS = {
    "flip_on": "the day of the switch",
    "implementer": "the implementer",
    "supporter": "the supporter",
    "contact_name": "the contact's name",
    "contact_email": "the contact's e-mail address",
    "contact_role": "the contact's role in Ramp",
    "hypercare_days": "the days of hypercare",
}


@transaction.atomic
def save_plan(
    migration: ConnectionMigration, agreed: Agreed, *, version: int, actor: str, now: datetime
) -> bool:
    """Keep what was agreed on.

    :returns: whether anything is other than before
    :raises StepNotCurrent: if somebody else has changed the plan since the page was loaded
    :raises Refused: if the migration has ended
    """
    record = held(migration, Step.PLAN, version=version)
    migration.refresh_from_db()
    differing = [name for name, value in agreed.items() if getattr(migration, name) != value]
    if not differing:
        return False
    for name in differing:
        setattr(migration, name, agreed[name])  # type: ignore[literal-required]
    migration.save(update_fields=differing)
    changed(record, now=now)
    what = ", ".join(_WORDS[name] for name in differing)
    write_down(migration, Step.PLAN, "plan", f"Changed the plan: {what}.", actor=actor)
    return True
