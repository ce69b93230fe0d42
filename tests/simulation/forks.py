"""Worker and web processes that are killed and forked anew, from a server that has all imported.

The server is forked before this process has threads or a connection to the database. What it forks
is a worker that sweeps and answers its own doorbells, or a web process that receives webhooks.
Doorbells stay in the process that rang: they die with it, as with a broker that loses everything.
"""

import gc
import json
import os
import random
import select
import signal
import socket
import time
import uuid
from collections import Counter
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from socketserver import BaseServer
from typing import Any
from wsgiref.simple_server import WSGIRequestHandler, WSGIServer
from wsgiref.types import WSGIApplication
from wsgiref.util import setup_testing_defaults

from django.conf import settings
from django.core.wsgi import get_wsgi_application
from django.db import connections as databases
from django.urls import get_resolver

from connections.ramp import transport
from rampbridge.lib import failpoints
from syncing import tasks
from tests.simulation import ablations, desk
from tests.simulation.strikes import Strikes, armament

_REHEARSALS = 2
"""Sweeps of a rehearsal, each with all that it rings for."""


@dataclass(frozen=True, slots=True)
class Crew:
    """How many processes there are, where they write, and what goes wrong with them."""

    workers: int
    log: Path
    """A line per strike of a failpoint."""
    errors: Path
    """Exceptions that doorbells broke with, see `desk.note`."""
    listener: socket.socket
    """Where webhooks come in."""
    seed: int
    ablation: str
    apply_time: Callable[[], None]
    longest_freeze: float
    """On the wall."""


@dataclass
class ForkServer:
    """The other process, in ours: what it is told, and its end."""

    pid: int
    _orders: socket.socket

    def begin(self, values: Mapping[str, Any]) -> None:
        """Fork the crew, with these values in the settings, and nothing armed."""
        self._tell(settings=dict(values))

    def rehearse(self) -> None:
        """Let the server itself do what workers do, for a while, and return when it has.

        Half of a short life would go into what a process does for the first time.
        """
        self._tell(rehearse=True)
        self._orders.recv(1)

    def halt(self) -> None:
        """End all processes, and fork none before the next order; return once they are gone."""
        self._tell(halt=True)
        self._orders.recv(1)

    def arm(self, *, strikes: bool) -> None:
        """Fork all processes anew: to be struck from now on, or never again."""
        self._tell(strikes=strikes)

    def flush(self) -> None:
        """Let all workers lose the doorbells that have rung."""
        self._tell(flush=True)

    def roll(self) -> None:
        """Ask all workers to end by themselves; others take their places."""
        self._tell(roll=True)

    def end(self) -> None:
        """End all of it."""
        self._orders.close()
        os.waitpid(self.pid, 0)

    def _tell(self, **order: Any) -> None:
        self._orders.sendall(json.dumps(order).encode() + b"\n")


def start(crew: Crew) -> ForkServer:
    """Fork the server; only while this process has a single thread."""
    ours, theirs = socket.socketpair()
    pid = os.fork()
    if pid:
        theirs.close()
        return ForkServer(pid, ours)
    ours.close()
    try:
        _Server(crew, theirs).serve()
    except BaseException:  # noqa: BLE001  nobody else is left to say it
        desk.note(crew.errors)
    finally:
        os._exit(0)


