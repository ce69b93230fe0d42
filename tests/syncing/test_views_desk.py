"""Runs, the webhook inbox, the audit lines and incidents, as pages."""

import json
import re
import uuid
from datetime import timedelta
from typing import Any

import pytest
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from connections import audit
from connections.models import AuditLine, Connection, WebhookSubscription
from rampbridge.policy import Role
from syncing import inbox, incidents
from syncing.models import AckBatch, Incident, Pause, Schedule, SyncRun, WebhookEvent
from syncing.webhook_health import MISSED_IN_A_ROW
from tests.factories import (
    ConnectionFactory,
    PauseFactory,
    ReconciliationFactory,
    ScheduleFactory,
    SyncItemFactory,
    SyncRequestFactory,
    SyncRunFactory,
    UserFactory,
    WebhookSubscriptionFactory,
)

pytestmark = pytest.mark.django_db

MOST_STATEMENTS = 12


@pytest.fixture
def client(client: Client) -> Client:
    client.force_login(UserFactory.create(username="ada", roles=[Role.SUPPORT]))
    return client


def text(client: Client, url: str) -> str:
    answer = client.get(url)
    assert answer.status_code == 200
    return " ".join(re.sub(r"<[^>]+>", " ", answer.content.decode()).split())


def live_url(client: Client, url: str, part: str) -> str:
    page = client.get(url).content.decode()
    found = re.search(rf'id="{part}"[^>]*hx-get="([^"]+)"', page, re.DOTALL)
    assert found
    return found[1].replace("&amp;", "&")


def an_event(subscription: WebhookSubscription, **changes: Any) -> WebhookEvent:
    body = {
        "id": str(uuid.uuid4()),
        "type": "transactions.ready_to_sync",
        "business_id": str(subscription.connection.ramp_business_id),
        "object": {"id": str(uuid.uuid4()), "card_holder_email": "ada@example.com"},
    }
    values: dict[str, Any] = {
        "event_id": body["id"],
        "subscription": subscription,
        "connection": subscription.connection,
        "event_type": body["type"],
        "object_id": body["object"]["id"],  # type: ignore[index]
        "raw": json.dumps(body).encode(),
        "received_at": timezone.now() - timedelta(minutes=2),
    }
    return WebhookEvent.objects.create(**values | changes)


