"""The webhook inbox: each event as it came, what became of it, and how each webhook does."""

import uuid
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from django.db.models import Q

from connections.models import WebhookSubscription
from connections.ramp.events import EVENTS
from rampbridge.lib.keyset import Cursor, KeysetPage, keyset_page
from syncing.models import SyncItem, WebhookEvent
from syncing.queries.words import Look, type_label
from syncing.statements import rows

PAGE_SIZE = 50
SHOWN = 10
"""Webhooks whose health is shown at once."""
LATELY = timedelta(days=1)
UNHANDLED, REFUSED_ONLY, REPEATED, UNKNOWN = "unhandled", "refused", "repeated", "unknown"
ONLY: Mapping[str, str] = {
    UNHANDLED: "Not handled yet",
    REFUSED_ONLY: "Refused",
    REPEATED: "Delivered more than once",
    UNKNOWN: "Of nobody we know",
}
_WHERE: Mapping[str, Q] = {
    UNHANDLED: Q(handled_at=None, connection__isnull=False),
    REFUSED_ONLY: Q(event_type=WebhookEvent.REFUSED),
    REPEATED: Q(deliveries__gt=1) & ~Q(event_type=WebhookEvent.REFUSED),
    UNKNOWN: Q(connection=None),
}
TYPES = tuple(sorted(EVENTS))
_VERIFIED = Look("Signed", "done", "badge-check", "Signed with the secret of this webhook.")
_REFUSED = Look("Refused", "person", "shield-alert", "Not from Ramp, or the secret is wrong.")
_FOREIGN = Look(
    "Of nobody", "customer", "circle-help", "Signed, of a business that we do not know."
)


@dataclass(frozen=True, slots=True)
class Row:
    """One event, in words."""

    event: WebhookEvent
    item: SyncItem | None = None

    @property
    def is_refused(self) -> bool:
        return self.event.event_type == WebhookEvent.REFUSED

    @property
    def verified(self) -> Look:
        """What the check of the signature said."""
        if self.is_refused:
            return _REFUSED
        return _VERIFIED if self.event.connection_id else _FOREIGN

    @property
    def title(self) -> str:
        return "Not from Ramp" if self.is_refused else self.event.event_type

    @property
    def took_ms(self) -> int | None:
        """Milliseconds from its arrival until what it spoke of was read from Ramp."""
        if self.event.handled_at is None or self.is_refused:
            return None
        took = self.event.handled_at - self.event.received_at
        return max(round(took.total_seconds() * 1000), 0)

    @property
    def type_label(self) -> str:
        known = EVENTS.get(self.event.event_type)
        return type_label(known.about) if known else ""


@dataclass(frozen=True, slots=True)
class Health:
    """How one webhook does."""

    subscription_id: uuid.UUID
    status: str
    customer: str
    slug: str
    last_event_at: datetime | None
    refused: int
    refused_since: datetime | None
    missed: int
    """Objects that the last polls brought, and that an event should have announced."""
    is_missing: bool
    """The last two polls both found some: it is replaced by itself, once a day at most."""

    @property
    def look(self) -> Look:
        if self.refused:
            return Look("Refuses deliveries", "person", "shield-alert")
        if self.is_missing:
            return Look("Misses events", "customer", "triangle-alert")
        if self.status == WebhookSubscription.Status.ACTIVE:
            return Look("Active", "done", "webhook")
        return Look("Not active yet", "retry", "hourglass")


def page_of_events(
    *,
    connection_id: uuid.UUID | None = None,
    event_type: str = "",
    only: str = "",
    after: Cursor | None = None,
) -> tuple[KeysetPage[WebhookEvent], list[Row]]:
    """A page of events, the newest first, and their rows. Two queries."""
    found = WebhookEvent.objects.defer("raw").select_related("connection", "run")
    if connection_id:
        found = found.filter(connection_id=connection_id)
    if event_type:
        found = found.filter(event_type=event_type)
    if only:
        found = found.filter(_WHERE[only])
    page = keyset_page(found, field="received_at", after=after, size=PAGE_SIZE, newest_first=True)
    items = _items_of(page.rows)
    return page, [Row(event, items.get(_about(event))) for event in page.rows]


def event(pk: int) -> Row:
    """One event with its body, and the item that it speaks of.

    :raises WebhookEvent.DoesNotExist: if there is none
    """
    found = WebhookEvent.objects.select_related("connection", "run", "subscription").get(pk=pk)
    return Row(found, _items_of([found]).get(_about(found)))


def health(*, connection_id: uuid.UUID | None, now: datetime) -> list[Health]:
    """Each webhook of a customer; without one those that somebody should look at. One query."""
    found = rows(
        _HEALTH,
        {
            "connection": connection_id,
            "since": now - LATELY,
            "refused": WebhookEvent.REFUSED,
            "most": SHOWN,
        },
    )
    return [Health(*row) for row in found]


def _about(event: WebhookEvent) -> tuple[uuid.UUID | None, str]:
    return event.connection_id, event.object_id.lower()


def _items_of(events: Sequence[WebhookEvent]) -> dict[tuple[uuid.UUID | None, str], SyncItem]:
    ids = {parsed for one in events if (parsed := _as_uuid(one.object_id))}
    if not ids:
        return {}
    known = SyncItem.objects.filter(ramp_id__in=ids).order_by("-phase")
    return {(item.connection_id, str(item.ramp_id)): item for item in known}


def _as_uuid(text: str) -> uuid.UUID | None:
    try:
        return uuid.UUID(text)
    except ValueError:
        return None


_HEALTH = """
    WITH refusals AS (
        SELECT subscription_id, sum(deliveries) AS refused, min(received_at) AS since
        FROM syncing_webhookevent
        WHERE event_type = %(refused)s AND received_at > %(since)s
        GROUP BY subscription_id
    ), shown AS (
        SELECT s.id, s.status, c.name, c.slug, s.last_event_at, s.connection_id,
            coalesce(r.refused, 0) AS refused, r.since
        FROM connections_webhooksubscription s
        JOIN connections_connection c ON c.id = s.connection_id
        LEFT JOIN refusals r ON r.subscription_id = s.id
        WHERE s.status <> 'removed' AND c.stage <> 'closed'
          AND CASE WHEN %(connection)s::uuid IS NULL
              THEN r.refused IS NOT NULL OR s.status = 'pending'
              ELSE s.connection_id = %(connection)s END
        ORDER BY r.refused DESC NULLS LAST, s.created_at DESC LIMIT %(most)s
    )
    SELECT s.id, s.status, s.name, s.slug, s.last_event_at, s.refused::bigint, s.since,
        coalesce(p.missed, 0)::bigint, coalesce(p.is_missing, false)
    FROM shown s LEFT JOIN LATERAL (
        SELECT sum(unannounced) AS missed,
               count(*) >= 2 AND bool_and(unannounced > 0) FILTER (WHERE place <= 2) AS is_missing
        FROM (
            SELECT unannounced, row_number() OVER (ORDER BY started_at DESC) AS place
            FROM syncing_syncrun
            WHERE connection_id = s.connection_id AND trigger = 'poll' AND finished_at IS NOT NULL
            ORDER BY started_at DESC LIMIT 10
        ) polls
    ) p ON true
    ORDER BY s.refused DESC, s.name
"""
