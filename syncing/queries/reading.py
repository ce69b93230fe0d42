"""How Ramp is read for one customer: when, by whom, which lists make trouble, do webhooks work."""

import uuid
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from django.db.models import Q

from connections.models import Connection, Entity, WebhookSubscription
from syncing.models import PullCursor, SyncRun
from syncing.queries.words import Look, type_label

RUNS_READ = 10


@dataclass(frozen=True, slots=True)
class ListState:
    """One of Ramp's lists that cannot be read, or that takes several turns."""

    label: str
    entity: str
    problem: str
    pages: int
    began_at: datetime | None
    completed_at: datetime | None


@dataclass(frozen=True, slots=True)
class Webhook:
    """Whether Ramp rings, and whether it rings for everything."""

    look: Look
    last_event_at: datetime | None
    unannounced: int
    """Objects that the last polls brought, and that an event should have announced."""


@dataclass(frozen=True, slots=True)
class Reading:
    """How Ramp is read for one customer."""

    last: SyncRun | None
    """The newest pull, which may be going on."""
    lists: Sequence[ListState]
    webhook: Webhook


def reading(connection: Connection) -> Reading:
    """Three queries, and one more where lists are read entity by entity."""
    runs = list(
        SyncRun.objects.filter(connection=connection).order_by("-started_at", "-pk")[:RUNS_READ]
    )
    return Reading(
        last=runs[0] if runs else None,
        lists=_lists(connection.pk),
        webhook=_webhook(connection.pk, runs),
    )


def _lists(connection_id: uuid.UUID) -> list[ListState]:
    found = list(
        PullCursor.objects.filter(connection_id=connection_id)
        .filter(~Q(problem="") | Q(began_at__isnull=False, pages__gt=0))
        .order_by("object_type", "entity_ramp_id")
    )
    ids = {one.entity_ramp_id for one in found if one.entity_ramp_id}
    entities = Entity.objects.filter(connection_id=connection_id, ramp_id__in=ids) if ids else ()
    names = {entity.ramp_id: entity.name for entity in entities}
    return [
        ListState(
            label=f"{type_label(one.object_type)}s",
            entity=names.get(one.entity_ramp_id, "") if one.entity_ramp_id else "",
            problem=one.problem,
            pages=one.pages,
            began_at=one.began_at,
            completed_at=one.completed_at,
        )
        for one in found
    ]


def _webhook(connection_id: uuid.UUID, runs: Sequence[SyncRun]) -> Webhook:
    subscription = (
        WebhookSubscription.objects.filter(connection_id=connection_id)
        .exclude(status=WebhookSubscription.Status.REMOVED)
        .order_by("-created_at")
        .first()
    )
    polls = [run for run in runs if run.trigger == SyncRun.Trigger.POLL]
    missed = sum(run.unannounced for run in polls)
    return Webhook(
        look=_webhook_look(subscription, missed),
        last_event_at=subscription.last_event_at if subscription else None,
        unannounced=missed,
    )


def _webhook_look(subscription: WebhookSubscription | None, missed: int) -> Look:
    if subscription is None:
        return Look("None", "neutral", "webhook", "New items are found by polls only.")
    if subscription.status != WebhookSubscription.Status.ACTIVE:
        return Look("Not active yet", "retry", "hourglass", "Ramp has not verified it yet.")
    if missed:
        return Look("Misses events", "customer", "webhook", "Polls find what it left out.")
    return Look("Active", "done", "webhook", "Ramp rings as soon as something is ready.")
