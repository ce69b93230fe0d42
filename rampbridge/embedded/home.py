"""Where a demo keeps its things, its ports and secrets, and the environment its programs run in."""

import base64
import errno
import fcntl
import hashlib
import json
import os
import secrets
import socket
import stat
import tempfile
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import quote

from rampbridge.embedded.postgres import Cluster
from rampbridge.embedded.valkey import Broker

ROOT = Path(__file__).resolve().parents[2]
LOOPBACK = "127.0.0.1"
PREFERRED_PORTS = {"web": 8000, "ramp": 8010, "tryton": 8020, "metrics": 8030}
POLL_SECONDS = "30"  # so that a visitor sees polling work without waiting an hour
CHART_READ_SECONDS = "20"
CHART_UPLOAD_SECONDS = "120"
"""So that the demo shows drift for a while before it is uploaded."""
LONGEST_SOCKET = 107  # bytes the kernel allows for the path of a unix socket
DATABASE = "rampbridge"


class CannotUse(Exception):
    """The demo cannot have a place or a port. The message says why and what to do."""


class AlreadyRunning(CannotUse):
    """Another process runs the demo of this clone."""


@dataclass(frozen=True, slots=True)
class Home:
    """The directory of one clone's demo.

    Others may pass through it, for PostgreSQL may have to run as another user, but not look around.
    """

    root: Path

    @property
    def logs(self) -> Path:
        return self.root / "logs"

    @property
    def cluster(self) -> Cluster:
        sockets = short_directory(self.root) / "postgres"
        return Cluster(self.root / "postgres", sockets, self.logs / "postgres.log")

    @property
    def broker(self) -> Broker:
        socket_path = short_directory(self.root) / "valkey"
        return Broker(self.root / "valkey", socket_path, self.logs / "valkey.log")

    def log(self, name: str) -> Path:
        return self.logs / f"{name}.log"

    def prepare(self) -> None:
        """Make its directories."""
        self.root.mkdir(parents=True, exist_ok=True, mode=0o711)
        self.logs.mkdir(exist_ok=True)

    @contextmanager
    def held(self) -> Iterator[None]:
        """Hold it for one demo at a time.

        :raises AlreadyRunning: if another one does
        """
        with (self.root / "lock").open("w") as lock:
            try:
                fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                raise AlreadyRunning(self._who_holds_it()) from None
            yield

    def _who_holds_it(self) -> str:
        if address := self.state().get("url"):
            return (
                f"The demo of this clone is running already: {address}\n"
                "Use that one, or end it with Ctrl-C where it was started."
            )
        return "Another ./run command works on the demo's database. Wait until it has ended."

    def secrets(self) -> dict[str, str]:
        """Passwords and keys, made at random once."""
        return self._once("secrets.json", make_secrets)

    def ports(self) -> dict[str, int]:
        """The ports of the last start."""
        return {**PREFERRED_PORTS, **self._once("ports.json", lambda: choose_ports({}))}

    def renew_ports(self) -> dict[str, int]:
        """The ports of the last start as far as they are free, else the next free ones."""
        ports = choose_ports(self._read("ports.json"))
        self.write("ports.json", ports)
        return ports

    def url(self, name: str) -> str:
        """The address of one of the servers: web, ramp, tryton or metrics."""
        return f"http://{LOOPBACK}:{self.ports()[name]}"

    def environment(self) -> dict[str, str]:
        """What every program of ours runs with. Complete: nothing of the caller's leaks in."""
        known = self.secrets()
        return {
            "DATABASE_URL": self.cluster.url(DATABASE),
            "REDIS_URL": self.broker.url,
            "SECRET_KEY": known["secret_key"],
            "ENCRYPTION_KEYS": known["encryption_keys"],
            "ALLOWED_HOSTS": f"{LOOPBACK},localhost",
            "PUBLIC_URL": self.url("web"),
            "WEBHOOK_BASE_URL": self.url("web"),
            "SUPPORT_CONTACT": "support@integrator.example",
            "EMAIL_URL": f"file://{quote(str(self.root / 'mail'))}",
            "RAMP_API_URL": self.url("ramp"),
            "RAMP_EGRESS": "demo",
            "POLL_INTERVAL_SECONDS": POLL_SECONDS,
            "CHART_READ_SECONDS": CHART_READ_SECONDS,
            "CHART_UPLOAD_SECONDS": CHART_UPLOAD_SECONDS,
            "METRICS_PORT": str(self.ports()["metrics"]),
            "LOG_FORMAT": "console",
            "DJANGO_SETTINGS_MODULE": "rampbridge.settings",
        }

    def state(self) -> dict[str, Any]:
        """What the running demo says about itself, or nothing."""
        return self._read("state.json")

    def write(self, name: str, content: Mapping[str, Any]) -> None:
        """Replace a file at once, readable by its owner alone."""
        draft = self.root / f".{name}.{os.getpid()}"
        handle = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
        with os.fdopen(handle, "w") as file:
            json.dump(content, file, indent=2)
        draft.replace(self.root / name)

    def _read(self, name: str) -> dict[str, Any]:
        path = self.root / name
        return dict(json.loads(path.read_text())) if path.exists() else {}

    def _once(self, name: str, make: Callable[[], Mapping[str, Any]]) -> dict[str, Any]:
        if not (self.root / name).exists():
            self.prepare()
            self.write(name, make())
        return self._read(name)


