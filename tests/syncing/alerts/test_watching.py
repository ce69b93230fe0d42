"""One alert for one thing that is wrong, in words that say what to do, and it ends by itself."""

from datetime import timedelta

import pytest
from django.core import mail
from django.db import IntegrityError, transaction

from connections.models import Connection, Credential, WebhookSubscription
from rampbridge.lib.meters import Figure
from rampbridge.metrics.writing import add
from syncing.alerts.sending import send_due
from syncing.alerts.watching import watch
from syncing.fleet.keeping import keep_up
from syncing.models import (
    Alert,
    AlertDelivery,
    AlertRound,
    AlertRule,
    AlertWatch,
    FlowBucket,
    FlowEntry,
    Incident,
    Schedule,
    SyncItem,
    SyncRequest,
    WebhookEvent,
    WorkerBeat,
)
from syncing.queries.frame import frame
from tests.factories import PauseFactory, SyncItemFactory, SyncRequestFactory, now
from tests.syncing.alerts.world import (
    MINUTE,
    Watch,
    customer,
    erp_answers,
    lose_webhook,
    mail_to,
    only,
    rule,
    silence_erp,
    stop_worker,
)

pytestmark = pytest.mark.django_db


@pytest.fixture
def watcher() -> Watch:
    return Watch()


def customers(number: int, **changes: str) -> list[Connection]:
    return [customer(**changes) for _ in range(number)]


