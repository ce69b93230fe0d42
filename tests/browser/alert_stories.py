"""Alerts of every severity, rules in every state, and messages with every fate."""

from datetime import time, timedelta
from typing import Any

from connections.models import AlertChannel, Connection
from syncing.alert_kinds import Reading
from syncing.alerts import history
from syncing.alerts.counting import count_open
from syncing.alerts.shipped import ship
from syncing.models import Alert, AlertDelivery, AlertHour, AlertRound, AlertRule
from tests.factories import LONG_NAME, ConnectionFactory, now

MINUTE = timedelta(minutes=1)
HOUR = timedelta(hours=1)


def a_bad_day() -> None:
    """Four open alerts, two of them looked after; some that are over; messages that failed."""
    harbor = _customer("harbor-coffee", "Harbor Coffee Roasters")
    verde = _customer("verde-clinics", "Verde Clinics")
    chat, mail = _channels()
    _looked()
    page = _alert(
        "worker_silent", "page", 12 * MINUTE, 740,
        title="No worker has done anything for 12 min.",
        why="Nothing is posted and nothing is reported meanwhile; 1,204 items wait.",
        first="Restart the worker processes; that is safe at any time. If they run, look into their"
        " log and whether they reach the broker and the database.",
        link="/",
    )  # fmt: skip
    gap = _alert(
        "webhook_gap", "ticket", 5 * HOUR, 7.4, harbor,
        title="Harbor Coffee Roasters: no webhook event for 5 h; usually one every 40 min.",
        why="Ramp no longer rings: polls found 7 objects that an event should have told of. Nothing"
        " is lost, but everything comes later.",
        first="Renew the webhook in the customer's settings.",
        link="/customers/harbor-coffee/settings/",
        acknowledged_by="maya.okafor", acknowledged_at=now() - HOUR, note="Asked Ramp about it.",
    )  # fmt: skip
    _alert(
        "mismatch", "page", HOUR, 14, subject=Alert.MANY,
        title="14 customers have items on which Ramp and the ERP disagree.",
        why="So many at once have a cause in common.",
        first="Look for what they share, beginning with the worst.",
        link="/items/?state=needs-a-person",
        names=["Verde Clinics", "Harbor Coffee Roasters", "Sakura Foods 株式会社"],
    )  # fmt: skip
    _alert(
        "drift", "note", 30 * HOUR, 12, verde,
        title="Verde Clinics: 12 records of the chart have differed from Ramp for long.",
        why="People in Ramp choose accounts that are gone, or lack new ones.",
        first="Open the customer's chart: upload what differs, and decide about what was closed.",
        link="/customers/verde-clinics/chart/",
    )  # fmt: skip
    over = _alert(
        "webhook_gap", "ticket", 80 * HOUR, 3.2, harbor,
        title="Harbor Coffee Roasters: no webhook event for 2 h; usually one every 40 min.",
        why="Ramp no longer rings.", first="Renew the webhook.",
        resolved_at=now() - 76 * HOUR,
        resolved_because="Ramp rings for Harbor Coffee Roasters again.",
    )  # fmt: skip
    _told(page, mail, "sent", "taken by the mail server for 2 addresses")
    _told(page, chat, "given_up", "404 no_service", attempts=1)
    _told(gap, chat, "waiting", "503 upstream connect error", attempts=3)
    _told(gap, mail, "held", "")
    _told(over, mail, "sent", "taken by the mail server for 2 addresses", about="resolved")
    _rules()
    _past(harbor)
    count_open()


