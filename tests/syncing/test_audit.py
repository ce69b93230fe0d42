"""Whatever a person does leaves a line with their name, which nobody can change."""

import uuid
from collections.abc import Callable
from datetime import UTC, datetime

import pytest
from django.db import ProgrammingError, transaction
from django.test import Client
from django.urls import reverse

from connections import audit
from connections import services as connection_services
from connections.mapping_book import revisions
from connections.mapping_book.changes import Change
from connections.mirror import decisions, schedule, wishes
from connections.models import (
    AuditLine,
    Chore,
    Connection,
    DriftDecision,
    FieldOwner,
    MappingKind,
    MappingRevision,
    Switch,
    VendorField,
)
from connections.upkeep import chores, lifecycle, switches
from connections.vendor_book import changes, creations, duplicates, links, ownership
from connections.vendor_book.links import Pair
from syncing import resync, services
from tests.factories import (
    PASSWORD,
    AttachmentFactory,
    CustomFieldFactory,
    LedgerAccountFactory,
    PauseFactory,
    RampVendorFactory,
    ScheduleFactory,
    SyncItemFactory,
    UserFactory,
    VendorChangeFactory,
    VendorCreationFactory,
    VendorFactory,
    VendorLinkFactory,
)

pytestmark = pytest.mark.django_db
WHO = "ada"


def customer() -> Connection:
    connection = ScheduleFactory.create().connection
    schedule.ensure(connection)
    return connection


def retry() -> None:
    services.retry_item(item=SyncItemFactory.create(failed=True, connection=customer()), actor=WHO)


def retry_file() -> None:
    services.retry_file(file=AttachmentFactory.create(failed=True), actor=WHO)


def pause() -> None:
    services.pause(connection=customer(), object_type="bill", reason="Audit", actor=WHO)


def resume() -> None:
    pause = PauseFactory.create(connection=customer())
    services.resume(pause=pause, reason="Signed", actor=WHO)


def create_customer() -> None:
    connection_services.create_connection(
        connection_services.NewConnection(
            slug="new",
            name="New",
            time_zone="UTC",
            ramp_client_id="id-1234",
            ramp_client_secret="s",
            erp_kind="ledger",
            erp_name="Ledger",
            erp_settings={},
        ),
        actor=WHO,
    )


def basics() -> None:
    entered = {"name": "A", "owner": "bob", "time_zone": "UTC", "object_types": ["bill"]}
    lifecycle.keep_basics(customer(), entered, actor=WHO)


def decide_drift() -> None:
    decisions.decide(
        customer(),
        kind="vendor",
        erp_id="v1",
        action=DriftDecision.Action.LEAVE,
        actor=WHO,
        reason="",
        unsynced_items=0,
    )


def withdraw_drift() -> None:
    connection = customer()
    DriftDecision.objects.create(
        connection=connection,
        kind="vendor",
        erp_id="v1",
        action=DriftDecision.Action.LEAVE,
        actor="bob",
    )
    assert decisions.withdraw(connection, kind="vendor", erp_id="v1", actor=WHO)


def send_record_again() -> None:
    vendor = VendorFactory.create(refused_content="x")
    assert decisions.try_again(vendor.connection, kind="vendor", erp_id=vendor.erp_id, actor=WHO)


def set_field() -> None:
    field = CustomFieldFactory.create()
    wishes.set_field(field, display_name="Team", is_splittable=True, required_for=(), actor=WHO)


def link() -> None:
    ramp = RampVendorFactory.create()
    vendor = VendorFactory.create(connection=ramp.connection)
    links.want_links(ramp.connection, [Pair(ramp.pk, vendor.erp_id)], actor=WHO, batch=uuid.uuid4())


def link_again() -> None:
    batch = uuid.uuid4()
    refused = VendorLinkFactory.create(state="refused", batch=batch, refusal="No")
    links.want_again(refused.connection, batch=batch, actor=WHO)


def create_vendor() -> None:
    creation = VendorCreationFactory.create(stuck=True)
    creations.create_own(creation, actor=WHO)


def use_vendor() -> None:
    creation = VendorCreationFactory.create(stuck=True)
    creations.use(creation, VendorFactory.create(connection=creation.connection), actor=WHO)


def check_change() -> None:
    change = VendorChangeFactory.create()
    changes.check(change, actor=WHO, reason="Called them", digest=change.digest)


def accept_change() -> None:
    changes.accept(VendorChangeFactory.create(field=VendorField.NAME), actor=WHO)


