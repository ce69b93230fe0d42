"""The managers' page: what it says, when it says it again, and the same as files."""

import re
from datetime import timedelta
from html import unescape

import pytest
from django.db import connection as database
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from connections.models import AuditLine
from syncing.age_bands import BANDS
from syncing.backlog.sampling import add_up
from syncing.models import BacklogSample, CustomerDay, SampleRound
from syncing.queries.backlog import past, present, worst
from syncing.queries.backlog.periods import period
from syncing.queries.backlog.scope import Scope
from syncing.views import backlog
from tests.factories import (
    ConnectionFactory,
    EntityFactory,
    ScheduleFactory,
    SyncItemFactory,
    UserFactory,
    now,
)

pytestmark = pytest.mark.django_db
POLL = {"HX-Request": "true", "X-Live-Poll": "1"}


@pytest.fixture
def manager(client: Client) -> Client:
    client.force_login(UserFactory.create(roles=["manager"]))
    return client


def page(manager: Client, query: str = "") -> str:
    return manager.get(f"{reverse('backlog')}?{query}").content.decode()


def words(html: str) -> str:
    return " ".join(re.sub(r"<[^>]+>", " ", html).split())


def live_url(html: str) -> str:
    found = re.search(r'hx-get="([^"]*version=[^"]*)"', html)
    assert found
    return unescape(found.group(1))


def later(url: str) -> str:
    """The same poll, as of a page that was drawn a while ago."""
    return re.sub(r"version=\d+", "version=1", url)


class TestThePage:
    def test_is_content_with_nothing(self, manager: Client) -> None:
        said = words(page(manager))

        assert "Everything is through." in said
        assert "Nothing was open" in said
        assert "Nothing to weigh" in said

    def test_names_what_is_not_known_by_any_customer(self, manager: Client) -> None:
        assert manager.get(f"{reverse('backlog')}?customer=nobody").status_code == 404

    def test_falls_back_where_the_address_says_nonsense(self, manager: Client) -> None:
        said = words(page(manager, "period=9y&type=x&erp=y&category=z&measure=1&currency=usd"))

        assert "Open items by age, last 24 hours" in said

    def test_says_that_less_is_kept_of_one_customer(self, manager: Client) -> None:
        ConnectionFactory.create(slug="acme")

        said = words(page(manager, "customer=acme&period=400d"))

        assert "Of one customer 90 days are kept" in said
        assert "last 90 days" in said

    def test_shows_amounts_of_one_currency(self, manager: Client) -> None:
        SyncItemFactory.create(currency="USD", amount_minor=7_000_00)
        SyncItemFactory.create(currency="JPY", exponent=0, amount_minor=900)

        said = words(page(manager, "measure=amount&currency=JPY"))

        assert "Open amount in JPY by age" in said
        assert "1k" in said
        assert "10k" not in said

    def test_leaves_out_everything_that_one_clicks_on_a_wall(self, manager: Client) -> None:
        html = page(manager, "wall=1")

        assert 'class="wall"' in html
        assert "<nav" not in html
        assert "filter-customer" not in html
        assert "wall=1" in live_url(html)


class TestStatements:
    @pytest.mark.parametrize("query", ["", "customer=acme&period=30d", "erp=Tryton&period=400d"])
    def test_are_twelve_at_most_and_five_for_a_poll(self, manager: Client, query: str) -> None:
        connection = ConnectionFactory.create(slug="acme")
        EntityFactory.create(connection=connection)
        SyncItemFactory.create(connection=connection, failed=True)
        url = later(live_url(page(manager, query)))

        with CaptureQueriesContext(database) as whole:
            page(manager, query)
        with CaptureQueriesContext(database) as poll:
            assert manager.get(url, headers=POLL).status_code == 204

        assert len(whole) <= 12
        assert len(poll) <= 5

    def test_of_parts_are_few(self, manager: Client) -> None:
        for route in ("backlog_worst", "backlog_team", "migrations_in_flight"):
            with CaptureQueriesContext(database) as statements:
                manager.get(reverse(route), headers={"HX-Request": "true"})
            assert len(statements) <= 10


