"""Killed between two batches, or the answer of one is lost: gone on with, and nothing twice."""

import multiprocessing
import signal
from collections.abc import Iterator

import pytest
from django.db import connection as database

from connections import services
from connections.mirror.upload import upload
from connections.models import Connection, FieldOption, LedgerAccount, UploadBatch, Vendor
from connections.ramp.client import RampClient
from connections.ramp.errors import OutcomeUnknown, RampUnreachable
from connections.ramp_simulator.app import Simulator
from connections.ramp_simulator.serving import Serving
from rampbridge.lib import failpoints
from tests.connections.mirror.charts import accounts, client_at, department, vendors, writes
from tests.connections.world import client_of, new_connection

pytestmark = pytest.mark.django_db


def send(connection: Connection, ramp: RampClient) -> int:
    return upload(connection, ramp, run=None).records


def sent_ids(sim: Simulator, ramp: RampClient) -> list[str]:
    return [one.id for one in ramp.vendors()]


class TestLostAnswer:
    @pytest.mark.matrix("M2")
    @pytest.mark.parametrize("fault", ["lost_answer", "hang_up_after"])
    def test_is_looked_up_and_not_sent_again(
        self, connection: Connection, ramp: RampClient, sim: Simulator, fault: str
    ) -> None:
        vendors(connection, 1200)
        sim.fault(fault, "POST /accounting/vendors", skip=1, times=1)
        sim.calls.clear()

        send(connection, ramp)

        assert sim.calls["POST /accounting/vendors"] == 3
        assert sim.calls["GET /accounting/vendors"] == 1 + 5, "the first, then the other 499"
        assert not Vendor.objects.filter(ramp_id=None).exists()
        assert set(UploadBatch.objects.values_list("state", flat=True)) == {"done"}

    @pytest.mark.matrix("M2")
    def test_that_never_arrived_is_sent_by_the_next_run(
        self, connection: Connection, ramp: RampClient, sim: Simulator
    ) -> None:
        vendors(connection, 3)
        sim.fault("answer", "POST /accounting/vendors", status=504, times=1)
        with pytest.raises(OutcomeUnknown):
            send(connection, ramp)
        assert UploadBatch.objects.get().state == "sending"

        assert send(connection, ramp) == 3
        assert set(UploadBatch.objects.values_list("state", flat=True)) == {"done", "refused"}

    @pytest.mark.matrix("M2")
    def test_stays_open_while_ramp_cannot_be_asked(
        self, connection: Connection, ramp: RampClient, sim: Simulator
    ) -> None:
        vendors(connection, 3)
        sim.fault("lost_answer", "POST /accounting/vendors", times=1)
        sim.fault("answer", "GET /accounting/vendors", status=503, times=2)
        for _ in range(2):
            with pytest.raises(RampUnreachable):
                send(connection, ramp)

        assert send(connection, ramp) == 0
        assert writes(sim)["POST /accounting/vendors"] == 1
        assert not Vendor.objects.filter(ramp_id=None).exists()

    @pytest.mark.matrix("M2")
    def test_of_a_change_is_looked_up_too(
        self, connection: Connection, ramp: RampClient, sim: Simulator
    ) -> None:
        vendors(connection, 3)
        send(connection, ramp)
        for vendor in Vendor.objects.all():
            Vendor.objects.filter(pk=vendor.pk).update(name=f"New {vendor.erp_id}")
        sim.fault("lost_answer", "PATCH /accounting/vendors/{vendor_id}", skip=1, times=1)
        with pytest.raises(OutcomeUnknown):
            send(connection, ramp)

        send(connection, ramp)

        assert writes(sim)["PATCH /accounting/vendors/{vendor_id}"] == 3, "each once"
        assert {one.name for one in ramp.vendors()} == {"New v0", "New v1", "New v2"}

    def test_of_a_batch_in_another_order_is_looked_up_one_by_one(
        self, connection: Connection, ramp: RampClient, sim: Simulator
    ) -> None:
        made = vendors(connection, 8)
        ramp.upload_vendors([{"id": one.erp_id, "name": one.name} for one in reversed(made)])

        send(connection, ramp)

        assert not Vendor.objects.filter(ramp_id=None).exists()
        assert len(sent_ids(sim, ramp)) == 8


@pytest.mark.django_db(transaction=True)
class TestKilledWorker:
    """A worker of its own process, ended by SIGKILL at a failpoint."""

    @pytest.fixture
    def served(self) -> Iterator[Serving]:
        with Serving(Simulator.with_scenario("empty", rate_limit=False)) as serving:
            yield serving

    @pytest.fixture
    def ramp(self, served: Serving) -> RampClient:
        return client_of(served.simulator, served.simulator.business("harbor-coffee"))

    @pytest.fixture
    def connection(self, ramp: RampClient) -> Connection:
        connection = new_connection()
        services.take_seat(connection, ramp)
        return connection

    @pytest.mark.matrix("M1")
    @pytest.mark.parametrize("where", ["before_upload:5", "after_upload:5", "after_upload_kept:5"])
    def test_is_gone_on_with_and_nothing_is_sent_twice(
        self, connection: Connection, ramp: RampClient, served: Serving, where: str
    ) -> None:
        accounts(connection, *(str(6000 + number) for number in range(700)))  # 2 uploads
        department(connection, *(f"option{number}" for number in range(600)))  # 1 + 2
        vendors(connection, 1100)  # 3
        sim = served.simulator
        sim.calls.clear()

        killed(connection, served, where)
        send(connection, ramp)

        made = {
            "POST /accounting/accounts": 2,
            "POST /accounting/fields": 1,
            "POST /accounting/field-options": 2,
            "POST /accounting/vendors": 3,
        }
        assert writes(sim) == made, "each upload arrived once"
        assert not any(answered.status >= 400 for answered in sim.log)
        for model in (LedgerAccount, FieldOption, Vendor):
            assert not model.objects.filter(ramp_id=None).exists()

    @pytest.mark.matrix("M1")
    @pytest.mark.parametrize("where", ["before_upload:3", "after_upload:3", "after_upload_kept:3"])
    def test_in_the_middle_of_changes_repeats_none(
        self, connection: Connection, ramp: RampClient, served: Serving, where: str
    ) -> None:
        made = vendors(connection, 6)
        send(connection, ramp)
        Vendor.objects.update(code="")
        for vendor in made:
            Vendor.objects.filter(pk=vendor.pk).update(code=f"C-{vendor.erp_id}")

        killed(connection, served, where)
        send(connection, ramp)

        assert writes(served.simulator)["PATCH /accounting/vendors/{vendor_id}"] == 6
        assert {one.code for one in ramp.vendors()} == {f"C-{one.erp_id}" for one in made}


def killed(connection: Connection, served: Serving, where: str) -> None:
    """An upload in another process, which a failpoint kills."""
    database.close()  # a connection must not be shared with a child
    worker = multiprocessing.get_context("fork").Process(
        target=_upload_until, args=(connection, served, where)
    )
    worker.start()
    worker.join(60)
    assert worker.exitcode == -signal.SIGKILL


def _upload_until(connection: Connection, served: Serving, where: str) -> None:
    ramp = client_at(served.address, served.simulator.business("harbor-coffee"))
    failpoints.arm(where)
    upload(connection, ramp, run=None)
