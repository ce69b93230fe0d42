"""Keep each delivery of Ramp's webhooks once, before it is answered, and ring for it.

Ramp drops an event for good on any 3xx or 4xx, so only a wrong signature is answered with one.
An event is a doorbell: what it speaks of is read again from Ramp.
"""

import hmac
import json
import logging
import uuid
from collections.abc import Mapping
from contextlib import nullcontext
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from django.db import transaction
from django.db.models.functions import Now

from connections import audit, secrets
from connections.models import Connection, WebhookSubscription
from connections.ramp.events import EVENTS, Event, Tells, announces
from rampbridge.lib import failpoints, measures, signing
from syncing import attachments, poll_schedule, subscriptions, sync_requests
from syncing.kinds import LISTS
from syncing.models import SyncItem, WebhookEvent
from syncing.statements import as_json, rows, storable

logger = logging.getLogger(__name__)

LARGEST_BODY = 64 * 1024
DEBOUNCE = timedelta(seconds=2)
CATCH_UP = timedelta(minutes=1)
VERIFICATION = "webhooks.verification"
REFUSALS_BEFORE_CATCH_UP = 3
"""In ten minutes; more of them look like a secret that was changed (fault W7)."""


class BadSignature(Exception):
    """The body was not signed with a secret of this subscription, or speaks of another customer."""


class NotReplayable(Exception):
    """The event cannot be handled once more. The message is fit to show."""


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
    headers: Mapping[str, str] = field(default_factory=dict)
    """Those that are no secret."""


@dataclass(frozen=True, slots=True)
class Kept:
    """What became of a delivery."""

    is_new: bool
    connection_id: uuid.UUID | None = None
    """Whose it is; not told of a challenge or of a stranger's."""
    rings: bool = False
    """Whether it is worth a pull that nobody has rung for yet."""
    asks: bool = False
    """Whether somebody has pressed Ramp's sync button, and waits."""
    challenge: str = ""
    """Set if Ramp asks us to verify the subscription."""


def receive(subscription_id: uuid.UUID, delivery: Delivery, *, now: datetime) -> Kept | None:
    """Store a delivery to an address, see `keep`. None if the address is no webhook's.

    What nearly all deliveries are costs one statement, once the process has seen the address.
    """
    known = subscriptions.remembered(subscription_id)
    kept = _kept_as_remembered(known, delivery, now=now) if known else None
    if kept is not None:
        return kept
    subscription = subscriptions.read(subscription_id)
    if subscription is None:
        return None
    kept = _kept_as_remembered(subscription, delivery, now=now)
    return kept or keep(subscription, delivery, now=now)


def _kept_as_remembered(
    known: WebhookSubscription, delivery: Delivery, *, now: datetime
) -> Kept | None:
    """Store what is signed and may be ready. None if it is anything else, or the row has changed
    since it was read: then somebody has to look closer."""
    if not _is_signed(known, delivery, now=now):
        return None
    event = _parsed(delivery.raw)
    about = EVENTS.get(str(event.get("type")))
    if not event.get("id") or about is None or about.tells is not Tells.READY:
        return None
    if _is_of_another_business(known, event):
        return None
    return _keep_announcement(known, delivery, event, about, now=now)


def keep(subscription: WebhookSubscription, delivery: Delivery, *, now: datetime) -> Kept:
    """Store a delivery and ask for a pull. A repeated event is the same row (faults W1 to W6).

    :raises BadSignature: if it is not from Ramp; after several a pull is planned, in case the
        secret was changed (fault W7)
    :raises UnreadableBody: if it is signed but no event
    """
    signed = _is_signed(subscription, delivery, now=now)
    if not signed and not _carries_our_header(subscription, delivery):
        _refuse(subscription, "Not signed with a secret of this webhook.")
    event = _parsed(delivery.raw)
    if event.get("type") == VERIFICATION:
        return _keep_challenge(subscription, event)
    if not signed:
        _refuse(subscription, "Not signed with a secret of this webhook.")
    if not event.get("id") or not event.get("type"):
        raise UnreadableBody("A signed delivery has neither id nor type.")
    if _is_of_another_business(subscription, event):
        return _keep_foreign(subscription, delivery, event)
    failpoints.hit("before_webhook_insert")
    with transaction.atomic():
        is_new = _insert(subscription, subscription.connection_id, delivery, event)
        asks = is_new and _is_press(subscription, event)
        rings = is_new and not asks and _act_on(subscription, event)
        failpoints.hit("before_webhook_commit")
    failpoints.hit("after_webhook_commit")
    _count(event, "new" if is_new else "duplicate", now=now)
    return Kept(is_new, subscription.connection_id, rings=rings, asks=asks)


