"""The pages on which people settle what nobody is sure of, and look closer at one item."""

import json
from datetime import timedelta
from decimal import Decimal
from typing import Any

import pytest
from django.test import Client
from django.urls import reverse
from pytest_django import DjangoAssertNumQueries

from connections.models import AuditLine, MappingChange, MappingRevision
from syncing.engine import post_due_items
from syncing.models import Attachment, Comment, FormerDocument, ItemEvent, ItemPayload, SyncItem
from syncing.settling import looks
from tests.browser import settle_stories
from tests.browser.stories import make_item
from tests.factories import ConnectionFactory, SyncItemFactory, UserFactory, now
from tests.syncing.test_settling import booked_by_hand, in_review, looked
from tests.syncing.world import World, let_time_pass, list_ready, transaction_body

pytestmark = pytest.mark.django_db
HTMX = {"HX-Request": "true"}


@pytest.fixture
def support(client: Client) -> Client:
    client.force_login(UserFactory.create(username="maya", roles=["support"]))
    return client


@pytest.fixture
def hannah() -> Client:
    second = Client()
    second.force_login(UserFactory.create(username="hannah", roles=["implementer"]))
    return second


def page(client: Client, item: SyncItem) -> str:
    return client.get(reverse("item", args=[item.pk])).content.decode()


def settle(client: Client, item: SyncItem, act: str, **form: Any) -> Any:
    return client.post(reverse("settle_item", args=[item.pk, act]), form, headers=HTMX)


class TestUncertainPage:
    def test_has_a_card_for_each_with_what_was_sent_searched_and_found(
        self, support: Client
    ) -> None:
        world, item = in_review(sent=True)
        looked(world, item)

        html = support.get(reverse("uncertain")).content.decode()

        assert f'id="settle-{item.pk}"' in html
        assert item.erp_ref in html
        assert "neither enforce nor find our reference" in html, "why nobody is sure"
        assert "carries our reference" in html
        assert "It is this one" in html

    def test_takes_the_same_few_queries_for_many(
        self, support: Client, django_assert_num_queries: DjangoAssertNumQueries
    ) -> None:
        settle_stories.world()
        url = reverse("uncertain")
        support.get(url)

        with django_assert_num_queries(9) as few:
            support.get(url)

        connection = ConnectionFactory.create()
        for _ in range(12):
            settle_stories.unseen(connection)
        with django_assert_num_queries(len(few)):
            support.get(url)

    def test_hears_nothing_until_something_changed(self, support: Client) -> None:
        world, item = in_review()
        html = support.get(reverse("uncertain")).content.decode()
        live = html.split('id="uncertain"')[1].split('hx-get="')[1].split('"')[0]
        live = live.replace("&amp;", "&")

        assert support.get(live, headers=HTMX).status_code == 204
        looked(world, item)

        assert support.get(live, headers=HTMX).status_code == 200

    def test_says_so_when_nothing_is_uncertain(self, support: Client) -> None:
        html = support.get(reverse("uncertain")).content.decode()

        assert "it is known what became" in html

    def test_posts_together_only_what_was_searched_and_not_found(self, support: Client) -> None:
        connection = ConnectionFactory.create()
        first, second = settle_stories.gone(connection), settle_stories.gone(connection)
        other = settle_stories.found(connection)
        html = support.get(reverse("uncertain")).content.decode()
        assert "Post the 2 that were searched" in html

        chosen = {"item": [first.pk, second.pk, other.pk, "x", "9" * 40]}
        html = support.post(
            reverse("settle_together", args=["post"]), chosen, follow=True
        ).content.decode()

        assert "2 items are queued" in html
        assert f"{other.reference}: RAMP-20418 in the ERP carries our reference" in html
        assert set(SyncItem.objects.filter(state="READY")) == {first, second}

    def test_of_a_customer_that_is_unknown_is_no_page(self, support: Client) -> None:
        assert support.get(reverse("uncertain"), {"customer": "x"}).status_code == 404


