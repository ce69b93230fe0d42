"""The service as it runs in production: broker, beat, workers and web as processes of their own.

Both outside sides take their time over each call, so that what a run takes is mostly waiting, which
noisy neighbours do not change. Customers are connected before that, in this process.
"""

import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from unittest.mock import patch

import httpx

from bench.outside import Outside, Purchases, outside_processes
from bench.pretend_erp import CALLS
from bench.pretend_ramp import slug_of
from bench.service import NOBODY, Stuck, serving
from connections.models import Connection
from connections.ramp.rate_limit import Lane
from rampbridge.embedded import processes, valkey
from rampbridge.embedded.home import LOOPBACK, ROOT, usable_port
from rampbridge.embedded.processes import Program
from syncing import poll_schedule
from syncing.management.commands import seed_demo
from syncing.models import SyncItem, WorkerBeat

CALLS_EACH = 8
"""That a customer's ERP takes at a time."""
TASKS = 8
"""Doorbells that a worker answers at a time: with as many calls each, 64 slots."""
RAMP_SECONDS, ERP_SECONDS = 0.1, 0.3
START_SECONDS = 60.0
STOP_SECONDS = 60.0
_QUEUES = "button,export,chart"


@dataclass
class Running:
    """A process of ours."""

    process: subprocess.Popen[bytes]
    program: Program

    @property
    def pid(self) -> int:
        return self.process.pid

    def ask_to_end(self) -> None:
        processes.ask_to_end(self.process, self.program)

    def end(self) -> None:
        """Ask, and wait until it has ended."""
        self.ask_to_end()
        processes.await_end(self.process, timeout=STOP_SECONDS)


class Stack:
    """Customers, both their sides, and the processes between."""

    def __init__(self, outside: Outside, broker: valkey.Broker, room: Path) -> None:
        self.outside = outside
        self._broker = broker
        self._room = room

    def connect(self, customers: int, *, calls: int = CALLS_EACH) -> list[Connection]:
        """Customers from nothing to live, each with its first, empty poll behind it."""
        with (
            serving(self.outside) as service,
            patch("connections.egress.tokens", lambda _: Unlimited()),  # setting up is not measured
        ):
            connected = []
            for slug in map(slug_of, range(customers)):
                described = self.outside.business(slug)
                settings = {"url": self.outside.erp_url, CALLS: str(calls)}
                connected.append(seed_demo.connect_customer(described, settings))
            service.drain()
        return connected

    @contextmanager
    def working(self, *, tasks: int = TASKS, processes: int = 1) -> Iterator[list[Running]]:
        """Beat and workers for as long as the block, once they are heard of.

        :param tasks: at a time, of each process
        """
        with ExitStack() as stack:
            stack.callback(self.start("beat", *self._beat()).end)
            workers = [self.start_worker(tasks=tasks) for _ in range(processes)]
            for worker in workers:
                stack.callback(worker.end)
            wait_until(lambda: self._heard_of(workers), seconds=START_SECONDS)
            yield workers

    def start_worker(self, *, tasks: int = TASKS) -> Running:
        argv = [
            *("-m", "bench.worker", "worker", "--pool", "threads", "--concurrency", str(tasks)),
            *("-Q", _QUEUES, "--without-gossip", "--without-mingle"),
            *("-n", f"{time.monotonic_ns()}@%h"),
        ]
        return self.start("worker", *argv)

    @contextmanager
    def web(
        self, *, application: str = "rampbridge.wsgi", workers: int = 1, **env: str
    ) -> Iterator[tuple[str, Running]]:
        """gunicorn with production's settings, and its address."""
        port = usable_port(0)
        address = f"http://{LOOPBACK}:{port}"
        bind = ("-m", "gunicorn", "--bind", f"{LOOPBACK}:{port}", application)
        running = self.start("web", *bind, WEB_CONCURRENCY=str(workers), **env)
        try:
            wait_until(lambda: _is_up(address), seconds=START_SECONDS)
            yield address, running
        finally:
            running.end()

    def start(self, name: str, *argv: str, **env: str) -> Running:
        """A Python program of ours, with the environment that all of them share."""
        environment = {
            "REDIS_URL": self._broker.url,
            "RAMP_API_URL": self.outside.ramp_url,
            "WEBHOOK_BASE_URL": NOBODY,
            **env,
        }
        log = self._room / f"{name}.log"
        program = Program(argv=[sys.executable, *argv], log=log, env=environment, cwd=ROOT)
        return Running(processes.start(program), program)

    def buy(self, connections: Sequence[Connection], each: int) -> None:
        for connection in connections:
            self.outside.buy(connection.slug, Purchases(each))

    def sync(
        self, connections: Sequence[Connection], each: int, *, longest: float = 600.0
    ) -> float:
        """Have so many objects of each brought into its ERP and reported. Seconds that it took."""
        self.buy(connections, each)
        wanted = len(connections) * each + acked()
        began = time.monotonic()
        for connection in connections:
            poll_schedule.fetch_soon(connection.pk, types=["transaction"])
        wait_until(lambda: acked() >= wanted, seconds=longest, every=0.1)
        return time.monotonic() - began

    def log(self, name: str) -> str:
        """The end of what processes of that name have said."""
        return processes.tail(self._room / f"{name}.log", 40)

    def _beat(self) -> Sequence[str]:
        schedule = str(self._room / "beat-schedule")
        return ("-m", "bench.worker", "beat", "--schedule", schedule, "--pidfile=")

    def _heard_of(self, workers: Sequence[Running]) -> bool:
        for worker in workers:
            if worker.process.poll() is not None:
                raise Stuck(f"A worker ended:\n{self.log('worker')}")
        pids = {int(name.rpartition(":")[2]) for name in _names_of_workers()}
        return pids >= {worker.pid for worker in workers}


def acked() -> int:
    """How many items are through."""
    return SyncItem.objects.filter(state=SyncItem.State.ACKED).count()


def wait_until(is_so: Callable[[], bool], *, seconds: float, every: float = 0.05) -> None:
    """:raises Stuck: if it is not so in time"""
    deadline = time.monotonic() + seconds
    while not is_so():
        if time.monotonic() > deadline:
            raise Stuck(f"Not after {seconds:.0f} seconds: {_left()}")
        time.sleep(every)


@contextmanager
def running_stack(*, customers: int = 0) -> Iterator[Stack]:
    """Both sides and a broker, without customers and without processes of ours yet."""
    with ExitStack() as stack:
        room = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="rb-")))
        outside = stack.enter_context(outside_processes(businesses=customers))
        broker = valkey.Broker(room / "valkey", room / "s", room / "valkey.log")
        valkey.prepare(broker)
        program = broker.program()
        server = Running(processes.start(program), program)
        stack.callback(server.end)
        wait_until(lambda: valkey.answers(broker), seconds=START_SECONDS)
        yield Stack(outside, broker, room)


class Unlimited:
    """A budget without bounds."""

    def take(self, _lane: Lane) -> float:
        return 0.0

    def freeze(self, _seconds: float) -> None:
        """Nobody waits."""


def _names_of_workers() -> list[str]:
    return list(WorkerBeat.objects.values_list("worker", flat=True))


def _left() -> list[tuple[object, ...]]:
    items = SyncItem.objects.exclude(state=SyncItem.State.ACKED)
    return [*items.values_list("state", "blocked_by", "error_title").distinct()[:10]]


def _is_up(address: str) -> bool:
    """Whatever it says: an opponent has not all our pages."""
    try:
        httpx.get(f"{address}/healthz", timeout=5, trust_env=False)
    except httpx.TransportError:
        return False
    return True
