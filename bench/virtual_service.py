"""The service, its customers' ERPs and the pretend Ramp in one process, on virtual time.

Tasks, their SQL, the Ramp client and the budget for Ramp are the real things. Nobody waits: time
moves by two seconds from sweep to sweep, by what an answer of Ramp's takes, and by what somebody
sleeps. So a wait of minutes costs nothing, and every run comes out the same.
"""

import random
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import replace
from datetime import UTC, datetime
from unittest.mock import patch

import httpx
from django.conf import settings
from django.test import override_settings

from bench.service import NOBODY, Stuck, eager_tasks
from bench.virtual_clock import VirtualClock
from connections import egress
from connections.erp.adapters.in_memory import InMemoryErp
from connections.erp.errors import ErpError
from connections.erp.records import Document, Master, MasterKind, Posted
from connections.erp.registry import ADAPTERS
from connections.models import Connection
from connections.ramp.rate_limit import RateLimitedTransport
from connections.ramp.transport import PATIENCE
from connections.ramp_simulator import scenarios
from connections.ramp_simulator.app import Simulator
from connections.ramp_simulator.handles import BusinessHandle
from connections.ramp_simulator.scenario_data import PLANS
from connections.ramp_simulator.switches import Switches
from rampbridge.celery import SWEEP_SECONDS
from syncing import poll_schedule, tasks
from syncing.management.commands import seed_demo
from syncing.models import AckBatch, Schedule, SyncItem

RAMP_URL = "http://ramp.test"
ANSWER_SECONDS = 0.1
"""What Ramp takes over each call."""
LONGEST_RUN = 1800.0
KIND = "virtual"
NEVER = datetime(2099, 1, 1, tzinfo=UTC)
VENDOR = "Uline"
"""Whom all bills come from."""

_MOVING = ("READY", "POSTING", "POSTED", "ACKING")

OnBooked = Callable[[Document], None]


class VirtualService:
    """Customers of ours and both sides of each."""

    def __init__(self, clock: VirtualClock, ramp: Simulator, seed: int) -> None:
        self.clock = clock
        self.ramp = ramp
        self.dice = random.Random(seed)
        self.on_booked: OnBooked = lambda _: None
        """Called for each document that an ERP has just booked."""

    def connect(self, slug: str) -> Connection:
        """One customer from nothing to live, with its first, empty poll behind it."""
        with self.ramp.world.change():
            plan = replace(PLANS[0], key=slug, name=slug, currency="USD")
            scenarios._found(self.ramp.world, plan)  # noqa: SLF001  no scenario has so many
        business = self.business(slug)
        described = {
            "key": slug,
            "name": slug,
            "client_id": business.client_id,
            "client_secret": business.client_secret,
        }
        connection = seed_demo.connect_customer(described, {"name": slug})
        self.drain()
        return connection

    def business(self, slug: str) -> BusinessHandle:
        return self.ramp.business(slug)

    def fetch(self, connections: Sequence[Connection]) -> None:
        """Webhooks have rung for every list of these, or it is time to poll them."""
        for connection in connections:
            poll_schedule.fetch_soon(connection.pk)

    def sweep(self) -> None:
        """Do all that is due now, and let the time pass until the next sweep.

        Lists are read when a benchmark says so. The slots of polls depend on ids, which are drawn
        anew each time, and a poll that falls into a run by chance would count as a waste. One that
        failed is tried again.
        """
        slots = Schedule.objects.filter(poll_failures=0).exclude(next_poll_at=NEVER)
        slots.update(next_poll_at=NEVER)
        ends_at = self.clock.seconds + SWEEP_SECONDS
        tasks.sweep.apply(throw=True)
        self.clock.spend(max(0.0, ends_at - self.clock.seconds))

    def drain(self) -> None:
        """Sweep until nothing moves any more.

        :raises Stuck: if that takes half an hour
        """
        ends_at = self.clock.seconds + LONGEST_RUN
        while _has_work():
            self.sweep()
            if self.clock.seconds > ends_at:
                raise Stuck(f"Not through after {LONGEST_RUN:.0f} virtual seconds: {_left()}")

    def forget_calls(self) -> None:
        self.ramp.service.reset_counters()

    @property
    def calls(self) -> dict[str, int]:
        """How often each of Ramp's operations was called since `forget_calls`, refused or not."""
        return dict(self.ramp.calls)


@contextmanager
def virtual_service(*, seed: int = 1, rate_limit: bool = True) -> Iterator[VirtualService]:
    """A service without customers, for as long as the block."""
    clock = VirtualClock()
    with ExitStack() as stack:
        stack.enter_context(clock.rules())
        ramp = Simulator(
            seed=seed,
            clock=clock.now,
            switches=Switches(rate_limit=rate_limit),
            sleep=clock.spend,
        )
        stack.callback(ramp.close)
        service = VirtualService(clock, ramp, seed)
        http = _http(ramp, clock)
        stack.callback(http.close)
        erps: dict[str, _Erp] = {}

        def erp_of(erp_settings: dict[str, str]) -> InMemoryErp:
            return erps.setdefault(erp_settings["name"], _Erp(service))

        stack.enter_context(patch.dict(ADAPTERS, {KIND: erp_of}))
        stack.enter_context(patch.object(seed_demo, "ERP_KIND", KIND))
        stack.enter_context(patch("connections.clients.shared_http_client", lambda *_: http))
        stack.enter_context(override_settings(RAMP_API_URL=RAMP_URL, WEBHOOK_BASE_URL=NOBODY))
        stack.enter_context(eager_tasks())
        yield service


class _Erp(InMemoryErp):
    def __init__(self, service: VirtualService) -> None:
        super().__init__()
        self.books.put(Master(MasterKind.VENDOR, VENDOR, VENDOR))
        self._service = service

    def post_many(self, docs: Sequence[Document]) -> Sequence[Posted | ErpError]:
        answers = super().post_many(docs)
        for doc in docs:
            self._service.on_booked(doc)
        return answers


class _Wire(httpx.WSGITransport):
    """Ramp takes its time over each call."""

    def __init__(self, ramp: Simulator, clock: VirtualClock) -> None:
        super().__init__(app=ramp.wsgi)
        self._clock = clock

    def handle_request(self, request: httpx.Request) -> httpx.Response:
        self._clock.spend(ANSWER_SECONDS)
        return super().handle_request(request)


def _http(ramp: Simulator, clock: VirtualClock) -> httpx.Client:
    """The client that all customers share, on the budget's real row."""
    limited = RateLimitedTransport(
        _Wire(ramp, clock),
        egress.EgressTokens(settings.RAMP_EGRESS, clock=clock.monotonic),
        patience=PATIENCE,
        sleep=clock.spend,
        clock=clock.monotonic,
    )
    return httpx.Client(base_url=RAMP_URL, transport=limited, trust_env=False)


def _has_work() -> bool:
    return (
        Schedule.objects.filter(fetch_due_at__isnull=False).exists()
        or SyncItem.objects.filter(state__in=_MOVING).exists()
        or SyncItem.objects.filter(failure_telling__in=["due", "sending"]).exists()
        or AckBatch.objects.filter(state=AckBatch.State.OPEN).exists()
    )


def _left() -> list[tuple[object, ...]]:
    """What still moves, and why it might not."""
    items = SyncItem.objects.filter(state__in=_MOVING)
    what = items.values_list("object_type", "state", "blocked_by", "error_title")
    blocked = Schedule.objects.exclude(blocked_title="").values_list("blocked_title")
    return [*what.distinct()[:10], *blocked.distinct()[:3]]
