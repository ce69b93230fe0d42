"""How fast pages are, and how much slower with ten times as many customers and items behind them.

Two fleets on one server, asked in turns, in this process and by a person who is signed in: what is
measured is all that the web server would do. Growth is told by processor time, ours and the
database's, which a busy neighbour does not change; the budgets are those of the clock on the wall.
"""

import gc
import logging
import math
import os
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from itertools import cycle, islice
from pathlib import Path
from typing import Any

from django.conf import settings
from django.contrib.auth import get_user_model
from django.contrib.auth.models import Group
from django.db import connections as databases
from django.test import Client
from django.test.utils import CaptureQueriesContext, override_settings

from bench.__main__ import FLEET_ITEMS, TEMPLATE
from bench.figures import Measured
from bench.load.loading import load
from bench.page_visits import Kind, kinds, poll_of

TIMES = 60
"""Visits of each kind of page and fleet."""
TIMES_MAIN = 3
"""So many times as often those that growth is judged by: it is a ratio of two 95th percentiles, and
of sixty visits one burst of a neighbour moves either."""
ITEMS_PER_CUSTOMER = 1000
TEN_TIMES = 10


MAIN = ("overview", "customers", "customer", "items open", "item failed", "errors")
"""The six pages that people live in, by which growth is judged; the others' is told as well."""
_POLL = {"HX-Request": "true", "X-Live-Poll": "1"}


class WrongAnswer(Exception):
    """A page does not answer as it should, so its time means nothing."""


@dataclass(slots=True)
class Fleet:
    """One database, who visits, and what each kind of page took, in milliseconds."""

    items: int
    database: Any
    copied_per_second: float = 0.0
    """Items, when it was loaded."""
    client: Client = field(default_factory=Client)
    kinds: Sequence[Kind] = ()
    taken: dict[str, list[float]] = field(default_factory=dict)
    worked: dict[str, list[float]] = field(default_factory=dict)
    """Of the processors, on both sides."""
    statements: dict[str, int] = field(default_factory=dict)

    def backend(self) -> Path:
        """Where the system says how long the database's process for us has worked."""
        with self.database.cursor() as cursor:
            cursor.execute("SELECT pg_backend_pid()")
            (pid,) = cursor.fetchone()
        return Path(f"/proc/{pid}/schedstat")


def p95(figures: Sequence[float]) -> float:
    return sorted(figures)[math.ceil(0.95 * len(figures)) - 1]


