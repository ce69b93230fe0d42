from collections.abc import Iterator

import pytest
from django.db import IntegrityError
from django.db.models.functions import Now
from pytest_django import Settings

from connections import secrets, services
from connections.erp.adapters.in_memory import InMemoryErp
from connections.erp.errors import Code, ErpError
from connections.mirror import schedule
from connections.models import Connection, Credential, Mirror, WebhookSubscription
from connections.ramp.client import RampClient
from connections.ramp.errors import RampUnreachable
from connections.ramp_simulator.app import Simulator
from rampbridge.lib.encryption import CannotOpen
from tests.connections.world import client_of, new_connection, simulator

pytestmark = pytest.mark.django_db


@pytest.fixture
def sim() -> Iterator[Simulator]:
    with simulator() as running:
        yield running


class TestTakeSeat:
    def test_creates_the_connection_and_reads_it_back(self, sim: Simulator) -> None:
        business = sim.business("harbor-coffee")
        connection = new_connection()

        seat = services.take_seat(connection, client_of(sim, business))

        connection.refresh_from_db()
        assert business.connection is not None
        assert str(connection.ramp_connection_id) == business.connection.id
        assert str(connection.ramp_business_id) == business.id
        assert seat.is_live

    def test_adopts_its_own_live_connection_instead_of_making_another(self, sim: Simulator) -> None:
        client = client_of(sim, sim.business("harbor-coffee"))
        connection = new_connection()
        first = services.take_seat(connection, client)

        assert services.take_seat(connection, client).id == first.id
        assert sim.calls["POST /accounting/connection"] == 1

    def test_refuses_a_seat_that_another_provider_holds(self, sim: Simulator) -> None:
        business = sim.business("harbor-coffee")
        business.occupy_seat("QuickBooks Online", "DIRECT")
        connection = new_connection()

        with pytest.raises(services.SeatTaken, match="QuickBooks Online is Harbor Coffee"):
            services.take_seat(connection, client_of(sim, business))

        connection.refresh_from_db()
        assert connection.ramp_connection_id is None
        assert sim.calls["POST /accounting/connection"] == 0


class TestMirrorEntities:
    def test_new_entities_wait_for_somebody_to_map_them(self, sim: Simulator) -> None:
        connection = new_connection()
        client = client_of(sim, sim.business("northwind-robotics"))

        entities = services.mirror_entities(connection, client)

        assert len(entities) == 2
        assert not any(entity.is_mapped for entity in entities)

    def test_keeps_a_mapping_when_ramp_renames_an_entity(self, sim: Simulator) -> None:
        connection = new_connection()
        client = client_of(sim, sim.business("northwind-robotics"))
        first = services.mirror_entities(connection, client)[0]
        services.map_entity(first, erp_entity="7")

        again = services.mirror_entities(connection, client)[0]

        assert (again.erp_entity, again.is_mapped) == ("7", True)


