"""A customer of the demo had a connection by CSV files before us: its accounts are still coded."""

from collections.abc import Callable, Iterator

import pytest
from pytest_django import Settings
from pytest_django.live_server_helper import LiveServer

from connections.erp.adapters.in_memory import InMemoryErp, forget_named
from connections.mapping_book.changes import Change
from connections.models import Connection, LedgerAccount, MappingKind
from connections.ramp import files, transport
from connections.ramp_simulator.app import Simulator
from connections.ramp_simulator.handles import BusinessHandle
from connections.ramp_simulator.heritage import CSV_BUSINESS, FORMER_PURCHASES
from connections.ramp_simulator.records import ConnectionType
from connections.ramp_simulator.serving import Serving
from syncing import mapping_services
from syncing.management.commands.seed_demo import connect_customer
from syncing.models import SyncItem

pytestmark = pytest.mark.django_db(transaction=True)

FEW = 0.03
"""Of the demo's purchases; what comes from the time before us is all there."""


@pytest.fixture
def business(settings: Settings, live_server: LiveServer) -> Iterator[BusinessHandle]:
    settings.WEBHOOK_BASE_URL = live_server.url
    simulator = Simulator.with_scenario("demo", scale=FEW, rate_limit=False)
    with Serving(simulator, port=0, traffic_per_minute=0) as serving:
        settings.RAMP_API_URL = serving.address
        yield simulator.business(CSV_BUSINESS)
    transport.close_shared()
    files.close_shared()


@pytest.fixture
def erp() -> Iterator[InMemoryErp]:
    forget_named()
    yield InMemoryErp.named({"name": CSV_BUSINESS})
    forget_named()


@pytest.fixture
def customer(
    business: BusinessHandle, erp: InMemoryErp, monkeypatch: pytest.MonkeyPatch
) -> Connection:
    monkeypatch.setattr("syncing.management.commands.seed_demo.ERP_KIND", "ledger")
    described = {
        "key": CSV_BUSINESS,
        "name": "Blue Mesa Solar",
        "currency": "USD",
        "client_id": business.client_id,
        "client_secret": business.client_secret,
    }
    return connect_customer(described, {"name": CSV_BUSINESS})


def test_31_purchases_wait_for_one_mapping_and_go_through_when_it_is_saved(
    business: BusinessHandle, customer: Connection, work: Callable[[], None]
) -> None:
    assert business.connection
    assert business.connection.connection_type is ConnectionType.API, "it was taken over"
    work()
    held = SyncItem.objects.filter(state="FAILED", blocked_by__endswith=":QB-7100")
    ids = set(held.values_list("ramp_id", flat=True))
    assert len(ids) == FORMER_PURCHASES == 31

    office = LedgerAccount.objects.get(connection=customer, code="6400")
    mapped = Change(MappingKind.GL_ACCOUNT, "QB-7100", office.erp_id)
    saved = mapping_services.save_and_release(
        customer, [mapped], actor="maya", reason="Rented equipment is office cost."
    )
    work()

    assert saved.released == 31
    assert not held.exists()
    rows = [business.transaction(str(one)) for one in ids]
    assert {row.sync_status for row in rows} == {"SYNCED"}
    assert set(SyncItem.objects.filter(ramp_id__in=ids).values_list("state", flat=True)) == {
        "ACKED"
    }
