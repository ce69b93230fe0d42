"""The list of customers: its order, its filters, its pages, its file."""

import csv
import io
from datetime import timedelta
from html import unescape
from uuid import uuid4

import pytest
from django.test import Client
from django.urls import reverse
from pytest_django import DjangoAssertNumQueries

from connections.models import AuditLine, Connection, Credential, Pin
from syncing.fleet.keeping import keep_up
from syncing.models import CustomerStanding, FleetRound
from tests.browser.stories import ordinary_day
from tests.factories import (
    LONG_NAME,
    ConnectionFactory,
    ScheduleFactory,
    SyncItemFactory,
    UserFactory,
    now,
)

pytestmark = pytest.mark.django_db
LIST = "/customers/"


@pytest.fixture
def maya(client: Client) -> Client:
    client.force_login(UserFactory.create(username="maya", roles=["support"]))
    return client


def page(client: Client, **query: str) -> str:
    response = client.get(LIST, query)
    assert response.status_code == 200
    return response.content.decode()


def shown(client: Client, **query: str) -> list[str]:
    return listed(page(client, **query))


def listed(html: str) -> list[str]:
    """The customers of a page, in order."""
    links = html.split('<a class="row-link')[1:]
    return [link.split('id="customer-')[1].split('"')[0] for link in links]


class TestOrder:
    def test_what_is_broken_comes_first_then_what_people_must_do(self, maya: Client) -> None:
        ordinary_day()

        found = shown(maya)

        assert found[:3] == ["verde-clinics", "harbor-coffee", "blue-mesa-solar"]
        assert len(found) == 7

    @pytest.mark.parametrize("sort", ["risk", "oldest", "amount", "failed", "name"])
    def test_pages_lose_nobody_and_show_nobody_twice(
        self, maya: Client, monkeypatch: pytest.MonkeyPatch, sort: str
    ) -> None:
        monkeypatch.setattr("syncing.queries.customer_list.PAGE_SIZE", 3)
        ordinary_day()
        ConnectionFactory.create_batch(4, stage="setting_up", name="Twin")
        keep_up(now=now())
        found: list[str] = []

        html = page(maya, sort=sort)
        for _ in range(4):
            found += listed(html)
            if 'id="next-page"' not in html:
                break
            link = html.split('id="next-page"')[1].split('href="')[1].split('"')[0]
            link = link.replace("&amp;", "&")
            html = maya.get(LIST + link).content.decode()

        assert sorted(found) == sorted(Connection.objects.values_list("slug", flat=True))

    def test_a_place_that_makes_no_sense_is_the_first_page(self, maya: Client) -> None:
        ordinary_day()

        for after in ("x", "~", f"{uuid4()}~?", f"{uuid4()}~nan~", f"{uuid4()}~2026-01-01"):
            for sort in ("risk", "oldest", "failed", "name"):
                assert maya.get(LIST, {"after": after, "sort": sort}).status_code == 200, after


class TestFilters:
    def test_each_narrows_and_says_how_many_it_hides(self, maya: Client) -> None:
        ordinary_day()
        Connection.objects.filter(slug="sakura-foods").update(
            tags=["vip"], owner="kenji", erp_name="Ledger", button_types=["transaction"]
        )

        for query in (
            {"q": "sakura"}, {"tag": "vip"}, {"owner": "kenji"}, {"erp": "Ledger"},
            {"button": "yes"},
        ):  # fmt: skip
            assert shown(maya, **query) == ["sakura-foods"], query
            assert "the filter hides 6" in page(maya, **query)
        assert shown(maya, health="Blocked") == ["verde-clinics"]
        assert "verde-clinics" in shown(maya, party="us")

    def test_customers_of_nobody_can_be_found(self, maya: Client) -> None:
        ordinary_day()
        Connection.objects.filter(slug="sakura-foods").update(owner="")

        assert shown(maya, owner="-") == ["sakura-foods"]

    def test_an_empty_result_says_why_and_offers_the_way_back(self, maya: Client) -> None:
        ordinary_day()

        html = page(maya, q="zzz")

        assert "No customer matches" in html
        assert 'id="clear-filter"' in html

    def test_nonsense_narrows_to_nothing_or_not_at_all(self, maya: Client) -> None:
        ordinary_day()

        assert len(shown(maya, health="Splendid", party="me", sort="luck")) == 7
        assert shown(maya, tag="no such") == []


