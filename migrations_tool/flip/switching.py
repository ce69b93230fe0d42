"""The customer's switch: seen within a minute, and what follows from it at once (R-100, R-101)."""

from collections.abc import Sequence

from django.db import transaction
from django.db.models import QuerySet

from connections import services
from connections.models import Connection, Mirror
from connections.ramp.schemas import AccountingConnection
from migrations_tool.flip import sight
from migrations_tool.flip.earlier import is_over
from migrations_tool.flip.sight import Seat, Sight
from migrations_tool.models import ConnectionMigration
from migrations_tool.proofs import newest
from migrations_tool.steps import Step
from migrations_tool.work import Work
from syncing import pauses, upkeep
from syncing.models import Pause, SyncItem

HELD_BACK = "Cutover check: one object of each type goes first, and somebody looks at it."
"""The reason of the pauses that stand until the cutover check is done."""
LEFT = (
    "Our connection is not the active one in Ramp any more. Resume once it is, and once somebody"
    " has looked at what another may have booked meanwhile."
)
"""The reason of the pause of everything, if that is seen after the cutover check."""


def look(work: Work) -> Sight:
    """Read who has the seat, keep what is new about it, and begin if it is ours. Bears repeating.

    :raises RampError: if Ramp cannot be asked
    """
    migration = work.migration
    work.keep()
    connections = work.ramp.all_connections()
    seen = sight.look(
        connections,
        new_id=migration.new_connection_id,
        old_id=migration.old_connection_id,
        label=migration.connection.ramp_provider_name,
        was_switched=migration.flipped_at is not None,
    )
    if seen.seat is Seat.OURS:
        _begin(work)
    elif migration.flipped_at is not None:
        _stop(work)
    _keep(work, seen, connections)
    if seen.seat is Seat.OURS:
        _have_a_webhook(work)
    return seen


@transaction.atomic
def _begin(work: Work) -> None:
    """From here on Ramp is read. Nothing is posted: the pauses are there before the first poll."""
    locked = ConnectionMigration.objects.select_for_update().get(pk=work.migration.pk)
    if locked.flipped_at is not None:
        return
    connection = work.migration.connection
    for object_type in SyncItem.ObjectType.values:
        hold_back(connection, object_type, actor=work.actor)
    now = work.clock()
    locked.flipped_at = now
    locked.save(update_fields=["flipped_at"])
    Mirror.objects.filter(connection=connection).update(is_being_prepared=False)
    upkeep.begin(connection, now=now)
    work.migration.flipped_at = now


@transaction.atomic
def _stop(work: Work) -> None:
    """Whoever has the seat now may book the same objects: nothing more goes, no canary either."""
    connection = work.migration.connection
    if not is_over(work.migration, Step.CUTOVER):
        for object_type in SyncItem.ObjectType.values:
            hold_back(connection, object_type, actor=work.actor)
    elif not _by_people(connection, "").exists():
        pauses.pause(connection, "", LEFT, work.actor)


def hold_back(connection: Connection, object_type: str, *, actor: str) -> None:
    """Post nothing of a type until the cutover check is done. What a person has paused keeps the
    own reason; a pause that would end by itself does not do."""
    if standing := _by_people(connection, object_type).first():
        if standing.canary_due_at is not None:
            Pause.objects.filter(pk=standing.pk).update(canary_due_at=None)
        return
    pauses.pause(connection, object_type, HELD_BACK, actor)


def _by_people(connection: Connection, object_type: str) -> QuerySet[Pause]:
    """Pauses that only people end."""
    return Pause.objects.filter(
        connection=connection,
        object_type=object_type,
        resumed_at=None,
        is_automatic=False,
        incident=None,
    )


def look_from(work: Work) -> Sight:
    """The same from another step; what is seen is kept as step 11's.

    :raises RampError: if Ramp cannot be asked
    """
    return look(
        Work(
            work.migration, Step.FLIP, work.actor, work.clock, work.run, work.lease, work.trace_ids
        )
    )


def _keep(work: Work, seen: Sight, connections: Sequence[AccountingConnection]) -> None:
    """Evidence of what has changed since the last look; one that says the same says nothing."""
    migration = work.migration
    before = newest(migration, "flip.switched")
    text = f"{seen.words} {seen.fix}".strip()[:500]
    is_good = seen.seat is Seat.OURS and seen.is_listed
    if before is not None and (before.is_good, before.text) == (is_good, text):
        return
    work.evidence(
        "flip.switched",
        text,
        is_good=is_good,
        inputs={"before": before.result if before else {}},
        result={
            "seat": seen.seat,
            "needs_attention": bool(seen.fix),
            "connections": [
                one.model_dump(
                    mode="json",
                    include={
                        "id",
                        "remote_provider_name",
                        "connection_type",
                        "is_active",
                        "is_ready_to_migrate",
                        "status",
                        "last_linked_at",
                    },
                )
                for one in connections
            ],
        },
    )


def _have_a_webhook(work: Work) -> None:
    """Ramp is to ring us. What fails here is tried again with the next look."""
    work.keep()
    subscription = services.ensure_subscribed(work.migration.connection, work.ramp)
    services.answer_challenge(subscription, work.ramp)
