"""Look again at what is done: evidence that has become old or was overtaken makes a step stale."""

from datetime import datetime

from django.db.models import F

from migrations_tool.gates import gates_of
from migrations_tool.models import ConnectionMigration, StepRecord
from migrations_tool.steps import Step
from migrations_tool.wizard import Status


def open_ones() -> list[int]:
    """Migrations under way."""
    under_way = ConnectionMigration.objects.filter(state=ConnectionMigration.State.OPEN)
    return list(under_way.order_by("pk").values_list("pk", flat=True))


def review(
    migration: ConnectionMigration, *, now: datetime, only: Step | None = None
) -> list[Step]:
    """Note on each step that is done whether its gates still let it pass. Nothing is called.

    :returns: the steps that are stale now
    """
    done = StepRecord.objects.filter(migration=migration, status=Status.DONE)
    stale = []
    for record in done.filter(step=only) if only else done:
        closed = [one for one in gates_of(migration, Step(record.step), now=now) if not one.is_open]
        why = "; ".join(f"{one.title}: {one.words}" for one in closed)[:300]
        if why:
            stale.append(Step(record.step))
        if why != record.stale_because:
            # Who has completed it anew meanwhile knows better; the next review looks again.
            StepRecord.objects.filter(pk=record.pk, version=record.version).update(
                stale_because=why, version=F("version") + 1
            )
    return stale
