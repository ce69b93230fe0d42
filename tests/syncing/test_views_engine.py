"""One customer's page and those beside it: pauses, polls, comparisons, vendors, presses."""

from datetime import timedelta

import pytest
from django.test import Client
from django.urls import reverse
from pytest_django import DjangoAssertNumQueries

from connections.models import Connection
from syncing import pauses as pausing
from syncing.models import ItemEvent, Pause, Schedule, SyncItem
from syncing.queries import fleet
from syncing.queries.words import Party
from tests.browser.stories import busy_engine
from tests.factories import (
    ConnectionFactory,
    ItemEventFactory,
    PauseFactory,
    PullCursorFactory,
    ReconciliationFactory,
    ScheduleFactory,
    SyncItemFactory,
    SyncRequestFactory,
    SyncRunFactory,
    UserFactory,
    VendorCreationFactory,
    WebhookSubscriptionFactory,
    now,
)

pytestmark = pytest.mark.django_db


@pytest.fixture
def connection() -> Connection:
    connection: Connection = ScheduleFactory.create(connection__slug="harbor").connection
    return connection


@pytest.fixture
def support(client: Client) -> Client:
    client.force_login(UserFactory.create(username="maya", roles=["support"]))
    return client


def page(client: Client, name: str = "customer", *args: object) -> str:
    response = client.get(reverse(name, args=args or ["harbor"]))
    assert response.status_code == 200, response.status_code
    return response.content.decode()


def following(client: Client, html: str, link_id: str) -> str:
    """The page behind a link."""
    href = html.split(f'id="{link_id}"')[1].split('href="')[1].split('"')[0]
    response = client.get(href.replace("&amp;", "&"))
    assert response.status_code == 200
    return str(response.content.decode())


class TestPausing:
    def post(self, client: Client, **data: str) -> str:
        response = client.post(reverse("pauses", args=["harbor"]), data, follow=True)
        return response.content.decode()

    def test_pauses_a_type_with_a_reason_and_a_name(
        self, support: Client, connection: Connection
    ) -> None:
        html = self.post(support, object_type="bill", reason="Audit until Monday.")

        (paused,) = pausing.standing(connection)
        assert (paused.object_type, paused.paused_by) == ("bill", "maya")
        assert "Audit until Monday." in html
        assert "maya paused it" in html

    def test_pauses_everything_only_if_that_was_chosen(
        self, support: Client, connection: Connection
    ) -> None:
        refused = support.post(reverse("pauses", args=["harbor"]), {"reason": "Audit."})

        assert refused.status_code == 422
        assert "Choose what is to be paused." in refused.content.decode()
        assert not pausing.standing(connection)
        self.post(support, object_type="everything", reason="Audit.")
        assert pausing.standing(connection)[0].object_type == ""

    def test_wants_a_reason(self, support: Client, connection: Connection) -> None:
        html = self.post(support, object_type="bill", reason=" ")

        assert "Say in a few words why." in html
        assert not Pause.objects.exists()

    def test_resumes_with_a_reason_and_a_name(
        self, support: Client, connection: Connection
    ) -> None:
        pause = PauseFactory.create(connection=connection, automatic=True)
        url = reverse("resume", args=["harbor", pause.pk])

        refused = support.post(url)
        html = support.post(url, {f"resume-{pause.pk}-reason": "Fixed."}, follow=True)

        assert refused.status_code == 422
        pause.refresh_from_db()
        assert (pause.resumed_by, pause.resumed_because) == ("maya", "Fixed.")
        assert "Resumed: bills." in html.content.decode()

    def test_a_pause_of_another_customer_is_not_ours_to_end(
        self, support: Client, connection: Connection
    ) -> None:
        pause = PauseFactory.create()

        url = reverse("resume", args=["harbor", pause.pk])

        assert support.post(url, {f"resume-{pause.pk}-reason": "x"}).status_code == 404

    def test_says_what_waits_and_what_would(self, support: Client, connection: Connection) -> None:
        PauseFactory.create(connection=connection, object_type="bill")
        SyncItemFactory.create_batch(3, connection=connection, object_type="bill")
        SyncItemFactory.create(connection=connection, amount_minor=55_00)

        html = page(support, "pauses")

        assert "3 items wait" in html
        assert "55.00" in html

    def test_a_manager_may_pause_but_not_poll(self, client: Client, connection: Connection) -> None:
        client.force_login(UserFactory.create(roles=["manager"]))

        html = page(client)

        assert "Pause" in html
        assert "Poll now" not in html
        assert client.post(reverse("poll_now", args=["harbor"])).status_code == 403
        assert client.get(reverse("pauses", args=["harbor"])).status_code == 200


