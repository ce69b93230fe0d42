"""A customer who moves to us from an integration that Ramp itself runs, while people spend on.

Somebody has the wizard's steps done one after the other; each is done by a worker that may be
killed or raced, and is asked for again until it went well. What the old integration books is not
ours to book; what comes after the customer's switch is, once each.
"""

import random
from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any
from unittest.mock import patch

from django.db.models.functions import Now
from django.utils import timezone

from connections.models import AuditLine, Connection
from connections.ramp_simulator.people import NotPossible
from connections.ramp_simulator.records import SyncStatus
from migrations_tool import gates, handlers, services
from migrations_tool.cutover import canaries
from migrations_tool.flip import switching
from migrations_tool.models import ConnectionMigration, StepRecord, StepRun
from migrations_tool.step_handler import Handler
from migrations_tool.steps import Act, Path, Step
from migrations_tool.wizard import Refused, Status, StepNotCurrent, StepNotYours
from syncing.models import Pause, Schedule
from syncing.statements import rows
from tests.simulation.seeded.company import Company
from tests.simulation.seeded.findings import Book
from tests.simulation.seeded.scheduler import Scheduler

PERSON = "implementer"
_DONE: Mapping[Step, tuple[Act, ...]] = {
    Step.CONNECTION: (Act.APPLY, Act.COMPLETE),
    Step.PRELOAD: (Act.APPLY, Act.COMPLETE),
    Step.FLIP: (Act.APPLY, Act.COMPLETE),
    Step.CUTOVER: (Act.APPLY, Act.COMPLETE),
}
"""The steps that change something outside, in order. All others are taken as done before."""
_LOOKS_AGAIN = 30.0
_OPEN_RUNS = """
    SELECT EXISTS (SELECT FROM migrations_tool_steprun r
        JOIN migrations_tool_connectionmigration m ON m.id = r.migration_id
        WHERE m.connection_id = %(id)s AND r.state IN ('waiting', 'running'))
    OR EXISTS (SELECT FROM migrations_tool_steprecord s
        JOIN migrations_tool_connectionmigration m ON m.id = s.migration_id
        WHERE m.connection_id = %(id)s AND s.step = 'cutover' AND s.status <> 'done')
"""


@contextmanager
def wizard() -> Iterator[None]:
    """Steps that only look have no conditions of their own, and Ramp rings without a webhook."""
    mine = {one: handlers.HANDLERS[one] if one in _DONE else Handler() for one in Step}
    with ExitStack() as undo:
        undo.enter_context(patch.object(handlers, "HANDLERS", mine))
        undo.enter_context(patch.object(switching, "_have_a_webhook", lambda _: None))
        yield