class TestActs:
    def test_look_then_adopt(self, support: Client) -> None:
        world, item = in_review(sent=True)

        answer = settle(support, item, "look", back=reverse("uncertain"))
        assert answer.headers["HX-Redirect"] == reverse("uncertain")
        assert "is being searched" in support.get(reverse("uncertain")).content.decode()
        assert looks.answer_due(world.connection.pk, world.erp, erp_name="Ledger") == 1
        look = item.looks.get()
        erp_id = look.candidates[0]["document"]["erp_id"]
        settle(support, item, "adopt", look=look.pk, erp_id=erp_id)

        item.refresh_from_db()
        assert item.state == "POSTED"

    def test_a_refusal_comes_back_with_the_reason_and_what_was_typed(self, support: Client) -> None:
        world, item = in_review()
        entry = booked_by_hand(world, item, cents=1)
        look = looked(world, item, number=entry.number)

        answer = settle(support, item, "adopt", look=look.pk, erp_id=entry.id, reason="  ")

        html = answer.content.decode()
        assert answer.status_code == 422
        assert "12.33 USD off" in html
        assert 'role="alert"' in html
        assert "<html" not in html

    def test_the_second_person_agrees_and_the_first_cannot(
        self, support: Client, hannah: Client, settings: Any
    ) -> None:
        settings.OUTSIDE_LIMIT = Decimal(100)
        item = make_item(ConnectionFactory.create(), "failed")
        settle(support, item, "outside", reason="Typed <b>by hand</b>.")
        mine, theirs = page(support, item), page(hannah, item)
        assert "somebody else must agree" in mine
        assert f'id="second-agree-{item.pk}"' not in mine
        assert f'id="second-agree-{item.pk}"' in theirs
        assert "&lt;b&gt;by hand" in theirs

        assert settle(support, item, "decide", word="agree").status_code == 422
        settle(hannah, item, "decide", word="agree")

        item.refresh_from_db()
        assert item.state == "EXTERNAL"
        assert "Take this back" in page(support, item)
        settle(support, item, "take-back", reason="It was another one.")
        item.refresh_from_db()
        assert item.state == "READY"

    def test_waits_until_a_time_on_the_customers_clock(self, support: Client) -> None:
        _, item = in_review()
        for wrong in ({}, {"hours": "9999"}, {"until": "nonsense"}, {"until": "2026-13-45T99:00"}):
            assert settle(support, item, "wait", reason="x", **wrong).status_code == 422

        settle(support, item, "wait", hours="4", reason="The bank answers at noon.")

        assert "lets it wait" in page(support, item)

    def test_a_disagreement_is_settled_with_a_reason(self, support: Client) -> None:
        item = settle_stories.disagreeing(ConnectionFactory.create())
        assert settle(support, item, "agree", reason="").status_code == 422

        settle(support, item, "agree", reason="A credit was split off.")

        item.refresh_from_db()
        assert item.state == "ACKED"

    def test_are_for_those_who_may(self, client: Client) -> None:
        client.force_login(UserFactory.create(roles=["manager"]))
        _, item = in_review()

        assert settle(client, item, "post").status_code == 403
        assert "Your roles may look at it" in page(client, item)

    def test_that_do_not_exist_are_no_page(self, support: Client) -> None:
        _, item = in_review()

        assert settle(support, item, "nonsense").status_code == 404
        for look in ("", "x", "9" * 30, "1"):
            assert settle(support, item, "adopt", look=look, erp_id="1").status_code == 404

    def test_go_back_to_our_own_pages_only(self, support: Client) -> None:
        _, item = in_review()
        for back in ("https://evil.example/", "//evil.example", "javascript:alert(1)"):
            answer = settle(support, item, "wait", hours="1", reason="x", back=back)
            assert answer.headers["HX-Redirect"] == reverse("item", args=[item.pk])


class TestByState:
    @pytest.mark.parametrize(
        ("story", "offers"),
        [
            ("review", {"look", "wait", "outside"}),
            ("uncertain", {"look"}),
            ("failed", {"look", "outside"}),
            ("queued", {"outside"}),
            ("mismatch", {"agree", "report"}),
            ("external", {"take-back"}),
            ("done", set()),
            ("telling", set()),
            ("working", {"look"}),
            ("withdrawn", set()),
        ],
    )
    def test_an_item_offers_what_its_state_allows_and_nothing_else(
        self, support: Client, story: str, offers: set[str]
    ) -> None:
        item = make_item(ConnectionFactory.create(), story)

        html = page(support, item)

        acts = ("look", "adopt", "post", "wait", "outside", "agree", "report", "take-back")
        found = {act for act in acts if reverse("settle_item", args=[item.pk, act]) in html}
        assert found == offers
        retry = reverse("retry_item", args=[item.pk])
        assert (retry in html) == (story in ("failed", "retrying"))