class TestPaused:
    def test_an_automatic_pause_says_why_and_when_it_looks_again(
        self, support: Client, connection: Connection
    ) -> None:
        PauseFactory.create(connection=connection, object_type="transfer", automatic=True)

        html = page(support)

        for words in ("Transfers paused by rampbridge", "25 in a row were refused",
                      "2 items let through to see", "if it is booked, all follow"):  # fmt: skip
            assert words in html, words

    def test_shows_on_the_item_that_it_keeps(self, support: Client, connection: Connection) -> None:
        PauseFactory.create(connection=connection, object_type="bill")
        kept = SyncItemFactory.create(connection=connection, object_type="bill")
        other = SyncItemFactory.create(connection=connection)

        assert "Posting is paused since" in page(support, "item", kept.pk)
        assert "Posting is paused since" not in page(support, "item", other.pk)

    def test_one_of_everything_is_the_customers_health(self, connection: Connection) -> None:
        PauseFactory.create(connection=connection, object_type="")

        health = fleet.rows([connection.pk], now=now())[0].health

        assert health.label == "Paused"
        assert "Year-end audit" in health.meaning

    def test_one_that_nobody_decided_on_is_our_move(self, connection: Connection) -> None:
        PauseFactory.create(connection=connection, automatic=True)

        row = fleet.rows([connection.pk], now=now())[0]

        assert (row.health.label, row.party) == ("Partly paused", Party.US)

    def test_what_is_paused_is_not_slow(self, connection: Connection) -> None:
        long_ago = now() - timedelta(hours=3)
        SyncItemFactory.create(connection=connection, object_type="bill", due_at=long_ago)
        assert fleet.rows([connection.pk], now=now())[0].health.label == "Slow"

        pausing.pause(connection, "bill", "Audit.", "maya")

        assert fleet.rows([connection.pk], now=now())[0].health.label == "Partly paused"


class TestPollNow:
    def test_asks_for_all_lists_in_ones_own_name(
        self, support: Client, connection: Connection
    ) -> None:
        Schedule.objects.filter(pk=connection.pk).update(
            fetch_due_at=now() + timedelta(hours=1), fetch_types=["bill"]
        )

        html = support.post(reverse("poll_now", args=["harbor"]), follow=True).content.decode()

        schedule = Schedule.objects.get(pk=connection.pk)
        assert (schedule.fetch_types, schedule.fetch_asked_by) == ([], "maya")
        assert schedule.fetch_due_at
        assert schedule.fetch_due_at <= now()
        assert "by maya, about to begin" in html

    def test_refuses_in_words_where_nothing_runs(self, support: Client) -> None:
        ConnectionFactory.create(slug="harbor", name="Harbor", stage="paused")

        html = support.post(reverse("poll_now", args=["harbor"]), follow=True).content.decode()

        assert "Harbor is paused: nothing is read" in html

    def test_shows_who_had_it_read(self, support: Client, connection: Connection) -> None:
        SyncRunFactory.create(connection=connection, trigger="manual", actor="hannah", seen=1200)

        html = page(support, "customer_runs")

        assert "run now by hannah" in html
        assert "1,200 ready" in html

    def test_changes_nothing_on_a_get(self, support: Client, connection: Connection) -> None:
        assert support.get(reverse("poll_now", args=["harbor"])).status_code == 405
        assert support.get(reverse("compare_now", args=["harbor"])).status_code == 405


class TestReading:
    def test_names_the_list_that_cannot_be_read(
        self, support: Client, connection: Connection
    ) -> None:
        PullCursorFactory.create(connection=connection)

        html = page(support, "customer_runs")

        assert "Transfers cannot be read." in html
        assert "transfers:read is missing" in html

    def test_shows_how_far_a_long_list_is(self, support: Client, connection: Connection) -> None:
        PullCursorFactory.create(
            connection=connection, object_type="bill", problem="", pages=140, began_at=now()
        )

        assert "140 pages read" in page(support, "customer_runs")

    @pytest.mark.parametrize(
        ("status", "missed", "label"),
        [("active", 0, "Active"), ("active", 3, "Misses events"), ("pending", 0, "Not active yet")],
    )
    def test_says_whether_ramp_rings(
        self, support: Client, connection: Connection, status: str, missed: int, label: str
    ) -> None:
        WebhookSubscriptionFactory.create(connection=connection, status=status)
        SyncRunFactory.create(connection=connection, unannounced=missed)

        html = page(support, "customer_runs")

        assert label in html
        assert ("came without one" in html) == bool(missed)


