from decimal import Decimal

import pytest

from connections.mirror.upload import upload
from connections.models import Connection, LedgerAccount, Mirror, TaxCode, TaxRate
from connections.ramp.client import RampClient
from connections.ramp_simulator.app import Simulator
from tests.connections.mirror.charts import accounts, writes

pytestmark = pytest.mark.django_db


@pytest.fixture
def taxes(connection: Connection) -> None:
    accounts(connection, "2200")
    TaxRate.objects.create(
        connection=connection, erp_id="gst", name="GST", rate="0.05", account_erp_id="a-2200"
    )
    TaxRate.objects.create(
        connection=connection, erp_id="pst", name="PST", rate="0.07", account_erp_id="a-2200"
    )
    TaxCode.objects.create(
        connection=connection, erp_id="bc", name="British Columbia", rate_erp_ids=["gst", "pst"]
    )


def send(connection: Connection, ramp: RampClient) -> dict[str, dict[str, int]]:
    return upload(connection, ramp, run=None).taken


@pytest.mark.usefixtures("taxes")
class TestTaxes:
    def test_go_in_their_order(
        self, connection: Connection, ramp: RampClient, sim: Simulator
    ) -> None:
        taken = send(connection, ramp)

        assert taken == {
            "account": {"create": 1},
            "tax_rate": {"create": 2},
            "tax_code": {"create": 1},
        }
        order = [one.operation for one in sim.log if one.operation.startswith("POST /accounting/")]
        assert order[-4:] == [
            "POST /accounting/accounts",
            "POST /accounting/tax/rates",
            "POST /accounting/tax/code",
            "POST /accounting/tax/code/options",
        ]
        assert {one.rate for one in ramp.tax_rates()} == {Decimal("0.05"), Decimal("0.07")}
        (code,) = ramp.tax_codes()
        assert set(code.tax_rate_ids) == {"gst", "pst"}

    def test_make_no_call_when_nothing_has_changed(
        self, connection: Connection, ramp: RampClient, sim: Simulator
    ) -> None:
        send(connection, ramp)
        sim.calls.clear()

        assert send(connection, ramp) == {}
        assert not sim.calls

    def test_follow_the_erp(self, connection: Connection, ramp: RampClient, sim: Simulator) -> None:
        send(connection, ramp)
        TaxRate.objects.filter(erp_id="gst").update(rate="0.06")
        TaxCode.objects.update(name="BC", rate_erp_ids=["gst"])

        assert send(connection, ramp) == {"tax_rate": {"change": 1}, "tax_code": {"change": 1}}
        assert {one.rate for one in ramp.tax_rates()} == {Decimal("0.06"), Decimal("0.07")}
        (code,) = ramp.tax_codes()
        assert (code.name, code.tax_rate_ids) == ("BC", ("gst",))
        assert send(connection, ramp) == {}

    def test_never_go_before_what_they_depend_on(
        self, connection: Connection, ramp: RampClient, sim: Simulator
    ) -> None:
        LedgerAccount.objects.update(name="")  # so it cannot go

        send(connection, ramp)

        assert not writes(sim)
        assert {one.refusal_field for one in TaxRate.objects.all()} == {"account"}
        assert TaxCode.objects.get().refusal_field == "rates"

        LedgerAccount.objects.update(name="GST payable")

        assert send(connection, ramp)["tax_code"] == {"create": 1}

    def test_find_the_field_that_is_there(
        self, connection: Connection, ramp: RampClient, sim: Simulator
    ) -> None:
        field = ramp.create_tax_code_field(name="Tax")
        Mirror.objects.filter(connection=connection).update(ramp_is_empty=False)

        send(connection, ramp)

        assert Mirror.objects.get(connection=connection).tax_field_ramp_id == field.ramp_id
        assert writes(sim)["POST /accounting/tax/code"] == 1

    def test_say_that_ramp_has_no_way_back(
        self, connection: Connection, ramp: RampClient, sim: Simulator
    ) -> None:
        send(connection, ramp)
        TaxCode.objects.update(ramp_is_active=False)
        sim.calls.clear()

        send(connection, ramp)

        assert "no way back" in TaxCode.objects.get().refusal
        assert not sim.calls
