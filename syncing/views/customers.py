"""The list of customers: who needs to be looked at first, and what can be done from there."""

from collections.abc import Iterator
from typing import Any

from django.http import HttpResponse, QueryDict, StreamingHttpResponse
from django.utils import timezone
from django.views.decorators.http import require_GET

from connections import audit
from rampbridge.lib.csv_stream import csv_response
from rampbridge.lib.htmx import HtmxHttpRequest, HttpResponseUnchanged
from rampbridge.lib.money import Money
from rampbridge.policy import Permission, allow
from syncing.queries import customer_choices, customer_list
from syncing.queries.customer_list import BY_RISK, SORTS, FleetFilter, ListRow
from syncing.queries.health import HEALTHS
from syncing.queries.words import PARTY_LABELS, Party
from syncing.views.live import is_unchanged, live, version_of

PAGE, PART = "syncing/customers.html", "syncing/_customers.html"
_PARTIES = (Party.US, Party.CUSTOMER, Party.ERP, Party.NOBODY)


@require_GET
@allow(Permission.SEE)
def customers(request: HtmxHttpRequest) -> HttpResponse:
    """A page of the list, live."""
    now = timezone.now()
    chosen, sort = _chosen(request.GET), _sort(request.GET)
    after, viewer = request.GET.get("after", ""), request.user.get_username()
    # Read before the page is: what changes in between is news to the next poll.
    version = version_of(
        customer_list.pulse(chosen, sort, after=after, viewer=viewer, now=now), now.date()
    )
    if is_unchanged(request, PAGE, PART, version=version):
        return HttpResponseUnchanged()
    page = customer_list.page(chosen, sort, after=after, viewer=viewer, now=now)
    totals = customer_list.totals(chosen)
    is_stale = totals.as_of is None or now - totals.as_of > customer_list.STALE_AFTER
    rows = [*page.pinned, *page.rows]
    context = {
        "section": "customers",
        "now": now,
        "page": page,
        "rows": rows,
        "chosen": chosen,
        "sort": sort,
        "sorts": _sort_links(request.GET, sort),
        "found": totals.found,
        "total": totals.customers,
        "hidden": totals.customers - totals.found,
        "as_of": totals.as_of,
        "is_stale": is_stale,
        "healths": HEALTHS,
        "parties": [(one.value, PARTY_LABELS[one]) for one in _PARTIES],
        "choices": customer_choices.choices,
        "nobody": customer_list.NOBODY,
        "here": f"{request.path}{_with(request.GET)}",
        "csv_query": _without(request.GET, "after", "version").urlencode(),
        "next_query": _with(request.GET, after=page.next),
        "first_query": _with(request.GET, after=""),
    }
    return live(request, PAGE, PART, version=version, context=context)


def _chosen(query: QueryDict) -> FleetFilter:
    return FleetFilter(
        text=query.get("q", "").strip()[:200],
        health=_one_of(query, "health", HEALTHS),
        erp=query.get("erp", ""),
        owner=query.get("owner", ""),
        tag=query.get("tag", ""),
        party=_one_of(query, "party", [one.value for one in _PARTIES]),
        has_button=query.get("button") == "yes",
    )


def _one_of(query: QueryDict, name: str, known: Any) -> str:
    value = query.get(name, "")
    return value if value in known else ""


def _sort(query: QueryDict) -> str:
    return _one_of(query, "sort", SORTS) or BY_RISK


def _sort_links(query: QueryDict, current: str) -> list[tuple[str, str, bool]]:
    """Label and address of each order, and whether it is this one."""
    return [
        (one.label, _with(query, sort="" if name == BY_RISK else name, after=""), name == current)
        for name, one in SORTS.items()
    ]


def _without(query: QueryDict, *names: str) -> QueryDict:
    changed = query.copy()
    for name in names:
        changed.pop(name, None)
    return changed


def _with(query: QueryDict, **values: str) -> str:
    """The query of the list with some parameters set; empty ones are left out."""
    changed = _without(query, "version", *values)
    for name, value in values.items():
        if value:
            changed[name] = value
    return f"?{changed.urlencode()}"


_COLUMNS = (
    "customer", "erp", "health", "explanation", "whose move", "oldest unsynced since",
    "under way", "at customer", "at a person", "uncertain", "unsynced", "currency",
    "last in erp", "last in ramp", "last upload to ramp", "differences in chart",
    "credentials end", "owner", "tags", "done in 14 days", "failed in 14 days", "as of",
)  # fmt: skip


@require_GET
@allow(Permission.SEE)
def customers_csv(request: HtmxHttpRequest) -> StreamingHttpResponse:
    """Every line of the list as it is narrowed and ordered; an amount per currency in a row of its
    own. No cell can become a formula. Whoever takes one leaves a line."""
    audit.record(
        request.user.get_username(),
        "customers.csv",
        "Downloaded the customers as a file.",
        subject="customers",
        data={"query": _without(request.GET, "after", "version").urlencode()},
    )
    found = customer_list.every(_chosen(request.GET), _sort(request.GET), now=timezone.now())
    return csv_response("customers", _COLUMNS, _lines(found))


def _lines(found: Iterator[ListRow]) -> Iterator[list[object]]:
    for row in found:
        amounts: list[Money | None] = [*row.unsynced] or [None]
        for amount in amounts:
            cells = _cells(row, amount.decimal if amount else 0)
            cells.insert(_COLUMNS.index("currency"), amount.currency if amount else "")
            yield cells


def _cells(row: ListRow, amount: object) -> list[object]:
    connection, schedule, mirror = row.connection, row.schedule, row.mirror
    times = (
        schedule and schedule.last_posted_at,
        schedule and schedule.last_acked_at,
        mirror and mirror.last_push_at,
    )
    return [
        connection.name, connection.erp_name, row.health.label, row.health.meaning,
        row.party_label, row.oldest_at, row.queued, row.waiting, row.needs_person,
        row.uncertain, amount, *times, row.drifting,
        row.standing.expires_at, connection.owner,
        " ".join(connection.tags), row.done_lately, row.failed_lately,
        row.standing.as_of,
    ]  # fmt: skip