class TestFigures:
    def test_are_those_of_the_last_round_and_nobody_adds_lines_up(self, maya: Client) -> None:
        ordinary_day()
        FleetRound.objects.update(customers=90_000)

        assert "90,000 customers" in page(maya)
        assert "1 of 90,000; the filter hides 89,999" in page(maya, q="verde")

    def test_are_news_to_a_page_when_they_change(self, maya: Client) -> None:
        ordinary_day()
        section = page(maya).split('id="customers"')[1]
        poll = unescape(section.split('hx-get="')[1].split('"')[0])
        headers = {"HX-Request": "true", "HX-Target": "customers"}
        assert maya.get(poll, headers=headers).status_code == 204

        FleetRound.objects.update(failed_items=90_000)

        assert maya.get(poll, headers=headers).status_code == 200


class TestRow:
    def test_shows_what_is_about_to_end_and_what_differs(self, maya: Client) -> None:
        connection = ScheduleFactory.create().connection
        Credential.objects.create(
            connection=connection, side="erp", expires_at=now() + timedelta(days=9)
        )
        Credential.objects.create(
            connection=connection, side="ramp", expires_at=now() + timedelta(days=90)
        )
        keep_up(now=now())
        CustomerStanding.objects.update(drifting=4)

        html = page(maya)

        assert "Credentials end" in html
        assert "4 differ" in html

    def test_says_that_credentials_have_ended(self, maya: Client) -> None:
        connection = ScheduleFactory.create().connection
        Credential.objects.create(
            connection=connection, side="erp", expires_at=now() - timedelta(days=1)
        )
        keep_up(now=now())

        assert "Credentials ended" in page(maya)

    def test_draws_the_last_fortnight_and_says_it(self, maya: Client) -> None:
        connection = ScheduleFactory.create().connection
        SyncItemFactory.create_batch(2, connection=connection, acked=True, acked_at=now())
        SyncItemFactory.create(connection=connection, failed=True)
        keep_up(now=now())

        assert "Last 14 days: 2 done, 1 failed" in page(maya)


class TestLive:
    def live_url(self, html: str) -> str:
        return html.split('hx-get="/customers/?')[1].split('"')[0].replace("&amp;", "&")

    def test_hears_nothing_until_something_changed(self, maya: Client) -> None:
        connection = ScheduleFactory.create().connection
        keep_up(now=now())
        url = f"{LIST}?{self.live_url(page(maya))}"
        poll = {"HX-Request": "true"}

        keep_up(now=now() + timedelta(seconds=3))
        assert maya.get(url, headers=poll).status_code == 204

        SyncItemFactory.create(connection=connection, failed=True)
        keep_up(now=now())
        assert maya.get(url, headers=poll).status_code == 200

    def test_says_that_nobody_keeps_it_up(self, maya: Client) -> None:
        ScheduleFactory.create()
        keep_up(now=now() - timedelta(minutes=2))

        assert "This list was last brought up to date" in page(maya)

    def test_takes_few_statements_however_many_customers(
        self, maya: Client, django_assert_max_num_queries: DjangoAssertNumQueries
    ) -> None:
        ordinary_day()
        Pin.objects.create(owner="maya", connection=Connection.objects.all()[0])
        maya.get(LIST)

        with django_assert_max_num_queries(12):
            maya.get(LIST)


class TestFile:
    def rows(self, client: Client, **query: str) -> list[dict[str, str]]:
        response = client.get(reverse("customers_csv"), query)
        assert response["Content-Type"].startswith("text/csv")
        text = b"".join(response.streaming_content).decode()  # type: ignore[attr-defined]
        return list(csv.DictReader(io.StringIO(text.removeprefix("\ufeff"))))

    def test_holds_exactly_what_the_list_is_narrowed_to(self, maya: Client) -> None:
        ordinary_day()

        assert [row["customer"] for row in self.rows(maya, health="Blocked")] == ["Verde Clinics"]
        assert {row["customer"] for row in self.rows(maya)} == set(
            Connection.objects.values_list("name", flat=True)
        )

    def test_no_cell_becomes_a_formula(self, maya: Client) -> None:
        ConnectionFactory.create(name='=HYPERLINK("http://evil")', tags=["+1"], owner="@sum")
        keep_up(now=now())

        (row,) = self.rows(maya)

        assert row["customer"].startswith("'=")
        assert (row["owner"], row["tags"]) == ("'@sum", "'+1")

    def test_amounts_stay_figures(self, maya: Client) -> None:
        connection = ScheduleFactory.create().connection
        SyncItemFactory.create(connection=connection, amount_minor=-12_50)
        keep_up(now=now())

        (row,) = self.rows(maya)

        assert (row["unsynced"], row["currency"]) == ("-12.50", "USD")


