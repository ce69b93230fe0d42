"""What every answer carries, whatever page it is."""

from importlib import import_module

import pytest
from django.conf import settings
from django.http import HttpRequest, HttpResponse
from django.test import Client, override_settings
from django.urls import path

from rampbridge.celery import app
from rampbridge.health import healthz


def closed(request: HttpRequest) -> HttpResponse:
    """A view that says nothing about who may see it."""
    return HttpResponse("secret")


urlpatterns = [
    path("healthz", healthz, name="healthz"),
    path("closed", closed, name="closed"),
    path("sign-in", healthz, name="account_login"),
]


@pytest.mark.urls(__name__)
class TestEveryAnswer:
    def test_allows_scripts_and_styles_from_here_only(self, client: Client) -> None:
        policy = client.get("/healthz")["Content-Security-Policy"]

        directives = dict(part.strip().split(" ", 1) for part in policy.split(";"))
        assert directives["default-src"] == "'none'"
        assert directives["script-src"] == directives["style-src"] == "'self'"
        assert directives["frame-ancestors"] == directives["base-uri"] == "'none'"
        assert "unsafe" not in policy

    def test_is_not_framed_sniffed_or_told_to_others(self, client: Client) -> None:
        answer = client.get("/healthz")

        assert answer["X-Frame-Options"] == "DENY"
        assert answer["X-Content-Type-Options"] == "nosniff"
        assert answer["Referrer-Policy"] == "same-origin"
        assert answer["Cross-Origin-Opener-Policy"] == "same-origin"

    @pytest.mark.django_db
    def test_needs_a_sign_in_unless_a_view_says_otherwise(self, client: Client) -> None:
        answer = client.get("/closed")

        assert answer.status_code == 302
        assert answer["Location"] == "/sign-in?next=/closed"

    @override_settings(SECURE_SSL_REDIRECT=True, SECURE_REDIRECT_EXEMPT=["^healthz$", "^readyz$"])
    def test_goes_to_tls_except_for_probes(self, client: Client) -> None:
        assert client.get("/healthz").status_code == 200
        assert client.get("/closed")["Location"] == "https://testserver/closed"


def test_debug_is_never_on() -> None:
    assert settings.DEBUG is False


def test_the_one_thing_beat_rings_is_a_task_that_exists() -> None:
    for app_name in ("connections", "syncing", "migrations_tool"):
        import_module(f"{app_name}.tasks")

    rung = {entry["task"] for entry in app.conf.beat_schedule.values()}

    assert rung <= set(app.tasks)


def test_a_message_goes_to_one_queue_only() -> None:
    keys = [(queue.exchange, queue.routing_key) for queue in app.amqp.queues.values()]

    assert len({key for _, key in keys}) == len(keys) == 3


def test_every_task_goes_to_a_queue_that_workers_serve() -> None:
    import_module("syncing.tasks")
    queues = {queue.name for queue in app.conf.task_queues}

    ours = [task for name, task in app.tasks.items() if not name.startswith("celery.")]

    assert {getattr(task, "queue", "export") for task in ours} <= queues
