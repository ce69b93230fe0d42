import uuid
from typing import Any

import pytest
from django.db import connection as database
from django.db.models.functions import Now
from django.test.utils import CaptureQueriesContext

from connections.mirror import decisions, plan
from connections.mirror.decisions import CannotDecide, NeedsWaiver
from connections.mirror.upload import upload
from connections.mirror.verification import read_back
from connections.models import (
    Connection,
    CustomField,
    DriftDecision,
    FieldOption,
    LedgerAccount,
    Mirror,
    UploadBatch,
    Vendor,
)
from connections.ramp.client import RampClient
from connections.ramp_simulator.app import Simulator
from tests.connections.mirror.charts import accounts, department, vendors

pytestmark = pytest.mark.django_db


@pytest.fixture
def uploaded(connection: Connection, ramp: RampClient) -> None:
    accounts(connection, "6100", "6200")
    department(connection, "eng", "ops")
    vendors(connection, 3)
    upload(connection, ramp, run=None)
    # What happens next happens after it, which in one transaction would be at the same time.
    for model in (LedgerAccount, CustomField, FieldOption, Vendor):
        model.objects.update(changed_at="2026-01-01T00:00Z", ramp_confirmed_at="2026-01-02T00:00Z")


def what(connection: Connection, **about: Any) -> list[tuple[str, str, str]]:
    return [(row.kind, row.erp_id, row.what) for row in plan.drift(connection, **about)]


@pytest.mark.usefixtures("uploaded")
class TestDrift:
    def test_is_nothing_after_an_upload(self, connection: Connection) -> None:
        assert plan.drift(connection) == []
        assert plan.drift_counts(connection) == []
        assert plan.pending(connection).records == 0

    def test_says_what_happened_to_each_record(self, connection: Connection) -> None:
        accounts(connection, "7000")
        LedgerAccount.objects.filter(code="6100").update(name="Travel", changed_at=Now())
        LedgerAccount.objects.filter(code="6200").update(is_active=False, changed_at=Now())
        FieldOption.objects.filter(erp_id="ops").update(gone_at=Now(), changed_at=Now())
        Vendor.objects.filter(erp_id="v0").update(merged_into="v1", changed_at=Now())
        Vendor.objects.filter(erp_id="v2").update(
            ramp_name="Changed there", ramp_confirmed_at=Now()
        )

        assert what(connection) == [
            ("account", "a-6100", "renamed"),
            ("account", "a-6200", "closed"),
            ("account", "a-7000", "added"),
            ("option", "ops", "gone"),
            ("vendor", "v0", "closed"),
            ("vendor", "v2", "changed_in_ramp"),
        ]
        rows = {row.erp_id: row for row in plan.drift(connection)}
        assert (rows["a-6100"].before, rows["a-6100"].after) == (
            "6100 Account 6100",
            "6100 Travel",
        )
        assert rows["v0"].after == "Merged into v1"
        assert (rows["ops"].field_erp_id, rows["ops"].field_name) == ("dept", "Department")
        assert {one for one, row in rows.items() if row.needs_decision} == {"a-6200", "v0"}

    def test_is_counted_by_kind_and_way(self, connection: Connection) -> None:
        LedgerAccount.objects.update(is_active=False)

        (count,) = plan.drift_counts(connection)

        assert (count.kind, count.what, count.count, count.undecided) == ("account", "closed", 2, 2)

    def test_can_be_narrowed(self, connection: Connection) -> None:
        vendors_new = [
            Vendor(connection=connection, erp_id=f"n{n}", name=f"Nova {n}") for n in range(3)
        ]
        Vendor.objects.bulk_create(vendors_new)
        LedgerAccount.objects.update(is_active=False)

        assert {kind for kind, _, _ in what(connection, kind="vendor")} == {"vendor"}
        assert {one for _, _, one in what(connection, what="closed")} == {"closed"}
        assert what(connection, text="nova 1") == [("vendor", "n1", "added")]

    def test_goes_on_behind_the_last_row_of_a_page(self, connection: Connection) -> None:
        accounts(connection, "7000", "7100", "7200")
        Vendor.objects.all().update(is_active=False)
        whole = [row.erp_id for row in plan.drift(connection)]

        paged: list[str] = []
        after: str | None = None
        while page := plan.drift(connection, after=after, limit=2):
            paged += [row.erp_id for row in page]
            after = page[-1].cursor

        assert paged == whole
        assert len(whole) == 6

    def test_costs_two_statements_whatever_there_is(self, connection: Connection) -> None:
        Vendor.objects.all().update(is_active=False)

        with CaptureQueriesContext(
            database,
        ) as queries:
            plan.drift(connection)
            plan.drift_counts(connection)
            plan.pending(connection)

        assert len(queries) == 4

    def test_shows_what_is_refused_with_its_field(self, connection: Connection) -> None:
        accounts(connection, "7000")
        LedgerAccount.objects.filter(code="7000").update(refusal="No.", refusal_field="name")

        (row,) = plan.drift(connection)

        assert (row.what, row.refusal, row.refusal_field) == ("refused", "No.", "name")

    def test_is_none_where_ramp_keeps_its_name(self, connection: Connection) -> None:
        Vendor.objects.filter(erp_id="v0").update(name="Other", name_is_held=True)

        assert plan.drift(connection) == []


