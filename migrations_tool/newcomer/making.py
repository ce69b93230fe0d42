"""Make our connection beside the active one, and never the active one itself (R-93, C5).

Ramp's documents say that a creation with `is_active: false` makes a second connection. Seen in the
field was that it answers with the active one as if it had made it. So we look before, compare what
comes back, and read it once more before its id is kept anywhere.
"""

from collections.abc import Sequence
from uuid import UUID

from django.db import IntegrityError, transaction

from connections import audit, services
from connections.mirror import ramp_side, schedule
from connections.models import Connection
from connections.ramp.schemas import AccountingConnection
from connections.services import NotVerified, SeatTaken
from migrations_tool.models import ConnectionMigration
from migrations_tool.wizard import Refused
from migrations_tool.work import Work

READ_BACK, NOT_INCUMBENT = "connection.read_back", "connection.not_the_incumbent"


def active_among(seats: Sequence[AccountingConnection]) -> AccountingConnection:
    """The connection beside which ours is made.

    :raises Refused: if there is none
    """
    active = services.live_seat(seats)
    if active is None:
        raise Refused(
            "Ramp shows no active accounting connection any more, so there is nothing to stand"
            " beside. Check step 0 Plan again: it may take the path of a fresh connection."
        )
    return active


def make(work: Work) -> AccountingConnection:
    """Our inactive connection: the one there is, or a new one.

    A creation whose answer was lost is found again by its name and not made a second time.

    :raises Refused: if Ramp answers with anything but an inactive connection of ours
    """
    name = work.connection.ramp_provider_name
    work.keep()
    seats = work.ramp.all_connections()
    active = active_among(seats)
    _check_not_active(work, active)
    if (there := _kept(work.migration, seats)) is not None:
        return there
    found = _left_from_before(seats, name)
    work.keep()
    made = found or work.ramp.create_connection(remote_provider_name=name, is_active=False)
    work.trace_ids.append(work.ramp.last_trace_id)
    inputs: dict[str, object] = {"call": "GET accounting/all-connections", "name": name}
    if found is None:
        inputs = {"call": "POST accounting/connection", "is_active": False, "name": name}
    _check_is_another(work, made, active, inputs)
    work.keep()
    read = work.ramp.connection(made.id)
    work.trace_ids.append(work.ramp.last_trace_id)
    if wrong := what_is_wrong(read, name):
        told(work, read, wrong)
        raise Refused(f"Ramp's new connection is not as it has to be. {wrong} Check it in Ramp.")
    _keep(work, read.id, is_empty=found is None)
    text = "Made beside the active one" if found is None else "Found from an earlier try"
    work.evidence(
        "connection.made",
        f"{text}: “{name}”, {read.id}.",
        is_good=True,
        inputs=inputs,
        result=shown(made),
    )
    return read


def take_seat(work: Work) -> AccountingConnection:
    """On the path of a fresh connection: take the free seat, or make the one by CSV files ours.

    :raises Refused: if somebody else has it, or Ramp does not show it as ours afterwards
    """
    migration, connection = work.migration, work.connection
    work.keep()
    try:
        seat = services.take_seat(connection, work.ramp)
    except (SeatTaken, NotVerified) as error:
        fix = getattr(error, "fix", "") or "Try again in a minute."
        raise Refused(f"{error} {fix}") from error
    except IntegrityError as error:
        raise Refused(_TWICE) from error
    work.trace_ids.append(work.ramp.last_trace_id)
    if migration.new_connection_id != seat.id:
        if migration.old_connection_id == seat.id:
            migration.old_connection_id = None  # by CSV files once, and ours from now on
        migration.new_connection_id = seat.id
        migration.save(update_fields=["old_connection_id", "new_connection_id"])
        schedule.ensure(connection)
        _audit(work, f"Took the seat in Ramp, connection {seat.id}.")
    return seat


def let_go(work: Work) -> UUID | None:
    """Forget our inactive connection, so that nothing writes to it any more. Ramp keeps it."""
    migration, connection = work.migration, work.connection
    given_up = migration.new_connection_id
    with transaction.atomic():
        work.hold()
        migration.new_connection_id = None
        migration.save(update_fields=["new_connection_id"])
        if given_up is not None and connection.ramp_connection_id == given_up:
            connection.ramp_connection_id = None
            connection.save(update_fields=["ramp_connection_id"])
            ramp_side.start_over(connection.pk, is_empty=False)
        if given_up is not None:
            _audit(work, f"Gave up the inactive connection {given_up}.")
    return given_up


def what_is_wrong(one: AccountingConnection, name: str) -> str:
    """Why a connection cannot be the inactive one of ours, in words; empty if it can (R-94)."""
    if one.is_live:
        return "It is active, and has to be inactive until the customer switches."
    if one.status and one.status.lower() != "unlinked":
        return f"Its status is {one.status.upper()}, and has to be UNLINKED."
    if one.connection_type.upper() != "API":
        return f"Its type is {one.connection_type or 'not said'}, and has to be API."
    if one.remote_provider_name != name:
        return f"It is called “{one.remote_provider_name}”, and has to be called “{name}”."
    return ""


