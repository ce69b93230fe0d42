"""A running Tryton for whichever tests ask for one: each process of a run starts its own."""

import os
import socket
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

import pytest

from connections.erp.http import close_clients
from rampbridge.embedded.processes import Program, ask_to_end, await_end, start, tail
from rampbridge.embedded.tryton import Tryton, wait_until_ready
from rampbridge.embedded.tryton_install import TrytonNotStarted

ROOT = Path(__file__).resolve().parents[2]
COMPANIES = {
    "bridge": ("USD", True),
    "lookup": ("USD", False),
    "euro": ("EUR", True),
    "yen": ("JPY", True),
    "chart": ("USD", True),
    "change": ("USD", True),
    "journey": ("USD", True),
    "period": ("USD", True),
}
"""Name to currency, and whether our add-on is active. The last four are for tests that change
charts or close months of their own."""


@dataclass(frozen=True, slots=True)
class TrytonServer:
    """Companies by name: `lookup` without our add-on, `euro`, `yen`, all others in dollars."""

    tryton: Tryton
    url: str
    prefix: str

    def settings(self, company: str) -> dict[str, str]:
        """Settings for the adapter, as our own user."""
        return self.tryton.settings(self.database(company), self.url)

    def admin_settings(self, company: str) -> dict[str, str]:
        """Settings for Tryton's administrator, who may do anything."""
        credentials = self.tryton.databases.credentials()
        return {
            **self.settings(company),
            "login": credentials.admin_login,
            "password": credentials.admin_password,
        }

    def database(self, company: str) -> str:
        return f"{self.prefix}_{company}"


@pytest.fixture(scope="session")
def tryton_server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[TrytonServer]:
    """Tryton with fresh companies. The first run on a machine takes a minute or two more."""
    server = os.environ["TEST_DATABASE_URL"]
    today = datetime.now(UTC).date()
    tryton = Tryton.installed(root=ROOT, server=server, today=today, progress=print)
    tryton.databases.prepare_templates(["USD"], print, bridge=False)
    tryton.databases.prepare_templates(["EUR", "JPY", "USD"], print)
    prefix = f"erp_{os.environ.get('PYTEST_XDIST_WORKER', 'main')}"
    for company, (currency, bridge) in COMPANIES.items():
        tryton.databases.drop(f"{prefix}_{company}")
        tryton.databases.create_company(
            f"{prefix}_{company}", currency=currency, name=company, bridge=bridge
        )
    command = tryton.server_command(  # one process reads all modules of Tryton half as often as two
        [f"{prefix}_{company}" for company in COMPANIES], port=_free_port(), workers=1
    )
    log = tmp_path_factory.mktemp("tryton") / "server.log"
    program = Program(argv=command.argv, log=log, env=command.env)
    process = start(program)
    try:
        wait_until_ready(command.url, lambda: process.poll() is None)
        yield TrytonServer(tryton=tryton, url=command.url, prefix=prefix)
    except TrytonNotStarted as error:
        pytest.fail(f"{error}\n{tail(log)}")
    finally:
        close_clients()
        ask_to_end(process, program)
        await_end(process, timeout=10)


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port
