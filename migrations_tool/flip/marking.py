"""Mark our connection ready to migrate to, and be sure that Ramp took it (R-98, R-99)."""

from dataclasses import asdict

from connections.ramp.errors import RampError
from migrations_tool.flip.preconditions import preconditions, unmet
from migrations_tool.models import ConnectionMigration, StepRun
from migrations_tool.steps import Step
from migrations_tool.wizard import Refused
from migrations_tool.work import Work

_MARKING = "marking"


def mark(work: Work) -> None:
    """Offer our connection under Switch Providers. Again changes nothing.

    :raises Refused: if one of Ramp's conditions is not met, or Ramp does not show it as marked
    """
    migration = work.migration
    if migration.new_connection_id is None:
        raise Refused("There is no connection of ours to mark. Create it in step 6 first.")
    work.keep()
    connections = work.ramp.all_connections()
    conditions = preconditions(
        connections,
        migration.new_connection_id,
        old_id=migration.old_connection_id,
        was_marked_by_us=was_begun(migration),
    )
    words = unmet(conditions)
    work.evidence(
        "flip.preconditions",
        words or "Ramp's conditions for marking ready are met.",
        is_good=not words,
        result={"conditions": [asdict(one) for one in conditions]},
    )
    if words:
        raise Refused(words)
    is_marked = any(
        one.id == migration.new_connection_id and one.is_ready_to_migrate for one in connections
    )
    if not is_marked:
        _send(work)
    _confirm(work)


def was_begun(migration: ConnectionMigration) -> bool:
    """Whether this migration has marked it, or a worker was about to when it was lost."""
    if migration.marked_ready_at is not None:
        return True
    runs = StepRun.objects.filter(migration=migration, step=Step.FLIP)
    return runs.filter(**{f"place__{_MARKING}": str(migration.new_connection_id)}).exists()


def _send(work: Work) -> None:
    assert work.migration.new_connection_id is not None
    work.place[_MARKING] = str(work.migration.new_connection_id)
    work.progress(0, 1, "Marking our connection ready")
    try:
        work.ramp.mark_ready_to_migrate(work.migration.new_connection_id)
    except RampError:
        # The answer may be lost though Ramp took it. Only reading tells.
        work.keep()
        if not work.ramp.connection(work.migration.new_connection_id).is_ready_to_migrate:
            raise


def _confirm(work: Work) -> None:
    migration = work.migration
    assert migration.new_connection_id is not None
    work.keep()
    found = work.ramp.connection(migration.new_connection_id)
    if work.ramp.last_trace_id:
        work.trace_ids.append(work.ramp.last_trace_id)
    label = migration.connection.ramp_provider_name
    if not found.is_ready_to_migrate:
        said = "Ramp took the request, and does not show the connection as ready on reading back."
        work.evidence("flip.marked", said, is_good=False)
        raise Refused(f"{said} Try again; if it stays so, ask Ramp's support.")
    if migration.marked_ready_at is None:
        migration.marked_ready_at = work.clock()
        migration.save(update_fields=["marked_ready_at"])
    work.evidence(
        "flip.marked",
        f"“{label}” is marked ready, read back, and offered under Switch Providers.",
        is_good=True,
        result=found.model_dump(mode="json", include={"id", "is_ready_to_migrate", "is_active"}),
    )
    work.progress(1, 1, "Marked ready")