class TestVendors:
    def test_one_that_a_person_must_decide_on_says_so(
        self, support: Client, connection: Connection
    ) -> None:
        VendorCreationFactory.create(connection=connection, stuck=True)

        html = page(support)

        assert "Tryton has several vendors called Figma." in html
        assert "Choose one of them" in html

    def test_leads_to_exactly_those_that_wait_for_it(
        self, support: Client, connection: Connection
    ) -> None:
        wanted = VendorCreationFactory.create(connection=connection)
        cause = f"vendor:{wanted.merchant_id}"
        for label in ("mine", "mine too"):
            SyncItemFactory.create(
                connection=connection, label=label, due_at=None, blocked_by=cause
            )
        SyncItemFactory.create(connection=connection, label="other")

        html = following(support, page(support), f"vendor-{wanted.pk}")

        assert html.count("data-row") == 2
        assert "Waiting for the same" in html

    def test_those_that_are_done_are_left_out(
        self, support: Client, connection: Connection
    ) -> None:
        VendorCreationFactory.create(connection=connection, due_at=None, step="in_ramp")

        assert "Vendors that items wait for" not in page(support)


class TestComparison:
    def found(self, connection: Connection, label: str, **event: object) -> SyncItem:
        item: SyncItem = SyncItemFactory.create(connection=connection, label=label, acked=True)
        ItemEventFactory.create(item=item, **event)
        return item

    def test_leads_to_exactly_what_it_found(self, support: Client, connection: Connection) -> None:
        run = ReconciliationFactory.create(
            connection=connection,
            found={"booked_otherwise": 1, "expense_twice": 1, "renumbered": 1},
        )
        during, before = run.started_at + timedelta(minutes=1), run.started_at - timedelta(days=1)
        code = {"code": "erp.booked_otherwise"}
        self.found(connection, "it", kind="reconciled", at=during, data=code)
        self.found(connection, "yesterday's", kind="reconciled", at=before, data=code)
        self.found(ConnectionFactory.create(), "another's", kind="reconciled", at=during, data=code)
        twice = {"code": "erp.expense_twice"}
        self.found(connection, "twice", kind="reconciled", at=during, data=twice)
        renumbered = "The ERP has renumbered it from A to B."
        self.found(connection, "renumbered", kind="reconciled", at=during, text=renumbered)

        html = page(support, "customer_runs")

        for kind, label in (
            ("booked_otherwise", "it"),
            ("expense_twice", "twice"),
            ("renumbered", "renumbered"),
        ):
            listed = following(support, html, f"finding-{kind}")
            assert listed.count("data-row") == 1, kind
            assert f'title="{label}"' in listed

    def test_what_newer_code_finds_does_not_break_the_page(
        self, support: Client, connection: Connection
    ) -> None:
        ReconciliationFactory.create(connection=connection, found={"of_tomorrow": 2})

        assert "2 of tomorrow" in page(support, "customer_runs")

    def test_tells_how_much_was_known(self, support: Client, connection: Connection) -> None:
        ReconciliationFactory.create(connection=connection, ready_in_ramp=8, ready_and_known=7)

        assert "87.5 % of 8" in page(support, "customer_runs")

    def test_one_that_is_not_complete_says_why(
        self, support: Client, connection: Connection
    ) -> None:
        ReconciliationFactory.create(connection=connection, problem="Tryton did not answer.")

        html = page(support, "customer_runs")

        assert "Not complete." in html
        assert "Nothing differs." not in html

    def test_is_asked_for(self, support: Client, connection: Connection) -> None:
        support.post(reverse("compare_now", args=["harbor"]))

        due_at = Schedule.objects.get(pk=connection.pk).reconcile_due_at
        assert due_at
        assert due_at <= now()

    @pytest.mark.parametrize("found", ["1.nonsense", "0.booked_otherwise", "x", "1.late_files"])
    def test_nonsense_in_the_url_is_no_filter(
        self, support: Client, connection: Connection, found: str
    ) -> None:
        SyncItemFactory.create(connection=connection)

        response = support.get(reverse("items"), {"found": found})

        assert response.content.decode().count("data-row") == 1


