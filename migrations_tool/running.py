"""Do what people asked for about steps, one run at a time, and survive a worker's death.

A run is claimed with a lease. Whoever dies lets the lease run out, and another worker begins the
same run again with its `place`; handlers do only what is still missing.
"""

import logging
import uuid
from collections.abc import Callable
from datetime import datetime, timedelta

from django.db import transaction
from django.db.models import BooleanField, Count, ExpressionWrapper, F, Q
from django.db.models.functions import Now

from connections.erp.errors import ErpError
from connections.mirror import troubles
from connections.mirror.troubles import SeatLost, Trouble
from connections.ramp.errors import RampError
from connections.secrets import NoCredential
from migrations_tool import reviewing
from migrations_tool.gates import gates_of, standings_of
from migrations_tool.handlers import handler_of
from migrations_tool.models import ConnectionMigration, StepRecord, StepRun, Watch
from migrations_tool.steps import Act, Step
from migrations_tool.wizard import Refused, Status, after_check, check_gates, check_order
from migrations_tool.work import LEASE, LeaseLost, NotNow, Work
from rampbridge.lib import failpoints

logger = logging.getLogger(__name__)

MOST_TRIES = 20
"""Of one run. Each is a worker's death or a silence of one of the two sides."""
WAITS = (5, 15, 30, 60, 120, 300)
"""Seconds until the next try after a silence."""
MOST_LONG = 4
"""Acts that may last an hour, of all customers together: half of one worker's threads, so that what
syncs is never without one. Others wait their turn; looks and completions do not count, but for the
backup's, which read the whole archive back and the chart anew."""
_LONG = Q(act=Act.APPLY) | Q(step=Step.BACKUP, act__in=(Act.CHECK, Act.COMPLETE))
UNLESS_IT_SAYS = timedelta(minutes=5)
"""Until something is looked at again by itself."""


def due(limit: int = 50) -> list[uuid.UUID]:
    """Runs that a worker may take: new ones, and those whose worker is gone."""
    runs = StepRun.objects.filter(state__in=StepRun.OPEN, due_at__lte=Now())
    runs = runs.annotate(is_long=ExpressionWrapper(_LONG, BooleanField()))
    found = list(runs.order_by("due_at", "pk").values_list("pk", "is_long")[:limit])
    long = [pk for pk, is_long in found if is_long]
    waits = set(long[_room_for_long() :]) if long else set()
    return [pk for pk, _ in found if pk not in waits]


def _room_for_long() -> int:
    long = StepRun.objects.filter(_LONG, state=StepRun.State.RUNNING, due_at__gt=Now())
    return max(0, MOST_LONG - long.count())


def do(run_id: uuid.UUID, *, clock: Callable[[], datetime]) -> StepRun | None:
    """Do one run to its end. None if another worker has it.

    What either side refuses ends it with words; a silence has it tried again.
    """
    work = _take(run_id, clock)
    if work is None or work.run is None:
        return None
    failpoints.hit("after_step_run_taken")
    try:
        _act(work, Act(work.run.act))
    except LeaseLost:
        return None
    except Refused as refused:
        _end(work, StepRun.State.REFUSED, str(refused))
    except (ErpError, RampError, SeatLost, NoCredential, NotNow) as error:
        _tell(work, _trouble_of(error))
    except Exception as error:  # a mistake of ours: said on the page, and raised for the log
        _end(
            work,
            StepRun.State.FAILED,
            f"It broke off by a mistake of ours ({type(error).__name__}).",
            "What was done until then is kept. Tell an admin; the log has the details.",
        )
        raise
    else:
        _end(work, StepRun.State.DONE, work.run.title, work.run.fix)
    work.run.refresh_from_db()
    return work.run


