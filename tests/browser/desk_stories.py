"""A day of runs, webhooks, acts and an incident, as the pages about them show it."""

import json
import uuid
from datetime import timedelta
from typing import Any

from connections import audit
from connections.models import Connection, WebhookSubscription
from syncing.models import (
    AckBatch,
    Incident,
    SyncItem,
    SyncRun,
    WebhookEvent,
)
from tests.factories import (
    LONG_NAME,
    AckBatchFactory,
    ConnectionFactory,
    EntityFactory,
    PauseFactory,
    PullCursorFactory,
    ReconciliationFactory,
    ScheduleFactory,
    SyncItemFactory,
    SyncRequestFactory,
    SyncRunFactory,
    WebhookSubscriptionFactory,
    now,
)

NAMES = (
    ("harbor-coffee", "Harbor Coffee Roasters"),
    ("sakura-foods", "Sakura Foods 株式会社"),
    ("northwind-robotics", "Northwind Robotics"),
    ("pennine-outdoor", "Pennine Outdoor Ltd"),
    ("blue-mesa-solar", "Blue Mesa Solar"),
    ("verde-clinics", "Verde Clinics"),
)


def a_day() -> None:
    """Six customers: pulls of every kind, events of every kind, an incident that goes on."""
    for number, (slug, name) in enumerate(NAMES):
        connection = ConnectionFactory.create(slug=slug, name=name, time_zone="America/Denver")
        ScheduleFactory.create(connection=connection)
        _pulls(connection, number)
        _webhooks(connection, number)
    _incident(list(Connection.objects.order_by("slug")))
    _acts()


def long_names() -> None:
    """The same of one customer with a very long name, whose Ramp is told long words."""
    connection = ConnectionFactory.create(slug="long", name=LONG_NAME)
    ScheduleFactory.create(connection=connection)
    _pulls(connection, 0)
    _webhooks(connection, 2)
    _incident([connection])
    audit.record("maya.okafor", "items.retry", LONG_NAME * 3, connection_id=connection.pk)


def refused_report() -> AckBatch:
    """Ramp refused a report of a customer with two entities; names are as long as they come."""
    connection = ConnectionFactory.create(slug="refused", name=LONG_NAME)
    batch = AckBatchFactory.create(
        connection=connection, state="rejected", size=3, tries=2, problem="7062 " + "x" * 90
    )
    for label in ("Uline", LONG_NAME, "Staples"):
        SyncItemFactory.create(
            connection=connection, failed=True, ack_batch=batch, label=label, amount_minor=10**9
        )
    EntityFactory.create(connection=connection, name=LONG_NAME, is_mapped=False)
    EntityFactory.create(
        connection=connection, erp_entity="C-" + "9" * 90, is_mapped=True, is_primary=False
    )
    return batch


def _pulls(connection: Connection, number: int) -> None:
    began = now() - timedelta(minutes=3 + number)
    for cents in (412_50, 8_999, 120_000):
        SyncItemFactory.create(
            connection=connection,
            amount_minor=cents,
            arrived_by="webhook",
            ready_at=began + timedelta(seconds=1),
            label="Figma" if number else LONG_NAME,
        )
    SyncRunFactory.create(
        connection=connection,
        trigger="webhook",
        started_at=began,
        finished_at=began + timedelta(seconds=2.4),
        pages=1,
        seen=14,
        new=3,
        calls=3,
    )
    SyncRunFactory.create(
        connection=connection,
        trigger="manual",
        actor="maya.okafor",
        started_at=began - timedelta(minutes=20),
        finished_at=began - timedelta(minutes=19, seconds=12),
        pages=12,
        seen=1184,
        changed=4,
        unannounced=2,
        calls=19,
        throttled_ms=9_400,
        problem="Bills: Ramp does not let us read bills: the scope bills:read is missing.",
        trace_id="5c1de0c4a6",
    )
    ReconciliationFactory.create(connection=connection)
    SyncRequestFactory.create(connection=connection, partial=True)
    _report(connection)
    if number == 0:
        _running(connection)


def _running(connection: Connection) -> None:
    began = now() - timedelta(seconds=40)
    SyncRunFactory.create(
        connection=connection, started_at=began, finished_at=None, pages=7, seen=700, calls=9
    )
    PullCursorFactory.create(
        connection=connection,
        object_type="transaction",
        problem="",
        began_at=began + timedelta(seconds=1),
        pages=7,
    )