class TestRuns:
    def test_lists_what_each_brought_what_it_cost_and_who_asked(self, client: Client) -> None:
        item = SyncItemFactory.create(arrived_by="manual")
        run = SyncRunFactory.create(
            connection=item.connection,
            trigger="manual",
            actor="hannah",
            started_at=item.ready_at - timedelta(seconds=1),
            finished_at=item.ready_at + timedelta(seconds=3),
            seen=7,
            new=1,
            calls=4,
            throttled_ms=2000,
        )

        page = text(client, reverse("runs"))

        assert "by hannah" in page
        assert "7 ready, 1 new" in page
        assert "123.45" in page, "the money that was new"
        assert "waited 2.0 s" in page
        assert item.connection.name in page
        assert reverse("run", args=[run.pk]) in client.get(reverse("runs")).content.decode()

    @pytest.mark.parametrize(
        ("narrowed", "shown"),
        [
            ("", {"poll", "webhook", "broken"}),
            ("?trigger=webhook", {"webhook"}),
            ("?outcome=running", {"poll"}),
            ("?outcome=problem", {"broken"}),
            ("?outcome=done", {"webhook"}),
            ("?customer=theirs", {"webhook"}),
            ("?outcome=nonsense&trigger=nonsense", {"poll", "webhook", "broken"}),
        ],
    )
    def test_is_narrowed_by_customer_trigger_and_outcome(
        self, client: Client, narrowed: str, shown: set[str]
    ) -> None:
        ours, theirs = ConnectionFactory.create(), ConnectionFactory.create(slug="theirs")
        runs = {
            "poll": SyncRunFactory.create(connection=ours, finished_at=None),
            "webhook": SyncRunFactory.create(connection=theirs, trigger="webhook"),
            "broken": SyncRunFactory.create(connection=ours, problem="Ramp did not answer."),
        }

        page = client.get(reverse("runs") + narrowed).content.decode()

        assert {name for name, run in runs.items() if f'id="run-{run.pk}"' in page} == shown

    def test_pages_without_a_gap(self, client: Client) -> None:
        connection, now = ConnectionFactory.create(), timezone.now()
        same_moment = [SyncRunFactory.create(connection=connection, started_at=now) for _ in "12"]
        older = [
            SyncRunFactory.create(connection=connection, started_at=now - timedelta(minutes=n))
            for n in range(1, 28)
        ]
        seen: list[str] = []
        url = reverse("runs")
        while url:
            page = client.get(url).content.decode()
            seen += re.findall(r'id="run-(\d+)"', page)
            found = re.search(r'id="page-next"[^>]*href="([^"]+)"', page, re.DOTALL)
            url = reverse("runs") + found[1].replace("&amp;", "&") if found else ""

        expected = [str(one.pk) for one in [*reversed(same_moment), *older]]
        assert seen == expected

    @pytest.mark.parametrize("show", ["", "presses", "reports", "charts", "comparisons"])
    def test_every_kind_costs_few_statements(
        self, client: Client, show: str, django_assert_max_num_queries: Any
    ) -> None:
        connection = ConnectionFactory.create()
        for _ in range(3):
            SyncRunFactory.create(connection=connection)
            SyncRequestFactory.create(connection=connection, partial=True)
            ReconciliationFactory.create(connection=connection)
            a_report(connection)

        with django_assert_max_num_queries(MOST_STATEMENTS):
            page = client.get(f"{reverse('runs')}?show={show}")

        assert page.status_code == 200
        assert page.content.decode().count("data-row") == (0 if show == "charts" else 3)

    def test_a_poll_hears_nothing_until_a_run_moves(self, client: Client) -> None:
        run = SyncRunFactory.create(finished_at=None)
        url = live_url(client, reverse("runs"), "runs")
        assert client.get(url, headers={"HX-Request": "true"}).status_code == 204

        SyncRun.objects.filter(pk=run.pk).update(seen=5)

        assert client.get(url, headers={"HX-Request": "true"}).status_code == 200


def a_report(connection: Connection) -> AckBatch:
    now = timezone.now()
    return AckBatch.objects.create(
        connection=connection,
        sync_type="TRANSACTION_SYNC",
        outcome=AckBatch.Outcome.SUCCESS,
        key=uuid.uuid4(),
        body=b"{}",
        size=3,
        created_at=now,
        due_at=now,
    )


class TestRun:
    def test_tells_what_rang_what_came_and_what_went_wrong(
        self, client: Client, django_assert_max_num_queries: Any
    ) -> None:
        hook = WebhookSubscriptionFactory.create()
        run = SyncRunFactory.create(
            connection=hook.connection,
            trigger="webhook",
            seen=12,
            calls=3,
            problem="Bills: Ramp does not let us read bills.",
            trace_id="trace-1",
        )
        rang = an_event(hook, run=run, handled_at=timezone.now(), outcome="pulled, 1 new")

        with django_assert_max_num_queries(MOST_STATEMENTS):
            page = text(client, reverse("run", args=[run.pk]))

        assert "Ramp rang: 1 event." in page
        assert "Bills: Ramp does not let us read bills." in page
        assert "Ended. What was read is kept." in page
        assert "trace-1" in page
        html = client.get(reverse("run", args=[run.pk])).content.decode()
        assert reverse("webhook_event", args=[rang.pk]) in html

    def test_follows_one_that_goes_on(self, client: Client) -> None:
        connection = ScheduleFactory.create().connection
        run = SyncRunFactory.create(connection=connection, finished_at=None, seen=100)
        page = text(client, reverse("run", args=[run.pk]))
        assert "Under way: 100 read" in page
        url = live_url(client, reverse("run", args=[run.pk]), "run")
        assert client.get(url, headers={"HX-Request": "true"}).status_code == 204

        SyncRun.objects.filter(pk=run.pk).update(seen=200, finished_at=timezone.now())

        moved = client.get(url, headers={"HX-Request": "true"})
        assert b"Finished." in moved.content

    def test_there_is_none_of_that_number(self, client: Client) -> None:
        assert client.get(reverse("run", args=[4711])).status_code == 404