def _is_signed(subscription: WebhookSubscription, delivery: Delivery, *, now: datetime) -> bool:
    return signing.is_signed(
        delivery.raw,
        signature=delivery.signature,
        secrets=secrets.webhook_secrets(subscription, now=now),
    )


def _keep_announcement(
    known: WebhookSubscription,
    delivery: Delivery,
    event: Mapping[str, object],
    about: Event,
    *,
    now: datetime,
) -> Kept | None:
    """Keep the event and the wish for a pull at once. None if the subscription is not as known.

    Whoever finds a wish that is due already need not ring: somebody has, or the next sweep does.
    """
    failpoints.hit("before_webhook_insert")
    # One statement needs no transaction, which would be two trips more. To be killed just before it
    # is committed there must be one.
    with transaction.atomic() if failpoints.is_armed() else nullcontext():
        found = rows(
            _KEEP_ANNOUNCEMENT,
            {
                **subscriptions.as_remembered(known),
                **_row_of(known, known.connection_id, delivery, event),
                "types": as_json([about.about]),
                "pause": DEBOUNCE,
            },
        )
        failpoints.hit("before_webhook_commit")
    failpoints.hit("after_webhook_commit")
    for deliveries, was_due, is_due in found:
        is_new = deliveries == 1
        _count(event, "new" if is_new else "duplicate", now=now)
        rings = is_new and bool(is_due) and not was_due
        return Kept(is_new, known.connection_id, rings=rings)
    return None


@transaction.atomic
def replay(event: WebhookEvent, *, actor: str) -> Kept:
    """Handle an event once more, as if it had just come. Nothing is done twice: it only rings.

    :raises NotReplayable: if it was refused, or is of no customer of ours
    """
    if event.event_type == WebhookEvent.REFUSED:
        raise NotReplayable("It was not from Ramp, so nothing of it was kept.")
    if event.connection_id is None or event.subscription is None:
        raise NotReplayable("It is of no customer that we know, so there is nothing to read.")
    parsed = _parsed(bytes(event.raw))
    WebhookEvent.objects.filter(pk=event.pk).update(handled_at=None, outcome="", run=None)
    asks = _is_press(event.subscription, parsed)
    rings = not asks and _act_on(event.subscription, parsed)
    audit.record(
        actor,
        "webhooks.replay",
        f"Replayed {event.event_type}, received {event.received_at:%-d %b %Y %H:%M} UTC.",
        connection_id=event.connection_id,
        subject="webhook",
        subject_id=event.pk,
    )
    return Kept(is_new=False, rings=rings, asks=asks)


def reveal(event: WebhookEvent, *, actor: str) -> None:
    """Note that somebody reads a body with all that is private in it."""
    audit.record(
        actor,
        "webhooks.reveal",
        f"Looked at everything that {event.event_type} said,"
        f" received {event.received_at:%-d %b %Y %H:%M} UTC.",
        connection_id=event.connection_id,
        subject="webhook",
        subject_id=event.pk,
    )


def has_unhandled(connection_id: uuid.UUID, *, since: datetime) -> bool:
    """Whether an event that came after a moment waits for a pull."""
    return WebhookEvent.objects.filter(
        connection_id=connection_id, handled_at__isnull=True, received_at__gt=since
    ).exists()


def announced_types(connection_id: uuid.UUID) -> dict[str, datetime]:
    """The types that our webhooks tell of when something becomes ready, and since when (R-81)."""
    active = WebhookSubscription.objects.filter(
        connection_id=connection_id, status=WebhookSubscription.Status.ACTIVE
    ).order_by("-created_at")
    return {
        kind.object_type: subscription.created_at
        for subscription in active
        for name in announces(subscription.event_types)
        for kind in LISTS[name]
    }


