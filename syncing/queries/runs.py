"""What was done as one, whoever set it off: pulls from Ramp, presses, reports, charts, comparisons.

Each kind is a table of its own with its own page, so the list shows one kind at a time, the newest
first, and is never counted.
"""

import uuid
from collections import defaultdict
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

from django.db.models import Q, QuerySet
from django.urls import reverse

from connections.models import MirrorRun
from rampbridge.lib.money import Money
from syncing.models import AckBatch, Reconciliation, SyncRequest, SyncRun
from syncing.queries import mirroring, presses
from syncing.queries.words import Look, type_label
from syncing.statements import rows

PAGE_SIZE = 25
DONE, RUNNING, PROBLEM = "done", "running", "problem"
OUTCOMES: Mapping[str, Look] = {
    RUNNING: Look("Under way", "work", "loader"),
    DONE: Look("Done", "done", "circle-check"),
    PROBLEM: Look("Problem", "person", "octagon-alert"),
}
KINDS: Mapping[str, str] = {
    "": "From Ramp",
    "presses": "Sync button",
    "reports": "Reports to Ramp",
    "charts": "Chart to Ramp",
    "comparisons": "Comparisons",
}
REPORT_LOOKS: Mapping[str, Look] = {
    AckBatch.State.OPEN: Look("Not confirmed yet", "work", "loader"),
    AckBatch.State.ACCEPTED: Look("Accepted", "done", "circle-check"),
    AckBatch.State.REJECTED: Look("Rejected, read again", "retry", "rotate-ccw"),
}


@dataclass(frozen=True, slots=True)
class Line:
    """One run of any kind, as the list shows it."""

    key: str
    title: str
    customer: str
    slug: str
    time_zone: str
    look: Look
    asked_by: str
    at: datetime
    duration: timedelta | None
    counts: Sequence[str]
    url: str = ""
    problem: str = ""
    calls: int | None = None
    throttled: timedelta | None = None
    sums: Sequence[Money] = ()


@dataclass(frozen=True, slots=True)
class Page:
    """A page of runs of one kind."""

    lines: Sequence[Line]
    next: str
    is_first: bool


@dataclass(frozen=True, slots=True)
class Wanted:
    """What the list is narrowed to. Empty: everything of that kind."""

    kind: str = ""
    connection_id: uuid.UUID | None = None
    trigger: str = ""
    outcome: str = ""


@dataclass(frozen=True, slots=True)
class _Kind:
    """How one kind of run is read."""

    rows: QuerySet[Any]
    at: str
    line: Callable[[Any], Line]
    outcomes: Mapping[str, Q]
    key: Callable[[str], Any] = uuid.UUID
    """Reads its primary key."""
    heavy: Sequence[str] = field(default_factory=tuple)
    """Columns that a list does not need."""


def page(wanted: Wanted, *, after: str, now: datetime) -> Page:
    """A page of the runs of one kind, the newest first. One query, and one for the sums of money.

    :param after: as the page before gave it
    """
    kind = _KINDS.get(wanted.kind, _KINDS[""])
    found = kind.rows.select_related("connection")
    if kind.heavy:
        found = found.defer(*kind.heavy)
    if wanted.connection_id:
        found = found.filter(connection_id=wanted.connection_id)
    if wanted.trigger and kind is _KINDS[""]:
        found = found.filter(trigger=wanted.trigger)
    if wanted.outcome:
        found = found.filter(kind.outcomes[wanted.outcome])
    shown, following, is_first = _keyset(found, kind, after)
    lines = [kind.line(one) for one in shown]
    if kind is _KINDS[""]:
        sums = amounts(shown, now=now)
        lines = [_line_of_pull(one, sums.get(one.pk, ())) for one in shown]
    return Page(lines, following, is_first)


def pull(pk: int) -> SyncRun:
    """One pull.

    :raises SyncRun.DoesNotExist: if there is none
    """
    return SyncRun.objects.select_related("connection", "connection__schedule").get(pk=pk)


def outcome_of(run: SyncRun) -> Look:
    """How a pull went, or goes."""
    if run.finished_at is None:
        return OUTCOMES[RUNNING]
    return OUTCOMES[PROBLEM if run.problem else DONE]


