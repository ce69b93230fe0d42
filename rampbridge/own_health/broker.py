"""Whether the message broker answers, and how many doorbells wait in it."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from kombu.exceptions import ChannelError, OperationalError

from rampbridge.celery import app

PATIENCE_SECONDS = 0.5
"""People wait for this page."""


@dataclass(frozen=True, slots=True)
class BrokerFacts:
    """What the broker says, if it says anything."""

    answers: bool
    waiting: Mapping[str, int] = field(default_factory=dict)
    """Doorbells by queue."""


def broker_facts() -> BrokerFacts:
    """Ask it; it has half a second."""
    limits = {"socket_connect_timeout": PATIENCE_SECONDS, "socket_timeout": PATIENCE_SECONDS}
    options = {**app.conf.broker_transport_options, **limits, "max_retries": 0}
    try:
        with app.connection_for_read(
            connect_timeout=PATIENCE_SECONDS, transport_options=options
        ) as connection:
            connection.ensure_connection(max_retries=1, interval_start=0, timeout=1)
            channel: Any = connection.default_channel
            queues = [queue.name for queue in app.conf.task_queues]
            return BrokerFacts(
                answers=True, waiting={name: _waiting(channel, name) for name in queues}
            )
    except OperationalError:
        return BrokerFacts(answers=False)


def _waiting(channel: Any, queue: str) -> int:
    """How many messages wait in a queue. One that has none does not exist at the broker."""
    try:
        return int(channel.queue_declare(queue=queue, passive=True).message_count)
    except ChannelError:
        return 0
