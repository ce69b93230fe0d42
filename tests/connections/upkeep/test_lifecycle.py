"""Taking the seat, giving it up, new credentials, and how both sides are (R-05 to R-14)."""

from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any
from uuid import UUID

import pytest

from connections import clients, secrets, services
from connections.erp.adapters.in_memory import InMemoryErp, forget_named
from connections.erp.errors import Code
from connections.erp.refusals import refusal
from connections.models import (
    Chore,
    Connection,
    Credential,
    HealthCheck,
    Mirror,
    RampToken,
    Switch,
)
from connections.ramp.client import RampClient
from connections.ramp.errors import RampUnreachable
from connections.ramp_simulator.app import Simulator
from connections.ramp_simulator.handles import BusinessHandle
from connections.upkeep import chores, health, lifecycle
from connections.upkeep.chores import Refused
from connections.upkeep.health import Seat
from tests.connections.world import client_of, new_connection, simulator

pytestmark = pytest.mark.django_db

NOON = datetime(2026, 11, 21, 12, tzinfo=UTC)


@pytest.fixture
def sim() -> Iterator[Simulator]:
    with simulator() as running:
        yield running


@pytest.fixture
def business(sim: Simulator) -> BusinessHandle:
    return sim.business("harbor-coffee")


@pytest.fixture
def ramp(sim: Simulator, business: BusinessHandle) -> RampClient:
    return client_of(sim, business)


@pytest.fixture
def connection() -> Connection:
    return new_connection()


class TestConnect:
    def test_takes_the_seat_and_maps_an_only_entity(
        self, connection: Connection, ramp: RampClient
    ) -> None:
        outcome = lifecycle.connect(connection, ramp)

        assert outcome.title == "Ramp shows “rampbridge” as linked."
        assert outcome.trace_id
        (entity,) = connection.entities.all()
        assert entity.is_mapped
        assert Switch.objects.filter(connection=connection, found=False).count() == 5

    def test_knows_that_a_fresh_connection_is_empty(
        self, connection: Connection, ramp: RampClient
    ) -> None:
        lifecycle.connect(connection, ramp)

        assert Mirror.objects.get().ramp_is_empty

    def test_does_not_take_an_adopted_one_for_empty(
        self, connection: Connection, ramp: RampClient
    ) -> None:
        ramp.create_connection(remote_provider_name="rampbridge")

        lifecycle.connect(connection, ramp)

        assert not Mirror.objects.get().ramp_is_empty

    def test_upgrades_a_connection_by_files_and_does_not_take_it_for_empty(
        self, connection: Connection, ramp: RampClient, business: BusinessHandle
    ) -> None:
        business.occupy_seat("Universal CSV", "CSV")

        lifecycle.connect(connection, ramp)

        assert business.connection is not None
        assert business.connection.name == "rampbridge"
        assert not Mirror.objects.get().ramp_is_empty

    def test_refuses_a_business_that_is_connected_as_another_customer(
        self, connection: Connection, ramp: RampClient
    ) -> None:
        lifecycle.connect(new_connection(), ramp)

        with pytest.raises(Refused, match="connected already, as another customer"):
            lifecycle.connect(connection, ramp)


class TestDisconnect:
    def test_unlinks_it_in_ramp_and_keeps_what_is_known(
        self, connection: Connection, ramp: RampClient, business: BusinessHandle
    ) -> None:
        lifecycle.connect(connection, ramp)

        outcome = lifecycle.disconnect(connection, ramp)

        assert outcome.trace_id
        assert business.connection is None
        connection.refresh_from_db()
        assert connection.stage == Connection.Stage.CLOSED
        assert connection.ramp_connection_id is not None
        assert connection.entities.exists()

    def test_never_deletes_anothers_connection(
        self, connection: Connection, ramp: RampClient, business: BusinessHandle, sim: Simulator
    ) -> None:
        lifecycle.connect(connection, ramp)
        ramp.delete_connection()
        business.occupy_seat("Another Bridge")
        before = sim.calls["DELETE /accounting/connection"]

        lifecycle.disconnect(connection, ramp)

        assert sim.calls["DELETE /accounting/connection"] == before
        assert business.connection is not None
        assert business.connection.name == "Another Bridge"

    def test_twice_is_once(self, connection: Connection, ramp: RampClient, sim: Simulator) -> None:
        lifecycle.connect(connection, ramp)
        lifecycle.disconnect(connection, ramp)

        lifecycle.disconnect(connection, ramp)

        assert sim.calls["DELETE /accounting/connection"] == 1

    def test_changes_nothing_here_while_ramp_does_not_answer(
        self, connection: Connection, ramp: RampClient, sim: Simulator
    ) -> None:
        lifecycle.connect(connection, ramp)
        sim.fault("answer", "DELETE /accounting/connection", status=503)

        with pytest.raises(RampUnreachable):
            lifecycle.disconnect(connection, ramp)

        connection.refresh_from_db()
        assert connection.stage == Connection.Stage.SETTING_UP