def amounts(pulls: Sequence[SyncRun], *, now: datetime) -> dict[int, list[Money]]:
    """What each pull has brought that is new, by currency. One query, none if nothing was new.

    A connection is pulled by one worker at a time, so what became known in that time is of it.
    """
    brought = [one for one in pulls if one.new]
    if not brought:
        return {}
    found = rows(
        """
        SELECT r.id, i.currency, i.exponent, sum(i.amount_minor)::bigint
        FROM unnest(%s::bigint[], %s::uuid[], %s::text[], %s::timestamptz[], %s::timestamptz[])
            AS r(id, connection_id, trigger, began, ended)
        JOIN syncing_syncitem i ON i.connection_id = r.connection_id
            AND i.ready_at BETWEEN r.began AND r.ended AND i.arrived_by = r.trigger
        GROUP BY r.id, i.currency, i.exponent ORDER BY r.id, i.currency, i.exponent
        """,
        [
            [one.pk for one in brought],
            [one.connection_id for one in brought],
            [one.trigger for one in brought],
            [one.started_at for one in brought],
            [one.finished_at or now for one in brought],
        ],
    )
    sums: dict[int, list[Money]] = defaultdict(list)
    for pk, currency, exponent, minor in found:
        sums[pk].append(Money(minor, currency, exponent))
    return sums


def _keyset(found: QuerySet[Any], kind: _Kind, after: str) -> tuple[list[Any], str, bool]:
    at, place = kind.at, _place(after, kind.key)
    if place:
        moment, pk = place
        found = found.filter(Q(**{f"{at}__lte": moment}), Q(**{f"{at}__lt": moment}) | Q(pk__lt=pk))
    taken = list(found.order_by(f"-{at}", "-pk")[: PAGE_SIZE + 1])
    shown = taken[:PAGE_SIZE]
    more = ""
    if len(taken) > PAGE_SIZE:
        more = f"{getattr(shown[-1], at).isoformat()}~{shown[-1].pk}"
    return shown, more, place is None


def _place(after: str, key: Callable[[str], Any]) -> tuple[datetime, Any] | None:
    """The last row of the page before; None for what is not one."""
    at, _, pk = after.partition("~")
    try:
        moment, row = datetime.fromisoformat(at.replace(" ", "+")), key(pk)
    except ValueError:
        return None
    return (moment, row) if moment.tzinfo else None


def _counted(*counts: tuple[int, str]) -> list[str]:
    return [f"{number:,} {words}" for number, words in counts if number]


def _between(began: datetime, ended: datetime | None) -> timedelta | None:
    return ended - began if ended else None


def _line_of_pull(run: SyncRun, sums: Sequence[Money] = ()) -> Line:
    return Line(
        key=f"run-{run.pk}",
        title=run.get_trigger_display(),
        customer=run.connection.name,
        slug=run.connection.slug,
        time_zone=run.connection.time_zone,
        look=outcome_of(run),
        asked_by=run.actor,
        at=run.started_at,
        duration=_between(run.started_at, run.finished_at),
        counts=_counted(
            (run.seen, "ready"),
            (run.new, "new"),
            (run.changed, "changed"),
            (run.unannounced, "missed by webhooks"),
        ),
        url=reverse("run", args=[run.pk]),
        problem=run.problem.partition("\n")[0],
        calls=run.calls,
        throttled=timedelta(milliseconds=run.throttled_ms) if run.throttled_ms else None,
        sums=sums,
    )


def _line_of_press(asked: SyncRequest) -> Line:
    press = presses.Press(asked, asked.received_at)
    return Line(
        key=f"press-{asked.pk}",
        title=press.type_label,
        customer=asked.connection.name,
        slug=asked.connection.slug,
        time_zone=asked.connection.time_zone,
        look=press.look,
        asked_by="the customer, in Ramp",
        at=asked.received_at,
        duration=_between(asked.received_at, asked.closed_at),
        counts=_counted(
            (asked.requested, "asked for"),
            (asked.succeeded, "done"),
            (asked.failed, "failed"),
            (asked.not_started, "not in time"),
        ),
        url=reverse("press", args=[asked.connection.slug, asked.pk]),
    )


