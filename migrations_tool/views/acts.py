"""What people do about a step. Each act is one call into the services, and answers with the step as
it is now; what is refused says why in place, and nothing that was typed is lost."""

from collections.abc import Callable
from typing import Any

from django.contrib import messages
from django.http import Http404, HttpResponse
from django.shortcuts import get_object_or_404, redirect
from django.utils import timezone
from django.views.decorators.http import require_http_methods, require_POST

from migrations_tool import queries, services
from migrations_tool.forms import (
    AskCustomerForm,
    ConfirmForm,
    NoteForm,
    OwnerForm,
    ReasonForm,
    VersionForm,
)
from migrations_tool.models import ConnectionMigration, StepRecord, Waiver
from migrations_tool.queries import Seen
from migrations_tool.steps import BY_STEP, Act, Step
from migrations_tool.views.offers import (
    APPLY_WORDS,
    TOUCHES,
    UNDO_WORDS,
    is_destructive,
    why_not_yet,
)
from migrations_tool.views.steps import answer, gates_shown, seen_of
from migrations_tool.wizard import Refused, StepNotCurrent, StepNotYours
from rampbridge.lib.htmx import HtmxHttpRequest
from rampbridge.policy import Permission, allow
from syncing.error_desk.acts import people

UNPROCESSABLE = 422
CONFLICT = 409
"""The page is older than the step, or somebody else is at it."""

ASKED = {
    Act.CHECK: "Checking both sides. It goes on without this page.",
    Act.PLAN: "Working out what would change. Nothing is changed.",
    Act.APPLY: "Begun. It goes on without this page, and can be begun again at any time.",
    Act.COMPLETE: "Checking once more; the step is done if every condition is met.",
    Act.UNDO: "Taking it back. It goes on without this page.",
}


@require_http_methods(["GET", "POST"])
@allow(Permission.MIGRATE)
def migration_act(request: HtmxHttpRequest, pk: int, step: Step, act: str) -> HttpResponse:
    """Have a worker act on the step. What takes something back is confirmed by a name first."""
    wanted = _act(step, act)
    seen = seen_of(pk, step)
    found = seen.migration
    if not is_destructive(step, wanted):
        if request.method == "GET":
            return redirect("migration_step", pk, step)
        form: VersionForm = VersionForm(request.POST)
        if not form.is_valid():
            return _refused(request, found, step, StepNotCurrent("Load the page again."))
        return _ask(request, found, step, wanted, form)
    confirm = ConfirmForm(
        request.POST if request.method == "POST" else None,
        customer=found.connection.name,
        initial={"version": seen.records[step].version},
    )
    if confirm.is_valid():
        return _ask(request, found, step, wanted, confirm)
    words = {**APPLY_WORDS} if wanted is Act.APPLY else {**UNDO_WORDS}
    return _form(
        request,
        seen,
        step,
        "confirm",
        confirm,
        act=wanted,
        act_label=words.get(step, "Take back"),
        touches=TOUCHES.get((step, wanted)),
    )


def _ask(
    request: HtmxHttpRequest,
    migration: ConnectionMigration,
    step: Step,
    act: Act,
    form: VersionForm | ConfirmForm,
) -> HttpResponse:
    def ask() -> None:
        if words := why_not_yet(queries.seen(migration.pk), step, act):
            raise Refused(words)
        services.ask(
            migration,
            step,
            act,
            version=form.cleaned_data["version"],
            actor=_me(request),
            now=timezone.now(),
        )

    return _try(request, migration, step, ask, ASKED[act])


@require_POST
@allow(Permission.MIGRATE)
def migration_owner(request: HtmxHttpRequest, pk: int, step: Step) -> HttpResponse:
    """Say who is responsible for the step."""
    found = _migration(pk)
    form = OwnerForm(request.POST)
    if not form.is_valid():
        return answer(request, pk, step, status=UNPROCESSABLE, owner_form=form)
    owner = _me(request) if "take" in request.POST else form.cleaned_data["owner"].strip()
    version = form.cleaned_data["version"]

    def assign() -> None:
        if owner and owner not in people():
            raise Refused(f"Nobody is called {owner} here. Choose a name from the list.")
        services.assign(found, step, owner, version=version, actor=_me(request))

    words = f"{owner} is responsible for this step." if owner else "Nobody is responsible now."
    return _try(request, found, step, assign, words)


@require_POST
@allow(Permission.MIGRATE)
def migration_note(request: HtmxHttpRequest, pk: int, step: Step) -> HttpResponse:
    """Keep the note. If somebody wrote meanwhile, both texts are shown, and nothing is lost."""
    found = _migration(pk)
    form = NoteForm(request.POST)
    if not form.is_valid():
        return answer(request, pk, step, status=UNPROCESSABLE, note_form=form)
    note = form.cleaned_data["note"]
    try:
        services.write_note(
            found, step, note, version=form.cleaned_data["version"], actor=_me(request)
        )
    except StepNotCurrent as refusal:
        record = _record(found, step)
        again = NoteForm({"note": note, "version": record.version})
        again.add_error("note", str(refusal))
        theirs = record.note if record.note != note else ""
        return answer(request, pk, step, status=CONFLICT, note_form=again, note_by_others=theirs)
    return _done(request, found, step, "Your note is kept.")


