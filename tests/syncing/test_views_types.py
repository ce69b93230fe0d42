"""Items of every type: lists, the three-way box, the document, what belongs together, files."""

import re
from datetime import timedelta
from typing import Any

import pytest
from django.test import Client
from django.urls import reverse

from connections.models import Connection
from syncing.models import ItemEvent, ItemPayload, SyncItem
from syncing.queries.words import Word, type_label, word_of
from syncing.views import ramp_object
from tests import spend
from tests.browser import every_type
from tests.browser.every_type import item_of
from tests.factories import (
    AttachmentFactory,
    ConnectionFactory,
    LedgerAccountFactory,
    ReconciliationFactory,
    ScheduleFactory,
    SyncItemFactory,
    UserFactory,
    VendorCreationFactory,
    VendorFactory,
    now,
    transaction_json,
)

pytestmark = pytest.mark.django_db


@pytest.fixture
def connection() -> Connection:
    connection: Connection = ScheduleFactory.create(connection__slug="harbor").connection
    VendorFactory.create(connection=connection, erp_id="acme", name="Acme Hosting")
    return connection


@pytest.fixture
def support(client: Client) -> Client:
    client.force_login(UserFactory.create(username="maya", roles=["support"]))
    return client


def page(client: Client, item: SyncItem) -> str:
    response = client.get(reverse("item", args=[item.pk]))
    assert response.status_code == 200, response.status_code
    return response.content.decode()


def cells(html: str, question: str) -> list[str]:
    """What the three say to one question of the box, as text."""
    row = re.search(rf'<th scope="row">\s*{question}.*?</tr>', html, re.DOTALL)
    assert row, question
    found = re.findall(r"<td.*?</td>", row[0], re.DOTALL)
    return [" ".join(re.sub(r"<[^>]+>", " ", cell).split()) for cell in found]


def amounts(html: str, question: str = "Amount") -> list[str]:
    return [cell.replace(" as sent", "") for cell in cells(html, question)]


THROUGH: dict[str, Any] = {"acked": True, "erp_ref": "ramp-harbor-1", "erp_number": "DOC-1"}
BODIES: dict[str, tuple[dict[str, Any], str]] = {
    "reimbursement": (spend.reimbursement(90_00), "90.00 USD"),
    "bill": (spend.bill(110_00), "110.00 USD"),
    "bill_payment": (spend.paid(spend.bill(110_00)), "110.00 USD"),
    "transfer": (spend.transfer(5_000_00), "5,000.00 USD"),
    "cashback": (spend.cashback(12_34), "12.34 USD"),
    "vendor_credit": (spend.vendor_credit(30_00), "30.00 USD"),
}


class TestEveryType:
    @pytest.mark.parametrize("object_type", BODIES)
    def test_all_three_agree_on_the_amount(
        self, support: Client, connection: Connection, object_type: str
    ) -> None:
        body, amount = BODIES[object_type]
        item = item_of(connection, object_type, body, **THROUGH)

        html = page(support, item)

        assert amounts(html) == [amount] * 3
        assert 'class="differs"' not in html
        assert "Balanced" in html
        assert type_label(object_type) in html

    @pytest.mark.parametrize("object_type", BODIES)
    def test_has_a_list_of_its_own(
        self, support: Client, connection: Connection, object_type: str
    ) -> None:
        every_type.add(connection)
        expected = SyncItem.objects.filter(object_type=object_type).count()

        html = support.get(reverse("items"), {"state": "all", "type": object_type})

        text = html.content.decode()
        assert text.count("data-row") == expected > 0
        assert f'value="{object_type}" selected' in re.sub(r"\s+", " ", text)

    def test_yen_have_no_decimals(self, support: Client, connection: Connection) -> None:
        yen = spend.reimbursement(12_800, "JPY")
        item = item_of(connection, "reimbursement", yen, **THROUGH)

        assert amounts(page(support, item)) == ["12,800 JPY"] * 3

    def test_a_refund_keeps_its_sign_on_all_sides(
        self, support: Client, connection: Connection
    ) -> None:
        item = SyncItemFactory.create(connection=connection, amount_minor=-45_00, **THROUGH)
        ItemPayload.objects.create(
            item=item, ramp=transaction_json(item), document=every_type.document(item)
        )

        assert amounts(page(support, item)) == ["\N{MINUS SIGN}45.00 USD"] * 3

    @pytest.mark.parametrize("object_type", BODIES)
    def test_what_breaks_the_contract_still_has_a_page(
        self, support: Client, connection: Connection, object_type: str
    ) -> None:
        item = item_of(connection, object_type, BODIES[object_type][0])
        ItemPayload.objects.filter(item=item).update(ramp={"amount": ["surprise"]})

        assert "Not read yet" in page(support, item) or object_type == "vendor_credit"

    def test_types_and_states_of_newer_code_break_nothing(
        self, support: Client, connection: Connection
    ) -> None:
        item = SyncItemFactory.create(connection=connection, object_type="of_tomorrow")
        ItemPayload.objects.create(item=item, ramp={"sync_status": "HALF_SYNCED"})

        assert "Of tomorrow" in page(support, item)
        assert "Half synced" in page(support, item)
        assert support.get(reverse("items")).status_code == 200
        assert support.get(reverse("overview")).status_code == 200
        assert word_of("NEWER", "") == Word.NEEDS_PERSON