class TestSubscribe:
    def test_keeps_ramps_secret_and_its_own_header_sealed(
        self, sim: Simulator, settings: Settings
    ) -> None:
        settings.WEBHOOK_BASE_URL = "https://bridge.example"
        connection = new_connection()

        subscription = services.subscribe(connection, client_of(sim, sim.business("harbor-coffee")))

        subscription.refresh_from_db()
        assert subscription.status == WebhookSubscription.Status.PENDING
        assert subscription.ramp_webhook_id is not None
        assert secrets.webhook_header(subscription)
        assert b"ramp_sec_" not in bytes(subscription.sealed_secret)

    def test_a_webhook_at_another_address_goes_when_the_new_one_stands(
        self, sim: Simulator, settings: Settings
    ) -> None:
        """F-13: no event falls between the two."""
        connection = new_connection()
        client = client_of(sim, sim.business("harbor-coffee"))
        settings.WEBHOOK_BASE_URL = "https://old.example"
        first = services.ensure_subscribed(connection, client)
        activate(sim, first, client)
        settings.WEBHOOK_BASE_URL = "https://new.example"

        second = services.ensure_subscribed(connection, client)

        first.refresh_from_db()
        assert first.status == WebhookSubscription.Status.ACTIVE, "the new one is not active yet"
        activate(sim, second, client)
        first.refresh_from_db()
        assert first.status == WebhookSubscription.Status.REMOVED
        (webhook,) = client.webhooks()
        assert webhook.endpoint_url.startswith("https://new.example/")
        assert services.ensure_subscribed(connection, client).pk == second.pk

    def test_one_whose_challenge_was_lost_is_asked_for_anew(
        self, sim: Simulator, settings: Settings
    ) -> None:
        settings.WEBHOOK_BASE_URL = "https://bridge.example"
        connection = new_connection()
        client = client_of(sim, sim.business("harbor-coffee"))
        first = services.ensure_subscribed(connection, client)
        first.created_at -= services.CHALLENGE_WITHIN
        first.save()

        assert services.ensure_subscribed(connection, client).pk != first.pk

    def test_is_asked_for_again_where_ramp_did_not_make_it(
        self, sim: Simulator, settings: Settings
    ) -> None:
        settings.WEBHOOK_BASE_URL = "https://bridge.example"
        connection = new_connection()
        client = client_of(sim, sim.business("harbor-coffee"))
        sim.fault("answer", "POST /webhooks", status=500)
        with pytest.raises(RampUnreachable):
            services.ensure_subscribed(connection, client)

        made = services.ensure_subscribed(connection, client)

        activate(sim, made, client)
        assert len(client.webhooks()) == 1
        live = connection.subscriptions.exclude(status=WebhookSubscription.Status.REMOVED)
        assert [one.pk for one in live] == [made.pk]

    def test_asks_for_the_events_of_what_is_switched_on(
        self, sim: Simulator, settings: Settings
    ) -> None:
        settings.WEBHOOK_BASE_URL = "https://bridge.example"
        client = client_of(sim, sim.business("harbor-coffee"))
        connection = new_connection(object_types=["transaction"])

        services.ensure_subscribed(connection, client)

        (webhook,) = client.webhooks()
        assert set(webhook.event_types) == {
            "transactions.ready_to_sync",
            "transactions.sync_requested",
            "transactions.synced",
            "transactions.receipt_added",
        }

    def test_a_webhook_that_lacks_events_is_replaced(
        self, sim: Simulator, settings: Settings
    ) -> None:
        settings.WEBHOOK_BASE_URL = "https://bridge.example"
        client = client_of(sim, sim.business("harbor-coffee"))
        connection = new_connection(object_types=["transaction"])
        narrow = services.ensure_subscribed(connection, client)
        activate(sim, narrow, client)
        connection.object_types = ["transaction", "bill"]

        wide = services.ensure_subscribed(connection, client)
        activate(sim, wide, client)

        assert wide.pk != narrow.pk
        assert "bills.ready_to_sync" in wide.event_types
        narrow.refresh_from_db()
        assert narrow.status == WebhookSubscription.Status.REMOVED


def activate(sim: Simulator, subscription: WebhookSubscription, client: RampClient) -> None:
    """Its challenge has come, and is answered."""
    (challenge,) = (
        row.challenge
        for row in sim.world.webhooks.of("harbor-coffee")
        if row.id == str(subscription.ramp_webhook_id)
    )
    WebhookSubscription.objects.filter(pk=subscription.pk).update(challenge=challenge)
    assert services.answer_challenge(subscription, client)


class TestCredentials:
    def test_come_back_as_they_were_kept(self) -> None:
        connection = new_connection()
        secrets.keep_credential(connection, Credential.Side.ERP, {"password": "s3cret"})

        assert secrets.credential(connection, Credential.Side.ERP) == {"password": "s3cret"}

    def test_stand_in_the_database_only_sealed(self) -> None:
        connection = new_connection()
        secrets.keep_credential(connection, Credential.Side.ERP, {"password": "s3cret"})

        assert b"s3cret" not in bytes(Credential.objects.get().sealed)

    def test_do_not_open_in_another_customers_row(self) -> None:
        one, other = new_connection(), new_connection()
        for connection in (one, other):
            secrets.keep_credential(connection, Credential.Side.ERP, {"password": "s3cret"})
        stolen = Credential.objects.get(connection=one).sealed
        Credential.objects.filter(connection=other).update(sealed=stolen)

        with pytest.raises(CannotOpen):
            secrets.credential(other, Credential.Side.ERP)

    def test_say_which_side_is_missing(self) -> None:
        connection = new_connection()

        with pytest.raises(secrets.NoCredential, match="Harbor Coffee Roasters has no ERP"):
            secrets.credential(connection, Credential.Side.ERP)


class TestCheckErp:
    def test_names_the_company(self) -> None:
        assert services.check_erp(InMemoryErp()) == "Ledger"

    def test_says_what_is_wrong_and_what_to_do(self) -> None:
        erp = InMemoryErp()
        erp.faults.refuse_with = ErpError(Code.AUTH_EXPIRED, "Login refused.", "Connect again.")

        with pytest.raises(services.ErpNotReady, match=r"Login refused\. Connect again\."):
            services.check_erp(erp)


class TestOneOpenConnectionPerBusiness:
    def test_is_held_by_the_database(self, sim: Simulator) -> None:
        client = client_of(sim, sim.business("harbor-coffee"))
        services.take_seat(new_connection(), client)

        with pytest.raises(IntegrityError, match="one_open_connection_per_business"):
            services.take_seat(new_connection(stage=Connection.Stage.PAUSED), client)


class TestGoLive:
    def test_has_ramps_own_side_read_at_once(self) -> None:
        connection = new_connection()
        schedule.ensure(connection)

        services.go_live(connection)

        assert Mirror.objects.filter(pk=connection.pk, verify_due_at__lte=Now()).exists()
