"""The close board: whose month is not clean yet, the worst first, and the same as a file."""

from collections.abc import Iterable, Iterator, Sequence
from itertools import chain
from typing import Any

from django.http import HttpResponse, QueryDict, StreamingHttpResponse
from django.shortcuts import render
from django.utils import timezone
from django.views.decorators.http import require_GET

from rampbridge.lib.csv_stream import csv_response
from rampbridge.lib.htmx import HtmxHttpRequest, page_or_partial
from rampbridge.policy import Permission, allow
from syncing import close_rules
from syncing.close_forms import BoardFilterForm
from syncing.closing import snapshots
from syncing.models import CloseSnapshot, PeriodStanding
from syncing.queries import close_board as board
from syncing.queries import customer_choices
from syncing.queries.close_board import STATES, UNSYNCED, BoardRow
from syncing.queries.words import Look

PAGE, PART = "closing/board.html", "closing/_board.html"


@require_GET
@allow(Permission.SEE)
def close_board(request: HtmxHttpRequest) -> HttpResponse:
    """One month of all customers. It stands still while somebody reads it."""
    now = timezone.now()
    form = BoardFilterForm(request.GET, today=now.date())
    chosen = form.as_filter()
    page = board.page(chosen, after=request.GET.get("after", ""), now=now)
    context = {
        "section": "close",
        "now": now,
        "chosen": chosen,
        "page": page,
        "rows": page.rows,
        "tabs": _tabs(request.GET, chosen.state, page),
        "total": sum(page.counts.values()),
        "months": close_rules.months(now.date()),
        "next_query": _query(request.GET, after=page.next),
        "first_query": _query(request.GET),
    }
    template = page_or_partial(request, PAGE, PART)
    if template == PAGE:
        context |= {"choices": customer_choices.choices(), "nobody": board.NOBODY}
    return render(request, template, context)


def _tabs(query: QueryDict, current: str, page: board.BoardPage) -> list[dict[str, Any]]:
    every = Look("All", "neutral", "list")
    tabs = [("", every, sum(page.counts.values()))]
    tabs += [(name, look, page.counts.get(name, 0)) for name, look in STATES.items()]
    return [
        {
            "look": look,
            "items": n,
            "query": _query(query, state=name),
            "is_current": name == current,
        }
        for name, look, n in tabs
    ]


def _query(given: QueryDict, **values: str) -> str:
    """The board's address with some parameters set; empty ones are left out."""
    changed = given.copy()
    for name in ("after", *values):
        changed.pop(name, None)
    for name, value in values.items():
        if value:
            changed[name] = value
    return f"?{changed.urlencode()}"


_COLUMNS = (
    "customer", "erp", "owner", "month", "entity", "state", "closes on", "closes at", "standing",
    "items", "amount", "currency", "first bill to be paid", "forecast",
)  # fmt: skip


@require_GET
@allow(Permission.SEE)
def close_csv(request: HtmxHttpRequest) -> StreamingHttpResponse:
    """Every row of the board as it is narrowed, an amount per currency in a line of its own. The
    file is a snapshot: its first line and its name carry it (R-146)."""
    now = timezone.now()
    chosen = BoardFilterForm(request.GET, today=now.date()).as_filter()
    found = board.every(chosen, now=now)
    snapshot = snapshots.take_of_board(chosen, found, actor=request.user.get_username(), now=now)
    return snapshot_file(snapshot, f"close-{chosen.period:%Y-%m}", _COLUMNS, _lines(found))


def snapshot_file(
    snapshot: CloseSnapshot,
    name: str,
    columns: Sequence[str],
    lines: Iterable[Sequence[object]],
) -> StreamingHttpResponse:
    """A table as a file that says in its name and above the table which snapshot it is (R-146)."""
    taken_at = snapshot.taken_at.isoformat()
    head = ["Snapshot", snapshot.name, "as of", taken_at, "SHA-256", snapshot.checksum]
    by: list[object] = ["by", snapshot.taken_by, "items", snapshot.items]
    wide = len(columns)
    return csv_response(
        f"{name}-{snapshot.name}",
        [*head, *[""] * (wide - len(head))],
        chain([[*by, *[""] * (wide - len(by))], columns], lines),
    )


def _lines(found: Iterable[BoardRow]) -> Iterator[list[object]]:
    labels = dict(PeriodStanding.choices)
    for row in found:
        for part in row.parts:
            is_unsynced = part.standing in UNSYNCED
            yield [
                row.name, row.erp_name, row.owner, row.month,
                "" if part.is_of_no_entity else str(part.entity_id), row.look.label, row.close_on,
                row.close_at, str(labels[part.standing]), part.items, part.money.decimal,
                part.money.currency, row.payable_on if is_unsynced else None,
                row.forecast.text if row.forecast else "",
            ]  # fmt: skip
