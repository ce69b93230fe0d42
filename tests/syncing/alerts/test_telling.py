"""Messages: one when it begins, one when it is over, held at night, sent until they arrive."""

from datetime import UTC, datetime, time, timedelta

import httpx
import pytest
from django.conf import LazySettings
from django.core import mail

from connections.models import AlertChannel, AuditLine
from connections.rotation import rotate
from connections.secrets import keep_channel_url
from syncing.alert_kinds.quiet import QuietHours
from syncing.alerts import acts, heartbeat
from syncing.alerts.addresses import AddressRefused, check, check_written
from syncing.alerts.sending import FIRST_RETRY, MOST_ATTEMPTS, send_due
from syncing.models import Alert, AlertDelivery, AlertRound, AlertRule
from tests.factories import now
from tests.syncing.alerts.world import MINUTE, Watch, mail_to, rule, stop_worker

pytestmark = pytest.mark.django_db

NIGHT = datetime(2026, 11, 20, 23, tzinfo=UTC)
MORNING = datetime(2026, 11, 21, 7, tzinfo=UTC)


class Chat:
    """A chat that answers as it is told, and remembers what it was sent."""

    def __init__(self, *answers: int) -> None:
        self.answers = list(answers)
        self.heard: list[httpx.Request] = []
        self.http = httpx.Client(transport=httpx.MockTransport(self._answer))

    def _answer(self, request: httpx.Request) -> httpx.Response:
        self.heard.append(request)
        return httpx.Response(self.answers.pop(0) if self.answers else 200, text="ok")


def webhook() -> AlertChannel:
    channel: AlertChannel = AlertChannel.objects.create(name="Chat", kind="webhook")
    keep_channel_url(channel, "http://127.0.0.1/services/T0/B0/secret")
    return channel


def alert(**changes: object) -> Alert:
    values = {
        "rule": AlertRule.objects.get(shipped_as="worker_silent"),
        "severity": "page", "opened_at": now(), "seen_at": now(), "value": 90, "worst": 90,
        "title": "No worker <has> done anything.", "why": "Nothing moves.",
        "first_step": "Restart.", "link": "/",
    }  # fmt: skip
    return Alert.objects.create(**values | changes)


def test(channel: AlertChannel) -> AlertDelivery:
    return acts.try_channel(channel=channel, actor="maya", now=now())


test.__test__ = False  # type: ignore[attr-defined]


def state(delivery: AlertDelivery) -> tuple[str, int]:
    delivery.refresh_from_db()
    return delivery.state, delivery.attempts


class TestSending:
    def test_a_chat_gets_the_words_with_its_markup_escaped_and_a_key(self) -> None:
        chat, channel = Chat(), webhook()
        delivery = test(channel)
        AlertDelivery.objects.update(
            message={"subject": "<!channel> & more", "lines": ["why"], "link": "http://x/"}
        )

        send_due(now=now(), http=chat.http)

        (request,) = chat.heard
        assert b"&lt;!channel&gt; &amp; more" in request.content
        assert request.headers["idempotency-key"] == delivery.key
        assert state(delivery) == ("sent", 1)

    def test_what_fails_is_tried_again_later_and_given_up_in_the_end(self) -> None:
        chat, delivery = Chat(*[503] * 20), test(webhook())
        at = now()

        send_due(now=at, http=chat.http, jitter=lambda: 1.0)
        assert state(delivery) == ("waiting", 1)
        send_due(now=at + FIRST_RETRY / 2, http=chat.http)
        assert len(chat.heard) == 1, "not before its time"
        for hours in range(1, 20):
            send_due(now=at + timedelta(hours=hours), http=chat.http)

        assert state(delivery) == ("given_up", MOST_ATTEMPTS)
        assert delivery.answer == "503 ok"
        assert AlertChannel.objects.get().last_problem == "503 ok"

        assert acts.send_again(delivery=delivery, actor="maya", now=at)
        chat.answers = [200]
        send_due(now=at + timedelta(days=1), http=chat.http)
        assert state(delivery) == ("sent", 1)
        assert AlertChannel.objects.get().last_problem == ""

    def test_an_address_that_is_gone_is_not_knocked_at_again(self) -> None:
        delivery = test(webhook())

        send_due(now=now(), http=Chat(404).http)

        assert state(delivery) == ("given_up", 1)

    def test_a_redirect_is_not_followed(self) -> None:
        chat, delivery = Chat(302), test(webhook())

        send_due(now=now(), http=chat.http)

        assert len(chat.heard) == 1
        assert state(delivery)[0] == "given_up"

    def test_who_dies_while_sending_leaves_it_to_be_sent_again(self) -> None:
        delivery, at = test(webhook()), now()
        AlertDelivery.objects.update(state="sending", attempts=1, next_at=at + 2 * MINUTE)

        send_due(now=at, http=Chat().http)
        assert state(delivery) == ("sending", 1)
        send_due(now=at + 3 * MINUTE, http=Chat().http)

        assert state(delivery) == ("sent", 2)

    def test_without_a_mail_server_it_says_so(self, settings: LazySettings) -> None:
        settings.EMAIL_BACKEND = "django.core.mail.backends.dummy.EmailBackend"
        delivery = test(mail_to())

        send_due(now=now())

        assert state(delivery)[0] == "given_up"
        assert delivery.answer == "No mail server is set. An admin sets EMAIL_URL."

    def test_a_mail_carries_what_to_do_and_where(self) -> None:
        mail_to()
        stop_worker(ago=2 * MINUTE)
        Watch().looks()

        send_due(now=now() + MINUTE)

        (letter,) = mail.outbox
        assert letter.to == ["ops@example.com"]
        assert "First: Restart the worker processes" in letter.body
        assert f"http://testserver/alerts/{Alert.objects.get().pk}/" in letter.body