class TestActs:
    def test_a_pinned_customer_comes_first_for_whoever_pinned_it(
        self, maya: Client, client: Client
    ) -> None:
        ordinary_day()

        maya.post(reverse("pin_customer", args=["pennine-outdoor"]), {"pinned": "yes"})

        assert shown(maya)[0] == "pennine-outdoor"
        assert len(shown(maya)) == 7
        other = Client()
        other.force_login(UserFactory.create(roles=["support"]))
        assert shown(other)[0] == "verde-clinics"
        assert AuditLine.objects.get().act == "customers.pin"

    def test_pins_stay_within_the_filter(self, maya: Client) -> None:
        ordinary_day()
        maya.post(reverse("pin_customer", args=["pennine-outdoor"]), {"pinned": "yes"})

        assert shown(maya, q="sakura") == ["sakura-foods"]

    def test_pinning_twice_and_taking_it_away_is_one_of_each(self, maya: Client) -> None:
        ConnectionFactory.create(slug="acme")
        url = reverse("pin_customer", args=["acme"])

        for pinned in ("yes", "yes", "no", "no"):
            maya.post(url, {"pinned": pinned})

        assert not Pin.objects.exists()
        acts = AuditLine.objects.order_by("pk").values_list("act", flat=True)
        assert list(acts) == ["customers.pin", "customers.unpin"]

    def test_assigns_an_owner_and_goes_back_to_the_list(self, maya: Client) -> None:
        acme = ConnectionFactory.create(slug="acme")
        UserFactory.create(username="kenji")

        answer = maya.post(
            reverse("assign_customer", args=["acme"]), {"owner": "kenji", "next": "/customers/?q=a"}
        )

        acme.refresh_from_db()
        assert acme.owner == "kenji"
        assert answer["Location"] == "/customers/?q=a"
        audit = AuditLine.objects.get()
        assert (audit.actor, audit.act, audit.connection_id) == (
            "maya", "customers.assign", acme.pk,
        )  # fmt: skip

    def test_refuses_an_owner_that_cannot_sign_in(self, maya: Client) -> None:
        acme = ConnectionFactory.create(slug="acme", owner="hannah")

        answer = maya.post(reverse("assign_customer", args=["acme"]), {"owner": "nobody-here"})

        acme.refresh_from_db()
        assert (answer.status_code, acme.owner) == (422, "hannah")
        assert "Choose one of the names" in answer.content.decode()

    def test_never_leads_away_from_here(self, maya: Client) -> None:
        ConnectionFactory.create(slug="acme")

        for target in ("https://evil.example/", "//evil.example/", "javascript:alert(1)"):
            answer = maya.post(
                reverse("pin_customer", args=["acme"]), {"pinned": "yes", "next": target}
            )
            assert answer["Location"] == "/customers/acme/", target

    def test_tags_are_small_letters_each_once(self, maya: Client) -> None:
        acme = ConnectionFactory.create(slug="acme")

        maya.post(reverse("tag_customer", args=["acme"]), {"tags": "VIP, month  end, vip,,"})

        acme.refresh_from_db()
        assert acme.tags == ["month-end", "vip"]

    @pytest.mark.parametrize("tags", ["x" * 41, ",".join(str(n) for n in range(13))])
    def test_refuses_tags_that_nobody_could_read(self, maya: Client, tags: str) -> None:
        acme = ConnectionFactory.create(slug="acme", tags=["vip"])

        answer = maya.post(reverse("tag_customer", args=["acme"]), {"tags": tags})

        acme.refresh_from_db()
        assert (answer.status_code, acme.tags) == (422, ["vip"])

    def test_the_longest_names_fit(self, maya: Client) -> None:
        ConnectionFactory.create(name=LONG_NAME, owner="o" * 150, tags=["t" * 40] * 12)
        keep_up(now=now())

        assert LONG_NAME in unescape(page(maya))
