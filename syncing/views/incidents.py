"""One incident: what it is, whom it hits, what was tried, what comes next, and ending it."""

from typing import Any

from django.contrib import messages
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils import timezone
from django.views.decorators.http import require_GET, require_POST

from rampbridge.lib.htmx import HtmxHttpRequest
from rampbridge.lib.keyset import Cursor
from rampbridge.policy import Permission, allow
from syncing import incidents
from syncing.forms import ReasonForm
from syncing.incident_pauses import CANARY_EVERY
from syncing.models import Incident
from syncing.queries import incidents as incident_queries
from syncing.views.live import live, version_of

UNPROCESSABLE = 422


@require_GET
@allow(Permission.SEE)
def incident(request: HtmxHttpRequest, pk: int) -> HttpResponse:
    found = _incident(pk)
    context = _context(request, found, ReasonForm())
    facts = context["facts"]
    version = version_of(
        (found.ended_at, facts.paused, facts.joined, facts.canaries, facts.next_canary_at),
        [(one.pk, one.canaries, one.resumed_at) for one in context["page"].rows],
    )
    return live(
        request,
        "incidents/incident.html",
        "incidents/_incident.html",
        version=version,
        context=context,
    )


@require_POST
@allow(Permission.PAUSE)
def end_incident(request: HttpRequest, pk: int) -> HttpResponse:
    """Let all its customers go on."""
    found = _incident(pk)
    form = ReasonForm(request.POST)
    if not form.is_valid():
        context = _context(request, found, form) | {"live_url": request.path}
        return render(request, "incidents/incident.html", context, status=UNPROCESSABLE)
    try:
        resumed = incidents.end(
            found, reason=form.cleaned_data["reason"], actor=request.user.get_username()
        )
    except incidents.IncidentIsOver as refusal:
        messages.warning(request, str(refusal))
    else:
        messages.success(request, f"Ended: {resumed} customers go on now.")
    return redirect("incident", pk=pk)


def _incident(pk: int) -> Incident:
    try:
        return incident_queries.incident(pk)
    except Incident.DoesNotExist:
        raise Http404("no such incident") from None


def _context(request: HttpRequest, found: Incident, form: ReasonForm) -> dict[str, Any]:
    return {
        "section": "errors",
        "now": timezone.now(),
        "incident": found,
        "facts": incident_queries.facts(found),
        "page": incident_queries.customers(found, after=Cursor.parse(request.GET.get("after", ""))),
        "earlier": [one for one in incident_queries.newest() if one.pk != found.pk],
        "every": CANARY_EVERY,
        "lasted": found.ended_at - found.opened_at if found.ended_at else None,
        "form": form,
    }
