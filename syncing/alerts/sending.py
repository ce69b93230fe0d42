"""Take messages out of the outbox and send them: at least once, with retries, until given up.

A message is claimed by moving its time ahead, sent with nothing locked, and then written down. Who
dies in between leaves it to be sent again, under the same key.
"""

import logging
import random
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from email.utils import make_msgid
from functools import cache
from typing import Any

import httpx
from django.conf import settings
from django.core.mail import EmailMessage, get_connection
from django.db import transaction
from django.db.models import F

from connections.models import AlertChannel
from connections.secrets import channel_url
from rampbridge.lib.backoff import full_jitter
from rampbridge.lib.encryption import CannotOpen
from syncing.alerts.addresses import AddressRefused, check
from syncing.models import AlertDelivery

AT_A_TIME = 20
LEASE = timedelta(minutes=2)
"""Longer than sending one message can take."""
MOST_ATTEMPTS = 8
FIRST_RETRY = timedelta(seconds=30)
LONGEST_RETRY = timedelta(minutes=30)
NO_MAIL = "dummy"
_TIMEOUT = httpx.Timeout(10, connect=5)
_STATE = AlertDelivery.State

logger = logging.getLogger(__name__)

Jitter = Callable[[], float]


class NotSent(Exception):
    """The message did not arrive. The message is fit to show.

    :param is_final: trying again would not help
    """

    def __init__(
        self, message: str, *, is_final: bool = False, wait: timedelta | None = None
    ) -> None:
        super().__init__(message)
        self.is_final = is_final
        self.wait = wait


@dataclass(frozen=True, slots=True)
class Sent:
    """What a turn at the outbox came to."""

    sent: int = 0
    failed: int = 0


def send_due(
    *, now: datetime, http: httpx.Client | None = None, jitter: Jitter = random.random
) -> Sent:
    """Take a turn at what is due; any number of processes may."""
    sent = failed = 0
    client = http or _client()
    for delivery in _claim(now):
        try:
            answer = _send(delivery, client)
        except NotSent as problem:
            _failed(delivery, problem, now=now, jitter=jitter())
            failed += 1
        else:
            _sent(delivery, answer, now=now)
            sent += 1
    return Sent(sent, failed)


@cache
def _client() -> httpx.Client:
    """This process's, for as long as it lives."""
    return httpx.Client(timeout=_TIMEOUT, follow_redirects=False)


@transaction.atomic
def _claim(now: datetime) -> list[AlertDelivery]:
    due = AlertDelivery.objects.filter(
        next_at__lte=now, state__in=[_STATE.WAITING, _STATE.SENDING]
    ).select_related("channel")
    taken = list(
        due.select_for_update(skip_locked=True, of=("self",)).order_by("next_at", "id")[:AT_A_TIME]
    )
    AlertDelivery.objects.filter(pk__in=[one.pk for one in taken]).update(
        state=_STATE.SENDING, next_at=now + LEASE, attempts=F("attempts") + 1
    )
    for one in taken:
        one.attempts += 1
    return taken


def _send(delivery: AlertDelivery, client: httpx.Client) -> str:
    channel = delivery.channel
    if not channel.is_on:
        raise NotSent("The channel was switched off.", is_final=True)
    if channel.kind == AlertChannel.Kind.EMAIL:
        return _mail(delivery, channel)
    return _post(delivery, channel, client)


def _mail(delivery: AlertDelivery, channel: AlertChannel) -> str:
    if NO_MAIL in settings.EMAIL_BACKEND:
        raise NotSent("No mail server is set. An admin sets EMAIL_URL.", is_final=True)
    message = delivery.message
    mail = EmailMessage(
        subject=message["subject"].replace("\n", " ")[:200],
        body=as_text(message),
        to=list(channel.addresses),
        headers={
            "Message-ID": make_msgid(idstring=delivery.key.replace(":", "."), domain="rampbridge"),
            "X-Idempotency-Key": delivery.key,
            "Auto-Submitted": "auto-generated",
        },
        connection=get_connection(),
    )
    try:
        mail.send()
    except OSError as error:  # all that smtplib raises is one
        raise NotSent(f"The mail server did not take it: {error}"[:300]) from error
    return f"taken by the mail server for {len(channel.addresses)} addresses"


def _post(delivery: AlertDelivery, channel: AlertChannel, client: httpx.Client) -> str:
    try:
        address = check(channel_url(channel))
        answer = client.post(
            address,
            json={"text": as_chat(delivery.message)},
            headers={"Idempotency-Key": delivery.key},
        )
    except (AddressRefused, CannotOpen) as refusal:
        raise NotSent(str(refusal), is_final=True) from refusal
    except httpx.HTTPError as error:
        raise NotSent(f"No answer: {type(error).__name__}.") from error
    said = f"{answer.status_code} {' '.join(answer.text[:120].split())}".strip()
    if answer.is_success:
        return said
    is_passing = answer.status_code in (408, 425, 429) or answer.status_code >= 500
    raise NotSent(said, is_final=not is_passing, wait=_asked_to_wait(answer))


def _asked_to_wait(answer: httpx.Response) -> timedelta | None:
    seconds = answer.headers.get("retry-after", "")
    return timedelta(seconds=min(int(seconds), 3600)) if seconds.isdecimal() else None


def _sent(delivery: AlertDelivery, answer: str, *, now: datetime) -> None:
    AlertDelivery.objects.filter(pk=delivery.pk).update(
        state=_STATE.SENT, next_at=None, sent_at=now, answer=answer[:300]
    )
    AlertChannel.objects.filter(pk=delivery.channel_id).update(last_sent_at=now, last_problem="")


def _failed(delivery: AlertDelivery, problem: NotSent, *, now: datetime, jitter: float) -> None:
    gives_up = problem.is_final or delivery.attempts >= MOST_ATTEMPTS
    wait = problem.wait or full_jitter(
        delivery.attempts,
        base=FIRST_RETRY,
        ceiling=LONGEST_RETRY,
        minimum=FIRST_RETRY / 2,
        jitter=jitter,
    )
    AlertDelivery.objects.filter(pk=delivery.pk).update(
        state=_STATE.GIVEN_UP if gives_up else _STATE.WAITING,
        next_at=None if gives_up else now + wait,
        answer=str(problem)[:300],
    )
    AlertChannel.objects.filter(pk=delivery.channel_id).update(last_problem=str(problem)[:300])
    logger.warning(
        "A message about an alert was not sent.",
        extra={"delivery": delivery.pk, "problem": str(problem), "gives_up": gives_up},
    )


def as_text(message: dict[str, Any]) -> str:
    """The body of a mail."""
    links = [message["link"]]
    if message.get("alert"):
        links.append(f"This alert: {message['alert']}")
    return "\n\n".join([message["subject"], *message["lines"], "\n".join(links)]) + "\n"


def as_chat(message: dict[str, Any]) -> str:
    """The text as Slack and what is compatible with it draw it. What it marks up is escaped."""
    lines = [f"*{_plain(message['subject'])}*", *map(_plain, message["lines"]), message["link"]]
    return "\n".join(lines)


def _plain(text: str) -> str:
    escaped = text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")
    return escaped.replace("*", "\N{ASTERISK OPERATOR}")