def watch(watch_id: int, *, clock: Callable[[], datetime]) -> None:
    """Look by itself at what a step watches, and note when to look again."""
    found = Watch.objects.select_related("migration__connection").filter(pk=watch_id).first()
    if found is None:
        return
    step = Step(found.step)
    handler = handler_of(step)
    lease = uuid.uuid4()
    work = Work(found.migration, step, "rampbridge", clock, lease=lease, watch=found)
    Watch.objects.filter(pk=found.pk).update(lease=lease)
    trouble = ""
    try:
        if handler.is_watching(found.migration):
            handler.watch(work)
            look_again(work.migration, step, clock())
    except (ErpError, RampError, SeatLost, NoCredential, NotNow) as error:
        told = _trouble_of(error)
        trouble = f"{told.title} {told.fix}".strip()[:500]
    except Refused as refused:
        trouble = str(refused)[:500]
    except LeaseLost:
        return
    ended = Watch.objects.filter(pk=watch_id, lease=lease)
    every = handler.watch_every or UNLESS_IT_SAYS
    ended.update(last_at=clock(), trouble=trouble, lease=None, due_at=Now() + every)


def watches_due(*, limit: int = 50) -> list[int]:
    """Claim the watches that are due: each is looked at once, by whoever hears the doorbell."""
    _begin_watches()
    with transaction.atomic():
        waiting = Watch.objects.select_for_update(skip_locked=True, of=("self",))
        open_ones = waiting.filter(
            due_at__lte=Now(), migration__state=ConnectionMigration.State.OPEN
        )
        found = list(open_ones.order_by("due_at")[:limit])
        for one in found:
            every = handler_of(Step(one.step)).watch_every or UNLESS_IT_SAYS
            Watch.objects.filter(pk=one.pk).update(due_at=Now() + every)
    return [one.pk for one in found]


def _begin_watches() -> None:
    """Every open migration has a watch for each step that can be watched."""
    watched = [step for step in Step if handler_of(step).watch_every]
    open_ones = ConnectionMigration.objects.filter(state=ConnectionMigration.State.OPEN)
    lacking = open_ones.annotate(watched=Count("watches")).filter(watched__lt=len(watched))
    missing = [
        Watch(migration=migration, step=step, due_at=migration.started_at)
        for migration in lacking
        for step in watched
    ]
    Watch.objects.bulk_create(missing, ignore_conflicts=True)


def _take(run_id: uuid.UUID, clock: Callable[[], datetime]) -> Work | None:
    lease = uuid.uuid4()
    claimed = StepRun.objects.filter(pk=run_id, state__in=StepRun.OPEN, due_at__lte=Now()).update(
        state=StepRun.State.RUNNING,
        lease=lease,
        lease_until=Now() + LEASE,
        due_at=Now() + LEASE,
        tries=F("tries") + 1,
    )
    if not claimed:
        return None
    run = StepRun.objects.select_related("migration__connection").get(pk=run_id)
    work = Work(run.migration, Step(run.step), run.actor, clock, run, lease)
    if run.tries > MOST_TRIES:
        _end(
            work,
            StepRun.State.FAILED,
            f"It was begun {MOST_TRIES} times and never ended.",
            "Tell an admin: the log says where it stops each time.",
        )
        return None
    return work


def _act(work: Work, act: Act) -> None:
    handler = handler_of(work.step)
    if _has_ended_by(work, act):
        work.say(f"{work.migration.get_state_display()}: the migration has ended with it.")
        return
    if work.migration.state != ConnectionMigration.State.OPEN:
        raise Refused("This migration has ended. Nothing more can be run in it.")
    match act:
        case Act.CHECK:
            handler.check(work)
        case Act.PLAN:
            handler.plan(work)
        case Act.APPLY:
            handler.apply(work)
        case Act.UNDO:
            handler.undo(work)
        case Act.COMPLETE:
            _complete(work)
            return
    look_again(work.migration, work.step, work.clock())


def _complete(work: Work) -> None:
    """Check once more, at the click; what is red then refuses (R-98)."""
    handler_of(work.step).check(work)
    work.migration.refresh_from_db()
    now = work.clock()
    reviewing.review(work.migration, now=now)  # what is stale by now holds up what rests on it
    try:
        _note_done(work, now)
    except Refused:
        look_again(work.migration, work.step, now)
        raise
    handler_of(work.step).completed(work)


