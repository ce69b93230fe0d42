"""Receipts and invoices on their way to the ERP's document (F-21, F-22)."""

import uuid
from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta
from typing import Any

import httpx
import pytest
from django.db import connection as database
from django.utils import timezone

from connections.erp.errors import Code, Outcome
from connections.erp.records import Capabilities, Document, Evidence, Idempotency, Vendor
from connections.erp.refusals import refusal
from connections.mappings import Target
from connections.ramp.files import FileStore
from connections.ramp_simulator.records import Transaction
from syncing import attachments, errands, evidence, file_claims
from syncing.errands import Errand
from syncing.evidence import RETRY_BUDGET, Courier
from syncing.models import Attachment, ItemEvent, ItemPayload, SyncItem
from tests.syncing.ramp import BASE_URL, Customer

pytestmark = pytest.mark.django_db


def let_files_age(seconds: float) -> None:
    with database.cursor() as cursor:
        cursor.execute(
            "UPDATE syncing_attachment SET due_at = due_at - %s::interval,"
            " lease_until = lease_until - %s::interval",
            [f"{seconds} seconds"] * 2,
        )


class Host(httpx.WSGITransport):
    """Where receipts are kept: the pretend Ramp itself, or what the test says."""

    answer: Callable[[httpx.Request], httpx.Response | None] | None = None
    downloads = 0

    def handle_request(self, request: httpx.Request) -> httpx.Response:
        self.downloads += 1
        answer = self.answer(request) if self.answer else None
        return answer or super().handle_request(request)


class Desk(Customer):
    """A customer whose card transactions have receipts."""

    def __init__(self, **options: Any) -> None:
        super().__init__(**options)
        self.erp = self.world.erp
        self.host = Host(app=self.sim.wsgi)
        self.files = FileStore(ramp_url=BASE_URL, hosts=(), http=httpx.Client(transport=self.host))

    def posted(self, **details: Any) -> tuple[Transaction, SyncItem]:
        """A transaction that is in the ERP."""
        bought = self.spend(**details)
        self.pull()
        self.post()
        return bought, SyncItem.objects.get(ramp_id=bought.id)

    def send(self) -> int:
        courier = Courier(self.connection, self.ramp, self.erp, self.files, lambda: 0.5)
        return evidence.send_due(courier)

    def send_until_quiet(self) -> None:
        for _ in range(3 * RETRY_BUDGET):
            let_files_age(7200)
            if not self.send():
                return
        raise AssertionError("There is still something to send.")

    def attached(self, item: SyncItem) -> list[Evidence]:
        """The files of an item's one document in the ERP."""
        document = Document.from_json(ItemPayload.objects.get(item=item).document)  # type: ignore[arg-type]
        assert len(self.erp.books.under(document.ref)) == 1, "one document, whatever its files do"
        return self.erp.books.files(document.ref)


@pytest.fixture
def desk() -> Desk:
    return Desk()


def file_of(item: SyncItem) -> Attachment:
    return Attachment.objects.get(item=item)


def lines(item: SyncItem, kind: str) -> list[str]:
    found = ItemEvent.objects.filter(item=item, kind=kind).order_by("id")
    return list(found.values_list("text", flat=True))


