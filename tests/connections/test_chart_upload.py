from collections.abc import Iterator

import pytest

from connections import chart_upload, services
from connections.erp.adapters.in_memory import InMemoryErp
from connections.erp.records import Master, MasterKind
from connections.models import Connection, FieldOption, LedgerAccount
from connections.ramp.client import RampClient
from connections.ramp.errors import OutcomeUnknown
from connections.ramp_simulator.app import Simulator
from tests.connections.world import client_of, new_connection, simulator

pytestmark = pytest.mark.django_db


@pytest.fixture
def sim() -> Iterator[Simulator]:
    with simulator() as running:
        yield running


@pytest.fixture
def ramp(sim: Simulator) -> RampClient:
    return client_of(sim, sim.business("harbor-coffee"))


@pytest.fixture
def connection(ramp: RampClient) -> Connection:
    connection = new_connection()
    services.take_seat(connection, ramp)
    return connection


@pytest.fixture
def erp() -> InMemoryErp:
    return InMemoryErp()


class TestMirrorChart:
    def test_uploads_what_the_erp_has(
        self, connection: Connection, erp: InMemoryErp, ramp: RampClient
    ) -> None:
        uploaded = chart_upload.mirror_chart(connection, erp, ramp)

        ids = {account.id for account in ramp.gl_accounts()}
        assert {"6100", "6200", "6300"} <= ids
        assert uploaded.accounts == len(ids)
        assert uploaded.options == FieldOption.objects.exclude(ramp_id=None).count() == 3

    def test_keeps_headings_out_of_ramp(
        self, connection: Connection, erp: InMemoryErp, ramp: RampClient
    ) -> None:
        chart_upload.mirror_chart(connection, erp, ramp)

        assert "6000" not in {account.id for account in ramp.gl_accounts()}
        assert not LedgerAccount.objects.get(erp_id="6000").is_postable

    def test_sends_nothing_when_nothing_has_changed(
        self, connection: Connection, erp: InMemoryErp, ramp: RampClient, sim: Simulator
    ) -> None:
        chart_upload.mirror_chart(connection, erp, ramp)
        before = sim.calls.total()

        assert chart_upload.mirror_chart(connection, erp, ramp) == chart_upload.Uploaded()
        assert sim.calls.total() == before

    def test_sends_at_most_five_hundred_at_once(
        self, connection: Connection, erp: InMemoryErp, ramp: RampClient, sim: Simulator
    ) -> None:
        for number in range(1001):
            erp.books.put(Master(MasterKind.VENDOR, f"v{number}", f"Vendor {number}"))

        assert chart_upload.mirror_chart(connection, erp, ramp).vendors == 1001
        assert sim.calls["POST /accounting/vendors"] == 3

    def test_goes_on_where_a_lost_answer_left_it(
        self, connection: Connection, erp: InMemoryErp, ramp: RampClient, sim: Simulator
    ) -> None:
        sim.fault("lost_answer", "POST /accounting/accounts", times=1)
        with pytest.raises(OutcomeUnknown):
            chart_upload.mirror_chart(connection, erp, ramp)

        chart_upload.mirror_chart(connection, erp, ramp)

        assert not LedgerAccount.objects.filter(is_postable=True, ramp_id=None).exists()
