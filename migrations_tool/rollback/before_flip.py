"""Give a migration up before the switch: the old connection goes on as if nothing had been."""

from datetime import datetime

from django.db import transaction

from connections import services as connection_services
from connections.mirror import ramp_side
from connections.models import Connection, Mirror
from connections.ramp.errors import Forbidden, ScopeMissing
from migrations_tool import services, sharing
from migrations_tool.flip import sight
from migrations_tool.flip.sight import Seat, Sight
from migrations_tool.gates import standings_of
from migrations_tool.models import ConnectionMigration, Signature, StepRun
from migrations_tool.steps import Act, Path, Step
from migrations_tool.wizard import Refused
from migrations_tool.work import Work

ABANDON = "abandon"
"""Among the settings of an undo: why the whole migration is given up."""


def ask_to_abandon(
    migration: ConnectionMigration, *, because: str, actor: str, now: datetime
) -> StepRun:
    """Have a worker give the migration up; it reads Ramp before and after.

    :raises Refused: if no reason is given, the customer has switched, or a step is being run
    """
    if not because.strip():
        raise Refused("Say why it is given up: the record keeps the reason.")
    if migration.flipped_at is not None:
        raise Refused(_SWITCHED)
    step = Step.FLIP if migration.path == Path.MIGRATION else Step.CUTOVER
    return services.ask(
        migration,
        step,
        Act.UNDO,
        version=standings_of(migration)[step].version,
        actor=actor,
        now=now,
        settings={ABANDON: because.strip()[:400]},
    )


_SWITCHED = (
    "The customer has switched already. Take back step 11 in place of giving up: it stops posting"
    " and lists what was posted since."
)
_SWITCHED_MEANWHILE = (
    "The customer has switched while it was being given up, so it is not. Their links have ended,"
    " and nothing is posted. Check step 11, which sees the switch; then go on, or take it back."
)


def abandon(work: Work, because: str) -> None:
    """Bring it to its end state: the old connection active, ours unused and forgotten here, links
    and signatures void, nothing watched. The archive and all evidence stay.

    Nothing here is forgotten before Ramp was read a second time: whoever switches between the two
    looks keeps the migration open, and step 11 sees the switch.

    :raises Refused: if Ramp shows that the customer has switched
    """
    migration = work.migration
    before = _look(work)
    is_migration = migration.path == Path.MIGRATION
    if migration.flipped_at is not None or (is_migration and before.seat is Seat.OURS):
        raise Refused(_SWITCHED)
    now = work.clock()
    sharing.revoke_all(migration, actor=work.actor, now=now)
    is_rung = is_migration and not _stop_ringing(work)
    after = _look(work)
    if is_migration and after.seat is Seat.OURS:
        raise Refused(_SWITCHED_MEANWHILE)
    text = _end_state(migration, after)
    if is_rung:
        text += " Ramp did not let us take our webhook back: nothing is read when it rings."
    with transaction.atomic():
        Signature.objects.filter(migration=migration, withdrawn_at=None).update(
            withdrawn_at=now, withdrawn_by=work.actor
        )
        if is_migration:
            _forget(migration.connection)
        work.evidence(
            "flip.abandoned",
            text,
            is_good=after.seat is before.seat,
            inputs={"because": because},
            result={"before": before.seat, "after": after.seat, "is_offered": after.is_offered},
        )
        services.end(
            migration,
            ConnectionMigration.State.ABANDONED,
            because=because,
            actor=work.actor,
            now=now,
            by_run=work.run,
        )
    fix = ""
    if after.is_offered:
        fix = (
            f"Ask the customer not to choose “{migration.connection.ramp_provider_name}” under"
            " Switch Providers, and Ramp's support to take it off that list."
        )
    work.say(f"Given up. {text}", fix)


def _stop_ringing(work: Work) -> bool:
    """Take back our webhooks, which the preflight made. False if Ramp does not let us.

    :raises RampError: if Ramp is silent, or does not know us any more
    """
    for subscription in work.connection.subscriptions.exclude(status="removed"):
        work.keep()
        try:
            connection_services.unsubscribe(subscription, work.ramp)
        except (Forbidden, ScopeMissing):
            return False
    return True


def _look(work: Work) -> Sight:
    work.keep()
    return sight.look(
        work.ramp.all_connections(),
        new_id=work.migration.new_connection_id,
        old_id=work.migration.old_connection_id,
        label=work.migration.connection.ramp_provider_name,
        was_switched=False,
    )


def _forget(connection: Connection) -> None:
    """What our inactive connection had is none of a later one's."""
    Connection.objects.filter(pk=connection.pk).update(
        ramp_connection_id=None, stage=Connection.Stage.SETTING_UP
    )
    ramp_side.start_over(connection.pk, is_empty=False)
    Mirror.objects.filter(connection=connection).update(is_being_prepared=False)


def _end_state(migration: ConnectionMigration, after: Sight) -> str:
    old = migration.old_provider_name or "The old connection"
    match after.seat:
        case Seat.OLD:
            said = f"{old} is active in Ramp as before."
        case Seat.OURS:
            said = "Our connection keeps the seat: close the customer to give it up."
        case _:
            said = after.words
    if after.is_offered:
        return (
            f"{said} Ours is unused, and still offered under Switch Providers:"
            " Ramp has no call that takes that back."
        )
    return f"{said} Ours is unused. Links and signatures are void; the archive is kept."
