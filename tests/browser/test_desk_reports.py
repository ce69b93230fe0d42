"""A report to Ramp, a webhook with its headers, and ticks that have left their list look right."""

from uuid import uuid4

from syncing.models import SyncItem, WebhookEvent
from tests.browser.conftest import Arrive
from tests.browser.looks import wrong_with
from tests.factories import (
    LONG_NAME,
    AckBatchFactory,
    ConnectionFactory,
    EntityFactory,
    SyncItemFactory,
    WebhookSubscriptionFactory,
    now,
)


def test_reports_deliveries_and_strays_look_right(arrive: Arrive) -> None:
    connection = ConnectionFactory.create(name=LONG_NAME)
    batch = AckBatchFactory.create(
        connection=connection, state="rejected", size=3, tries=2, problem="7062 " + "x" * 90
    )
    items = [
        SyncItemFactory.create(
            connection=connection, failed=True, ack_batch=batch, label=label, amount_minor=10**9
        )
        for label in ("Uline", LONG_NAME, "Staples")
    ]
    event = WebhookEvent.objects.create(
        event_id=str(uuid4()),
        subscription=WebhookSubscriptionFactory.create(connection=connection),
        connection=connection,
        event_type="transactions.ready_to_sync",
        raw=b"{}",
        headers={"User-Agent": "Ramp/1", "X-Ramp-Signature": "64 characters, not kept"},
        deliveries=2,
        received_at=now(),
    )
    EntityFactory.create(connection=connection, name=LONG_NAME, is_mapped=False)
    EntityFactory.create(connection=connection, erp_entity="C-" + "9" * 90, is_mapped=True)
    visitor = arrive("implementer")
    visitor.go("/items/?state=waiting-for-customer")
    visitor.page.locator("[data-pick]").first.check()
    visitor.page.locator("#bulk-bar", has_text="1 selected").wait_for()
    SyncItem.objects.filter(pk__in=[one.pk for one in items[:2]]).update(
        state="READY", error_category=""
    )

    paths = [
        f"/runs/reports/{batch.pk}/",
        f"/webhooks/{event.pk}/",
        "/items/?state=waiting-for-customer",
        f"/customers/{connection.slug}/entities/",
    ]
    assert wrong_with(visitor, *paths) == []