class TestShownBy:
    """With every rule that comes with the program switched on."""

    def test_a_stopped_worker_raises_one_alert_that_ends_when_it_works_again(
        self, watcher: Watch
    ) -> None:
        mail_to()
        SyncItemFactory.create(connection=customer(), due_at=now() - timedelta(hours=9))
        stop_worker(ago=2.5 * MINUTE)

        watcher.looks(10)

        (alert,) = watcher.open
        assert alert.title == "No worker has done anything for 11 min."
        assert alert.why == "Nothing is posted and nothing is reported meanwhile; 1 item waits."
        assert alert.first_step.startswith("Restart the worker processes")
        assert alert.severity == "page"

        WorkerBeat.objects.update(beat_at=watcher.at)
        SyncItem.objects.update(due_at=watcher.at + timedelta(hours=1))
        watcher.looks()

        assert watcher.open == []
        alert.refresh_from_db()
        assert alert.resolved_because == "Workers finish their work again."
        assert _sent() == [
            "[Page] No worker has done anything for 2 min.",
            "[Over] Workers finish their work again.",
        ]

    def test_a_broken_erp_raises_one_alert_and_not_one_per_customer(self, watcher: Watch) -> None:
        mail_to()
        hit = customers(7, erp_name="Tryton")
        fine = customers(2, erp_name="NetSuite")
        silence_erp(hit, since=20 * MINUTE)

        watcher.looks(30)

        (alert,) = watcher.open
        assert alert.rule.kind == "erp_broken"
        assert alert.title == "Tryton is failing: 7 customers cannot post."
        assert alert.first_step.startswith("Ask whoever runs Tryton whether it is down.")
        assert fine

        erp_answers(hit)
        watcher.looks(2)

        alert.refresh_from_db()
        assert alert.resolved_because == "Tryton books again."
        assert Alert.objects.count() == 1
        assert len(_sent()) == 2, "one message when it began, and one when it was over"

    def test_an_erp_that_hangs_is_broken_while_each_try_lasts_for_minutes(
        self, watcher: Watch
    ) -> None:
        hit = customers(6, erp_name="Tryton")
        idle = customers(6, erp_name="NetSuite")
        for one in hit:
            SyncItemFactory.create(connection=one, due_at=now() + timedelta(hours=1))
        silence_erp(hit + idle, since=20 * MINUTE)
        Schedule.objects.update(resume_at=now() - 6 * MINUTE)

        watcher.looks(4)

        (alert,) = watcher.open
        assert alert.title == "Tryton is failing: 6 customers cannot post."

    def test_an_incident_of_many_customers_is_the_same_alert(self, watcher: Watch) -> None:
        incident = Incident.objects.create(
            erp_kind="tryton", erp_name="Tryton", fingerprint="a" * 32,
            title="Tryton does not answer.", opened_at=now(), customers=6,
        )  # fmt: skip
        for one in customers(6, erp_name="Tryton"):
            PauseFactory.create(connection=one, object_type="", incident=incident)

        watcher.looks(3)

        (alert,) = watcher.open
        assert alert.link == f"/incidents/{incident.pk}/"

    def test_a_lost_webhook_raises_one_alert_until_ramp_rings_again(self, watcher: Watch) -> None:
        harbor = customer(slug="harbor", name="Harbor Coffee")
        lose_webhook(harbor, silent=timedelta(hours=5), usual=timedelta(minutes=40))

        watcher.looks(4)

        (alert,) = watcher.open
        assert alert.title.startswith("Harbor Coffee: no webhook event for 5 h")
        assert alert.title.endswith("usually one every 40 min.")
        assert "7 objects" in alert.why
        assert alert.first_step == "Renew the webhook in the customer's settings."
        assert alert.link == "/customers/harbor/settings/"

        WebhookSubscription.objects.update(last_event_at=watcher.at)
        watcher.looks(4)

        alert.refresh_from_db()
        assert alert.resolved_because == "Ramp rings for Harbor Coffee again."

    def test_a_lost_webhook_is_noticed_where_polls_find_everything_at_once(
        self, watcher: Watch
    ) -> None:
        harbor = customer()
        lose_webhook(harbor, silent=timedelta(minutes=4), usual=timedelta(seconds=15), missed=0)
        SyncItemFactory.create(connection=harbor, ready_at=now() - 3 * MINUTE)

        watcher.looks(2)
        assert watcher.open == [], "Ramp tries to deliver an event for five minutes"

        watcher.looks(5)
        (alert,) = watcher.open
        assert alert.rule.kind == "webhook_gap"
        assert "polls found 1 object that" in alert.why

    def test_what_no_event_tells_of_or_one_has_told_of_is_no_lost_webhook(
        self, watcher: Watch
    ) -> None:
        harbor = customer()
        lose_webhook(harbor, silent=timedelta(hours=1), usual=timedelta(minutes=1), missed=0)
        found_at = now() - timedelta(minutes=50)
        SyncItemFactory.create(connection=harbor, object_type="transfer", ready_at=found_at)
        SyncItemFactory.create(connection=harbor, arrived_by="webhook", ready_at=found_at)
        told_of = SyncItemFactory.create(connection=harbor, ready_at=found_at)
        newest = WebhookEvent.objects.order_by("-received_at").first()
        assert newest is not None
        WebhookEvent.objects.filter(pk=newest.pk).update(object_id=str(told_of.ramp_id))

        watcher.looks(4)

        assert watcher.open == []

    def test_an_expiring_credential_raises_one_alert_until_there_is_a_new_one(
        self, watcher: Watch
    ) -> None:
        verde = customer(slug="verde", name="Verde Clinics", erp_name="NetSuite")
        Credential.objects.create(
            connection=verde, side="erp", sealed=b"x", expires_at=now() + timedelta(hours=30)
        )

        watcher.looks(3)

        (alert,) = watcher.open
        assert alert.title.startswith("Verde Clinics: the access to NetSuite ends in 1 d 5 h")
        assert alert.first_step.startswith("Get new credentials for NetSuite")

        Credential.objects.update(expires_at=now() + timedelta(days=90))
        watcher.looks()

        assert watcher.open == []


