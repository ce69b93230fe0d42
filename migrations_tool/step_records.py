"""What every act of a person on a step does beside its own work. Knows no step."""

from datetime import datetime
from typing import Any

from django.db.models import F

from connections import audit
from migrations_tool.models import ConnectionMigration, StepRecord
from migrations_tool.steps import BY_STEP, Step
from migrations_tool.wizard import Refused, Status, StepNotCurrent


def held(migration: ConnectionMigration, step: Step, *, version: int | None = None) -> StepRecord:
    """Lock a step until the end of the transaction, so that two people write one after the other.

    :param version: of the step as the page showed it; None where others' changes do not matter
    :raises Refused: if the migration has ended
    :raises StepNotCurrent: if the step has changed since the page was loaded
    """
    if migration.state != ConnectionMigration.State.OPEN:
        raise Refused("This migration has ended. It can be read, not changed.")
    record = StepRecord.objects.select_for_update().get(migration=migration, step=step)
    if version is not None and record.version != version:
        raise StepNotCurrent(
            f"{BY_STEP[step].title} has changed since this page was loaded. What you entered is"
            " below and not saved yet: compare it with what is there now, and save again."
        )
    return record


def changed(record: StepRecord, *, now: datetime) -> None:
    """Count a step's version up, for somebody has worked on it."""
    changes: dict[str, Any] = {"version": F("version") + 1}
    if record.looked_at is None:
        changes["looked_at"] = now
    if record.status == Status.NOT_LOOKED_AT:
        changes |= {"status": Status.IN_PROGRESS, "status_since": now}
    StepRecord.objects.filter(pk=record.pk).update(**changes)


def write_down(
    migration: ConnectionMigration, step: Step, act: str, text: str, *, actor: str
) -> None:
    """Leave a line in the audit trail."""
    audit.record(
        actor,
        f"migrations.{act}",
        text,
        connection_id=migration.connection_id,
        subject="migration",
        subject_id=migration.pk,
        data={"step": step},
    )