class TestAFileReachesTheDocument:
    def test_with_its_content_and_a_name_that_people_find(self, desk: Desk) -> None:
        bought, item = desk.posted(merchant="Figma")

        desk.send()

        (file,) = desk.attached(item)
        assert file.source == bought.receipts[0]
        assert file.name.startswith("Receipt Figma.")
        assert file.content[:4] in (b"%PDF", b"\x89PNG")
        kept = file_of(item)
        assert (kept.state, kept.size, kept.is_late) == ("attached", len(file.content), False)
        assert lines(item, "attached") == [file.name]

    def test_is_queued_in_the_statement_that_posts_the_item(self, desk: Desk) -> None:
        _, item = desk.posted()

        assert file_of(item).state == "due"
        assert errands.due() == [(Errand.FILES, desk.connection.pk)]

    @pytest.mark.parametrize("odd", [None, "r1", {"id": "r1"}, [None, "", {"url": "x"}]])
    def test_receipts_of_an_unknown_form_do_not_stop_the_post(
        self, desk: Desk, odd: object
    ) -> None:
        bought = desk.spend()
        desk.pull()
        item = desk.item(bought)
        payload = ItemPayload.objects.get(item=item)
        payload.ramp["receipts"] = odd
        payload.save()

        desk.post()

        assert desk.state(bought) == "POSTED"
        assert not Attachment.objects.exists()

    def test_receipts_may_be_records_with_an_id(self, desk: Desk) -> None:
        bought = desk.spend()
        desk.pull()
        payload = ItemPayload.objects.get(item=desk.item(bought))
        payload.ramp["receipts"] = [{"id": bought.receipts[0]}]
        payload.save()

        desk.post()

        assert Attachment.objects.get().source == bought.receipts[0]

    def test_an_item_without_receipts_has_nothing_to_send(self, desk: Desk) -> None:
        desk.posted(has_receipt=False)

        assert errands.due() == []
        assert desk.send() == 0

    def test_nothing_is_sent_before_the_item_is_posted(self, desk: Desk) -> None:
        desk.spend()
        desk.pull()

        assert not Attachment.objects.exists()

    def test_twice_sent_is_attached_once(self, desk: Desk) -> None:
        _, item = desk.posted()
        desk.erp.faults.lose_attach_answers = 1

        desk.send_until_quiet()

        assert len(desk.attached(item)) == 1
        assert file_of(item).state == "attached"

    def test_each_of_several_files_goes_its_own_way(self, desk: Desk) -> None:
        bought = desk.spend()
        desk.business.add_receipt(bought.id)
        desk.pull()
        desk.post()
        item = SyncItem.objects.get(ramp_id=bought.id)
        good, bad = Attachment.objects.filter(item=item).order_by("id")
        desk.erp.faults.refuse[bad.source] = refusal(Code.REJECTED_PAYLOAD, erp="Ledger")

        desk.send()

        states = Attachment.objects.order_by("id").values_list("state", flat=True)
        assert list(states) == ["attached", "failed"]
        assert [file.source for file in desk.attached(item)] == [good.source]


