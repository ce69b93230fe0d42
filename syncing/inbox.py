"""Keep each delivery of Ramp's webhooks once, before it is answered, and ring for it.

Ramp drops an event for good on any 3xx or 4xx, so only a wrong signature is answered with one.
An event is a doorbell: what it speaks of is read again from Ramp.
"""

import hmac
import json
import uuid
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta

from django.db import connection as database
from django.db import transaction
from django.db.models.functions import Now

from connections import secrets
from connections.models import WebhookSubscription
from rampbridge.lib import failpoints, signing
from syncing import schedule
from syncing.models import SyncItem, WebhookEvent
from syncing.statements import execute

LARGEST_BODY = 64 * 1024
DEBOUNCE = timedelta(seconds=2)
CATCH_UP = timedelta(minutes=1)
VERIFICATION = "webhooks.verification"
SYNCED = "transactions.synced"


class BadSignature(Exception):
    """The body was not signed with a secret of this subscription."""


class UnreadableBody(Exception):
    """Signed, and yet not an event: neither id nor type."""


@dataclass(frozen=True, slots=True)
class Delivery:
    """One HTTP delivery as it came."""

    raw: bytes
    signature: str | None
    """Of either header that Ramp's documents name (contract C13)."""
    own_header: str
    """The value of our own additional header, which proves a challenge."""


@dataclass(frozen=True, slots=True)
class Kept:
    """What became of a delivery."""

    is_new: bool
    rings: bool = False
    """Whether it is worth a pull."""
    challenge: str = ""
    """Set if Ramp asks us to verify the subscription."""


def keep(subscription: WebhookSubscription, delivery: Delivery, *, now: datetime) -> Kept:
    """Store a delivery and ask for a pull. A repeated event is the same row (faults W1 to W5).

    :raises BadSignature: if it is not from Ramp; a pull is planned, in case the secret was rotated
    :raises UnreadableBody: if it is signed but no event
    """
    signed = signing.is_signed(
        delivery.raw,
        signature=delivery.signature,
        secrets=secrets.webhook_secrets(subscription, now=now),
    )
    if not signed and not _carries_our_header(subscription, delivery):
        schedule.fetch_soon(subscription.connection_id, wait=CATCH_UP)
        raise BadSignature(str(subscription.pk))
    event = _parsed(delivery.raw)
    if event.get("type") == VERIFICATION:
        return _keep_challenge(subscription, event)
    if not signed:
        raise BadSignature(str(subscription.pk))
    if not event.get("id") or not event.get("type"):
        raise UnreadableBody("A signed delivery has neither id nor type.")
    failpoints.hit("before_webhook_insert")
    with transaction.atomic():
        is_new = _insert(subscription, delivery.raw, event)
        rings = is_new and not _is_our_own_report(subscription, event)
        if rings:
            _ring(subscription.connection_id)
        failpoints.hit("before_webhook_commit")
    failpoints.hit("after_webhook_commit")
    return Kept(is_new=is_new, rings=rings)


def mark_handled(connection_id: uuid.UUID, *, until: datetime, outcome: str) -> int:
    """A pull that began at `until` answered every event received before. Returns how many."""
    return WebhookEvent.objects.filter(
        connection_id=connection_id, handled_at__isnull=True, received_at__lte=until
    ).update(handled_at=until, outcome=outcome)


def has_unhandled(connection_id: uuid.UUID) -> bool:
    """Whether an event of the connection waits for a pull."""
    return WebhookEvent.objects.filter(
        connection_id=connection_id, handled_at__isnull=True
    ).exists()


def _parsed(raw: bytes) -> dict[str, object]:
    try:
        event = json.loads(raw)
    except (ValueError, RecursionError) as error:
        raise UnreadableBody("The body is not JSON.") from error
    if not isinstance(event, dict):
        raise UnreadableBody("The body is not a JSON object.")
    return event


def _carries_our_header(subscription: WebhookSubscription, delivery: Delivery) -> bool:
    """A challenge may come before the secret does, so our own header value is its proof."""
    expected = secrets.webhook_header(subscription)
    given = delivery.own_header.encode("utf-8", "replace")
    return bool(expected) and hmac.compare_digest(given, expected.encode())


def _keep_challenge(subscription: WebhookSubscription, event: dict[str, object]) -> Kept:
    challenge = str(event.get("challenge", ""))[:200]
    WebhookSubscription.objects.filter(pk=subscription.pk).update(challenge=challenge)
    return Kept(is_new=True, challenge=challenge)


def _insert(subscription: WebhookSubscription, raw: bytes, event: Mapping[str, object]) -> bool:
    with database.cursor() as cursor:
        cursor.execute(
            """
            INSERT INTO syncing_webhookevent (event_id, subscription_id, connection_id, event_type,
                object_id, raw, deliveries, received_at, outcome)
            VALUES (%s, %s, %s, %s, %s, %s, 1, now(), '')
            ON CONFLICT (event_id) DO UPDATE SET deliveries = syncing_webhookevent.deliveries + 1
            RETURNING deliveries
            """,
            [
                _event_id(event),
                subscription.pk,
                subscription.connection_id,
                str(event["type"])[:100],
                _object_id(event),
                raw,
            ],
        )
        (deliveries,) = cursor.fetchone()
        cursor.execute(
            "UPDATE connections_webhooksubscription SET last_event_at = now() WHERE id = %s",
            [subscription.pk],
        )
    return bool(deliveries == 1)


def _event_id(event: Mapping[str, object]) -> str:
    return str(event["id"])[:100]


def _object_id(event: Mapping[str, object]) -> str:
    about = event.get("object")
    return str(about.get("id", ""))[:100] if isinstance(about, dict) else ""


def _is_our_own_report(subscription: WebhookSubscription, event: Mapping[str, object]) -> bool:
    """Whether Ramp only echoes what we have just told it. Then there is nothing to pull.

    An item that somebody else marked as synced is in none of these states.
    """
    if event["type"] != SYNCED:
        return False
    try:
        ramp_id = uuid.UUID(_object_id(event))
    except ValueError:
        return False
    ours = SyncItem.objects.filter(
        connection_id=subscription.connection_id,
        ramp_id=ramp_id,
        state__in=[SyncItem.State.ACKING, SyncItem.State.ACKED],
    )
    if not ours.exists():
        return False
    WebhookEvent.objects.filter(event_id=_event_id(event)).update(
        handled_at=Now(), outcome="our own report"
    )
    return True


def _ring(connection_id: uuid.UUID) -> None:
    """Ask for a pull at once if the connection was quiet, else once per window (fault W10)."""
    execute(
        """
        UPDATE syncing_schedule
        SET rung_at = NULL, fetch_due_at = least(
                fetch_due_at, greatest(now(), last_pull_started_at + %s))
        WHERE connection_id = %s
        """,
        [DEBOUNCE, connection_id],
    )
