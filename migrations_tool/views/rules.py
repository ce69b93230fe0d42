"""The list of rules: written by people, read in from a file, confirmed by the customer."""

from collections.abc import Callable, Mapping
from typing import Any

from django.forms import Form
from django.http import HttpResponse, StreamingHttpResponse
from django.shortcuts import get_object_or_404
from django.utils import timezone
from django.views.decorators.http import require_GET, require_POST

from migrations_tool.models import ConnectionMigration, Rule
from migrations_tool.reviewing import review
from migrations_tool.rules import csv_file, record_confirmation, services, tick, untick
from migrations_tool.rules.csv_file import BadFile, Outcome
from migrations_tool.rules.form import ConfirmedForm, RuleForm
from migrations_tool.rules.the_list import listed
from migrations_tool.running import look_again
from migrations_tool.steps import Step
from migrations_tool.views.acts import CONFLICT, UNPROCESSABLE
from migrations_tool.views.steps import answer
from migrations_tool.wizard import Refused, StepNotCurrent
from rampbridge.lib.csv_stream import csv_response
from rampbridge.lib.htmx import HtmxHttpRequest
from rampbridge.policy import Permission, allow
from syncing.error_desk.acts import people
from syncing.queries.words import Look

LOOKS: Mapping[Outcome, Look] = {
    Outcome.REFUSED: Look("Refused", "person", "octagon-alert"),
    Outcome.ADDED: Look("Added", "done", "circle-check"),
    Outcome.CHANGED: Look("Changed", "done", "pencil"),
    Outcome.UNCHANGED: Look("Stays as it is", "neutral", "equal"),
}


@require_POST
@allow(Permission.MIGRATE)
def migration_rules_add(request: HtmxHttpRequest, pk: int) -> HttpResponse:
    """Write down a rule."""
    migration = get_object_or_404(ConnectionMigration, pk=pk)
    form = RuleForm(request.POST)
    if not form.is_valid():
        return _invalid(request, pk, form, "add")
    written, now = form.written, timezone.now()
    return _try(
        request,
        migration,
        lambda: services.add(migration, written, actor=_me(request), now=now),
        f"{written.name} is on the list.",
        form="add",
    )


@require_POST
@allow(Permission.MIGRATE)
def migration_rules_edit(request: HtmxHttpRequest, pk: int, rule: int) -> HttpResponse:
    """Change what is written about a rule."""
    found = _rule(pk, rule)
    form = RuleForm(request.POST)
    if not form.is_valid():
        return _invalid(request, pk, form, str(rule))
    now = timezone.now()
    return _try(
        request,
        found.migration,
        lambda: services.edit(found, form.written, actor=_me(request), now=now),
        f"{form.written.name} is kept.",
        form=str(rule),
    )


@require_POST
@allow(Permission.MIGRATE)
def migration_rules_drop(request: HtmxHttpRequest, pk: int, rule: int) -> HttpResponse:
    """Take a rule off the list, with a reason."""
    found, now = _rule(pk, rule), timezone.now()
    because = request.POST.get("because", "")
    return _try(
        request,
        found.migration,
        lambda: services.drop(found, because=because, actor=_me(request), now=now),
        f"{found.name} will not be made anew.",
        form=str(rule),
    )


@require_POST
@allow(Permission.MIGRATE)
def migration_rules_back(request: HtmxHttpRequest, pk: int, rule: int) -> HttpResponse:
    """Put a dropped rule on the list again."""
    found, now = _rule(pk, rule), timezone.now()
    return _try(
        request,
        found.migration,
        lambda: services.take_back(found, actor=_me(request), now=now),
        f"{found.name} is on the list again.",
    )


@require_POST
@allow(Permission.MIGRATE)
def migration_rules_tick(request: HtmxHttpRequest, pk: int, rule: int) -> HttpResponse:
    """Say that a rule stands in Ramp again, or take that back."""
    found, now = _rule(pk, rule), timezone.now()
    is_off = request.POST.get("off") == "yes"
    words = f"{found.name} is open again." if is_off else f"{found.name} is ticked as made anew."

    def act() -> None:
        if is_off:
            untick(found, _me(request))
        else:
            tick(found, _me(request), now)

    return _try(request, found.migration, act, words)


