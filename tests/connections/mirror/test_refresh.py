from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any

import pytest

from connections import services
from connections.erp.adapters.in_memory import InMemoryErp
from connections.erp.errors import Code, ErpError
from connections.erp.records import Master, MasterKind, Page
from connections.mirror import batches, refresh, schedule, upload
from connections.mirror.diff import Action
from connections.mirror.every_kind import EVERY_KIND
from connections.mirror.schedule import Due, Lease, LeaseLost
from connections.models import Connection, LedgerAccount, Mirror, MirrorRun, UploadBatch, Vendor
from connections.ramp.client import RampClient
from connections.ramp_simulator.app import Simulator
from tests.connections.mirror.charts import accounts, vendors, writes

pytestmark = pytest.mark.django_db

NOON = datetime(2026, 11, 20, 12, tzinfo=UTC)
READ, PUSH, VERIFY = Due(read=True), Due(push=True), Due(verify=True)


def leased(connection: Connection, due: Due) -> Lease:
    schedule.ensure(connection)
    Mirror.objects.update(read_due_at=None, full_due_at=None, push_due_at=None, verify_due_at=None)
    lease = schedule.take(connection.pk, also=due)
    assert lease
    return lease


def run(
    connection: Connection, erp: InMemoryErp, ramp: RampClient, due: Due, **more: Any
) -> MirrorRun:
    lease = leased(connection, due)
    return refresh.refresh(connection, erp, ramp, due=due, now=NOON, lease=lease, **more)


class _ForgettingErp(InMemoryErp):
    """While its lists are read the database fails over, and the new one lacks the run."""

    def changes(self, kind: MasterKind, cursor: str | None) -> Iterator[Page]:
        MirrorRun.objects.all().delete()
        return super().changes(kind, cursor)


