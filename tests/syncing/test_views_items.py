"""Lists, one item, and the search, as a support person uses them."""

import re
from datetime import timedelta
from zoneinfo import ZoneInfo

import pytest
from django.test import Client
from django.urls import reverse
from pytest_django import DjangoAssertNumQueries

from syncing.models import SyncItem
from tests.browser.stories import make_item
from tests.factories import ConnectionFactory, SyncItemFactory, UserFactory, now

pytestmark = pytest.mark.django_db


@pytest.fixture
def support(client: Client) -> Client:
    client.force_login(UserFactory.create(username="maya", roles=["support"]))
    return client


def text_of(client: Client, url: str, **headers: str) -> str:
    response = client.get(url, headers=headers)
    assert response.status_code == 200, response.status_code
    return response.content.decode()


def labels(html: str) -> list[str]:
    return [
        part.split(">", 1)[1].split("<", 1)[0] for part in html.split('class="row-link clip"')[1:]
    ]


class TestList:
    def test_shows_what_is_open_the_longest_waiting_first(self, support: Client) -> None:
        for minutes, label in ((5, "young"), (90, "old")):
            SyncItemFactory.create(label=label, ready_at=now() - timedelta(minutes=minutes))
        SyncItemFactory.create(label="through", acked=True)

        html = text_of(support, reverse("items"))

        assert labels(html) == ["old", "young"]

    def test_filters_stand_in_the_url(self, support: Client) -> None:
        connection = ConnectionFactory.create(slug="harbor", name="Harbor Coffee")
        SyncItemFactory.create(label="GitHub", connection=connection, failed=True)
        SyncItemFactory.create(label="GitHub", connection=connection)
        SyncItemFactory.create(label="Other", connection=connection, failed=True)
        SyncItemFactory.create(label="GitHub", failed=True)

        html = text_of(
            support, reverse("items") + "?state=waiting-for-customer&customer=harbor&q=gith"
        )

        assert labels(html) == ["GitHub"]
        assert re.search(r'value="harbor"\s+selected', html)

    def test_the_count_on_a_tab_is_the_length_of_its_list(self, support: Client) -> None:
        for story in ("queued", "failed", "failed", "uncertain", "done"):
            make_item(ConnectionFactory.create(), story)

        html = text_of(support, reverse("items") + "?state=waiting-for-customer")

        assert len(labels(html)) == 2
        tab = html.split('id="tab-waiting-for-customer"')[1].split("</a>")[0]
        assert '<span class="figures">2</span>' in tab

    def test_pages_follow_each_other_without_gap_or_repeat(self, support: Client) -> None:
        same_time = now() - timedelta(hours=1)
        for n in range(120):
            SyncItemFactory.create(label=f"item {n}", ready_at=same_time)

        seen: list[str] = []
        url = reverse("items")
        for _ in range(3):
            html = text_of(support, url)
            seen += labels(html)
            if 'rel="next"' in html:
                link = html.split('id="page-next"')[1].split('href="')[1].split('"')[0]
                url = link.replace("&amp;", "&")

        assert sorted(seen) == sorted(f"item {n}" for n in range(120))

    def test_takes_as_many_queries_for_fifty_items_as_for_one(
        self, support: Client, django_assert_num_queries: DjangoAssertNumQueries
    ) -> None:
        for _ in range(50):
            SyncItemFactory.create()
        support.get(reverse("items"))

        with django_assert_num_queries(10):
            support.get(reverse("items"))

    def test_htmx_gets_the_list_alone(self, support: Client) -> None:
        html = text_of(support, reverse("items"), **{"HX-Request": "true"})

        assert "<html" not in html
        assert 'id="items"' in html

    def test_nonsense_in_the_url_is_the_default(self, support: Client) -> None:
        SyncItemFactory.create(label="here")

        html = text_of(support, reverse("items") + "?state=nonsense&type=x&after=y")

        assert labels(html) == ["here"]

    def test_an_unknown_customer_is_no_page(self, support: Client) -> None:
        assert support.get(reverse("items") + "?customer=nobody").status_code == 404

    def test_an_empty_list_says_why(self, support: Client) -> None:
        assert "Everything is through" in text_of(support, reverse("items"))
        assert "No item matches" in text_of(support, reverse("items") + "?q=zzz")