@require_http_methods(["GET", "POST"])
@allow(Permission.MIGRATE)
def migration_waive(request: HtmxHttpRequest, pk: int, step: Step) -> HttpResponse:
    """Ask a second person to let a gate pass, or (no gate) to skip the step."""
    seen = seen_of(pk, step)
    found = seen.migration
    data = request.POST if request.method == "POST" else None
    code = (data or request.GET).get("gate", "")[:60]
    form = ReasonForm(data, initial={"gate": code})
    if form.is_valid():
        try:
            services.ask_waiver(
                found,
                step,
                form.cleaned_data["gate"],
                form.cleaned_data["reason"],
                actor=_me(request),
                now=timezone.now(),
            )
        except Refused as refusal:
            form.add_error("reason", str(refusal))
        else:
            words = "Asked. Somebody else decides; it is shown here."
            return _done(request, found, step, words)
    gates = gates_shown(seen, step, now=timezone.now())
    gate = next((one for one in gates if one.code == code), None)
    if code and gate is None:
        raise Http404("no such gate")
    return _form(request, seen, step, "waive", form, gate=gate)


@require_POST
@allow(Permission.APPROVE)
def migration_waiver(request: HtmxHttpRequest, pk: int, waiver: int) -> HttpResponse:
    """Grant or refuse what somebody else asked for."""
    found = _migration(pk)
    asked = get_object_or_404(Waiver, pk=waiver, migration=found)
    grant = request.POST.get("decision") == "grant"
    if not grant and request.POST.get("decision") != "refuse":
        raise Http404("grant or refuse")
    return _try(
        request,
        found,
        Step(asked.step),
        lambda: services.decide_waiver(asked, grant=grant, actor=_me(request), now=timezone.now()),
        "Granted." if grant else "Refused.",
    )


@require_http_methods(["GET", "POST"])
@allow(Permission.MIGRATE)
def migration_ask(request: HtmxHttpRequest, pk: int, step: Step) -> HttpResponse:
    """Write down that the customer was asked for something; the step then waits for them."""
    seen = seen_of(pk, step)
    found = seen.migration
    form = AskCustomerForm(
        request.POST if request.method == "POST" else None,
        initial={"version": seen.records[step].version},
    )
    if form.is_valid():
        try:
            services.ask_customer(
                found,
                step,
                form.cleaned_data["text"],
                version=form.cleaned_data["version"],
                actor=_me(request),
                now=timezone.now(),
            )
        except Refused as refusal:
            form.add_error("text", str(refusal))
        else:
            words = f"Noted. The step waits for {found.contact_name}."
            return _done(request, found, step, words)
    return _form(request, seen, step, "ask", form)


def _try(
    request: HtmxHttpRequest,
    migration: ConnectionMigration,
    step: Step,
    act: Callable[[], object],
    words: str,
) -> HttpResponse:
    try:
        act()
    except Refused as refusal:
        return _refused(request, migration, step, refusal)
    return _done(request, migration, step, words)


def _done(
    request: HtmxHttpRequest, migration: ConnectionMigration, step: Step, words: str
) -> HttpResponse:
    if request.htmx:
        return answer(request, migration.pk, step, notice=words)
    messages.success(request, words)
    return redirect("migration_step", migration.pk, step)


def _refused(
    request: HtmxHttpRequest, migration: ConnectionMigration, step: Step, refusal: Refused
) -> HttpResponse:
    is_conflict = isinstance(refusal, (StepNotCurrent, StepNotYours))
    status = CONFLICT if is_conflict else UNPROCESSABLE
    return answer(request, migration.pk, step, status=status, notice=str(refusal), is_refused=True)


def _form(
    request: HtmxHttpRequest,
    seen: Seen,
    step: Step,
    name: str,
    form: Any,
    **extra: Any,
) -> HttpResponse:
    """A form below the acts; for htmx with everything around it as it is now."""
    return answer(
        request,
        seen.migration.pk,
        step,
        status=UNPROCESSABLE if form.is_bound else 200,
        seen=None if form.is_bound else seen,
        act_form=form,
        act_form_template=f"migrations_tool/_{name}_form.html",
        **extra,
    )


def _act(step: Step, act: str) -> Act:
    if act not in list(Act) or Act(act) not in BY_STEP[step].acts:
        raise Http404("no such act")
    return Act(act)


def _migration(pk: int) -> ConnectionMigration:
    return get_object_or_404(ConnectionMigration.objects.select_related("connection"), pk=pk)


def _record(migration: ConnectionMigration, step: Step) -> StepRecord:
    return StepRecord.objects.get(migration=migration, step=step)


def _me(request: HtmxHttpRequest) -> str:
    return request.user.get_username()
