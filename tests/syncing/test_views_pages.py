"""The overview, the fleet and one customer."""

from datetime import timedelta
from html import unescape

import pytest
from django.test import Client
from django.urls import reverse
from pytest_django import DjangoAssertNumQueries

from connections.models import Connection
from syncing.fleet.keeping import keep_up
from syncing.models import CustomerStanding, Handling, SyncItem
from syncing.queries import fleet
from syncing.queries.words import Party, Word
from tests.browser.stories import make_item, ordinary_day
from tests.factories import ConnectionFactory, ScheduleFactory, SyncItemFactory, UserFactory, now

pytestmark = pytest.mark.django_db


@pytest.fixture
def manager(client: Client) -> Client:
    client.force_login(UserFactory.create(roles=["manager"]))
    return client


def page(client: Client, url: str) -> str:
    response = client.get(url)
    assert response.status_code == 200
    return response.content.decode()


def only_customer() -> fleet.CustomerRow:
    """The one customer that there is, as it stands."""
    return fleet.rows([Connection.objects.get().pk], now=now())[0]


class TestOverview:
    def test_says_that_nothing_is_there_yet(self, manager: Client) -> None:
        html = page(manager, reverse("overview"))

        assert "No customers yet" in html
        assert "everything is through" in html

    def test_counts_agree_with_the_lists_they_link_to(self, manager: Client) -> None:
        ordinary_day()
        put_off = SyncItem.objects.filter(state="FAILED", error_category="user_actionable")[0]
        Handling.objects.create(item=put_off, snoozed_until=now() + timedelta(days=1))
        html = page(manager, reverse("overview"))

        for word in (Word.NEEDS_PERSON, Word.UNCERTAIN, Word.CUSTOMER, Word.RETRYING):
            row = html.split(f'id="queue-{word}"')[1].split("</a>")[0]
            shown = int(row.split('<span class="num figures">')[1].split("<")[0])
            address = unescape(row.split('href="')[1].split('"')[0])
            assert shown == page(manager, address).count("data-row"), word

    def test_a_poll_hears_nothing_until_something_changed(self, manager: Client) -> None:
        connection = ScheduleFactory.create().connection
        make_item(connection, "queued")
        live = (
            page(manager, reverse("overview"))
            .split("data-poll")[1]
            .split('hx-get="')[1]
            .split('"')[0]
        )

        assert manager.get(live, headers={"HX-Request": "true"}).status_code == 204
        make_item(connection, "failed")
        assert manager.get(live, headers={"HX-Request": "true"}).status_code == 200

    def test_takes_as_many_queries_for_many_customers_as_for_one(
        self, manager: Client, django_assert_num_queries: DjangoAssertNumQueries
    ) -> None:
        ordinary_day()
        manager.get(reverse("overview"))

        with django_assert_num_queries(10):
            manager.get(reverse("overview"))


class TestHealth:
    def health(self, **schedule: object) -> fleet.CustomerRow:
        ScheduleFactory.create(**schedule)
        return only_customer()

    def test_works(self) -> None:
        assert self.health().health.label == "Working"
        assert only_customer().party == Party.NOBODY

    def test_is_blocked_with_the_reason(self) -> None:
        row = self.health(blocked_at=now(), blocked_title="The sign-in expired.")

        assert (row.health.label, row.health.meaning) == ("Blocked", "The sign-in expired.")

    def test_names_the_side_that_is_silent(self) -> None:
        assert self.health(resume_at=now() + timedelta(minutes=1)).health.label == "ERP silent"

    def test_ramp_may_be_the_silent_one(self) -> None:
        assert self.health(poll_failures=3).health.label == "Ramp silent"

    def test_is_slow_when_due_items_are_not_taken(self) -> None:
        schedule = ScheduleFactory.create()
        SyncItemFactory.create(connection=schedule.connection, due_at=now() - timedelta(hours=1))

        assert only_customer().health.label == "Slow"

    def test_is_not_slow_when_the_customer_lets_us_wait(self) -> None:
        schedule = ScheduleFactory.create()
        SyncItemFactory.create(
            connection=schedule.connection, failed=True, ready_at=now() - timedelta(hours=9)
        )

        assert only_customer().health.label == "Working"

    @pytest.mark.parametrize(
        ("stage", "label"),
        [("setting_up", "Setting up"), ("paused", "Paused"), ("live", "Not connected")],
    )
    def test_without_a_schedule_the_stage_speaks(self, stage: str, label: str) -> None:
        ConnectionFactory.create(stage=stage)

        assert only_customer().health.label == label

    def test_closed_connections_are_left_out(self) -> None:
        ConnectionFactory.create(stage=Connection.Stage.CLOSED)

        keep_up(now=now())

        assert CustomerStanding.objects.count() == 0


class TestCustomer:
    def test_says_in_one_sentence_how_it_stands(self, manager: Client) -> None:
        ordinary_day()

        html = page(manager, reverse("customer", args=["northwind-robotics"]))

        lede = html.split('<p class="lede">')[1].split("</p>")[0]
        for words in ("Working.", "Last export", "3 blocked on customer", "1 uncertain", "oldest"):
            assert words in lede

    def test_shows_what_blocks_it_and_the_way_out(self, manager: Client) -> None:
        ordinary_day()

        html = page(manager, reverse("customer", args=["verde-clinics"]))

        assert "no longer accepts the sign-in" in html
        assert "Ask the customer to connect Tryton again" in html

    def test_groups_errors_by_cause_and_links_to_them(self, manager: Client) -> None:
        ordinary_day()
        html = page(manager, reverse("customer", args=["northwind-robotics"]))

        link = (
            html.split('id="error-items-1"')[1]
            .split('href="')[1]
            .split('"')[0]
            .replace("&amp;", "&")
        )

        assert page(manager, link).count("data-row") == 3

    def test_a_new_customer_says_that_nothing_happened(self, manager: Client) -> None:
        ConnectionFactory.create(slug="fresh", stage="setting_up")

        html = page(manager, reverse("customer", args=["fresh"]))

        assert "Setting up." in html
        assert "Ramp was never read" in html

    def test_takes_few_queries(
        self, manager: Client, django_assert_max_num_queries: DjangoAssertNumQueries
    ) -> None:
        ordinary_day()
        url = reverse("customer", args=["northwind-robotics"])
        manager.get(url)

        with django_assert_max_num_queries(13):
            manager.get(url)

    def test_an_unknown_customer_is_no_page(self, manager: Client) -> None:
        assert manager.get(reverse("customer", args=["nobody"])).status_code == 404
