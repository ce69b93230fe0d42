"""What accountants change in a real Tryton is on the drift page, and after the upload in Ramp."""

from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import UTC, datetime

import pytest

from connections import secrets, services
from connections.erp.adapters.tryton.adapter import TrytonErp, tryton_erp
from connections.management import tryton_changes
from connections.mirror import plan, schedule
from connections.mirror.refresh import refresh
from connections.mirror.schedule import Due
from connections.models import Connection, Credential, DriftDecision, Mirror, MirrorRun, Vendor
from connections.ramp.client import RampClient
from connections.ramp_simulator.app import Simulator
from tests.connections.world import client_of, new_connection, simulator
from tests.plugins.tryton import TrytonServer

pytestmark = pytest.mark.django_db

READ, UPLOAD = Due(read=True), Due(push=True)
Work = Callable[[Due], MirrorRun]


@pytest.fixture
def sim() -> Iterator[Simulator]:
    with simulator() as running:
        yield running


@pytest.fixture
def ramp(sim: Simulator) -> RampClient:
    return client_of(sim, sim.business("harbor-coffee"))


@pytest.fixture
def erp(tryton_server: TrytonServer) -> TrytonErp:
    return tryton_erp(tryton_server.settings("journey"))


@pytest.fixture
def connection(tryton_server: TrytonServer, ramp: RampClient) -> Connection:
    connection = new_connection(erp_kind="tryton", erp_name="Tryton")
    secrets.keep_credential(connection, Credential.Side.ERP, tryton_server.settings("journey"))
    services.take_seat(connection, ramp)
    return connection


@pytest.fixture
def work(connection: Connection, erp: TrytonErp, ramp: RampClient) -> Work:
    """Do one thing of a refresh, as a worker does when it is due; the whole chart is in Ramp."""

    def do(due: Due) -> MirrorRun:
        schedule.ensure(connection)
        never = dict.fromkeys(("read_due_at", "full_due_at", "push_due_at", "verify_due_at"))
        Mirror.objects.update(**never)
        lease = schedule.take(connection.pk, also=due)
        assert lease is not None
        run = refresh(connection, erp, ramp, due=due, now=datetime.now(UTC), lease=lease)
        assert run.state == MirrorRun.State.DONE, f"{run.title} {run.fix}"
        return run

    do(schedule.EVERYTHING)
    assert drifting(connection) == set()
    return do


def drifting(connection: Connection) -> set[tuple[str, str, str, str]]:
    """Kind, in which way, as Ramp has it, as the ERP has it."""
    rows = plan.drift(connection, limit=500)
    return {(row.kind, row.what, row.before, row.after) for row in rows}


def test_a_new_account_can_be_coded_with(
    connection: Connection, erp: TrytonErp, ramp: RampClient, work: Work
) -> None:
    tryton_changes.new_account(erp.rpc)
    work(READ)
    ((kind, what, before, after),) = drifting(connection)
    assert (kind, what, before) == ("account", "added", "")
    assert after == "6710 Training"
    assert "6710" not in {account.code for account in ramp.gl_accounts()}

    work(UPLOAD)

    assert {account.code: account.name for account in ramp.gl_accounts()}["6710"] == "Training"
    assert drifting(connection) == set()


def test_a_renamed_department_is_renamed(
    connection: Connection, erp: TrytonErp, ramp: RampClient, work: Work
) -> None:
    tryton_changes.rename_department(erp.rpc)
    work(READ)
    ((kind, what, before, after),) = drifting(connection)
    assert (kind, what) == ("option", "renamed")
    assert (before, after) == ("ENG Engineering", "ENG Product engineering")
    assert departments(ramp)["ENG"] == "Engineering"

    work(UPLOAD)

    assert departments(ramp)["ENG"] == "Product engineering"
    assert drifting(connection) == set()


def departments(ramp: RampClient) -> dict[str, str]:
    (field,) = ramp.fields()
    return {option.code: option.value for option in ramp.field_options(field.ramp_id)}


def test_a_closed_account_waits_for_a_person_and_is_then_deactivated(
    connection: Connection, erp: TrytonErp, ramp: RampClient, work: Work
) -> None:
    """M4: nothing of it happens by itself."""
    tryton_changes.close_account(erp.rpc)
    work(READ)
    work(UPLOAD)
    ((kind, what, before, _),) = drifting(connection)
    assert (kind, what) == ("account", "closed")
    assert before == "6999 Old projects"
    assert active_accounts(ramp)["6999"]

    (row,) = plan.drift(connection)
    DriftDecision.objects.create(
        connection=connection, kind="account", erp_id=row.erp_id, action="deactivate", actor="ines"
    )
    work(UPLOAD)

    assert not active_accounts(ramp)["6999"]
    assert drifting(connection) == set()


def active_accounts(ramp: RampClient) -> dict[str, bool]:
    return {account.code: account.is_active for account in ramp.gl_accounts()}


def test_a_new_vendor_can_be_coded_with(
    connection: Connection, erp: TrytonErp, ramp: RampClient, work: Work
) -> None:
    tryton_changes.new_vendor(erp.rpc)
    work(READ)
    ((kind, what, before, after),) = drifting(connection)
    assert (kind, what, before) == ("vendor", "added", "")
    assert after.endswith("Northern Lights Printing")

    work(UPLOAD)

    assert "Northern Lights Printing" in {vendor.name for vendor in ramp.vendors()}
    assert drifting(connection) == set()


def test_a_merged_vendor_names_its_heir_and_waits_for_a_person(
    connection: Connection, erp: TrytonErp, ramp: RampClient, work: Work
) -> None:
    tryton_changes.merge_vendors(erp.rpc)
    work(READ)
    work(UPLOAD)

    twin = Vendor.objects.get(connection=connection, name="ULINE Inc.")
    heir = Vendor.objects.get(connection=connection, name="Uline")
    assert (twin.merged_into, twin.is_active) == (heir.erp_id, False)
    ((kind, what, _, _),) = drifting(connection)
    assert (kind, what) == ("vendor", "closed")
    assert active_vendors(ramp)["ULINE Inc."]

    DriftDecision.objects.create(
        connection=connection, kind="vendor", erp_id=twin.erp_id, action="deactivate", actor="ines"
    )
    work(UPLOAD)

    vendors = active_vendors(ramp)
    assert (vendors["ULINE Inc."], vendors["Uline"]) == (False, True)
    assert drifting(connection) == set()


def active_vendors(ramp: RampClient) -> dict[str, bool]:
    return {vendor.name: vendor.is_active for vendor in ramp.vendors()}


def test_nothing_changed_costs_ramp_no_call(work: Work, sim: Simulator) -> None:
    before = sim.calls.total()

    run = work(replace(READ, full=True, push=True))

    assert sim.calls.total() == before
    assert run.sent == {}
    assert all(count["new"] + count["changed"] == 0 for count in run.seen.values())


def test_taxes_are_there_to_be_chosen(ramp: RampClient, work: Work) -> None:
    """R-46, R-47: rates, and the code that is two of them at once; nothing of sales alone."""
    assert {code.name for code in ramp.tax_codes()} == {"Tax 10%", "Sales tax Denver"}
    assert {rate.name for rate in ramp.tax_rates()} == {
        "Tax 10%",
        "Colorado 2.9 %",
        "Denver 4.81 %",
    }