@dataclass
class Move:
    """One customer on the way to us."""

    company: Company
    scheduler: Scheduler
    dice: random.Random
    book: Book
    ring: Callable[..., None]
    migration: ConnectionMigration = field(init=False)
    by_others: set[str] = field(default_factory=set)
    """Objects that the old integration has booked."""
    _begun: int = 0
    _done: int = 0

    def begin(self) -> None:
        """The customer is not live yet; somebody starts the wizard."""
        pk, now = self.company.connection.pk, timezone.now()
        seat = self.company.business.connection
        assert seat is not None
        Connection.objects.filter(pk=pk).update(
            stage=Connection.Stage.SETTING_UP, ramp_connection_id=None
        )
        Schedule.objects.filter(pk=pk).delete()
        connection = Connection.objects.get(pk=pk)
        self.migration = services.start(connection, path=Path.MIGRATION, actor=PERSON, now=now)
        ConnectionMigration.objects.filter(pk=self.migration.pk).update(
            old_connection_id=seat.id, old_provider_name=seat.name
        )
        StepRecord.objects.filter(migration=self.migration).exclude(step__in=_DONE).update(
            status=Status.DONE, done_at=Now(), done_by=PERSON
        )
        self._look_after()

    def _look_after(self) -> None:
        """Somebody looks in every now and then, until all is through."""
        if self.company.business.connection is None:
            return
        self._do_in_ramp()
        self.ring(self.go_on, connection_id=str(self.company.connection.pk))
        again = self.scheduler.clock.seconds + self.dice.uniform(0.5, 2) * _LOOKS_AGAIN
        self.scheduler.at(again, self._look_after)

    def _do_in_ramp(self) -> None:
        """The old integration books what is ready, and the customer switches once it is offered."""
        business = self.company.business
        name = self.company.connection.ramp_provider_name
        offered = [one for one in self._ours() if one.is_ready_to_migrate]
        if offered and self.dice.random() < 0.5:
            if self.dice.random() < 0.5:  # it keeps up to the end
                self._sync_directly()
            business.switch_provider(name, {"fields": {"qbo-class": "department"}})
            self.book.acts["switch"] += 1
            for row in business.transactions():
                if row.sync_status is SyncStatus.NOT_SYNC_READY:
                    with suppress(NotPossible):  # its coding did not come along
                        business.mark_ready(row.id)
            for _ in range(2):
                business.create_transaction(minor=777, account_code="6100", memo="x", ready=True)
        elif not self._is_switched() and self.dice.random() < 0.3:
            self._sync_directly()

    def _sync_directly(self) -> None:
        business = self.company.business
        self.book.acts["sync by others"] += business.sync_directly(self.dice.randint(1, 3))
        self.by_others |= {one.id for one in business.transactions("SYNCED")}

    def _is_switched(self) -> bool:
        seat = self.company.business.connection
        return seat is not None and seat.name == self.company.connection.ramp_provider_name

    def _ours(self) -> list[Any]:
        """Connections of our name that Ramp has."""
        known = self.company.business._world.connections.of(self.company.slug)
        name = self.company.connection.ramp_provider_name
        return [one for one in known if one.name == name]

    # -- on the wizard's pages, which workers serve

    def go_on(self, *, connection_id: str) -> None:
        """Ask for the next act of the first step that is not done yet."""
        now = timezone.now()
        migration = ConnectionMigration.objects.select_related("connection").get(
            pk=self.migration.pk
        )
        standings = gates.standings_of(migration)
        step = next((one for one in _DONE if standings[one].status is not Status.DONE), None)
        if step is None:
            return
        if step is Step.CUTOVER:
            self._look_at_canaries(migration, now)
        version = gates.standings_of(migration)[step].version
        act = self._next(migration, step)
        self._begun += 1
        try:
            services.ask(migration, step, act, version=version, actor=PERSON, now=now)
        except (StepNotCurrent, StepNotYours, Refused):
            self._begun -= 1
            return
        self._done += 1
        self.book.acts[f"{act} {step}"] += 1

    def _next(self, migration: ConnectionMigration, step: Step) -> Act:
        """Complete what was applied; a canary that did not go is sent again."""
        runs = StepRun.objects.filter(migration=migration, step=step)
        if not runs.filter(act=Act.APPLY, state=StepRun.State.DONE).exists():
            return Act.APPLY
        last = runs.order_by("-due_at").first()  # by the database's clock: those of pages differ
        is_refused = last is not None and last.act == Act.COMPLETE
        return Act.APPLY if is_refused and step is Step.CUTOVER else Act.COMPLETE

    def _look_at_canaries(self, migration: ConnectionMigration, now: datetime) -> None:
        for canary in canaries.of(migration):
            if canary.ticked_at is not None:
                continue
            version = gates.standings_of(migration)[Step.CUTOVER].version
            self._begun += 1
            try:
                canaries.tick(canary, version=version, actor=PERSON, now=now)
            except (Refused, StepNotCurrent, StepNotYours):
                self._begun -= 1
                continue
            self._done += 1
            self.book.acts["canary"] += 1

    # -- what must be true

    def is_quiet(self) -> bool:
        """Whether all steps are done, and none is being run."""
        ((is_busy,),) = rows(_OPEN_RUNS, {"id": self.company.connection.pk})
        return not is_busy

    def check(self) -> None:
        """We have the seat, once; nothing is held back, and what others booked is not booked."""
        company = self.company
        ours = self._ours()
        if len(ours) != 1 or not ours[0].is_active:
            self.book.breaks("move", f"{len(ours)} connections of ours are in Ramp: {ours}")
        if Pause.objects.filter(connection=company.connection, resumed_at=None).exists():
            self.book.breaks("move", "something is held back for ever")
        connection = Connection.objects.get(pk=company.connection.pk)
        if connection.stage != Connection.Stage.LIVE or str(connection.ramp_connection_id) != (
            ours[0].id
        ):
            self.book.breaks("move", f"{connection.stage} on {connection.ramp_connection_id}")
        booked = {entry.doc.ref.ramp_id for entry in company.erp.books.entries}
        for twice in booked & self.by_others:
            self.book.breaks("move", f"{twice} is booked by us, and was by the old integration")
        for run in StepRun.objects.filter(migration=self.migration):
            self.book.ends[f"{run.act} {run.step} {run.state}"] += 1
            if run.state != StepRun.State.DONE and not run.title:
                self.book.breaks("INV12", f"{run} has not gone well, and says not why")
        lines = AuditLine.objects.filter(connection_id=connection.pk, actor=PERSON)
        acts = lines.exclude(act__in=("migrations.start", "migrations.connection")).count()
        if not self._done <= acts <= self._begun:
            self.book.breaks("INV14", f"{acts} lines tell of {self._done} acts of {self._begun}")
