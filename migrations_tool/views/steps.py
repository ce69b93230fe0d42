"""The page of one step: the task list beside it, its gates, its acts, and what people wrote."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from django.http import Http404, HttpResponse
from django.shortcuts import redirect, render
from django.template.loader import select_template
from django.urls import reverse
from django.utils import timezone
from django.views.decorators.http import require_GET

from migrations_tool import page_memory, proofs, queries, services
from migrations_tool.forms import NoteForm, OwnerForm
from migrations_tool.gates import gates_of
from migrations_tool.handlers import handler_of
from migrations_tool.models import ConnectionMigration, Evidence, Presence, StepRecord, Waiver
from migrations_tool.queries import Seen
from migrations_tool.steps import (
    BY_STEP,
    LAST_WAY_BACK,
    STEPS,
    Definition,
    Step,
    is_behind_point_of_no_return,
)
from migrations_tool.views.looks import (
    LIGHT_LOOKS,
    MIGRATION_LOOKS,
    RUN_LOOKS,
    STATUS_LOOKS,
    WAIVER_LOOKS,
)
from migrations_tool.views.offers import offers, run_words
from migrations_tool.wizard import OVER, Gate, Light, Standing, Status, current_step, missing
from rampbridge.lib.htmx import HtmxHttpRequest, HttpResponseUnchanged
from rampbridge.policy import Permission, allow, can
from syncing.queries.words import Look
from syncing.views.live import is_unchanged, live, version_of

PAGE, PART = "migrations_tool/step.html", "migrations_tool/_step_swap.html"
PANEL = "step-panel"


@dataclass(frozen=True, slots=True)
class Task:
    """One line of the task list."""

    definition: Definition
    record: StepRecord
    standing: Standing
    is_shown: bool
    is_last_before_no_return: bool
    people: Sequence[str]
    """Who else is at it now."""

    @property
    def look(self) -> Look:
        return STATUS_LOOKS[self.standing.status]


@dataclass(frozen=True, slots=True)
class GateLine:
    """One condition, and what was asked for about it."""

    gate: Gate
    waiver: Waiver | None

    @property
    def look(self) -> Look:
        return LIGHT_LOOKS[self.gate.light]

    @property
    def may_be_asked(self) -> bool:
        is_asked = self.waiver is not None and self.waiver.state == Waiver.State.ASKED
        return self.gate.may_be_waived and not self.gate.is_open and not is_asked

    @property
    def is_bare(self) -> bool:
        """Nobody has checked it, which its light says already."""
        return self.gate.words == proofs.NOT_CHECKED


@require_GET
@allow(Permission.SEE)
def migration(request: HtmxHttpRequest, pk: int) -> HttpResponse:
    """The step that is to be done next, or the last one."""
    seen = seen_of(pk, None)
    step = current_step(seen.standings) or Step.HYPERCARE
    return redirect("migration_step", pk, step)


@require_GET
@allow(Permission.SEE)
def migration_step(request: HtmxHttpRequest, pk: int, step: Step) -> HttpResponse:
    """One step. The page polls itself; a request for the panel alone gets it."""
    now = timezone.now()
    seen = seen_of(pk, step)
    others = services.be_present(seen.migration, step, request.user.get_username())
    version = version_of(*seen.pulse, sorted((one.person, one.step) for one in others))
    if is_unchanged(request, PAGE, PART, version=version):
        return HttpResponseUnchanged()
    context = page_of(request, seen, step, others=others, now=now)
    if request.htmx and request.htmx.target == PANEL:
        return render(request, "migrations_tool/_panel.html", context)
    return live(request, PAGE, PART, version=version, context=context)


def answer(
    request: HtmxHttpRequest,
    pk: int,
    step: Step,
    *,
    status: int = 200,
    notice: str = "",
    is_refused: bool = False,
    seen: Seen | None = None,
    **extra: Any,
) -> HttpResponse:
    """The step as it is now, after somebody did something about it: its parts for htmx, which puts
    each into its place; else the page.

    :param notice: what came of it, in a sentence
    :param seen: what was read of the migration, if nobody has done anything since
    :param extra: such as a form that was refused, with its text
    """
    now = timezone.now()
    seen = seen or seen_of(pk, step)
    others = services.be_present(seen.migration, step, request.user.get_username())
    version = version_of(*seen.pulse, sorted((one.person, one.step) for one in others))
    context = page_of(request, seen, step, others=others, now=now)
    tone, icon = ("person", "circle-alert") if is_refused else ("done", "circle-check")
    context |= {
        "notice": {"words": notice, "tone": tone, "icon": icon} if notice else None,
        "announce": notice or context["announce"],
        "live_url": f"{context['step_url']}?version={version}",
        **extra,
    }
    template = PART if request.htmx else PAGE
    return render(request, template, context, status=status)


def page_of(
    request: HtmxHttpRequest,
    seen: Seen,
    step: Step,
    *,
    others: Sequence[Presence],
    now: datetime,
) -> dict[str, Any]:
    """What the page of a step shows."""
    handler = handler_of(step)
    record = seen.records[step]
    waivers = _waivers(seen, step)
    gates = gates_shown(seen, step, now=now)
    run = seen.last_run(step)
    is_open = seen.migration.state == ConnectionMigration.State.OPEN
    may_act = can(request.user, Permission.MIGRATE) and is_open
    tasks = _tasks(seen, step, others)
    at = [one.definition.step for one in tasks].index(step)
    return {
        "section": "migrations",
        "now": now,
        "me": request.user.get_username(),
        "migration": seen.migration,
        "connection": seen.migration.connection,
        "migration_look": MIGRATION_LOOKS[seen.migration.state],
        "step": BY_STEP[step],
        "takes": timedelta(minutes=BY_STEP[step].minutes),
        "step_url": request.path if request.method == "GET" else _step_url(seen, step),
        "record": record,
        "standing": seen.standings[step],
        "look": STATUS_LOOKS[seen.standings[step].status],
        "asked": _asked(seen, step),
        "is_over": seen.standings[step].status in OVER,
        "tasks": tasks,
        "over": sum(one.standing.status in OVER for one in tasks),
        "is_all_over": all(one.standing.status in OVER for one in tasks),
        "previous": tasks[at - 1] if at else None,
        "next": tasks[at + 1] if at + 1 < len(tasks) else None,
        "gates": gates,
        "gate_lines": _gate_lines(gates, waivers),
        "gates_closed": [one for one in gates if not one.is_open],
        "gates_red": sum(one.light is Light.RED for one in gates),
        "missing": [BY_STEP[one] for one in missing(step, seen.standings)],
        "run": run,
        "run_look": RUN_LOOKS[run.state] if run else None,
        "run_words": run_words(step, _act_of(seen, step)) if run else "",
        "other_runs": [
            (BY_STEP[Step(one.step)], one) for one in seen.open_runs if one.step != step
        ],
        "offers": offers(seen, step, gates) if may_act else [],
        "waivers": _waiver_lines(gates, waivers),
        "may_migrate": may_act,
        "may_approve": can(request.user, Permission.APPROVE) and is_open,
        "may_skip": may_act and _may_skip(seen, step, waivers),
        "may_ask": may_act and seen.standings[step].status not in OVER,
        "is_behind": is_behind_point_of_no_return(step),
        **_days(seen.migration, now),
        "run_percent": run.done_items * 100 // run.all_items if run and run.all_items else None,
        "announce": _announcement(seen, step),
        "others": [(one, BY_STEP[Step(one.step)], one.step == step) for one in others],
        "owner_form": OwnerForm(initial={"owner": record.owner, "version": record.version}),
        "note_form": NoteForm(initial={"note": record.note, "version": record.version}),
        "panel_template": panel_template(step),
        **handler.panel(seen.migration, asked=request.GET.dict(), now=now),
    }


def panel_template(step: Step) -> str:
    """The step's own part of the page; an empty one, as long as it has none."""
    names = [f"migrations_tool/steps/{step}.html", "migrations_tool/steps/_default.html"]
    return str(select_template(names).template.name)