class TestDocument:
    def test_a_bill_shows_what_is_owed_and_its_tax(
        self, support: Client, connection: Connection
    ) -> None:
        item = item_of(connection, "bill", spend.bill(110_00), **THROUGH)

        html = page(support, item)

        for words in ("Payables to Acme Hosting", "VAT10", "100.00", "10.00"):
            assert words in html, words

    def test_a_payment_takes_the_money_from_the_bank(
        self, support: Client, connection: Connection
    ) -> None:
        LedgerAccountFactory.create(connection=connection, erp_id="2150", code="1010", name="Bank")
        item = item_of(connection, "bill_payment", spend.paid(spend.bill(110_00)), **THROUGH)

        html = page(support, item)

        assert "1010 Bank" in html
        assert "Payables to Acme Hosting" in html

    def test_a_payment_of_several_bills_names_the_whole(
        self, support: Client, connection: Connection
    ) -> None:
        body = spend.paid(spend.bill(110_00), spend.payment(900_00))

        html = page(support, item_of(connection, "bill_payment", body))

        assert "Paid together with others" in html
        assert "900.00" in html


class TestProof:
    def item(self, connection: Connection) -> SyncItem:
        values = THROUGH | {"ready_at": now() - timedelta(days=2)}
        return item_of(connection, "cashback", BODIES["cashback"][0], **values)

    def test_the_erp_is_believed_once_a_comparison_has_seen_it(
        self, support: Client, connection: Connection
    ) -> None:
        item = self.item(connection)
        assert cells(page(support, item), "Amount")[2].endswith("as sent")

        ReconciliationFactory.create(connection=connection)

        assert "seen there" in cells(page(support, item), "Amount")[2]

    @pytest.mark.parametrize(
        "run",
        [
            {"problem": "Tryton did not answer."},
            {"in_erp": 0},
            {"finished_at": None},
            {"started_at": now() - timedelta(days=3)},
        ],
    )
    def test_not_by_one_that_was_not_whole_or_came_before(
        self, support: Client, connection: Connection, run: dict[str, Any]
    ) -> None:
        item = self.item(connection)

        ReconciliationFactory.create(connection=connection, **run)

        assert "seen there" not in page(support, item)

    def test_nor_by_another_customers(self, support: Client, connection: Connection) -> None:
        item = self.item(connection)

        ReconciliationFactory.create()

        assert "seen there" not in page(support, item)

    def test_what_was_found_to_differ_is_marked(
        self, support: Client, connection: Connection
    ) -> None:
        every_type.add(connection)
        item = SyncItem.objects.get(state="MISMATCH")

        html = page(support, item)

        assert 'class="differs"' in html
        assert cells(html, "Status")[2].startswith("Not as we booked it")
        assert "as we sent it" in html


class TestBelongsTogether:
    def hrefs(self, html: str) -> set[str]:
        return set(re.findall(r'id="other-(\d+)"', html))

    def test_bill_payment_and_card_transaction_lead_to_each_other(
        self, support: Client, connection: Connection
    ) -> None:
        every_type.paid_by_card(connection)
        items = list(SyncItem.objects.all())
        assert len(items) == 3

        for item in items:
            others = {str(other.pk) for other in items if other != item}
            assert self.hrefs(page(support, item)) == others, item.object_type

    def test_a_credit_leads_to_the_bill_it_was_set_off_against(
        self, support: Client, connection: Connection
    ) -> None:
        bill = item_of(connection, "bill", spend.bill())
        every_type.vendor_credit(connection, bill)

        credit = SyncItem.objects.get(object_type="vendor_credit")

        assert self.hrefs(page(support, credit)) == {str(bill.pk)}

    def test_nothing_of_another_customer_belongs(
        self, support: Client, connection: Connection
    ) -> None:
        body = spend.paid(spend.bill())
        bill = item_of(connection, "bill", body)
        item_of(ConnectionFactory.create(), "bill_payment", body)

        assert self.hrefs(page(support, bill)) == set()

    def test_a_payment_settled_by_card_has_no_document_of_its_own(
        self, support: Client, connection: Connection
    ) -> None:
        every_type.paid_by_card(connection)
        payment = SyncItem.objects.get(object_type="bill_payment")

        assert cells(page(support, payment), "Status")[2].startswith("Settled")


