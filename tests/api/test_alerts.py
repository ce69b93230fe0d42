"""Alerts, and looking after one, by a program."""

import json
from datetime import timedelta
from typing import Any

import pytest

from connections.api_tokens import Scope
from connections.models import AuditLine
from syncing.models import Alert
from tests.api.conftest import MakeProgram, Program
from tests.api.test_access import problem_of
from tests.syncing.alerts.world import MINUTE, Watch, stop_worker

pytestmark = pytest.mark.django_db


@pytest.fixture
def alert() -> Alert:
    stop_worker(ago=2 * MINUTE)
    Watch().looks()
    return Alert.objects.get()


def body_of(response: Any) -> Any:
    assert response.status_code == 200, response.content
    return json.loads(response.content)


def test_what_is_open_says_what_to_do(program: Program, alert: Alert) -> None:
    (found,) = body_of(program.get("alerts"))["items"]

    assert (found["id"], found["kind"], found["severity"]) == (alert.pk, "worker_silent", "page")
    assert found["first_step"].startswith("Restart the worker")
    assert found["customer"] is None
    assert body_of(program.get("alerts", state="over"))["items"] == []
    problem_of(program.get("alerts", state="nonsense"), 422)


def test_what_is_over_is_asked_for_by_its_state(program: Program, alert: Alert) -> None:
    Alert.objects.update(resolved_at=alert.opened_at + timedelta(hours=1))

    assert body_of(program.get("alerts"))["items"] == []
    assert len(body_of(program.get("alerts", state="over"))["items"]) == 1


def test_a_program_looks_after_one_in_its_owners_name(program: Program, alert: Alert) -> None:
    answer = body_of(program.post(f"alerts/{alert.pk}/acknowledge", note="on it"))

    assert (answer["acknowledged_by"], answer["note"]) == ("maya", "on it")
    assert "API key" in AuditLine.objects.get(act="alerts.acknowledge").text


def test_what_is_over_is_looked_after_by_nobody(
    program: Program, program_of: MakeProgram, alert: Alert
) -> None:
    reader = program_of("support", Scope.READ, username="rea")
    problem_of(reader.post(f"alerts/{alert.pk}/acknowledge"), 403)
    Alert.objects.update(resolved_at=alert.opened_at)

    problem_of(program.post(f"alerts/{alert.pk}/acknowledge"), 409)
    problem_of(program.get("alerts/99999"), 404)
