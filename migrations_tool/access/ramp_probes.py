"""Look at what Ramp grants us, who has the seat, and whether anybody else is migrating."""

from collections.abc import Sequence
from datetime import timedelta

from connections.models import Connection, RampToken
from connections.ramp.schemas import AccountingConnection
from connections.upkeep import scopes
from migrations_tool.models import ConnectionMigration
from migrations_tool.plan.seats import name_of, seat_among
from migrations_tool.steps import Path
from migrations_tool.work import Work

SCOPES, SEAT, OTHERS = "access.scopes", "access.ramp", "access.other_migration"
GOOD_FOR = timedelta(days=30)


def probe(work: Work) -> None:
    """Read Ramp's connections and the permissions of our app; evidence of each."""
    work.keep()
    seats = work.ramp.all_connections()
    work.trace_ids.append(work.ramp.last_trace_id)
    missing = _look_at_scopes(work)
    _look_at_seat(work, seats, may_read_business="business:read" not in missing)
    _look_for_others(work, seats)


def _look_at_scopes(work: Work) -> Sequence[str]:
    """Ramp leaves out what it does not grant, so the newest token tells (R-03)."""
    token = RampToken.objects.get(connection=work.connection)
    granted = token.scopes.split()
    missing = scopes.missing(granted, work.connection.object_types)
    if missing:
        lacking = [
            one.feature.name
            for one in scopes.matrix(granted, work.connection.object_types)
            if one.is_wanted and one.missing
        ]
        text = f"The customer's app in Ramp lacks {', '.join(missing)}."
        fix = (
            f"Without it this does not work: {', '.join(lacking)}. Ask the customer to add it to"
            " the app in Ramp under Company, Developer API, then check again."
        )
        work.evidence(SCOPES, text, is_good=False, result={"missing": missing, "fix": fix})
    else:
        work.evidence(
            SCOPES,
            "Ramp grants everything that the customer's types of object need.",
            is_good=True,
            result={"granted": sorted(granted)},
            good_for=GOOD_FOR,
        )
    return missing


def _look_at_seat(
    work: Work, seats: Sequence[AccountingConnection], *, may_read_business: bool
) -> None:
    migration, connection = work.migration, work.connection
    seat = seat_among(
        seats, ours=connection.ramp_connection_id, label=connection.ramp_provider_name
    )
    good, text, fix = True, seat.why, seat.fix
    if may_read_business and (other := _known_as(work)):
        good = False
        text = f"The credentials open a business that is connected here as {other}."
        fix = "Enter the credentials of this customer's own app in the settings."
    elif seat.path is None:
        good = False
    elif migration.flipped_at is None and not _is_as_planned(work, seat.path, seats):
        good = False
        fix = "The plan was made for something else. Open the plan and check it again."
    result = {"connections": len(seats), **({} if good else {"fix": fix})}
    work.evidence(SEAT, text, is_good=good, result=result, good_for=GOOD_FOR if good else None)


def _known_as(work: Work) -> str:
    """The other customer whose business these credentials open, if it is one of ours."""
    work.keep()
    business = work.ramp.business()
    others = Connection.objects.filter(ramp_business_id=business.id).exclude(
        stage=Connection.Stage.CLOSED
    )
    other = others.exclude(pk=work.connection.pk).first()
    return other.name if other else ""


def _is_as_planned(work: Work, path: Path, seats: Sequence[AccountingConnection]) -> bool:
    migration = work.migration
    if path != migration.path:
        return False
    if path is Path.FRESH:
        return True
    return any(one.is_live and one.id == migration.old_connection_id for one in seats)


def _look_for_others(work: Work, seats: Sequence[AccountingConnection]) -> None:
    """Ramp does one migration of a business at a time (R-98)."""
    ready = [
        one
        for one in seats
        if one.is_ready_to_migrate and one.id != work.migration.new_connection_id
    ]
    if ready:
        names = ", ".join(name_of(one) for one in ready)
        work.evidence(
            OTHERS,
            f"Another migration is under way in Ramp: {names} is marked as ready.",
            is_good=False,
            result={
                "ready": [str(one.id) for one in ready],
                "fix": "Ask the customer whether it is still wanted. If not, Ramp's support takes"
                " the mark off.",
            },
        )
        return
    if other := _open_here(work.migration):
        work.evidence(
            OTHERS,
            f"This business is being migrated here already, as {other.connection.name}.",
            is_good=False,
            result={"fix": "Go on with that one, or abandon it first."},
        )
        return
    work.evidence(
        OTHERS,
        "No other migration is under way, in Ramp or here.",
        is_good=True,
        good_for=GOOD_FOR,
    )


def _open_here(migration: ConnectionMigration) -> ConnectionMigration | None:
    business = migration.connection.ramp_business_id
    if business is None:
        return None
    found = ConnectionMigration.objects.select_related("connection").filter(
        connection__ramp_business_id=business, state=ConnectionMigration.State.OPEN
    )
    return found.exclude(pk=migration.pk).first()