_HEARD = """
    WITH heard AS (
        UPDATE connections_webhooksubscription SET last_event_at = now() WHERE id = %(subscription)s
    )
"""
_INSERT = """
    INSERT INTO syncing_webhookevent (event_id, subscription_id, connection_id, event_type,
        object_id, raw, headers, deliveries, received_at, outcome)
"""
_VALUES = """
    %(event)s, %(subscription)s::uuid, %(connection)s::uuid, %(type)s, %(object)s, %(raw)s::bytea,
    %(headers)s::jsonb, 1, now(), %(outcome)s
"""
_OR_COUNT = """
    ON CONFLICT (event_id) DO UPDATE SET deliveries = syncing_webhookevent.deliveries + 1
"""
_KEEP_ANNOUNCEMENT = f"""
    WITH subscription AS MATERIALIZED (
        SELECT s.id, s.last_event_at, h.fetch_due_at <= now() AS was_due
        FROM connections_webhooksubscription s
        JOIN connections_connection c ON c.id = s.connection_id
        LEFT JOIN syncing_schedule h ON h.connection_id = c.id
        WHERE {subscriptions.IS_AS_REMEMBERED}
    ), heard AS (
        UPDATE connections_webhooksubscription w SET last_event_at = now()
        FROM subscription o WHERE w.id = o.id
          AND (o.last_event_at IS NULL
            OR o.last_event_at < now() - interval '{subscriptions.NOTED_EVERY}')
    ), kept AS (
        {_INSERT} SELECT {_VALUES} FROM subscription {_OR_COUNT} RETURNING deliveries
    ), wished AS (
        UPDATE syncing_schedule s
        SET {poll_schedule.wished(poll_schedule.ONCE_QUIET)}, rung_at = NULL
        WHERE s.connection_id = %(connection)s AND 1 = (SELECT deliveries FROM kept)
        RETURNING s.fetch_due_at <= now() AS is_due
    )
    SELECT k.deliveries, o.was_due, (SELECT is_due FROM wished)
    FROM kept k, subscription o
"""  # noqa: S608  pieces of this program


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


def _refuse(subscription: WebhookSubscription, why: str) -> None:
    """Count it in one row for ten minutes, whoever knocks how often.

    :raises BadSignature: always
    """
    ((times,),) = rows(
        """
        INSERT INTO syncing_webhookevent AS e (event_id, subscription_id, connection_id,
            event_type, object_id, raw, headers, deliveries, received_at, handled_at, outcome)
        SELECT format('%%s:%%s:%%s', %(type)s, %(subscription)s,
                      extract(epoch FROM date_bin('10 minutes', now(), 'epoch'))::bigint),
            %(subscription)s, %(connection)s, %(type)s, '', '', '{}', 1, now(), now(), %(why)s
        ON CONFLICT (event_id) DO UPDATE SET deliveries = e.deliveries + 1, outcome = %(why)s
        RETURNING deliveries
        """,
        {
            "type": WebhookEvent.REFUSED,
            "subscription": subscription.pk,
            "connection": subscription.connection_id,
            "why": why,
        },
    )
    measures.WEBHOOK_EVENTS.add(WebhookEvent.REFUSED, "bad_signature")
    if times > REFUSALS_BEFORE_CATCH_UP:
        poll_schedule.fetch_soon(subscription.connection_id, wait=CATCH_UP)
    raise BadSignature(f"{subscription.pk}: {why}")


def _is_of_another_business(subscription: WebhookSubscription, event: Mapping[str, object]) -> bool:
    ours, theirs = subscription.connection.ramp_business_id, event.get("business_id")
    return bool(ours and theirs) and str(theirs).lower() != str(ours)


def _keep_foreign(
    subscription: WebhookSubscription, delivery: Delivery, event: Mapping[str, object]
) -> Kept:
    """Signed right and yet not this customer's: park it, or refuse it if it is another's of ours.

    :raises BadSignature: for another customer's (fault W8)
    """
    business = str(event["business_id"])[:100]
    logger.error(
        "A webhook speaks of another business than the one it was made for.",
        extra={"subscription": str(subscription.pk), "business": business},
    )
    if _is_customer(business):
        _refuse(subscription, "Signed with this customer's secret, but of another customer.")
    is_new = _insert(
        subscription, None, delivery, event, outcome=f"Of a business we do not know: {business}"
    )
    measures.WEBHOOK_EVENTS.add(_known_type(event), "unknown_business")
    return Kept(is_new=is_new)


def _count(event: Mapping[str, object], result: str, *, now: datetime) -> None:
    measures.WEBHOOK_EVENTS.add(_known_type(event), result)
    try:
        created_at = datetime.fromisoformat(str(event.get("created_at")))
    except ValueError:
        return
    if result == "new" and created_at.tzinfo:
        measures.WEBHOOK_LAG.add((now - created_at).total_seconds())