@pytest.mark.usefixtures("uploaded")
class TestReadBack:
    def test_finds_what_somebody_changed_in_ramp(
        self, connection: Connection, ramp: RampClient
    ) -> None:
        account = LedgerAccount.objects.get(code="6100")
        option = FieldOption.objects.get(erp_id="ops")
        vendor = Vendor.objects.get(erp_id="v1")
        assert account.ramp_id
        assert option.ramp_id
        assert vendor.ramp_id
        ramp.update_gl_account(account.ramp_id, name="Mine now")
        ramp.update_field_option(option.ramp_id, visibility="HIDDEN")
        ramp.delete_vendor(vendor.ramp_id)

        differences = read_back(connection, ramp)

        assert differences.changed == {"account": 1, "option": 1, "vendor": 1}
        assert what(connection) == [
            ("account", "a-6100", "changed_in_ramp"),
            ("option", "ops", "changed_in_ramp"),
            ("vendor", "v1", "changed_in_ramp"),
        ]
        assert Mirror.objects.get().last_verified_at is not None

    def test_the_next_upload_makes_it_the_erps_again(
        self, connection: Connection, ramp: RampClient
    ) -> None:
        account = LedgerAccount.objects.get(code="6100")
        assert account.ramp_id
        ramp.update_gl_account(account.ramp_id, name="Mine now")
        read_back(connection, ramp)

        upload(connection, ramp, run=None)

        assert ramp.gl_account(account.ramp_id).name == "Account 6100"

    def test_writes_nothing_where_nothing_differs(
        self, connection: Connection, ramp: RampClient
    ) -> None:
        assert read_back(connection, ramp).total == 0

    def test_creates_anew_what_ramp_has_lost(
        self, connection: Connection, ramp: RampClient
    ) -> None:
        vendors(connection, 1, erp_id="phantom", ramp_id=uuid.uuid4(), ramp_is_active=True)

        differences = read_back(connection, ramp)

        assert differences.lost == {"vendor": 1}
        assert what(connection) == [("vendor", "phantom", "added")]

    def test_takes_names_that_are_longer_than_ours(
        self, connection: Connection, ramp: RampClient, sim: Simulator
    ) -> None:
        vendor = Vendor.objects.get(erp_id="v0")
        assert vendor.ramp_id
        ramp.update_vendor(vendor.ramp_id, name="Ü" * 400, code="c" * 200)

        assert read_back(connection, ramp).changed == {"vendor": 1}

        vendor.refresh_from_db()
        assert (vendor.ramp_name, vendor.ramp_code) == ("Ü" * 300, "c" * 100)

    def test_counts_what_is_none_of_the_erps(
        self, connection: Connection, ramp: RampClient, sim: Simulator
    ) -> None:
        ramp.upload_vendors([{"id": "stranger", "name": "Stranger"}])

        assert read_back(connection, ramp).strangers == {"vendor": 1}
        assert Mirror.objects.get(connection=connection).strangers == {"vendor": 1}

    def test_counts_strangers_also_beside_records_of_ours_that_are_inactive(
        self, connection: Connection, ramp: RampClient
    ) -> None:
        closed = Vendor.objects.get(erp_id="v0")
        assert closed.ramp_id
        ramp.delete_vendor(closed.ramp_id)
        ramp.upload_vendors([{"id": "stranger", "name": "Stranger"}])

        assert read_back(connection, ramp).strangers == {"vendor": 1}