def _report(connection: Connection) -> None:
    made = now() - timedelta(minutes=2)
    AckBatch.objects.create(
        connection=connection,
        sync_type="TRANSACTION_SYNC",
        outcome=AckBatch.Outcome.SUCCESS,
        state=AckBatch.State.ACCEPTED,
        key=uuid.uuid4(),
        body=b"{}",
        size=31,
        tries=1,
        created_at=made,
        due_at=made,
        closed_at=made + timedelta(seconds=1),
    )


def _webhooks(connection: Connection, number: int) -> None:
    hook = WebhookSubscriptionFactory.create(connection=connection)
    run = SyncRun.objects.filter(connection=connection, trigger="webhook").get()
    item = SyncItem.objects.filter(connection=connection).first()
    about = str(item.ramp_id) if item else ""
    event(hook, object_id=about, run=run, outcome="pulled, 3 new", handled=840, deliveries=number)
    event(hook, event_type="bills.approved")
    if number == 2:
        event(hook, event_type="refused", raw=b"", handled=0, deliveries=412,
              outcome="Not signed with a secret of this webhook.")  # fmt: skip
        event(hook, connection=None, outcome="Of a business we do not know.")


def event(
    hook: WebhookSubscription, *, handled: int | None = None, deliveries: int = 1, **changes: Any
) -> WebhookEvent:
    """An event of two minutes ago; `handled` is after how many milliseconds."""
    at = now() - timedelta(minutes=2)
    type_ = changes.pop("event_type", "transactions.ready_to_sync")
    about = changes.pop("object_id", str(uuid.uuid4()))
    body = {
        "id": str(uuid.uuid4()),
        "type": type_,
        "business_id": str(hook.connection.ramp_business_id),
        "object": {"id": about, "card_holder_email": "ada@example.com"},
    }
    values: dict[str, Any] = {
        "event_id": body["id"],
        "subscription": hook,
        "connection": hook.connection,
        "event_type": type_,
        "object_id": about,
        "raw": json.dumps(body).encode(),
        "received_at": at,
        "deliveries": max(deliveries, 1),
        "handled_at": None if handled is None else at + timedelta(milliseconds=handled),
    }
    return WebhookEvent.objects.create(**values | changes)


def _incident(connections: list[Connection]) -> None:
    going_on = Incident.objects.create(
        erp_kind="tryton",
        erp_name="Tryton",
        fingerprint="a" * 32,
        title="Tryton does not answer.",
        opened_at=now() - timedelta(minutes=24),
        customers=len(connections),
    )
    Incident.objects.create(
        erp_kind="tryton",
        erp_name="Tryton",
        fingerprint="b" * 32,
        title="Tryton refuses the tax of every line.",
        opened_at=now() - timedelta(days=3),
        customers=9,
        ended_at=now() - timedelta(days=3) + timedelta(minutes=52),
        ended_because="One item of Verde Clinics went through.",
    )
    for number, connection in enumerate(connections):
        PauseFactory.create(
            connection=connection,
            object_type="",
            is_automatic=True,
            paused_by="",
            paused_at=now() - timedelta(minutes=24 - number),
            incident=going_on,
            canaries=1 if number < 4 else 0,
            canary_due_at=now() + timedelta(minutes=3) if number == 4 % len(connections) else None,
            reason="Many customers of Tryton have the same trouble: Tryton does not answer.",
        )


def _acts() -> None:
    for number, (slug, _) in enumerate(NAMES):
        connection = Connection.objects.get(slug=slug)
        audit.record(
            "maya.okafor", "items.retry", f"Retried 3{number} items.", connection_id=connection.pk
        )
        audit.record(
            "hannah", "posting.pause", "Paused bill: the controller audits the year.",
            connection_id=connection.pk,
        )  # fmt: skip
        connection.owner = "hannah"
        connection.save(update_fields=["owner"])
    audit.record("rampbridge", "incident.open", "6 customers of Tryton pause.",
                 subject="incident", subject_id=Incident.objects.order_by("pk")[0].pk)  # fmt: skip
