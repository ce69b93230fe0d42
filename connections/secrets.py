"""Secrets in and out of their rows. Nothing here is ever shown, logged or sent to a page."""

import json
from collections.abc import Mapping, Sequence
from datetime import datetime

from connections.models import (
    AlertChannel,
    Chore,
    Connection,
    Credential,
    RampToken,
    WebhookSubscription,
)
from rampbridge.lib import encryption
from rampbridge.logs import SECRET_NAME, remember_secrets

Secret = Mapping[str, str]
SealedRow = AlertChannel | Chore | Credential | RampToken | WebhookSubscription
SEALED_COLUMNS: Sequence[tuple[type[SealedRow], str]] = (
    (Credential, "sealed"),
    (Chore, "sealed"),
    (RampToken, "sealed"),
    (WebhookSubscription, "sealed_secret"),
    (WebhookSubscription, "sealed_previous_secret"),
    (WebhookSubscription, "sealed_header"),
    (AlertChannel, "sealed_url"),
)
"""Every place where a secret is kept."""


class NoCredential(Exception):
    """A connection lacks the credentials of one side, or must not use what it has.

    The message is fit to show.
    """


def context_of(row: SealedRow, column: str) -> str:
    """Where a sealed value belongs: it opens nowhere else. Never change what is said here."""
    match row:
        case Chore():
            return encryption.row_context("connections_chore", column, row.pk)
        case Credential():
            place = f"{row.connection_id}:{row.side}"
            return encryption.row_context("connections_credential", column, place)
        case RampToken():
            return encryption.row_context("connections_ramptoken", column, row.connection_id)
        case WebhookSubscription():
            return encryption.row_context("connections_webhooksubscription", column, row.pk)
        case AlertChannel():
            return encryption.row_context("connections_alertchannel", column, row.pk)


def keep_credential(
    connection: Connection, side: Credential.Side, secret: Secret, *, hint: str = ""
) -> None:
    """Seal and store the credentials of one side; the old ones are gone."""
    row = Credential(connection=connection, side=side)
    blob = encryption.seal(json.dumps(dict(secret)).encode(), context=context_of(row, "sealed"))
    Credential.objects.update_or_create(
        connection=connection, side=side, defaults={"sealed": blob, "hint": hint}
    )


def credential_row(connection: Connection, side: Credential.Side) -> Credential | None:
    """The sealed credentials of one side, as they were read with the connection if they were."""
    if connection.known_credentials is not None:
        return connection.known_credentials.get(side)
    return Credential.objects.filter(connection=connection, side=side).first()


def credential(connection: Connection, side: Credential.Side) -> dict[str, str]:
    """The credentials of one side.

    :raises NoCredential: if there are none
    :raises encryption.CannotOpen: if the row was tampered with or its key is gone
    """
    row = credential_row(connection, side)
    if row is None:
        raise NoCredential(f"{connection.name} has no {side.label} credentials yet.")
    opened = encryption.open_sealed(row.sealed, context=context_of(row, "sealed"))
    secret = dict(json.loads(opened))
    remember_secrets(value for name, value in secret.items() if SECRET_NAME.search(name))
    return secret


def sealed_for_later(chore: Chore, secret: Secret) -> bytes:
    """New credentials, to stand in a chore's row until they are checked."""
    text = json.dumps(dict(secret)).encode()
    return encryption.seal(text, context=context_of(chore, "sealed"))


def unproven(chore: Chore) -> dict[str, str]:
    """The new credentials that wait in a chore's row to be checked."""
    opened = encryption.open_sealed(chore.sealed, context=context_of(chore, "sealed"))
    secret = dict(json.loads(opened))
    remember_secrets(value for name, value in secret.items() if SECRET_NAME.search(name))
    return secret


def keep_webhook_secret(subscription: WebhookSubscription, secret: str) -> None:
    """Store the secret that Ramp names only once, when the webhook is created."""
    subscription.sealed_secret = encryption.seal(
        secret.encode(), context=context_of(subscription, "sealed_secret")
    )
    subscription.save(update_fields=["sealed_secret"])


def keep_webhook_header(subscription: WebhookSubscription, value: str) -> None:
    """Store the header value that we ask Ramp to send along with every delivery."""
    subscription.sealed_header = encryption.seal(
        value.encode(), context=context_of(subscription, "sealed_header")
    )
    subscription.save(update_fields=["sealed_header"])


def webhook_secrets(subscription: WebhookSubscription, *, now: datetime) -> list[str]:
    """The secrets a delivery may be signed with: the current one, and the previous for a while."""
    secrets = []
    if subscription.sealed_secret:
        secrets.append(_opened(subscription, "sealed_secret"))
    until = subscription.previous_secret_until
    if subscription.sealed_previous_secret and until is not None and now < until:
        secrets.append(_opened(subscription, "sealed_previous_secret"))
    return secrets


def webhook_header(subscription: WebhookSubscription) -> str:
    """The value of our own header; empty if the subscription has none."""
    return _opened(subscription, "sealed_header") if subscription.sealed_header else ""


def keep_channel_url(channel: AlertChannel, url: str) -> None:
    """Store the address of a webhook that hears of alerts: it opens for whoever holds it."""
    channel.sealed_url = encryption.seal(url.encode(), context=context_of(channel, "sealed_url"))
    channel.save(update_fields=["sealed_url"])


def channel_url(channel: AlertChannel) -> str:
    """The address of a webhook that hears of alerts.

    :raises encryption.CannotOpen: if the row was tampered with or its key is gone
    """
    return _opened(channel, "sealed_url")


def _opened(row: WebhookSubscription | AlertChannel, column: str) -> str:
    blob = getattr(row, column)
    secret = encryption.open_sealed(blob, context=context_of(row, column)).decode()
    remember_secrets([secret])
    return secret
