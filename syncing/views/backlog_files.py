"""The charts of the managers' page as files: as of when, of what, and the numbers."""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any

from django.http import Http404, HttpRequest, HttpResponseBase
from django.utils import timezone
from django.views.decorators.http import require_GET

from connections import audit
from rampbridge.lib.csv_stream import csv_response
from rampbridge.policy import Permission, allow
from syncing.age_bands import BANDS
from syncing.queries.backlog.team import team
from syncing.queries.backlog.worst import worst
from syncing.queries.words import PARTY_LABELS
from syncing.views.backlog import Reading, read
from syncing.views.backlog_scope import Asked, asked

Lines = Iterator[Sequence[Any]]


@require_GET
@allow(Permission.SEE)
def backlog_csv(request: HttpRequest, chart: str) -> HttpResponseBase:
    """One chart. Whoever takes one leaves a line."""
    make = _FILES.get(chart)
    if make is None:
        raise Http404("no such chart")
    now = timezone.now().replace(microsecond=0)
    chosen = asked(request.GET)
    audit.record(
        request.user.get_username(),
        "backlog.csv",
        "Downloaded a chart of the backlog as a file.",
        connection_id=chosen.scope.connection_id,
        subject="backlog",
        data={"chart": chart, "query": request.GET.urlencode()[:500]},
    )
    columns = ("as_of", now.isoformat(), "filter", chosen.said())
    return csv_response(f"backlog-{chart}-{now:%Y-%m-%d}", *_headed(columns, make(chosen, now)))


def _headed(head: Sequence[str], lines: Iterable[Sequence[Any]]) -> tuple[tuple[str, ...], Lines]:
    """The first line is fixed: what people have named goes below it, made safe."""

    def rows() -> Lines:
        yield head
        yield ()
        yield from lines

    return ("rampbridge backlog",), rows()


def _age(chosen: Asked, now: datetime) -> Lines:
    reading = read(chosen, now=now)
    yield ("at", "measure", *(band.label for band in BANDS))
    minor = f"minor units of {reading.nothing.currency}"
    starts = chosen.period.starts(now)
    for sample, start in zip(reading.sampled[:-1], starts[:-1], strict=True):
        if sample is None:
            yield (start, "not measured")
            continue
        yield (sample.at, "items", *sample.items)
        yield (sample.at, minor, *sample.minor)
    yield (now, "items", *(pile.items for pile in reading.piles))
    yield (now, minor, *(pile.of(reading.nothing.currency) for pile in reading.piles))


def _flow(chosen: Asked, now: datetime) -> Lines:
    came = read(chosen, now=now).came
    yield ("from", "to", "became_ready", "confirmed")
    for start, arrived, done in zip(came.starts, came.arrived, came.done, strict=True):
        yield (start, start + chosen.period.step, arrived, done)


def _moves(chosen: Asked, now: datetime) -> Lines:
    seen = read(chosen, now=now).present
    yield ("whose_move", "items", "amount", "currency")
    for party, pile in seen.parties.items():
        if pile.items:
            yield (PARTY_LABELS[party], pile.items)
        for money in pile.sums:
            yield (PARTY_LABELS[party], "", money.decimal, money.currency)


def _causes(chosen: Asked, now: datetime) -> Lines:
    yield ("error", "category", "items", "our_minutes", "amount", "currency")
    for cause in read(chosen, now=now).causes:
        yield (cause.title, cause.look.label, cause.items, round(cause.minutes))
        for money in cause.sums:
            yield (cause.title, "", "", "", money.decimal, money.currency)


def _headline(chosen: Asked, now: datetime) -> Lines:
    reading: Reading = read(chosen, now=now)
    seen, pace = reading.present, reading.pace
    yield ("figure", "value", "unit")
    yield ("oldest item became ready", seen.oldest_at, "")
    yield ("open", seen.items, "items")
    for money in seen.sums:
        yield ("unsynced", money.decimal, money.currency)
    for took in reading.took:
        for name, length in (("half", took.median), ("95 %", took.p95)):
            yield (f"{name} were confirmed within, since {took.since:%-d %b %H:%M}",
                   _seconds(length), "seconds, about")  # fmt: skip
    yield ("through at the first try", reading.came.first, "items")
    yield ("through at all", sum(reading.came.done), "items")
    yield ("failed", round(pace.failed, 3), f"per minute since {pace.since:%H:%M} UTC")
    yield ("forecast", reading.said.words, "")
    for limit in reading.said.limits:
        yield ("in the way", limit, "")


def _seconds(length: timedelta | None) -> int | None:
    return None if length is None else round(length.total_seconds())


def _worst(chosen: Asked, now: datetime) -> Lines:
    yield ("customer", "day", "95_percent_within_seconds", "became_ready")
    for line in worst(chosen.scope, now=now):
        for cell in line.cells:
            yield (line.name, cell.day, _seconds(cell.p95), cell.arrived)


def _team(chosen: Asked, now: datetime) -> Lines:
    yield ("owner", "open_items", "median_age_seconds", "open_errors", "came_back")
    for load in team(chosen.scope, now=now):
        yield (load.owner, load.items, _seconds(load.median), load.causes, load.came_back)


_FILES: Mapping[str, Callable[[Asked, datetime], Lines]] = {
    "headline": _headline,
    "age": _age,
    "flow": _flow,
    "moves": _moves,
    "errors": _causes,
    "customers": _worst,
    "team": _team,
}
