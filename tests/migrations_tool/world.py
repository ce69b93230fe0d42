"""A customer on a direct integration between a pretend Ramp and an ERP in memory, to be migrated.

All of it is in this process, and goes through the real client, tokens and credentials included.
"""

import uuid
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from datetime import datetime, timedelta
from functools import cache
from typing import Any
from unittest.mock import patch

import httpx
from django.core.signals import request_finished, request_started
from django.core.wsgi import get_wsgi_application
from django.db import close_old_connections
from django.db.models.functions import Now
from django.test import override_settings
from django.utils import timezone

from connections import clients, services
from connections.erp.adapters.in_memory import InMemoryErp, forget_named
from connections.erp.records import Master, MasterKind
from connections.models import Connection
from connections.ramp.client import RampClient
from connections.ramp.rate_limit import Lane
from connections.ramp_simulator import direct
from connections.ramp_simulator.app import Simulator
from connections.ramp_simulator.handles import BusinessHandle
from connections.ramp_simulator.records import Connection as Seat
from connections.ramp_simulator.records import Transaction
from connections.ramp_simulator.world import World as Scene
from migrations_tool import gates, running
from migrations_tool import services as migrations
from migrations_tool.models import ConnectionMigration, StepRecord, StepRun
from migrations_tool.steps import Act, Path, Step
from migrations_tool.wizard import Gate, Light, Status
from migrations_tool.work import Work

BASE_URL = "http://ramp.test"
KEY = "harbor-coffee"
OLD_VENDORS = ("Staples", "Uline", "Delta Air Lines", "Figma")
"""Of the old chart. The ERP knows Staples and Uline by the same name, and Figma by another."""
NEW_VENDORS = (("71", "Staples"), ("72", "Uline"), ("73", "Figma, Inc."), ("74", "Delta Airlines"))
ENGINEERING, SALES, OPERATIONS = (given for given, _ in direct.CLASSES)
MOST_TRIES = 25
TYPES = ("transaction", "reimbursement", "bill", "transfer", "cashback", "vendor_credit")


@cache
def _site() -> httpx.WSGITransport:
    """Our own pages, for the pretend Ramp's webhooks; not before the tests' settings hold."""
    return httpx.WSGITransport(app=get_wsgi_application())


