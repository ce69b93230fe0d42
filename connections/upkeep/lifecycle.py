"""Take the seat in Ramp, give it up, and put new credentials in the place of old ones.

Each looks at both sides before it changes anything, and reads back what came of it.
"""

from collections.abc import Mapping
from typing import Any

from django.conf import settings
from django.db import IntegrityError, transaction

from connections import audit, clients, secrets, services
from connections.erp.kinds import KINDS
from connections.models import Chore, Connection, Credential, HealthCheck, Mirror, RampToken
from connections.models.connection import every_type
from connections.ramp.client import RampClient
from connections.services import NotVerified
from connections.upkeep import chores, switches
from connections.upkeep.chores import Outcome, Refused


def connect(connection: Connection, ramp: RampClient) -> Outcome:
    """Become the business's accounting connection, and learn its entities and switches.

    :raises Refused: if another customer here is the same business
    :raises SeatTaken, NotVerified, RampError: as `services.take_seat`
    """
    try:
        seat = services.take_seat(connection, ramp)
    except IntegrityError as error:
        raise Refused(
            "This business of Ramp's is connected already, as another customer here.",
            "Use that customer, or enter the credentials of this customer's own app.",
        ) from error
    evidence = ramp.last_trace_id
    switches.keep_found(connection, seat.settings or {})
    map_only_entity(connection, ramp)
    return Outcome(f"Ramp shows “{seat.remote_provider_name}” as linked.", evidence)


def map_only_entity(connection: Connection, ramp: RampClient) -> None:
    """Learn Ramp's entities. An only one is the ERP's only company, where it has but one."""
    entities = services.mirror_entities(connection, ramp)
    several = connection.erp_entities.filter(is_active=True).count() > 1
    if len(entities) == 1 and not several and not entities[0].is_mapped:
        services.map_entity(entities[0])


def disconnect(connection: Connection, ramp: RampClient) -> Outcome:
    """Give the seat up for good: Ramp unlinks it, and nothing is synced any more.

    Only our own connection is ever deleted, and only while it holds the seat. Items, documents and
    history stay.

    :raises Refused: if Ramp itself runs the connection
    :raises NotVerified: if Ramp still shows it linked
    :raises RampError: if Ramp cannot be asked; the customer stays as it was
    """
    trace_id = ""
    seat = services.live_seat(ramp.all_connections())
    if seat is not None and seat.id == connection.ramp_connection_id:
        if seat.connection_type == "DIRECT":
            raise Refused("Ramp runs this connection itself. Only the customer can disconnect it.")
        ramp.delete_connection()
        trace_id = ramp.last_trace_id
        seat = services.live_seat(ramp.all_connections())
    if seat is not None and seat.id == connection.ramp_connection_id:
        raise NotVerified(f"Ramp still shows {connection.name}'s connection as linked.")
    for subscription in connection.subscriptions.exclude(status="removed"):
        services.unsubscribe(subscription, ramp)
    close(connection)
    return Outcome("Disconnected. Ramp no longer shows the connection as linked.", trace_id)


def give_up(connection: Connection) -> Outcome:
    """Close a customer that never was connected in Ramp: there is nobody to be told."""
    close(connection)
    return Outcome("Closed. It was never connected in Ramp.")


@transaction.atomic
def close_here(connection: Connection, *, reason: str, actor: str) -> None:
    """Close a customer whose Ramp lets us in no more: here everything stops, there all stays.

    Ramp shows our connection as linked until the customer disconnects it, and may go on ringing.
    """
    connection.subscriptions.exclude(status="removed").update(status="removed")
    close(connection)
    audit.record(
        actor,
        "connection.close_here",
        f"Closed {connection.name} without telling Ramp: {reason}",
        connection_id=connection.pk,
    )


@transaction.atomic
def close(connection: Connection) -> None:
    """Stop everything of a customer; what is known of it stays."""
    connection.stage = Connection.Stage.CLOSED
    connection.save(update_fields=["stage"])
    HealthCheck.objects.filter(connection=connection).update(due_at=None)
    Mirror.objects.filter(connection=connection).update(
        read_due_at=None, full_due_at=None, push_due_at=None, verify_due_at=None
    )
    chores.refuse_all(connection, chores.CLOSED, but=Chore.Kind.DISCONNECT)


