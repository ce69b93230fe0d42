"""A real ERP for demo and tests: Tryton 8.0 over HTTP, on an embedded PostgreSQL.

tryton = Tryton.installed(root=ROOT, server=cluster.url("postgres"), today=today, progress=say)
tryton.databases.prepare_templates(["USD", "JPY"], say)
tryton.databases.create_company("harbor", currency="USD", name="Harbor Coffee Roasters")
command = tryton.server_command(["harbor"], port=8020)   # argv, env, url: start and watch it
tryton.settings("harbor", command.url)                   # what the adapter `tryton` wants
"""

from __future__ import annotations

import json
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import Self

from rampbridge.embedded.tryton_databases import (
    FILES_IN_DATABASE,
    Databases,
    environment_of_server,
)
from rampbridge.embedded.tryton_install import Progress, TrytonNotStarted, install

START_TIMEOUT = 120.0


@dataclass(frozen=True, slots=True)
class ServerCommand:
    """How to start Tryton's server, and where it answers."""

    argv: Sequence[str]
    env: Mapping[str, str]
    url: str


class Tryton:
    """One installed Tryton and its databases on one PostgreSQL server."""

    def __init__(self, *, root: Path, environment: Path, databases: Databases) -> None:
        self.databases = databases
        self._root = root
        self._environment = environment

    @classmethod
    def installed(cls, *, root: Path, server: str, today: date, progress: Progress) -> Self:
        """Install Tryton unless it is there. Takes 10 to 20 s the first time.

        `root` is the checkout, `server` a libpq string of a superuser: `cluster.url("postgres")`.

        :raises TrytonNotStarted: with the end of the installer's output
        """
        environment = install(root, progress)
        databases = Databases(root=root, environment=environment, server=server, today=today)
        return cls(root=root, environment=environment, databases=databases)

    def server_command(
        self, databases: Sequence[str], *, port: int, workers: int = 2, threads: int = 4
    ) -> ServerCommand:
        """Serve these databases, and no others until the next start, on the loopback interface."""
        address = f"127.0.0.1:{port}"
        home = self._root / "var" / "tryton"
        config = home / "trytond.conf"
        config.write_text(f"[database]\nuri = postgresql://\nlist = False\n{FILES_IN_DATABASE}")
        # Without one of its own gunicorn takes the settings of our web server from the checkout.
        settings = home / "gunicorn.conf.py"
        settings.touch()
        argv = [
            str(self._environment / "bin" / "gunicorn"),
            *("--workers", str(workers), "--threads", str(threads), "--timeout", "120"),
            # Not gunicorn's two seconds: a kept connection ends under the next call if both sides
            # are slow.
            *("--keep-alive", "75"),
            *("--no-control-socket", "--config", str(settings), "--chdir", str(home)),
            *("--bind", address, "trytond.application:app"),
        ]
        env = environment_of_server(self.databases.libpq, config, databases)
        return ServerCommand(argv=argv, env=env, url=f"http://{address}")

    def settings(self, database: str, url: str) -> dict[str, str]:
        """Settings for the adapter `tryton`."""
        credentials = self.databases.credentials()
        return {
            "url": url,
            "database": database,
            "login": credentials.login,
            "password": credentials.password,
        }


def answers(url: str) -> bool:
    """Whether a Tryton server is up."""
    question = json.dumps({"id": 1, "method": "common.server.version", "params": []}).encode()
    request = urllib.request.Request(  # noqa: S310 - our own address
        f"{url}/rpc/", data=question, headers={"Content-Type": "application/json"}
    )
    try:
        with urllib.request.urlopen(request, timeout=5) as response:  # noqa: S310
            return bool(response.status == 200)
    except (urllib.error.URLError, TimeoutError, ConnectionError):
        return False


def wait_until_ready(url: str, is_alive: Callable[[], bool]) -> None:
    """Return once the server answers.

    :raises TrytonNotStarted: when it ends first, or takes too long
    """
    deadline = time.monotonic() + START_TIMEOUT
    while not answers(url):
        if not is_alive():
            raise TrytonNotStarted("Tryton's server stopped at once. Its log says why.")
        if time.monotonic() > deadline:
            raise TrytonNotStarted(f"Tryton's server does not answer at {url}.")
        time.sleep(0.1)
