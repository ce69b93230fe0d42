"""Mappings from a CSV file: an answer for every row first, then the good ones as one revision."""

from typing import Any

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_http_methods

from connections.mapping_book import csv_file, importing
from connections.mapping_book import revisions as book
from connections.mapping_book.changes import NotSaved
from connections.mapping_book.csv_file import BadFile
from connections.models import Connection, MappingRevision
from rampbridge.policy import Permission, allow
from syncing import mapping_effects, mapping_services
from syncing.mapping_forms import KeepFileForm, UploadForm
from syncing.queries.words import Look
from syncing.views.customer_acts import open_customer
from syncing.views.mappings import UNPROCESSABLE, after_saving, frame

ROWS_SHOWN = 500

LOOKS = {
    "accepted": Look("Will be saved", "done", "circle-check"),
    "unchanged": Look("Stays as it is", "neutral", "equal"),
    "refused": Look("Refused", "person", "octagon-alert"),
}


@require_http_methods(["GET", "POST"])
@allow(Permission.MAP)
def mapping_import(request: HttpRequest, slug: str) -> HttpResponse:
    """Choose a file, see what it would change, save the good rows. Three visits of one page."""
    connection = open_customer(slug)
    context = frame(request, connection, "mapping_import")
    if request.method != "POST":
        return render(request, "mappings/import.html", {**context, "form": UploadForm()})
    if "text" in request.POST:
        return _keep(request, connection, context)
    form = UploadForm(request.POST, request.FILES)
    if form.is_valid():
        upload = form.cleaned_data["file"]
        try:
            data = upload.read(csv_file.MOST_BYTES + 1)
            rows = csv_file.read(data)
        except BadFile as refusal:
            form.add_error("file", str(refusal))
        else:
            text = csv_file.written(row for _, row in rows)
            initial = {
                "text": text,
                "reason": f"From {upload.name}."[:300],
                "expected": book.newest_number(connection),
            }
            keep = KeepFileForm(initial=initial)
            found = importing.plan(connection, rows)
            context |= _preview(connection, found) | {"keep": keep, "file_name": upload.name}
            return render(request, "mappings/import.html", context)
    return render(request, "mappings/import.html", {**context, "form": form}, status=UNPROCESSABLE)


def _keep(request: HttpRequest, connection: Connection, context: dict[str, Any]) -> HttpResponse:
    keep = KeepFileForm(request.POST)
    try:
        rows = csv_file.read(request.POST["text"].encode())
    except BadFile as refusal:
        form = UploadForm()
        form.errors["file"] = form.error_class([str(refusal)])
        return render(
            request, "mappings/import.html", {**context, "form": form}, status=UNPROCESSABLE
        )
    found = importing.plan(connection, rows)
    if keep.is_valid():
        try:
            saved = mapping_services.save_and_release(
                connection,
                found.changes,
                actor=request.user.get_username(),
                reason=keep.cleaned_data["reason"],
                source=MappingRevision.Source.FILE,
                expected_number=keep.cleaned_data["expected"],
            )
            return after_saving(request, connection, saved)
        except NotSaved as refusal_to_save:
            keep.add_error(None, str(refusal_to_save))
    context |= _preview(connection, found) | {"keep": keep}
    return render(request, "mappings/import.html", context, status=UNPROCESSABLE)


def _preview(connection: Connection, found: importing.Import) -> dict[str, Any]:
    order = ["refused", "accepted", "unchanged"]
    rows = sorted(found.results, key=lambda one: (order.index(one.outcome), one.number))
    return {
        "counts": [(LOOKS[name], found.count(name)) for name in order],
        "results": [(one, LOOKS[one.outcome]) for one in rows[:ROWS_SHOWN]],
        "more": max(len(rows) - ROWS_SHOWN, 0),
        "accepted": found.count("accepted"),
        "effect": mapping_effects.would_release(connection, found.changes),
    }