class TestWebhooks:
    def test_each_event_says_whether_it_was_ramp_and_what_came_of_it(
        self, client: Client, django_assert_max_num_queries: Any
    ) -> None:
        hook = WebhookSubscriptionFactory.create()
        item = SyncItemFactory.create(connection=hook.connection, label="Figma")
        run = SyncRunFactory.create(connection=hook.connection)
        now = timezone.now()
        an_event(
            hook,
            object_id=str(item.ramp_id),
            deliveries=3,
            run=run,
            outcome="pulled, 1 new",
            received_at=now,
            handled_at=now + timedelta(milliseconds=840),
        )

        with django_assert_max_num_queries(MOST_STATEMENTS):
            page = text(client, reverse("webhook_inbox"))

        assert "Signed" in page
        assert "3 deliveries" in page
        assert "840 ms" in page
        assert "Figma" in page
        html = client.get(reverse("webhook_inbox")).content.decode()
        assert reverse("run", args=[run.pk]) in html
        assert reverse("item", args=[item.pk]) in html

    @pytest.mark.parametrize(
        ("narrowed", "shown"),
        [
            ("", {"handled", "waits", "bill", "refused", "foreign"}),
            ("?only=unhandled", {"waits", "bill"}),
            ("?only=refused", {"refused"}),
            ("?only=repeated", {"handled"}),
            ("?only=unknown", {"foreign"}),
            ("?type=bills.approved", {"bill"}),
            ("?customer=ours", {"handled", "waits", "bill", "refused"}),
        ],
    )
    def test_is_narrowed(self, client: Client, narrowed: str, shown: set[str]) -> None:
        hook = WebhookSubscriptionFactory.create(connection__slug="ours")
        events = {
            "handled": an_event(hook, handled_at=timezone.now(), deliveries=2),
            "waits": an_event(hook),
            "bill": an_event(hook, event_type="bills.approved"),
            "refused": an_event(hook, event_type="refused", raw=b"", handled_at=timezone.now()),
            "foreign": an_event(hook, connection=None),
        }

        page = client.get(reverse("webhook_inbox") + narrowed).content.decode()

        assert {name for name, one in events.items() if f'id="event-{one.pk}"' in page} == shown

    def test_a_webhook_that_refuses_or_misses_is_shown_before_anybody_looks_for_it(
        self, client: Client
    ) -> None:
        fine, refusing, missing = (WebhookSubscriptionFactory.create() for _ in range(3))
        with pytest.raises(inbox.BadSignature):
            inbox.keep(
                refusing,
                inbox.Delivery(raw=b"{}", signature="wrong", own_header=""),
                now=timezone.now(),
            )
        for _ in range(MISSED_IN_A_ROW):
            SyncRunFactory.create(connection=missing.connection, unannounced=4)

        fleet = text(client, reverse("webhook_inbox"))
        assert "Refuses deliveries" in fleet
        assert "Signature wrong since" in fleet
        html = client.get(reverse("webhook_inbox")).content.decode()
        assert f'id="hook-{refusing.pk}"' in html
        assert f'id="hook-{fine.pk}"' not in html
        theirs = text(client, f"{reverse('webhook_inbox')}?customer={missing.connection.slug}")
        assert "Misses events" in theirs
        assert "8 missed" in theirs

    def test_a_body_is_shown_without_what_is_private(self, client: Client) -> None:
        event = an_event(WebhookSubscriptionFactory.create())

        page = text(client, reverse("webhook_event", args=[event.pk]))

        assert event.object_id in page
        assert "ada@example.com" not in page
        assert not AuditLine.objects.exists()

    def test_whoever_looks_at_everything_leaves_a_line(self, client: Client) -> None:
        event = an_event(WebhookSubscriptionFactory.create())

        page = client.post(reverse("reveal_webhook", args=[event.pk]))

        assert b"ada@example.com" in page.content
        (line,) = AuditLine.objects.all()
        assert (line.actor, line.act, line.subject_id) == ("ada", "webhooks.reveal", str(event.pk))

    def test_a_manager_may_neither_reveal_nor_replay(self, client: Client) -> None:
        event = an_event(WebhookSubscriptionFactory.create())
        client.force_login(UserFactory.create(roles=[Role.MANAGER]))

        assert client.post(reverse("reveal_webhook", args=[event.pk])).status_code == 403
        assert client.post(reverse("replay_webhook", args=[event.pk])).status_code == 403
        page = client.get(reverse("webhook_event", args=[event.pk])).content.decode()
        assert 'id="reveal"' not in page
        assert 'id="replay"' not in page

    def test_a_replayed_event_rings_again_and_is_still_one_event(self, client: Client) -> None:
        schedule = ScheduleFactory.create()
        hook = WebhookSubscriptionFactory.create(connection=schedule.connection)
        event = an_event(hook, handled_at=timezone.now(), outcome="pulled, nothing new")

        for _ in range(2):
            client.post(reverse("replay_webhook", args=[event.pk]))

        event.refresh_from_db()
        schedule.refresh_from_db()
        assert (event.handled_at, event.outcome) == (None, "")
        assert schedule.fetch_due_at is not None
        assert schedule.fetch_types == ["transaction"]
        assert WebhookEvent.objects.count() == 1
        assert AuditLine.objects.filter(act="webhooks.replay").count() == 2

    @pytest.mark.parametrize(
        "changes", [{"event_type": "refused", "raw": b""}, {"connection": None}]
    )
    def test_what_was_never_ours_is_not_replayed(
        self, client: Client, changes: dict[str, Any]
    ) -> None:
        event = an_event(WebhookSubscriptionFactory.create(), **changes)

        with pytest.raises(inbox.NotReplayable):
            inbox.replay(event, actor="ada")

        client.post(reverse("replay_webhook", args=[event.pk]))
        assert not AuditLine.objects.exists()

    def test_a_body_that_is_no_json_is_not_shown(self, client: Client) -> None:
        event = an_event(WebhookSubscriptionFactory.create(), raw=b"secret words")

        assert "secret words" not in text(client, reverse("webhook_event", args=[event.pk]))