class TestHealth:
    def test_says_that_all_is_well(self, connection: Connection, ramp: RampClient) -> None:
        lifecycle.connect(connection, ramp)

        side, erp = health.check(connection, ramp, InMemoryErp(), now=NOON)

        assert (side.seat, side.check.is_ok, side.check.ok_at) == (Seat.OURS, True, NOON)
        assert (erp.is_ok, erp.about) == (True, "Ledger")
        assert erp.due_at == NOON + health.EVERY

    def test_notices_that_ramp_shows_it_unlinked(
        self, connection: Connection, ramp: RampClient
    ) -> None:
        lifecycle.connect(connection, ramp)
        health.check_ramp(connection, ramp, now=NOON)
        ramp.delete_connection()

        side = health.check_ramp(connection, ramp, now=NOON + health.EVERY)

        assert side.seat is Seat.LOST
        assert "no longer linked" in side.check.title
        assert side.check.ok_at == NOON, "when it was last well stays readable"
        assert side.check.due_at == NOON + health.EVERY + health.WHILE_ILL

    def test_notices_a_direct_connection_and_says_what_to_do(
        self, connection: Connection, ramp: RampClient, business: BusinessHandle
    ) -> None:
        """R-08, R-09."""
        lifecycle.connect(connection, ramp)
        ramp.delete_connection()
        business.occupy_seat("QuickBooks Online", "DIRECT")

        side = health.check_ramp(connection, ramp, now=NOON)

        assert side.seat is Seat.LOST
        assert side.check.title.startswith("QuickBooks Online is Harbor Coffee Roasters's active")
        assert "Start a migration" in side.check.fix

    def test_says_before_we_connect_that_the_seat_is_taken(
        self, connection: Connection, ramp: RampClient, business: BusinessHandle
    ) -> None:
        assert health.check_ramp(connection, ramp, now=NOON).seat is Seat.FREE
        business.occupy_seat("Another Bridge")

        side = health.check_ramp(connection, ramp, now=NOON)

        assert (side.seat, side.check.is_ok) == (Seat.TAKEN, False)

    def test_names_permissions_that_ramp_left_out(
        self, connection: Connection, ramp: RampClient
    ) -> None:
        """Contract C1: the token is given out all the same."""
        RampToken.objects.create(
            connection=connection, sealed=b"x", scopes="business:read accounting:read",
            minted_at=NOON, expires_at=NOON,
        )  # fmt: skip
        connection.object_types = ["transaction"]

        side = health.check_ramp(connection, ramp, now=NOON)

        assert not side.check.is_ok
        assert "accounting:write, entities:read, transactions:read" in side.check.title

    def test_notices_a_switch_that_was_turned_in_ramp(
        self, connection: Connection, ramp: RampClient
    ) -> None:
        lifecycle.connect(connection, ramp)
        assert connection.ramp_connection_id is not None
        ramp.update_connection(connection.ramp_connection_id, {"vendor_credits_enabled": True})

        health.check_ramp(connection, ramp, now=NOON)

        assert Switch.objects.get(name="vendor_credits_enabled").found is True

    def test_says_why_the_erp_does_not_let_us_in(self, connection: Connection) -> None:
        erp = InMemoryErp()
        erp.faults.refuse_with = refusal(Code.AUTH_EXPIRED, erp="Ledger")

        row = health.check_erp(connection, erp, now=NOON)

        assert not row.is_ok
        assert row.title == erp.faults.refuse_with.title
        assert row.ok_at is None

    def test_is_due_for_whoever_was_never_looked_at(
        self, connection: Connection, ramp: RampClient
    ) -> None:
        closed = new_connection(stage=Connection.Stage.CLOSED)
        assert connection.pk in health.due()
        assert closed.pk not in health.due()

        health.check(connection, ramp, InMemoryErp(), now=datetime(2999, 1, 1, tzinfo=UTC))
        assert connection.pk not in health.due()

        HealthCheck.objects.filter(side="erp").update(due_at=NOON)
        assert connection.pk in health.due()


