"""One run: customers live, workers work, things break, then they stop breaking and all is quiet."""

import random
from collections.abc import Callable
from contextlib import nullcontext
from dataclasses import dataclass, field
from types import SimpleNamespace
from typing import Any
from unittest.mock import patch
from uuid import UUID

import psycopg
from django.db import IntegrityError
from django.test import override_settings

from connections import tasks as chart_tasks
from connections.erp import registry
from connections.mirror.kinds import Mirrored
from connections.mirror.schedule import LeaseLost
from connections.ramp_simulator import seats, world
from connections.ramp_simulator.app import Simulator
from connections.ramp_simulator.switches import Switches
from connections.ramp_simulator.world import World
from migrations_tool import tasks as move_tasks
from syncing import poll_schedule, tasks
from tests.simulation.seeded import amnesia, charts, company, due, invariants, moves, shape
from tests.simulation.seeded.amnesia import Memory
from tests.simulation.seeded.button import Button
from tests.simulation.seeded.charts import Charts
from tests.simulation.seeded.company import Company
from tests.simulation.seeded.erp import KIND, Line, SimulatedErp
from tests.simulation.seeded.findings import Book
from tests.simulation.seeded.moves import Move
from tests.simulation.seeded.network import URL, RampLine
from tests.simulation.seeded.people import People
from tests.simulation.seeded.processes import NEVER, PEACE, Process
from tests.simulation.seeded.scheduler import Scheduler, Stuck
from tests.simulation.seeded.seams import Seams

LIVENESS = 1800.0
"""Within half an hour of the last fault all is done, or visibly not (INV6)."""
CALM = 900.0
"""So much later what people did to charts when all was well is through, too."""
POLL_SECONDS = 900

_TOO_OFTEN = 3
"""Sweeps in a row that do not ring for a customer who has something to do."""
_NOBODY = SimpleNamespace(
    connections_due=list,
    open_connections=list,
    due=list,
    is_due=lambda: False,
    look_at_database=lambda: False,
)
_NO_ERRANDS: dict[str, Any] = dict.fromkeys(
    ("errands", "upkeep", "reconciliation", "running"), _NOBODY
)
"""What a sweep asks after and what is not simulated: each is a statement or two."""
Bell = tuple[Callable[..., None], dict[str, str]]


