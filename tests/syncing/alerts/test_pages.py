"""Alerts, rules with their previews, channels and messages, as people use them."""

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from django.test import Client
from django.urls import reverse

from connections.models import AlertChannel, AuditLine
from connections.secrets import channel_url
from syncing.alert_kinds import KINDS
from syncing.alert_kinds.base import Reading, Subject
from syncing.alert_kinds.thresholds import NotThresholds, checked, defaults
from syncing.alerts import history
from syncing.alerts.shipped import RULES, ship
from syncing.models import Alert, AlertDelivery, AlertHour, AlertRound, AlertRule, BacklogSample
from tests.factories import ConnectionFactory, UserFactory, now
from tests.syncing.alerts.world import MINUTE, Watch, mail_to, rule, stop_worker

pytestmark = pytest.mark.django_db
Enter = Callable[[str], Client]


@pytest.fixture
def enter() -> Enter:
    def as_role(role: str) -> Client:
        client = Client()
        client.force_login(UserFactory.create(roles=[role], username=f"{role}-1"))
        return client

    return as_role


def filled(kind: str, **changes: Any) -> dict[str, Any]:
    return {
        "kind": kind, **defaults(KINDS[kind]), "name": "Mine", "holds_minutes": 0,
        "scope": "all", "scope_value": "", "severity": "ticket", "time_zone": "UTC",
        "is_on": "on", "version": 0, **changes,
    }  # fmt: skip


class TestAlerts:
    def test_an_open_alert_says_what_is_wrong_and_what_to_do(self, enter: Enter) -> None:
        stop_worker(ago=2 * MINUTE)
        Watch().looks()

        page = enter("support").get("/alerts/").content.decode()

        assert "No worker has done anything for 2 min." in page
        assert "Restart the worker processes" in page
        assert 'class="bell-count toned tone-person">1<' in page

    def test_looking_after_it_leaves_a_line_and_takes_it_off_the_bell(self, enter: Enter) -> None:
        stop_worker(ago=2 * MINUTE)
        Watch().looks()
        alert = Alert.objects.get()
        client = enter("support")

        client.post(f"/alerts/{alert.pk}/acknowledge", {"note": "on it"})

        page = client.get(f"/alerts/{alert.pk}/").content.decode()
        assert "support-1" in page
        assert "on it" in page
        assert "bell-count" not in page
        assert AuditLine.objects.get(act="alerts.acknowledge").actor == "support-1"

    def test_nobody_looking_is_said(self, enter: Enter) -> None:
        assert "Nobody looks for alerts" in enter("support").get("/alerts/").content.decode()

    def test_a_poll_of_what_is_unchanged_hears_nothing(self, enter: Enter) -> None:
        AlertRound.objects.create(pk=1, since=now(), at=now())
        client = enter("support")
        headers = {"HX-Request": "true", "X-Live-Poll": "1"}
        first = client.get("/alerts/", headers=headers)
        live = first.content.decode().split('hx-get="')[1].split('"')[0].replace("&amp;", "&")

        assert client.get(live, headers=headers).status_code == 204


