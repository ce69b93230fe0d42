"""Open and verify a customer's connection on both sides."""

import secrets as random_secrets
import uuid
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass
from datetime import timedelta

from django.conf import settings
from django.db import transaction
from django.db.models import QuerySet
from django.db.models.functions import Now
from django.urls import reverse

from connections import audit, secrets
from connections.erp.port import ErpAdapter
from connections.mapping_book import revisions
from connections.mapping_book.revisions import ONLY_COMPANY, Change
from connections.mirror import ramp_side, schedule
from connections.models import (
    Connection,
    Credential,
    Entity,
    MappingKind,
    MappingRevision,
    Mirror,
    PostingProfile,
    WebhookSubscription,
)
from connections.models.connection import every_type
from connections.ramp import events
from connections.ramp.client import RampClient
from connections.ramp.errors import NotFound
from connections.ramp.schemas import AccountingConnection

SETUP = "setup"
"""Who writes mappings while a connection is set up by a program."""

OWN_HEADER = "X-Rampbridge-Webhook"
"""Sent along with every delivery at our request; proves the challenge (contract 10)."""

CHALLENGE_WITHIN = timedelta(minutes=10)
"""Ramp tries for about five minutes to deliver its challenge."""


class SeatTaken(Exception):
    """Another connection holds the business's one active seat. Message and fix are fit to show."""

    def __init__(self, title: str, fix: str = "") -> None:
        super().__init__(title)
        self.fix = fix


class NotVerified(Exception):
    """What Ramp says on reading back is not what was asked for. The message is fit to show."""


class ErpNotReady(Exception):
    """The ERP refuses us. The message is the ERP's title and fix."""


@dataclass(frozen=True, slots=True)
class NewConnection:
    """What an implementer enters to connect a customer."""

    slug: str
    name: str
    time_zone: str
    ramp_client_id: str
    ramp_client_secret: str
    erp_kind: str
    erp_name: str
    erp_settings: dict[str, str]
    provider_name: str = "rampbridge"
    owner: str = ""
    object_types: Sequence[str] = tuple(every_type())
    id: uuid.UUID | None = None
    """Chosen by the form, so that the same form cannot make two."""


@transaction.atomic
def create_connection(new: NewConnection, *, actor: str = SETUP) -> Connection:
    """Keep a new customer with its credentials sealed. Nothing is sent yet.

    :raises IntegrityError: if its id or its slug is in use
    """
    connection = Connection.objects.create(
        id=new.id or uuid.uuid4(),
        slug=new.slug,
        name=new.name,
        time_zone=new.time_zone,
        ramp_provider_name=new.provider_name,
        erp_kind=new.erp_kind,
        erp_name=new.erp_name,
        owner=new.owner,
        object_types=list(new.object_types),
    )
    secrets.keep_credential(
        connection,
        Credential.Side.RAMP,
        {"client_id": new.ramp_client_id, "client_secret": new.ramp_client_secret},
        hint=f"…{new.ramp_client_id[-4:]}",
    )
    change_erp_credential(connection, new.erp_settings)
    audit.record(
        actor, "connection.create", f"Entered {connection.name}.", connection_id=connection.pk
    )
    return connection


def change_erp_credential(connection: Connection, erp_settings: dict[str, str]) -> None:
    """Keep the ERP's address and secrets; those before are gone. The same again changes nothing."""
    with suppress(secrets.NoCredential):  # these are the first ones
        if secrets.credential(connection, Credential.Side.ERP) == erp_settings:
            return
    secrets.keep_credential(
        connection, Credential.Side.ERP, erp_settings, hint=erp_settings.get("login", "")
    )


def take_seat(connection: Connection, ramp: RampClient) -> AccountingConnection:
    """Become the business's accounting connection: adopt our own or create one, and read it back.

    Looks before it creates, for Ramp answers a second creation with the incumbent (C5). Only a live
    one of our name is adopted. A connection by CSV files becomes ours as it is, for Ramp upgrades
    it (contract 3).

    :raises SeatTaken: if another provider's connection is active, naming it
    :raises NotVerified: if the connection, read back, is not ours and live
    """
    seats = ramp.all_connections()
    seat = live_seat(seats)
    is_fresh = seat is None and not any(_is_named(one, connection) for one in seats)
    if seat is None or seat.connection_type == "CSV":
        seat = ramp.create_connection(remote_provider_name=connection.ramp_provider_name)
    if not _is_named(seat, connection) or seat.connection_type == "DIRECT":
        raise seat_taken(connection, seat)
    read_back = ramp.connection(seat.id)
    is_ours = read_back.is_live and _is_named(read_back, connection)
    if not is_ours or read_back.connection_type not in ("", "API"):
        raise NotVerified(f"Ramp does not show {connection.name}'s connection as linked yet.")
    _keep_seat(connection, read_back.id, ramp.business().id, is_fresh=is_fresh)
    return read_back


