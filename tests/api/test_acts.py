"""What a program does to items: a person's acts, a person's words, a person's name."""

import json
from datetime import timedelta
from typing import Any
from uuid import uuid4

import pytest

from connections.api_tokens import Scope
from connections.models import AuditLine
from syncing.bulk import running
from syncing.models import Comment, ItemEvent, SyncItem
from tests.api.conftest import MakeProgram, Program
from tests.api.test_access import problem_of
from tests.browser.stories import make_item
from tests.factories import ConnectionFactory, SyncItemFactory, UserFactory, now

pytestmark = pytest.mark.django_db


def body_of(response: Any, status: int = 200) -> Any:
    assert response.status_code == status, response.content
    return json.loads(response.content)


class TestOneItem:
    def test_retries_what_failed(self, program: Program) -> None:
        item = SyncItemFactory.create(failed=True)

        done = body_of(program.post(f"items/{item.pk}/retry"))

        assert done["item"]["state"] in ("queued", "retrying")
        assert SyncItem.objects.get(pk=item.pk).state == "READY"

    def test_what_is_uncertain_is_never_sent_twice(self, program: Program) -> None:
        item = make_item(ConnectionFactory.create(), "uncertain")

        problem_of(program.post(f"items/{item.pk}/retry"), 409)

        assert SyncItem.objects.get(pk=item.pk).state == item.state

    def test_a_manager_may_look_and_not_retry(self, program_of: MakeProgram) -> None:
        item = SyncItemFactory.create(failed=True)
        manager = program_of("manager", Scope.READ, Scope.HANDLE)

        problem_of(manager.post(f"items/{item.pk}/retry"), 403)

    def test_assigns_to_somebody_by_name(self, program: Program) -> None:
        UserFactory.create(username="hannah", roles=["support"])
        item = SyncItemFactory.create()

        done = body_of(program.post(f"items/{item.pk}/assign", owner="hannah"))

        assert done["words"] == "Assigned to hannah."
        assert done["item"]["handling"]["owner"] == "hannah"

    def test_me_is_the_owner_of_the_key(self, program: Program) -> None:
        item = SyncItemFactory.create()

        done = body_of(program.post(f"items/{item.pk}/assign", owner="me"))

        assert done["item"]["handling"]["owner"] == "maya"

    def test_nobody_is_assigned_whom_nobody_knows(self, program: Program) -> None:
        item = SyncItemFactory.create()

        body = problem_of(program.post(f"items/{item.pk}/assign", owner="ghost"), 422)

        assert body["errors"] == [
            {"field": "owner", "message": "Nobody of that name has a role here."}
        ]

    def test_tags_and_takes_tags_off(self, program: Program) -> None:
        item = SyncItemFactory.create()

        on = body_of(program.post(f"items/{item.pk}/tag", tag="Month-End"))
        off = body_of(program.post(f"items/{item.pk}/untag", tag="month-end"))

        assert on["item"]["handling"]["tags"] == ["month-end"]
        assert off["item"]["handling"]["tags"] == []

    def test_snoozes_until_a_time_to_come(self, program: Program) -> None:
        item = SyncItemFactory.create()
        tomorrow = (now() + timedelta(days=1)).isoformat()

        done = body_of(program.post(f"items/{item.pk}/snooze", until=tomorrow, reason="books"))
        past = program.post(f"items/{item.pk}/snooze", until="2020-01-01T00:00:00Z", reason="")

        assert done["item"]["handling"]["snoozed_until"]
        assert problem_of(past, 422)["errors"][0]["field"] == "until"

    def test_a_comment_stands_on_the_timeline(self, program: Program) -> None:
        item = SyncItemFactory.create()

        body_of(program.post(f"items/{item.pk}/comment", text="The customer was told."))

        assert Comment.objects.get().author == "maya"
        event = ItemEvent.objects.get(item=item)
        assert (event.actor, event.text) == ("maya", "The customer was told.")

    @pytest.mark.parametrize("text", ["", "   ", "a\x00b", "x" * 4001])
    def test_what_is_no_comment_is_refused_by_name(self, program: Program, text: str) -> None:
        item = SyncItemFactory.create()

        body = problem_of(program.post(f"items/{item.pk}/comment", text=text), 422)

        assert body["errors"][0]["field"] == "text"

    def test_a_misspelt_field_is_not_passed_over(self, program: Program) -> None:
        item = SyncItemFactory.create()

        body = problem_of(
            program.post(f"items/{item.pk}/snooze", until=None, resaon="a typing error"), 422
        )

        assert body["errors"][0]["field"] == "resaon"

    def test_marks_an_item_handled_outside(self, program: Program) -> None:
        item = SyncItemFactory.create(failed=True, amount_minor=100)

        done = body_of(program.post(f"items/{item.pk}/outside", erp_reference="JRN-7"))

        assert done["item"]["state"] == "handled-outside"

    def test_outside_needs_a_number_or_a_reason(self, program: Program) -> None:
        item = SyncItemFactory.create(failed=True)

        problem_of(program.post(f"items/{item.pk}/outside"), 422)

    def test_the_audit_names_the_person_and_the_key(self, program: Program) -> None:
        item = SyncItemFactory.create()

        body_of(program.post(f"items/{item.pk}/tag", tag="month-end"))

        line = AuditLine.objects.get(act="items.tag")
        assert line.actor == "maya"
        assert line.text.endswith("By the API key “nightly report”.")
        assert line.data["api_key"] == "nightly report"


