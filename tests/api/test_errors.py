"""Errors by cause, and what a program may do with them."""

import json
from datetime import timedelta
from typing import Any

import pytest

from connections.models import AuditLine
from syncing.api.errors import FILTERS
from syncing.error_forms import ErrorFilterForm
from syncing.models import Comment, ErrorGroup, SyncItem
from tests.api.conftest import Program
from tests.api.test_access import problem_of
from tests.factories import ConnectionFactory, SyncItemFactory, now

pytestmark = pytest.mark.django_db


def body_of(response: Any) -> Any:
    assert response.status_code == 200, response.content
    return json.loads(response.content)


@pytest.fixture
def failed() -> SyncItem:
    harbor = ConnectionFactory.create(slug="harbor")
    item: SyncItem = SyncItemFactory.create(failed=True, connection=harbor, amount_minor=41250)
    return item


class TestList:
    def test_shows_each_cause_once_with_its_money(self, program: Program, failed: SyncItem) -> None:
        SyncItemFactory.create(failed=True, amount_minor=50)

        [group] = body_of(program.get("errors"))["items"]

        assert (group["items"], group["customers"]) == (2, 2)
        assert group["amounts"][0]["decimal"] == "413.00"
        assert group["group"] == failed.error_fingerprint
        assert group["state"] == "new"

    def test_its_items_are_found_by_its_fingerprint(
        self, program: Program, failed: SyncItem
    ) -> None:
        SyncItemFactory.create()

        found = body_of(program.get("items", cause=failed.error_fingerprint))["items"]

        assert [item["id"] for item in found] == [failed.pk]

    def test_is_narrowed_as_the_page_is(self, program: Program, failed: SyncItem) -> None:
        ConnectionFactory.create(slug="other")

        assert body_of(program.get("errors", customer="harbor"))["items"]
        assert body_of(program.get("errors", customer="other"))["items"] == []
        problem_of(program.get("errors", customer="nobody"), 404)
        problem_of(program.get("errors", state="nonsense"), 422)

    def test_every_filter_of_the_page_is_described(self) -> None:
        assert [one["name"] for one in FILTERS if not one["description"]] == []
        assert {one["name"] for one in FILTERS} == set(ErrorFilterForm({}).fields)

    def test_pages_follow_each_other(self, program: Program) -> None:
        for code in ("erp.a", "erp.b", "erp.c"):
            SyncItemFactory.create(failed=True, error_code=code, error_title=f"Cause {code}")

        first = body_of(program.get("errors", limit=2))
        rest = body_of(program.get("errors", limit=2, after=first["next"]))

        codes = [group["code"] for group in first["items"] + rest["items"]]
        assert sorted(codes) == ["erp.a", "erp.b", "erp.c"]
        assert rest["next"] is None


class TestOne:
    def test_says_whom_it_hits(self, program: Program, failed: SyncItem) -> None:
        group = body_of(program.get(f"errors/{failed.error_fingerprint}"))

        assert [hit["customer"]["slug"] for hit in group["hits"]] == ["harbor"]
        assert group["url"].endswith(f"/errors/{failed.error_fingerprint}/")

    def test_one_that_is_not_there_is_told(self, program: Program) -> None:
        problem_of(program.get(f"errors/{'0' * 32}"), 404)
        problem_of(program.get("errors/nonsense"), 422)


class TestActs:
    def test_assigns(self, program: Program, failed: SyncItem) -> None:
        path = f"errors/{failed.error_fingerprint}/assign"

        assert body_of(program.post(path, owner="me"))["owner"] == "maya"
        assert AuditLine.objects.get(act="errors.assign").data["api_key"] == "nightly report"

    def test_snoozes_and_wakes(self, program: Program, failed: SyncItem) -> None:
        path = f"errors/{failed.error_fingerprint}"
        until = (now() + timedelta(days=1)).isoformat()

        put_off = body_of(program.post(f"{path}/snooze", reason="Books close Friday.", until=until))
        woken = body_of(program.post(f"{path}/wake"))

        assert (put_off["state"], put_off["why"]) == ("snoozed", "Books close Friday.")
        assert woken["state"] == "new"
        problem_of(program.post(f"{path}/wake"), 409)

    def test_something_must_bring_it_back(self, program: Program, failed: SyncItem) -> None:
        path = f"errors/{failed.error_fingerprint}/snooze"

        problem_of(program.post(path, reason="Never again."), 422)

        assert ErrorGroup.objects.get().snoozed_at is None

    def test_comments(self, program: Program, failed: SyncItem) -> None:
        body_of(program.post(f"errors/{failed.error_fingerprint}/comment", text="Called them."))

        assert Comment.objects.get().author == "maya"