class TestRules:
    def test_a_rule_is_made_by_who_may(self, enter: Enter) -> None:
        channel = mail_to()
        sent = filled("backlog_items", level=500, clear=100, channels=[channel.pk])
        assert (
            enter("support").post("/alerts/rules/new?kind=backlog_items", sent).status_code == 403
        )

        answer = enter("manager").post("/alerts/rules/new?kind=backlog_items", sent)

        made = AlertRule.objects.get(name="Mine")
        assert answer.headers["Location"] == reverse("alert_rule", kwargs={"pk": made.pk})
        assert made.thresholds == {"level": 500, "clear": 100}
        assert list(made.channels.all()) == [channel]
        (line,) = AuditLine.objects.filter(act="alerts.rule")
        assert line.data["after"]["channels"] == ["Operations"]

    @pytest.mark.parametrize(
        ("changes", "words"),
        [
            ({"clear": 2000}, "It must be less than what it opens at"),
            ({"scope": "tag"}, "Say which."),
            ({"scope": "customer", "scope_value": "nobody"}, "There is no such customer."),
            ({"quiet_from": "22:00"}, "Give both ends of the quiet hours"),
            ({"level": "nan"}, "Enter a number"),
        ],
    )
    def test_nonsense_is_refused_with_words(
        self, enter: Enter, changes: dict[str, Any], words: str
    ) -> None:
        answer = enter("admin").post(
            "/alerts/rules/new?kind=backlog_items", filled("backlog_items", **changes)
        )

        assert answer.status_code == 422
        assert words in answer.content.decode()
        assert not AlertRule.objects.filter(name="Mine").exists()

    def test_a_page_that_is_stale_overwrites_nothing(self, enter: Enter) -> None:
        found, client = rule("backlog_items"), enter("admin")
        sent = filled("backlog_items", version=found.version)
        client.post(f"/alerts/rules/{found.pk}/change", {**sent, "name": "First"})

        answer = client.post(f"/alerts/rules/{found.pk}/change", {**sent, "name": "Second"})

        assert answer.status_code == 409
        assert AlertRule.objects.get(pk=found.pk).name == "First"

    def test_every_kind_has_a_rule_that_comes_with_the_program(self) -> None:
        assert {one.kind for one in RULES} == set(KINDS)
        AlertRule.objects.filter(shipped_as="erp_broken").update(name="Ours now")

        ship()

        assert AlertRule.objects.count() == len(RULES)
        assert AlertRule.objects.get(shipped_as="erp_broken").name == "Ours now"

    def test_every_kind_has_words_for_one_and_for_many(self) -> None:
        facts = {
            "currency": "USD", "items": 2, "late": 2, "silent_seconds": 9, "usual_seconds": 1,
            "missed": 3, "per_day": 9, "waits": 1, "stopped": 1, "failed": 1,
        }  # fmt: skip
        for kind in KINDS.values():
            words = kind.words(Reading("x", 3, name="Harbor", slug="harbor", facts=facts))
            reverse(words.link.route, kwargs=dict(words.link.values))
            reverse(kind.listed_at.route, kwargs=dict(kind.listed_at.values))
            for text in (words.title, words.why, words.first, kind.calm("Harbor")):
                assert text.endswith("."), (kind.key, text)
            assert bool(kind.many) == (kind.subject is Subject.CUSTOMER)

    def test_thresholds_are_checked_by_their_kind(self) -> None:
        falling = KINDS["credential_expiry"]

        assert checked(falling, {"level": "48", "clear": 72.5}) == {"level": 48, "clear": 72.5}
        with pytest.raises(NotThresholds) as refusal:
            checked(falling, {"level": 48, "clear": 24})
        assert "more than" in refusal.value.problems["clear"]
        with pytest.raises(NotThresholds):
            checked(falling, {"level": 48, "clear": 72, "colour": "red"})