class TestManyItems:
    def test_a_preview_says_what_would_be_done_and_does_nothing(self, program: Program) -> None:
        SyncItemFactory.create(failed=True, amount_minor=100)
        SyncItemFactory.create(failed=True, amount_minor=200)
        make_item(ConnectionFactory.create(), "uncertain", {"amount_minor": 5})

        seen = body_of(program.post("jobs/preview", act="retry", query=""))

        assert (seen["items"], seen["will_be_done"], seen["customers"]) == (3, 2, 3)
        assert seen["amounts"] == [
            {"minor": 305, "currency": "USD", "exponent": 2, "decimal": "3.05"}
        ]
        assert any(fate["why_not"] for fate in seen["fates"])
        assert SyncItem.objects.filter(state="FAILED").count() == 2

    def test_a_job_is_made_once_for_its_key_and_tells_each_result(self, program: Program) -> None:
        items = [SyncItemFactory.create() for _ in range(3)]
        asked = {"key": str(uuid4()), "query": "state=all", "at_most": 3, "tag": "month-end"}

        first = body_of(program.post("jobs/tag", **asked), 202)
        second = body_of(program.post("jobs/tag", **asked), 202)
        assert first["id"] == second["id"]
        assert (first["items"], first["state"]) == (3, "open")

        running.run_next()

        job = body_of(program.get(f"jobs/{first['id']}"))
        assert (job["state"], job["done"], job["failed"]) == ("done", 3, 0)
        page = body_of(program.get(f"jobs/{first['id']}/items", limit=2))
        rest = body_of(program.get(f"jobs/{first['id']}/items", limit=2, after=page["next"]))
        rows = page["items"] + rest["items"]
        assert sorted(row["item"] for row in rows) == [item.pk for item in items]
        assert {row["outcome"] for row in rows} == {"done"}
        assert rest["next"] is None
        assert [one["id"] for one in body_of(program.get("jobs"))["items"]] == [first["id"]]

    def test_a_misspelt_filter_does_not_act_on_everything(self, program: Program) -> None:
        SyncItemFactory.create()

        body = problem_of(
            program.post("jobs/retry", key=str(uuid4()), query="custmer=harbor", at_most=9), 422
        )

        assert body["errors"][0]["field"] == "custmer"

    @pytest.mark.parametrize("chosen", [{}, {"query": "", "ids": [1]}])
    def test_says_which_items_in_one_way(self, program: Program, chosen: dict[str, Any]) -> None:
        asked = {"key": str(uuid4()), "at_most": 1, **chosen}

        problem_of(program.post("jobs/retry", **asked), 422)

    def test_stops_a_job(self, program: Program) -> None:
        SyncItemFactory.create()
        asked = {"key": str(uuid4()), "query": "", "at_most": 1, "tag": "month-end"}
        job = body_of(program.post("jobs/tag", **asked), 202)

        assert body_of(program.post(f"jobs/{job['id']}/stop"))["state"] == "stopped"

    def test_a_key_does_no_more_by_repeating_somebodys_job(
        self, program: Program, program_of: MakeProgram
    ) -> None:
        SyncItemFactory.create(failed=True)
        job = body_of(
            program.post("jobs/outside", key=str(uuid4()), query="", at_most=1, reason="By hand."),
            202,
        )
        handler = program_of("support", Scope.READ, Scope.HANDLE, username="kenji")

        for act in ("stop", "again", "undo"):
            body = problem_of(handler.post(f"jobs/{job['id']}/{act}"), 403)
            assert "scope settle" in body["detail"]

    def test_a_job_that_is_at_work_is_not_done_again(self, program: Program) -> None:
        SyncItemFactory.create()
        asked = {"key": str(uuid4()), "query": "", "at_most": 1, "tag": "month-end"}
        job = body_of(program.post("jobs/tag", **asked), 202)

        problem_of(program.post(f"jobs/{job['id']}/again"), 409)

    def test_a_job_that_is_not_there_is_told(self, program: Program) -> None:
        problem_of(program.get(f"jobs/{uuid4()}"), 404)