def measure(_stage: object, *, items: int | None = None, times: int = TIMES) -> dict[str, Measured]:
    """Load both fleets and visit them.

    :param items: of the larger fleet; the other has a tenth
    """
    items = items or int(os.environ.get(FLEET_ITEMS, "1000000"))
    logging.disable(logging.INFO)  # a line for each visit would hide what breaks a run off
    with override_settings(**_PLAIN_FILES):
        small, large = _fleet(items // TEN_TIMES), _fleet(items)
        _sign_in(small)
        _sign_in(large)
        for _ in range(2):  # what a process reads once, and what a disk gives slowly once
            _visit(small, large, times=3)
        for fleet in (small, large):
            fleet.taken.clear()
            fleet.worked.clear()
            _count_statements(fleet)
        _visit(small, large, times=times)
    return _figures(small, large)


_PLAIN_FILES: Mapping[str, Any] = {
    "STORAGES": settings.STORAGES
    | {"staticfiles": {"BACKEND": "django.contrib.staticfiles.storage.StaticFilesStorage"}}
}
"""A deployment has collected them; here nobody has."""


def _fleet(items: int) -> Fleet:
    """A database of its own with so many items, and somebody signed in to it."""
    name = f"bench_fleet_{items}"
    with databases["default"].cursor() as cursor:
        cursor.execute(f"CREATE DATABASE {name} TEMPLATE {TEMPLATE}")
    databases.settings[name] = databases.settings["default"] | {"NAME": name}
    fleet = Fleet(items, databases[name])
    with _at(fleet):
        customers = max(items // ITEMS_PER_CUSTOMER, 10)
        loaded = load(customers=customers, items=items, now=datetime.now(UTC))
        fleet.copied_per_second = loaded.copied_per_second
        visitor = get_user_model().objects.create(username="visitor")
        visitor.groups.add(Group.objects.get_or_create(name="admin")[0])
        fleet.kinds = kinds()
    return fleet


def _sign_in(fleet: Fleet) -> None:
    """Once all are loaded: loading the next may take longer than one stays signed in."""
    with _at(fleet):
        fleet.client.force_login(get_user_model().objects.get(username="visitor"))


@contextmanager
def _at(fleet: Fleet) -> Iterator[None]:
    """Everything asks this fleet's database."""
    before = databases["default"]
    databases["default"] = fleet.database
    try:
        yield
    finally:
        databases["default"] = before


def _visit(small: Fleet, large: Fleet, *, times: int) -> None:
    gc.disable()
    try:
        for of_small, of_large in zip(small.kinds, large.kinds, strict=True):
            addresses = _addresses(small, of_small), _addresses(large, of_large)
            visits = times * (TIMES_MAIN if of_small.name in MAIN else 1)
            for first, second in islice(zip(*map(cycle, addresses), strict=True), visits):
                _time(small, of_small, first)
                _time(large, of_large, second)
            gc.collect()
    finally:
        gc.enable()


def _addresses(fleet: Fleet, kind: Kind) -> Sequence[str]:
    """What to ask for: of polls, as pages that were loaded just now ask."""
    if not kind.is_poll:
        return kind.addresses
    with _at(fleet):
        return [poll_of(fleet.client, address) for address in kind.addresses]


def _time(fleet: Fleet, kind: Kind, address: str) -> None:
    with _at(fleet):
        backend = fleet.backend()
        worked, began = _worked(backend), time.perf_counter()
        status = _status(fleet.client, kind, address)
        taken, worked = time.perf_counter() - began, _worked(backend) - worked
    # What is found by a number that only one item has is not a list but that item.
    if status != kind.status and not (kind.figure == "pages_search" and status == 302):
        raise WrongAnswer(f"{address} answered with {status} in place of {kind.status}.")
    fleet.taken.setdefault(kind.name, []).append(taken * 1000)
    fleet.worked.setdefault(kind.name, []).append(worked * 1000)


def _worked(backend: Path) -> float:
    """Processor seconds so far, ours and those of the database's process for us."""
    return time.process_time() + int(backend.read_text().split()[0]) / 1e9


def _status(client: Client, kind: Kind, address: str) -> int:
    return client.get(address, headers=_POLL if kind.is_poll else {}).status_code


def _count_statements(fleet: Fleet) -> None:
    for kind in fleet.kinds:
        addresses = _addresses(fleet, kind)
        with _at(fleet), CaptureQueriesContext(fleet.database) as counted:
            _status(fleet.client, kind, addresses[0])
        fleet.statements[kind.name] = len(counted)


_BUDGETS = ("pages_list", "pages_charts", "pages_item", "pages_search", "pages_unchanged")


def _figures(small: Fleet, large: Fleet) -> dict[str, Measured]:
    growth = {
        kind.name: math.log10(p95(large.worked[kind.name]) / p95(small.worked[kind.name]))
        for kind in large.kinds
    }
    sizes = {"items": [small.items, large.items]}
    figures = {
        "pages_growth": Measured(max(growth[name] for name in MAIN), sizes | _rounded(growth, 2)),
        "pages_statements": Measured(max(large.statements.values()), dict(large.statements)),
        "pages_copied": Measured(large.copied_per_second, {"items": large.items}),
    }
    for figure in _BUDGETS:
        names = [kind.name for kind in large.kinds if kind.figure == figure]
        taken = {name: p95(large.taken[name]) for name in names}
        worked = {name: p95(large.worked[name]) for name in names}
        details = {"wall": _rounded(taken, 1), "processor": _rounded(worked, 1)}
        figures[figure] = Measured(max(taken.values()), sizes | details)
    return figures


def _rounded(figures: Mapping[str, float], digits: int) -> dict[str, Any]:
    return {name: round(figure, digits) for name, figure in figures.items()}
