"""Customers, runs and search by the API."""

import json
from datetime import timedelta
from typing import Any
from uuid import uuid4

import pytest

from syncing.fleet import keeping
from syncing.models import Inquiry, SyncRun
from tests.api.conftest import Program
from tests.api.test_access import problem_of
from tests.browser.stories import make_item
from tests.factories import ConnectionFactory, ScheduleFactory, SyncItemFactory, now

pytestmark = pytest.mark.django_db


def body_of(response: Any) -> Any:
    assert response.status_code == 200, response.content
    return json.loads(response.content)


class TestCustomers:
    def test_says_how_one_stands_this_moment(self, program: Program) -> None:
        harbor = ScheduleFactory.create(connection__slug="harbor").connection
        make_item(harbor, "failed", {"amount_minor": 41250})

        found = body_of(program.get("customers/harbor"))

        assert found["health"]["word"] == "Working"
        assert (found["open_items"], found["party"]) == (1, "customer")
        assert found["words"]["waiting-for-customer"] == 1
        assert found["unsynced"][0]["decimal"] == "412.50"

    def test_lists_them_by_risk_page_by_page(self, program: Program) -> None:
        for slug in ("harbor", "verde", "sakura"):
            schedule = ScheduleFactory.create(connection__slug=slug)
            if slug == "verde":
                make_item(schedule.connection, "uncertain")
        keeping.keep_up(now=now())

        first = body_of(program.get("customers", limit=2))
        rest = body_of(program.get("customers", limit=2, after=first["next"]))

        assert first["items"][0]["slug"] == "verde"
        slugs = [one["slug"] for one in first["items"] + rest["items"]]
        assert sorted(slugs) == ["harbor", "sakura", "verde"]
        assert [one["slug"] for one in body_of(program.get("customers", party="us"))["items"]] == [
            "verde"
        ]

    def test_one_that_is_not_there_is_told(self, program: Program) -> None:
        problem_of(program.get("customers/nobody"), 404)

    @pytest.mark.parametrize(("name", "value"), [("health", "Fine"), ("sort", "x"), ("after", "x")])
    def test_nonsense_is_refused_by_name(self, program: Program, name: str, value: str) -> None:
        body = problem_of(program.get("customers", **{name: value}), 422)

        assert [error["field"] for error in body["errors"]] == [name]


class TestRuns:
    def test_pulls_come_newest_first_and_tell_what_they_found(self, program: Program) -> None:
        harbor = ConnectionFactory.create(slug="harbor")
        for minutes, problem in ((60, ""), (5, "Ramp did not answer.")):
            SyncRun.objects.create(
                connection=harbor,
                trigger="poll",
                started_at=now() - timedelta(minutes=minutes),
                finished_at=now(),
                problem=problem,
                seen=31,
            )

        every = body_of(program.get("runs"))["items"]
        bad = body_of(program.get("runs", state="problem", customer="harbor"))["items"]

        assert [run["state"] for run in every] == ["problem", "done"]
        assert [run["id"] for run in bad] == [every[0]["id"]]
        assert body_of(program.get(f"runs/{every[1]['id']}"))["seen"] == 31
        problem_of(program.get("runs/7777777"), 404)

    def test_pages_follow_each_other(self, program: Program) -> None:
        harbor = ConnectionFactory.create()
        for minutes in range(3):
            SyncRun.objects.create(
                connection=harbor, trigger="poll", started_at=now() - timedelta(minutes=minutes)
            )

        first = body_of(program.get("runs", limit=2))
        rest = body_of(program.get("runs", limit=2, after=first["next"]))

        assert len({run["id"] for run in first["items"] + rest["items"]}) == 3


class TestSearch:
    def test_finds_an_item_by_our_reference(self, program: Program) -> None:
        item = SyncItemFactory.create()
        SyncItemFactory.create()

        [group] = body_of(program.get("search", q=item.reference))["groups"]

        assert group["is_exact"]
        assert [found["id"] for found in group["items"]] == [item.pk]

    def test_finds_customers_by_name(self, program: Program) -> None:
        ConnectionFactory.create(name="Harbor Coffee", slug="harbor")

        assert body_of(program.get("search", q="harbor"))["customers"] == [
            {"slug": "harbor", "name": "Harbor Coffee"}
        ]

    def test_asks_for_something_to_look_for(self, program: Program) -> None:
        body = problem_of(program.get("search"), 422)

        assert body["errors"][0]["field"] == "q"


class TestWhyNot:
    def test_what_is_here_needs_no_question(self, program: Program) -> None:
        item = SyncItemFactory.create()
        asked = {"customer": item.connection.slug, "type": "transaction", "ramp_id": item.ramp_id}

        found = body_of(program.get("why-not", **asked))

        assert (found["state"], found["items"]) == ("here", [item.pk])

    def test_ramp_is_asked_once_and_its_answer_told(self, program: Program) -> None:
        harbor = ScheduleFactory.create(connection__slug="harbor").connection
        asked = {"customer": "harbor", "type": "transaction", "ramp_id": str(uuid4())}
        assert body_of(program.get("why-not", **asked))["state"] == "unasked"

        for _ in range(2):
            response = program.post("why-not", **asked)
            assert (response.status_code, response.json()["state"]) == (202, "asking")

        inquiry = Inquiry.objects.get(connection=harbor)
        assert inquiry.asked_by == "maya"
        Inquiry.objects.update(due_at=None, answered_at=now(), is_there=False)
        found = body_of(program.get("why-not", **asked))
        assert found["state"] == "answered"
        assert found["answer"]["title"]