class World:
    """One customer. `sim` is Ramp, `business` its people, `erp` the new ERP.

    `is_served`: somebody else serves Ramp on a port, and its webhooks come over the network.
    `tryton` are the settings of a real ERP in place of the one in memory.
    """

    def __init__(
        self,
        *,
        spend: bool = True,
        is_served: bool = False,
        tryton: Mapping[str, str] | None = None,
    ) -> None:
        self.ahead = timedelta()
        web = None if is_served else httpx.Client(transport=_site())
        self.sim = Simulator.with_scenario(
            "empty", rate_limit=False, webhook_client=web, sleep=lambda _: None
        )
        self.sim.switches.challenge = "before_answer"
        self.http = httpx.Client(transport=httpx.WSGITransport(app=self.sim.wsgi))
        self.business: BusinessHandle = self.sim.business(KEY)
        self.old: Seat = self.business.connect_provider(vendors=OLD_VENDORS)
        slug = f"customer-{uuid.uuid4().hex[:8]}"
        self.erp = InMemoryErp.named({"name": slug})
        self._fill_erp()
        self.connection: Connection = services.create_connection(
            services.NewConnection(
                slug=slug,
                name="Harbor Coffee Roasters",
                time_zone="America/Los_Angeles",
                ramp_client_id=self.business.client_id,
                ramp_client_secret=self.business.client_secret,
                erp_kind="tryton" if tryton else "ledger",
                erp_name="Tryton" if tryton else "Ledger",
                erp_settings=dict(tryton or {"name": slug}),
                object_types=TYPES,
            )
        )
        if spend:
            self.spend()
        self._migration: ConnectionMigration | None = None

    # -- time

    def clock(self) -> datetime:
        """What handlers are told; leases and what is due go by the database's own time."""
        return timezone.now() + self.ahead

    def turn(self, **amount: float) -> None:
        """Let time pass for handlers, as for `timedelta`."""
        self.ahead += timedelta(**amount)

    # -- the migration

    @property
    def migration(self) -> ConnectionMigration:
        """Read anew each time."""
        if self._migration is None:
            self._migration = self.start()
        return ConnectionMigration.objects.select_related("connection").get(pk=self._migration.pk)

    def adopt_migration(self) -> None:
        """The one that somebody has started on a page."""
        self._migration = ConnectionMigration.objects.get(connection=self.connection)

    def start(self, path: Path = Path.MIGRATION) -> ConnectionMigration:
        return migrations.start(self.connection, path=path, actor="ines", now=self.clock())

    def ask(
        self,
        step: Step,
        act: Act,
        *,
        actor: str = "ines",
        settings: Mapping[str, Any] | None = None,
    ) -> StepRun:
        version = gates.standings_of(self.migration)[step].version
        return migrations.ask(
            self.migration,
            step,
            act,
            version=version,
            actor=actor,
            now=timezone.now(),
            settings=settings,
        )

    def do(self, step: Step, act: Act, **asked: Any) -> StepRun:
        """Ask, and be the worker until the run has ended, silences of either side included."""
        return self.finish(self.ask(step, act, **asked))

    def finish(self, run: StepRun) -> StepRun:
        """Be the worker that takes a run over, again and again until it has ended."""
        for _ in range(MOST_TRIES):
            StepRun.objects.filter(pk=run.pk).update(due_at=Now())
            running.do(run.pk, clock=self.clock)
            run.refresh_from_db()
            if run.state not in StepRun.OPEN:
                return run
        raise AssertionError(f"The run does not end: {run.doing}")

    def work(self, step: Step, *, actor: str = "ines") -> Work:
        """What a worker has in hand, without a run: for calling a handler's method directly."""
        return Work(self.migration, step, actor, self.clock)

    def gates(self, step: Step) -> dict[str, Gate]:
        found = gates.gates_of(self.migration, step, now=self.clock())
        return {one.code: one for one in found}

    def light(self, code: str) -> Light:
        """Of one gate; its step is the first part of its code."""
        return self.gates(Step(code.split(".")[0]))[code].light

    def status(self, step: Step) -> Status:
        return gates.standings_of(self.migration)[step].status

    def take_as_done(self, *steps: Step) -> None:
        """For tests of a later step: as if these had been completed."""
        records = StepRecord.objects.filter(migration=self.migration, step__in=steps)
        records.update(status=Status.DONE, done_at=Now(), done_by="ines", status_since=Now())

    # -- Ramp, and what people do in it

    @property
    def scene(self) -> Scene:
        """Everything that the pretend Ramp knows."""
        return self.sim.world

    @property
    def ramp(self) -> RampClient:
        return clients.ramp_client(self.connection, lane=Lane.CHART)

    def sync_old(self, most: int | None = None) -> int:
        """The old integration syncs what is ready, or only so much of it; how many objects."""
        return self.business.sync_directly(most)

    def flip(self, to: str = "", **mapping: Mapping[str, str]) -> Seat:
        """The customer switches providers, to us unless it says otherwise.

        `mapping` is what they choose while switching, see `switching.FieldMapping`; unless it is
        given, the departments come along, by their names.
        """
        chosen = mapping or {"fields": {"qbo-class": "department"}}
        return self.business.switch_provider(to or self.connection.ramp_provider_name, chosen)

    def flip_back(self) -> Seat:
        """The old provider is reconnected."""
        return self.business.switch_back(self.old.id)

    def spend(self) -> None:
        """Everything that Ramp syncs, in all its states, and bills in flight; all of it coded."""
        self._buy()
        self._claim()
        self._owe()
        self.business.create_transfer("1250.00")
        self.business.create_cashback("18.75")
        self.business.create_vendor_credit(
            "25.00", vendor="Uline", account_code="6400", options={direct.CLASS: OPERATIONS}
        )
        self._sync_some()

    def buy(self, amount: str, account_code: str | None = "6200", **details: Any) -> Transaction:
        """A purchase; `ready=True` for the connection that is active."""
        options = {direct.CLASS: ENGINEERING}
        return self.business.create_transaction(
            amount, account_code=account_code, **({"options": options} | details)
        )

    def _buy(self) -> None:
        self.synced = [
            self.buy("42.50", "6400", merchant="Staples", ready=True),
            self.buy("310.00", "6100", merchant="Delta Air Lines", ready=True),
            self.buy("77.10", "61", merchant="Google Ads", ready=True),
            self.buy("640.00", "7100", merchant="United Rentals", ready=True),
        ]
        self.not_ready = [
            self.buy("12.00", None, merchant="Uber", options={}),
            self.buy("99.00", "6200", merchant="Figma"),
        ]

    def _claim(self) -> None:
        self.claims = [
            self.business.create_reimbursement(
                "90.00", account_code="6100", options={direct.CLASS: SALES}, ready=True
            )
        ]

    def _owe(self) -> None:
        def bill(amount: str, number: str, **details: Any) -> Any:
            coding = {"account_code": "6400", "line_options": {direct.CLASS: OPERATIONS}}
            return self.business.create_bill(
                amount, vendor="Uline", invoice_number=number, **(coding | details)
            )

        self.paid_bill = bill("180.00", "U-100")
        self.business.pay_bill(self.paid_bill.id)
        self.open_bill = bill("75.00", "U-101")
        self.pending_bill = bill("410.00", "U-102", approved=False)
        self.mailed_bill = bill("260.00", "U-103")
        self.business.start_check(self.mailed_bill.id)

    def _sync_some(self) -> None:
        """So far the old integration has kept up; then this became ready."""
        self.sync_old()
        self.ready = [
            self.buy("18.40", "6300", merchant="Sweetgreen", ready=True),
            self.buy("129.00", "58", merchant="Figma", ready=True),
        ]
        self.ready_claim = self.business.create_reimbursement(
            "33.20", account_code="6300", options={direct.CLASS: SALES}, ready=True
        )
        self.ready_bill = self.business.create_bill(
            "55.00",
            vendor="Staples",
            invoice_number="S-7",
            account_code="6400",
            line_options={direct.CLASS: OPERATIONS},
        )
        self.ready_transfer = self.business.create_transfer("500.00")

    # -- the ERP

    def _fill_erp(self) -> None:
        """Accounts and departments are those of `demo_books`, where ids are codes."""
        put = self.erp.books.put
        for given, name in NEW_VENDORS:
            put(Master(MasterKind.VENDOR, given, name))
        put(Master(MasterKind.ACCOUNT, "2200", "Tax", code="2200", classification="LIABILITY"))
        rate = {"rate": "0.0825", "account": "2200"}
        put(Master(MasterKind.TAX_CODE, "T825", "Sales tax 8.25%", extra=rate))

    def close(self) -> None:
        self.http.close()
        self.sim.close()


@contextmanager
def migrating(**wishes: Any) -> Iterator[World]:
    """A world whose Ramp and ERP the whole program finds in this process."""
    world = World(**wishes)
    try:
        with (
            patch("connections.clients.shared_http_client", lambda *_: world.http),
            override_settings(WEBHOOK_BASE_URL="https://testserver"),  # Ramp rings by TLS only
            _database_kept(),
        ):
            yield world
    finally:
        world.close()
        forget_named()


@contextmanager
def _database_kept() -> Iterator[None]:
    """A webhook is handled in the test's own transaction, whose connection must outlive it."""
    signals = (request_started, request_finished)
    for signal in signals:
        signal.disconnect(close_old_connections)
    try:
        yield
    finally:
        for signal in signals:
            signal.connect(close_old_connections)