@dataclass
class Life:
    """One seed."""

    seed: int
    seams: Seams
    scheduler: Scheduler
    lines: "Lines"
    book: Book = field(default_factory=Book)
    bells: list[Bell] = field(default_factory=list)
    healed_at: float = 0.0
    heals: int = 0
    is_half_read: bool = False
    steps: int = 0
    trace: int = 0
    commits_to_forget: int = 0
    memory: Memory | None = None
    """What a database that forgets goes back to."""
    passed_over: dict[str, int] = field(default_factory=dict)

    def run(self) -> Book:
        """Live through it. What is wrong stands in the book."""
        dice = self.dice = random.Random(self.seed)
        self.seams.dice = self.scheduler.dice = dice
        self.seams.jitter.seed(self.seed)
        self.seams.clock.seconds = 0.0
        self.shape = shape.drawn(dice)
        line = Line(self.scheduler, self.book)
        known: dict[str, SimulatedErp] = {}
        slugs = [f"s{self.seed}-{number}" for number in range(len(self.shape.classes))]
        with (
            patch.dict(registry.ADAPTERS, {KIND: lambda given: known[given["company"]]}),
            patch.object(World, "_keep", lambda world: world._changed.clear()),
            patch.object(world, "TypeAdapter", lambda kind: kind),  # it keeps nothing
            override_settings(
                RAMP_API_URL=URL,
                POLL_INTERVAL_SECONDS=POLL_SECONDS,
                CHART_READ_SECONDS=charts.READ_SECONDS,
                CHART_UPLOAD_SECONDS=charts.UPLOAD_SECONDS,
            ),
            patch.object(Mirrored, "at_once", charts.AT_ONCE),
            patch.object(tasks, "ring", self._ring),
            patch.multiple(chart_tasks, ring=self._ring, linking=_NOBODY),
            patch.object(move_tasks, "ring", self._ring),
            moves.wizard() if self.shape.moves else nullcontext(),
            patch.multiple(tasks, **_NO_ERRANDS),
            nullcontext() if self.shape.amnesia else patch.object(tasks, "suspect", _NOBODY),
            nullcontext() if self.shape.presses else patch.object(tasks, "sync_requests", _NOBODY),
        ):
            sim = Simulator(
                seed=self.seed,
                clock=self.seams.clock.now,
                switches=Switches(rate_limit=False),
                webhook_client=self.lines.client,
            )
            amnesia.trust()
            self.companies = company.found(
                sim,
                line,
                slugs,
                self.shape.classes,
                self.shape.types,
                known,
                moves=self.shape.moves,
            )
            self._slugs = {str(one.connection.pk): one.slug for one in self.companies}
            self.ramp = RampLine(self.scheduler, self.book, sim, self._is_booked)
            self.lines.now = self.ramp
            self.line = line
            try:
                self._live()
            except Stuck as error:
                self.book.breaks("INV6", f"{error} {due.left(self.companies)}")
            finally:
                self.steps, self.trace = self.scheduler.steps, self.scheduler.trace
                self.scheduler.end()
                company.retire(self.companies)
        return self.book

    def _live(self) -> None:
        scheduler, wanted = self.scheduler, self.shape
        scheduler.is_broken = lambda: bool(self.book.broken)
        self.is_quiet = False
        button = self.button = self._button() if wanted.presses else None
        self.charts = None
        if wanted.charts:
            self.charts = Charts(self.companies, self.dice, self.book, self._ring)
            self.charts.begin()
        self.move = None
        if wanted.moves:
            (mover,) = self.companies
            self.move = Move(mover, scheduler, self.dice, self.book, self._ring)
            self.move.begin()
        people = self.people = People(
            self.companies, wanted, self.dice, self.book, later=self._later, button=button
        )
        for _ in range(wanted.objects):
            at = self.dice.choice((0.0, self.dice.uniform(0, wanted.chaos)))
            scheduler.at(at, lambda: self._hear_of(people.act()))
        if self.charts:
            self._have_charts_changed(self.charts)
        for number in range(wanted.workers):
            skew = self.dice.uniform(-wanted.skew, wanted.skew)
            scheduler.begin(f"worker {number}", self._work, skew=skew)
        scheduler.begin("beat", self._beat)
        scheduler.at(wanted.chaos, self._heal)
        scheduler.harm = wanted.harm
        self.line.on_booked = people.hear_of
        scheduler.on_commit = lambda: None
        if wanted.amnesia:
            self.commits_to_forget = self.dice.randint(1, 60)
            scheduler.on_commit = self._count_commit
        self.line.trouble, self.ramp.trouble = wanted.erp_trouble, wanted.ramp_trouble
        # Who has moved is polled anew after the last step, and perhaps once more (see `_heal`).
        in_calm = 2 * CALM if self.move else CALM if self.charts else 0.0
        scheduler.run(lambda: self.is_quiet, latest=wanted.chaos + LIVENESS + in_calm)
        if not self.book.broken:
            has_forgotten = bool(self.book.faults["amnesia"])
            invariants.check(self.ramp.sim, self.companies, self.book, has_forgotten=has_forgotten)
            if button:
                button.check(has_forgotten=has_forgotten)
            if self.charts:
                self.charts.check(is_read_back=True, has_forgotten=has_forgotten)
            if self.move:
                self.move.check()

    def _have_charts_changed(self, charts: Charts) -> None:
        for _ in range(self.shape.charts):
            at = self.dice.uniform(0, self.shape.chaos)
            self.scheduler.at(at, lambda: charts.act(self.dice.choice(self.companies)))

    def _button(self) -> Button:
        for one in self.companies:
            for setting in (seats.TRANSACTION_BUTTON, seats.REIMBURSEMENT_BUTTON):
                one.business.flip_switch(setting, on=True)
        return Button(self.ramp.sim, self.scheduler, self.dice, self.book, self._ring)

    def _later(self, act: Callable[[], Company]) -> None:
        """Have people do something more before all is well."""
        at = self.dice.uniform(self.scheduler.clock.seconds, self.shape.chaos)
        self.scheduler.at(at, lambda: self._hear_of(act()))

    def _count_commit(self) -> None:
        """After one commit the database begins to keep to itself what it is told; later it dies,
        and another takes its place that was told nothing since."""
        self.commits_to_forget -= 1
        if self.commits_to_forget or self.healed_at:
            return
        self.memory = Memory(self.companies, has_charts=self.charts is not None)
        ends = self.scheduler.clock.seconds + self.dice.choice((0.5, 5.0, 40.0))
        if ends < self.shape.chaos:
            self.scheduler.at(ends, self._fail_over)

    def _fail_over(self) -> None:
        """Who is in a transaction dies of it; who waits for others' answers knows nothing."""
        if self.scheduler.any_in_transaction():
            self.scheduler.doom(lambda process: process.is_in_transaction)
            self.scheduler.at(self.scheduler.clock.seconds + 0.001, self._fail_over)
            return
        assert self.memory is not None
        self.memory.return_to()
        self.scheduler.freeze(self.dice.choice((0.0, 0.5)))  # cut off together with the old one
        self.book.faults["amnesia"] += 1
        self.scheduler.wake("beat", self.scheduler.clock.seconds + self.dice.uniform(0, 2))

    def _heal(self) -> None:
        self.scheduler.harm = PEACE
        self.line.trouble = self.ramp.trouble = 0.0
        self.healed_at = self.scheduler.clock.seconds
        self.heals += 1
        self.is_half_read = due.is_half_read(self.companies)
        for one in self.companies:
            self._hear_of(one)
        if self.charts and self.heals == 1:
            self.charts.ask_for_everything(self.seams.clock.now().timestamp())

    def _hear_of(self, one: Company) -> None:
        """A webhook of Ramp's, or none; with the last one Ramp has recovered, too."""
        if self.healed_at or self.dice.random() < 0.7:
            self._ring(_webhook, connection_id=str(one.connection.pk))

    # -- processes

    def _work(self, process: Process) -> None:
        while True:
            if not self.bells:
                self.scheduler.wait(NEVER)
                continue
            doorbell, about = self.bells.pop(self.dice.randrange(len(self.bells)))
            if not self.healed_at and self.dice.random() < self.shape.lost_bells:
                continue
            mover = self.move.company.slug if self.move else ""  # its steps do not name whose
            process.customer = self._slugs.get(about.get("connection_id", ""), mover)
            self._answer(doorbell, about)

    def _beat(self, process: Process) -> None:
        while True:
            self._answer(tasks.sweep, {})
            if self.charts or self.move:
                self._answer(chart_tasks.sweep, {})
            if self.move:
                self._answer(move_tasks.sweep_migrations, {})
            if len(self.companies) > 1:
                self._check_turns()
            if self.button and self.button.waits():
                self.scheduler.wait(self.dice.uniform(3, 30))
                continue
            if self.bells or not self.scheduler.others_are_idle():
                self.scheduler.wait(self.dice.uniform(15, 90))
                continue
            if self._is_quiet():
                if self.is_half_read or (self.heals == 1 and due.is_unheard_of(self.companies)):
                    self._heal()  # a pull from before may have read past the last objects
                    continue
                if self.button and "transaction" in self.shape.types and not self.people.is_calm:
                    self.people.spend_in_calm()
                    continue
                if self.charts and not self.charts.is_calm:
                    has_forgotten = bool(self.book.faults["amnesia"])
                    self.charts.check(is_read_back=False, has_forgotten=has_forgotten)
                    self.charts.drift_in_calm(self.scheduler.clock.now().timestamp())
                    continue
                self.is_quiet = True
            seconds = due.seconds_until_next(self.companies)
            if self.charts:
                seconds = min(seconds, self.charts.seconds_until_next())
            events = self.scheduler.seconds_until_event()
            self.scheduler.wait(min(max(2.0, seconds), max(2.0, events + 0.1)))

    def _is_quiet(self) -> bool:
        if not self.healed_at or not due.is_quiet(self.companies, self.healed_at):
            return False
        if self.move and not self.move.is_quiet():
            return False
        return self.charts is None or self.charts.is_quiet()

    def _check_turns(self) -> None:
        """A part of INV12: whoever has something to do has a turn, whoever else is there."""
        waiting = set(due.passed_over(self.companies))
        self.passed_over = {slug: self.passed_over.get(slug, 0) + 1 for slug in waiting}
        for slug, times in self.passed_over.items():
            if times >= _TOO_OFTEN:
                self.book.breaks("INV12", f"{slug} was passed over by {times} sweeps in a row")

    def _answer(self, doorbell: Callable[..., Any], about: dict[str, str]) -> None:
        try:
            doorbell(**about)
            if self.charts and doorbell is chart_tasks.refresh_chart:
                self.charts.look(about["connection_id"])
        except LeaseLost:
            self.book.ends["refresh taken over"] += 1
        except (IntegrityError, psycopg.IntegrityError) as error:
            # What its rows lean on may be forgotten meanwhile: the next one reads it anew.
            if not self.book.faults["amnesia"] or doorbell is not chart_tasks.refresh_chart:
                self.book.breaks("raises", f"{doorbell.__name__}: {error!r}")
            self.book.ends["refresh cut by amnesia"] += 1
        except Exception as error:  # noqa: BLE001  as Celery would: the next one rings all the same
            self.book.breaks("raises", f"{doorbell.__name__}: {error!r}")

    def _ring(self, doorbell: Callable[..., None], **about: str) -> None:
        self.bells.append((doorbell, about))
        self.scheduler.wake_one()

    def _is_booked(self, slug: str, sync_type: str, ramp_id: str) -> bool:
        return company.is_booked(self.companies, slug, sync_type, ramp_id)


def _webhook(*, connection_id: str) -> None:
    """What receiving one comes to: a wish for a pull."""
    poll_schedule.fetch_soon(UUID(connection_id))


class Lines:
    """The HTTP clients of this process, which outlive runs."""

    def __init__(self) -> None:
        import httpx

        outer = self

        class Through(httpx.BaseTransport):
            def handle_request(self, request: httpx.Request) -> httpx.Response:
                return outer.now.handle_request(request)

        self.now: RampLine
        self.client = httpx.Client(base_url=URL, transport=Through(), trust_env=False)
