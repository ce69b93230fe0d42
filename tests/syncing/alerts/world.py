"""What goes wrong, as rows say it, and a watch that looks minute by minute."""

import uuid
from datetime import datetime, timedelta
from typing import Any

from connections.models import AlertChannel, Connection
from syncing.alerts.watching import Round, watch
from syncing.models import (
    Alert,
    AlertRule,
    Schedule,
    SyncRun,
    WebhookEvent,
    WorkerBeat,
)
from tests.factories import ConnectionFactory, ScheduleFactory, WebhookSubscriptionFactory, now

MINUTE = timedelta(minutes=1)


class Watch:
    """Somebody who looks; time passes only between looks."""

    def __init__(self, at: datetime | None = None) -> None:
        self.at = at or now()

    def looks(self, minutes: int = 1) -> list[Round]:
        """One look a minute. What each changed."""
        return [self._look() for _ in range(minutes)]

    def _look(self) -> Round:
        done = watch(now=self.at)
        assert done is not None
        self.at += MINUTE
        return done

    @property
    def open(self) -> list[Alert]:
        return list(Alert.objects.filter(resolved_at=None).order_by("pk"))


def rule(kind: str, **changes: Any) -> AlertRule:
    """The shipped rule of a kind, changed as a person would."""
    found = AlertRule.objects.get(shipped_as=kind)
    sets = changes.pop("sets", {})
    changes["thresholds"] = {**found.thresholds, **sets}
    AlertRule.objects.filter(pk=found.pk).update(**changes)
    return AlertRule.objects.get(pk=found.pk)


def only(*kinds: str) -> None:
    """Switch all other rules off."""
    AlertRule.objects.exclude(kind__in=kinds).update(is_on=False)


def mail_to(address: str = "ops@example.com", **changes: Any) -> AlertChannel:
    """A channel that hears of every rule."""
    channel: AlertChannel = AlertChannel.objects.create(
        name=changes.pop("name", "Operations"), kind="email", addresses=[address], **changes
    )
    for one in AlertRule.objects.all():
        one.channels.add(channel)
    return channel


def customer(**changes: Any) -> Connection:
    """A live customer that is polled in time."""
    connection: Connection = ConnectionFactory.create(**changes)
    ScheduleFactory.create(
        connection=connection, next_poll_at=now() + timedelta(days=30), last_poll_at=now()
    )
    return connection


def stop_worker(*, ago: timedelta) -> WorkerBeat:
    began = now() - timedelta(days=1)
    beat, _ = WorkerBeat.objects.update_or_create(
        worker="one:1", defaults={"beat_at": now() - ago, "started_at": began}
    )
    return beat


def silence_erp(connections: list[Connection], *, since: timedelta) -> None:
    """Their ERP does not answer, and each is tried again in a while."""
    Schedule.objects.filter(connection__in=connections).update(
        erp_silent_since=now() - since, erp_failures=9, resume_at=now() + timedelta(hours=5)
    )


def erp_answers(connections: list[Connection]) -> None:
    Schedule.objects.filter(connection__in=connections).update(
        erp_silent_since=None, erp_failures=0, resume_at=None
    )


def lose_webhook(
    connection: Connection, *, silent: timedelta, usual: timedelta, missed: int = 7
) -> None:
    """Events came at a steady pace, then none, and a poll found what was not told of."""
    last = now() - silent
    hook = WebhookSubscriptionFactory.create(
        connection=connection, last_event_at=last, event_types=["transactions.ready_to_sync"]
    )
    WebhookEvent.objects.bulk_create(
        WebhookEvent(
            event_id=str(uuid.uuid4()),
            subscription=hook,
            connection=connection,
            event_type="transactions.ready_to_sync",
            raw=b"{}",
            received_at=last - usual * number,
        )
        for number in range(20)
    )
    SyncRun.objects.create(
        connection=connection,
        trigger="poll",
        started_at=last + MINUTE,
        finished_at=last + MINUTE,
        unannounced=missed,
    )