def _asked(seen: Seen, step: Step) -> Evidence | None:
    """What the customer was asked for, as long as the step waits for it."""
    if seen.standings[step].status is not Status.WAITING_FOR_CUSTOMER:
        return None
    asked = seen.migration.evidence.filter(step=step, code="wizard.asked_customer")
    return asked.filter(at__gte=seen.records[step].status_since).order_by("-pk").first()


def _announcement(seen: Seen, step: Step) -> str:
    """What somebody who does not see the page hears when it changes."""
    words = STATUS_LOOKS[seen.standings[step].status].label
    run = seen.last_run(step)
    if run is None or not run.is_open:
        return words
    of = f" of {run.all_items}" if run.all_items else ""
    return f"{words}, {run.done_items}{of}"


def _days(migration: ConnectionMigration, now: datetime) -> dict[str, int | None]:
    """Until the day of the switch, where the customer is."""
    if migration.flip_on is None:
        return {"days_left": None, "days_late": None}
    today = now.astimezone(ZoneInfo(migration.connection.time_zone)).date()
    days = (migration.flip_on - today).days
    return {"days_left": days, "days_late": -days}


def _step_url(seen: Seen, step: Step) -> str:
    return reverse("migration_step", args=[seen.migration.pk, step])


def seen_of(pk: int, step: Step | None) -> Seen:
    """What a page shows of a migration, which remembers from here on what is read of it.

    :raises Http404: if there is none
    """
    try:
        seen = queries.seen(pk, step)
    except ConnectionMigration.DoesNotExist:
        raise Http404("no such migration") from None
    page_memory.begin(seen.migration)
    return seen


