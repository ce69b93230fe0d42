"""Webhook subscriptions, and the events that are owed to them."""

import re
from dataclasses import asdict
from datetime import timedelta
from typing import Any
from urllib.parse import urlsplit

import orjson

from connections.ramp_simulator import bodies, oauth
from connections.ramp_simulator.calls import Call
from connections.ramp_simulator.clock import wire_time
from connections.ramp_simulator.faults import FaultKind
from connections.ramp_simulator.records import Delivery, HeldDelivery, Webhook
from connections.ramp_simulator.replies import (
    ApiError,
    Reply,
    created,
    invalid,
    no_content,
    not_found,
)
from connections.ramp_simulator.world import World

EVENT_TYPES = frozenset(
    f"{subject}.{event}"
    for subject, events in {
        "applications": ("status_updated",),
        "bills": ("approved", "archived", "created", "paid", "ready_to_sync", "rejected"),
        "entities": ("created",),
        "item_receipts": ("created",),
        "payments": ("updated",),
        "purchase_orders": ("archived", "created", "updated"),
        "reimbursements": (
            "batch_payment_reimbursed",
            "ready_for_review",
            "ready_to_sync",
            "sync_requested",
            "synced",
        ),
        "spend_requests": ("comment_created",),
        "tests": ("test_event",),
        "transactions": (
            "all_requirements_met_and_approved_changed",
            "authorized",
            "body_coding_updated",
            "cleared",
            "declined",
            "ready_for_review",
            "ready_to_sync",
            "receipt_added",
            "sync_requested",
            "synced",
        ),
        "unified_requests": (
            "created",
            "external_approval_request",
            "external_approval_request_reset",
            "modified",
            "node_advanced",
            "override_approved",
            "updated",
        ),
        "users": ("invite_accepted",),
        "vendors": ("activated", "updated"),
        "webhooks": ("verification",),
    }.items()
    for event in events
)
VERIFICATION = "webhooks.verification"
_SCOPED = {"bills", "entities", "reimbursements", "transactions", "users", "vendors"}
_RESERVED_HEADER = re.compile(r"host$|user-agent$|x-forwarded|x-real|x-original", re.IGNORECASE)
_LOOPBACK = {"127.0.0.1", "::1", "localhost"}
_REPEATS = 3


def create_webhook(world: World, call: Call) -> Reply:
    """The challenge sets out at once and may arrive before this answer does."""
    body = call.json(bodies.WebhookCreate)
    _check_address(body.endpoint_url)
    _check_headers(body.additional_headers)
    if unknown := [event for event in body.event_types if event not in EVENT_TYPES]:
        raise invalid({"event_types": [f"Not an event type: {', '.join(unknown)}."]})
    for event in body.event_types:
        subject = event.partition(".")[0]
        if subject in _SCOPED and f"{subject}:read" not in call.scopes:
            raise oauth.missing_scope(f"{subject}:read")
    now = world.clock()
    webhook = world.webhooks.put(
        Webhook(
            id=world.ids.uuid(),
            seq=world.ids.rank(),
            business=call.business,
            endpoint_url=body.endpoint_url,
            event_types=body.event_types,
            additional_headers=body.additional_headers,
            secret=world.ids.secret("ramp_sec_"),
            challenge=world.ids.secret("ramp_challenge_", 32),
            status="pending_verification",
            created_at=now,
            updated_at=now,
        )
    )
    _owe_challenge(world, webhook)
    return created(_webhook_json(world, webhook) | {"secret": webhook.secret})


def list_webhooks(world: World, call: Call) -> Reply:
    return Reply(payload=[_webhook_json(world, row) for row in world.webhooks.of(call.business)])


def get_webhook(world: World, call: Call) -> Reply:
    return Reply(payload=_webhook_json(world, _requested(world, call)))


def delete_webhook(world: World, call: Call) -> Reply:
    webhook = _requested(world, call)
    for delivery in list(world.deliveries.of(call.business)):
        if delivery.webhook_id == webhook.id:
            world.deliveries.remove(delivery)
    for held in list(world.held_deliveries.of(call.business)):
        if held.webhook_id == webhook.id:
            world.held_deliveries.remove(held)
    world.webhooks.remove(webhook)
    return no_content()


def verify_webhook(world: World, call: Call) -> Reply:
    webhook = _requested(world, call)
    if call.json(bodies.WebhookVerify).challenge != webhook.challenge:
        raise ApiError(400, "DEVELOPER_7001", "The challenge does not match")
    webhook.status = "active"
    webhook.updated_at = world.clock()
    world.webhooks.put(webhook)
    return Reply(payload={"success": True})


def mock_event(world: World, call: Call) -> Reply:
    body = call.json(bodies.MockEvent)
    if body.event_type not in EVENT_TYPES:
        raise invalid({"event_type": ["Not an event type."]})
    payload = announce(
        world, call.business, body.event_type, str(body.object_id), dict(body.object_metadata)
    )
    return created(payload)


