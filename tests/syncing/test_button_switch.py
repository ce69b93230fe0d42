"""Whether a customer may have the sync button, and switching it in Ramp (R-82, R-85)."""

from collections.abc import Iterator
from datetime import timedelta
from uuid import UUID, uuid4

import pytest
from django.contrib.postgres.functions import TransactionNow

from connections.models import Connection, WebhookSubscription
from connections.services import NotVerified
from syncing import button_switch
from syncing.button_switch import NotAdmitted, may_enable_button, set_sync_button
from syncing.models import Schedule, SyncRequest
from tests.factories import SyncItemFactory
from tests.syncing.ramp import Customer

pytestmark = pytest.mark.django_db

FLAG = "transaction_sync_button_enabled"


@pytest.fixture
def customer(monkeypatch: pytest.MonkeyPatch) -> Iterator[Customer]:
    """A customer whose webhook is active; what subscribing does is tested with it."""
    customer = Customer()
    seat = customer.business.connection
    assert seat is not None
    customer.connection.ramp_connection_id = UUID(seat.id)
    customer.connection.save()
    subscription = WebhookSubscription.objects.create(
        connection=customer.connection,
        status=WebhookSubscription.Status.ACTIVE,
        event_types=["transactions.sync_requested"],
    )
    monkeypatch.setattr(
        "connections.services.ensure_subscribed",
        lambda *_: WebhookSubscription.objects.get(pk=subscription.pk),
    )
    yield customer
    customer.sim.close()


def measured(speed: float | None) -> None:
    Schedule.objects.update(posts_per_second=speed)


def pressed(customer: Customer, *sizes: int) -> None:
    for size in sizes:
        SyncRequest.objects.create(
            connection=customer.connection, sync_request_id=uuid4(), object_type="transaction",
            requested=size, pulled_at=TransactionNow(), state="answered",
            received_at=TransactionNow(), stop_at=TransactionNow(), ends_at=TransactionNow(),
        )  # fmt: skip


def shown(customer: Customer) -> bool:
    seat = customer.connection.ramp_connection_id
    assert seat is not None
    return bool((customer.ramp.connection(seat).settings or {}).get(FLAG))


class TestAdmission:
    def test_needs_a_measurement(self, customer: Customer) -> None:
        verdict = may_enable_button(customer.connection, "transaction")

        assert not verdict.is_admitted
        assert "not measured yet" in verdict.words

    @pytest.mark.parametrize(("size", "fits"), [(300, True), (313, True), (314, False)])
    def test_a_large_press_must_fit_into_four_minutes_even_on_a_bad_day(
        self, customer: Customer, size: int, fits: bool
    ) -> None:
        """5 s to begin, then one and a half times what it takes at two a second."""
        measured(2.0)
        pressed(customer, *[10] * 18, size, size)

        verdict = may_enable_button(customer.connection, "transaction")

        assert verdict.is_admitted is fits
        assert verdict.rows == size
        assert f"{size} transactions" in verdict.words

    def test_one_press_in_a_hundred_may_be_larger(self, customer: Customer) -> None:
        measured(2.0)
        pressed(customer, *[10] * 99, 9000)

        assert may_enable_button(customer.connection, "transaction").rows == 10

    def test_before_the_first_press_a_days_items_count(self, customer: Customer) -> None:
        measured(0.01)
        for _ in range(3):
            SyncItemFactory.create(
                connection=customer.connection, ready_at=TransactionNow() - timedelta(minutes=1),
                state_at=TransactionNow(), seen_ready_at=TransactionNow(),
                snapshot_at=TransactionNow(),
            )  # fmt: skip

        verdict = may_enable_button(customer.connection, "transaction")

        assert verdict.rows == 3
        assert not verdict.is_admitted


class TestSwitch:
    def test_switches_it_in_ramp_and_reads_it_back(self, customer: Customer) -> None:
        measured(10.0)

        verdict = set_sync_button(customer.connection, customer.ramp, "transaction", on=True)

        assert verdict is not None
        assert shown(customer)
        assert set_sync_button(customer.connection, customer.ramp, "transaction", on=False) is None
        assert not shown(customer)

    def test_is_remembered_for_the_pages_by_type(self, customer: Customer) -> None:
        measured(10.0)
        seat = customer.connection.ramp_connection_id
        assert seat is not None
        customer.ramp.update_connection(seat, {"reimbursement_sync_button_enabled": True})

        set_sync_button(customer.connection, customer.ramp, "transaction", on=True)
        assert Connection.objects.get().button_types == ["reimbursement", "transaction"]

        set_sync_button(customer.connection, customer.ramp, "transaction", on=False)
        assert Connection.objects.get().button_types == ["reimbursement"]

    def test_is_refused_in_words_if_it_does_not_fit(self, customer: Customer) -> None:
        measured(0.5)
        pressed(customer, 1000)

        with pytest.raises(NotAdmitted, match=r"takes 0\.5 documents a second"):
            set_sync_button(customer.connection, customer.ramp, "transaction", on=True)

        assert not shown(customer)

    def test_waits_for_the_webhook(self, customer: Customer) -> None:
        """A press that nobody hears is failed by Ramp."""
        measured(10.0)
        WebhookSubscription.objects.update(status=WebhookSubscription.Status.PENDING)

        with pytest.raises(NotVerified, match="not verified the webhook"):
            set_sync_button(customer.connection, customer.ramp, "transaction", on=True)

        assert not shown(customer)

    def test_needs_the_event_in_the_webhook(self, customer: Customer) -> None:
        measured(10.0)
        WebhookSubscription.objects.update(event_types=["transactions.ready_to_sync"])

        with pytest.raises(NotVerified, match=r"does not carry transactions\.sync_requested"):
            set_sync_button(customer.connection, customer.ramp, "transaction", on=True)

    def test_believes_what_ramp_shows(
        self, customer: Customer, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        measured(10.0)
        monkeypatch.setattr(type(customer.ramp), "update_connection", lambda *_: None)

        with pytest.raises(NotVerified, match="does not show it"):
            set_sync_button(customer.connection, customer.ramp, "transaction", on=True)

    def test_needs_no_admission_to_be_switched_off(self, customer: Customer) -> None:
        assert set_sync_button(customer.connection, customer.ramp, "transaction", on=False) is None


@pytest.mark.parametrize(
    ("seconds", "words"), [(4.6, "5 s"), (59.6, "1 min 0 s"), (240.4, "4 min 0 s")]
)
def test_spans_as_people_write_them(seconds: float, words: str) -> None:
    assert button_switch._span(seconds) == words