def _known_type(event: Mapping[str, object]) -> str:
    """Whatever else Ramp may send, figures are kept by the types that we know."""
    name = str(event["type"])
    return name if name in EVENTS else "other"


def _is_customer(business: str) -> bool:
    try:
        return Connection.objects.filter(ramp_business_id=uuid.UUID(business)).exists()
    except ValueError:
        return False


def _insert(
    subscription: WebhookSubscription,
    connection_id: uuid.UUID | None,
    delivery: Delivery,
    event: Mapping[str, object],
    *,
    outcome: str = "",
) -> bool:
    ((deliveries,),) = rows(
        f"{_HEARD} {_INSERT} SELECT {_VALUES} {_OR_COUNT} RETURNING deliveries",
        {**_row_of(subscription, connection_id, delivery, event), "outcome": outcome},
    )
    return bool(deliveries == 1)


def _row_of(
    subscription: WebhookSubscription,
    connection_id: uuid.UUID | None,
    delivery: Delivery,
    event: Mapping[str, object],
) -> dict[str, object]:
    return {
        "event": _event_id(event),
        "subscription": subscription.pk,
        "connection": connection_id,
        "type": storable(str(event["type"]))[:100],
        "object": _object_id(event),
        "raw": delivery.raw,
        "headers": storable(as_json(dict(delivery.headers))),
        "outcome": "",
    }


def _act_on(subscription: WebhookSubscription, event: Mapping[str, object]) -> bool:
    """Do what an event asks for, in its own transaction. Whether it is worth a pull."""
    match EVENTS.get(str(event["type"])):
        case None:
            _mark(event, "Not a type of event that this version knows. Kept.")
            return False
        case Event(Tells.RECEIPT, about):
            _look_for_receipt(subscription, about, event)
            return False
        case Event(Tells.SYNCED, about) if _is_our_own_report(subscription, about, event):
            _mark(event, "our own report")
            return False
        case Event(_, about):
            poll_schedule.fetch_once_quiet(
                subscription.connection_id, types=[about], pause=DEBOUNCE
            )
            return True


def _look_for_receipt(
    subscription: WebhookSubscription, about: str, event: Mapping[str, object]
) -> None:
    """A receipt of an item that we know follows it to its document (F-22)."""
    ramp_id = _ramp_id(event)
    known = ramp_id and attachments.look_again(subscription.connection_id, about, ramp_id)
    _mark(event, "receipt wished for" if known else "of no item that we know")


def _is_press(subscription: WebhookSubscription, event: Mapping[str, object]) -> bool:
    """Whether somebody has pressed the sync button. The press is kept with the event (R-83)."""
    known, about = EVENTS.get(str(event["type"])), event.get("object")
    if known is None or known.tells is not Tells.REQUESTED or not isinstance(about, dict):
        return False
    try:
        sync_request_id = uuid.UUID(str(about.get("sync_request_id")))
    except ValueError:
        return False
    sync_requests.receive(subscription.connection_id, known.about, sync_request_id)
    _mark(event, "sync button")
    return True


def _is_our_own_report(
    subscription: WebhookSubscription, about: str, event: Mapping[str, object]
) -> bool:
    """Whether Ramp only echoes what we have just told it. Then there is nothing to pull.

    An item that somebody else marked as synced is in none of these states.
    """
    ramp_id = _ramp_id(event)
    return (
        ramp_id is not None
        and SyncItem.objects.filter(
            connection_id=subscription.connection_id,
            object_type=about,
            ramp_id=ramp_id,
            state__in=[SyncItem.State.ACKING, SyncItem.State.ACKED],
        ).exists()
    )


def _mark(event: Mapping[str, object], outcome: str) -> None:
    WebhookEvent.objects.filter(event_id=_event_id(event)).update(handled_at=Now(), outcome=outcome)


def _event_id(event: Mapping[str, object]) -> str:
    return storable(str(event["id"]))[:100]


def _object_id(event: Mapping[str, object]) -> str:
    about = event.get("object")
    return storable(str(about.get("id", "")))[:100] if isinstance(about, dict) else ""


def _ramp_id(event: Mapping[str, object]) -> uuid.UUID | None:
    try:
        return uuid.UUID(_object_id(event))
    except ValueError:
        return None