@transaction.atomic
def _note_done(work: Work, now: datetime) -> None:
    """With the step locked, so that nobody edits it between the look at its gates and the note,
    and with the run held: whoever has lost it notes nothing.
    """
    record = StepRecord.objects.select_for_update().get(migration=work.migration, step=work.step)
    work.hold()
    if record.status == Status.NOT_NEEDED:
        raise Refused("The path has changed meanwhile, and this step is not needed on it.")
    work.migration.refresh_from_db()
    check_order(work.step, standings_of(work.migration))
    check_gates(gates_of(work.migration, work.step, now=now))
    StepRecord.objects.filter(pk=record.pk).update(
        status=Status.DONE,
        status_since=now,
        done_at=now,
        done_by=work.actor,
        stale_because="",
        version=F("version") + 1,
    )
    work.evidence("wizard.completed", "Every gate was green or waived.", is_good=True)


def _has_ended_by(work: Work, act: Act) -> bool:
    """Whether this run has ended the migration, and its worker died before it said so. No other
    can have: a migration does not end while a step is being run.
    """
    states = ConnectionMigration.State
    if act is Act.COMPLETE:
        record = StepRecord.objects.get(migration=work.migration, step=work.step)
        return work.migration.state == states.FINISHED and record.status == Status.DONE
    return act is Act.UNDO and work.migration.state in {states.ABANDONED, states.ROLLED_BACK}


def look_again(migration: ConnectionMigration, step: Step, now: datetime) -> None:
    """Bring the step's record to what its gates say now; what is done stays done or is stale."""
    migration.refresh_from_db()
    record = StepRecord.objects.get(migration=migration, step=step)
    if record.status in {Status.DONE, Status.SKIPPED, Status.NOT_NEEDED}:
        reviewing.review(migration, now=now, only=step)
        return
    gates = gates_of(migration, step, now=now)
    status = after_check(gates, handler_of(step).waits_for(migration))
    if status != record.status:
        # Who has completed it meanwhile, or changed anything else, knows better.
        StepRecord.objects.filter(pk=record.pk, version=record.version).update(
            status=status, status_since=now, version=F("version") + 1
        )


def _trouble_of(error: Exception) -> Trouble:
    match error:
        case ErpError():
            return troubles.of_erp(error)
        case RampError():
            return troubles.of_ramp(error)
        case SeatLost():
            return troubles.seat_lost(error)
        case NotNow():
            return Trouble("us.not_now", str(error), "Nothing to do.", needs_person=False)
        case _:
            return Trouble("no_credentials", str(error), "Enter them again.", needs_person=True)


def _tell(work: Work, trouble: Trouble) -> None:
    """Try again what time mends; end with words what it does not."""
    if trouble.needs_person or work.run is None or work.run.tries >= MOST_TRIES:
        _end(work, StepRun.State.FAILED, trouble.title, trouble.fix)
        return
    wait = trouble.retry_after or timedelta(seconds=WAITS[min(work.run.tries, len(WAITS)) - 1])
    StepRun.objects.filter(pk=work.run.pk, lease=work.lease).update(
        state=StepRun.State.WAITING,
        due_at=Now() + wait,
        doing=f"{trouble.title} It is tried again by itself."[:200],
        place=work.run.place,
        lease=None,
    )


def _end(work: Work, state: StepRun.State, title: str, fix: str = "") -> None:
    run = work.run
    if run is None:
        return
    StepRun.objects.filter(pk=run.pk, lease=work.lease, state=StepRun.State.RUNNING).update(
        state=state, finished_at=Now(), title=title[:1000], fix=fix[:500], doing="", lease=None
    )
    StepRecord.objects.filter(migration=work.migration, step=work.step).update(
        version=F("version") + 1
    )
