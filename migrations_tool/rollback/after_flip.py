"""Take the switch back: we stop, the customer reconnects the old provider, and Ramp shows it."""

from collections.abc import Sequence
from datetime import datetime

from django.db import transaction

from connections.models import Connection
from connections.ramp.schemas import AccountingConnection
from migrations_tool import services, sharing
from migrations_tool.flip import sight
from migrations_tool.flip.preconditions import name_of
from migrations_tool.flip.sight import Seat, Sight
from migrations_tool.gates import standings_of
from migrations_tool.models import ConnectionMigration, StepRun
from migrations_tool.proofs import newest
from migrations_tool.reports_written import closing
from migrations_tool.rollback.documents import posted_since
from migrations_tool.steps import Act, Step
from migrations_tool.wizard import Refused
from migrations_tool.work import Work
from syncing import pauses

WHY = "The migration is being taken back."
STOPPED = "flip.stopped"
BACK = "flip.back"
ELSEWHERE = "flip.ended_elsewhere"
SEEN = "flip.seat_on_the_way_back"
END_AS_IT_IS = "end_as_it_is"
"""Among the settings of an undo: why it ends although the old provider did not come back."""


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
    seen, connections = _look(work)
    if seen.seat is not Seat.OLD and not _is_reconnected(migration, seen, connections):
        _keep_seen(work, seen, connections)
        return False
    old = migration.old_provider_name or "The old connection"
    text = f"{old} is active again and ours is not. Nothing is posted by us."
    _end(work, BACK, text, seen, because=WHY)
    return True


def ask_to_end_as_it_is(
    migration: ConnectionMigration, *, because: str, actor: str, now: datetime
) -> StepRun:
    """Have a worker end a migration whose customer went to a third provider, or to none.

    :raises Refused: if no reason is given, posting was not stopped before, or the step is being run
    """
    if not because.strip():
        raise Refused("Say why it ends like this: the record and the report keep the reason.")
    if not is_under_way(migration):
        raise Refused("Take back step 11 first: it stops posting and lists what was posted.")
    return services.ask(
        migration,
        Step.FLIP,
        Act.UNDO,
        version=standings_of(migration)[Step.FLIP].version,
        actor=actor,
        now=now,
        settings={END_AS_IT_IS: because.strip()[:400]},
    )


def end_as_it_is(work: Work, because: str) -> None:
    """End it in the state that Ramp shows now, because somebody says that it stays like this: we
    are stopped, and neither the old connection nor ours is active.

    :raises Refused: if posting was not stopped, or ours is still active
    :raises RampError: if Ramp cannot be asked
    """
    if not is_under_way(work.migration):
        raise Refused("Take back step 11 first: it stops posting and lists what was posted.")
    if verify(work):
        work.say("The old connection is active again. The migration is rolled back.")
        return
    seen, connections = _look(work)
    if seen.seat not in _ENDS:
        raise Refused(_STILL_OURS)
    text = _elsewhere(work.migration, seen, connections)
    _end(work, ELSEWHERE, f"{text} Ended so by {work.actor}: {because}", seen, because=because)
    work.say(f"Ended. {text}")


_ENDS = frozenset({Seat.OTHER, Seat.NOBODY})
_STILL_OURS = (
    "Our connection is still active in Ramp, so this is no end: the customer has to choose another"
    " provider or disconnect ours. Nothing is posted until then."
)


def _look(work: Work) -> tuple[Sight, Sequence[AccountingConnection]]:
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
    return seen, connections


def _end(work: Work, code: str, text: str, seen: Sight, *, because: str) -> None:
    """Over, with its report. What the customer's page shows from here on is the end."""
    migration, now = work.migration, work.clock()
    with transaction.atomic():
        sharing.revoke_all(migration, actor=work.actor, now=now)
        work.evidence(code, text, is_good=True, result={"seat": seen.seat})
        services.end(
            migration,
            ConnectionMigration.State.ROLLED_BACK,
            because=because,
            actor=work.actor,
            now=now,
            by_run=work.run,
        )
        migration.refresh_from_db()
        closing.write(migration, actor=work.actor, now=now)


def _elsewhere(
    migration: ConnectionMigration, seen: Sight, connections: Sequence[AccountingConnection]
) -> str:
    """The end state, in a sentence or two."""
    old = migration.old_provider_name or "the old connection"
    live = ", ".join(sorted(name_of(one) for one in connections if one.is_live))
    who = f"{live} is active in Ramp" if seen.seat is Seat.OTHER else "Nobody is active in Ramp"
    return f"{who}; neither {old} nor ours is. Nothing is posted by us."


def _keep_seen(work: Work, seen: Sight, connections: Sequence[AccountingConnection]) -> None:
    """Who is active on the way back, if it is neither of the two; once each."""
    if seen.seat not in _ENDS:
        return
    text = _elsewhere(work.migration, seen, connections)
    before = newest(work.migration, SEEN)
    if before is None or before.text != text:
        work.evidence(SEEN, text, is_good=False, result={"seat": seen.seat})


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