class TestPolling:
    def test_hears_nothing_while_nothing_changed(self, manager: Client) -> None:
        url = later(live_url(page(manager)))

        assert manager.get(url, headers=POLL).status_code == 204

    def test_hears_of_a_new_item(self, manager: Client) -> None:
        url = live_url(page(manager))
        SyncItemFactory.create()

        answer = manager.get(later(url), headers=POLL)

        assert answer.status_code == 200
        assert "1 open" in words(answer.content.decode())
        assert "<nav" not in answer.content.decode()

    def test_is_not_drawn_anew_every_two_seconds(
        self, manager: Client, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(backlog, "slot", lambda _now: 7)
        url = live_url(page(manager))
        SyncItemFactory.create()

        assert manager.get(url, headers=POLL).status_code == 204


class TestTheBands:
    def test_are_counted_now_and_the_oldest_are_what_is_left(self) -> None:
        for hours in (0.5, 2, 5, 30, 90, 900):
            SyncItemFactory.create(ready_at=now() - timedelta(hours=hours), amount_minor=100)

        seen = present.present(Scope(), now=now(), failed_since=now())

        assert [pile.items for pile in seen.bands] == [1, 1, 1, 1, 2]
        assert [pile.of("USD") for pile in seen.bands] == [100, 100, 100, 100, 200]

    def test_do_not_look_at_everything_where_there_is_too_much(
        self, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(present, "MOST_YOUNG", 2)
        SyncItemFactory.create_batch(3)

        assert present.present(Scope(), now=now(), failed_since=now()).is_too_much

    def test_of_a_band_are_those_of_its_list(self) -> None:
        moment = now().replace(microsecond=0)
        for band in BANDS:
            SyncItemFactory.create(ready_at=moment - band.from_age)

        seen = present.present(Scope(), now=moment, failed_since=moment)

        assert [pile.items for pile in seen.bands] == [1] * len(BANDS)


class TestThePast:
    def test_is_a_gap_where_nobody_looked_and_nothing_where_nothing_was_open(self) -> None:
        moment = now().replace(minute=30, second=0, microsecond=0)
        SampleRound.objects.create(at=moment - timedelta(hours=2))
        SampleRound.objects.create(at=moment - timedelta(hours=4))
        BacklogSample.objects.create(
            at=moment - timedelta(hours=4), object_type="bill", word="queued", party="us", band=1,
            currency="USD", exponent=2, items=7, amount_minor=900,
        )  # fmt: skip
        add_up(moment - timedelta(days=1), moment)

        sampled = past.by_age(Scope(), period("24h", is_customer=False), currency="USD", now=moment)

        assert [one and (one.items[1], one.minor[1]) for one in sampled[-5:]] == [
            (7, 900), None, (0, 0), None, None,
        ]  # fmt: skip

    def test_of_others_is_not_in_it(self) -> None:
        moment = now().replace(minute=30, second=0, microsecond=0)
        SampleRound.objects.create(at=moment)
        BacklogSample.objects.create(
            at=moment, erp_name="NetSuite", object_type="bill", word="queued", party="us", band=0,
            currency="USD", exponent=2, items=7, amount_minor=900,
        )  # fmt: skip
        add_up(moment, moment)

        kept = period("24h", is_customer=False)
        found = past.by_age(Scope(erp="Tryton"), kept, currency="USD", now=moment)
        same = past.by_age(Scope(erp="NetSuite"), kept, currency="USD", now=moment)

        assert [one.items[0] for one in (*found, *same) if one] == [0, 7]

    @pytest.mark.parametrize(
        ("scope", "items"),
        [
            (Scope(), 31),
            (Scope(erp="Tryton"), 3),
            (Scope(owner="maya"), 5),
            (Scope(erp="Tryton", owner="maya"), 1),
            (Scope(object_type="bill"), 21),
            (Scope(category="transient"), 31),
            (Scope(erp="Tryton", object_type="bill"), 1),
            (Scope(owner="maya", category="transient"), 5),
            (Scope(erp="Xero"), 0),
        ],
    )
    def test_of_some_is_what_they_have(self, scope: Scope, items: int) -> None:
        """Also where customers have no ERP yet, or nobody who looks after them."""
        moment = now().replace(minute=30, second=0, microsecond=0)
        SampleRound.objects.create(at=moment)
        whose = [
            ("Tryton", "maya"),
            ("Tryton", ""),
            ("NetSuite", "maya"),
            ("NetSuite", ""),
            ("", ""),
        ]
        for number, (erp, owner) in enumerate(whose):
            BacklogSample.objects.create(
                at=moment, erp_name=erp, owner=owner, word="retrying", party="nobody", band=0,
                object_type="bill" if number % 2 == 0 else "transfer",
                error_category="transient", currency="USD", exponent=2, items=2**number,
                amount_minor=900,
            )  # fmt: skip
        add_up(moment, moment)

        found = past.by_age(scope, period("24h", is_customer=False), currency="USD", now=moment)

        assert [one.items[0] for one in found if one] == [items]


class TestFiles:
    @pytest.mark.parametrize(
        "chart", ["headline", "age", "flow", "moves", "errors", "customers", "team"]
    )
    def test_say_as_of_when_and_of_what(self, manager: Client, chart: str) -> None:
        ScheduleFactory.create(connection=ConnectionFactory.create(slug="acme", name="=Acme()"))
        SyncItemFactory.create(failed=True)

        answer = manager.get(f"{reverse('backlog_csv', args=[chart])}?customer=acme&period=7d")
        text = b"".join(answer.streaming_content).decode()  # type: ignore[attr-defined]

        assert text.splitlines()[1].startswith("as_of,20")
        assert "customer =Acme(); last 7 days" in text
        assert len(text.splitlines()) > 3
        assert AuditLine.objects.filter(act="backlog.csv").count() == 1

    def test_run_no_formula(self, manager: Client) -> None:
        SyncItemFactory.create(failed=True, error_title="=HYPERLINK(0)")

        answer = manager.get(reverse("backlog_csv", args=["errors"]))
        text = b"".join(answer.streaming_content).decode()  # type: ignore[attr-defined]

        assert "\n'=HYPERLINK" in text

    def test_of_no_such_chart_are_not_there(self, manager: Client) -> None:
        assert manager.get(reverse("backlog_csv", args=["nothing"])).status_code == 404


class TestTheSlowest:
    def test_are_shown_worst_first_and_no_more_than_fit(
        self, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(worst, "CUSTOMERS", 2)
        for name, hours in (("a", 1), ("b", 50), ("c", 5)):
            connection = ConnectionFactory.create(name=name)
            CustomerDay.objects.create(
                connection=connection, day=now().date(), p95_done_seconds=3_600 * hours
            )

        lines = worst.worst(Scope(), now=now())

        assert [line.name for line in lines] == ["b", "c"]
        assert [line.cells[-1].level for line in lines] == [3, 2]
        assert lines[0].cells[0].p95 is None
