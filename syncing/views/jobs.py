"""Acts on many items: what one would do, the job that does it, and what came of each item."""

import uuid
from collections.abc import Callable

from django.contrib import messages
from django.core.exceptions import PermissionDenied
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseBase
from django.shortcuts import get_object_or_404, redirect, render
from django.utils import timezone
from django.views.decorators.http import require_GET, require_http_methods, require_POST

from connections import audit
from rampbridge.lib.charts import Part, Rect, stacked_bar
from rampbridge.lib.csv_stream import csv_response
from rampbridge.lib.htmx import HtmxHttpRequest
from rampbridge.lib.keyset import Cursor
from rampbridge.policy import Permission, allow, can, refusal, roles_of
from syncing import selections
from syncing.bulk import jobs as bulk_jobs
from syncing.bulk.acts import KINDS, Act, Kind
from syncing.bulk.preview import preview
from syncing.job_forms import FORMS, ChosenForm, JobForm, new_key
from syncing.models import Job, JobItem
from syncing.queries import jobs as job_queries
from syncing.queries.jobs import JobRow
from syncing.views.chosen import ChosenList, chosen_items
from syncing.views.live import live, version_of

UNPROCESSABLE = 422
TABS = {
    "not-done": JobItem.Outcome.REFUSED,
    "waiting": JobItem.Outcome.WAITING,
    "done": JobItem.Outcome.DONE,
}


@require_http_methods(["GET", "POST"])
@allow(Permission.HANDLE)
def job_new(request: HttpRequest) -> HttpResponse:
    """See what an act would do to the items that the address names; sent, it becomes a job."""
    now = timezone.now()
    kind = _kind(request)
    me = request.user.get_username()
    chosen, items = chosen_items(request.GET, me=me, now=now)
    data = request.POST if request.method == "POST" else None
    form = FORMS[kind.act](data, now=now, me=me)
    asked = JobForm(data, initial={"key": new_key()})
    problem = ""
    if data is not None and form.is_valid() and asked.is_valid():
        try:
            job = bulk_jobs.start(
                act=kind.act,
                argument=form.argument(),
                items=items,
                at_most=asked.cleaned_data["shown"],
                key=asked.cleaned_data["key"],
                actor=me,
                query=request.GET.urlencode(),
            )
        except bulk_jobs.NotStarted as reason:
            problem = str(reason)
        else:
            if ChosenForm(request.GET).is_ticked:
                selections.clear(me, chosen.query)
            return redirect("job", pk=job.pk)
    context = {
        "section": "items",
        "now": now,
        "kind": kind,
        "form": form,
        "asked": asked,
        "problem": problem,
        "seen": preview(kind.act, items, now=now),
        "about": _about(request, chosen),
        "back": f"?{chosen.query}" if chosen.query else "",
    }
    status = UNPROCESSABLE if data is not None else 200
    return render(request, "jobs/new.html", context, status=status)


def _kind(request: HttpRequest) -> Kind:
    """The act that the address names.

    :raises Http404: if there is no such act
    :raises PermissionDenied: if the person may not do it
    """
    name = request.GET.get("act", "")
    if name not in Act.values or Act(name) not in FORMS:
        raise Http404("no such act")
    kind = KINDS[Act(name)]
    _check(request, kind)
    return kind


def _check(request: HttpRequest, kind: Kind) -> None:
    if not can(request.user, kind.permission):
        raise PermissionDenied(refusal(roles_of(request.user), kind.permission))


def _about(request: HttpRequest, chosen: ChosenList) -> str:
    """Which items, in words."""
    picked = ChosenForm(request.GET)
    if picked.named:
        return "The items you chose"
    if picked.is_ticked:
        return "The items you ticked"
    return "All items that match the list's filters" if chosen.query else "All open items"


@require_GET
@allow(Permission.SEE)
def jobs(request: HtmxHttpRequest) -> HttpResponse:
    """All jobs, the newest first."""
    now = timezone.now()
    me = request.user.get_username()
    is_mine = request.GET.get("whose") == "mine"
    page = job_queries.jobs(
        after=Cursor.parse(request.GET.get("after", ""), key=uuid.UUID), owner=me if is_mine else ""
    )
    found = [JobRow(job, bulk_jobs.words(job)) for job in page.rows]
    version = version_of(
        [(row.job.pk, row.job.state, row.job.done, row.job.failed) for row in found]
    )
    context = {"section": "jobs", "now": now, "page": page, "rows": found, "is_mine": is_mine}
    return live(request, "jobs/jobs.html", "jobs/_jobs.html", version=version, context=context)


