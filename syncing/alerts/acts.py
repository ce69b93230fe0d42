"""What people do with alerts, rules and channels. Each act leaves a line."""

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any

from django.db import transaction
from django.db.models import F

from connections import audit
from connections.models import AlertChannel
from connections.secrets import keep_channel_url
from syncing.alerts import messages
from syncing.alerts.addresses import check_written, hint_of
from syncing.alerts.counting import count_open
from syncing.models import Alert, AlertDelivery, AlertRule

LONGEST_MUTE = timedelta(days=30)
_RULE_FIELDS = (
    "name", "kind", "thresholds", "scope", "scope_value", "holds_minutes", "severity",
    "quiet_from", "quiet_until", "time_zone", "is_on", "owner",
)  # fmt: skip
_CHANNEL_FIELDS = ("name", "addresses", "is_on", "digest_at", "time_zone")


class AlertIsOver(Exception):
    """It has ended. The message is fit to show."""


class ChangedMeanwhile(Exception):
    """Somebody else has just saved the same. The message is fit to show."""


def acknowledge(*, alert: Alert, actor: str, now: datetime, note: str = "") -> None:
    """Say who looks after an alert. It stays open until what is wrong is over.

    :raises AlertIsOver: if it has ended
    """
    with transaction.atomic():
        taken = Alert.objects.filter(pk=alert.pk, resolved_at=None).update(
            acknowledged_at=now, acknowledged_by=actor, note=note
        )
        if not taken:
            raise AlertIsOver("This alert is over. There is nothing to look after any more.")
        audit.record(
            actor,
            "alerts.acknowledge",
            f"Looks after the alert “{alert.title}”" + (f": {note}" if note else "."),
            connection_id=alert.connection_id,
            subject="alert",
            subject_id=alert.pk,
        )
        count_open()


def save_rule(
    *, rule: AlertRule, channels: Sequence[AlertChannel], actor: str, version: int | None
) -> AlertRule:
    """Write a rule as it was filled in.

    :param version: of the rule as it was shown; None: it is a new one
    :raises ChangedMeanwhile: if it is no longer that
    """
    with transaction.atomic():
        before: dict[str, Any] = {}
        if version is None:
            rule.save(force_insert=True)
        else:
            before = _rule_as_data(AlertRule.objects.get(pk=rule.pk))
            changes = {name: getattr(rule, name) for name in _RULE_FIELDS}
            saved = AlertRule.objects.filter(pk=rule.pk, version=version).update(
                **changes, version=F("version") + 1
            )
            if not saved:
                raise ChangedMeanwhile(
                    "Somebody else has just changed this rule. Look at it as it is now."
                )
        rule.channels.set(channels)
        after = _rule_as_data(rule)
        verb = "Changed" if before else "Made"
        audit.record(
            actor,
            "alerts.rule",
            f"{verb} the alert rule “{rule.name}”.",
            subject="alert_rule",
            subject_id=rule.pk,
            data={"before": before, "after": after},
        )
    return rule


def mute(*, rule: AlertRule, until: datetime, reason: str, actor: str, now: datetime) -> None:
    """Tell nobody of what a rule finds, for a while; alerts still open and close.

    :param until: at most `LONGEST_MUTE` from now
    """
    until = min(until, now + LONGEST_MUTE)
    with transaction.atomic():
        AlertRule.objects.filter(pk=rule.pk).update(
            muted_until=until, muted_by=actor, mute_reason=reason
        )
        audit.record(
            actor,
            "alerts.mute",
            f"Muted the alert rule “{rule.name}” until {until:%d %b %Y %H:%M} UTC: {reason}",
            subject="alert_rule",
            subject_id=rule.pk,
        )


def unmute(*, rule: AlertRule, actor: str) -> None:
    """Have people told again from now on. What opened meanwhile is not told."""
    with transaction.atomic():
        AlertRule.objects.filter(pk=rule.pk).update(muted_until=None, muted_by="", mute_reason="")
        audit.record(
            actor,
            "alerts.unmute",
            f"Ended the mute of the alert rule “{rule.name}”.",
            subject="alert_rule",
            subject_id=rule.pk,
        )


def save_channel(
    *, channel: AlertChannel, url: str, actor: str, version: int | None
) -> AlertChannel:
    """Write a channel as it was filled in.

    :param url: of a webhook; empty: the one that it has
    :param version: of the channel as it was shown; None: it is a new one
    :raises AddressRefused: if nothing may be sent there
    :raises ChangedMeanwhile: if it is no longer that version
    """
    if url:
        check_written(url)
    with transaction.atomic():
        is_new = version is None
        if version is None:
            channel.save(force_insert=True)
        elif not AlertChannel.objects.filter(pk=channel.pk, version=version).update(
            **{name: getattr(channel, name) for name in _CHANNEL_FIELDS}, version=F("version") + 1
        ):
            raise ChangedMeanwhile(
                "Somebody else has just changed this channel. Look at it as it is now."
            )
        if url:
            channel.hint = hint_of(url)
            channel.save(update_fields=["hint"])
            keep_channel_url(channel, url.strip())
        audit.record(
            actor,
            "alerts.channel",
            f"{'Made' if is_new else 'Changed'} the alert channel “{channel.name}”.",
            subject="alert_channel",
            subject_id=channel.pk,
            data={"target": channel.target, "is_on": channel.is_on},
        )
    return channel


def try_channel(*, channel: AlertChannel, actor: str, now: datetime) -> AlertDelivery:
    """Send a message that says nothing is wrong, the way every other goes."""
    with transaction.atomic():
        delivery, is_new = AlertDelivery.objects.get_or_create(
            key=f"test:{channel.pk}:{now.timestamp():.0f}",  # whoever clicks twice sends one
            defaults={
                "channel": channel,
                "about": AlertDelivery.About.TEST,
                "message": messages.tried(channel, actor=actor),
                "created_at": now,
                "next_at": now,
            },
        )
        if is_new:
            audit.record(
                actor,
                "alerts.test",
                f"Sent a test to the alert channel “{channel.name}”.",
                subject="alert_channel",
                subject_id=channel.pk,
            )
    return delivery


def send_again(*, delivery: AlertDelivery, actor: str, now: datetime) -> bool:
    """Try a message anew that was given up. Whether it was."""
    with transaction.atomic():
        taken = AlertDelivery.objects.filter(
            pk=delivery.pk, state=AlertDelivery.State.GIVEN_UP
        ).update(state=AlertDelivery.State.WAITING, attempts=0, next_at=now)
        if taken:
            audit.record(
                actor,
                "alerts.send_again",
                f"Tried a message to “{delivery.channel.name}” again.",
                subject="alert_delivery",
                subject_id=delivery.pk,
            )
    return bool(taken)


def _rule_as_data(rule: AlertRule) -> dict[str, Any]:
    told = {name: getattr(rule, name) for name in _RULE_FIELDS}
    for name in ("quiet_from", "quiet_until"):
        told[name] = told[name].isoformat("minutes") if told[name] else None
    return {**told, "channels": sorted(one.name for one in rule.channels.all())}
