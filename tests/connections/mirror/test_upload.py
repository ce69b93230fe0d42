from collections import Counter

import pytest

from connections.mirror import decisions
from connections.mirror.upload import upload
from connections.models import (
    Connection,
    CustomField,
    FieldOption,
    LedgerAccount,
    Mirror,
    UploadBatch,
    Vendor,
)
from connections.ramp.client import RampClient
from connections.ramp_simulator.app import Simulator
from tests.connections.mirror.charts import accounts, department, vendors, writes

pytestmark = pytest.mark.django_db


def send(connection: Connection, ramp: RampClient) -> dict[str, dict[str, int]]:
    return upload(connection, ramp, run=None).taken


class TestUpload:
    def test_uploads_what_the_erp_has(self, connection: Connection, ramp: RampClient) -> None:
        accounts(connection, "6100", "6200")
        department(connection, "eng", "ops")
        vendors(connection, 3)

        taken = send(connection, ramp)

        assert taken == {
            "account": {"create": 2},
            "field": {"create": 1},
            "option": {"create": 2},
            "vendor": {"create": 3},
        }
        assert {one.code for one in ramp.gl_accounts()} == {"6100", "6200"}
        (field,) = ramp.fields()
        assert {one.value for one in ramp.field_options(field.ramp_id)} == {"Eng", "Ops"}

    def test_sends_nothing_when_nothing_has_changed(
        self, connection: Connection, ramp: RampClient, sim: Simulator
    ) -> None:
        accounts(connection, "6100")
        department(connection, "eng")
        vendors(connection, 3)
        send(connection, ramp)
        sim.calls.clear()

        assert send(connection, ramp) == {}
        assert sim.calls == Counter()

    def test_reads_no_list_of_a_connection_that_we_made(
        self, connection: Connection, ramp: RampClient, sim: Simulator
    ) -> None:
        vendors(connection, 3)
        sim.calls.clear()

        send(connection, ramp)

        assert sim.calls == {"POST /accounting/vendors": 1}
        assert not Mirror.objects.get(connection=connection).ramp_is_empty

    def test_adopts_what_a_connection_had_before(
        self, connection: Connection, ramp: RampClient, sim: Simulator
    ) -> None:
        ramp.upload_vendors([{"id": "v0", "name": "Vendor 0"}, {"id": "v1", "name": "Old name"}])
        Mirror.objects.filter(connection=connection).update(ramp_is_empty=False)
        vendors(connection, 3)

        assert send(connection, ramp) == {"vendor": {"create": 1, "change": 1}}
        assert {one.name for one in ramp.vendors()} == {"Vendor 0", "Vendor 1", "Vendor 2"}

    def test_sends_at_most_five_hundred_at_once(
        self, connection: Connection, ramp: RampClient, sim: Simulator
    ) -> None:
        vendors(connection, 1001)

        send(connection, ramp)

        assert writes(sim)["POST /accounting/vendors"] == 3
        sizes = UploadBatch.objects.order_by("started_at").values_list("size", "taken", "state")
        assert list(sizes) == [(500, 500, "done"), (500, 500, "done"), (1, 1, "done")]
        assert not UploadBatch.objects.filter(trace_id="").exists()

    def test_renames_what_was_renamed(
        self, connection: Connection, ramp: RampClient, sim: Simulator
    ) -> None:
        accounts(connection, "6100", "6200")
        vendors(connection, 2)
        send(connection, ramp)
        LedgerAccount.objects.filter(code="6100").update(name="Travel", code="6101")
        Vendor.objects.filter(erp_id="v1").update(name="GitHub", code="GH")

        assert send(connection, ramp) == {"account": {"change": 1}, "vendor": {"change": 1}}
        assert {(one.code, one.name) for one in ramp.gl_accounts()} == {
            ("6101", "Travel"),
            ("6200", "Account 6200"),
        }
        assert {(one.code, one.name) for one in ramp.vendors()} == {
            ("", "Vendor 0"),
            ("GH", "GitHub"),
        }

    def test_keeps_headings_out_of_ramp(self, connection: Connection, ramp: RampClient) -> None:
        accounts(connection, "6000")
        LedgerAccount.objects.update(is_postable=False)

        assert send(connection, ramp) == {}
        assert list(ramp.gl_accounts()) == []

    def test_leaves_the_name_that_ramp_is_to_keep(
        self, connection: Connection, ramp: RampClient
    ) -> None:
        vendors(connection, 1)
        send(connection, ramp)
        Vendor.objects.update(name="Other", code="N1", name_is_held=True)

        send(connection, ramp)

        (vendor,) = ramp.vendors()
        assert (vendor.name, vendor.code) == ("Vendor 0", "N1")
        assert send(connection, ramp) == {}


class TestWhatTheErpDropped:
    @pytest.mark.matrix("M4")
    def test_hides_an_option_and_shows_it_again(
        self, connection: Connection, ramp: RampClient
    ) -> None:
        department(connection, "eng", "ops")
        send(connection, ramp)
        FieldOption.objects.filter(erp_id="ops").update(is_active=False)

        assert send(connection, ramp) == {"option": {"hide": 1}}
        field = CustomField.objects.get()
        assert field.ramp_id
        shown = {
            one.id: (one.is_active, one.visibility) for one in ramp.field_options(field.ramp_id)
        }
        assert shown == {"eng": (True, "VISIBLE"), "ops": (True, "HIDDEN")}

        FieldOption.objects.filter(erp_id="ops").update(is_active=True, name="Operations")

        assert send(connection, ramp) == {"option": {"show": 1}}
        again = {one.value for one in ramp.field_options(field.ramp_id) if one.is_selectable}
        assert again == {"Eng", "Operations"}
        assert send(connection, ramp) == {}

    @pytest.mark.matrix("M4")
    def test_deactivates_an_account_only_when_a_person_says_so(
        self, connection: Connection, ramp: RampClient, sim: Simulator
    ) -> None:
        accounts(connection, "6100")
        send(connection, ramp)
        LedgerAccount.objects.update(is_active=False)
        sim.calls.clear()

        assert send(connection, ramp) == {}
        assert not sim.calls

        decision = decisions.decide(
            connection,
            kind="account",
            erp_id="a-6100",
            action="deactivate",
            actor="ines",
            reason="",
            unsynced_items=0,
        )

        assert send(connection, ramp) == {"account": {"deactivate": 1}}
        assert [one.is_active for one in ramp.gl_accounts()] == [False]
        decision.refresh_from_db()
        assert decision.done_at is not None
        assert send(connection, ramp) == {}

    def test_brings_back_what_ramp_still_knows(
        self, connection: Connection, ramp: RampClient, sim: Simulator
    ) -> None:
        accounts(connection, "6100")
        send(connection, ramp)
        account = LedgerAccount.objects.get()
        assert account.ramp_id
        ramp.delete_gl_account(account.ramp_id)
        LedgerAccount.objects.update(ramp_is_active=False, name="Journeys")

        assert send(connection, ramp) == {"account": {"reactivate": 1}}
        (shown,) = ramp.gl_accounts()
        assert (shown.is_active, shown.name) == (True, "Journeys")
        assert writes(sim)["POST /accounting/accounts"] == 1, "only when it was new"