@dataclass
class _Server:
    crew: Crew
    orders: socket.socket
    web: WSGIApplication = field(init=False)
    strikes: bool = False
    forked: int = 0
    children: dict[int, str] = field(default_factory=dict)
    frozen: dict[int, float] = field(default_factory=dict)
    wanted: dict[str, int] = field(default_factory=dict)
    struck: Strikes = field(init=False)

    def serve(self) -> None:
        self.crew.apply_time()
        self.struck = Strikes(self.crew.log)
        self.web = get_wsgi_application()
        get_resolver().url_patterns  # noqa: B018  reads all views, once for all that are forked
        gc.freeze()  # else a child's first collection copies all of this process
        signal.signal(signal.SIGUSR1, signal.SIG_IGN)  # until a worker can hear it
        dice = random.Random(self.crew.seed)
        while self._take_orders():
            self._fork_missing()
            self._reap(dice)
            self._thaw()
        self._end_all()

    def _take_orders(self) -> bool:
        """False once the other end is closed."""
        ready, _, _ = select.select([self.orders], [], [], 0.004)
        if not ready:
            return True
        heard = self.orders.recv(65536)
        for line in heard.splitlines():
            order = json.loads(line)
            for name, value in order.get("settings", {}).items():
                setattr(settings, name, value)
            if "settings" in order or "strikes" in order:
                self.wanted = {"worker": self.crew.workers, "web": 1}
            if "rehearse" in order:
                self._rehearse()
                self.orders.sendall(b".")
            if "flush" in order:
                self._tell_workers(signal.SIGUSR1)
            if "roll" in order:
                self._tell_workers(signal.SIGTERM)
            if "halt" in order:
                self.wanted = {}
                self._end_all()
                self.orders.sendall(b".")
            if "strikes" in order:
                self.strikes = order["strikes"]
                self._end_all()
        return bool(heard)

    def _tell_workers(self, what: signal.Signals) -> None:
        for pid, kind in self.children.items():
            if kind == "worker":
                os.kill(pid, what)

    def _end_all(self) -> None:
        for pid in self.children:
            os.kill(pid, signal.SIGKILL)
        while self.children:
            self.children.pop(os.waitpid(-1, 0)[0], None)
        self.frozen.clear()

    def _rehearse(self) -> None:
        _look_at_nothing(self.web)
        rehearsed = desk.Desk(self.crew.errors, random.Random(self.crew.seed))
        for _ in range(_REHEARSALS):
            rehearsed.answer_all()
        databases.close_all()
        transport.close_shared()
        gc.collect()
        gc.freeze()

    def _fork_missing(self) -> None:
        there = Counter(self.children.values())
        for kind, number in self.wanted.items():
            for _ in range(number - there[kind]):
                self.forked += 1
                pid = os.fork()
                if pid == 0:
                    self._live(kind)
                self.children[pid] = kind

    def _reap(self, dice: random.Random) -> None:
        while self.children:
            pid, status = os.waitpid(-1, os.WNOHANG | os.WUNTRACED)
            if pid == 0:
                return
            if os.WIFSTOPPED(status):
                self.frozen[pid] = time.monotonic() + dice.uniform(0, self.crew.longest_freeze)
            else:
                self.children.pop(pid, None)
                self.frozen.pop(pid, None)
                if os.WIFEXITED(status) and os.WEXITSTATUS(status) == 0:
                    self.struck.note("worker", signal.SIGTERM)

    def _thaw(self) -> None:
        now = time.monotonic()
        for pid in [pid for pid, until in self.frozen.items() if now > until]:
            del self.frozen[pid]
            os.kill(pid, signal.SIGCONT)

    def _live(self, kind: str) -> None:
        """A child's whole life; never returns."""
        try:
            self.orders.close()
            if self.strikes:
                wanted = armament(kind, self.struck.both())
                failpoints.arm(wanted, seed=self.crew.seed + self.forked, log=self.crew.log)
            databases.close_all()
            if kind == "web":
                _receive(self.crew.listener, self.web)
            else:
                ablations.apply(self.crew.ablation)
                desk.work(self.crew.errors, random.Random(self.crew.seed + self.forked))
            os._exit(0)
        except BaseException:  # noqa: BLE001  nobody else is left to say it
            desk.note(self.crew.errors)
        finally:
            os._exit(1)


def _receive(listener: socket.socket, application: WSGIApplication) -> None:
    """A web process: what Ramp delivers goes through the real application."""
    tasks.ring = lambda *_, **__: None  # nobody hears it: the sweep finds what stands in rows
    server = WSGIServer(listener.getsockname(), _Quiet, bind_and_activate=False)
    server.socket.close()
    server.socket = listener
    server.server_name, server.server_port = listener.getsockname()
    server.setup_environ()
    server.set_app(application)
    _serve_until_orphaned(server)


def _serve_until_orphaned(server: BaseServer) -> None:
    server.timeout = 0.5
    parent = os.getppid()
    while os.getppid() == parent:
        server.handle_request()


class _Quiet(WSGIRequestHandler):
    def log_message(self, format: str, *args: Any) -> None:  # noqa: A002  as the base names it
        """Says nothing of each request."""


def _look_at_nothing(application: WSGIApplication) -> None:
    """One request through the whole application, which thereby has all that it makes once."""
    path = f"/webhooks/ramp/{uuid.uuid4()}"
    environ: dict[str, Any] = {"PATH_INFO": path, "REQUEST_METHOD": "POST", "CONTENT_LENGTH": "0"}
    setup_testing_defaults(environ)
    for _ in application(environ, lambda *_: lambda _: None):
        pass
