"""The page about our own parts, and the one that anybody may see."""

import json
from collections.abc import Iterator
from datetime import timedelta

import pytest
from django.db import OperationalError
from django.test import Client
from django.urls import reverse

from connections.models import Connection
from rampbridge.lib import measures, meters
from rampbridge.metrics import writing
from rampbridge.models import Process
from rampbridge.own_health import public
from rampbridge.own_health.broker import BrokerFacts
from rampbridge.own_health.promises import promises
from syncing.backlog import folding
from syncing.models import FleetRound, WorkerBeat
from tests.factories import ConnectionFactory, ScheduleFactory, SyncItemFactory, UserFactory, now

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def broker(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """One that answers; and nothing is known from another test."""
    answers = BrokerFacts(answers=True, waiting={"export": 2})
    monkeypatch.setattr("rampbridge.own_health.views.broker_facts", lambda: answers)
    monkeypatch.setattr(public, "broker_facts", lambda: answers)
    public.current.forget()
    yield
    public.current.forget()


def all_well() -> Connection:
    """A worker and a web process that get on, and a clock that rings."""
    writer = writing.Writer()
    writer.introduce(writing.Self(Process.Kind.WORKER, "0.1.0", ["button", "export", "chart"]))
    writer.write_if_due(now=0.0)
    WorkerBeat.objects.create(
        worker=writing.process_name(), beat_at=now(), started_at=now(), tasks=1234
    )
    FleetRound.objects.update_or_create(id=1, defaults={"at": now()})
    connection = ConnectionFactory.create(slug="zebra-quarry", name="Zebra Quarry", stage="live")
    ScheduleFactory.create(connection=connection, next_poll_at=now() + timedelta(hours=1))
    return connection


class TestHealthPage:
    def test_shows_workers_with_their_queues_and_what_they_have_done(self, client: Client) -> None:
        all_well()
        client.force_login(UserFactory.create(roles=["support"]))

        html = client.get(reverse("health")).content.decode()

        assert "button, export, chart" in html
        assert "1,234" in html
        assert "All parts get on with their work" in html

    def test_says_what_to_do_where_no_worker_gets_on(self, client: Client) -> None:
        all_well()
        Process.objects.update(seen_at=now() - timedelta(minutes=2))
        WorkerBeat.objects.update(beat_at=now() - timedelta(minutes=2))
        client.force_login(UserFactory.create(roles=["support"]))

        html = client.get(reverse("health")).content.decode()

        assert "1 of 10 parts needs a look" in html
        assert "Restart the workers" in html

    def test_is_for_people_who_are_signed_in(self, client: Client) -> None:
        assert client.get(reverse("health")).status_code == 302


class TestStatusPage:
    def test_tells_anybody_which_parts_work_and_nothing_of_customers(self, client: Client) -> None:
        all_well()

        answer = client.get("/status", headers={"accept": "application/json"})

        said = json.loads(answer.content)
        assert answer.status_code == 200
        assert said["status"] == "operational"
        assert set(said) == {"status", "components", "as_of"}
        assert set(said["components"].values()) == {"operational"}

    def test_is_a_small_page_for_people(self, client: Client) -> None:
        all_well()

        answer = client.get("/status", headers={"accept": "text/html"})

        html = answer.content.decode()
        assert "Everything works" in html
        for secret in ("ebra", "0.1.0", "PostgreSQL", "sign"):
            assert secret not in html.lower()
        assert "max-age=15" in answer["Cache-Control"]
        assert "Set-Cookie" not in answer

    def test_a_part_that_is_ill_is_down(self, client: Client) -> None:
        all_well()
        FleetRound.objects.update(at=now() - timedelta(minutes=5))

        answer = client.get("/status?format=json")

        said = json.loads(answer.content)
        assert answer.status_code == 503
        assert said["status"] == said["components"]["Booking in ERPs"] == "down"
        assert said["components"]["Pages and API"] == "operational"

    def test_everything_is_down_without_the_database(
        self, client: Client, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        def refuse() -> None:
            raise OperationalError("password=canary")

        monkeypatch.setattr(public, "service_facts", refuse)

        answer = client.get("/status?format=json")

        assert answer.status_code == 503
        assert set(json.loads(answer.content)["components"].values()) == {"down"}
        assert b"canary" not in answer.content

    def test_however_many_ask_the_parts_are_looked_at_once(self) -> None:
        looks = []

        def look() -> public.PublicStatus:
            looks.append(1)
            return public.PublicStatus(now(), {})

        cached = public.Cached(look)
        for at in (0.0, 1.0, public.KEPT_SECONDS - 1, public.KEPT_SECONDS):
            cached.get(now=at)

        assert len(looks) == 2


class TestPromises:
    def test_are_held_against_what_was_done_and_answered(self) -> None:
        connection = ConnectionFactory.create(stage="live")
        for seconds in (10, 20, 100):
            SyncItemFactory.create(
                connection=connection,
                arrived_by="webhook",
                acked=True,
                ready_at=now() - timedelta(seconds=seconds),
                acked_at=now(),
            )
        meters.take()
        measures.WEB_SECONDS.add(0.1, "page")
        measures.WEB_SECONDS.add(2.0, "page")
        measures.WEB_SECONDS.add(9.0, "part")
        writing.write_down()

        before = {one.name: (one.of, one.within) for one in promises()}
        folding.fold()
        after = {one.name: (one.of, one.within) for one in promises()}

        assert before == after
        assert after["What a webhook told of is confirmed"] == (3, 2)
        assert after["Pages are answered"] == (2, 1)
        assert after["Webhooks are answered"] == (0, 0)
