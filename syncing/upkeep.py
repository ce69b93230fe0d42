"""Carry out what people asked of a connection, and let the engine know what came of it.

How it is done is `connections.upkeep`; here is what it means for items: new credentials lift what
the old ones stopped, a lost seat stops everything, and going live begins the polls.
"""

import uuid
from collections.abc import Mapping
from datetime import datetime

from django.db import transaction

from connections import clients, services
from connections.mirror import schedule as mirror_schedule
from connections.models import Chore, Connection, Credential, HealthCheck, Mirror, Switch
from connections.secrets import NoCredential
from connections.upkeep import chores, health, lifecycle, onboarding, switches
from connections.upkeep.chores import Doer, Outcome, Refused
from connections.upkeep.health import RampSide, Seat
from syncing import button_switch, circuit, poll_schedule
from syncing.button_switch import NotAdmitted
from syncing.classifier import seat_lost
from syncing.models import Schedule
from syncing.queries.onboarding import facts


def connections_due() -> list[uuid.UUID]:
    """Customers of whom something is wanted."""
    return chores.connections_due()


def look_after(connection: Connection, *, now: datetime) -> int:
    """Do what is wanted of a customer, then look at both sides if it is time to."""
    done = chores.carry_out_due(connection.pk, DOERS, now=now)
    rows = HealthCheck.objects.filter(connection=connection)
    sides = list(rows.values_list("due_at", flat=True))
    connection.refresh_from_db()
    if connection.stage == Connection.Stage.CLOSED:
        return done
    if len(sides) < len(Credential.Side) or any(due and due <= now for due in sides):
        check_sides(connection, now=now)
    return done


def check_sides(connection: Connection, *, now: datetime) -> list[HealthCheck]:
    """Look at Ramp and at the ERP, and stop or resume the engine by what is found (R-09, R-14)."""
    try:
        ramp_side = health.check_ramp(connection, clients.ramp_client(connection), now=now)
    except NoCredential as lacking:
        row = health.no_credentials(connection, Credential.Side.RAMP, str(lacking), now=now)
        ramp_side = RampSide(row, None)
    try:
        erp_row = health.check_erp(connection, clients.erp_adapter(connection), now=now)
    except NoCredential as lacking:
        erp_row = health.no_credentials(connection, Credential.Side.ERP, str(lacking), now=now)
    _tell_engine(connection, ramp_side)
    return [ramp_side.check, erp_row]


def _tell_engine(connection: Connection, side: RampSide) -> None:
    if side.seat is Seat.LOST:
        lost = seat_lost(side.check.title, side.check.fix)
        circuit.block(connection.pk, lost, side=circuit.RAMP)
    elif side.seat is Seat.OURS:
        circuit.seat_is_ours(connection.pk)


def _check(chore: Chore, now: datetime) -> Outcome:
    rows = check_sides(chore.connection, now=now)
    faults = [row.title for row in rows if not row.is_ok]
    return Outcome(" ".join(faults) if faults else "Both sides are well.")


def _seat(chore: Chore, _now: datetime) -> Outcome:
    connection = chore.connection
    outcome = lifecycle.connect(connection, clients.ramp_client(connection))
    mirror_schedule.ensure(connection)
    chores.want(connection, Chore.Kind.WEBHOOK, actor=chore.actor, follows=True)
    chores.want(connection, Chore.Kind.CHECK, actor=chore.actor, follows=True)
    return outcome


def _switch(chore: Chore, _now: datetime) -> Outcome:
    """The sync button has a rule of its own: whoever presses it is owed an answer (R-82)."""
    switch = Switch.objects.select_related("connection").get(
        connection=chore.connection, name=chore.about
    )
    ramp = clients.ramp_client(chore.connection)
    words = f"Ramp shows it {'on' if switch.wanted else 'off'}."
    if (object_type := switches.BUTTONS.get(switch.name)) is None:
        switches.turn(switch, ramp)
        return Outcome(words, ramp.last_trace_id)
    try:
        button_switch.set_sync_button(
            chore.connection, ramp, object_type, on=bool(switch.wanted), actor=chore.actor
        )
    except NotAdmitted as refusal:
        raise Refused("The button was not switched on.", str(refusal)) from refusal
    return Outcome(words, ramp.last_trace_id)


def _webhook(chore: Chore, _now: datetime) -> Outcome:
    ramp = clients.ramp_client(chore.connection)
    return lifecycle.renew_webhook(chore.connection, ramp, anew=chore.about == RENEW)


RENEW = "renew"
"""A wish for another webhook although one seems to be well."""


def _credential(chore: Chore, _now: datetime) -> Outcome:
    outcome = lifecycle.change_credentials(chore)
    is_ramp = chore.about == Credential.Side.RAMP
    circuit.credentials_changed(chore.connection_id, circuit.RAMP if is_ramp else circuit.ERP)
    Mirror.objects.filter(connection=chore.connection).update(
        blocked_at=None, blocked_code="", blocked_title="", blocked_fix=""
    )
    return outcome


def _go_live(chore: Chore, now: datetime) -> Outcome:
    connection = chore.connection
    if lacking := onboarding.missing(facts(connection)):
        raise Refused("Some steps are not done yet.", f"Missing: {', '.join(lacking)}.")
    begin(connection, now=now)
    return Outcome("Live. Ramp is read within seconds.")


@transaction.atomic
def begin(connection: Connection, *, now: datetime) -> None:
    """Let a customer be polled and worked from now on, beginning at once."""
    Schedule.objects.get_or_create(connection=connection, defaults={"next_poll_at": now})
    poll_schedule.fetch_soon(connection.pk)
    services.go_live(connection)


def _disconnect(chore: Chore, _now: datetime) -> Outcome:
    """A customer that never got a seat can be closed although its credentials never worked."""
    connection = chore.connection
    if connection.ramp_connection_id is None and not connection.subscriptions.exists():
        return lifecycle.give_up(connection)
    return lifecycle.disconnect(connection, clients.ramp_client(connection))


DOERS: Mapping[str, Doer] = {
    Chore.Kind.CHECK: _check,
    Chore.Kind.SEAT: _seat,
    Chore.Kind.SWITCH: _switch,
    Chore.Kind.WEBHOOK: _webhook,
    Chore.Kind.CREDENTIAL: _credential,
    Chore.Kind.GO_LIVE: _go_live,
    Chore.Kind.DISCONNECT: _disconnect,
}