def demo_home() -> Home:
    """The home of this clone's demo."""
    return Home(ROOT / "var" / "demo")


def make_secrets() -> dict[str, str]:
    """Fresh ones for every clone: nobody can guess those of somebody else's demo."""
    return {
        "secret_key": secrets.token_urlsafe(48),
        "encryption_keys": "demo:" + base64.b64encode(secrets.token_bytes(32)).decode(),
        "password": "-".join(secrets.token_hex(2) for _ in range(3)),
    }


def choose_ports(last: Mapping[str, int]) -> dict[str, int]:
    """A free port for each server: the last one, the preferred one, or the next after it."""
    ports: dict[str, int] = {}
    for name, preferred in PREFERRED_PORTS.items():
        wanted = (last.get(name, preferred), *range(preferred, preferred + 10), 0)
        ports[name] = next(
            port for one in wanted if (port := usable_port(one)) and port not in ports.values()
        )
    return ports


def usable_port(port: int) -> int:
    """The port if nobody listens on it, else 0. For 0 any that is free."""
    with socket.socket() as candidate:
        candidate.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            candidate.bind((LOOPBACK, port))
        except OSError as error:
            if error.errno not in {errno.EADDRINUSE, errno.EACCES}:
                raise
            return 0
        return int(candidate.getsockname()[1])


def short_directory(home: Path) -> Path:
    """A directory for sockets, whose paths must be short. The same one for the same home.

    :raises CannotUse: if somebody else has made it
    """
    name = f"rampbridge-{os.geteuid()}-{hashlib.sha256(bytes(home)).hexdigest()[:10]}"
    runtime = Path(os.environ.get("XDG_RUNTIME_DIR") or "/nonexistent")
    places = (runtime, Path(tempfile.gettempdir()), Path("/tmp"))  # noqa: S108 - checked below
    for place in places:
        path = place / name
        fits = len(bytes(path / "postgres" / ".s.PGSQL.5432.lock")) <= LONGEST_SOCKET
        if fits and os.access(place, os.W_OK):
            path.mkdir(mode=0o711, exist_ok=True)
            _check_private(path)
            return path
    raise CannotUse("There is no place for sockets: neither $XDG_RUNTIME_DIR nor /tmp can be used.")


def _check_private(path: Path) -> None:
    # In /tmp anyone may have made it first, to put sockets of their own there.
    found = path.lstat()
    if not stat.S_ISDIR(found.st_mode) or found.st_uid != os.geteuid() or found.st_mode & 0o066:
        raise CannotUse(f"{path} is not ours alone. Remove it and start again.")
