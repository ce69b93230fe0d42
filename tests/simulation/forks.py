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
import traceback
from collections import Counter
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from socketserver import BaseServer
from typing import Any
from wsgiref.simple_server import WSGIRequestHandler, WSGIServer
from wsgiref.types import WSGIApplication

from django.conf import settings
from django.core.wsgi import get_wsgi_application
from django.db import connections as databases
from django.urls import get_resolver

from connections.ramp import transport
from rampbridge.lib import failpoints
from syncing import tasks
from tests.simulation import ablations

WEB_FAILPOINTS = frozenset(
    {"before_webhook_insert", "before_webhook_commit", "after_webhook_commit"}
)
WORKER_FAILPOINTS = failpoints.OF_SPEND - WEB_FAILPOINTS
FROZEN_AT = ("after_claim_commit", "after_erp_post", "after_report")
"""Where a worker may be frozen beyond its lease in place of killed (faults X10, X12)."""
_IDLE_SECONDS = 0.03
"""Until a worker looks again after there was nothing to do. Looking all the time would take the
machine from those that work."""
_SELDOM = 8
"""Until a failpoint has struck so often it strikes more easily than others."""


@dataclass(frozen=True, slots=True)
class Crew:
    """How many processes there are, where they write, and what goes wrong with them."""

    workers: int
    log: Path
    """A line per strike of a failpoint."""
    errors: Path
    """Tracebacks of doorbells that broke."""
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

    def arm(self, *, strikes: bool) -> None:
        """Fork all processes anew: to be struck from now on, or never again."""
        self._tell(strikes=strikes)

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
        crew.errors.write_text(traceback.format_exc())
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

    def serve(self) -> None:
        self.crew.apply_time()
        self.web = get_wsgi_application()
        get_resolver().url_patterns  # noqa: B018  reads all views, once for all that are forked
        transport._tls()  # made once for all that are forked
        gc.freeze()  # else a child's first collection copies all of this process
        dice = random.Random(self.crew.seed)
        while self._take_orders():
            self._fork_missing()
            self._reap(dice)
            self._thaw()
        for pid in self.children:
            os.kill(pid, signal.SIGKILL)
        while self.children:
            self.children.pop(os.waitpid(-1, 0)[0], None)

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
            if "settings" in order:
                self.children = dict.fromkeys(self.children, "")
                self.wanted = {"worker": self.crew.workers, "web": 1}
            if "strikes" in order:
                self.strikes = order["strikes"]
                for pid in self.children:
                    os.kill(pid, signal.SIGKILL)
        return bool(heard)

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
                wanted = _strikes(kind, _struck(self.crew.log))
                failpoints.arm(wanted, seed=self.crew.seed + self.forked, log=self.crew.log)
            databases.close_all()
            if kind == "web":
                _receive(self.crew.listener, self.web)
            else:
                ablations.apply(self.crew.ablation)
                _work(self.crew.errors, random.Random(self.crew.seed + self.forked))
        except BaseException:  # noqa: BLE001  nobody else is left to say it
            _note(self.crew.errors)
        finally:
            os._exit(1)


def _struck(log: Path) -> Counter[str]:
    lines = log.read_text().splitlines() if log.exists() else []
    return Counter(line.split()[0] for line in lines)


def _strikes(kind: str, struck: Mapping[str, int]) -> str:
    """What a new process is armed with: where it has happened seldom, it happens more easily."""
    names = sorted(WEB_FAILPOINTS if kind == "web" else WORKER_FAILPOINTS)
    kills = [f"{name}={_chance(name, struck.get(name, 0))}" for name in names]
    # A name stands once, so that at these places one process freezes and another dies.
    freezes = {name: f"{name}=0.1:stop" for name in FROZEN_AT if struck.get(name, 0) % 4 == 3}
    return ",".join(freezes.get(one.partition("=")[0], one) for one in kills)


def _chance(name: str, struck: int) -> float:
    if name.endswith("poll_page"):  # passed by every list of every poll
        return 0.01 if struck >= _SELDOM else 0.1
    return 0.05 if struck >= _SELDOM else 0.3


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


def _work(errors: Path, dice: random.Random) -> None:
    """A worker process with a beat of its own. It answers doorbells in any order, as many do."""
    rung: list[tuple[Callable[..., None], dict[str, str]]] = []
    tasks.ring = lambda doorbell, **about: rung.append((doorbell, about))
    parent = os.getppid()
    while os.getppid() == parent:
        rung.append((tasks.sweep, {}))
        heard = 0
        while rung:
            heard += 1
            doorbell, about = rung.pop(dice.randrange(len(rung)))
            try:
                doorbell(**about)
            except Exception:  # noqa: BLE001  as Celery would: the next doorbell rings all the same
                _note(errors)
        time.sleep(0.005 if heard > 1 else _IDLE_SECONDS)


def _note(errors: Path) -> None:
    with errors.open("a") as file:
        file.write(traceback.format_exc() + "\n")