class TestAFileThatFails:
    def failing(self, desk: Desk, answer: httpx.Response) -> SyncItem:
        _, item = desk.posted()
        desk.host.answer = lambda _: answer
        return item

    def test_is_tried_again_and_then_given_up_in_words(self, desk: Desk) -> None:
        item = self.failing(desk, httpx.Response(500))

        desk.send_until_quiet()

        file = file_of(item)
        assert file.state == "failed"
        assert file.attempts == RETRY_BUDGET
        assert desk.host.downloads == RETRY_BUDGET
        assert lines(item, "not_attached") == [file.error_title + " " + file.error_fix]
        assert f"in {RETRY_BUDGET} attempts" in file.error_title

    def test_waits_longer_each_time(self, desk: Desk) -> None:
        self.failing(desk, httpx.Response(500))
        waits = []

        for _ in range(4):
            desk.send()
            with database.cursor() as cursor:
                cursor.execute("SELECT extract(epoch FROM due_at - now()) FROM syncing_attachment")
                waits.append(float(cursor.fetchone()[0]))
            let_files_age(7200)

        assert waits == sorted(waits)
        assert waits[0] >= 1
        assert waits[-1] > 2 * waits[0]

    def test_leaves_the_item_and_its_one_document_alone(self, desk: Desk) -> None:
        item = self.failing(desk, httpx.Response(500))

        desk.send_until_quiet()
        desk.report_until_quiet()
        desk.pull()
        desk.post()

        item.refresh_from_db()
        assert item.state == "ACKED"
        assert item.error_title == ""
        assert desk.attached(item) == []
        assert len(desk.erp.books.entries) == 1

    def test_comes_through_once_the_host_is_back(self, desk: Desk) -> None:
        item = self.failing(desk, httpx.Response(503))
        desk.send()

        desk.host.answer = None
        desk.send_until_quiet()

        assert len(desk.attached(item)) == 1
        assert file_of(item).error_title == ""
        assert lines(item, "not_attached") == []

    def test_a_host_that_is_not_named_gets_no_request(self, desk: Desk) -> None:
        _, item = desk.posted()
        desk.files = FileStore(
            ramp_url="https://api.ramp.com", hosts=(), http=httpx.Client(transport=desk.host)
        )

        desk.send()

        file = file_of(item)
        assert desk.host.downloads == 0
        assert file.state == "failed"
        assert "RECEIPT_HOSTS" in file.error_fix

    def test_one_that_is_gone_from_ramp_is_not_asked_for_again(self, desk: Desk) -> None:
        bought, item = desk.posted()
        receipt = desk.sim.world.receipts.get(bought.receipts[0])
        assert receipt is not None
        desk.sim.world.receipts.remove(receipt)

        desk.send()

        assert file_of(item).state == "failed"
        assert file_of(item).error_title == "The receipt is no longer in Ramp."

    def test_a_file_too_large_for_the_erp_says_so(self, desk: Desk) -> None:
        _, item = desk.posted()
        desk.erp._capabilities = Capabilities(
            documents=frozenset(),
            idempotency=Idempotency.UNIQUE_KEY,
            attachments=True,
            largest_attachment=10,
        )

        desk.send()

        assert file_of(item).error_title == "The file is too large to be attached."

    def test_an_erp_that_takes_no_files_is_said_once(self, desk: Desk) -> None:
        _, item = desk.posted()
        desk.erp._capabilities = Capabilities(
            documents=frozenset(), idempotency=Idempotency.UNIQUE_KEY
        )

        desk.send()
        desk.send()

        assert file_of(item).state == "skipped"
        assert lines(item, "not_attached") == ["Ledger takes no files."]
        assert errands.due() == []

    @pytest.mark.matrix("X21")
    def test_one_that_no_worker_survives_is_given_up(
        self, desk: Desk, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        class Killed(BaseException):
            pass

        def kill(*_: object) -> None:
            raise Killed

        _, item = desk.posted()
        with monkeypatch.context() as patch:
            patch.setattr(desk.erp, "attach", kill)
            for _ in range(RETRY_BUDGET):
                with pytest.raises(Killed):
                    desk.send()
                let_files_age(file_claims.LEASE_SECONDS + 1)

        desk.send()

        assert file_of(item).state == "failed"
        assert "no worker survived" in file_of(item).error_title

    def test_a_bug_of_ours_is_the_files_trouble_only(
        self, desk: Desk, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        _, item = desk.posted()
        monkeypatch.setattr(desk.erp, "attach", lambda *_: 1 / 0)

        desk.send()

        assert file_of(item).state == "failed"
        assert "ZeroDivisionError" in file_of(item).error_detail


class TestWhatStopsAConnection:
    def test_a_silent_erp_is_asked_with_one_file_only(self, desk: Desk) -> None:
        for _ in range(3):
            desk.posted()
        silence = refusal(Code.ERP_UNAVAILABLE, erp="Ledger", outcome=Outcome.NOT_POSTED)
        desk.erp.faults.refuse_with = silence

        desk.send()

        assert desk.erp.calls.count("attach") == 1
        assert errands.due() == []
        assert {file.state for file in Attachment.objects.all()} == {"due"}

        desk.erp.faults.refuse_with = None
        desk.send_until_quiet()
        assert Attachment.objects.filter(state="attached").count() == 3

    def test_a_revoked_access_costs_no_file_its_tries(self, desk: Desk) -> None:
        _, item = desk.posted()
        desk.erp.faults.refuse_with = refusal(Code.AUTH_EXPIRED, erp="Ledger")

        for _ in range(RETRY_BUDGET + 2):
            desk.send()
            let_files_age(7200)

        file = file_of(item)
        assert (file.state, file.attempts) == ("due", 0)
        assert "sign-in" in file.error_title
        assert lines(item, "not_attached") == []

    def test_a_missing_permission_in_ramp_waits_for_a_person(self, desk: Desk) -> None:
        _, item = desk.posted()
        desk.business.grant_scopes(["accounting:read", "accounting:write", "transactions:read"])
        desk.business.revoke_tokens()

        desk.send()

        file = file_of(item)
        assert (file.state, file.attempts) == ("due", 0)
        assert "receipts:read" in file.error_title

    def test_files_wait_while_the_erp_is_to_be_left_alone(self, desk: Desk) -> None:
        desk.posted()
        with database.cursor() as cursor:
            cursor.execute("UPDATE syncing_schedule SET resume_at = now() + interval '1 minute'")

        assert errands.due() == []

    def test_a_file_of_an_item_in_doubt_waits(self, desk: Desk) -> None:
        _, item = desk.posted()
        desk.report_until_quiet()
        SyncItem.objects.filter(pk=item.pk).update(state="MISMATCH")
        let_files_age(3600)

        assert desk.send() == 0

        assert errands.due() == [], "nobody rings for it over and over"
        assert desk.host.downloads == 0

    def test_two_workers_carry_no_file_twice(self, desk: Desk) -> None:
        desk.posted()
        one, other = uuid.uuid4(), uuid.uuid4()

        first = file_claims.claim(desk.connection.pk, one, 5)
        second = file_claims.claim(desk.connection.pk, other, 5)

        assert (len(first), len(second)) == (1, 0)

    @pytest.mark.matrix("X12")
    def test_who_lost_its_lease_writes_nothing(self, desk: Desk) -> None:
        _, item = desk.posted()
        (file,) = file_claims.claim(desk.connection.pk, uuid.uuid4(), 5)

        wrote = file_claims.record_attached(
            file, uuid.uuid4(), erp_id="F1", name="Receipt.pdf", size=1
        )

        assert wrote == 0
        assert file_of(item).state == "sending"
        assert lines(item, "attached") == []


class TestInvoicesOfBills:
    @pytest.fixture
    def desk(self) -> Desk:
        desk = Desk(types=("bill",))
        uline = desk.erp.upsert_vendor(Vendor("uline", "Uline"))
        desk.business.upload_chart(vendors=[{"id": uline.id, "name": "Uline"}])
        desk.world.mappings = replace(
            desk.world.mappings, vendors={uline.id: Target(uline.id, "Uline")}
        )
        return desk

    def booked(self, desk: Desk, **details: Any) -> SyncItem:
        bill = desk.business.create_bill(180, account_code="6200", **details)
        desk.pull()
        desk.post()
        return SyncItem.objects.get(ramp_id=bill.id, object_type="bill")

    def test_reach_the_bill_in_the_erp(self, desk: Desk) -> None:
        item = self.booked(desk)

        desk.send()

        (file,) = desk.attached(item)
        assert file.name == "Invoice Uline.pdf"
        assert file.content.startswith(b"%PDF")
        assert file_of(item).url == "", "a signed address is not kept longer than it is needed"

    def test_are_asked_for_again_when_their_address_has_run_out(self, desk: Desk) -> None:
        item = self.booked(desk)
        stale = file_of(item).url.replace("signature=", "signature=0")
        Attachment.objects.update(url=stale)

        desk.send()

        assert len(desk.attached(item)) == 1

    def test_that_ramp_no_longer_lists_are_given_up_in_words(self, desk: Desk) -> None:
        item = self.booked(desk)
        Attachment.objects.update(source="0" * 64, url=BASE_URL + "/_files/gone.pdf?signature=0")

        desk.send_until_quiet()

        assert file_of(item).state == "failed"
        assert desk.attached(item) == []


class TestLateReceipts:
    def reported(self, desk: Desk) -> tuple[Transaction, SyncItem]:
        bought, item = desk.posted(has_receipt=False)
        desk.report_until_quiet()
        item.refresh_from_db()
        assert item.state == "ACKED"
        return bought, item

    def test_a_webhook_brings_one_after_the_item_is_through(self, desk: Desk) -> None:
        bought, item = self.reported(desk)
        late = desk.business.add_receipt(bought.id)

        attachments.look_again(desk.connection.pk, "transaction", uuid.UUID(bought.id))
        desk.send_until_quiet()

        assert [file.source for file in desk.attached(item)] == [late.id]
        assert file_of(item).is_late
        item.refresh_from_db()
        assert item.state == "ACKED"

    def test_a_webhook_before_the_post_is_remembered_until_then(self, desk: Desk) -> None:
        bought = desk.spend(has_receipt=False)
        desk.pull()
        late = desk.business.add_receipt(bought.id)

        attachments.look_again(desk.connection.pk, "transaction", uuid.UUID(bought.id))
        assert errands.due() == []
        desk.post()
        desk.send_until_quiet()

        item = SyncItem.objects.get(ramp_id=bought.id)
        assert [file.source for file in desk.attached(item)] == [late.id]

    def test_ten_webhooks_are_one_wish(self, desk: Desk) -> None:
        bought, item = self.reported(desk)
        desk.business.add_receipt(bought.id)

        for _ in range(10):
            attachments.look_again(desk.connection.pk, "transaction", uuid.UUID(bought.id))

        assert Attachment.objects.filter(item=item).count() == 1

    def test_a_wish_made_while_one_is_granted_is_not_lost(self, desk: Desk) -> None:
        bought, item = self.reported(desk)
        attachments.look_again(desk.connection.pk, "transaction", uuid.UUID(bought.id))
        token = uuid.uuid4()
        (wish,) = file_claims.claim(desk.connection.pk, token, 5)

        attachments.look_again(desk.connection.pk, "transaction", uuid.UUID(bought.id))
        file_claims.fulfilled(wish, token)

        assert file_of(item).state == "due"

    def test_a_webhook_of_an_unknown_object_changes_nothing(self, desk: Desk) -> None:
        assert attachments.look_again(desk.connection.pk, "transaction", uuid.uuid4()) == 0
        assert not Attachment.objects.exists()

    def test_the_daily_look_finds_what_no_webhook_told(self, desk: Desk) -> None:
        bought, item = self.reported(desk)
        late = desk.business.add_receipt(bought.id)
        since = timezone.now() - timedelta(days=2)

        assert evidence.look_for_late(desk.connection, desk.ramp, since=since) == 1
        desk.send_until_quiet()

        assert [file.source for file in desk.attached(item)] == [late.id]
        assert evidence.look_for_late(desk.connection, desk.ramp, since=since) == 0

    def test_the_daily_look_gives_a_failed_file_another_chance_and_one_line(
        self, desk: Desk
    ) -> None:
        bought, item = desk.posted()
        desk.report_until_quiet()
        source = bought.receipts[0]
        desk.erp.faults.refuse[source] = refusal(Code.REJECTED_PAYLOAD, erp="Ledger")
        desk.send()
        since = timezone.now() - timedelta(days=2)

        evidence.look_for_late(desk.connection, desk.ramp, since=since)
        desk.send()
        assert len(lines(item, "not_attached")) == 1, "the same reason is not told twice"

        del desk.erp.faults.refuse[source]
        evidence.look_for_late(desk.connection, desk.ramp, since=since)
        desk.send()
        assert file_of(item).state == "attached"
