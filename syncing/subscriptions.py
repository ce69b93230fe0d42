"""Whose webhook an address is: its row, remembered by the process from one delivery to the next.

What is remembered is never trusted. Whoever keeps a delivery by it has the statement that keeps it
look whether the row is still the one that was read (`IS_AS_REMEMBERED`), so a secret that was
changed, or a webhook that is gone, is noticed by the very next delivery.
"""

import uuid
from collections.abc import Mapping
from typing import Any

from django.db import connection as database

from connections.models import Connection, WebhookSubscription
from syncing.statements import rows

MOST = 10_000
"""Remembered by a process; then it begins anew. Each takes about a kilobyte."""

NOTED_EVERY = "1 second"
"""Under a storm for one customer it is not noted more often that its webhook was heard: so much
later than its `last_event_at` an event may have come."""

_remembered: dict[uuid.UUID, WebhookSubscription] = {}


def remembered(subscription_id: uuid.UUID) -> WebhookSubscription | None:
    """What was read of this address before, if it was; see `read`."""
    return _remembered.get(subscription_id)


def read(subscription_id: uuid.UUID) -> WebhookSubscription | None:
    """The subscription of an address, with what a delivery needs of it and of its connection.

    By hand, and the rest only if somebody asks for it: putting the statement together and reading
    all that stands in the two rows takes longer than everything else that a delivery costs.
    """
    _remembered.pop(subscription_id, None)
    for row in rows(_SUBSCRIPTION, [subscription_id]):
        own, of_connection = row[: len(_OF_SUBSCRIPTION)], row[len(_OF_SUBSCRIPTION) :]
        subscription = WebhookSubscription.from_db(database.alias, _OF_SUBSCRIPTION, own)
        subscription.connection = Connection.from_db(database.alias, _OF_CONNECTION, of_connection)
        if len(_remembered) >= MOST:
            _remembered.clear()
        _remembered[subscription_id] = subscription
        return subscription
    return None


def as_remembered(subscription: WebhookSubscription) -> Mapping[str, Any]:
    """The parameters of `IS_AS_REMEMBERED`."""
    return {
        "subscription": subscription.pk,
        "secret": _bytes(subscription.sealed_secret),
        "previous": _bytes(subscription.sealed_previous_secret),
        "until": subscription.previous_secret_until,
        "business": subscription.connection.ramp_business_id,
    }


IS_AS_REMEMBERED = """
    s.id = %(subscription)s AND s.sealed_secret IS NOT DISTINCT FROM %(secret)s::bytea
    AND s.sealed_previous_secret IS NOT DISTINCT FROM %(previous)s::bytea
    AND s.previous_secret_until IS NOT DISTINCT FROM %(until)s::timestamptz
    AND c.ramp_business_id IS NOT DISTINCT FROM %(business)s::uuid
"""
"""SQL: of a subscription `s` and its connection `c`, whether they are as they were read."""


def _bytes(value: Any) -> bytes | None:
    return None if value is None else bytes(value)


_OF_SUBSCRIPTION = (
    "id",
    "connection_id",
    "sealed_secret",
    "sealed_previous_secret",
    "previous_secret_until",
    "sealed_header",
)
_OF_CONNECTION = ("id", "ramp_business_id")
"""In the order of the models' fields."""
_SUBSCRIPTION = f"""
    SELECT {", ".join(f"s.{column}" for column in _OF_SUBSCRIPTION)},
        {", ".join(f"c.{column}" for column in _OF_CONNECTION)}
    FROM connections_webhooksubscription s JOIN connections_connection c ON c.id = s.connection_id
    WHERE s.id = %s
"""  # noqa: S608  columns of models
