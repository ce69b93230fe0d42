"""SQL statements for one transaction that a webhook announces, from the delivery to ACKED.

The way that a person watches: somebody marks a purchase ready and looks into the ERP. Counted are
the delivery over the whole web stack and all that it sets off, for a customer who has been heard of
before.
"""

import json
import time
import uuid

from django.test import Client
from django.urls import reverse

from bench.figures import Measured
from bench.outside import Purchases
from bench.service import Service, Stuck, real_service
from bench.statement_log import StatementLog
from connections import secrets
from connections.models import Connection, WebhookSubscription
from rampbridge.lib import signing
from syncing import inbox
from syncing.models import SyncItem

STAGE = real_service
SECRET = "a-secret-for-benchmarks"


def measure(service: Service) -> Measured:
    connection = service.connect("harbor-coffee")
    subscription = connection.subscriptions.get()
    secrets.keep_webhook_secret(subscription, SECRET)
    (transaction_id,) = service.outside.buy(connection.slug, Purchases(1))
    _deliver(connection, subscription, transaction_id)
    service.drain()  # the first one fills caches that a process fills once
    time.sleep(inbox.DEBOUNCE.total_seconds())  # then a webhook is answered at once, not gathered
    (transaction_id,) = service.outside.buy(connection.slug, Purchases(1))
    log = StatementLog()
    with log.watching():
        _deliver(connection, subscription, transaction_id)
    item = SyncItem.objects.get(ramp_id=transaction_id)
    if item.state != SyncItem.State.ACKED:
        raise Stuck(f"The webhook's transaction is {item.state}.")
    details = {"by_the_clock": log.by_the_clock, "statements": log.most(100)}
    return Measured(log.total, details)


def _deliver(
    connection: Connection, subscription: WebhookSubscription, transaction_id: str
) -> None:
    body = json.dumps(
        {
            "id": str(uuid.uuid4()),
            "type": "transactions.ready_to_sync",
            "business_id": str(connection.ramp_business_id),
            "object": {"id": transaction_id},
        }
    ).encode()
    answer = Client().post(
        reverse("ramp_webhook", args=[subscription.pk]),
        body,
        content_type="application/json",
        headers={"X-Ramp-Signature": signing.sign(body, secret=SECRET)},
    )
    if answer.status_code != 202:
        raise Stuck(f"The webhook was answered with {answer.status_code}.")
