"""A customer that is moved while Ramp is on a port, so that workers may be killed at it."""

import multiprocessing
import os
import signal
from collections import Counter
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from datetime import timedelta

from django.db import connection as database
from django.db import connections as databases
from django.db.models.functions import Now
from pytest_django import Settings

from connections import services as connections
from connections.erp.adapters.in_memory import forget_named
from connections.erp.http import close_clients
from connections.ramp import files, transport
from connections.ramp_simulator.serving import Serving
from migrations_tool import gates, running
from migrations_tool.drain.deciding import decide as decide_bills
from migrations_tool.models import BillInFlight, OldRecord, StepRun
from migrations_tool.old_chart.deciding import Decision, decide
from migrations_tool.plan.services import Agreed, save_plan
from migrations_tool.rehearsal import explaining
from migrations_tool.rehearsal.reporting import newest_report
from migrations_tool.rehearsal.signing import sign
from migrations_tool.rules.confirming import confirm
from migrations_tool.steps import Act, Step
from rampbridge.lib import failpoints
from tests.migrations_tool.world import World

CONTACT, EMAIL = "Cora Winter", "cora@harborcoffee.example"
IN_LEDGER = {
    "qbo-class": "department",
    "4100001": "ENG",
    "4100002": "SAL",
    "4100003": "OPS",
    "62": "6400",
}
"""What the old records are in the ERP in memory for which nothing is suggested."""
PROFILE = {
    "card_liability_account": "2150",
    "bank_account": "1010",
    "reimbursement_account": "2160",
    "cashback_account": "4900",
}


@contextmanager
def served(
    settings: Settings, site: str, *, tryton: Mapping[str, str] | None = None
) -> Iterator[World]:
    """A world whose Ramp is found on a port by every process, and rings at our own site."""
    settings.WEBHOOK_BASE_URL = site
    world = World(is_served=True, tryton=tryton)
    with Serving(world.sim, port=0, traffic_per_minute=0) as serving:
        settings.RAMP_API_URL = serving.address
        yield world
    transport.close_shared()
    files.close_shared()
    close_clients()
    forget_named()


def kill_at(world: World, run: StepRun, where: str) -> None:
    """A worker of its own process takes the run, and is killed at a failpoint."""
    StepRun.objects.filter(pk=run.pk).update(due_at=Now())  # the lease of a dead one has run out
    database.close()  # a connection must not be shared with a child
    worker = multiprocessing.get_context("fork").Process(
        target=_work_until, args=(world, run, where)
    )
    worker.start()
    worker.join(60)
    assert worker.exitcode == -signal.SIGKILL, f"{run.step} passed {where}, and lived"


def _work_until(world: World, run: StepRun, where: str) -> None:
    failpoints.arm(where)
    running.do(run.pk, clock=world.clock)
    databases.close_all()
    os._exit(0)


def killed_again_and_again(world: World, step: Step, *places: str) -> StepRun:
    """An act whose worker dies on taking it, and then at each of these; the last one lives."""
    run = world.ask(step, Act.APPLY)
    for where in ("after_step_run_taken", *places):
        kill_at(world, run, where)
    done = world.finish(run)
    assert (done.state, done.tries) == (StepRun.State.DONE, len(places) + 2), done.title
    return done


def uploads(world: World) -> Counter[str]:
    """What was put into a chart in Ramp, by what it is."""
    return Counter(
        answered.operation
        for answered in world.sim.log
        if answered.operation.startswith("POST /accounting/") and answered.status == 201
    )


class People:
    """What the implementer and the customer decide between the steps, to their end."""

    def __init__(self, world: World) -> None:
        self.world = world

    def plan(self) -> None:
        world = self.world
        version = gates.standings_of(world.migration)[Step.PLAN].version
        agreed = Agreed(
            flip_on=(world.clock() + timedelta(days=40)).date(),
            implementer="ines",
            supporter="sam",
            contact_name=CONTACT,
            contact_email=EMAIL,
            contact_role="admin",
            hypercare_days=7,
        )
        save_plan(world.migration, agreed, version=version, actor="ines", now=world.clock())

    def confirm_rules(self) -> None:
        confirm(self.world.migration, name=CONTACT, email=EMAIL, now=self.world.clock())

    def hold_bills(self) -> None:
        """Those in flight wait for the time after the switch."""
        world = self.world
        flying = BillInFlight.objects.filter(migration=world.migration, gone_at=None)
        ids = list(flying.values_list("pk", flat=True))
        hold = BillInFlight.Decision.HOLD
        decide_bills(world.migration, ids, hold, actor="ines", now=world.clock())

    def drain(self) -> None:
        """The old provider syncs what is ready, and a quarter of an hour later nothing is new."""
        world = self.world
        world.do(Step.DRAIN, Act.CHECK)
        self.hold_bills()
        world.sync_old()
        world.do(Step.DRAIN, Act.CHECK)
        world.turn(minutes=16)

    def map_chart(self, erp_ids: Mapping[str, str] = IN_LEDGER) -> None:
        """Suggestions are taken, `erp_ids` are for what has none; what then has none is parked."""
        world = self.world
        settled = (OldRecord.State.MATCHED, OldRecord.State.MAPPED, OldRecord.State.PARKED)
        rows = OldRecord.objects.filter(migration=world.migration).exclude(state__in=settled)
        for row in rows.order_by("kind"):  # accounts, then fields before their options
            row.refresh_from_db()
            decision = Decision(
                row,
                erp_ids.get(row.old_id, row.erp_id),
                because="Seldom used.",
                shared_because="Both are office cost.",
            )
            decide(world.migration, decision, actor="ines", now=world.clock())

    def name_accounts(self, accounts: Mapping[str, str] = PROFILE) -> None:
        """What Ramp does not code."""
        connections.set_posting_profile(self.world.connection, **accounts)

    def explain(self) -> None:
        world = self.world
        for row in explaining.unexplained(world.migration):
            row.refresh_from_db()
            if not row.explained_as:
                explaining.explain(
                    row, "As agreed.", all_alike=True, actor="ines", now=world.clock()
                )

    def sign_as_implementer(self) -> None:
        self._sign("implementer", "ines", "")

    def sign_as_customer(self) -> None:
        self._sign("customer", CONTACT, EMAIL)

    def _sign(self, role: str, name: str, email: str) -> None:
        report = newest_report(self.world.migration)
        assert report is not None
        sign(
            self.world.migration,
            role=role,
            name=name,
            email=email,
            report_hash=report.digest,
            now=self.world.clock(),
        )