class TestRefresh:
    def test_reads_and_then_uploads(
        self, connection: Connection, erp: InMemoryErp, ramp: RampClient
    ) -> None:
        done = run(connection, erp, ramp, schedule.EVERYTHING, actor="ines")

        assert (done.state, done.actor) == ("done", "ines")
        assert done.seen["account"]["new"] > 3
        assert done.sent["account"]["create"] == len(list(ramp.gl_accounts())) > 3
        assert set(UploadBatch.objects.values_list("run_id", flat=True)) == {done.pk}

    def test_that_a_failover_has_forgotten_is_done_all_the_same(
        self, connection: Connection, ramp: RampClient
    ) -> None:
        done = run(connection, _ForgettingErp(), ramp, READ)

        assert done.state == "done"
        assert Mirror.objects.get(connection=connection).lease_token is None
        assert not MirrorRun.objects.exists()

    def test_whose_upload_a_failover_has_forgotten_goes_on(
        self, connection: Connection, ramp: RampClient
    ) -> None:
        [one] = vendors(connection, 1)
        batch = batches.begin(connection, EVERY_KIND["vendor"], Action.CREATE, [one], run=None)
        UploadBatch.objects.all().delete()

        batches.end(batch)

        assert upload.upload(connection, ramp, run=None).records == 1

    def test_leaves_the_upload_for_when_it_is_due(
        self, connection: Connection, erp: InMemoryErp, ramp: RampClient, sim: Simulator
    ) -> None:
        run(connection, erp, ramp, READ)

        assert LedgerAccount.objects.exists()
        assert not writes(sim)

    def test_says_what_the_erp_refuses_and_tries_again_later(
        self, connection: Connection, erp: InMemoryErp, ramp: RampClient
    ) -> None:
        erp.books.refuse_with = ErpError(Code.FORBIDDEN, "No rights.", "Grant them.")  # type: ignore[attr-defined]
        erp.changes = _refusing(erp.books.refuse_with)  # type: ignore[attr-defined,method-assign]

        broken = run(connection, erp, ramp, READ)

        assert (broken.state, broken.title, broken.fix) == ("failed", "No rights.", "Grant them.")
        mirror = Mirror.objects.get(connection=connection)
        assert (mirror.blocked_code, mirror.blocked_title) == ("erp.forbidden", "No rights.")
        assert mirror.read_due_at is not None
        assert mirror.lease_token is None

    def test_lifts_the_block_of_the_side_that_answers_again(
        self, connection: Connection, erp: InMemoryErp, ramp: RampClient
    ) -> None:
        schedule.ensure(connection)
        Mirror.objects.update(blocked_code="erp.forbidden", blocked_title="No rights.")

        run(connection, erp, ramp, PUSH)
        assert Mirror.objects.get().blocked_code == "erp.forbidden", "Ramp says nothing of the ERP"
        run(connection, erp, ramp, READ)
        assert Mirror.objects.get().blocked_code == ""

    def test_a_mistake_of_ours_stands_until_its_side_went_well(
        self,
        connection: Connection,
        erp: InMemoryErp,
        ramp: RampClient,
        monkeypatch: pytest.MonkeyPatch,
    ) -> None:
        def fail(*_: Any, **__: Any) -> None:
            raise ZeroDivisionError

        with monkeypatch.context() as patch:
            patch.setattr("connections.mirror.upload.upload", fail)
            with pytest.raises(ZeroDivisionError):
                run(connection, erp, ramp, PUSH)
        assert "did not foresee" in Mirror.objects.get().blocked_title

        run(connection, erp, ramp, READ)
        assert Mirror.objects.get().blocked_title, "the ERP says nothing of the upload"
        run(connection, erp, ramp, PUSH)
        assert not Mirror.objects.get().blocked_title

    def test_waits_in_silence_while_time_may_mend_it(
        self, connection: Connection, erp: InMemoryErp, ramp: RampClient, sim: Simulator
    ) -> None:
        vendors(connection, 1)
        sim.fault("answer", "POST /accounting/vendors", status=503, times=2)

        broken = run(connection, erp, ramp, PUSH)

        assert (broken.state, broken.title) == ("failed", "Ramp did not answer.")
        assert Mirror.objects.get().blocked_code == ""
        assert run(connection, erp, ramp, PUSH).state == "failed"
        assert run(connection, erp, ramp, PUSH).state == "done"
        assert len(list(ramp.vendors())) == 1

    def test_ends_the_run_of_a_worker_that_died(
        self, connection: Connection, erp: InMemoryErp, ramp: RampClient
    ) -> None:
        dead = MirrorRun.objects.create(connection=connection, trigger="schedule")

        run(connection, erp, ramp, READ)

        dead.refresh_from_db()
        assert (dead.state, dead.title) == ("failed", "Its worker was stopped.")

    def test_writes_nothing_after_losing_the_lease(
        self, connection: Connection, erp: InMemoryErp, ramp: RampClient, sim: Simulator
    ) -> None:
        vendors(connection, 1)
        lease = leased(connection, PUSH)
        Mirror.objects.update(lease_until=NOON)
        other = schedule.take(connection.pk, also=PUSH)

        with pytest.raises(LeaseLost):
            refresh.refresh(connection, erp, ramp, due=PUSH, now=NOON, lease=lease)

        assert not writes(sim)
        assert other
        assert Mirror.objects.get().lease_token == other.token

    def test_reads_no_page_of_the_erp_after_losing_the_lease(
        self, connection: Connection, erp: InMemoryErp, ramp: RampClient
    ) -> None:
        lease = leased(connection, READ)
        pages = erp.changes

        def taken_over(kind: MasterKind, cursor: str | None) -> Any:
            if kind == MasterKind.VENDOR:
                Mirror.objects.update(lease_until=NOON)
                assert schedule.take(connection.pk, also=READ)
            return pages(kind, cursor)

        erp.books.put(Master(MasterKind.VENDOR, "V1", "Uline"))
        erp.changes = taken_over  # type: ignore[method-assign]

        with pytest.raises(LeaseLost):
            refresh.refresh(connection, erp, ramp, due=READ, now=NOON, lease=lease)

        assert LedgerAccount.objects.exists()
        assert not Vendor.objects.exists()
        assert "vendor" not in Mirror.objects.get().cursors


