"""Everything that people did, and every version of what they configured. Read-only."""

from collections.abc import Iterator
from typing import Any

from django.http import HttpRequest, HttpResponse, StreamingHttpResponse
from django.shortcuts import render
from django.urls import NoReverseMatch, reverse
from django.utils import timezone
from django.views.decorators.http import require_GET

from connections import audit_lines
from connections.audit_lines import AREAS, KEPT, Narrowed
from connections.models import AuditLine
from rampbridge.lib import csv_stream
from rampbridge.lib.htmx import HtmxHttpRequest, page_or_partial
from rampbridge.lib.keyset import Cursor
from rampbridge.policy import Permission, allow
from syncing.views.narrowing import chosen_customer, customers_offered, known

_PAGES = {"item": "item", "incident": "incident", "job": "job", "run": "run", "webhook":
          "webhook_event", "snapshot": "close_snapshot"}  # fmt: skip
"""Where a subject has a page of its own that takes its id."""
COLUMNS = ("at", "who", "act", "customer", "subject", "subject_id", "text")


@require_GET
@allow(Permission.SEE)
def audit(request: HtmxHttpRequest) -> HttpResponse:
    """The acts of people; with `history`, the versions of what is configured."""
    if kept := known(request.GET.get("history", ""), KEPT):
        context = _history(request, kept)
    else:
        context = _acts(request)
    template = page_or_partial(request, "audit/audit.html", "audit/_audit.html")
    return render(request, template, context)


@require_GET
@allow(Permission.SEE)
def audit_csv(request: HttpRequest) -> StreamingHttpResponse:
    """The same acts as a file."""
    found = audit_lines.in_a_file(_narrowed(request), actor=request.user.get_username())
    return csv_stream.csv_response("audit", COLUMNS, _file_rows(found))


def _acts(request: HttpRequest) -> dict[str, Any]:
    narrowed = _narrowed(request)
    page = audit_lines.page(narrowed, after=Cursor.parse(request.GET.get("after", "")))
    return {
        **_frame(request),
        "history": "",
        "narrowed": narrowed,
        "areas": AREAS.items(),
        "page": page,
        "lines": [(line, _address(line)) for line in page.rows],
        "is_narrowed": narrowed != Narrowed(),
    }


def _history(request: HttpRequest, kept: str) -> dict[str, Any]:
    frame = _frame(request)
    connection = frame["connection"]
    page = audit_lines.history(
        kept,
        connection_id=connection.pk if connection else None,
        after=request.GET.get("after", ""),
    )
    customers = audit_lines.customers_of(page.changes)
    return {
        **frame,
        "history": kept,
        "page": page,
        "changes": [
            (one, customers.get(one.connection_id) if one.connection_id else None)
            for one in page.changes
        ],
        "is_narrowed": bool(connection),
    }


def _frame(request: HttpRequest) -> dict[str, Any]:
    return {
        "section": "audit",
        "now": timezone.now(),
        "connection": chosen_customer(request),
        "customers": customers_offered(),
        "tables": KEPT.items(),
    }


def _narrowed(request: HttpRequest) -> Narrowed:
    connection = chosen_customer(request)
    return Narrowed(
        connection_id=connection.pk if connection else None,
        actor=request.GET.get("actor", "").strip()[:150],
        area=known(request.GET.get("area", ""), AREAS),
        subject=request.GET.get("subject", "").strip()[:60],
        subject_id=request.GET.get("subject_id", "").strip()[:100],
    )


def _address(line: AuditLine) -> str:
    """The page of what a line is about; nothing if it has none."""
    name = _PAGES.get(line.subject)
    if not name:
        return ""
    try:
        return reverse(name, args=[line.subject_id])
    except NoReverseMatch:
        return ""


def _file_rows(lines: Iterator[AuditLine]) -> Iterator[list[Any]]:
    for line in lines:
        yield [
            line.at,
            line.actor,
            line.act,
            line.connection.slug if line.connection else "",
            line.subject,
            line.subject_id,
            line.text,
        ]