class TestPreview:
    def ask(self, client: Client, kind: str = "backlog_items", **changes: Any) -> str:
        answer = client.get("/alerts/rules/preview", filled(kind, **changes))
        assert answer.status_code == 200
        return " ".join(answer.content.decode().split())

    def keep(self, subject: str, *values: float, began: timedelta) -> None:
        """One reading each five minutes."""
        at = (now() - began).replace(minute=0, second=0, microsecond=0)
        for number, value in enumerate(values):
            reading = Reading(subject, value, name="Harbor Coffee")
            history.keep({"backlog_items": [reading]}, now=at + number * 5 * MINUTE)

    def test_it_counts_what_the_rule_would_have_done_and_says_when(self, enter: Enter) -> None:
        AlertRound.objects.create(pk=1, since=now() - timedelta(days=9))
        client = enter("manager")
        harbor = str(ConnectionFactory.create(slug="harbor").pk)
        self.keep(harbor, 600, 700, 90, 90, 650, began=timedelta(days=3))
        self.keep(harbor, 800, began=timedelta(days=2))

        text = self.ask(client, level=500, clear=100)

        assert "would have fired <strong>3 times</strong>" in text
        assert text.count("Harbor Coffee") == 3
        assert "History since" in text
        assert "<strong>not</strong>" in self.ask(client, level=900, clear=100)
        assert "<strong>1 time</strong>" in self.ask(
            client, level=500, clear=100, holds_minutes=5
        ), "only the first lasted for five minutes"

    def test_what_ended_while_nothing_was_kept_is_over(self, enter: Enter) -> None:
        AlertRound.objects.create(pk=1, since=now() - timedelta(days=9))
        for days in (3, 6):
            self.keep("harbor", *[600] * 12, began=timedelta(days=days))

        text = self.ask(enter("manager"), level=500, clear=100, holds_minutes=30)

        assert "2 times" in text
        assert "still" not in text

    def test_it_is_about_whom_the_rule_is_about(self, enter: Enter) -> None:
        AlertRound.objects.create(pk=1, since=now() - timedelta(days=9))
        client = enter("manager")
        harbor = ConnectionFactory.create(slug="harbor")
        ConnectionFactory.create(slug="other")
        self.keep(str(harbor.pk), 600, began=timedelta(days=3))

        one: dict[str, Any] = {"level": 500, "clear": 100, "scope": "customer"}
        assert "1 time" in self.ask(client, **one, scope_value="harbor")
        assert "<strong>not</strong>" in self.ask(client, **one, scope_value="other")

    def test_many_at_once_count_as_one(self, enter: Enter) -> None:
        AlertRound.objects.create(pk=1, since=now() - timedelta(days=9))
        for number in range(15):
            self.keep(f"subject-{number}", 600, began=timedelta(days=3))

        assert "11 times" in self.ask(enter("manager"), level=500, clear=100)

    def test_before_anybody_looked_it_asks_the_roll_ups(self, enter: Enter) -> None:
        AlertRound.objects.create(pk=1, since=now())
        harbor = ConnectionFactory.create(name="Harbor Coffee")
        for days in (4, 6):
            BacklogSample.objects.create(
                at=now() - timedelta(days=days), connection=harbor, object_type="bill",
                word="queued", party="us", band=2, currency="USD", exponent=2, items=900,
                amount_minor=50_000_000,
            )  # fmt: skip
        client = enter("manager")

        text = self.ask(client, level=500, clear=100)
        assert "2 times" in text
        assert "by the hour" in text
        assert "2 times" in self.ask(client, "backlog_age")
        assert "2 times" in self.ask(client, "backlog_amount")
        assert "not" in self.ask(client, "backlog_amount", currency="EUR")

    def test_without_history_it_says_so(self, enter: Enter) -> None:
        assert "Nobody knows." in self.ask(enter("manager"), "uncertain")

    def test_history_is_kept_from_where_it_matters_and_for_a_month(self) -> None:
        at = now()
        readings = [Reading("a", 600, name="A"), Reading("b", 3, name="B")]
        assert history.keep({"backlog_items": readings}, now=at) == 1
        history.keep({"backlog_items": readings[:1]}, now=at)
        assert AlertHour.objects.get().worst == 600

        assert history.thin(now=at + timedelta(days=32)) == 1


class TestChannels:
    def test_a_webhooks_address_is_kept_sealed_and_never_shown(self, enter: Enter) -> None:
        client = enter("admin")
        url = "https://hooks.slack.com/services/T0/B0/verysecret"

        client.post(
            "/alerts/channels/new",
            {"name": "Chat", "kind": "webhook", "url": url, "time_zone": "UTC", "is_on": "on"},
        )

        channel = AlertChannel.objects.get()
        assert channel_url(channel) == url
        for path in ("/alerts/channels/", f"/alerts/channels/{channel.pk}/"):
            assert "verysecret" not in client.get(path).content.decode()
        assert channel.hint == "hooks.slack.com/…cret"

    @pytest.mark.parametrize(
        ("changes", "words"),
        [
            ({"kind": "webhook", "url": "https://evil.example.com/x"}, "ALERT_HOSTS"),
            ({"kind": "webhook"}, "Paste the address"),
            ({"kind": "email"}, "Give at least one address."),
            ({"kind": "email", "addresses": "ops@example.com, nonsense"}, "nonsense is no e-mail"),
        ],
    )
    def test_what_leads_nowhere_is_refused(
        self, enter: Enter, changes: dict[str, str], words: str
    ) -> None:
        sent = {"name": "Chat", "time_zone": "UTC", **changes}

        answer = enter("admin").post("/alerts/channels/new", sent)

        assert answer.status_code == 422
        assert words in answer.content.decode()

    def test_a_test_stands_in_the_log_until_it_is_sent(self, enter: Enter) -> None:
        channel, client = mail_to(), enter("implementer")

        client.post(f"/alerts/channels/{channel.pk}/test")

        assert AlertDelivery.objects.get().state == "waiting"
        page = client.get("/alerts/deliveries/").content.decode()
        assert "[Test] Alerts reach Operations" in page
