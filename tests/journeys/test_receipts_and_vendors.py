"""Over real HTTP: a merchant becomes a vendor on both sides, and receipts reach the document."""

import uuid
from collections.abc import Callable

import pytest

from connections import clients
from connections.erp.adapters.in_memory import InMemoryErp
from connections.erp.records import Document, MasterKind
from connections.models import Connection, Switch, VendorCreation
from connections.ramp_simulator.app import Simulator
from connections.ramp_simulator.handles import BusinessHandle
from connections.upkeep import switches
from syncing import attachments, errands, tasks
from syncing.models import Attachment, ItemPayload, SyncItem
from tests.syncing.world import let_time_pass

pytestmark = pytest.mark.django_db(transaction=True)

Work = Callable[[], None]


@pytest.fixture
def rung(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """The names of the doorbells that were rung, in order."""
    names: list[str] = []

    def note(doorbell: tasks.Doorbell, **_: str) -> None:
        names.append(doorbell.name.rpartition(".")[2])

    monkeypatch.setattr(tasks, "ring", note)
    return names


def test_a_receipt_follows_its_transaction_and_a_late_one_too(
    business: BusinessHandle, erp: InMemoryErp, customer: Connection, work: Work, rung: list[str]
) -> None:
    bought = business.create_transaction("18.40", account_code="6300", ready=True)
    work()
    tasks.sweep()
    assert "send_evidence" in rung

    tasks.send_evidence(connection_id=str(customer.pk))
    late = business.add_receipt(bought.id)
    attachments.look_again(customer.pk, "transaction", uuid.UUID(bought.id))
    tasks.send_evidence(connection_id=str(customer.pk))
    tasks.send_evidence(connection_id=str(customer.pk))

    item = SyncItem.objects.get(ramp_id=bought.id)
    document = Document.from_json(ItemPayload.objects.get(item=item).document)  # type: ignore[arg-type]
    assert [file.source for file in erp.books.files(document.ref)] == [*bought.receipts]
    assert bought.receipts[-1] == late.id
    assert {file.state for file in Attachment.objects.all()} == {"attached"}
    assert len(erp.books.entries) == 1
    assert errands.due() == []


@pytest.mark.matrix("X24")
def test_a_merchant_becomes_a_vendor_and_its_transaction_goes_through(
    ramp: Simulator,
    business: BusinessHandle,
    erp: InMemoryErp,
    customer: Connection,
    work: Work,
    rung: list[str],
) -> None:
    switches.set_switch(
        customer, clients.ramp_client(customer), Switch.Name.VENDOR_CREATION, on=True, actor="maya"
    )
    bought = business.create_transaction(
        "18.40", account_code="6300", merchant="Kaffeehaus Mitte", ready=True
    )
    work()
    item = SyncItem.objects.get(ramp_id=bought.id)
    assert item.error_title.startswith("Waits for the vendor Kaffeehaus Mitte")
    tasks.sweep()
    assert "create_vendors" in rung

    tasks.create_vendors(connection_id=str(customer.pk))
    let_time_pass(5)
    work()

    item.refresh_from_db()
    assert item.state == "ACKED"
    (made,) = (
        one
        for one in erp.books.masters.values()
        if one.kind == MasterKind.VENDOR and one.name == "Kaffeehaus Mitte"
    )
    (shown,) = (
        one for one in ramp.world.vendors.of(business.key) if one.name == "Kaffeehaus Mitte"
    )
    assert shown.external_id == made.id
    assert business.transaction(bought.id).coded_vendor_id == shown.id
    assert VendorCreation.objects.get().due_at is None
    assert [errand for errand, _ in errands.due()] == [errands.Errand.FILES], "its receipt follows"


def test_switching_vendor_creation_is_read_back(
    business: BusinessHandle, erp: InMemoryErp, customer: Connection
) -> None:
    ramp = clients.ramp_client(customer)

    switches.set_switch(customer, ramp, Switch.Name.VENDOR_CREATION, on=True, actor="maya")
    assert customer.ramp_connection_id is not None
    shown = ramp.connection(customer.ramp_connection_id).settings
    assert shown is not None
    assert shown["transaction_accounting_vendor_creation_on_sync_enabled"]

    switches.set_switch(customer, ramp, Switch.Name.VENDOR_CREATION, on=False, actor="maya")
    shown = ramp.connection(customer.ramp_connection_id).settings
    assert shown is not None
    assert not shown["transaction_accounting_vendor_creation_on_sync_enabled"]