def long_names() -> None:
    """The same with words that do not end."""
    long = _customer("long", LONG_NAME)
    chat, _ = _channels(f"{LONG_NAME[:70]} chat")
    _looked()
    one = _alert(
        "blocked", "ticket", HOUR, 60, long,
        title=f"{LONG_NAME} is stopped: {LONG_NAME}.", why=LONG_NAME, first=LONG_NAME * 2,
        link="/customers/long/settings/", acknowledged_by="maya.okafor-with-a-long-name",
        acknowledged_at=now(), note=LONG_NAME,
    )  # fmt: skip
    _told(one, chat, "waiting", LONG_NAME * 2, attempts=2)
    AlertRule.objects.filter(kind="blocked").update(
        name=LONG_NAME[:110], scope="customer", scope_value="long"
    )
    _past(long)
    count_open()


def forget() -> None:
    """Remove all alerts and who hears of them; rules are as they come."""
    AlertHour.objects.all().delete()
    AlertRound.objects.all().delete()
    AlertDelivery.objects.all().delete()
    Alert.objects.all().delete()
    AlertChannel.objects.all().delete()
    AlertRule.objects.all().delete()
    ship()


def _customer(slug: str, name: str) -> Connection:
    connection: Connection = ConnectionFactory.create(slug=slug, name=name)
    return connection


def _channels(chat: str = "Alerts in the chat") -> tuple[AlertChannel, AlertChannel]:
    ship()
    in_chat = AlertChannel.objects.create(
        name=chat, kind="webhook", hint="hooks.slack.com/…x81Q", last_problem="404 no_service"
    )
    by_mail = AlertChannel.objects.create(
        name="On call", kind="email", addresses=["oncall@example.com", "lead@example.com"],
        digest_at=time(8), time_zone="America/Denver", last_sent_at=now() - 12 * MINUTE,
    )  # fmt: skip
    for rule in AlertRule.objects.all():
        rule.channels.set([by_mail] if rule.severity == "page" else [in_chat])
    return in_chat, by_mail


def _looked() -> None:
    AlertRound.objects.create(pk=1, at=now() - timedelta(seconds=20), since=now() - 9 * 24 * HOUR)


def _alert(
    kind: str,
    severity: str,
    ago: timedelta,
    value: float,
    connection: Connection | None = None,
    *,
    first: str,
    **changes: Any,
) -> Alert:
    values = {
        "rule": AlertRule.objects.get(shipped_as=kind), "severity": severity,
        "opened_at": now() - ago, "seen_at": now(), "value": value, "worst": value,
        "connection": connection, "subject": str(connection.pk) if connection else "",
        "subject_name": connection.name if connection else "", "first_step": first, "link": "/",
    }  # fmt: skip
    return Alert.objects.create(**values | changes)


def _told(
    alert: Alert,
    channel: AlertChannel,
    state: str,
    answer: str,
    *,
    attempts: int = 1,
    about: str = "opened",
) -> None:
    is_open = state in ("waiting", "held")
    AlertDelivery.objects.create(
        alert=alert, channel=channel, about=about, state=state, answer=answer[:300],
        key=f"{about}:{alert.pk}:{channel.pk}", attempts=attempts,
        message={"subject": f"[Page] {alert.title}", "lines": [alert.why], "link": "http://x/"},
        created_at=alert.opened_at, next_at=now() + 4 * MINUTE if is_open else None,
    )  # fmt: skip


def _rules() -> None:
    AlertRule.objects.filter(kind="drift").update(is_on=False)
    AlertRule.objects.filter(kind="poll_lag").update(
        muted_until=now() + 20 * HOUR, muted_by="maya.okafor", mute_reason="Ramp migrates its API."
    )
    AlertRule.objects.filter(kind="backlog_amount").update(
        scope="tag", scope_value="gold", quiet_from=time(20), quiet_until=time(7)
    )


def _past(connection: Connection) -> None:
    """A backlog that was too long twice, for an hour each."""
    for days in (2, 6):
        began = (now() - timedelta(days=days)).replace(minute=0, second=0, microsecond=0)
        for slot in range(12):
            reading = Reading(str(connection.pk), 1200 + slot * 30, name=connection.name)
            history.keep({"backlog_items": [reading]}, now=began + slot * 5 * MINUTE)