def announce(
    world: World,
    business: str,
    event_type: str,
    object_id: str | None,
    also: dict[str, Any] | None = None,
) -> dict[str, Any]:
    """Owe an event to every active subscription that wants it; says little, as Ramp does."""
    takers = [
        webhook
        for webhook in world.webhooks.of(business)
        if webhook.status == "active" and event_type in webhook.event_types
    ]
    about = ({"id": object_id} if object_id else {}) | (also or {})
    payload = _payload(world, business, event_type) | {"object": about}
    for webhook in takers:
        _owe(world, webhook, event_type, payload)
    return payload


def _owe(world: World, webhook: Webhook, event_type: str, payload: dict[str, Any]) -> None:
    """Queue one event for one subscription, with whatever was ordered to befall it."""

    def strikes(kind: FaultKind) -> bool:
        return world.faults.take(kind, event_type, webhook.business) is not None

    if strikes(FaultKind.WEBHOOK_LOST):
        return
    now = world.clock()
    late = world.faults.take(FaultKind.WEBHOOK_LATE, event_type, webhook.business)
    is_signed_wrong = strikes(FaultKind.WEBHOOK_WRONG_SIGNATURE)
    is_held = strikes(FaultKind.WEBHOOK_OUT_OF_ORDER)
    kind = HeldDelivery if is_held else Delivery
    for _ in range(_REPEATS if strikes(FaultKind.WEBHOOK_REPEATED) else 1):
        delivery = kind(
            id=world.ids.uuid(),
            seq=world.ids.rank(),
            business=webhook.business,
            webhook_id=webhook.id,
            event_type=event_type,
            event_id=payload["id"],
            body=orjson.dumps(payload).decode(),
            due_at=now + timedelta(seconds=late.seconds if late else 0),
            is_signed_wrong=is_signed_wrong,
        )
        if isinstance(delivery, HeldDelivery):
            world.held_deliveries.put(delivery)
        else:
            world.deliveries.put(delivery)
    if not is_held:
        _release_held(world, webhook)
    world.deliveries_owed.set()


def _release_held(world: World, webhook: Webhook) -> None:
    """What was held back goes out behind the event that has just been queued."""
    for held in list(world.held_deliveries.of(webhook.business)):
        if held.webhook_id == webhook.id:
            world.held_deliveries.remove(held)
            now_due = asdict(held) | {"seq": world.ids.rank(), "due_at": world.clock()}
            world.deliveries.put(Delivery(**now_due))


def _owe_challenge(world: World, webhook: Webhook) -> None:
    payload = _payload(world, webhook.business, VERIFICATION)
    payload |= {"challenge": webhook.challenge, "object": {}}
    world.deliveries.put(
        Delivery(
            id=world.ids.uuid(),
            seq=world.ids.rank(),
            business=webhook.business,
            webhook_id=webhook.id,
            event_type=VERIFICATION,
            event_id=None,
            body=orjson.dumps(payload).decode(),
            due_at=world.clock(),
        )
    )
    world.deliveries_owed.set()


def _payload(world: World, business: str, event_type: str) -> dict[str, Any]:
    return {
        "id": world.ids.uuid(),
        "type": event_type,
        "created_at": wire_time(world.clock()),
        "business_id": world.business(business).id,
    }


def _requested(world: World, call: Call) -> Webhook:
    webhook = world.webhooks.get(call.params["webhook_id"], call.business)
    if webhook is None:
        raise not_found("Webhook", call.params["webhook_id"])
    return webhook


def _check_address(url: str) -> None:
    """Only https, as Ramp wants it; plain http is for a client on this very machine."""
    address = urlsplit(url)
    is_local = address.scheme == "http" and address.hostname in _LOOPBACK
    if not address.hostname or not (address.scheme == "https" or is_local):
        raise invalid({"endpoint_url": ["Not a valid HTTPS URL."]})


def _check_headers(headers: dict[str, str]) -> None:
    for name, value in headers.items():
        if len(name) > 100 or len(value) > 1000:
            raise invalid({"additional_headers": ["Name or value is too long."]})
        if _RESERVED_HEADER.match(name):
            raise invalid({"additional_headers": [f"{name} is reserved."]})


def _webhook_json(world: World, webhook: Webhook) -> dict[str, Any]:
    return {
        "id": webhook.id,
        "business_id": world.business(webhook.business).id,
        "endpoint_url": webhook.endpoint_url,
        "event_types": webhook.event_types,
        "additional_headers": webhook.additional_headers,
        "status": webhook.status,
        "created_at": wire_time(webhook.created_at),
        "updated_at": wire_time(webhook.updated_at),
    }
