"""Who changed which mappings when and why; compared, and taken back."""

from typing import Any

from django.contrib import messages
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.http import require_GET, require_http_methods

from connections.mapping_book import records
from connections.mapping_book import revisions as book
from connections.mapping_book.changes import Conflict, NotSaved
from connections.mapping_book.revisions import Difference
from connections.models import Connection, MappingRevision
from rampbridge.policy import Permission, allow, can
from syncing import mapping_services
from syncing.mapping_forms import WhyForm
from syncing.queries import mappings as queries
from syncing.views.customer_acts import open_customer
from syncing.views.mappings import UNPROCESSABLE, after_saving, frame, number_in

LINES_SHOWN = 500


@require_GET
@allow(Permission.SEE)
def mapping_revisions(request: HttpRequest, slug: str) -> HttpResponse:
    connection = open_customer(slug)
    found = queries.revisions(connection, before=number_in(request.GET.get("before")) or 0)
    context = frame(request, connection, "mapping_revisions") | {
        "revisions": found[: queries.PAGE],
        "older": found[queries.PAGE - 1].number if len(found) > queries.PAGE else None,
        "is_first": not request.GET.get("before"),
    }
    return render(request, "mappings/revisions.html", context)


@require_http_methods(["GET", "POST"])
@allow(Permission.SEE)
def mapping_revision(request: HttpRequest, slug: str, number: int) -> HttpResponse:
    """One revision, or with `against` all that differs from another one; a POST takes it back."""
    connection = open_customer(slug)
    revision = MappingRevision.objects.filter(connection=connection, number=number).first()
    if revision is None:
        raise Http404("no such revision")
    revision.connection = connection
    may_map = can(request.user, Permission.MAP)
    form = WhyForm(request.POST or None)
    conflict: Conflict | None = None
    if request.method == "POST" and not may_map:
        messages.error(request, "Your role does not change mappings.")
        return redirect("mapping_revision", slug=slug, number=number)
    if request.method == "POST" and form.is_valid():
        try:
            saved = mapping_services.revert(
                revision,
                actor=request.user.get_username(),
                reason=form.cleaned_data["reason"],
                only_unchanged="rest" in request.POST,
            )
            return after_saving(request, connection, saved)
        except Conflict as error:
            conflict = error
        except NotSaved as refusal:
            form.add_error(None, str(refusal))
    context = frame(request, connection, "mapping_revisions") | {
        "title": f"Revision {number}",
        "revision": revision,
        "form": form,
        "conflict": conflict,
        "progress": queries.progress(revision),
        **_compared(connection, number, number_in(request.GET.get("against"))),
    }
    status = UNPROCESSABLE if request.method == "POST" else 200
    return render(request, "mappings/revision.html", context, status=status)


def _compared(connection: Connection, number: int, against: int | None) -> dict[str, Any]:
    other = number - 1 if against is None else against
    found = book.diff(connection, other, number)
    return {
        "against": other,
        "is_compared": against is not None,
        "newest": book.newest_number(connection),
        "lines": shown_lines(connection, found[:LINES_SHOWN]),
        "more": max(len(found) - LINES_SHOWN, 0),
    }


def shown_lines(connection: Connection, found: list[Difference]) -> list[dict[str, Any]]:
    """Lines with the names of what they led to before and lead to after."""
    names = queries.names_of(connection)
    wanted = {
        (one.key.kind, one.key.field, erp_id)
        for one in found
        for erp_id in (one.before, one.after)
        if erp_id
    }
    known = records.named(connection, wanted)

    def called(one: Difference, erp_id: str) -> str:
        record = known.get((one.key.kind, one.key.field, erp_id))
        return str(record) if record else erp_id

    return [
        {
            "kind_label": names.kind(one.key.kind, one.key.field),
            "name": names.ramp(one.key.kind, one.key.external_id, one.ramp_name),
            "entity": names.entities.get(one.key.entity, one.key.entity),
            "before": called(one, one.before),
            "after": called(one, one.after),
        }
        for one in found
    ]