class TestPress:
    def test_counts_down_while_somebody_waits(
        self, support: Client, connection: Connection
    ) -> None:
        press = SyncRequestFactory.create(
            connection=connection, requested=9, succeeded=4, failed=1, expected=640
        )

        html = page(support, "press", "harbor", press.pk)

        assert 'data-relative="countdown"' in html
        assert "Being answered" in html
        assert "640 fit" in html

    def test_tells_afterwards_what_became_of_the_rows(
        self, support: Client, connection: Connection
    ) -> None:
        press = SyncRequestFactory.create(connection=connection, partial=True)

        html = page(support, "press", "harbor", press.pk)

        assert "Answered in part" in html
        assert 'data-relative="countdown"' not in html
        assert "1,000 more were asked for again by a later press" in html

    def test_leads_to_exactly_its_rows(self, support: Client, connection: Connection) -> None:
        press = SyncRequestFactory.create(connection=connection, requested=2)
        for label in ("a", "b"):
            SyncItemFactory.create(
                connection=connection, label=label, sync_request=press, acked=label == "a"
            )
        SyncItemFactory.create(connection=connection, label="c")

        html = page(support, "press", "harbor", press.pk)

        assert html.count("data-row") == 1
        assert following(support, html, "press-all").count("data-row") == 2
        assert following(support, html, "stand-done").count("data-row") == 1

    def test_a_poll_hears_nothing_until_a_row_was_answered(
        self, support: Client, connection: Connection
    ) -> None:
        press = SyncRequestFactory.create(connection=connection, requested=2)
        html = page(support, "press", "harbor", press.pk)
        live = html.split("data-poll")[1].split('hx-get="')[1].split('"')[0].replace("&amp;", "&")

        assert support.get(live, headers={"HX-Request": "true"}).status_code == 204
        press.succeeded = 1
        press.save()
        assert support.get(live, headers={"HX-Request": "true"}).status_code == 200

    def test_says_when_nothing_more_is_started(
        self, support: Client, connection: Connection
    ) -> None:
        press = SyncRequestFactory.create(
            connection=connection, requested=2, received_at=now() - timedelta(seconds=250)
        )

        assert "nothing more is sent to Tryton" in page(support, "press", "harbor", press.pk)

    def test_of_another_customer_is_no_page(self, support: Client, connection: Connection) -> None:
        press = SyncRequestFactory.create()

        url = reverse("press", args=["harbor", press.pk])

        assert support.get(url).status_code == 404

    def test_takes_the_same_queries_for_many_rows(
        self,
        support: Client,
        connection: Connection,
        django_assert_max_num_queries: DjangoAssertNumQueries,
    ) -> None:
        press = SyncRequestFactory.create(connection=connection, requested=30)
        SyncItemFactory.create_batch(30, connection=connection, sync_request=press)
        url = reverse("press", args=["harbor", press.pk])
        support.get(url)

        with django_assert_max_num_queries(10):
            support.get(url)


class TestEverythingAtOnce:
    def test_takes_no_query_per_row(
        self, support: Client, django_assert_max_num_queries: DjangoAssertNumQueries
    ) -> None:
        url = reverse("customer", args=[busy_engine().slug])
        support.get(url)

        with django_assert_max_num_queries(16):
            support.get(url)

    def test_a_poll_hears_of_a_pause(self, support: Client, connection: Connection) -> None:
        live = (
            page(support)
            .split("data-poll")[1]
            .split('hx-get="')[1]
            .split('"')[0]
            .replace("&amp;", "&")
        )
        assert support.get(live, headers={"HX-Request": "true"}).status_code == 204

        PauseFactory.create(connection=connection)

        assert support.get(live, headers={"HX-Request": "true"}).status_code == 200

    def test_lists_show_each_kind_of_event_by_its_name(
        self, support: Client, connection: Connection
    ) -> None:
        item = SyncItemFactory.create(connection=connection)
        for kind in ItemEvent.Kind.values:
            ItemEventFactory.create(item=item, kind=kind)
        ItemEventFactory.create(item=item, kind="of_tomorrow")

        html = page(support, "item", item.pk)

        for label in [*ItemEvent.Kind.labels, "Of tomorrow"]:
            assert str(label) in html, label
