"""The process that looks, and the one that plays an ending."""

import threading
from io import StringIO

import pytest
from django.core.management import call_command
from django.db import OperationalError

from connections.models import Credential
from syncing.alerts import looking, measuring, statements
from syncing.models import Alert, AlertRound
from tests.factories import now
from tests.syncing.alerts.world import MINUTE, customer, only, stop_worker

pytestmark = pytest.mark.django_db


def test_looking_once_says_what_it_found() -> None:
    stop_worker(ago=2 * MINUTE)
    out = StringIO()

    call_command("watch_alerts", "--once", stdout=out)

    assert "No worker has done anything for 2 min." in out.getvalue()
    assert "1 opened, 0 resolved." in out.getvalue()


def test_an_ending_that_is_played_is_an_alert() -> None:
    only("credential_expiry")
    harbor = customer(slug="harbor", name="Harbor")
    Credential.objects.create(connection=harbor, side="erp", sealed=b"x")

    call_command("play_expiry", "harbor", "--hours", "20", stdout=StringIO())
    call_command("watch_alerts", "--once", stdout=StringIO())

    assert Alert.objects.get().connection == harbor


def test_the_watch_goes_on_when_the_database_is_away(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    stop, looks = threading.Event(), []

    def look(**_: object) -> None:
        looks.append(1)
        if len(looks) == 2:
            stop.set()
        raise OperationalError("it is away")

    monkeypatch.setattr(looking, "look", look)
    monkeypatch.setattr(looking, "EVERY_SECONDS", 0.0)
    monkeypatch.setattr(looking, "SEND_EVERY_SECONDS", 0.0)
    monkeypatch.setattr(looking, "close_old_connections", lambda: None)

    looking.keep_looking(now, stop)

    assert len(looks) == 2
    assert "the database does not answer" in caplog.text


def test_a_kind_that_cannot_be_measured_holds_up_no_other(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    broken = {**statements.MEASURES, "drift": "SELECT nothing FROM nowhere"}
    monkeypatch.setattr(measuring, "MEASURES", broken)
    stop_worker(ago=2 * MINUTE)

    call_command("watch_alerts", "--once", stdout=StringIO())

    assert Alert.objects.count() == 1
    assert AlertRound.objects.get().problem.startswith(
        "Could not be measured: Chart differs for long."
    )