@transaction.atomic
def keep_basics(connection: Connection, entered: Mapping[str, Any], *, actor: str) -> None:
    """Keep name, owner, time zone and what is synced.

    A webhook tells of what is synced, so another one may be needed.
    """
    before = set(connection.object_types)
    connection.name, connection.owner = entered["name"], entered["owner"]
    connection.time_zone = entered["time_zone"]
    connection.object_types = [one for one in every_type() if one in entered["object_types"]]
    connection.save(update_fields=["name", "owner", "time_zone", "object_types"])
    audit.record(
        actor,
        "connection.basics",
        f"Set the basics of {connection.name}.",
        connection_id=connection.pk,
        data={
            "owner": connection.owner,
            "time_zone": connection.time_zone,
            "object_types": connection.object_types,
        },
    )
    if connection.ramp_connection_id is not None and set(connection.object_types) - before:
        chores.want(connection, Chore.Kind.WEBHOOK, actor=actor, follows=True)


def change_credentials(chore: Chore) -> Outcome:
    """Check new credentials, and only then let them replace those in use.

    :raises Refused: if they lead to another business or company than before
    :raises NoCredential, RampError, ErpNotReady: if they do not work; the old ones stay
    """
    secret = secrets.unproven(chore)
    side = Credential.Side(chore.about)
    what = _check_ramp(chore, secret) if side is Credential.Side.RAMP else _check_erp(chore, secret)
    with transaction.atomic():
        secrets.keep_credential(chore.connection, side, secret, hint=chore.hint)
        if side is Credential.Side.RAMP:  # the old secret's token would go on for days
            RampToken.objects.filter(connection=chore.connection).delete()
    chores.want(chore.connection, Chore.Kind.CHECK, actor=chore.actor, follows=True)
    return Outcome(f"Checked and in use: {what}.")


def _check_ramp(chore: Chore, secret: Mapping[str, str]) -> str:
    business = clients.unproven_ramp_client(secret).business()
    known = chore.connection.ramp_business_id
    if known is not None and business.id != known:
        raise Refused(
            f"These are the credentials of another business of Ramp's, {business.name}.",
            f"Enter those of {chore.connection.name}'s app. The old ones stay in use.",
        )
    return business.name


def _check_erp(chore: Chore, secret: Mapping[str, str]) -> str:
    connection = chore.connection
    company = services.check_erp(clients.new_adapter(connection.erp_kind, secret))
    last = HealthCheck.objects.filter(connection=connection, side=Credential.Side.ERP).first()
    known = company_of(last.about) if last is not None and last.ok_at is not None else ""
    if known and company != known:
        raise Refused(
            f"These credentials lead to the company {company}, not to {known}.",
            "Documents of one customer must not land in two companies. The old ones stay in use.",
        )
    return company


SEPARATOR = " · "


def about_erp(company: str, version: str) -> str:
    """What a check keeps of an ERP: its company first."""
    return SEPARATOR.join(part for part in (company, version) if part)[:200]


def company_of(about: str) -> str:
    """The company in what a check has kept."""
    return about.partition(SEPARATOR)[0]


def renew_webhook(connection: Connection, ramp: RampClient, *, anew: bool) -> Outcome:
    """Have a webhook that tells of everything; `anew` also if one seems to. Ramp verifies it then.

    :raises RampError: if Ramp refuses, or cannot be asked
    """
    if anew:
        subscription = services.renew_subscription(connection, ramp)
    else:
        subscription = services.ensure_subscribed(connection, ramp)
    services.answer_challenge(subscription, ramp)
    if subscription.status == subscription.Status.ACTIVE:
        return Outcome("Ramp rings us, verified.", ramp.last_trace_id)
    return Outcome("Asked for. It is active once Ramp has verified it.", ramp.last_trace_id)


def credential_hint(side: Credential.Side, erp_kind: str, secret: Mapping[str, str]) -> str:
    """How people tell one set of credentials from another; gives none away."""
    if side is Credential.Side.RAMP:
        return f"…{secret['client_id'][-4:]}"
    return KINDS[erp_kind].hint(secret)


def offered_kinds() -> dict[str, str]:
    """The ERPs that can be connected here, by the registry's names. Pretend ones never for real."""
    return {
        one.kind: one.label
        for one in KINDS.values()
        if not one.is_pretend or settings.PRETEND_ERPS_OFFERED
    }
