"""Somebody at the wizard in a browser, and the worker that does what they ask for."""

import re
from datetime import timedelta
from threading import Thread
from uuid import UUID

from django.db import connection as database
from django.db.models import F
from django.db.models.functions import Now
from django.utils import timezone
from playwright.sync_api import Page, expect

from connections import tasks as chart_tasks
from connections.mirror import schedule as chart_schedule
from migrations_tool import running
from migrations_tool.models import DrainReading, StepRecord, StepRun, WatchedHour
from migrations_tool.steps import Act, Step
from syncing import schedule, tasks
from syncing.models import SyncItem
from tests.browser.conftest import Visitor
from tests.migrations_tool.world import World
from tests.syncing.world import let_time_pass

CUSTOMER = "Harbor Coffee Roasters"
DONE = re.compile(r"^\s*Done\s*$")


class Desk:
    """One person; `work` is what a worker does meanwhile."""

    def __init__(self, visitor: Visitor, world: World) -> None:
        self.visitor = visitor
        self.world = world

    @property
    def page(self) -> Page:
        return self.visitor.page

    def start(self) -> None:
        """From the customer's page into the wizard."""
        self.visitor.go(f"/customers/{self.world.connection.slug}/migrate/")
        self.page.locator("#start").click()
        expect(self.page.locator("#wizard")).to_be_visible()
        self.world.adopt_migration()

    def open(self, step: Step) -> Page:
        return self.visitor.go(f"/migrations/{self.world.migration.pk}/{step}/")

    def press(self, act: Act) -> None:
        """A button of the step; what cannot be taken back asks for the customer's name."""
        self.page.locator(f"#act-{act}").click()
        confirm = self.page.locator("#act-form input[name=name]")
        notice = self.page.locator("#step-notice")
        expect(confirm.or_(notice).first).to_be_visible()
        if confirm.is_visible():
            confirm.fill(CUSTOMER)
            self.page.locator("#act-form button[type=submit]").click()
        expect(notice).to_be_visible()

    def do(self, step: Step, act: Act) -> StepRun:
        """Ask on the page, have it done, and see on the page how it ended."""
        self.open(step)
        self.press(act)
        work()
        run = self.world.migration.runs.filter(step=step, act=act).latest("asked_at")
        assert run.state == StepRun.State.DONE, f"{step}: {run.title} {run.fix}"
        self.page.reload()
        return run

    def complete(self, step: Step) -> None:
        self.do(step, Act.COMPLETE)
        standing = self.page.locator(f"#task-{step} .wizard-status")
        expect(standing).to_have_text(DONE)

    def prepare(self, step: Step) -> None:
        """A step that says first what it would change."""
        for act in (Act.PLAN, Act.APPLY):
            self.do(step, act)
        self.complete(step)


def race(world: World) -> None:
    """Two workers hear the doorbell of one run at once."""
    [run_id] = running.due()
    workers = [Thread(target=_work_on, args=(run_id,)) for _ in range(2)]
    for worker in workers:
        worker.start()
    for worker in workers:
        worker.join()
    run = StepRun.objects.get(pk=run_id)
    assert (run.state, run.tries) == (StepRun.State.DONE, 1), run.title
    assert world.migration.pk == run.migration_id


def _work_on(run_id: UUID) -> None:
    try:
        running.do(run_id, clock=timezone.now)
    finally:
        database.close()


def follow_up() -> None:
    """Everything else that workers do: pull, post and report, and keep the chart up."""
    for _ in range(6):
        let_time_pass(schedule.RING_AGAIN_SECONDS + 1)
        for connection_id in chart_schedule.due():
            chart_tasks.refresh_chart(connection_id=str(connection_id))
        for due in schedule.ring():
            about = {"connection_id": str(due.connection_id)}
            tasks.poll_connection(**about)
            tasks.work_connection(**about)
            tasks.send_acks(**about)


def work() -> None:
    """What workers do who hear the doorbells, until nothing is due."""
    while due := running.due():
        for run_id in due:
            running.do(run_id, clock=timezone.now)


def let_minutes_pass(world: World, minutes: float) -> None:
    """For what is read again after a while."""
    span = timedelta(minutes=minutes)
    DrainReading.objects.filter(migration=world.migration).update(at=F("at") - span)


def let_days_pass(world: World, days: int) -> None:
    """Since the cutover check was done, each hour of them watched."""
    record = StepRecord.objects.filter(migration=world.migration, step=Step.CUTOVER)
    record.update(done_at=Now() - timedelta(days=days))
    this_hour = timezone.now().replace(minute=0, second=0, microsecond=0)
    WatchedHour.objects.bulk_create(
        WatchedHour(migration=world.migration, hour=this_hour - timedelta(hours=back), was_met=True)
        for back in range(1, days * 24 + 2)
    )
    # What was let pass for the worker's sake moved the canaries' posts to before the switch.
    posted = SyncItem.objects.filter(connection=world.connection, posted_at__isnull=False)
    posted.update(posted_at=Now())
