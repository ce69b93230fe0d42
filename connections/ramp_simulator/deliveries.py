"""Bringing webhooks to their subscribers: signed, and up to ten times."""

import hashlib
import hmac
import logging
import random
import threading
from collections import deque
from collections.abc import Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime, timedelta

import httpx

from connections.ramp_simulator.records import Delivery, Webhook
from connections.ramp_simulator.world import World

_logger = logging.getLogger(__name__)

ATTEMPTS = 10
LONGEST_DELAY = 60
TIMEOUT_SECONDS = 10
_LOG_LENGTH = 10_000
_SENDERS = 4
_IDLE_SECONDS = 1.0


@dataclass(frozen=True, slots=True)
class Attempt:
    """One try to deliver; `status` is None if nobody answered."""

    at: datetime
    business: str
    webhook_id: str
    event_type: str
    event_id: str | None
    number: int
    status: int | None


class Courier:
    """Delivers what is due, in the order it became due."""

    def __init__(self, world: World, *, client: httpx.Client, seed: int) -> None:
        self.log: deque[Attempt] = deque(maxlen=_LOG_LENGTH)
        self._world = world
        self._client = client
        self._dice = random.Random(seed)
        self._on_the_way: set[str] = set()

    def deliver_due(self) -> int:
        """Deliver, in this thread, until nothing is due; the number of attempts."""
        attempts = 0
        while batch := self.take_due():
            for delivery in batch:
                self.attempt(delivery)
            attempts += len(batch)
        return attempts

    def take_due(self) -> list[Delivery]:
        """What is due and not on its way; whoever takes it must call `attempt` for each."""
        with self._world.lock:
            now = self._world.clock()
            due = [
                row
                for row in self._world.deliveries.all()
                if row.due_at <= now and row.id not in self._on_the_way
            ]
            due.sort(key=lambda row: (row.due_at, row.seq))
            self._on_the_way.update(row.id for row in due)
            return due

    def attempt(self, delivery: Delivery) -> None:
        with self._world.lock:
            webhook = self._world.webhooks.get(delivery.webhook_id)
        with self._arrival(delivery):
            status = self._send(webhook, delivery) if webhook else None
            with self._world.change():
                self._settle(delivery, status)

    def seconds_to_next(self) -> float:
        with self._world.lock:
            now = self._world.clock()
            waits = [
                (row.due_at - now).total_seconds()
                for row in self._world.deliveries.all()
                if row.id not in self._on_the_way
            ]
        return max(0.0, min(waits, default=_IDLE_SECONDS))

    @contextmanager
    def _arrival(self, delivery: Delivery) -> Iterator[None]:
        try:
            yield
        finally:
            with self._world.lock:
                self._on_the_way.discard(delivery.id)

    def _send(self, webhook: Webhook, delivery: Delivery) -> int | None:
        body = delivery.body.encode()
        try:
            response = self._client.post(
                webhook.endpoint_url,
                content=body,
                headers=_headers(webhook, delivery, body),
                timeout=TIMEOUT_SECONDS,
                follow_redirects=False,
            )
        except (httpx.HTTPError, httpx.InvalidURL):
            return None
        return response.status_code

    def _settle(self, delivery: Delivery, status: int | None) -> None:
        """2xx is done; 3xx and 4xx but 429 are dropped at once; anything else is tried again."""
        world = self._world
        delivery.attempts += 1
        self.log.append(
            Attempt(
                at=world.clock(),
                business=delivery.business,
                webhook_id=delivery.webhook_id,
                event_type=delivery.event_type,
                event_id=delivery.event_id,
                number=delivery.attempts,
                status=status,
            )
        )
        if world.deliveries.get(delivery.id) is None:
            return
        is_worth_retrying = status is None or status == 429 or status >= 500
        if is_worth_retrying and delivery.attempts < ATTEMPTS:
            ceiling = min(LONGEST_DELAY, 2**delivery.attempts)
            seconds = self._dice.uniform(0, ceiling) * world.switches.webhook_time_scale
            delivery.due_at = world.clock() + timedelta(seconds=seconds)
            world.deliveries.put(delivery)
        else:
            world.deliveries.remove(delivery)


class CourierThread(threading.Thread):
    """Delivers in the background, a few at a time."""

    def __init__(self, courier: Courier, world: World) -> None:
        super().__init__(name="ramp-simulator-courier", daemon=True)
        self._courier = courier
        self._world = world
        self._is_stopped = threading.Event()

    def run(self) -> None:
        with ThreadPoolExecutor(_SENDERS, thread_name_prefix="ramp-simulator-webhook") as senders:
            while not self._is_stopped.is_set():
                self._world.deliveries_owed.clear()
                for delivery in self._courier.take_due():
                    senders.submit(self._courier.attempt, delivery).add_done_callback(_complain)
                wait = min(_IDLE_SECONDS, self._courier.seconds_to_next())
                self._world.deliveries_owed.wait(wait)

    def stop(self) -> None:
        self._is_stopped.set()
        self._world.deliveries_owed.set()


def sign(secret: str, body: bytes) -> str:
    return hmac.new(secret.encode(), body, hashlib.sha256).hexdigest()


def _complain(sending: Future[None]) -> None:
    if error := sending.exception():
        _logger.error("A webhook could not be settled", exc_info=error)


def _headers(webhook: Webhook, delivery: Delivery, body: bytes) -> dict[str, str]:
    secret = "not the secret" if delivery.is_signed_wrong else webhook.secret
    headers = {
        **webhook.additional_headers,
        "Content-Type": "application/json",
        "User-Agent": "Ramp-Webhooks",
        "X-Ramp-Signature": sign(secret, body),
    }
    if delivery.event_id:
        headers["X-Ramp-Webhook-ID"] = delivery.event_id
    return headers