class TestTimeline:
    def test_tells_which_mapping_of_whose_revision_led_where(self, support: Client) -> None:
        item = make_item(ConnectionFactory.create(slug="harbor"), "done")
        for number, after in ((1, "6100"), (2, "6200")):
            revision = MappingRevision.objects.create(
                connection=item.connection, number=number, source="workbench", actor="hannah",
                reason="The old code is closed",
            )  # fmt: skip
            MappingChange.objects.create(
                revision=revision, kind="gl_account", ramp_external_id="6200", before="6999",
                after=after,
            )  # fmt: skip
        MappingRevision.objects.update(saved_at=item.ready_at - timedelta(days=1))

        html = page(support, item)

        assert "Mapped by hannah instead of 6999: The old code is closed" in html
        assert "revision 2" in html
        assert "revision 1" not in html

    def test_tells_what_was_decided_and_by_which_values(self, support: Client) -> None:
        item = make_item(ConnectionFactory.create(), "done")

        html = page(support, item)

        assert "Ready to sync: a document belongs into the ERP." in html
        assert "SYNC_READY" in html
        assert "Came by" in html

    def test_tells_every_default(self, support: Client) -> None:
        item = make_item(ConnectionFactory.create(), "done")
        body = {**item.payload.ramp, "accounting_date": None}
        body["line_items"][0]["accounting_field_selections"] = []
        ItemPayload.objects.filter(item=item).update(ramp=body)

        html = page(support, item)

        assert "the fallback account was used" in html
        assert "the day of the purchase was used" in html

    def test_tells_the_milliseconds_the_digest_and_what_was_read_back(
        self, support: Client
    ) -> None:
        world = World()
        (item,) = world.ready()
        post_due_items(world.worker)

        sent = ItemEvent.objects.get(item=item, kind="sent")
        posted = ItemEvent.objects.get(item=item, kind="posted")
        html = page(support, item)

        assert len(sent.data["hash"]) == 12
        assert posted.data["total"] == "12.34"
        assert isinstance(posted.data["ms"], int)
        assert f"{posted.data['ms']} ms" in html

    def test_takes_few_queries(
        self, support: Client, django_assert_max_num_queries: DjangoAssertNumQueries
    ) -> None:
        world = settle_stories.world()
        for item in SyncItem.objects.filter(connection=world):
            page(support, item)
            with django_assert_max_num_queries(13):
                page(support, item)


class TestAttempts:
    def test_keep_the_document_that_another_one_replaced(self, support: Client) -> None:
        world = World()
        body = transaction_body()
        (item,) = world.ready(body)
        world.erp.books.closed_months.add((2026, 11))
        post_due_items(world.worker)
        item.refresh_from_db()
        assert item.state == "FAILED"
        list_ready(world.connection, body | {"accounting_date": "2026-12-01T00:00:00+00:00"})
        let_time_pass(1)

        post_due_items(world.worker)

        (former,) = FormerDocument.objects.all()
        assert former.document["posting_date"] == "2026-11-05"
        FormerDocument.objects.update(replaced_at=now())
        html = support.get(reverse("item_attempts", args=[item.pk])).content.decode()
        assert "Attempt 1 and attempt 2" in html

    def test_that_repeat_the_same_document_keep_nothing(self) -> None:
        world = World()
        (item,) = world.ready()
        world.erp.books.closed_months.add((2026, 11))
        post_due_items(world.worker)
        from syncing import releases

        releases.release(world.connection.pk, ids=[item.pk], why="Retried.")
        post_due_items(world.worker)

        assert not FormerDocument.objects.exists()

    def test_are_compared_value_by_value(self, support: Client) -> None:
        item = settle_stories.retried(ConnectionFactory.create())

        html = support.get(reverse("item_attempts", args=[item.pk])).content.decode()

        assert "<del>2026-10-31</del>" in html
        assert "<ins>2026-11-20</ins>" in html
        html = support.get(
            reverse("item_attempts", args=[item.pk]), {"from": "2", "to": "2"}
        ).content.decode()
        assert "The same document" in html

    def test_of_an_item_that_was_never_sent_say_so(self, support: Client) -> None:
        item = make_item(ConnectionFactory.create(), "queued")

        html = support.get(reverse("item_attempts", args=[item.pk])).content.decode()

        assert "Nothing was sent yet" in html
        assert support.get(reverse("item_attempts", args=[0])).status_code == 404


