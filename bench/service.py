"""The service in one process: the real tasks on a real database, rung as beat and workers would.

Doorbells ring through at once in the process that rings them, so each benchmark sees the whole
chain of sweep, poll, work and report. Celery's own messages are left out: one of them carries a
hundred objects.
"""

import time
from collections import deque
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager, nullcontext
from functools import partial
from unittest.mock import patch

from django.test import override_settings

from bench.outside import Outside, Purchases, outside_processes
from bench.pretend_erp import KIND, PretendErp
from connections.erp import registry
from connections.models import Connection
from connections.ramp import transport
from rampbridge.celery import SWEEP_SECONDS, app
from syncing import poll_schedule, tasks
from syncing.management.commands import seed_demo
from syncing.models import Schedule, SyncItem

LONGEST_RUN = 600.0
NOBODY = "http://127.0.0.1:1"
"""Where the webhooks go: a benchmark that wants one delivers it itself."""

Watch = Callable[[], AbstractContextManager[object]]


class Stuck(Exception):
    """The service did not get through, so there is nothing to measure. The message says why."""


class Service:
    """Customers of ours, and the work on them."""

    def __init__(self, outside: Outside) -> None:
        self.outside = outside

    def connect(self, slug: str) -> Connection:
        """One customer from nothing to live, with its first, empty poll behind it."""
        described = self.outside.business(slug)
        connection = seed_demo.connect_customer(described, {"url": self.outside.erp_url})
        self.drain()
        return connection

    def buy(self, connection: Connection, count: int) -> None:
        """Make transactions ready and let the connection know, as a webhook would."""
        if count:
            self.outside.buy(connection.slug, Purchases(count))
        poll_schedule.fetch_soon(connection.pk, types=["transaction"])

    def poll(self, connection: Connection) -> None:
        """It is time to poll: all lists are due."""
        poll_schedule.fetch_soon(connection.pk)

    def drain(self, watch: Watch = nullcontext) -> None:
        """Sweep every two seconds until nothing is left to do.

        :param watch: entered around each sweep, and not around our own looking at the clock

        :raises Stuck: if an item does not get through
        """
        deadline = time.monotonic() + LONGEST_RUN
        while _has_work():
            began = time.monotonic()
            with watch():
                tasks.sweep.apply(throw=True)
            _check(deadline)
            if _has_work():
                time.sleep(max(0.0, began + SWEEP_SECONDS - time.monotonic()))


@contextmanager
def serving(outside: Outside) -> Iterator[Service]:
    """The service between these two sides, for as long as the block."""
    try:
        with (
            eager_tasks(),
            override_settings(RAMP_API_URL=outside.ramp_url, WEBHOOK_BASE_URL=NOBODY),
            patch.dict(registry.ADAPTERS, {KIND: PretendErp}),
            patch.object(seed_demo, "ERP_KIND", KIND),
        ):
            yield Service(outside)
    finally:
        transport.close_shared()


@contextmanager
def real_service() -> Iterator[Service]:
    """The service, with both sides as processes of their own."""
    with outside_processes() as outside, serving(outside) as service:
        yield service


@contextmanager
def eager_tasks() -> Iterator[None]:
    """Doorbells ring through at once, and what goes wrong behind them is raised.

    One that is rung by another is answered after it, and not within: a customer with much to do
    rings for itself again and again.
    """
    eager = {"task_always_eager": True, "task_eager_propagates": True}
    before = {name: app.conf[name] for name in eager}
    app.conf.update(eager)
    try:
        with patch.object(tasks, "ring", _one_after_the_other(tasks.ring)):
            yield
    finally:
        app.conf.update(before)


def _one_after_the_other(ring: Callable[..., None]) -> Callable[..., None]:
    rung: deque[Callable[[], None]] = deque()

    def ring_in_turn(doorbell: tasks.Doorbell, **about: str) -> None:
        rung.append(partial(ring, doorbell, **about))
        if len(rung) > 1:
            return  # whoever answers the first of them goes on
        try:
            while rung:
                rung[0]()
                rung.popleft()
        finally:
            rung.clear()

    return ring_in_turn


def _has_work() -> bool:
    wanted = Schedule.objects.filter(fetch_due_at__isnull=False)
    return wanted.exists() or SyncItem.objects.exclude(state=SyncItem.State.ACKED).exists()


def _check(deadline: float) -> None:
    aside = SyncItem.objects.filter(state__in=["FAILED", "REVIEW", "MISMATCH"]).first()
    if aside is not None:
        raise Stuck(f"{aside.state}: {aside.error_title} {aside.error_detail}")
    if time.monotonic() > deadline:
        raise Stuck(f"Not through after {LONGEST_RUN:.0f} seconds.")
