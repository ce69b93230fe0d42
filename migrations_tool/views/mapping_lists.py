"""Many old records at once: accept suggestions, compare the charts, CSV files, earlier versions."""

from collections.abc import Mapping, Sequence

from django.contrib import messages
from django.http import HttpRequest, HttpResponse, HttpResponseBase
from django.shortcuts import get_object_or_404, redirect, render
from django.utils import timezone
from django.views.decorators.http import require_GET, require_http_methods, require_POST

from connections.mapping_book.csv_file import MOST_BYTES, BadFile
from migrations_tool.gates import standings_of
from migrations_tool.models import ConnectionMigration, Evidence, OldRecord
from migrations_tool.old_chart import csv_files, deciding, differing, version
from migrations_tool.old_chart.handler import currency_of
from migrations_tool.steps import BY_STEP, Step
from migrations_tool.views.mapping import UNPROCESSABLE, migration_of
from migrations_tool.wizard import Refused, StepNotCurrent
from rampbridge.lib.csv_stream import csv_response
from rampbridge.policy import Permission, allow, can
from syncing.queries.words import Look

RESULT_LOOKS = {
    csv_files.Outcome.SAVED: Look("Saved", "done", "circle-check"),
    csv_files.Outcome.UNCHANGED: Look("Stays as it is", "neutral", "equal"),
    csv_files.Outcome.REFUSED: Look("Refused", "person", "octagon-alert"),
}
PREVIEW_LOOKS = {
    **RESULT_LOOKS,
    csv_files.Outcome.SAVED: Look("Will be saved", "done", "circle-check"),
}
SHOWN = 500
CONFLICT = 409
_SAID_ONE_BY_ONE = 3


@require_POST
@allow(Permission.MIGRATE)
def migration_mapping_accept(request: HttpRequest, pk: int) -> HttpResponse:
    """Accept the suggestions that are ticked."""
    migration = migration_of(pk)
    ticked = (one.partition(".") for one in request.POST.getlist("record"))
    seen = {int(pk): mark or "none" for pk, _, mark in ticked if pk.isdecimal()}
    try:
        accepted, left = deciding.accept(
            migration,
            seen.keys(),
            seen=seen,
            actor=request.user.get_username(),
            now=timezone.now(),
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
    """Choose a file, see what each row would do, save the good ones. Three visits of one page."""
    migration = migration_of(pk)
    context = _frame(request, migration)
    if request.method != "POST":
        return render(request, "migrations_tool/mapping_upload.html", context)
    upload = request.FILES.get("file")
    is_kept = "text" in request.POST
    try:
        if is_kept:
            data = request.POST["text"].encode()
        else:
            data = upload.read(MOST_BYTES + 1) if upload else b""
        rows = csv_files.read(data)
        if not is_kept:
            return _preview(request, context, migration, rows)
        version = request.POST.get("version", "")
        results = csv_files.take_in(
            migration,
            rows,
            version=int(version) if version.isdecimal() else -1,
            actor=request.user.get_username(),
            now=timezone.now(),
        )
    except StepNotCurrent:
        context["refusal"] = (
            "Somebody has worked on the mapping since you looked at the file. Nothing is saved:"
            " this is what it would do now."
        )
        return _preview(request, context, migration, rows, status=CONFLICT)
    except (BadFile, Refused) as refused:
        context["refusal"] = str(refused)
        return render(request, "migrations_tool/mapping_upload.html", context, status=UNPROCESSABLE)
    if request.POST.get("answer") == "file":
        answers = ((one.line, one.name, one.outcome.value, one.words) for one in results)
        name = f"mapping-{migration.connection.slug}-answers"
        return csv_response(name, ("line", "old_record", "outcome", "words"), answers)
    context |= _shown(results, RESULT_LOOKS)
    return render(request, "migrations_tool/mapping_upload.html", context)


def _preview(
    request: HttpRequest,
    context: dict[str, object],
    migration: ConnectionMigration,
    rows: Sequence[tuple[int, Mapping[str, str]]],
    *,
    status: int = 200,
) -> HttpResponse:
    """What the rows would do. The file travels with the page: nothing is kept of it so far."""
    version = standings_of(migration)[Step.MAPPING].version
    results = csv_files.preview(
        migration, rows, actor=request.user.get_username(), now=timezone.now()
    )
    saved = sum(one.outcome is csv_files.Outcome.SAVED for one in results)
    context |= _shown(results, PREVIEW_LOOKS)
    context |= {"text": csv_files.written(rows), "version": version, "would_save": saved}
    return render(request, "migrations_tool/mapping_upload.html", context, status=status)


def _shown(
    results: Sequence[csv_files.Result], looks: Mapping[csv_files.Outcome, Look]
) -> dict[str, object]:
    """The answers, those first that need somebody."""
    order = list(reversed(csv_files.Outcome))
    shown = sorted(results, key=lambda one: (order.index(one.outcome), one.line))
    return {
        "results": [(one, looks[one.outcome]) for one in shown[:SHOWN]],
        "more": max(len(results) - SHOWN, 0),
        "counts": [
            (look, sum(one.outcome is outcome for one in results))
            for outcome, look in looks.items()
        ],
    }


@require_POST
@allow(Permission.MIGRATE)
def migration_mapping_restore(request: HttpRequest, pk: int, evidence: int) -> HttpResponse:
    """Bring an earlier version of the mapping back."""
    migration = migration_of(pk)
    found = get_object_or_404(Evidence, pk=evidence, migration=migration, code=version.CODE)
    try:
        count = deciding.bring_back(
            migration,
            found,
            seen=request.POST.get("seen", ""),
            actor=request.user.get_username(),
            now=timezone.now(),
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