@require_GET
@allow(Permission.SEE)
def job(request: HtmxHttpRequest, pk: uuid.UUID) -> HttpResponse:
    """How far a job is, and what came of each item: what was not done first."""
    now = timezone.now()
    found = get_object_or_404(Job, pk=pk)
    row = JobRow(found, bulk_jobs.words(found))
    tab = request.GET.get("show", "")
    if tab not in TABS:
        tab = "not-done" if found.failed else "done" if row.is_over or found.done else "waiting"
    after = request.GET.get("after", "")
    members, next_page = job_queries.members(
        found,
        outcome=TABS[tab],
        after=int(after) if after.isdecimal() and len(after) < 19 else 0,
        now=now,
    )
    standing = job_queries.standing(found)
    version = version_of(
        (found.state, found.done, found.failed, tab),
        [(one.member.pk, one.row.item.state, one.row.item.state_at) for one in members],
        [(word, n) for word, _, n in standing],
    )
    context = {
        "section": "jobs",
        "now": now,
        "row": row,
        "job": found,
        "bar_rects": _bar(row),
        "tabs": _tabs(row, tab),
        "tab": tab,
        "members": members,
        "next_page": next_page,
        "standing": standing,
        **_offers(request, row),
    }
    return live(request, "jobs/job.html", "jobs/_job.html", version=version, context=context)


def _bar(row: JobRow) -> list[Rect]:
    return stacked_bar(
        [
            Part("Done", row.job.done, "done"),
            Part("Not done", row.job.failed, "customer"),
            Part("Not yet", row.waiting, "neutral"),
        ]
    )


def _tabs(row: JobRow, current: str) -> list[tuple[str, str, int, bool]]:
    counts = {"not-done": row.job.failed, "waiting": row.waiting, "done": row.job.done}
    labels = {"not-done": "Not done", "waiting": "Not yet", "done": "Done"}
    return [(name, labels[name], counts[name], name == current) for name in TABS]


def _offers(request: HttpRequest, row: JobRow) -> dict[str, bool]:
    """What the person may do with the job now."""
    kind = KINDS[Act(row.job.act)]
    may = can(request.user, kind.permission)
    return {
        "can_stop": may and not row.is_over,
        "can_repeat": may and row.is_over and bool(row.job.failed),
        "can_undo": may and row.is_over and kind.can_undo and bool(row.job.done),
    }


@require_POST
@allow(Permission.HANDLE)
def stop_job(request: HttpRequest, pk: uuid.UUID) -> HttpResponse:
    """Do no more of it."""
    found = _job_of(request, pk)
    if bulk_jobs.stop(found, actor=request.user.get_username()):
        messages.success(request, "Stopped. What was done stays done.")
    else:
        messages.error(request, "The job was over already.")
    return redirect("job", pk=pk)


@require_POST
@allow(Permission.HANDLE)
def repeat_job(request: HttpRequest, pk: uuid.UUID) -> HttpResponse:
    """Try what was not done again, as a new job."""
    return _follow(request, bulk_jobs.again, pk)


@require_POST
@allow(Permission.HANDLE)
def undo_job(request: HttpRequest, pk: uuid.UUID) -> HttpResponse:
    """Put back what it has changed, as a new job."""
    return _follow(request, bulk_jobs.undo, pk)


def _follow(request: HttpRequest, ask: Callable[..., Job], pk: uuid.UUID) -> HttpResponse:
    try:
        made = ask(_job_of(request, pk), actor=request.user.get_username())
    except bulk_jobs.NotStarted as reason:
        messages.error(request, str(reason))
        return redirect("job", pk=pk)
    return redirect("job", pk=made.pk)


def _job_of(request: HttpRequest, pk: uuid.UUID) -> Job:
    """A job of which the person may do the act."""
    found = get_object_or_404(Job, pk=pk)
    _check(request, KINDS[Act(found.act)])
    return found


@require_GET
@allow(Permission.SEE)
def job_csv(request: HttpRequest, pk: uuid.UUID) -> HttpResponseBase:
    """What came of each item, as a file."""
    found = get_object_or_404(Job, pk=pk)
    audit.record(
        request.user.get_username(),
        "jobs.csv",
        f"Downloaded the results of a job: {bulk_jobs.words(found)}.",
        subject="job",
        subject_id=pk,
    )
    lines = job_queries.result_lines(found.pk, timezone.now())
    return csv_response(f"job-{str(pk)[:8]}", job_queries.RESULT_COLUMNS, lines)