def seat_taken(connection: Connection, seat: AccountingConnection) -> SeatTaken:
    """What to say of another provider's connection (R-08)."""
    who = seat.remote_provider_name or "Another provider"
    kind = (
        " It is a direct one, which Ramp runs itself." if seat.connection_type == "DIRECT" else ""
    )
    return SeatTaken(
        f"{who} is {connection.name}'s active accounting connection in Ramp.{kind}",
        "Start a migration instead of a fresh connection: the two then change places on a day that"
        " is agreed, and no coding is lost. If nobody uses it, the customer disconnects it in Ramp"
        " under Accounting, Settings, Danger Zone.",
    )


@transaction.atomic
def _keep_seat(
    connection: Connection, seat_id: uuid.UUID, business_id: uuid.UUID, *, is_fresh: bool
) -> None:
    if connection.ramp_connection_id != seat_id:
        ramp_side.start_over(connection.pk, is_empty=is_fresh)
    connection.ramp_business_id = business_id
    connection.ramp_connection_id = seat_id
    connection.save(update_fields=["ramp_business_id", "ramp_connection_id"])


def _is_named(seat: AccountingConnection, connection: Connection) -> bool:
    return seat.remote_provider_name == connection.ramp_provider_name


def live_seat(seats: Sequence[AccountingConnection]) -> AccountingConnection | None:
    """The connection in the active seat of a business, whoever's it is."""
    return next((seat for seat in seats if seat.is_live), None)


def mirror_entities(connection: Connection, ramp: RampClient) -> list[Entity]:
    """Bring our entities up to Ramp's. New ones stay unmapped until somebody maps them."""
    for entity in ramp.entities():
        Entity.objects.update_or_create(
            connection=connection,
            ramp_id=entity.id,
            defaults={
                "name": entity.name,
                "currency": entity.currency,
                "is_primary": entity.is_primary,
            },
        )
    return list(Entity.objects.filter(connection=connection).order_by("-is_primary", "name"))


def map_entity(entity: Entity, *, erp_entity: str = "", actor: str = SETUP) -> None:
    """Say which ERP company an entity is; empty means the ERP's only one.

    :raises BadTarget: if the ERP has no such company
    """
    change = Change(MappingKind.ENTITY, str(entity.ramp_id), erp_entity or ONLY_COMPANY)
    _save(entity.connection, [change], actor=actor)
    entity.refresh_from_db(fields=["erp_entity", "is_mapped"])


def set_posting_profile(
    connection: Connection,
    *,
    card_liability_account: str,
    bank_account: str = "",
    payables_account: str = "",
    reimbursement_account: str = "",
    transfer_bank_account: str = "",
    cashback_account: str = "",
    actor: str = SETUP,
) -> PostingProfile:
    """Say which ERP accounts stand for what Ramp does not code, for all entities; by the ERP's ids.

    What is left empty holds the objects that need it, with words that say which account is missing.

    :raises BadTarget: if one of them is not an account of the ERP that can be it
    """
    accounts = {
        "card_liability_account": card_liability_account,
        "bank_account": bank_account,
        "payables_account": payables_account,
        "reimbursement_account": reimbursement_account,
        "transfer_bank_account": transfer_bank_account,
        "cashback_account": cashback_account,
    }
    changes = [Change(MappingKind.PROFILE, *purpose) for purpose in accounts.items()]
    _save(connection, changes, actor=actor)
    return PostingProfile.objects.get(connection=connection, entity=None)


def _save(connection: Connection, changes: Sequence[Change], *, actor: str) -> None:
    reason = "Set up with the connection."
    revisions.save(
        connection, changes, actor=actor, reason=reason, source=MappingRevision.Source.ONBOARDING
    )


def check_erp(erp: ErpAdapter) -> str:
    """The company behind the ERP credentials.

    :raises ErpNotReady: with what is wrong and what to do
    """
    health = erp.health()
    if health.problem is not None:
        raise ErpNotReady(f"{health.problem.title} {health.problem.fix}")
    return health.company