class TestAudit:
    @pytest.fixture
    def lines(self) -> dict[str, AuditLine]:
        connection = ConnectionFactory.create(slug="harbor")
        return {
            "retry": audit.record(
                "maya", "items.retry", "Retried RB-1.", connection_id=connection.pk,
                subject="item", subject_id=7,
            ),
            "pause": audit.record(
                "hannah", "posting.pause", "Paused bills.", connection_id=connection.pk
            ),
            "key": audit.record("maya", "api_keys.make", "=cmd|' /C calc'!A0"),
        }  # fmt: skip

    @pytest.mark.parametrize(
        ("narrowed", "shown"),
        [
            ("", {"retry", "pause", "key"}),
            ("?customer=harbor", {"retry", "pause"}),
            ("?actor=maya", {"retry", "key"}),
            ("?area=items", {"retry"}),
            ("?subject=item&subject_id=7", {"retry"}),
            ("?subject=item&subject_id=8", set()),
        ],
    )
    def test_lists_who_did_what_and_is_narrowed(
        self, client: Client, lines: dict[str, AuditLine], narrowed: str, shown: set[str]
    ) -> None:
        page = client.get(reverse("audit") + narrowed).content.decode()

        assert {name for name, one in lines.items() if f'id="who-{one.pk}"' in page} == shown

    def test_a_file_holds_the_same_and_no_formula(
        self, client: Client, lines: dict[str, AuditLine]
    ) -> None:
        answer = client.get(f"{reverse('audit_csv')}?actor=maya")

        file = b"".join(answer.streaming_content).decode()  # type: ignore[attr-defined]
        assert "Retried RB-1." in file
        assert "Paused bills." not in file
        assert "'=cmd" in file
        assert AuditLine.objects.filter(actor="ada", act="audit.csv").count() == 1

    def test_every_version_of_the_configuration_says_what_changed(
        self, client: Client, django_assert_max_num_queries: Any
    ) -> None:
        connection = ConnectionFactory.create(name="Harbor", owner="maya")
        connection.owner = "hannah"
        connection.save(update_fields=["owner"])

        with django_assert_max_num_queries(MOST_STATEMENTS):
            page = text(client, f"{reverse('audit')}?history=connection")

        assert re.search(r"Owner\s+maya.*hannah", page)

    @pytest.mark.parametrize(
        "kept", ["entity", "postingprofile", "mapping", "switch", "driftdecision", "vendorlink",
                 "vendorchange", "separatevendors", "fieldowner"],
    )  # fmt: skip
    def test_every_table_that_is_kept_can_be_read(self, client: Client, kept: str) -> None:
        slug = ConnectionFactory.create().slug

        assert client.get(f"{reverse('audit')}?history={kept}&customer={slug}").status_code == 200