class TestOpening:
    def test_it_must_last_as_long_as_the_rule_says(self, watcher: Watch) -> None:
        only("erp_silent")
        rule("erp_silent", holds_minutes=10, is_on=True)
        one = customer()
        silence_erp([one], since=timedelta(hours=1))

        watcher.looks(10)
        assert watcher.open == []
        watcher.looks()

        assert len(watcher.open) == 1

    def test_what_was_better_in_between_begins_anew(self, watcher: Watch) -> None:
        rule("erp_silent", holds_minutes=10)
        one = customer()
        silence_erp([one], since=timedelta(hours=1))
        watcher.looks(8)
        erp_answers([one])
        watcher.looks()
        silence_erp([one], since=timedelta(hours=1))

        watcher.looks(8)

        assert watcher.open == []
        assert AlertWatch.objects.count() == 1

    def test_between_both_levels_it_neither_opens_nor_ends(self, watcher: Watch) -> None:
        only("credential_expiry")
        Credential.objects.create(
            connection=customer(), side="erp", sealed=b"x", expires_at=now() + timedelta(hours=60)
        )
        watcher.looks(2)
        assert watcher.open == [], "60 hours are more than 48"

        Credential.objects.update(expires_at=now() + timedelta(hours=47))
        watcher.looks()
        Credential.objects.update(expires_at=now() + timedelta(hours=60))
        watcher.looks(30)
        assert len(watcher.open) == 1, "60 hours are less than 72"

        Credential.objects.update(expires_at=now() + timedelta(hours=80))
        watcher.looks()
        assert watcher.open == []

    def test_two_lookers_at_once_are_one(self, watcher: Watch) -> None:
        watcher.looks()
        assert watch(now=watcher.at - MINUTE + timedelta(seconds=5)) is None

    def test_the_database_refuses_a_second_open_alert(self, watcher: Watch) -> None:
        stop_worker(ago=2 * MINUTE)
        watcher.looks()
        (alert,) = watcher.open
        alert.pk = None

        with pytest.raises(IntegrityError), transaction.atomic():
            alert.save(force_insert=True)

    def test_many_customers_of_one_rule_are_one_alert(self, watcher: Watch) -> None:
        only("mismatch")
        mail_to()
        hit = customers(12)
        for one in hit:
            SyncItemFactory.create(
                connection=one, acked=True, state="MISMATCH", error_category="needs_integrator"
            )

        watcher.looks(2)

        (alert,) = watcher.open
        assert alert.title == "12 customers have items on which Ramp and the ERP disagree."
        assert len(alert.names) == 10
        assert len(_sent()) == 1

    def test_when_few_are_left_of_many_each_has_its_own(self, watcher: Watch) -> None:
        only("erp_silent")
        rule("erp_silent", is_on=True, holds_minutes=1)
        hit = customers(12)
        silence_erp(hit, since=timedelta(hours=1))
        watcher.looks(3)
        assert [one.subject for one in watcher.open] == [Alert.MANY]

        erp_answers(hit[:9])
        watcher.looks(3)

        assert len(watcher.open) == 3
        assert Alert.objects.get(subject=Alert.MANY).resolved_because.startswith("It is no longer")

    def test_customers_that_are_not_live_raise_none(self, watcher: Watch) -> None:
        silence_erp([customer(stage="paused")], since=timedelta(hours=1))

        watcher.looks(3)

        assert watcher.open == []

    def test_only_whom_the_rule_is_about(self, watcher: Watch) -> None:
        only("erp_silent")
        mine = customer(tags=["gold"], owner="maya", slug="mine", erp_name="NetSuite")
        silence_erp([mine, customer()], since=timedelta(hours=1))
        for scope, value in (
            ("tag", "gold"), ("owner", "maya"), ("customer", "mine"), ("erp", "NetSuite"),
        ):  # fmt: skip
            Alert.objects.all().delete()
            rule("erp_silent", is_on=True, holds_minutes=0, scope=scope, scope_value=value)
            watcher.looks()
            assert [one.connection for one in watcher.open] == [mine], scope

    def test_a_rule_that_is_switched_off_ends_its_alerts(self, watcher: Watch) -> None:
        stop_worker(ago=2 * MINUTE)
        watcher.looks()

        AlertRule.objects.update(is_on=False)
        watcher.looks()

        assert Alert.objects.get().resolved_because == "Its rule was switched off."


