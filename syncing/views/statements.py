"""Ramp's card statements beside what is synced, line by line."""

import uuid
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import date
from typing import Any

from django.http import Http404, HttpRequest, HttpResponse, StreamingHttpResponse
from django.shortcuts import render
from django.utils import timezone
from django.views.decorators.http import require_GET

from connections.models import Entity
from rampbridge.policy import Permission, allow
from syncing.closing import snapshots
from syncing.models import CardStatement
from syncing.queries import card_statements
from syncing.queries.words import Look, type_label
from syncing.statement_rules import OBJECT_TYPES, Comparison, Explained, Finding, SectionFigures
from syncing.views.close_board import snapshot_file
from syncing.views.customer_acts import open_customer

LINES_SHOWN = 200
FINDINGS: dict[str, Look] = {
    Finding.UNSYNCED: Look("Not synced", "customer", "hourglass", "On it, and not in the ERP."),
    Finding.DIFFERS: Look("Differs", "person", "equal-not", "In the ERP, and the sides disagree."),
    Finding.NOT_LISTED: Look("Not on a statement", "uncertain", "circle-help",
                             "Synced and dated within these days, but not listed."),
    Finding.OTHER_STATEMENT: Look("On another statement", "neutral", "arrow-left-right",
                                  "Synced and dated within these days, listed elsewhere."),
    Finding.UNKNOWN: Look("Not known here", "person", "circle-alert", "It never became ready."),
    Finding.PENDING: Look("Pending", "work", "clock", "It has not cleared yet."),
    Finding.TAKEN_BACK: Look("Taken back", "neutral", "undo-2", "Withdrawn in Ramp."),
    Finding.OUTSIDE: Look("Handled outside", "neutral", "external-link", "Not synced by us."),
    Finding.SYNCED: Look("Synced", "done", "circle-check", "In the ERP."),
}  # fmt: skip
"""What needs a look first."""


@dataclass(frozen=True, slots=True)
class LineRow:
    """A line of a statement, in words."""

    line: Explained
    entity: str

    @property
    def look(self) -> Look:
        return FINDINGS[self.line.finding]

    @property
    def day(self) -> date | None:
        """The day it is booked on, or as the statement says."""
        if self.line.known and self.line.known.day:
            return self.line.known.day
        return self.line.at.date() if self.line.at else None

    @property
    def type_label(self) -> str:
        ours = OBJECT_TYPES.get(self.line.type, "")
        return type_label(ours) if ours else self.line.type or "Unknown"


@require_GET
@allow(Permission.SEE)
def statements(request: HttpRequest, slug: str) -> HttpResponse:
    """All card statements of a customer that Ramp has given us."""
    connection = open_customer(slug)
    rows, is_more = card_statements.page(connection, before=_day(request.GET.get("before", "")))
    context = {
        "section": "customers",
        "tab": "statements",
        "now": timezone.now(),
        "connection": connection,
        "title": "Card statements",
        "rows": rows,
        "next": rows[-1].statement.end_date.isoformat() if is_more else "",
        "is_first": "before" not in request.GET,
    }
    return render(request, "closing/statements.html", context)


@require_GET
@allow(Permission.SEE)
def statement(request: HttpRequest, slug: str, pk: int) -> HttpResponse:
    """One statement, with what makes the difference."""
    connection = open_customer(slug)
    found = _statement(connection.pk, pk)
    comparison = card_statements.compared(found)
    wanted = request.GET.get("finding", "")
    chosen = wanted if wanted in FINDINGS else ""
    known = Entity.objects.filter(connection=connection).values_list("ramp_id", "name")
    names: dict[uuid.UUID | None, str] = dict(known)
    lines = [line for line in comparison.lines if chosen in ("", line.finding)]
    context = {
        "section": "customers",
        "tab": "statements",
        "now": timezone.now(),
        "connection": connection,
        "statement": found,
        "comparison": comparison,
        "sections": [_section(one, names) for one in comparison.sections],
        "tabs": _tabs(comparison, chosen),
        "rows": [LineRow(line, names.get(line.entity_id, "")) for line in lines[:LINES_SHOWN]],
        "hidden": max(len(lines) - LINES_SHOWN, 0),
        "findings": FINDINGS,
        "snapshots": list(found.snapshots.order_by("-pk")[:5]),
    }
    return render(request, "closing/statement.html", context)


def _section(one: SectionFigures, names: Mapping[Any, str]) -> dict[str, Any]:
    """Ramp's sums of one entity, each with what makes its difference."""
    figures = [
        {
            "name": figure.name,
            "ramp": figure.ramp,
            "synced": figure.synced,
            "difference": figure.difference,
            "because": [(FINDINGS[name], money) for name, money in figure.explained.items()],
            "left_over": figure.left_over,
        }
        for figure in one.figures
    ]
    entity = names.get(one.section.entity_id, "")
    return {"section": one.section, "entity": entity, "figures": figures}


def _tabs(comparison: Comparison, chosen: str) -> list[dict[str, Any]]:
    tabs = [("", Look("All", "neutral", "list"), len(comparison.lines))]
    tabs += [(name, look, comparison.count(Finding(name))) for name, look in FINDINGS.items()]
    return [
        {"name": name, "look": look, "items": n, "is_current": name == chosen}
        for name, look, n in tabs
        if n or not name or name == chosen
    ]


_COLUMNS = (
    "finding", "why", "type", "ramp id", "merchant", "entity", "day", "amount", "currency",
    "item", "erp number",
)  # fmt: skip


@require_GET
@allow(Permission.SEE)
def statement_csv(request: HttpRequest, slug: str, pk: int) -> StreamingHttpResponse:
    """Every line with what became of it. The file is a snapshot: it carries its name (R-146)."""
    connection = open_customer(slug)
    found = _statement(connection.pk, pk)
    comparison = card_statements.compared(found)
    snapshot = snapshots.take_of_statement(
        found, comparison, actor=request.user.get_username(), now=timezone.now()
    )
    name = f"statement-{slug}-{found.last_day:%Y-%m-%d}"
    return snapshot_file(snapshot, name, _COLUMNS, _lines(comparison))


def _lines(comparison: Comparison) -> Iterator[list[object]]:
    for line in comparison.lines:
        known = line.known
        money = line.money
        yield [
            FINDINGS[line.finding].label, line.why, line.type, str(line.ramp_id),
            known.label if known else "", str(line.entity_id or ""),
            known.day if known else line.at, money.decimal if money else None,
            money.currency if money else "", known.item_id if known else None,
            known.document if known else "",
        ]  # fmt: skip


def _statement(connection_id: Any, pk: int) -> CardStatement:
    found = CardStatement.objects.filter(connection=connection_id, pk=pk).first()
    if found is None:
        raise Http404("no such statement")
    return found


def _day(text: str) -> date | None:
    try:
        return date.fromisoformat(text)
    except ValueError:
        return None
