"""The demo's ERP: one Tryton server, and a database of its own for each customer.

python -m rampbridge.embedded.tryton_demo install      packages, before PostgreSQL is even there
python -m rampbridge.embedded.tryton_demo databases    a company per customer
"""

import json
import sys
from collections.abc import Iterator, Sequence
from datetime import UTC, datetime
from functools import partial
from typing import NamedTuple

from rampbridge.embedded.home import ROOT, Home, demo_home
from rampbridge.embedded.processes import Program
from rampbridge.embedded.supervisor import Service, Step, Task
from rampbridge.embedded.tryton import Tryton, answers
from rampbridge.embedded.tryton_install import TrytonNotStarted, install


class Customer(NamedTuple):
    """A business of the Ramp simulator's scenario, and the company it keeps its books in."""

    key: str
    name: str
    currency: str

    @property
    def database(self) -> str:
        return f"tryton_{self.key.replace('-', '_')}"


CUSTOMERS = (
    Customer("harbor-coffee", "Harbor Coffee Roasters", "USD"),
    Customer("northwind-robotics", "Northwind Robotics", "USD"),
    Customer("atelier-lumiere", "Atelier Lumière", "EUR"),
    Customer("sakura-foods", "Sakura Foods 株式会社", "JPY"),
    Customer("pennine-outdoor", "Pennine Outdoor Ltd", "GBP"),
    Customer("blue-mesa-solar", "Blue Mesa Solar", "USD"),
    Customer("verde-clinics", "Verde Clinics", "USD"),
    Customer("cedar-hotels", "Cedar Hotels Group", "USD"),
)


def steps(home: Home) -> Iterator[Step]:
    """What brings the ERP up. The first two are slow once, so they run beside the rest."""
    module = (sys.executable, "-m", "rampbridge.embedded.tryton_demo")
    log = home.log("tryton-setup")
    yield Task(
        "tryton-install",
        "Tryton's packages",
        lambda: Program(argv=[*module, "install"], log=log, cwd=ROOT),
        expected=15,
        patience=600,
    )
    yield Task(
        "tryton-databases",
        "Tryton's books for each customer",
        lambda: Program(argv=[*module, "databases"], log=log, cwd=ROOT),
        needs=("postgres", "tryton-install"),
        expected=90,
        patience=900,
    )
    yield Service(
        "tryton",
        "Tryton",
        partial(_server, home),
        is_ready=lambda: answers(home.url("tryton")),
        needs=("tryton-databases",),
        expected=6,
        patience=120,
    )


def settings_of_all(home: Home) -> str:
    """How the adapter reaches each customer's books, as `seed_demo` reads it."""
    tryton, url = _tryton(home), home.url("tryton")
    return json.dumps({one.key: tryton.settings(one.database, url) for one in CUSTOMERS})


def _server(home: Home) -> Program:
    databases = [one.database for one in CUSTOMERS]
    command = _tryton(home).server_command(databases, port=home.ports()["tryton"])
    return Program(argv=command.argv, log=home.log("tryton"), env=command.env)


def _tryton(home: Home) -> Tryton:
    today = datetime.now(UTC).date()  # noqa: TID251 - an entry point
    server = home.cluster.url("postgres")
    return Tryton.installed(root=ROOT, server=server, today=today, progress=_tell)


def _make_databases(home: Home) -> None:
    databases = _tryton(home).databases
    databases.prepare_templates(sorted({one.currency for one in CUSTOMERS}), _tell)
    for one in CUSTOMERS:
        databases.create_company(one.database, currency=one.currency, name=one.name)
        databases.update(one.database, _tell)


def _tell(text: str) -> None:
    print(text, flush=True)


def main(arguments: Sequence[str]) -> int:
    """Do one of the slow parts, in a process of its own so that it can be ended."""
    try:
        if arguments == ["install"]:
            install(ROOT, _tell)
        else:
            _make_databases(demo_home())
    except TrytonNotStarted as failure:
        print(failure, file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