@require_POST
@allow(Permission.MIGRATE)
def migration_rules_confirmed(request: HtmxHttpRequest, pk: int) -> HttpResponse:
    """Record what the customer has confirmed by e-mail."""
    migration = get_object_or_404(ConnectionMigration, pk=pk)
    form = ConfirmedForm(request.POST)
    if not form.is_valid():
        return _invalid(request, pk, form, "confirmed")
    entered, now = form.cleaned_data, timezone.now()
    return _try(
        request,
        migration,
        lambda: record_confirmation(
            migration,
            name=entered["confirmed_name"],
            email=entered["confirmed_email"],
            rests_on=entered["rests_on"],
            version=entered["version"],
            actor=_me(request),
            now=now,
        ),
        "The confirmation is kept as evidence.",
        form="confirmed",
    )


@require_POST
@allow(Permission.MIGRATE)
def migration_rules_import(request: HtmxHttpRequest, pk: int) -> HttpResponse:
    """Read a file in, and say what became of each row."""
    migration = get_object_or_404(ConnectionMigration, pk=pk)
    upload = request.FILES.get("file")
    if upload is None:
        return _wrong_file(request, pk, "Choose a CSV file.")
    now = timezone.now()
    try:
        rows = csv_file.read(upload.read(csv_file.MOST_BYTES + 1))
        results = csv_file.take_in(migration, rows, people=people(), actor=_me(request), now=now)
    except (BadFile, Refused) as refusal:
        return _wrong_file(request, pk, str(refusal))
    _after(migration)
    order = list(LOOKS)
    results.sort(key=lambda one: (order.index(one.outcome), one.line))
    counts = [(LOOKS[one], sum(row.outcome is one for row in results)) for one in order]
    return answer(
        request,
        pk,
        Step.RULES,
        results=[(one, LOOKS[one.outcome]) for one in results],
        result_counts=[(look, count) for look, count in counts if count],
        file_name=upload.name,
    )


@require_GET
@allow(Permission.SEE)
def migration_rules_csv(_request: HtmxHttpRequest, pk: int) -> StreamingHttpResponse:
    """The list as a file, as it can be read in again."""
    migration = get_object_or_404(ConnectionMigration, pk=pk)
    rows = [(one.get_kind_display(), one.name, one.what, one.owner) for one in listed(migration)]
    return csv_response(f"rules-{migration.connection.slug}", csv_file.COLUMNS, rows)


def _try(
    request: HtmxHttpRequest,
    migration: ConnectionMigration,
    act: Callable[[], object],
    done: str,
    *,
    form: str = "",
) -> HttpResponse:
    """Do it and show the step as it is then. What is refused says why; nothing typed is lost."""
    try:
        act()
    except Refused as refusal:
        return answer(
            request,
            migration.pk,
            Step.RULES,
            status=CONFLICT if isinstance(refusal, StepNotCurrent) else UNPROCESSABLE,
            notice=str(refusal),
            is_refused=True,
            open_form=form,
            values=request.POST.dict(),
        )
    _after(migration)
    return answer(request, migration.pk, Step.RULES, notice=done)


def _after(migration: ConnectionMigration) -> None:
    """A list that was confirmed is stale once it has changed, and its step says so at once."""
    now = timezone.now()
    look_again(migration, Step.RULES, now)
    review(migration, now=now, only=Step.RULES)


def _invalid(request: HtmxHttpRequest, pk: int, form: Form, which: str) -> HttpResponse:
    errors = {name: " ".join(map(str, found)) for name, found in form.errors.items()}
    extra: dict[str, Any] = {"open_form": which, "values": request.POST.dict(), "errors": errors}
    return answer(request, pk, Step.RULES, status=UNPROCESSABLE, **extra)


def _wrong_file(request: HtmxHttpRequest, pk: int, words: str) -> HttpResponse:
    return answer(
        request,
        pk,
        Step.RULES,
        status=UNPROCESSABLE,
        open_form="import",
        errors={"file": words},
    )


def _rule(pk: int, rule: int) -> Rule:
    return get_object_or_404(
        Rule.objects.select_related("migration__connection"), pk=rule, migration=pk
    )


def _me(request: HtmxHttpRequest) -> str:
    return request.user.get_username()