class TestMeasures:
    """Each kind by itself, from the rows it reads."""

    def kinds_open(self, watcher: Watch, minutes: int = 1) -> list[str]:
        AlertRule.objects.update(holds_minutes=0)
        watcher.looks(minutes)
        return sorted(one.rule.kind for one in watcher.open)

    def test_failures_a_minute_of_one_erp(self, watcher: Watch) -> None:
        customer(erp_name="Tryton")
        for change, items in (("failed", 30), ("done", 60)):
            FlowBucket.objects.create(
                span="minute", at=now() - MINUTE, erp_name="Tryton", change=change,
                object_type="bill", items=items,
            )  # fmt: skip

        assert self.kinds_open(watcher) == ["erp_broken"]

    def test_failures_that_are_few_among_many_attempts_are_no_broken_erp(
        self, watcher: Watch
    ) -> None:
        for change, items in (("failed", 30), ("done", 600)):
            FlowBucket.objects.create(
                span="minute", at=now() - MINUTE, erp_name="Tryton", change=change,
                object_type="bill", items=items,
            )  # fmt: skip

        assert self.kinds_open(watcher) == []

    def test_a_share_of_requests_that_ramp_fails(self, watcher: Watch) -> None:
        add({_asked("200"): 12, _asked("503"): 1, _asked("timeout"): 1, _asked("429"): 1})
        assert self.kinds_open(watcher) == []

        add({_asked("200"): 25})

        assert self.kinds_open(watcher) == ["ramp_fails"]
        assert watcher.open[0].title.startswith("Ramp fails: 2 requests of 40 in ten minutes")

    def test_due_items_that_nothing_moves(self, watcher: Watch) -> None:
        stop_worker(ago=timedelta(0))
        one = customer()
        Schedule.objects.update(last_posted_at=now() - timedelta(hours=1), last_acked_at=None)
        SyncItemFactory.create(connection=one, due_at=now() - timedelta(minutes=30))
        FlowEntry.objects.all().delete()

        assert self.kinds_open(watcher) == ["no_progress"]

    def test_presses_that_were_late(self, watcher: Watch) -> None:
        SyncRequestFactory.create(
            connection=customer(), state=SyncRequest.State.LATE, closed_at=now()
        )

        assert self.kinds_open(watcher) == ["button_slow"]

    def test_a_customer_that_is_stopped_says_why_and_what_to_do(self, watcher: Watch) -> None:
        Schedule.objects.filter(connection=customer(name="Harbor")).update(
            blocked_at=now() - timedelta(minutes=20), blocked_side="ramp",
            blocked_title="Ramp no longer lets us in.", blocked_fix="Connect Ramp again.",
        )  # fmt: skip

        assert self.kinds_open(watcher) == ["blocked"]
        (alert,) = watcher.open
        assert alert.title == "Harbor is stopped: Ramp no longer lets us in."
        assert alert.first_step == "Connect Ramp again."

    def test_items_that_are_uncertain_for_long(self, watcher: Watch) -> None:
        SyncItemFactory.create(
            connection=customer(), state="REVIEW", due_at=None, state_at=now() - 2 * 60 * MINUTE
        )

        assert "uncertain" in self.kinds_open(watcher)

    def test_an_old_item_counts_unless_it_waits_for_the_customer(self, watcher: Watch) -> None:
        only("backlog_age")
        old = now() - timedelta(hours=6)
        late = SyncItemFactory.create(
            connection=customer(name="Late"), ready_at=old, due_at=now() + timedelta(hours=1)
        )
        waits = customer(name="Waits")
        SyncItemFactory.create(connection=waits, failed=True, ready_at=old)
        SyncItemFactory.create(connection=waits, due_at=now() + timedelta(hours=1))
        keep_up(now=now())

        assert self.kinds_open(watcher) == ["backlog_age"]
        (alert,) = watcher.open
        assert alert.connection == late.connection


def _asked(said: str) -> Figure:
    return Figure("ramp_requests", ("GET /bills", said))


class TestTheFrame:
    def test_every_page_knows_how_many_are_open(self, watcher: Watch) -> None:
        stop_worker(ago=2 * MINUTE)
        watcher.looks()

        kept = frame("maya", now=now(), most_pinned=1, most_people=1).alerts

        assert kept is not None
        assert (kept.open_alerts, kept.unacknowledged, kept.pages) == (1, 1, 1)
        assert AlertRound.objects.get().problem == ""


def _sent() -> list[str]:
    send_due(now=now() + timedelta(days=1))
    assert not AlertDelivery.objects.exclude(state="sent").exists()
    return [str(one.subject) for one in mail.outbox]