class TestIncidents:
    @pytest.fixture
    def incident(self) -> Incident:
        incident = Incident.objects.create(
            erp_kind="tryton",
            erp_name="Tryton",
            fingerprint="f" * 32,
            title="Tryton does not answer.",
            opened_at=timezone.now() - timedelta(minutes=25),
            customers=2,
        )
        for number in range(2):
            connection = ScheduleFactory.create().connection
            SyncItemFactory.create(connection=connection)
            PauseFactory.create(
                connection=connection,
                object_type="",
                is_automatic=True,
                paused_by="",
                incident=incident,
                canaries=3 * number,
                canary_due_at=timezone.now() + timedelta(minutes=4) if number else None,
            )
        return incident

    def test_a_strip_on_every_page_says_so_for_one_statement(
        self, client: Client, incident: Incident, django_assert_num_queries: Any
    ) -> None:
        from syncing.queries.frame import frame

        with django_assert_num_queries(1):
            framed = frame("maya", now=timezone.now(), most_pinned=12, most_people=9)
        (strip,) = framed.incidents
        page = text(client, reverse("audit"))

        assert strip.customers == 2
        assert "Tryton does not answer." in page
        assert "2 customers since" in page
        incidents.end(incident, reason="It is back", actor="maya")
        assert "Tryton does not answer." not in text(client, reverse("webhook_inbox"))

    def test_says_what_whom_what_was_tried_and_what_comes_next(
        self, client: Client, incident: Incident, django_assert_max_num_queries: Any
    ) -> None:
        with django_assert_max_num_queries(MOST_STATEMENTS):
            page = text(client, reverse("incident", args=[incident.pk]))

        assert "Going on" in page
        assert "246.90" in page, "what waits at them"
        assert "sends the next canary" in page
        assert "then every 5 min" in page
        for name in Connection.objects.values_list("name", flat=True):
            assert name in page

    def test_is_ended_with_a_reason(self, client: Client, incident: Incident) -> None:
        url = reverse("end_incident", args=[incident.pk])
        refused = client.post(url, {"reason": ""})
        assert refused.status_code == 422
        assert Pause.objects.filter(resumed_at=None).count() == 2

        answer = client.post(url, {"reason": "The vendor says it is back"})

        assert answer["Location"] == reverse("incident", args=[incident.pk])
        page = text(client, reverse("incident", args=[incident.pk]))
        assert "The vendor says it is back" in page
        assert "ada" in page
        assert not Pause.objects.filter(resumed_at=None).exists()
        assert Schedule.objects.filter(rung_at=None).count() == 2

    def test_a_poll_hears_nothing_until_a_canary_flies(
        self, client: Client, incident: Incident
    ) -> None:
        url = live_url(client, reverse("incident", args=[incident.pk]), "incident")
        assert client.get(url, headers={"HX-Request": "true"}).status_code == 204

        Pause.objects.filter(canaries=3).update(canaries=4)

        assert client.get(url, headers={"HX-Request": "true"}).status_code == 200