class TestBundleAndPrivateValues:
    def test_the_bundle_has_everything_and_hides_what_is_private(self, support: Client) -> None:
        item = make_item(ConnectionFactory.create(), "failed")
        body = {**item.payload.ramp, "user_email": "ada@example.com"}
        ItemPayload.objects.filter(item=item).update(ramp=body)
        url = reverse("item_bundle", args=[item.pk])

        html = support.post(url).content.decode()
        told = json.loads(support.post(url, {"format": "json"}).content)

        assert item.reference in html
        assert item.error_title in html
        assert "ada@example.com" not in html
        assert told["item"]["key"] == item.erp_ref
        assert next(line["what"] for line in told["timeline"]) == "Ready in Ramp"
        assert "ada@example.com" not in json.dumps(told)
        assert AuditLine.objects.filter(act="items.bundle", actor="maya").count() == 2

    def test_private_values_are_shown_against_a_line_with_ones_name(self, support: Client) -> None:
        item = make_item(ConnectionFactory.create(), "failed")
        body = {**item.payload.ramp, "user_email": "ada@example.com"}
        ItemPayload.objects.filter(item=item).update(ramp=body)
        url = reverse("reveal_payloads", args=[item.pk])
        assert "ada@example.com" not in page(support, item)
        assert support.get(url).status_code == 405

        response = support.post(url)

        assert "ada@example.com" in response.content.decode()
        assert response.headers["Cache-Control"] == "no-store"
        assert AuditLine.objects.filter(act="items.reveal", actor="maya").count() == 1

    def test_a_dead_link_becomes_a_comment(self, support: Client) -> None:
        item = make_item(ConnectionFactory.create(), "done", {"erp_url": "https://erp.example/418"})
        assert "Open in Tryton" in page(support, item)

        support.post(reverse("report_link", args=[item.pk, "erp"]))

        assert Comment.objects.get().text.endswith("https://erp.example/418")
        assert support.post(reverse("report_link", args=[item.pk, "x"])).status_code == 404

    def test_late_receipts_are_asked_for(self, support: Client) -> None:
        item = make_item(ConnectionFactory.create(), "done")

        support.post(reverse("ask_for_files", args=[item.pk]))

        assert Attachment.objects.get().source == ""
        assert AuditLine.objects.filter(act="items.files").count() == 1


class TestWaiting:
    def test_the_payment_of_a_bill_in_dispute_says_whose_move_it_is(self, support: Client) -> None:
        bill = SyncItemFactory.create(object_type="bill", posted=True, state="MISMATCH")
        payment = SyncItemFactory.create(
            connection=bill.connection, object_type="bill_payment", phase=1,
            ramp_id=bill.ramp_id, posted=True,
        )  # fmt: skip

        html = page(support, payment)

        assert "Its report waits for its bill, which needs a person first." in html
        assert reverse("item", args=[bill.pk]) in html

    def test_files_of_a_disagreement_wait_and_do_not_blame_ramp(self, support: Client) -> None:
        from syncing import file_claims

        item = settle_stories.disagreeing(ConnectionFactory.create())
        Attachment.objects.create(
            item=item, connection=item.connection, source="r1", created_at=now(),
            due_at=now() - timedelta(hours=1),
            error_title="Ramp did not answer.",
        )  # fmt: skip

        file_claims.put_off_others(item.connection_id)
        html = page(support, item)

        assert "Waits for its document" in html
        assert "Ramp did not answer" not in html