def told(work: Work, read: AccountingConnection, wrong: str) -> None:
    """Keep as evidence how Ramp shows our connection."""
    work.evidence(
        READ_BACK,
        wrong or f"Ramp shows “{read.remote_provider_name}” as UNLINKED, of type API, not active.",
        is_good=not wrong,
        inputs={"call": f"GET accounting/connection/{read.id}"},
        result=shown(read),
    )


def shown(one: AccountingConnection) -> dict[str, object]:
    """A connection as Ramp answered it, for evidence."""
    document: dict[str, object] = one.model_dump(mode="json")
    return document


_TWICE = (
    "This business of Ramp's is connected already, as another customer here. Use that customer, or"
    " enter the credentials of this customer's own app on its settings page."
)


def _kept(
    migration: ConnectionMigration, seats: Sequence[AccountingConnection]
) -> AccountingConnection | None:
    """Ours, if it was made before.

    :raises Refused: if Ramp does not list it any more
    """
    if migration.new_connection_id is None:
        return None
    ours = next((one for one in seats if one.id == migration.new_connection_id), None)
    if ours is None:
        raise Refused(
            f"Ramp does not list our connection {migration.new_connection_id} any more. Take this"
            " step back; then apply it again to make another one."
        )
    return ours


def _left_from_before(
    seats: Sequence[AccountingConnection], name: str
) -> AccountingConnection | None:
    """An inactive one of our name that never was linked: the newest, for there may be several.

    One that was linked once is a former connection with a past, and is left alone.

    :raises Refused: if it is marked ready already, for then the customer may switch to it any time
    """
    ours = [one for one in seats if not what_is_wrong(one, name) and one.last_linked_at is None]
    if any(one.is_ready_to_migrate for one in ours):
        raise Refused(
            f"Ramp offers a connection “{name}” under Switch Providers already, from an earlier"
            " migration. Two of the same name cannot be told apart there: ask Ramp's support to"
            " remove that one, then apply this step again."
        )
    dated = [one for one in ours if one.created_at is not None]
    return max(dated, key=lambda one: one.created_at or 0, default=ours[0] if ours else None)


def _check_not_active(work: Work, active: AccountingConnection) -> None:
    if work.connection.ramp_connection_id == active.id or active.id == (
        work.migration.new_connection_id
    ):
        raise Refused(
            "Our connection is the active one in Ramp already. There is nothing to prepare: check"
            " step 0 Plan again, or step 11 if the customer has just switched."
        )


def _check_is_another(
    work: Work,
    made: AccountingConnection,
    active: AccountingConnection,
    inputs: dict[str, object],
) -> None:
    """:raises Refused: if Ramp answered with the active connection in place of a new one (C5)"""
    is_other = made.id not in {active.id, work.migration.old_connection_id}
    about = f"{active.remote_provider_name or 'The active connection'} ({active.id})"
    text = (
        f"{made.id} is another connection than the active one, {about}."
        if is_other
        else f"Ramp answered with the active connection, {about}, in place of a new one."
    )
    work.evidence(
        NOT_INCUMBENT,
        text,
        is_good=is_other,
        inputs=inputs,
        result={"made": shown(made), "active": shown(active)},
    )
    if not is_other:
        raise Refused(
            f"{text} Nothing was kept, and nothing is written to it. Ask Ramp's support why this"
            " business gets no inactive connection, and name them the trace id"
            f" {work.ramp.last_trace_id}."
        )


def _keep(work: Work, connection_id: UUID, *, is_empty: bool) -> None:
    """Only now is the id known anywhere; from here on the mirror means this connection."""
    work.keep()
    business = work.ramp.business().id
    migration, connection = work.migration, work.connection
    connection.ramp_business_id = business
    connection.ramp_connection_id = connection_id
    migration.new_connection_id = connection_id
    try:
        with transaction.atomic():
            work.hold()  # who comes late would forget what the next one has sent meanwhile
            connection.save(update_fields=["ramp_business_id", "ramp_connection_id"])
            migration.save(update_fields=["new_connection_id"])
            ramp_side.start_over(connection.pk, is_empty=is_empty, is_being_prepared=True)
            _audit(work, f"Prepared the inactive connection {connection_id} in Ramp.")
    except IntegrityError as error:
        connection.refresh_from_db(fields=["ramp_business_id", "ramp_connection_id"])
        migration.refresh_from_db(fields=["new_connection_id"])
        raise Refused(_TWICE) from error
    schedule.ensure(Connection.objects.get(pk=connection.pk))


def _audit(work: Work, text: str) -> None:
    audit.record(
        work.actor,
        "migrations.connection",
        text,
        connection_id=work.migration.connection_id,
        subject="migration",
        subject_id=work.migration.pk,
    )
