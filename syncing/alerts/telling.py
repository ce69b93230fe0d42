"""Put messages into the outbox: one when an alert opens, one when it is over, digests."""

from collections import defaultdict
from collections.abc import Iterable, Sequence
from datetime import datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from django.db import transaction

from connections.models import AlertChannel
from syncing.alert_kinds.quiet import QuietHours
from syncing.alerts import messages
from syncing.models import Alert, AlertDelivery, AlertRule

DIGEST_WITHIN = timedelta(hours=1)
"""A daily digest that is later than this, because nobody looked, is left out."""
_STATE, _ABOUT = AlertDelivery.State, AlertDelivery.About


def tell_opened(alerts: Sequence[Alert], rule: AlertRule, *, now: datetime) -> None:
    """One message per alert and channel; none while the rule is muted."""
    if is_muted(rule, now=now):
        return
    channels = [one for one in rule.channels.all() if one.is_on]
    _put(
        _delivery(one, channel, _ABOUT.OPENED, messages.opened(one), rule, now)
        for one in alerts
        for channel in channels
    )


def tell_resolved(alerts: Sequence[Alert], rule: AlertRule, *, now: datetime) -> None:
    """Only who heard that it began hears that it is over."""
    told = AlertDelivery.objects.filter(alert__in=alerts, about=_ABOUT.OPENED)
    by_pk = {one.pk: one for one in alerts}
    _put(
        _delivery(
            by_pk[one.alert_id],
            one.channel,
            _ABOUT.RESOLVED,
            messages.resolved(by_pk[one.alert_id], now=now),
            rule,
            now,
        )
        for one in told.select_related("channel")
        if one.channel.is_on and one.alert_id is not None
    )


def is_muted(rule: AlertRule, *, now: datetime) -> bool:
    return rule.muted_until is not None and now < rule.muted_until


def quiet_until(rule: AlertRule, *, now: datetime) -> datetime | None:
    """When a rule's messages may go out again; None: now. Whoever is to get up is woken."""
    if rule.severity == AlertRule.Severity.PAGE or not (rule.quiet_from and rule.quiet_until):
        return None
    return QuietHours(rule.quiet_from, rule.quiet_until, rule.time_zone).until(now)


@transaction.atomic
def fold_held(*, now: datetime) -> int:
    """Make one digest per channel of what was held back and may go out now. Returns how many."""
    due: dict[int, list[AlertDelivery]] = defaultdict(list)
    held = AlertDelivery.objects.filter(state=_STATE.HELD, next_at__lte=now)
    for one in held.select_for_update(skip_locked=True).order_by("id")[:1000]:
        due[one.channel_id].append(one)
    for channel_id, folded in due.items():
        digest = AlertDelivery.objects.create(
            channel_id=channel_id,
            about=_ABOUT.DIGEST,
            key=f"held:{channel_id}:{folded[-1].pk}",
            message=messages.held(folded),
            created_at=now,
            next_at=now,
        )
        AlertDelivery.objects.filter(pk__in=[one.pk for one in folded]).update(
            state=_STATE.FOLDED, next_at=None, digest=digest
        )
    return len(due)


def send_digests(*, now: datetime) -> int:
    """Remind each channel once a day of what is open, if it wants that. Returns how many."""
    put = 0
    for channel in AlertChannel.objects.filter(is_on=True, digest_at__isnull=False).order_by("pk"):
        day = _digest_day(channel, now)
        if day is None:
            continue
        key = f"daily:{channel.pk}:{day}"
        if AlertDelivery.objects.filter(key=key).exists():
            continue
        alerts = list(
            Alert.objects.filter(resolved_at=None, rule__channels=channel).order_by("opened_at")
        )
        if alerts:
            message = messages.still_open(alerts, now=now)
            put += _put([_row(channel, _ABOUT.DIGEST, key, message, now)])
    return put


def _digest_day(channel: AlertChannel, now: datetime) -> str | None:
    """The day of which the digest is due now."""
    if channel.digest_at is None:
        return None
    local = now.astimezone(ZoneInfo(channel.time_zone))
    due = datetime.combine(local.date(), channel.digest_at, local.tzinfo)
    return local.date().isoformat() if due <= local < due + DIGEST_WITHIN else None


def _delivery(
    alert: Alert,
    channel: AlertChannel,
    about: AlertDelivery.About,
    message: dict[str, Any],
    rule: AlertRule,
    now: datetime,
) -> AlertDelivery:
    row = _row(channel, about, f"{about}:{alert.pk}:{channel.pk}", message, now)
    row.alert = alert
    quiet = quiet_until(rule, now=now)
    if quiet is not None:
        row.state, row.next_at = _STATE.HELD, quiet
    return row


def _row(
    channel: AlertChannel,
    about: AlertDelivery.About,
    key: str,
    message: dict[str, Any],
    now: datetime,
) -> AlertDelivery:
    return AlertDelivery(
        channel=channel, about=about, key=key, message=message, created_at=now, next_at=now
    )


def _put(deliveries: Iterable[AlertDelivery]) -> int:
    """The same message is one row, whoever puts it."""
    return len(AlertDelivery.objects.bulk_create(deliveries, ignore_conflicts=True))