def reject_change() -> None:
    changes.reject(VendorChangeFactory.create(), actor=WHO, reason="Not theirs")


def separate() -> None:
    duplicates.keep_separate(customer(), ["a", "b"], actor=WHO)


def not_separate() -> None:
    connection = customer()
    duplicates.keep_separate(connection, ["a", "b"], actor="bob")
    assert duplicates.take_back(connection, first="a", second="b", actor=WHO)


def own_field() -> None:
    ownership.set_owner(customer(), field=VendorField.NAME, owner=FieldOwner.Owner.RAMP, actor=WHO)


def change_mapping() -> None:
    account = LedgerAccountFactory.create()
    revisions.save(
        account.connection,
        [Change(MappingKind.GL_ACCOUNT, "7100", account.erp_id)],
        actor=WHO,
        reason="New chart",
        source=MappingRevision.Source.WORKBENCH,
    )


ACTS: dict[str, Callable[[], object]] = {
    "items.retry": retry,
    "files.retry": retry_file,
    "posting.pause": pause,
    "posting.resume": resume,
    "runs.ask": lambda: services.poll_now(customer(), WHO),
    "runs.compare": lambda: services.compare_now(customer(), WHO),
    "runs.resync": lambda: resync.resync(customer(), actor=WHO),
    "connection.create": create_customer,
    "connection.basics": basics,
    "connection.check": lambda: chores.want(customer(), Chore.Kind.CHECK, actor=WHO),
    "connection.disconnect": lambda: chores.want(customer(), Chore.Kind.DISCONNECT, actor=WHO),
    "connection.switch": lambda: switches.wish(
        customer(), Switch.Name.VENDOR_CREDITS, on=True, actor=WHO
    ),
    "chart.read": lambda: schedule.read_soon(customer().pk, actor=WHO),
    "chart.upload": lambda: schedule.upload_soon(customer().pk, actor=WHO),
    "chart.verify": lambda: schedule.verify_soon(customer().pk, actor=WHO),
    "chart.automatic": lambda: wishes.set_automatic(customer(), is_automatic=False, actor=WHO),
    "chart.field": set_field,
    "chart.decide": decide_drift,
    "chart.withdraw": withdraw_drift,
    "chart.again": send_record_again,
    "vendors.link": link,
    "vendors.link_again": link_again,
    "vendors.create": create_vendor,
    "vendors.create ": use_vendor,
    "vendors.check": check_change,
    "vendors.accept": accept_change,
    "vendors.reject": reject_change,
    "vendors.separate": separate,
    "vendors.not_separate": not_separate,
    "vendors.owner": own_field,
    "mappings.workbench": change_mapping,
}


@pytest.mark.parametrize("act", ACTS)
def test_an_act_of_a_person_leaves_a_line_that_the_database_refuses_to_change(act: str) -> None:
    ACTS[act]()

    line = AuditLine.objects.get(actor=WHO)
    assert line.act == act.strip()
    assert line.text.endswith(".") or ":" in line.text
    assert line.connection_id is not None
    for change in (lambda: AuditLine.objects.update(actor="bob"), AuditLine.objects.all().delete):
        with pytest.raises(ProgrammingError, match="Cannot update or delete"), transaction.atomic():
            change()
    assert AuditLine.objects.filter(actor=WHO).count() == 1


def test_what_was_not_done_leaves_no_line() -> None:
    item = SyncItemFactory.create(acked=True)

    with pytest.raises(services.NotRetryable):
        services.retry_item(item=item, actor=WHO)

    assert not AuditLine.objects.exists()


def test_nor_does_what_follows_from_it_by_itself() -> None:
    connection = customer()
    schedule.verify_soon(connection.pk, actor="")
    chores.want(connection, Chore.Kind.CHECK, actor=WHO, follows=True)

    assert not AuditLine.objects.exists()


def test_signing_in_and_out_leaves_lines(client: Client) -> None:
    UserFactory.create(username=WHO, roles=["support"])

    client.post(reverse("account_login"), {"login": WHO, "password": PASSWORD})
    client.post(reverse("account_logout"))

    lines = AuditLine.objects.order_by("id").values_list("actor", "act")
    assert list(lines) == [(WHO, "account.sign_in"), (WHO, "account.sign_out")]


def test_a_line_says_when_by_the_databases_clock() -> None:
    before = datetime(2026, 1, 1, tzinfo=UTC)

    line = audit.record(WHO, "items.retry", "Retried.")

    line.refresh_from_db()
    assert line.at > before
