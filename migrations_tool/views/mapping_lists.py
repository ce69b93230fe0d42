"""Many old records at once: accept suggestions, compare the charts, CSV files, earlier versions."""

from django.contrib import messages
from django.http import HttpRequest, HttpResponse, HttpResponseBase
from django.shortcuts import get_object_or_404, redirect, render
from django.utils import timezone
from django.views.decorators.http import require_GET, require_http_methods, require_POST

from connections.mapping_book.csv_file import MOST_BYTES, BadFile
from migrations_tool.models import ConnectionMigration, Evidence, OldRecord
from migrations_tool.old_chart import csv_files, deciding, differing, version
from migrations_tool.old_chart.handler import currency_of
from migrations_tool.steps import BY_STEP, Step
from migrations_tool.views.mapping import UNPROCESSABLE, migration_of
from migrations_tool.wizard import Refused
from rampbridge.lib.csv_stream import csv_response
from rampbridge.policy import Permission, allow, can
from syncing.queries.words import Look

RESULT_LOOKS = {
    csv_files.Outcome.SAVED: Look("Saved", "done", "circle-check"),
    csv_files.Outcome.UNCHANGED: Look("Stays as it is", "neutral", "equal"),
    csv_files.Outcome.REFUSED: Look("Refused", "person", "octagon-alert"),
}
SHOWN = 500
_SAID_ONE_BY_ONE = 3


@require_POST
@allow(Permission.MIGRATE)
def migration_mapping_accept(request: HttpRequest, pk: int) -> HttpResponse:
    """Accept the suggestions that are ticked."""
    migration = migration_of(pk)
    ids = [int(one) for one in request.POST.getlist("record") if one.isdecimal()]
    try:
        accepted, left = deciding.accept(
            migration, ids, actor=request.user.get_username(), now=timezone.now()
        )
    except Refused as refused:
        messages.error(request, str(refused))
        return redirect("migration_step", pk, Step.MAPPING)
    messages.success(request, f"{accepted} accepted." if accepted != 1 else "One accepted.")
    for words in left[:_SAID_ONE_BY_ONE]:
        messages.warning(request, words)
    if len(left) > _SAID_ONE_BY_ONE:
        more = len(left) - _SAID_ONE_BY_ONE
        messages.warning(request, f"{more} more need a decision of their own.")
    return redirect("migration_step", pk, Step.MAPPING)


@require_GET
@allow(Permission.SEE)
def migration_mapping_diff(request: HttpRequest, pk: int) -> HttpResponse:
    """The two charts side by side."""
    migration = migration_of(pk)
    kind = differing.kind_of(request.GET.get("kind", ""))
    change = differing.change_of(request.GET.get("change", ""))
    after = request.GET.get("after", "")
    context = {
        **_frame(request, migration),
        "kind": kind,
        "change": change,
        "kinds": OldRecord.Kind.choices,
        "changes": differing.CHANGES.items(),
        "compared": differing.compared(migration, kind, change, after=after),
        "is_first": not after,
    }
    return render(request, "migrations_tool/mapping_diff.html", context)


@require_GET
@allow(Permission.SEE)
def migration_mapping_csv(request: HttpRequest, pk: int) -> HttpResponseBase:
    """The open ones as a file, or with `?all=1` all."""
    migration = migration_of(pk)
    currency = currency_of(migration)
    everything = request.GET.get("all") == "1"
    rows = csv_files.exported(
        migration, exponent=currency[1] if currency else 2, everything=everything
    )
    name = f"mapping-{migration.connection.slug}{'' if everything else '-open'}"
    return csv_response(name, csv_files.COLUMNS, rows)


@require_http_methods(["GET", "POST"])
@allow(Permission.MIGRATE)
def migration_mapping_upload(request: HttpRequest, pk: int) -> HttpResponseBase:
    """Take the decisions of a file in, with an answer per row: on the page, or as a file."""
    migration = migration_of(pk)
    context = _frame(request, migration)
    if request.method != "POST":
        return render(request, "migrations_tool/mapping_upload.html", context)
    upload = request.FILES.get("file")
    try:
        rows = csv_files.read(upload.read(MOST_BYTES + 1) if upload else b"")
        results = csv_files.take_in(
            migration, rows, actor=request.user.get_username(), now=timezone.now()
        )
    except (BadFile, Refused) as refused:
        context |= {"refusal": str(refused)}
        return render(request, "migrations_tool/mapping_upload.html", context, status=UNPROCESSABLE)
    if request.POST.get("answer") == "file":
        answers = ((one.line, one.name, one.outcome.value, one.words) for one in results)
        name = f"mapping-{migration.connection.slug}-answers"
        return csv_response(name, ("line", "old_record", "outcome", "words"), answers)
    context |= {
        "results": [(one, RESULT_LOOKS[one.outcome]) for one in results[:SHOWN]],
        "more": max(len(results) - SHOWN, 0),
        "counts": [
            (look, sum(one.outcome is outcome for one in results))
            for outcome, look in RESULT_LOOKS.items()
        ],
    }
    return render(request, "migrations_tool/mapping_upload.html", context)


@require_POST
@allow(Permission.MIGRATE)
def migration_mapping_restore(request: HttpRequest, pk: int, evidence: int) -> HttpResponse:
    """Bring an earlier version of the mapping back."""
    migration = migration_of(pk)
    found = get_object_or_404(Evidence, pk=evidence, migration=migration, code=version.CODE)
    try:
        count = deciding.bring_back(
            migration, found, actor=request.user.get_username(), now=timezone.now()
        )
    except Refused as refused:
        messages.error(request, str(refused))
    else:
        what = "One record has" if count == 1 else f"{count} records have"
        messages.success(request, f"{what} the decision of version {found.checksum[:8]} again.")
    return redirect("migration_step", pk, Step.MAPPING)


def _frame(request: HttpRequest, migration: ConnectionMigration) -> dict[str, object]:
    is_open = migration.state == ConnectionMigration.State.OPEN
    return {
        "section": "migrations",
        "now": timezone.now(),
        "migration": migration,
        "connection": migration.connection,
        "step": BY_STEP[Step.MAPPING],
        "may_migrate": is_open and can(request.user, Permission.MIGRATE),
    }
