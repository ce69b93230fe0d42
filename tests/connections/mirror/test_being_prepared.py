"""While a migration prepares our connection, nothing else writes to the chart in Ramp."""

from collections.abc import Callable
from datetime import UTC, datetime

import pytest

from connections.erp.adapters.in_memory import InMemoryErp
from connections.mirror import ramp_side, refresh, schedule
from connections.mirror.schedule import EVERYTHING, Due
from connections.models import (
    Connection,
    Mirror,
    MirrorRun,
    RampVendor,
    Vendor,
    VendorLink,
)
from connections.ramp.client import RampClient
from connections.ramp_simulator import seats
from connections.ramp_simulator.app import Simulator
from connections.ramp_simulator.records import ConnectionType
from connections.upkeep import health
from connections.upkeep.health import Seat
from connections.upkeep.onboarding import missing
from connections.vendor_book import linking
from syncing.queries.onboarding import facts
from tests.connections.mirror.charts import vendors, writes
from tests.connections.world import new_connection

pytestmark = pytest.mark.django_db

NOON = datetime(2026, 11, 20, 12, tzinfo=UTC)
Run = Callable[..., MirrorRun]


@pytest.fixture
def connection(sim: Simulator, ramp: RampClient) -> Connection:
    """Another provider has the seat; ours stands beside it, and is not active."""
    with sim.world.change():
        seats.occupy(sim.world, "harbor-coffee", "QuickBooks", ConnectionType.DIRECT)
    made = ramp.create_connection(remote_provider_name="rampbridge", is_active=False)
    connection = new_connection(ramp_connection_id=made.id)
    ramp_side.start_over(connection.pk, is_empty=True, is_being_prepared=True)
    return connection


@pytest.fixture
def run(connection: Connection, erp: InMemoryErp, ramp: RampClient) -> Run:
    def go(due: Due = EVERYTHING, *, asked_by: str = "") -> MirrorRun:
        schedule.ensure(connection)
        Mirror.objects.update(asked_by=asked_by, lease_until=None)
        lease = schedule.take(connection.pk, also=due)
        assert lease
        return refresh.refresh(connection, erp, ramp, due=due, now=NOON, lease=lease)

    return go


def switch(sim: Simulator, connection: Connection) -> None:
    """The customer switches providers, to us."""
    with sim.world.change():
        for one in sim.world.connections.of(sim.business("harbor-coffee").key):
            one.is_active = one.id == str(connection.ramp_connection_id)
            sim.world.connections.put(one)


def test_a_refresh_that_was_due_reads_the_erp_and_uploads_nothing(run: Run, sim: Simulator) -> None:
    done = run()

    assert done.state == "done"
    assert done.seen["account"]["new"] > 3
    assert not writes(sim)
    assert not Mirror.objects.get().blocked_title, "nobody has to do anything about it"


def test_whoever_asks_for_an_upload_is_told_who_uploads(run: Run, sim: Simulator) -> None:
    refused = run(asked_by="ines")

    assert refused.state == "failed"
    assert refused.title == "This customer is being migrated: QuickBooks is still active in Ramp."
    assert "The migration wizard uploads the chart" in refused.fix
    assert not writes(sim)


def test_a_refresh_of_the_onboarding_uploads_nothing(
    connection: Connection, erp: InMemoryErp, ramp: RampClient, sim: Simulator
) -> None:
    with pytest.raises(refresh.Broken, match="being migrated"):
        refresh.refresh_now(connection, erp, ramp, now=NOON, actor="ines")

    assert not writes(sim)


def test_no_vendor_is_linked(connection: Connection) -> None:
    (vendor,) = vendors(connection, 1, ramp_id=connection.pk)
    shown = RampVendor.objects.create(
        connection=connection, ramp_id=connection.pk, name="Uline", seen_at=NOON
    )
    VendorLink.objects.create(
        connection=connection, ramp_vendor=shown, erp_id=vendor.erp_id, actor="ines"
    )

    assert Vendor.objects.filter(ramp_id__isnull=False).exists()
    assert not linking.due().exists()
    Mirror.objects.update(is_being_prepared=False)
    assert linking.due().exists()


def test_both_sides_are_well_and_the_customer_cannot_go_live(
    connection: Connection, ramp: RampClient
) -> None:
    side = health.check_ramp(connection, ramp, now=NOON)

    assert side.seat is Seat.TAKEN
    assert not side.check.title, "all is as it should be"
    assert "Connected in Ramp" in missing(facts(connection))


def test_from_the_switch_on_the_chart_is_uploaded_by_itself(
    run: Run, connection: Connection, sim: Simulator
) -> None:
    switch(sim, connection)

    done = run()

    assert done.state == "done"
    assert writes(sim)
    assert not Mirror.objects.get().is_being_prepared
