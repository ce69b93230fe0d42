"""Webhooks as Ramp delivers them: signed, over connections that stay open, some of them again."""

import http.client
import json
import random
import threading
import time
import uuid
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from urllib.parse import urlsplit

from bench.service import Stuck
from connections import secrets
from connections.models import Connection, WebhookSubscription
from rampbridge.lib import signing

SECRET = "a-secret-for-benchmarks"
ACCEPTED = 202


@dataclass(frozen=True, slots=True)
class Delivery:
    """One request that Ramp makes."""

    event_id: str
    path: str
    body: bytes
    signature: str


@dataclass(slots=True)
class Answers:
    """What became of deliveries."""

    seconds: list[float] = field(default_factory=list)
    """From the moment at which each was to leave, so that a queue of ours counts."""
    refused: int = 0
    took: float = 0.0
    accepted: set[str] = field(default_factory=set)
    """Events of which at least one delivery was accepted."""


def share_secret(connection: Connection) -> WebhookSubscription:
    """Make its subscription's secret the one that everybody here knows."""
    subscription = connection.subscriptions.get()
    secrets.keep_webhook_secret(subscription, SECRET)
    return subscription


def announced(subscription: WebhookSubscription, ramp_id: str) -> Delivery:
    """Something of this customer's is ready."""
    event_id = str(uuid.uuid4())
    event = {
        "id": event_id,
        "type": "transactions.ready_to_sync",
        "business_id": str(subscription.connection.ramp_business_id),
        "object": {"id": ramp_id},
    }
    body = json.dumps(event).encode()
    path = f"/webhooks/ramp/{subscription.pk}"
    return Delivery(event_id, path, body, signing.sign(body, secret=SECRET))


def some(
    subscriptions: Sequence[WebhookSubscription], count: int, *, again: float, seed: int
) -> list[Delivery]:
    """So many deliveries; a share of them has come before."""
    dice = random.Random(seed)
    made: list[Delivery] = []
    for _ in range(count):
        if made and dice.random() < again:
            made.append(dice.choice(made[-200:]))
        else:
            made.append(
                announced(dice.choice(subscriptions), str(uuid.UUID(int=dice.getrandbits(128))))
            )
    return made


def deliver(
    address: str, deliveries: Sequence[Delivery], *, lines: int, a_second: float | None = None
) -> Answers:
    """Send them over so many lines, as fast as they are answered or as fast as is asked for.

    :raises Stuck: if some were not answered at all
    """
    answers, lock = Answers(), threading.Lock()
    began = time.monotonic()
    left = iter(enumerate(deliveries))

    def taken() -> Iterator[tuple[float, Delivery]]:
        while True:
            with lock:
                number, one = next(left, (0, None))
            if one is None:
                return
            due = began + number / a_second if a_second else time.monotonic()
            time.sleep(max(0.0, due - time.monotonic()))
            yield due, one

    def send() -> None:
        with Line(address) as line:
            for due, one in taken():
                status = line.send(one)
                with lock:
                    answers.seconds.append(time.monotonic() - due)
                    if status == ACCEPTED:
                        answers.accepted.add(one.event_id)
                    else:
                        answers.refused += 1

    senders = [threading.Thread(target=send) for _ in range(lines)]
    for sender in senders:
        sender.start()
    for sender in senders:
        sender.join()
    answers.took = time.monotonic() - began
    if len(answers.seconds) < len(deliveries):  # whose line broke twice has ended without a word
        raise Stuck(f"Only {len(answers.seconds)} of {len(deliveries)} deliveries were answered.")
    return answers


class Line:
    """One connection to a web server, kept open as far as it lets us; a context manager."""

    def __init__(self, address: str) -> None:
        self._http = http.client.HTTPConnection(urlsplit(address).netloc, timeout=60)

    def __enter__(self) -> "Line":
        return self

    def __exit__(self, *_: object) -> None:
        self._http.close()

    def send(self, delivery: Delivery) -> int:
        """The status of the answer."""
        headers = {"Content-Type": "application/json", "X-Ramp-Signature": delivery.signature}
        try:
            return self._once(delivery, headers)
        except (ConnectionError, http.client.HTTPException):  # closed while nobody sent
            self._http.close()
            return self._once(delivery, headers)

    def _once(self, delivery: Delivery, headers: dict[str, str]) -> int:
        self._http.request("POST", delivery.path, delivery.body, headers)
        answer = self._http.getresponse()
        answer.read()
        return answer.status