def gates_shown(seen: Seen, step: Step, *, now: datetime) -> list[Gate]:
    """The gates of a step with its waivers, read once for a page."""

    def read() -> list[Gate]:
        waivers = _waivers(seen, step)
        return list(gates_of(seen.migration, step, now=now, waivers=waivers))

    return page_memory.once(seen.migration, f"gates of {step}", read)


def _waivers(seen: Seen, step: Step) -> list[Waiver]:
    """What was asked for on a step, the newest first; its evidence is read along with it."""
    return page_memory.once(
        seen.migration, f"waivers of {step}", lambda: proofs.read_ahead(seen.migration, step)
    )


def _act_of(seen: Seen, step: Step) -> Any:
    run = seen.last_run(step)
    return next(act for (one, act), other in seen.runs.items() if one is step and other is run)


def _tasks(seen: Seen, step: Step, others: Sequence[Presence]) -> list[Task]:
    return [
        Task(
            definition=one,
            record=seen.records[one.step],
            standing=seen.standings[one.step],
            is_shown=one.step is step,
            is_last_before_no_return=one.step is LAST_WAY_BACK,
            people=[other.person for other in others if other.step == one.step],
        )
        for one in STEPS
    ]


def _gate_lines(gates: Sequence[Gate], waivers: Sequence[Waiver]) -> list[GateLine]:
    newest = {one.gate: one for one in reversed(waivers) if one.gate}
    return [GateLine(one, newest.get(one.code)) for one in gates]


@dataclass(frozen=True, slots=True)
class WaiverLine:
    """What was asked for, as long as its own condition does not say it."""

    waiver: Waiver
    about: str

    @property
    def look(self) -> Look:
        return WAIVER_LOOKS[self.waiver.state]


def _waiver_lines(gates: Sequence[Gate], waivers: Sequence[Waiver]) -> list[WaiverLine]:
    titles = {one.code: one.title for one in gates}
    waived = {one.code for one in gates if one.light is Light.WAIVED}
    return [
        WaiverLine(one, titles.get(one.gate, one.gate))
        for one in waivers
        if one.state != Waiver.State.GRANTED or one.gate not in waived
    ]


def _may_skip(seen: Seen, step: Step, waivers: Sequence[Waiver]) -> bool:
    is_asked = any(not one.gate and one.state == Waiver.State.ASKED for one in waivers)
    status = seen.standings[step].status
    is_over = status in OVER or status is Status.STALE
    return BY_STEP[step].may_be_skipped and not is_over and not is_asked
