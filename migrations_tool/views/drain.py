"""The drain's countdown, and what people decide about bills in flight."""

from django import forms
from django.http import HttpResponse
from django.shortcuts import get_object_or_404
from django.utils import timezone
from django.views.decorators.http import require_GET, require_POST

from migrations_tool.drain.deciding import decide
from migrations_tool.drain.panel import countdown
from migrations_tool.models import BillInFlight, ConnectionMigration
from migrations_tool.running import look_again
from migrations_tool.steps import Step
from migrations_tool.views.acts import UNPROCESSABLE
from migrations_tool.views.steps import answer
from migrations_tool.wizard import Refused
from rampbridge.lib.htmx import HtmxHttpRequest
from rampbridge.policy import Permission, allow
from syncing.views.live import live, version_of

PART = "migrations_tool/_drain_countdown.html"
MOST_BILLS = 500
_LARGEST_ID = 2**63 - 1
TAKE_BACK = "none"


class DecisionForm(forms.Form):
    """What becomes of the bills that are ticked."""

    decision = forms.ChoiceField(
        choices=[*BillInFlight.Decision.choices, (TAKE_BACK, "Take the decision back")],
        error_messages={"required": "Choose what becomes of them.",
                        "invalid_choice": "Choose what becomes of them."},
    )  # fmt: skip


@require_GET
@allow(Permission.SEE)
def migration_drain_live(request: HtmxHttpRequest, pk: int) -> HttpResponse:
    """The countdown alone; polls itself."""
    migration = get_object_or_404(ConnectionMigration.objects.select_related("connection"), pk=pk)
    now = timezone.now()
    shown = countdown(migration, now=now)
    reading = shown["reading"]
    version = version_of(reading and reading.pk, shown["watch_trouble"], shown["is_old"])
    context = {"now": now, "migration": migration, "connection": migration.connection, **shown}
    return live(request, PART, PART, version=version, context=context)


@require_POST
@allow(Permission.MIGRATE)
def migration_drain_bills(request: HtmxHttpRequest, pk: int) -> HttpResponse:
    """Decide about the ticked bills."""
    migration = get_object_or_404(ConnectionMigration, pk=pk)
    form = DecisionForm(request.POST)
    now = timezone.now()
    try:
        bills = _ticked(request)
        decision = _decision(form)
        count = decide(migration, bills, decision, actor=request.user.get_username(), now=now)
    except Refused as refusal:
        return answer(
            request,
            pk,
            Step.DRAIN,
            status=UNPROCESSABLE,
            notice=str(refusal),
            is_refused=True,
            ticked=set(request.POST.getlist("bill")),
            chosen=request.POST.get("decision", ""),
        )
    look_again(migration, Step.DRAIN, now)
    words = "1 bill is decided." if count == 1 else f"{count} bills are decided."
    return answer(request, pk, Step.DRAIN, notice="Taken back." if decision is None else words)


def _decision(form: DecisionForm) -> BillInFlight.Decision | None:
    """:raises Refused: if none is chosen"""
    if not form.is_valid():
        raise Refused(" ".join(str(one) for errors in form.errors.values() for one in errors))
    wanted = form.cleaned_data["decision"]
    return None if wanted == TAKE_BACK else BillInFlight.Decision(wanted)


def _ticked(request: HtmxHttpRequest) -> list[int]:
    """:raises Refused: if nothing is ticked"""
    texts = request.POST.getlist("bill")[:MOST_BILLS]
    numbers = [int(text) for text in texts if text.isascii() and text.isdigit() and len(text) < 20]
    if ids := [one for one in numbers if one <= _LARGEST_ID]:
        return ids
    raise Refused("Tick the bills that you decide about.")