class TestNewCredentials:
    @pytest.fixture(autouse=True)
    def _fresh_books(self) -> Iterator[None]:
        forget_named()
        yield
        forget_named()

    def wish(self, connection: Connection, side: str, secret: dict[str, str]) -> Chore:
        return chores.want(
            connection, Chore.Kind.CREDENTIAL, actor="maya", about=side, secret=secret
        )

    def test_of_an_erp_are_taken_once_they_work(self, connection: Connection) -> None:
        services.change_erp_credential(connection, {"name": "old"})
        chore = self.wish(connection, "erp", {"name": "new"})

        outcome = lifecycle.change_credentials(chore)

        assert outcome.title == "Checked and in use: Ledger."
        assert secrets.credential(connection, Credential.Side.ERP) == {"name": "new"}

    def test_of_an_erp_that_does_not_let_us_in_are_not_taken(self, connection: Connection) -> None:
        services.change_erp_credential(connection, {"name": "old"})
        bad = InMemoryErp.named({"name": "new"})
        bad.faults.refuse_with = refusal(Code.AUTH_EXPIRED, erp="Ledger")
        chore = self.wish(connection, "erp", {"name": "new"})

        with pytest.raises(services.ErpNotReady):
            lifecycle.change_credentials(chore)

        assert secrets.credential(connection, Credential.Side.ERP) == {"name": "old"}

    def test_of_an_erp_never_lead_to_another_company(self, connection: Connection) -> None:
        HealthCheck.objects.create(
            connection=connection, side="erp", is_ok=True, about="Harbor Coffee · 8.0",
            checked_at=NOON, ok_at=NOON,
        )  # fmt: skip

        with pytest.raises(Refused, match="lead to the company Ledger, not to Harbor Coffee"):
            lifecycle.change_credentials(self.wish(connection, "erp", {"name": "new"}))

    def test_of_ramp_replace_the_old_ones_and_their_token(
        self,
        connection: Connection,
        sim: Simulator,
        business: BusinessHandle,
        monkeypatch: pytest.MonkeyPatch,
    ) -> None:
        connection.ramp_business_id = UUID(business.id)
        connection.save()
        RampToken.objects.create(
            connection=connection, sealed=b"x", minted_at=NOON, expires_at=NOON
        )
        self.answer_for(monkeypatch, client_of(sim, business))
        secret = {"client_id": business.client_id, "client_secret": business.client_secret}

        lifecycle.change_credentials(self.wish(connection, "ramp", secret))

        assert secrets.credential(connection, Credential.Side.RAMP) == secret
        assert not RampToken.objects.exists()

    def test_of_ramp_never_lead_to_another_business(
        self,
        connection: Connection,
        sim: Simulator,
        business: BusinessHandle,
        monkeypatch: pytest.MonkeyPatch,
    ) -> None:
        connection.ramp_business_id = UUID(business.id)
        connection.save()
        self.answer_for(monkeypatch, client_of(sim, sim.business("verde-clinics")))

        with pytest.raises(Refused, match="another business of Ramp's"):
            lifecycle.change_credentials(
                self.wish(connection, "ramp", {"client_id": "x", "client_secret": "y"})
            )

    def answer_for(self, monkeypatch: pytest.MonkeyPatch, client: RampClient) -> None:
        def unproven(_secret: Any) -> RampClient:
            return client

        monkeypatch.setattr(clients, "unproven_ramp_client", unproven)