def _line_of_report(batch: AckBatch) -> Line:
    kind = type_label(batch.sync_type.removesuffix("_SYNC").lower())
    told = "done" if batch.outcome == AckBatch.Outcome.SUCCESS else "failed"
    return Line(
        key=f"report-{batch.pk}",
        title=f"{kind}s reported as {told}",
        customer=batch.connection.name,
        slug=batch.connection.slug,
        time_zone=batch.connection.time_zone,
        look=REPORT_LOOKS[batch.state],
        asked_by="a press of the sync button" if batch.sync_request_id else "",
        at=batch.created_at,
        duration=_between(batch.created_at, batch.closed_at),
        counts=_counted((batch.size, "items"), (max(batch.tries - 1, 0), "sent again")),
        url=reverse("report", args=[batch.pk]),
        problem=batch.problem.partition("\n")[0],
        calls=batch.tries,
    )


def _line_of_chart(run: MirrorRun) -> Line:
    shown = mirroring.Run(run)
    return Line(
        key=f"chart-{run.pk}",
        title=str(run.get_trigger_display()),
        customer=run.connection.name,
        slug=run.connection.slug,
        time_zone=run.connection.time_zone,
        look=shown.look,
        asked_by=run.actor,
        at=run.started_at,
        duration=shown.duration,
        counts=_counted(
            (shown.records_read, "read"), (shown.records_sent, "sent"), (run.refused, "refused")
        ),
        url=reverse("mirror_run", args=[run.connection.slug, run.pk]),
        problem=run.title,
    )


def _line_of_comparison(run: Reconciliation) -> Line:
    look = OUTCOMES[PROBLEM if run.problem else DONE if run.finished_at else RUNNING]
    return Line(
        key=f"comparison-{run.pk}",
        title="Ramp, rampbridge and the ERP",
        customer=run.connection.name,
        slug=run.connection.slug,
        time_zone=run.connection.time_zone,
        look=look,
        asked_by="",
        at=run.started_at,
        duration=_between(run.started_at, run.finished_at),
        counts=_counted((run.in_ramp, "in Ramp"), (run.items, "here"), (run.in_erp, "in the ERP")),
        url=reverse("customer", args=[run.connection.slug]),
        problem=run.problem.partition("\n")[0],
    )


_FINISHED = Q(finished_at__isnull=False)
_KINDS: Mapping[str, _Kind] = {
    "": _Kind(
        SyncRun.objects.all(),
        "started_at",
        _line_of_pull,
        {
            RUNNING: ~_FINISHED,
            DONE: _FINISHED & Q(problem=""),
            PROBLEM: ~Q(problem=""),
        },
        key=int,
    ),
    "presses": _Kind(
        SyncRequest.objects.all(),
        "received_at",
        _line_of_press,
        {
            RUNNING: Q(state=SyncRequest.State.OPEN),
            DONE: Q(state=SyncRequest.State.ANSWERED),
            PROBLEM: Q(state__in=[SyncRequest.State.PARTIAL, SyncRequest.State.LATE]),
        },
    ),
    "reports": _Kind(
        AckBatch.objects.all(),
        "created_at",
        _line_of_report,
        {
            RUNNING: Q(state=AckBatch.State.OPEN),
            DONE: Q(state=AckBatch.State.ACCEPTED),
            PROBLEM: ~Q(problem="") | Q(state=AckBatch.State.REJECTED),
        },
        heavy=("body",),
    ),
    "charts": _Kind(
        MirrorRun.objects.all(),
        "started_at",
        _line_of_chart,
        {
            RUNNING: Q(state=MirrorRun.State.RUNNING),
            DONE: Q(state=MirrorRun.State.DONE),
            PROBLEM: Q(state=MirrorRun.State.FAILED),
        },
    ),
    "comparisons": _Kind(
        Reconciliation.objects.all(),
        "started_at",
        _line_of_comparison,
        {
            RUNNING: ~_FINISHED & Q(problem=""),
            DONE: _FINISHED & Q(problem=""),
            PROBLEM: ~Q(problem=""),
        },
        key=int,
    ),
}
