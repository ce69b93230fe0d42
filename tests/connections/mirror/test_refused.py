import pytest

from connections.mirror import decisions
from connections.mirror.batches import Sent
from connections.mirror.upload import upload
from connections.models import (
    Connection,
    FieldOption,
    LedgerAccount,
    UploadBatch,
    Vendor,
)
from connections.ramp.client import RampClient
from connections.ramp_simulator.app import Simulator
from tests.connections.mirror.charts import accounts, department, vendors, writes

pytestmark = pytest.mark.django_db

UPLOAD = "POST /accounting/vendors"
NOT_ACCEPTED = "Invalid input"


def send(connection: Connection, ramp: RampClient) -> Sent:
    return upload(connection, ramp, run=None)


def spoil(sim: Simulator, erp_id: str) -> None:
    """Have Ramp refuse every batch with this vendor in it, and name nobody."""
    sim.fault("bad_row", UPLOAD, row_id=erp_id, is_named=False, times=None)


class TestABadRecord:
    @pytest.mark.matrix("M3")
    def test_lets_the_other_499_through_and_says_why(
        self,
        connection: Connection,
        ramp: RampClient,
        sim: Simulator,
    ) -> None:
        vendors(connection, 500)
        spoil(sim, "v137")

        sent = send(connection, ramp)

        assert len(list(ramp.vendors())) == 499
        (bad,) = Vendor.objects.filter(ramp_id=None)
        assert (bad.erp_id, bad.refusal) == ("v137", NOT_ACCEPTED)
        assert sent.refused == 1
        assert writes(sim)[UPLOAD] <= 1 + 18
        batch = UploadBatch.objects.get()
        assert (batch.state, batch.taken, batch.refused) == ("partly", 499, 1)
        assert batch.calls == writes(sim)[UPLOAD]
        assert NOT_ACCEPTED in batch.detail

    @pytest.mark.matrix("M3")
    def test_is_not_sent_again_until_it_is_another(
        self,
        connection: Connection,
        ramp: RampClient,
        sim: Simulator,
    ) -> None:
        vendors(connection, 2)
        spoil(sim, "v1")
        send(connection, ramp)
        sim.calls.clear()
        assert send(connection, ramp).calls == 0
        assert not sim.calls
        sim.world.faults.cancel()

        Vendor.objects.filter(erp_id="v1").update(name="Another name")

        assert send(connection, ramp).records == 1
        assert not Vendor.objects.exclude(refusal="").exists()

    def test_is_sent_again_where_a_person_says_so(
        self,
        connection: Connection,
        ramp: RampClient,
        sim: Simulator,
    ) -> None:
        vendors(connection, 1)
        spoil(sim, "v0")
        send(connection, ramp)
        sim.world.faults.cancel()

        assert decisions.try_again(connection, kind="vendor", erp_id="v0", actor="maya")

        assert send(connection, ramp).records == 1

    @pytest.mark.matrix("M3")
    def test_that_ramp_names_is_shown_with_its_field(
        self, connection: Connection, ramp: RampClient, sim: Simulator
    ) -> None:
        vendors(connection, 500)
        sim.fault("bad_row", UPLOAD, row_id="v7", field="name", message="Too vague.", times=None)

        send(connection, ramp)

        bad = Vendor.objects.get(erp_id="v7")
        assert (bad.refusal, bad.refusal_field) == ("Too vague.", "name")
        assert writes(sim)[UPLOAD] == 2
        assert Vendor.objects.filter(ramp_id=None).count() == 1

    def test_that_is_there_already_costs_one_call_more(
        self, connection: Connection, ramp: RampClient, sim: Simulator
    ) -> None:
        vendors(connection, 500)
        ramp.upload_vendors([{"id": "v7", "name": "Somebody else was faster"}])
        sim.calls.clear()

        send(connection, ramp)

        assert writes(sim)[UPLOAD] == 2
        assert sim.calls["GET /accounting/vendors"] == 1, "found there, and adopted"
        assert not Vendor.objects.filter(ramp_id=None).exists()


class TestValidation:
    def test_finds_a_record_without_a_name_before_any_call(
        self, connection: Connection, ramp: RampClient, sim: Simulator
    ) -> None:
        accounts(connection, "6100", "6200")
        LedgerAccount.objects.filter(code="6200").update(name=" ")

        send(connection, ramp)

        bad = LedgerAccount.objects.get(code="6200")
        assert (bad.refusal_field, bad.ramp_id) == ("name", None)
        assert "Enter one there" in bad.refusal
        assert bad.refused_at is not None
        assert writes(sim)["POST /accounting/accounts"] == 1

    def test_finds_a_name_that_is_too_long(self, connection: Connection, ramp: RampClient) -> None:
        department(connection, "eng")
        FieldOption.objects.update(name="x" * 300)

        send(connection, ramp)

        assert FieldOption.objects.get().refusal_field == "name"

    def test_finds_a_class_that_ramp_does_not_know(
        self, connection: Connection, ramp: RampClient
    ) -> None:
        accounts(connection, "6100")
        LedgerAccount.objects.update(classification="MAGIC")

        send(connection, ramp)

        assert LedgerAccount.objects.get().refusal_field == "classification"

    def test_gives_a_code_to_one_of_two_and_mends_itself(
        self, connection: Connection, ramp: RampClient, sim: Simulator
    ) -> None:
        accounts(connection, "6100", "6200")
        LedgerAccount.objects.filter(erp_id="a-6200").update(code="6100")

        send(connection, ramp)

        second = LedgerAccount.objects.get(erp_id="a-6200")
        assert (second.refusal_field, second.ramp_id) == ("code", None)
        assert "a-6100" in second.refusal
        assert LedgerAccount.objects.get(erp_id="a-6100").ramp_id

        LedgerAccount.objects.filter(erp_id="a-6100").update(code="6101")
        send(connection, ramp)

        second.refresh_from_db()
        assert second.ramp_id, "the other one gave the code up, so this one is fit to send"
        assert second.refusal == ""


class TestARefusalThatIsOver:
    def test_is_forgotten_when_the_erp_closes_the_record(
        self, connection: Connection, ramp: RampClient
    ) -> None:
        accounts(connection, "9100")
        LedgerAccount.objects.update(name=" ")
        send(connection, ramp)
        assert "no name" in LedgerAccount.objects.get().refusal

        LedgerAccount.objects.update(is_active=False)
        send(connection, ramp)

        account = LedgerAccount.objects.get()
        assert (account.refusal, account.refusal_field, account.refused_at) == ("", "", None)

    def test_is_forgotten_when_what_was_refused_is_taken_back(
        self, connection: Connection, ramp: RampClient, sim: Simulator
    ) -> None:
        vendors(connection, 1)
        send(connection, ramp)
        sim.fault(
            "answer", "PATCH /accounting/vendors/{vendor_id}", status=400, message=NOT_ACCEPTED
        )
        Vendor.objects.update(name="Other")
        send(connection, ramp)
        assert Vendor.objects.get().refusal == NOT_ACCEPTED

        send(connection, ramp)
        assert Vendor.objects.get().refusal == NOT_ACCEPTED, "it is as it was refused"
        Vendor.objects.update(name="Vendor 0")
        send(connection, ramp)

        assert Vendor.objects.get().refusal == ""
        assert Vendor.objects.get().refused_content == ""