def ensure_subscribed(connection: Connection, ramp: RampClient) -> WebhookSubscription:
    """Our webhook at the address we are at now, for all events that we want.

    Ramp can change neither, so one that is outdated is replaced. It is taken back only when the
    new one is active, here or as its challenge is answered, so that no event falls between (F-13).
    """
    address = settings.WEBHOOK_BASE_URL.rstrip("/")
    wanted = set(events.wanted(connection.object_types))
    # Asked for in vain: Ramp has given no id, or its challenge was lost with our answer.
    known = _live_subscriptions(connection).exclude(ramp_webhook_id=None)
    known = known.exclude(
        status=WebhookSubscription.Status.PENDING, created_at__lt=Now() - CHALLENGE_WITHIN
    )
    fitting = [one for one in known.filter(base_url=address) if wanted <= set(one.event_types)]
    current = fitting[0] if fitting else subscribe(connection, ramp)
    if current.status == WebhookSubscription.Status.ACTIVE:
        _retire_others(current, ramp)
    return current


def renew_subscription(connection: Connection, ramp: RampClient) -> WebhookSubscription:
    """Put a new webhook in the place of one that no longer tells of everything (R-81). The old one
    is taken back as the new one's challenge is answered, so that no event falls between.
    """
    return subscribe(connection, ramp)


def _live_subscriptions(connection: Connection) -> QuerySet[WebhookSubscription]:
    """Active ones first, then the newest."""
    live = connection.subscriptions.exclude(status=WebhookSubscription.Status.REMOVED)
    return live.order_by("status", "-created_at", "pk")


def _retire_others(current: WebhookSubscription, ramp: RampClient) -> None:
    older = _live_subscriptions(current.connection).filter(created_at__lt=current.created_at)
    for outdated in older:
        unsubscribe(outdated, ramp)


def subscribe(connection: Connection, ramp: RampClient) -> WebhookSubscription:
    """Ask Ramp to ring us. Active once its challenge has come and been answered."""
    address = settings.WEBHOOK_BASE_URL.rstrip("/")
    wanted = events.wanted(connection.object_types)
    subscription = WebhookSubscription.objects.create(
        id=uuid.uuid4(), connection=connection, event_types=wanted, base_url=address
    )
    header = random_secrets.token_urlsafe(32)
    secrets.keep_webhook_header(subscription, header)  # before Ramp can send the challenge
    path = reverse("ramp_webhook", kwargs={"subscription_id": subscription.pk})
    webhook = ramp.create_webhook(
        endpoint_url=address + path,
        event_types=wanted,
        additional_headers={OWN_HEADER: header},
    )
    subscription.ramp_webhook_id = uuid.UUID(webhook.id)
    subscription.save(update_fields=["ramp_webhook_id"])
    if webhook.secret is not None:
        secrets.keep_webhook_secret(subscription, webhook.secret.get_secret_value())
    return subscription


def unsubscribe(subscription: WebhookSubscription, ramp: RampClient) -> None:
    """Take a webhook back. Deliveries of it that are still on their way are kept all the same."""
    if subscription.ramp_webhook_id is not None:
        with suppress(NotFound):  # it is gone already, which is what was wanted
            ramp.delete_webhook(str(subscription.ramp_webhook_id))
    subscription.status = WebhookSubscription.Status.REMOVED
    subscription.save(update_fields=["status"])


def answer_challenge(subscription: WebhookSubscription, ramp: RampClient) -> bool:
    """Verify a subscription whose challenge has come. False if it has not, or all is done."""
    subscription.refresh_from_db()
    if not (subscription.challenge and subscription.ramp_webhook_id):
        return False
    if subscription.status == WebhookSubscription.Status.ACTIVE:
        return False
    ramp.verify_webhook(str(subscription.ramp_webhook_id), challenge=subscription.challenge)
    subscription.status = WebhookSubscription.Status.ACTIVE
    subscription.save(update_fields=["status"])
    _retire_others(subscription, ramp)
    return True


def go_live(connection: Connection) -> None:
    """Let the connection be polled and worked from now on, unless it was closed meanwhile."""
    still_open = Connection.objects.filter(pk=connection.pk).exclude(stage=Connection.Stage.CLOSED)
    Mirror.objects.filter(connection=connection).update(is_being_prepared=False)
    if still_open.update(stage=Connection.Stage.LIVE):
        schedule.verify_soon(connection.pk, actor="")  # Ramp's vendors are read with it, first now
    connection.refresh_from_db(fields=["stage"])
