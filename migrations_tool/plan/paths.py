"""Set the path that Ramp shows, as long as nothing was built upon another one (R-87)."""

from dataclasses import dataclass

from django.db import transaction
from django.db.models import F
from django.db.models.functions import Now

from migrations_tool.models import ConnectionMigration, StepRecord
from migrations_tool.plan.seats import Seat, name_of
from migrations_tool.steps import NOT_NEEDED, Path, Step
from migrations_tool.wizard import OVER, Status


@dataclass(frozen=True, slots=True)
class Verdict:
    """What a look at Ramp means for this migration."""

    words: str
    fix: str = ""
    is_good: bool = False


@transaction.atomic
def take(migration: ConnectionMigration, seat: Seat) -> Verdict:
    """Note the path and whom we follow. What is built upon them already is never changed.

    The id of a CSV connection is not kept as the old one: Ramp turns that very connection into
    ours.
    """
    # What other steps have done since this one began is seen, and they wait until it is noted.
    list(StepRecord.objects.select_for_update().filter(migration=migration).order_by("pk"))
    migration.refresh_from_db(from_queryset=ConnectionMigration.objects.select_for_update())
    if migration.flipped_at is not None:
        return _after_the_switch(seat)
    if seat.path is None:
        return Verdict(seat.why, seat.fix)
    if _is_built_upon(migration):
        return _against_the_plan(migration, seat)
    holder = None if seat.is_ours else seat.holder
    is_moved = seat.path is Path.MIGRATION and holder is not None
    migration.path = seat.path
    migration.old_connection_id = holder.id if holder and is_moved else None
    migration.old_provider_name = holder.remote_provider_name[:200] if holder else ""
    migration.old_connection_type = holder.connection_type[:20] if holder else ""
    migration.save(
        update_fields=["path", "old_connection_id", "old_provider_name", "old_connection_type"]
    )
    _need_what_the_path_needs(migration, seat.path)
    return Verdict(seat.why, is_good=True)


def _is_built_upon(migration: ConnectionMigration) -> bool:
    behind = StepRecord.objects.filter(migration=migration).exclude(step=Step.PLAN)
    over = behind.filter(status__in=[Status.DONE, Status.SKIPPED])
    return migration.new_connection_id is not None or over.exists()


def _after_the_switch(seat: Seat) -> Verdict:
    if seat.is_ours:
        return Verdict("The customer has switched: the seat is ours.", is_good=True)
    return Verdict(
        f"The customer had switched, and now Ramp shows this: {seat.why}",
        "Ask the customer whether they went back. The step of the switch says how to go on.",
    )


def _against_the_plan(migration: ConnectionMigration, seat: Seat) -> Verdict:
    """Whether what Ramp shows is still what the steps that are done were done for."""
    is_same_path = seat.path == migration.path
    holder = seat.holder
    is_same_holder = migration.path == Path.FRESH or (
        holder is not None and holder.id == migration.old_connection_id
    )
    if is_same_path and is_same_holder:
        return Verdict(seat.why, is_good=True)
    planned = migration.old_provider_name
    began = f"with {planned} in the seat" if planned else "while the seat was free"
    now_is = f"{name_of(holder)} has it" if holder else "nobody has it"
    return Verdict(
        f"This migration was planned {began}, and now {now_is}.",
        "Ask the customer who changed it. Have it put back, or abandon this migration and start"
        " another one: steps that are done were done for the connection before.",
    )


def _need_what_the_path_needs(migration: ConnectionMigration, path: Path) -> None:
    records = StepRecord.objects.filter(migration=migration).exclude(status__in=OVER - {_SPARED})
    records.filter(step__in=NOT_NEEDED[path]).exclude(status=_SPARED).update(
        status=_SPARED, status_since=Now(), version=F("version") + 1
    )
    records.filter(status=_SPARED).exclude(step__in=NOT_NEEDED[path]).update(
        status=Status.NOT_LOOKED_AT, status_since=Now(), version=F("version") + 1
    )


_SPARED = Status.NOT_NEEDED
