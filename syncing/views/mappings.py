"""The mappings workbench: what missing mappings hold up, most money first, and what to do about it.

Saving one frees its items at once; the page then counts how many have gone through.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils import timezone
from django.views.decorators.http import require_GET, require_http_methods, require_POST

from connections.mapping_book import revisions as book
from connections.mapping_book.changes import Change, NotSaved
from connections.models import Connection, MappingRevision
from rampbridge.lib.htmx import HtmxHttpRequest
from rampbridge.policy import Permission, allow, can
from syncing import mapping_effects, mapping_services
from syncing.mapping_backlog import Backlog, backlog
from syncing.mapping_forms import WhyForm
from syncing.mapping_services import Saved
from syncing.queries import mappings as queries
from syncing.queries.mappings import Names, Waiting
from syncing.views.customer_acts import open_customer
from syncing.views.live import live, version_of

UNPROCESSABLE = 422
SHOWN = 50

PAGES = {
    "mappings": "Waiting",
    "mapping_lines": "All mappings",
    "mapping_revisions": "Revisions",
    "mapping_import": "CSV file",
    "mapping_copy": "Copy",
}


@dataclass(frozen=True, slots=True)
class Tab:
    """One page about mappings."""

    name: str
    label: str
    url: str
    is_current: bool


@require_GET
@allow(Permission.SEE)
def mappings(request: HtmxHttpRequest, slug: str) -> HttpResponse:
    connection = open_customer(slug)
    names = queries.names_of(connection)
    stuck = stuck_of(connection, names)
    context = frame(request, connection, "mappings")
    rows = queries.waiting(connection, stuck.held[:SHOWN], names)
    context |= {
        "backlog": stuck,
        "rows": rows,
        "more": len(stuck.held) - len(rows),
        "strong": len(queries.strong(rows)),
        "covered": queries.coverage(connection, stuck, now=context["now"]),
        "newest": book.newest_number(connection),
        "saved": last_saved(connection, request),
    }
    if context["saved"]:
        revision, done = context["saved"]
        address = reverse("mapping_progress", args=[slug, revision.number])
        context["live_url"] = f"{address}?version={version_of(done)}"
    return render(request, "mappings/waiting.html", context)


@require_POST
@allow(Permission.MAP)
def accept_suggestion(request: HttpRequest, slug: str) -> HttpResponse:
    """Save the suggestion of one missing line, as it stood on the page."""
    connection = open_customer(slug)
    found = waiting_line(connection, request.POST)
    wanted = request.POST.get("after")
    suggestions = found.suggestions if found else ()
    best = next((one for one in suggestions if one.candidate.erp_id == wanted), None)
    if found is None or best is None:
        messages.warning(request, "This suggestion no longer holds. Look at what waits now.")
        return redirect("mappings", slug=slug)
    try:
        saved = mapping_services.save_and_release(
            connection,
            named(found.held.changes(best.candidate.erp_id), found.name),
            actor=request.user.get_username(),
            reason=f"Suggested: {best.reason}."[:300],
            source=MappingRevision.Source.SUGGESTION,
            expected_number=number_in(request.POST.get("expected")),
        )
    except NotSaved as refusal:
        messages.error(request, str(refusal))
        return redirect("mappings", slug=slug)
    return after_saving(request, connection, saved)


@require_http_methods(["GET", "POST"])
@allow(Permission.MAP)
def mapping_suggestions(request: HttpRequest, slug: str) -> HttpResponse:
    """What accepting the strong suggestions would change; a POST accepts those that are ticked."""
    connection = open_customer(slug)
    names = queries.names_of(connection)
    rows = queries.strong(queries.waiting(connection, stuck_of(connection, names).held, names))
    ticked = set(request.POST.getlist("line")) if request.method == "POST" else None
    chosen = [row for row in rows if ticked is None or line_token(row) in ticked]
    changes = changes_of(chosen)
    form = WhyForm(request.POST or None, initial={"reason": "Strong suggestions, looked through."})
    refusal = ""
    if request.method == "POST" and form.is_valid():
        if not chosen:
            refusal = "Tick at least one line."
        else:
            try:
                saved = mapping_services.save_and_release(
                    connection,
                    changes,
                    actor=request.user.get_username(),
                    reason=form.cleaned_data["reason"],
                    source=MappingRevision.Source.SUGGESTION,
                    expected_number=form.cleaned_data["expected"],
                )
                return after_saving(request, connection, saved)
            except NotSaved as error:
                refusal = str(error)
    context = frame(request, connection, "mappings")
    context |= {
        "lines": [
            (row, line_token(row), ticked is None or line_token(row) in ticked) for row in rows
        ],
        "effect": mapping_effects.would_release(connection, changes),
        "form": form,
        "refusal": refusal,
        "newest": book.newest_number(connection),
    }
    status = UNPROCESSABLE if request.method == "POST" else 200
    return render(request, "mappings/suggestions.html", context, status=status)


@require_GET
@allow(Permission.SEE)
def mapping_progress(request: HtmxHttpRequest, slug: str, number: int) -> HttpResponse:
    """What has become of what a revision freed; a part that polls itself until all is through."""
    connection = open_customer(slug)
    revision = MappingRevision.objects.filter(connection=connection, number=number).first()
    if revision is None:
        return redirect("mappings", slug=slug)
    done = queries.progress(revision)
    return live(
        request,
        "mappings/progress.html",
        "mappings/_progress.html",
        version=version_of(done),
        context=frame(request, connection, "mapping_revisions") | {"saved": (revision, done)},
    )


def frame(request: HttpRequest, connection: Connection, page: str) -> dict[str, Any]:
    """What every page about mappings shows around its own part."""
    return {
        "section": "customers",
        "tab": "mappings",
        "now": timezone.now(),
        "connection": connection,
        "may_map": can(request.user, Permission.MAP),
        "pages": [
            Tab(name, label, reverse(name, args=[connection.slug]), name == page)
            for name, label in PAGES.items()
        ],
    }


def after_saving(request: HttpRequest, connection: Connection, saved: Saved) -> HttpResponse:
    """Back to what waits, with what came of it."""
    if saved.revision is None:
        messages.success(request, "It was so already; nothing has changed.")
        return redirect("mappings", slug=connection.slug)
    address = reverse("mappings", args=[connection.slug])
    return redirect(f"{address}?saved={saved.revision.number}")


def last_saved(
    connection: Connection, request: HttpRequest
) -> tuple[MappingRevision, queries.Progress] | None:
    """The revision that was saved on the page before, and what has become of its items."""
    number = number_in(request.GET.get("saved"))
    if number is None:
        return None
    revision = MappingRevision.objects.filter(connection=connection, number=number).first()
    return (revision, queries.progress(revision)) if revision else None


def waiting_line(connection: Connection, asked: Any, names: Names | None = None) -> Waiting | None:
    """The missing line that a form or a URL names, with its suggestions."""
    names = names or queries.names_of(connection)
    wanted = (asked.get("kind", ""), asked.get("id", ""), asked.get("field", ""))
    held = [
        one
        for one in stuck_of(connection, names).held
        if (one.place.kind, one.place.external_id, one.place.field_erp_id) == wanted
    ]
    rows = queries.waiting(connection, held, names)
    return rows[0] if rows else None


def stuck_of(connection: Connection, names: Names) -> Backlog:
    """What missing mappings hold up at a customer whose names are known already."""
    return backlog(connection, fields=names.fields, currency=names.currency)


def changes_of(rows: Sequence[Waiting]) -> list[Change]:
    """What accepting the best suggestion of each line saves."""
    return [
        change
        for row in rows
        if row.best
        for change in named(row.held.changes(row.best.candidate.erp_id), row.name)
    ]


def named(changes: Sequence[Change], name: str) -> list[Change]:
    """The first of them, which is the coding itself, under the name that people know it by."""
    own, *others = changes
    renamed = Change(
        own.kind,
        own.ramp_external_id,
        own.after,
        entity_ramp_id=own.entity_ramp_id,
        field_erp_id=own.field_erp_id,
        ramp_name=name[:300],
    )
    return [renamed, *others]


def line_token(row: Waiting) -> str:
    """What a tick box says: the line, and the record that was shown."""
    place = row.held.place
    target = row.best.candidate.erp_id if row.best else ""
    return version_of(place.kind, place.field_erp_id, place.external_id, target)


def number_in(text: str | None) -> int | None:
    """A number in a form or a URL; nonsense is none."""
    return int(text) if text and text.isascii() and text.isdigit() and len(text) < 10 else None
