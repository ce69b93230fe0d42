"""Pausing and resuming, with what stands behind it: what waits, why, and who decided."""

from dataclasses import dataclass
from typing import Any

from django.contrib import messages
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils import timezone
from django.views.decorators.http import require_http_methods, require_POST

from connections.models import Connection
from rampbridge.policy import Permission, allow
from syncing import services
from syncing.forms import PauseForm, ReasonForm
from syncing.models import Pause, SyncItem
from syncing.queries import standing
from syncing.queries.words import Look, Word, type_label
from syncing.views.customer_acts import open_customer

PAST_SHOWN = 20
UNPROCESSABLE = 422


@dataclass(frozen=True, slots=True)
class PauseRow:
    """One pause, in words."""

    pause: Pause
    form: ReasonForm | None = None
    waiting: int = 0

    @property
    def look(self) -> Look:
        if self.pause.is_automatic:
            return Look("Paused by rampbridge", "person", "pause")
        return Look("Paused", "neutral", "pause")

    @property
    def what(self) -> str:
        return what(self.pause.object_type)


def what(object_type: str) -> str:
    """What a pause is about."""
    return f"{type_label(object_type)}s" if object_type else "Everything"


@require_http_methods(["GET", "POST"])
@allow(Permission.PAUSE)
def pauses(request: HttpRequest, slug: str) -> HttpResponse:
    """What is paused now and was before; a POST pauses a type, or everything."""
    connection = open_customer(slug)
    types = types_of(connection)
    if request.method != "POST":
        chosen = request.GET.get("type", "")
        form = PauseForm(types=types, initial={"object_type": chosen if chosen in types else ""})
        return render(request, "syncing/pauses.html", _context(connection, form))
    form = PauseForm(request.POST, types=types)
    if not form.is_valid():
        context = _context(connection, form)
        return render(request, "syncing/pauses.html", context, status=UNPROCESSABLE)
    object_type = form.cleaned_data["object_type"]
    services.pause(
        connection=connection,
        object_type=object_type,
        reason=form.cleaned_data["reason"],
        actor=request.user.get_username(),
    )
    messages.success(
        request, f"Paused: {what(object_type).lower()}. What is under way is finished."
    )
    return redirect("pauses", slug=slug)


@require_POST
@allow(Permission.PAUSE)
def resume(request: HttpRequest, slug: str, pk: int) -> HttpResponse:
    """End a pause."""
    connection = open_customer(slug)
    found = Pause.objects.filter(connection=connection, pk=pk).first()
    if found is None:
        raise Http404("no such pause")
    form = ReasonForm(request.POST, prefix=f"resume-{pk}")
    if not form.is_valid():
        context = _context(connection, PauseForm(types=types_of(connection)), refused=(pk, form))
        return render(request, "syncing/pauses.html", context, status=UNPROCESSABLE)
    ended = services.resume(
        pause=found, reason=form.cleaned_data["reason"], actor=request.user.get_username()
    )
    if ended:
        messages.success(request, f"Resumed: {what(found.object_type).lower()}.")
    else:
        messages.warning(request, "This pause has ended already.")
    return redirect("pauses", slug=slug)


def types_of(connection: Connection) -> list[str]:
    """The types of items that a customer can have, bills with their payments."""
    names = set(connection.object_types)
    if "bill" in names:
        names.add("bill_payment")
    return [one for one in SyncItem.ObjectType.values if one in names]


def _context(
    connection: Connection, form: PauseForm, refused: tuple[int, ReasonForm] | None = None
) -> dict[str, Any]:
    now = timezone.now()
    lines = standing.standings(now=now, connection_id=connection.pk)
    queued = [line for line in lines if line.word in (Word.QUEUED, Word.RETRYING)]
    all_pauses = list(connection.pauses.order_by("-paused_at", "-pk")[: PAST_SHOWN + 10])
    return {
        "section": "customers",
        "now": now,
        "connection": connection,
        "form": form,
        "standing": [_row(one, queued, refused) for one in all_pauses if one.resumed_at is None],
        "past": [PauseRow(one) for one in all_pauses if one.resumed_at is not None][:PAST_SHOWN],
        "queued": [
            (what(one), sum(line.items for line in mine), standing.sums(mine))
            for one in types_of(connection)
            if (mine := [line for line in queued if line.object_type == one])
        ],
    }


def _row(
    pause: Pause, queued: list[standing.Standing], refused: tuple[int, ReasonForm] | None
) -> PauseRow:
    form = ReasonForm(prefix=f"resume-{pause.pk}")
    if refused and refused[0] == pause.pk:
        form = refused[1]
    waiting = sum(line.items for line in queued if pause.object_type in ("", line.object_type))
    return PauseRow(pause, form, waiting)