class TestQuietHours:
    def test_messages_wait_and_come_as_one_digest(self) -> None:
        mail_to()
        rule("worker_silent", severity="ticket", quiet_from=time(22), quiet_until=time(7))
        watch = Watch(NIGHT)
        beat = stop_worker(ago=MINUTE)
        beat.beat_at = NIGHT - 2 * MINUTE
        beat.save()
        watch.looks()
        beat.beat_at = NIGHT + MINUTE
        beat.save()
        watch.looks()
        send_due(now=NIGHT + 5 * MINUTE)
        assert mail.outbox == []

        watch.at = MORNING
        beat.beat_at = MORNING
        beat.save()
        watch.looks()
        send_due(now=MORNING + MINUTE)

        (letter,) = mail.outbox
        assert letter.subject == "[Digest] 2 held back in quiet hours"
        assert "[Ticket] No worker has done anything" in letter.body
        assert "[Over] Workers finish their work again." in letter.body
        assert AlertDelivery.objects.filter(state="folded").count() == 2

    def test_a_page_comes_through_at_any_hour(self) -> None:
        mail_to()
        rule("worker_silent", severity="page", quiet_from=time(22), quiet_until=time(7))
        beat = stop_worker(ago=MINUTE)
        beat.beat_at = NIGHT - 2 * MINUTE
        beat.save()

        Watch(NIGHT).looks()
        send_due(now=NIGHT + MINUTE)

        assert len(mail.outbox) == 1

    @pytest.mark.parametrize(
        ("clock", "until"),
        [
            ("2026-11-20T21:30:00-05:00", "2026-11-21T12:00:00+00:00"),
            ("2026-11-21T02:00:00-05:00", "2026-11-21T12:00:00+00:00"),
            ("2026-11-21T07:00:00-05:00", None),
            ("2026-11-20T20:59:00-05:00", None),
        ],
    )
    def test_over_midnight_in_their_time_zone(self, clock: str, until: str | None) -> None:
        quiet = QuietHours(time(21), time(7), "America/New_York")

        ends = quiet.until(datetime.fromisoformat(clock).astimezone(UTC))

        assert (ends.isoformat() if ends else None) == until


class TestSilence:
    def test_a_muted_rule_tells_nobody_and_still_opens(self) -> None:
        mail_to()
        stop_worker(ago=2 * MINUTE)
        found = rule("worker_silent")
        acts.mute(rule=found, until=now() + timedelta(days=1), reason="moving", actor="maya",
                  now=now())  # fmt: skip

        Watch().looks()

        assert Alert.objects.count() == 1
        assert not AlertDelivery.objects.exists()
        assert AuditLine.objects.filter(act="alerts.mute").exists()

    def test_a_daily_digest_reminds_of_what_is_open_once(self) -> None:
        channel = mail_to(digest_at=time(9))
        alert(opened_at=MORNING)
        AlertRule.objects.update(is_on=True)
        watch = Watch(datetime(2026, 11, 21, 9, 1, tzinfo=UTC))
        beat = stop_worker(ago=MINUTE)
        beat.beat_at = watch.at - 10 * MINUTE
        beat.save()

        watch.looks(3)

        (digest,) = AlertDelivery.objects.filter(about="digest")
        assert digest.channel == channel
        assert digest.message["subject"] == "[Digest] 1 alert open"
        assert digest.message["lines"][0].endswith("nobody is on it.")


class TestAddresses:
    @pytest.mark.parametrize(
        "url",
        [
            "http://hooks.slack.com/services/x",
            "https://evil.example.com/hooks.slack.com",
            "https://hooks.slack.com.evil.example/x",
            "https://user:pw@hooks.slack.com/x",
            "https://hooks.slack.com:8443/x",
            "https://10.0.0.1/x",
            "ftp://hooks.slack.com/x",
            "not an address",
        ],
    )
    def test_elsewhere_nothing_is_sent(self, url: str) -> None:
        with pytest.raises(AddressRefused):
            check_written(url)

    def test_a_name_that_leads_inside_is_refused(self) -> None:
        with pytest.raises(AddressRefused, match="own network"):
            check("https://hooks.slack.com/services/x", resolve=lambda _: ["10.1.2.3"])

        outside = check("https://hooks.slack.com/services/x", resolve=lambda _: ["8.8.8.8"])
        assert outside.host == "hooks.slack.com"

    def test_the_address_of_a_webhook_is_sealed_and_rotated_with_other_secrets(self) -> None:
        channel = webhook()

        rotated = {one.name: one for one in rotate()}

        assert b"secret" not in bytes(AlertChannel.objects.get(pk=channel.pk).sealed_url)
        assert rotated["AlertChannel.sealed_url"].current == 1


class TestHeartbeat:
    def test_somebody_outside_hears_that_we_look(self, settings: LazySettings) -> None:
        AlertRound.objects.create(pk=1, since=now())
        settings.ALERT_HEARTBEAT_URL = "https://heart.example/beat"

        assert heartbeat.beat(Chat(200).http)
        assert not heartbeat.beat(Chat(500).http)

        assert AlertRound.objects.get().heartbeat_problem == (
            "The heartbeat's address answers 500."
        )

    def test_nobody_is_called_where_nobody_is_named(self) -> None:
        chat = Chat()

        assert not heartbeat.beat(chat.http)
        assert chat.heard == []
