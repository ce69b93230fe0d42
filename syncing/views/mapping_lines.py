"""All mappings of a customer by kind: searched, page by page, and as a CSV file."""

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.http import require_GET, require_POST

from connections.mapping_book import csv_file, importing
from connections.mapping_book.changes import Change, NotSaved
from connections.mapping_book.csv_file import Row
from connections.mapping_book.targets import PURPOSES
from connections.models import Connection, MappingKind
from rampbridge.lib.htmx import HtmxHttpRequest, page_or_partial
from rampbridge.lib.keyset import Cursor
from rampbridge.policy import Permission, allow
from syncing import mapping_services
from syncing.mapping_backlog import backlog
from syncing.queries import mappings as queries
from syncing.views.customer_acts import open_customer
from syncing.views.mappings import after_saving, frame, number_in


@require_GET
@allow(Permission.SEE)
def mapping_lines(request: HtmxHttpRequest, slug: str) -> HttpResponse:
    connection = open_customer(slug)
    names = queries.names_of(connection)
    kind = request.GET.get("kind", "")
    if kind not in MappingKind.values:
        kind = MappingKind.GL_ACCOUNT
    text = request.GET.get("q", "").strip()[:100]
    after = Cursor.parse(request.GET.get("after", ""))
    rows, page = queries.page_of_lines(connection, kind=kind, text=text, after=after, names=names)
    context = frame(request, connection, "mapping_lines") | {
        "rows": rows,
        "page": page,
        "kind": kind,
        "kinds": MappingKind.choices,
        "text": text,
        "unset": _unset(connection, kind, {row.key.external_id for row in rows}, names),
    }
    template = page_or_partial(request, "mappings/lines.html", "mappings/_lines.html")
    return render(request, template, context)


@require_POST
@allow(Permission.MAP)
def remove_mapping(request: HttpRequest, slug: str) -> HttpResponse:
    """Take one line out of the book."""
    connection = open_customer(slug)
    asked = request.POST
    if asked.get("kind") not in MappingKind.values:
        return redirect("mapping_lines", slug=slug)
    change = Change(
        MappingKind(asked["kind"]),
        asked.get("id", ""),
        "",
        entity_ramp_id=asked.get("entity", ""),
        field_erp_id=asked.get("field", ""),
        ramp_name=asked.get("name", "")[:300],
    )
    try:
        saved = mapping_services.save_and_release(
            connection,
            [change],
            actor=request.user.get_username(),
            reason="Taken out.",
            expected_number=number_in(asked.get("expected")),
        )
    except NotSaved as refusal:
        messages.error(request, str(refusal))
        return redirect("mapping_lines", slug=slug)
    return after_saving(request, connection, saved)


@require_GET
@allow(Permission.SEE)
def download_mappings(request: HttpRequest, slug: str) -> HttpResponse:
    """All lines of the book, or with `what=waiting` those that are missing, to be filled in."""
    connection = open_customer(slug)
    is_waiting = request.GET.get("what") == "waiting"
    rows = _missing(connection) if is_waiting else importing.exported(connection)
    name = f"{connection.slug}-{'missing-' if is_waiting else ''}mappings.csv"
    return HttpResponse(
        csv_file.written(rows),
        content_type="text/csv; charset=utf-8",
        headers={"Content-Disposition": f'attachment; filename="{name}"'},
    )


def _missing(connection: Connection) -> list[Row]:
    """Each missing line with its best suggestion as the record's name, and the id left to enter."""
    names = queries.names_of(connection)
    rows = queries.waiting(connection, backlog(connection).held, names)
    return [
        Row(
            kind=row.held.place.kind,
            field=row.held.place.field_erp_id,
            ramp_id=row.held.place.external_id,
            ramp_name=row.name,
            erp_id=row.best.candidate.erp_id if row.best and row.is_strong else "",
            erp_code=row.best.candidate.code if row.best and row.is_strong else "",
            erp_name=row.best.candidate.name if row.best and row.is_strong else "",
            reason=f"Suggested: {row.best.reason}." if row.best and row.is_strong else "",
        )
        for row in rows
    ]


def _unset(
    connection: Connection, kind: str, have: set[str], names: queries.Names
) -> list[tuple[str, str]]:
    """Of kinds of which everything there is can be listed: what leads nowhere yet."""
    if kind == MappingKind.ENTITY:
        return [(one, name) for one, name in names.entities.items() if one not in have]
    if kind == MappingKind.PROFILE:
        return [(one, names.ramp(kind, one)) for one in PURPOSES if one not in have]
    return []
