"""How both sides of a connection are, looked at a few times a day and when somebody asks (R-14)."""

import uuid
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum

from django.db import connection as database

from connections import services
from connections.erp.port import ErpAdapter
from connections.models import Connection, Credential, HealthCheck, Mirror, RampToken
from connections.ramp.client import RampClient
from connections.ramp.errors import RampError
from connections.ramp.schemas import AccountingConnection
from connections.upkeep import lifecycle, scopes, switches
from connections.upkeep.problems import Problem, of_ramp

EVERY = timedelta(hours=6)
WHILE_ILL = timedelta(minutes=15)


class Seat(StrEnum):
    """Who holds the active accounting connection of the business."""

    OURS = "ours"
    FREE = "free"
    TAKEN = "taken"
    LOST = "lost"
    """It was ours, and nobody or somebody else has it now."""


@dataclass(frozen=True, slots=True)
class RampSide:
    """What a look at Ramp has shown."""

    check: HealthCheck
    seat: Seat | None
    """None if Ramp could not be asked."""


def due(*, limit: int = 50) -> list[uuid.UUID]:
    """Customers of whom a side is to be looked at now, or was never looked at."""
    with database.cursor() as cursor:
        cursor.execute(
            """
            SELECT c.id FROM connections_connection c
            LEFT JOIN (
                SELECT connection_id, count(*) AS sides, min(due_at) AS due_at
                FROM connections_healthcheck GROUP BY connection_id
            ) h ON h.connection_id = c.id
            WHERE c.stage <> 'closed'
                AND (h.due_at <= statement_timestamp() OR coalesce(h.sides, 0) < 2)
            ORDER BY h.due_at NULLS FIRST, c.id LIMIT %s
            """,
            [limit],
        )
        return [row[0] for row in cursor.fetchall()]


def check(
    connection: Connection, ramp: RampClient, erp: ErpAdapter, *, now: datetime
) -> tuple[RampSide, HealthCheck]:
    """Look at both sides and keep what was found."""
    return check_ramp(connection, ramp, now=now), check_erp(connection, erp, now=now)


def check_ramp(connection: Connection, ramp: RampClient, *, now: datetime) -> RampSide:
    """Whether Ramp accepts us, grants what is needed, and has our connection in the seat."""
    try:
        business = ramp.business()
        seats = ramp.all_connections()
        if connection.ramp_connection_id is None:
            seat, fault = _standing_before(connection, seats)
        else:
            seat, fault = _standing(connection, seats)
            lifecycle.map_only_entity(connection, ramp)
    except RampError as error:
        return RampSide(_keep(connection, Credential.Side.RAMP, of_ramp(error), "", now), None)
    if seat is Seat.OURS:
        ours = next(one for one in seats if one.id == connection.ramp_connection_id)
        switches.keep_found(connection, ours.settings or {})
    fault = fault or _scopes(connection)
    return RampSide(_keep(connection, Credential.Side.RAMP, fault, business.name, now), seat)


def check_erp(connection: Connection, erp: ErpAdapter, *, now: datetime) -> HealthCheck:
    """Whether the ERP lets us in, which company it is, and when the credentials end."""
    found = erp.health()
    Credential.objects.filter(connection=connection, side=Credential.Side.ERP).exclude(
        expires_at=found.expires_at
    ).update(expires_at=found.expires_at)
    fault = None
    if found.problem is not None:
        fault = Problem(found.problem.title, found.problem.fix)
    about = lifecycle.about_erp(found.company, found.version)
    return _keep(connection, Credential.Side.ERP, fault, about, now)


def no_credentials(
    connection: Connection, side: Credential.Side, words: str, *, now: datetime
) -> HealthCheck:
    """Note that one side cannot even be asked."""
    return _keep(connection, side, Problem(words, "Enter new credentials."), "", now)


def _standing(
    connection: Connection, seats: Sequence[AccountingConnection]
) -> tuple[Seat, Problem | None]:
    """Whether what was ours still is (R-08, R-14)."""
    holder = services.live_seat(seats)
    if holder is None:
        return Seat.LOST, Problem(
            f"{connection.name}'s connection in Ramp is no longer linked.",
            "If nobody disconnected it on purpose, connect again in Ramp from this page.",
        )
    prepared = Mirror.objects.filter(connection=connection, is_being_prepared=True)
    if holder.id != connection.ramp_connection_id and prepared.exists():
        return Seat.TAKEN, None  # as it should be, until the customer switches to us
    if holder.id != connection.ramp_connection_id:
        taken = services.seat_taken(connection, holder)
        return Seat.LOST, Problem(str(taken), taken.fix)
    if holder.connection_type == "DIRECT":
        taken = services.seat_taken(connection, holder)
        return Seat.LOST, Problem(str(taken), taken.fix)
    prepared.update(is_being_prepared=False)
    return Seat.OURS, None


def _standing_before(
    connection: Connection, seats: Sequence[AccountingConnection]
) -> tuple[Seat, Problem | None]:
    """Whether there is a seat for us to take."""
    holder = services.live_seat(seats)
    if holder is None or holder.connection_type == "CSV":
        return Seat.FREE, None
    is_named_as_ours = holder.remote_provider_name == connection.ramp_provider_name
    if is_named_as_ours and holder.connection_type != "DIRECT":
        return Seat.FREE, None  # our own, from an attempt whose answer was lost
    taken = services.seat_taken(connection, holder)
    return Seat.TAKEN, Problem(str(taken), taken.fix)


def _scopes(connection: Connection) -> Problem | None:
    """What was asked for and not granted: Ramp leaves it out without a word (C1)."""
    token = RampToken.objects.filter(connection=connection).only("scopes").first()
    if token is None:
        return None
    lacking = scopes.missing(token.scopes.split(), connection.object_types)
    if not lacking:
        return None
    return Problem(
        f"In Ramp, the app lacks the permission {', '.join(lacking)}.",
        "Grant it on the app's page in Ramp, under Settings, Developer, or switch off what needs"
        " it. The list of permissions says what does not work until then.",
    )


def _keep(
    connection: Connection, side: Credential.Side, fault: Problem | None, about: str, now: datetime
) -> HealthCheck:
    """What was known of a side that answers no more stays readable."""
    found: dict[str, object] = {
        "is_ok": fault is None,
        "title": fault.title[:300] if fault else "",
        "fix": fault.fix[:500] if fault else "",
        "checked_at": now,
        "due_at": now + (WHILE_ILL if fault else EVERY),
    }
    if about:
        found["about"] = about
    if fault is None:
        found["ok_at"] = now
    row, _ = HealthCheck.objects.update_or_create(connection=connection, side=side, defaults=found)
    return row