class TestWaiting:
    def test_a_payment_says_which_bill_it_waits_for_and_leads_there(
        self, support: Client, connection: Connection
    ) -> None:
        every_type.bill_that_waits(connection)
        bill = SyncItem.objects.get(object_type="bill")
        payment = SyncItem.objects.get(object_type="bill_payment")

        html = page(support, payment)

        assert f"Waits for its bill Acme Hosting ({bill.reference})" in html
        link = html.split('id="waits-for"')[1].split("</a>")[0]
        assert reverse("item", args=[bill.pk]) in link
        assert "Retry now" not in html

    def test_a_transaction_says_which_vendor_and_why_there_is_none(
        self, support: Client, connection: Connection
    ) -> None:
        wanted = VendorCreationFactory.create(connection=connection, stuck=True)
        item = SyncItemFactory.create(
            connection=connection,
            due_at=None,
            blocked_by=f"vendor:{wanted.merchant_id}",
            error_title="Waits for the vendor Figma to be created in Tryton.",
        )

        html = page(support, item)

        assert "Waits for the vendor Figma" in html
        assert "several vendors called Figma" in html
        assert reverse("customer", args=["harbor"]) + "#vendors" in html

    def test_a_retry_is_refused_with_what_it_waits_for(
        self, support: Client, connection: Connection
    ) -> None:
        every_type.bill_that_waits(connection)
        payment = SyncItem.objects.get(object_type="bill_payment")

        html = support.post(reverse("retry_item", args=[payment.pk]), follow=True)

        payment.refresh_from_db()
        assert payment.due_at is None
        assert "Waits for its bill" in html.content.decode()


class TestFiles:
    def test_say_what_became_of_each(self, support: Client, connection: Connection) -> None:
        item = SyncItemFactory.create(connection=connection, acked=True)
        every_type.files(item)

        html = page(support, item)

        for words in ("3 files", "144.7", "came after posting", "Attach a smaller one in Ramp",
                      "Not attached", "Retrying", "next try"):  # fmt: skip
            assert words in html, words
        assert html.count('id="retry-file-') == 2

    def test_one_is_tried_again_and_nothing_else_is_touched(
        self, support: Client, connection: Connection
    ) -> None:
        item = SyncItemFactory.create(connection=connection, acked=True)
        failed = AttachmentFactory.create(item=item, failed=True)
        other = AttachmentFactory.create(item=item, failed=True)
        before = SyncItem.objects.filter(pk=item.pk).values().get()

        support.post(reverse("retry_file", args=[item.pk, failed.pk]))

        failed.refresh_from_db()
        other.refresh_from_db()
        assert (failed.state, failed.attempts, failed.error_title) == ("due", 0, "")
        assert other.state == "failed"
        assert SyncItem.objects.filter(pk=item.pk).values().get() == before
        (line,) = ItemEvent.objects.filter(item=item)
        assert line.actor == "maya"

    def test_one_that_is_there_is_left_alone(self, support: Client, connection: Connection) -> None:
        file = AttachmentFactory.create(item__connection=connection, attached=True)

        url = reverse("retry_file", args=[file.item_id, file.pk])
        html = support.post(url, follow=True).content.decode()

        file.refresh_from_db()
        assert file.state == "attached"
        assert "is there already" in html

    def test_of_another_item_is_not_found(self, support: Client) -> None:
        file, other = AttachmentFactory.create(failed=True), SyncItemFactory.create()

        assert support.post(reverse("retry_file", args=[other.pk, file.pk])).status_code == 404

    def test_a_manager_may_not_retry(self, client: Client) -> None:
        file = AttachmentFactory.create(failed=True)
        client.force_login(UserFactory.create(roles=["manager"]))

        assert "Try again" not in page(client, file.item)
        url = reverse("retry_file", args=[file.item_id, file.pk])
        assert client.post(url).status_code == 403

    def test_a_wish_to_look_for_more_is_no_file(
        self, support: Client, connection: Connection
    ) -> None:
        file = AttachmentFactory.create(item__connection=connection, source="")

        assert "files-title" not in page(support, file.item)

    def test_a_poll_hears_of_a_file(self, support: Client, connection: Connection) -> None:
        item = SyncItemFactory.create(connection=connection, acked=True)
        live = (
            page(support, item)
            .split('id="item"')[1]
            .split('hx-get="')[1]
            .split('"')[0]
            .replace("&amp;", "&")
        )
        assert support.get(live, headers={"HX-Request": "true"}).status_code == 204

        AttachmentFactory.create(item=item, attached=True)

        assert support.get(live, headers={"HX-Request": "true"}).status_code == 200


class TestRampObject:
    def test_reads_the_words_of_ramp_as_people_do(self) -> None:
        assert ramp_object.spoken("PAID_MANUALLY") == "Paid manually"
        assert ramp_object.spoken("ACH") == "ACH"

    def test_a_word_among_ids_does_not_hide_the_others(self) -> None:
        body = spend.vendor_credit(
            applied_bills=[
                {"bill_id": "x", "amount": spend.amount(1)},
                {"bill_id": str(spend.ENTITY), "amount": spend.amount(1)},
            ]
        )

        assert ramp_object.read("vendor_credit", body).links.bills == [spend.ENTITY]
