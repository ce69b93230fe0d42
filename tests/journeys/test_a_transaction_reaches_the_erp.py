from collections.abc import Callable
from datetime import date

import pytest

from connections.erp.adapters.in_memory import InMemoryErp
from connections.models import Connection
from connections.ramp_simulator.app import Simulator
from connections.ramp_simulator.handles import BusinessHandle
from syncing import tasks
from syncing.engine import RECHECK_SECONDS
from syncing.models import ItemEvent, Schedule, SyncItem, WebhookEvent
from tests.courier import wait_until_delivered
from tests.syncing.world import let_time_pass

pytestmark = pytest.mark.django_db(transaction=True)

Work = Callable[[], None]


def arrived(ramp: Simulator, event_type: str) -> WebhookEvent:
    """The one event of a type, once it is here: the courier may be on its way with it."""
    for _ in range(5_000):
        ramp.deliver_webhooks()
        event = WebhookEvent.objects.filter(event_type=event_type).first()
        if event is not None:
            return event
    raise AssertionError(f"No {event_type} has come.")


def told(business: BusinessHandle, ramp_id: str) -> dict[str, object]:
    return next(row for row in business.ledger() if row["id"] == ramp_id)


class TestATransactionReachesTheErp:
    def test_and_ramp_hears_the_documents_number(
        self, business: BusinessHandle, erp: InMemoryErp, customer: Connection, work: Work
    ) -> None:
        bought = business.create_transaction("18.40", account_code="6300", ready=True)

        work()

        (entry,) = erp.books.entries
        item = SyncItem.objects.get(ramp_id=bought.id)
        assert item.state == "ACKED"
        assert told(business, bought.id)["reference_id"] == entry.number
        assert str(erp.books.balance("6300")) == "18.40"
        assert list(item.events.order_by("id").values_list("kind", flat=True)) == [
            "ready",
            "sent",
            "posted",
            "reported",
        ]

    def test_a_webhook_rings_and_the_poll_does_not_bring_it_twice(
        self, ramp: Simulator, business: BusinessHandle, erp: InMemoryErp, customer: Connection,
        work: Work,
    ) -> None:  # fmt: skip
        work()
        wait_until_delivered(ramp)
        subscription = customer.subscriptions.get()
        assert subscription.challenge, "Ramp has sent its challenge"
        tasks.answer_challenge(subscription_id=str(subscription.pk))
        bought = business.create_transaction("5.00", account_code="6300")

        business.mark_ready(bought.id)
        event = arrived(ramp, "transactions.ready_to_sync")
        work()

        event.refresh_from_db()
        assert event.object_id == bought.id
        assert event.handled_at is not None
        assert SyncItem.objects.get().state == "ACKED"
        assert len(erp.books.entries) == 1

    def test_a_closed_period_is_told_in_words_and_goes_through_once_reopened(
        self, business: BusinessHandle, erp: InMemoryErp, customer: Connection, work: Work
    ) -> None:
        bought = business.create_transaction("18.40", account_code="6300", ready=True)
        erp.books.closed_until = date(2999, 12, 31)

        work()

        item = SyncItem.objects.get()
        assert item.state == "FAILED"
        assert item.error_category == "user_actionable"
        assert "Reopen" in item.error_text
        assert told(business, bought.id)["export_error"] == item.error_text

        erp.books.closed_until = None
        let_time_pass(RECHECK_SECONDS)
        work()

        item.refresh_from_db()
        assert item.state == "ACKED"
        assert told(business, bought.id)["export_error"] is None
        kinds = ItemEvent.objects.filter(item=item).order_by("id").values_list("kind", flat=True)
        assert list(kinds) == [
            "ready",
            "sent",
            "refused",
            "failure_told",
            "released",
            "sent",
            "posted",
            "reported",
        ]

    def test_ramps_echo_of_our_own_report_rings_nobody(
        self,
        ramp: Simulator,
        business: BusinessHandle,
        erp: InMemoryErp,
        customer: Connection,
        work: Work,
    ) -> None:
        work()
        wait_until_delivered(ramp)
        tasks.answer_challenge(subscription_id=str(customer.subscriptions.get().pk))
        business.create_transaction("18.40", account_code="6300", ready=True)
        arrived(ramp, "transactions.ready_to_sync")
        work()

        echo = arrived(ramp, "transactions.synced")

        assert echo.outcome == "our own report"
        assert echo.handled_at is not None
        assert Schedule.objects.get().fetch_due_at is None, "nobody asked for another pull"
