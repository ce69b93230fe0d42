"""What is wrong now, what was, and who looks after it."""

from typing import Any

from django.contrib import messages
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils import timezone
from django.views.decorators.http import require_GET, require_POST

from rampbridge.lib.htmx import HtmxHttpRequest
from rampbridge.lib.keyset import Cursor
from rampbridge.policy import Permission, allow
from syncing.alert_forms import AcknowledgeForm
from syncing.alerts import acts
from syncing.models import Alert
from syncing.queries import alerts as queries
from syncing.views.live import live, version_of

UNPROCESSABLE = 422


@require_GET
@allow(Permission.SEE)
def alerts(request: HtmxHttpRequest) -> HttpResponse:
    """Open alerts first, then those that are over, the newest first."""
    now = timezone.now()
    open_rows = queries.open_alerts()
    page, over = queries.over(after=Cursor.parse(request.GET.get("after", "")))
    kept = queries.last_round()
    is_blind = queries.nobody_looks(kept, now=now)
    context = {
        "section": "alerts",
        "tab": "alerts",
        "now": now,
        "open_rows": open_rows,
        "page": page,
        "over": over,
        "kept": kept,
        "is_blind": is_blind,
    }
    version = version_of(
        [(row.alert.pk, row.alert.title, row.alert.acknowledged_by) for row in open_rows],
        [row.alert.pk for row in over],
        (is_blind, kept and (kept.problem, kept.heartbeat_problem)),
    )
    return live(
        request, "alerts/alerts.html", "alerts/_alerts.html", version=version, context=context
    )


@require_GET
@allow(Permission.SEE)
def alert(request: HtmxHttpRequest, pk: int) -> HttpResponse:
    """One alert: what to do, who does, who was told."""
    context = _context(_row(pk), AcknowledgeForm())
    row, told = context["row"], context["told"]
    version = version_of(
        (row.alert.title, row.alert.acknowledged_by, row.alert.note, row.alert.resolved_at),
        [(one.delivery.pk, one.delivery.state, one.delivery.attempts) for one in told],
    )
    return live(
        request, "alerts/alert.html", "alerts/_alert.html", version=version, context=context
    )


@require_POST
@allow(Permission.HANDLE)
def acknowledge_alert(request: HttpRequest, pk: int) -> HttpResponse:
    """Say that one looks after it."""
    row = _row(pk)
    form = AcknowledgeForm(request.POST)
    if not form.is_valid():
        context = _context(row, form) | {"live_url": request.path}
        return render(request, "alerts/alert.html", context, status=UNPROCESSABLE)
    try:
        acts.acknowledge(
            alert=row.alert,
            actor=request.user.get_username(),
            now=timezone.now(),
            note=form.cleaned_data["note"],
        )
    except acts.AlertIsOver as refusal:
        messages.warning(request, str(refusal))
    else:
        messages.success(request, "You look after it. It stays open until what is wrong is over.")
    return redirect("alert", pk=pk)


def _row(pk: int) -> queries.AlertRow:
    try:
        return queries.alert(pk)
    except Alert.DoesNotExist:
        raise Http404("no such alert") from None


def _context(row: queries.AlertRow, form: AcknowledgeForm) -> dict[str, Any]:
    return {
        "section": "alerts",
        "now": timezone.now(),
        "row": row,
        "told": queries.messages_of(row),
        "earlier": queries.before(row),
        "form": form,
    }
