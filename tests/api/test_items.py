"""Items by the API: the page's own filters, the same words, money that nobody can misread."""

import json
from datetime import timedelta
from typing import Any

import pytest
from pytest_django import DjangoAssertNumQueries

from syncing.api.items import FILTERS
from syncing.forms import ItemFilterForm
from syncing.models import SyncItem
from tests.api.conftest import Program
from tests.api.test_access import problem_of
from tests.browser.stories import make_item
from tests.factories import ConnectionFactory, SyncItemFactory, now

pytestmark = pytest.mark.django_db


def read(program: Program, path: str, **query: Any) -> Any:
    response = program.get(path, **query)
    assert response.status_code == 200, response.content
    return json.loads(response.content)


def labels(program: Program, **query: Any) -> list[str]:
    return [item["label"] for item in read(program, "items", **query)["items"]]


class TestList:
    def test_shows_what_is_open_the_longest_waiting_first(self, program: Program) -> None:
        for minutes, label in ((5, "young"), (90, "old")):
            SyncItemFactory.create(label=label, ready_at=now() - timedelta(minutes=minutes))
        SyncItemFactory.create(label="through", acked=True)

        assert labels(program) == ["old", "young"]
        assert sorted(labels(program, state="all")) == ["old", "through", "young"]

    def test_an_address_of_the_page_gives_the_same_items(self, program: Program) -> None:
        harbor = ConnectionFactory.create(slug="harbor")
        SyncItemFactory.create(label="GitHub", connection=harbor, failed=True)
        SyncItemFactory.create(label="Other", connection=harbor, failed=True)
        SyncItemFactory.create(label="GitHub", failed=True)

        assert labels(program, state="waiting-for-customer", customer="harbor", q="gith") == [
            "GitHub"
        ]

    def test_every_filter_of_the_page_is_described(self) -> None:
        undescribed = [one["name"] for one in FILTERS if not one["description"]]

        assert undescribed == []
        assert {one["name"] for one in FILTERS} == set(ItemFilterForm({}).fields)

    def test_pages_follow_each_other_without_gap_or_repeat(self, program: Program) -> None:
        same_time = now() - timedelta(hours=1)
        for n in range(25):
            SyncItemFactory.create(label=f"item {n}", ready_at=same_time)

        seen: list[str] = []
        after: Any = ""
        for _ in range(3):
            page = read(program, "items", limit=10, after=after)
            seen += [item["label"] for item in page["items"]]
            after = page["next"]

        assert after is None
        assert sorted(seen) == sorted(f"item {n}" for n in range(25))

    def test_takes_as_many_queries_for_two_hundred_as_for_one(
        self, program: Program, django_assert_num_queries: DjangoAssertNumQueries
    ) -> None:
        for _ in range(20):
            SyncItemFactory.create()

        with django_assert_num_queries(5):  # the key, its row, its owner, the roles; the items
            assert len(labels(program, limit=200)) == 20

    @pytest.mark.parametrize(
        ("name", "value", "words"),
        [
            ("state", "nonsense", "Select a valid choice"),
            ("stat", "done", "There is no such parameter"),
            ("press", "x", "valid UUID"),
            ("limit", "201", "less than or equal to 200"),
            ("after", "x", "letter by letter"),
            ("dated_from", "yesterday", "valid date"),
        ],
    )
    def test_nonsense_is_refused_by_name(
        self, program: Program, name: str, value: str, words: str
    ) -> None:
        body = problem_of(program.get("items", **{name: value}), 422)

        [error] = body["errors"]
        assert error["field"] == name
        assert words in error["message"]

    def test_a_customer_that_is_not_there_is_told(self, program: Program) -> None:
        body = problem_of(program.get("items", customer="nobody"), 404)

        assert "nobody" in str(body["detail"])


class TestItem:
    def test_says_where_it_stands_and_whose_move_it_is(self, program: Program) -> None:
        item = make_item(ConnectionFactory.create(slug="harbor"), "failed")

        found = read(program, f"items/{item.pk}")

        assert found["state"] == "waiting-for-customer"
        assert found["party"] == "customer"
        assert found["reference"] == item.reference
        assert found["customer"]["slug"] == "harbor"
        assert found["error"]["text"] == item.error_text
        assert found["error"]["fix"] == item.error_fix
        assert found["url"] == f"http://testserver/items/{item.pk}/"

    def test_money_is_whole_numbers_with_their_exponent(self, program: Program) -> None:
        dollars = SyncItemFactory.create(amount_minor=-41250, currency="USD", exponent=2)
        yen = SyncItemFactory.create(amount_minor=980, currency="JPY", exponent=0)

        amounts = [read(program, f"items/{item.pk}")["amount"] for item in (dollars, yen)]

        assert amounts == [
            {"minor": -41250, "currency": "USD", "exponent": 2, "decimal": "-412.50"},
            {"minor": 980, "currency": "JPY", "exponent": 0, "decimal": "980"},
        ]

    def test_times_are_utc(self, program: Program) -> None:
        item = SyncItemFactory.create()

        assert read(program, f"items/{item.pk}")["ready_at"].endswith("Z")

    def test_tells_the_whole_timeline(self, program: Program) -> None:
        item = make_item(ConnectionFactory.create(), "done")

        titles = [event["title"] for event in read(program, f"items/{item.pk}")["timeline"]]

        assert titles[0] == "Ready in Ramp"
        assert "Posted in the ERP" in titles
        assert titles[-1] == "Reported to Ramp"

    @pytest.mark.parametrize("pk", ["0", "-1", "x", str(2**63)])
    def test_what_is_no_id_is_refused_by_name(self, program: Program, pk: str) -> None:
        [error] = problem_of(program.get(f"items/{pk}"), 422)["errors"]

        assert error["field"] == "id"

    def test_an_item_that_is_not_there_is_told(self, program: Program) -> None:
        assert SyncItem.objects.count() == 0
        problem_of(program.get("items/7"), 404)
