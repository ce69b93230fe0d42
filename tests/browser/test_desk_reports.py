"""A report to Ramp, a webhook with its headers, and ticks that have left their list look right."""

from uuid import uuid4

from syncing.models import SyncItem, WebhookEvent
from tests.browser.conftest import Arrive
from tests.browser.desk_stories import refused_report
from tests.browser.looks import wrong_with
from tests.factories import WebhookSubscriptionFactory, now


def test_reports_deliveries_and_strays_look_right(arrive: Arrive) -> None:
    batch = refused_report()
    connection = batch.connection
    items = SyncItem.objects.order_by("pk")
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