class TestItem:
    def test_tells_the_whole_story_of_a_posted_item(self, support: Client) -> None:
        item = make_item(ConnectionFactory.create(), "done")

        html = text_of(support, reverse("item", args=[item.pk]))

        for words in (item.reference, item.erp_number, "Reported to Ramp", "Posted in the ERP",
                      "Sent to the ERP", "Ready in Ramp", "Balanced", "Synced"):  # fmt: skip
            assert words in html, words

    def test_shows_the_text_the_customer_reads_to_the_letter(self, support: Client) -> None:
        item = make_item(ConnectionFactory.create(), "failed")

        html = text_of(support, reverse("item", args=[item.pk]))

        assert item.error_text in html
        assert item.error_fix in html
        assert "Retry now" in html

    def test_tells_the_next_try_in_the_customers_time(self, support: Client) -> None:
        item = make_item(ConnectionFactory.create(time_zone="Asia/Tokyo"), "retrying")

        html = text_of(support, reverse("item", args=[item.pk]))

        assert item.due_at
        local = item.due_at.astimezone(ZoneInfo("Asia/Tokyo"))
        assert re.search(rf"<dd>\s*{local:%H:%M:%S}\s*</dd>", html)
        assert "Retry now" in html

    def test_nobody_may_retry_what_is_uncertain(self, support: Client) -> None:
        item = make_item(ConnectionFactory.create(), "uncertain")

        html = text_of(support, reverse("item", args=[item.pk]))

        assert "Retry now" not in html
        assert "when nothing can be on its way any more" in html

    def test_marks_what_two_sides_say_differently(self, support: Client) -> None:
        item = make_item(ConnectionFactory.create(), "done")
        payload = item.payload
        payload.ramp["amount"] = "1.00"
        payload.save()

        html = text_of(support, reverse("item", args=[item.pk]))

        assert 'class="differs"' in html

    def test_shows_how_people_coded_it_in_ramp(self, support: Client) -> None:
        item = make_item(ConnectionFactory.create(), "failed")

        html = text_of(support, reverse("item", args=[item.pk]))

        assert "6200 Software" in html
        assert "<dt>Department</dt>" in html

    def test_an_object_that_breaks_the_contract_still_has_a_page(self, support: Client) -> None:
        item = make_item(ConnectionFactory.create(), "failed")
        item.payload.ramp = {"amount": ["surprise"], "sync_status": "SYNC_READY"}
        item.payload.save()

        assert "Ready to sync" in text_of(support, reverse("item", args=[item.pk]))

    def test_hides_private_values_of_payloads(self, support: Client) -> None:
        item = make_item(ConnectionFactory.create(), "done")
        secret = item.payload.ramp["card_holder"]["user_id"]

        html = text_of(support, reverse("item", args=[item.pk]))

        assert secret not in html
        assert "What Ramp said" in html

    def test_what_merchants_are_called_stays_text(self, support: Client) -> None:
        evil = '<img src=x onerror="alert(1)">'
        names = dict.fromkeys(("label", "memo", "person", "error_title", "error_text"), evil)
        item = make_item(ConnectionFactory.create(name=evil), "failed", names)

        html = text_of(support, reverse("item", args=[item.pk]))
        html += text_of(support, reverse("items"))

        assert "<img src=x" not in html

    def test_a_poll_hears_nothing_until_something_changed(self, support: Client) -> None:
        item = make_item(ConnectionFactory.create(), "failed")
        url = reverse("item", args=[item.pk])
        html = text_of(support, url)
        live = html.split('id="item"')[1].split('hx-get="')[1].split('"')[0].replace("&amp;", "&")
        assert live.startswith(url)

        assert support.get(live, headers={"HX-Request": "true"}).status_code == 204
        SyncItem.objects.filter(pk=item.pk).update(failure_telling="due")
        changed = support.get(live, headers={"HX-Request": "true"})

        assert changed.status_code == 200
        assert "<html" not in changed.content.decode()

    def test_takes_the_same_few_queries_for_any_item(
        self, support: Client, django_assert_num_queries: DjangoAssertNumQueries
    ) -> None:
        item = make_item(ConnectionFactory.create(), "done")
        support.get(reverse("item", args=[item.pk]))

        with django_assert_num_queries(10):
            support.get(reverse("item", args=[item.pk]))

    def test_an_unknown_item_is_no_page(self, support: Client) -> None:
        assert support.get(reverse("item", args=[999_999])).status_code == 404


class TestRetry:
    def test_queues_a_failed_item_again_and_says_who_did(self, support: Client) -> None:
        item = make_item(ConnectionFactory.create(), "failed")

        response = support.post(reverse("retry_item", args=[item.pk]), follow=True)

        item.refresh_from_db()
        assert item.state == "READY"
        assert "by maya" in response.content.decode()
        assert "Queued again" in response.content.decode()

    def test_refuses_in_words_what_cannot_be_retried(self, support: Client) -> None:
        item = make_item(ConnectionFactory.create(), "done")

        response = support.post(reverse("retry_item", args=[item.pk]), follow=True)

        assert "posted in the ERP and reported to Ramp" in response.content.decode()

    def test_changes_nothing_on_a_get(self, support: Client) -> None:
        item = make_item(ConnectionFactory.create(), "failed")

        assert support.get(reverse("retry_item", args=[item.pk])).status_code == 405


@pytest.mark.django_db
def test_what_the_other_side_said_is_shown_without_what_is_private(client: Client) -> None:
    client.force_login(UserFactory.create(roles=["support"]))
    said = "No employee ann.lee@harbor.example. Authorization: Bearer abc.def-123"
    item = SyncItemFactory.create(failed=True, error_detail=said)

    html = client.get(reverse("item", args=[item.pk])).content.decode()

    assert "No employee" in html
    assert "ann.lee" not in html
    assert "abc.def" not in html