@pytest.mark.usefixtures("uploaded")
class TestDecide:
    def decide(self, connection: Connection, **more: object) -> DriftDecision:
        about: dict[str, object] = {
            "kind": "account",
            "erp_id": "a-6100",
            "action": "deactivate",
            "actor": "ines",
            "reason": "",
            "unsynced_items": 0,
        }
        return decisions.decide(connection, **(about | more))  # type: ignore[arg-type]

    def close(self) -> None:
        LedgerAccount.objects.filter(code="6100").update(is_active=False)

    def test_needs_a_reason_while_items_use_the_record(self, connection: Connection) -> None:
        self.close()
        with pytest.raises(NeedsWaiver, match="37 unsynced items use this record"):
            self.decide(connection, unsynced_items=37)

        decision = self.decide(connection, unsynced_items=37, reason="Coded anew tomorrow")

        assert (decision.unsynced_items, decision.reason) == (37, "Coded anew tomorrow")

    def test_is_refused_for_what_the_erp_has(self, connection: Connection) -> None:
        with pytest.raises(CannotDecide, match="The ERP has this record"):
            self.decide(connection)

    def test_is_shown_beside_the_record(self, connection: Connection) -> None:
        self.close()
        decision = self.decide(connection)

        (row,) = plan.drift(connection)

        assert row.decision == decision
        assert not row.needs_decision

    def test_can_be_taken_back_until_it_is_done(
        self, connection: Connection, ramp: RampClient
    ) -> None:
        self.close()
        self.decide(connection)
        assert decisions.withdraw(connection, kind="account", erp_id="a-6100", actor="omar")
        assert upload(connection, ramp, run=None).records == 0

        self.decide(connection)
        upload(connection, ramp, run=None)

        assert not decisions.withdraw(connection, kind="account", erp_id="a-6100", actor="omar")

    def test_is_void_when_the_erp_has_the_record_again(
        self, connection: Connection, ramp: RampClient
    ) -> None:
        self.close()
        self.decide(connection)
        LedgerAccount.objects.update(is_active=True)
        upload(connection, ramp, run=None)
        self.close()

        assert upload(connection, ramp, run=None).records == 0
        assert [row.needs_decision for row in plan.drift(connection)] == [True]

    def test_can_be_taken_back_while_others_are_carried_out(
        self, connection: Connection, ramp: RampClient
    ) -> None:
        LedgerAccount.objects.update(is_active=False)
        self.decide(connection)
        self.decide(connection, erp_id="a-6200")
        delete = ramp.delete_gl_account

        def delete_and_withdraw(ramp_id: uuid.UUID) -> None:
            delete(ramp_id)
            decisions.withdraw(connection, kind="account", erp_id="a-6200", actor="omar")

        ramp.delete_gl_account = delete_and_withdraw  # type: ignore[method-assign]
        upload(connection, ramp, run=None)

        still = {one.id: one.is_active for one in ramp.gl_accounts()}
        assert still == {"a-6100": False, "a-6200": True}
        batch = UploadBatch.objects.get(action="deactivate")
        assert (batch.state, batch.size, batch.erp_ids) == ("done", 1, ["a-6100"])

    def test_to_leave_it_is_void_when_the_erp_has_the_record_again(
        self, connection: Connection, ramp: RampClient
    ) -> None:
        self.close()
        self.decide(connection, action="leave")
        upload(connection, ramp, run=None)
        assert [row.needs_decision for row in plan.drift(connection)] == [False]

        LedgerAccount.objects.update(is_active=True)
        upload(connection, ramp, run=None)
        self.close()

        assert [row.needs_decision for row in plan.drift(connection)] == [True]

    def test_asks_again_where_somebody_brought_it_back_in_ramp(
        self, connection: Connection, ramp: RampClient
    ) -> None:
        self.close()
        self.decide(connection)
        upload(connection, ramp, run=None)
        account = LedgerAccount.objects.get(code="6100")
        assert account.ramp_id
        ramp.update_gl_account(account.ramp_id, reactivate=True)

        read_back(connection, ramp)

        assert [row.needs_decision for row in plan.drift(connection)] == [True]
        assert upload(connection, ramp, run=None).records == 0

    def test_leaves_what_is_to_be_left(self, connection: Connection, ramp: RampClient) -> None:
        FieldOption.objects.filter(erp_id="ops").update(is_active=False)
        self.decide(connection, kind="option", erp_id="ops", field_erp_id="dept", action="leave")

        assert upload(connection, ramp, run=None).records == 0
