"""Take the switch back: we stop, the customer reconnects the old provider, and Ramp shows it."""

from collections.abc import Sequence

from django.db import transaction

from connections.models import Connection
from connections.ramp.schemas import AccountingConnection
from migrations_tool import services, sharing
from migrations_tool.flip import sight
from migrations_tool.flip.preconditions import name_of
from migrations_tool.flip.sight import Seat, Sight
from migrations_tool.models import ConnectionMigration
from migrations_tool.proofs import newest
from migrations_tool.rollback.documents import posted_since
from migrations_tool.wizard import Refused
from migrations_tool.work import Work
from syncing import pauses

WHY = "The migration is being taken back."
STOPPED = "flip.stopped"
BACK = "flip.back"


def is_under_way(migration: ConnectionMigration) -> bool:
    """Whether we have stopped and the customer is to reconnect the old provider."""
    return newest(migration, STOPPED) is not None


def stop(work: Work) -> None:
    """Post and read nothing any more, and say what was posted. Again changes nothing.

    :raises Refused: if the customer has not switched
    """
    migration = work.migration
    if migration.flipped_at is None:
        raise Refused("The customer has not switched, so there is nothing to take back but links.")
    if is_under_way(migration):
        return
    with transaction.atomic():
        pauses.pause(migration.connection, "", WHY, work.actor)
        Connection.objects.filter(pk=migration.connection_id).update(
            stage=Connection.Stage.PAUSED, paused_reason=WHY
        )
        count = posted_since(migration).count()
        documents = "1 document was" if count == 1 else f"{count:,} documents were"
        work.evidence(
            STOPPED,
            f"Nothing is posted any more. {documents} posted since the switch: the list says which"
            " to reverse or keep.",
            is_good=True,
            counts={"documents": count},
        )


def verify(work: Work) -> bool:
    """Whether Ramp shows the old connection active again; then the migration is over.

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
        was_switched=False,
    )
    if seen.seat is not Seat.OLD and not _is_reconnected(migration, seen, connections):
        return False
    now = work.clock()
    old = migration.old_provider_name or "The old connection"
    with transaction.atomic():
        sharing.revoke_all(migration, actor=work.actor, now=now)
        work.evidence(
            BACK,
            f"{old} is active again and ours is not. Nothing is posted by us.",
            is_good=True,
            result={"seat": seen.seat},
        )
        services.end(
            migration,
            ConnectionMigration.State.ROLLED_BACK,
            because=WHY,
            actor=work.actor,
            now=now,
            by_run=work.run,
        )
    return True


def _is_reconnected(
    migration: ConnectionMigration, seen: Sight, connections: Sequence[AccountingConnection]
) -> bool:
    """Whoever connects the old provider anew gets another connection of the same name."""
    live = {name_of(one) for one in connections if one.is_live}
    return seen.seat is Seat.OTHER and live == {migration.old_provider_name}


def instructions(migration: ConnectionMigration) -> list[str]:
    """What the customer does to go back, in order."""
    old = migration.old_provider_name or "the old provider"
    return [
        "In Ramp, open Accounting, then Settings, then Danger Zone.",
        f"Choose Switch Providers and then {old}, or Connect if it is not offered there.",
        "Map the fields back as Ramp asks, and confirm.",
        f"What was posted since the switch is marked as synced in Ramp. {old} will not send it"
        " again: keep those documents, or enter them anew after reversing them.",
    ]
