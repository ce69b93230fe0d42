import json

import pytest
from django.db import OperationalError, connection
from django.db.migrations.loader import MigrationLoader
from django.db.migrations.recorder import MigrationRecorder
from django.http import HttpRequest, HttpResponse
from django.test import RequestFactory

from rampbridge import health
from rampbridge.celery import app


@pytest.fixture
def request_to_health(rf: RequestFactory) -> HttpRequest:
    return rf.get("/readyz")


def problems(response: HttpResponse) -> dict[str, str]:
    found: dict[str, str] = json.loads(response.content)["problems"]
    return found


def test_healthz_needs_nothing_but_the_process(request_to_health: HttpRequest) -> None:
    response = health.healthz(request_to_health)

    assert response.status_code == 200
    assert "no-cache" in response["Cache-Control"]


@pytest.mark.django_db
class TestReadyz:
    def test_is_ready_when_everything_answers(self, request_to_health: HttpRequest) -> None:
        response = health.readyz(request_to_health)

        assert response.status_code == 200
        assert problems(response) == {}

    def test_names_a_broker_that_does_not_answer(
        self, request_to_health: HttpRequest, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(app.conf, "broker_read_url", "redis://127.0.0.1:1/0")

        response = health.readyz(request_to_health)

        assert response.status_code == 503
        assert set(problems(response)) == {"broker"}

    def test_names_migrations_that_wait(self, request_to_health: HttpRequest) -> None:
        ((_, newest),) = MigrationLoader(connection).graph.leaf_nodes("rampbridge")
        MigrationRecorder(connection).record_unapplied("rampbridge", newest)

        response = health.readyz(request_to_health)

        assert response.status_code == 503
        assert problems(response) == {"migrations": "1 are not applied. Run: manage.py migrate"}

    def test_names_a_database_that_does_not_answer(
        self, request_to_health: HttpRequest, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        def refuse() -> None:
            raise OperationalError("password=canary")

        monkeypatch.setattr(connection, "cursor", refuse)

        response = health.readyz(request_to_health)

        assert response.status_code == 503
        assert {"database", "migrations"} <= set(problems(response))
        assert b"canary" not in response.content