class TestSeat:
    @pytest.mark.matrix("M6")
    def test_a_direct_connection_stops_the_upload_and_says_so(
        self, connection: Connection, erp: InMemoryErp, ramp: RampClient, sim: Simulator
    ) -> None:
        run(connection, erp, ramp, schedule.EVERYTHING)
        accounts(connection, "9100")
        sim.business("harbor-coffee").occupy_seat(name="QuickBooks", connection_type="DIRECT")
        before = writes(sim)

        broken = run(connection, erp, ramp, PUSH)

        assert broken.state == "failed"
        assert "QuickBooks" in broken.title
        assert "Start a migration" in broken.fix
        mirror = Mirror.objects.get()
        assert (mirror.blocked_code, mirror.blocked_fix) == ("ramp.seat_taken", broken.fix)
        assert writes(sim) == before

    @pytest.mark.matrix("M6")
    def test_one_that_comes_in_the_middle_is_noticed_by_ramps_refusal(
        self, connection: Connection, erp: InMemoryErp, ramp: RampClient, sim: Simulator
    ) -> None:
        vendors(connection, 501)
        business = sim.business("harbor-coffee")
        upload_vendors = ramp.upload_vendors

        def upload_then_lose(rows: Any) -> Any:
            taken = upload_vendors(rows)
            business.occupy_seat(name="QuickBooks", connection_type="DIRECT")
            return taken

        ramp.upload_vendors = upload_then_lose  # type: ignore[method-assign,assignment]

        broken = run(connection, erp, ramp, PUSH)

        assert "QuickBooks" in broken.title
        assert broken.sent == {"vendor": {"create": 500}}, "what arrived before is kept"

    @pytest.mark.matrix("M6")
    def test_is_looked_at_again_before_records_are_blamed_for_a_refusal(
        self, connection: Connection, erp: InMemoryErp, ramp: RampClient, sim: Simulator
    ) -> None:
        accounts(connection, "9100")
        vendors(connection, 40)
        business = sim.business("harbor-coffee")
        upload_gl_accounts = ramp.upload_gl_accounts

        def upload_then_lose(rows: Any) -> Any:
            taken = upload_gl_accounts(rows)
            business.occupy_seat(name="QuickBooks", connection_type="DIRECT")
            return taken

        ramp.upload_gl_accounts = upload_then_lose  # type: ignore[method-assign,assignment]
        sim.fault(
            "answer", "POST /accounting/vendors", status=400, times=None, message="Read-only."
        )

        broken = run(connection, erp, ramp, PUSH)

        assert "QuickBooks" in broken.title
        assert writes(sim)["POST /accounting/vendors"] == 1
        assert not Vendor.objects.exclude(refusal="").exists()

    @pytest.mark.matrix("M6")
    def test_a_direct_connections_lists_do_not_say_that_ours_are_gone(
        self, connection: Connection, erp: InMemoryErp, ramp: RampClient, sim: Simulator
    ) -> None:
        accounts(connection, "9100")
        run(connection, erp, ramp, PUSH)
        sim.business("harbor-coffee").connect_directly("QuickBooks")

        broken = run(connection, erp, ramp, VERIFY)

        assert "QuickBooks" in broken.title
        account = LedgerAccount.objects.get(erp_id="a-9100")
        assert (account.ramp_id is not None, account.ramp_is_active) == (True, True)

    @pytest.mark.matrix("M6")
    def test_one_that_comes_while_ramp_is_read_back_does_not_say_so_either(
        self, connection: Connection, erp: InMemoryErp, ramp: RampClient, sim: Simulator
    ) -> None:
        accounts(connection, "9100")
        run(connection, erp, ramp, PUSH)
        lists = ramp.gl_accounts

        def listed_too_late(**filters: Any) -> Any:
            sim.business("harbor-coffee").connect_directly("QuickBooks")
            return lists(**filters)

        ramp.gl_accounts = listed_too_late  # type: ignore[method-assign]

        broken = run(connection, erp, ramp, VERIFY)

        assert "QuickBooks" in broken.title
        assert LedgerAccount.objects.get(erp_id="a-9100").ramp_id is not None

    def test_is_asked_once_and_only_by_a_run_that_writes(
        self, connection: Connection, erp: InMemoryErp, ramp: RampClient, sim: Simulator
    ) -> None:
        vendors(connection, 501)
        sim.calls.clear()
        run(connection, erp, ramp, PUSH)
        assert sim.calls["GET /accounting/all-connections"] == 1

        run(connection, erp, ramp, PUSH)
        assert sim.calls["GET /accounting/all-connections"] == 1

    def test_a_fresh_one_knows_nothing_of_the_last(
        self, connection: Connection, erp: InMemoryErp, ramp: RampClient
    ) -> None:
        run(connection, erp, ramp, schedule.EVERYTHING)
        ramp.delete_connection()
        services.take_seat(connection, ramp)

        done = run(connection, erp, ramp, PUSH)

        assert done.state == "done"
        assert {one.accounting_connection_id for one in ramp.gl_accounts()} == {
            connection.ramp_connection_id
        }
        assert not LedgerAccount.objects.filter(is_postable=True, ramp_id=None).exists()


class TestVendors:
    def test_that_the_erp_merged_are_followed_after_a_read(
        self, connection: Connection, erp: InMemoryErp, ramp: RampClient
    ) -> None:
        erp.books.put(Master(MasterKind.VENDOR, "v1", "GitHub"))

        done = run(connection, erp, ramp, schedule.EVERYTHING)

        assert done.sent["vendor"]["create"] >= 1


def _refusing(error: ErpError) -> Any:
    def changes(*_: Any, **__: Any) -> Any:
        raise error

    return changes
