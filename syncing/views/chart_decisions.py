"""One record that Ramp offers and the ERP no longer has: what hangs on it, and what to do."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from django.contrib import messages
from django.http import Http404, HttpResponse
from django.shortcuts import redirect, render
from django.utils import timezone
from django.views.decorators.http import require_http_methods, require_POST

from connections.mirror import decisions
from connections.models import Connection, DriftDecision, ReferenceKind
from rampbridge.lib.htmx import HtmxHttpRequest
from rampbridge.policy import Permission, allow
from syncing.forms import DecisionForm
from syncing.impact import Impact, Named, impacts
from syncing.queries import chart_records
from syncing.queries.chart_records import Record
from syncing.views.chart import frame, mirrored_customer

Action = DriftDecision.Action
UNPROCESSABLE = 422


@dataclass(frozen=True, slots=True)
class Choice:
    """One thing that can be done, and what comes of it."""

    value: str
    """Empty: it happens by itself if nobody decides anything."""
    title: str
    consequences: Sequence[str]
    is_advised: bool
    is_chosen: bool


@require_http_methods(["GET", "POST"])
@allow(Permission.UPLOAD)
def decide(request: HtmxHttpRequest, slug: str) -> HttpResponse:
    """What hangs on the record; a POST keeps a decision about it."""
    connection = mirrored_customer(slug)
    record = _record(request, connection)
    named = Named(record.kind, record.erp_id, record.field_erp_id)
    impact = impacts(connection.pk, [named], at_most=None)[named]
    decision = _decision(connection, record)
    if request.method != "POST":
        form = DecisionForm(initial={"reason": decision.reason if decision else ""})
        return _show(request, connection, record, impact, decision, form)
    form = DecisionForm(request.POST)
    if form.is_valid():
        try:
            decisions.decide(
                connection,
                kind=record.kind,
                erp_id=record.erp_id,
                field_erp_id=record.field_erp_id,
                action=form.cleaned_data["action"],
                actor=request.user.get_username(),
                reason=form.cleaned_data["reason"],
                unsynced_items=impact.items,
            )
        except decisions.NeedsWaiver as missing:
            form.add_error("reason", str(missing))
        except decisions.CannotDecide as refusal:
            form.add_error(None, str(refusal))
        else:
            messages.success(request, _kept(form.cleaned_data["action"], record))
            return redirect("chart", slug=slug)
    return _show(request, connection, record, impact, decision, form)


@require_POST
@allow(Permission.UPLOAD)
def withdraw(request: HtmxHttpRequest, slug: str) -> HttpResponse:
    """Take back what was decided and is not done yet."""
    connection = mirrored_customer(slug)
    record = _record(request, connection)
    was_there = decisions.withdraw(
        connection,
        kind=record.kind,
        erp_id=record.erp_id,
        field_erp_id=record.field_erp_id,
        actor=request.user.get_username(),
    )
    if was_there:
        messages.success(request, f"Taken back: {record.name} is as undecided as before.")
    else:
        messages.warning(request, "There was nothing left to take back.")
    return redirect("chart", slug=slug)


@require_POST
@allow(Permission.UPLOAD)
def try_again(request: HtmxHttpRequest, slug: str) -> HttpResponse:
    """Send a record once more that was refused, although it is the same as then."""
    connection = mirrored_customer(slug)
    record = _record(request, connection)
    if decisions.try_again(
        connection,
        kind=record.kind,
        erp_id=record.erp_id,
        field_erp_id=record.field_erp_id,
        actor=request.user.get_username(),
    ):
        messages.success(request, f"{record.name} goes along with the next upload.")
    else:
        messages.warning(request, "It waits for the next upload already.")
    return redirect("chart", slug=slug)


def _record(request: HtmxHttpRequest, connection: Connection) -> Record:
    asked = request.POST if request.method == "POST" else request.GET
    found = chart_records.record(
        connection.pk,
        kind=asked.get("kind", ""),
        erp_id=asked.get("id", ""),
        field_erp_id=asked.get("field", ""),
    )
    if found is None:
        raise Http404("no such record of the chart")
    return found


def _decision(connection: Connection, record: Record) -> DriftDecision | None:
    found = DriftDecision.objects.filter(
        connection=connection,
        kind=record.kind,
        erp_id=record.erp_id,
        field_erp_id=record.field_erp_id,
        done_at=None,
    )
    return found.first()


def _show(
    request: HtmxHttpRequest,
    connection: Connection,
    record: Record,
    impact: Impact,
    decision: DriftDecision | None,
    form: DecisionForm,
) -> HttpResponse:
    chosen = str(form["action"].value() or (decision.action if decision else ""))
    context: dict[str, Any] = {
        **frame(request, connection, timezone.now()),
        "record": record,
        "impact": impact,
        "decision": decision,
        "form": form,
        "choices": choices(record, impact, connection.erp_name, chosen=chosen),
        "is_offered": record.ramp_id is not None and record.ramp_is_active,
    }
    status = UNPROCESSABLE if form.is_bound else None
    return render(request, "syncing/chart_decide.html", context, status=status)


def choices(record: Record, impact: Impact, erp_name: str, *, chosen: str = "") -> list[Choice]:
    """What can be done about a record that Ramp offers and the ERP no longer has (R-23 to R-26)."""
    items = f"{impact.items:,} unsynced item{'s' if impact.items != 1 else ''}"
    if impact.items:
        hurt = (
            f"{items} coded with it cannot be synced any more, until somebody codes them anew.",
            "Spend that is not marked ready yet and coded with it is stuck the same way.",
        )
    else:
        hurt = (
            "No item that is ready to sync uses it.",
            "Spend coded with it that is not marked ready yet cannot be synced then.",
        )
    found = [
        Choice(
            Action.DEACTIVATE,
            "Deactivate in Ramp",
            ("Nobody can choose it any more. Past codings stay to be seen.", *hurt),
            is_advised=record.kind != ReferenceKind.OPTION and not impact.items,
            is_chosen=chosen == Action.DEACTIVATE,
        ),
        Choice(
            Action.LEAVE,
            "Leave as it is",
            (
                "People can go on choosing it in Ramp.",
                f"What {erp_name} refuses because of it is told on each item.",
            ),
            is_advised=record.kind != ReferenceKind.OPTION and bool(impact.items),
            is_chosen=chosen == Action.LEAVE,
        ),
    ]
    if record.kind != ReferenceKind.OPTION:
        return found
    hide = Choice(
        "",
        "Hide: happens by itself",
        (
            "Nobody can choose it any more, and it can be shown again at any time.",
            "What is coded with it already is synced as before.",
        ),
        is_advised=True,
        is_chosen=not chosen,
    )
    return [hide, *found]


def _kept(action: str, record: Record) -> str:
    if action == Action.LEAVE:
        return f"{record.name} is left as it is in Ramp."
    return f"{record.name} is deactivated in Ramp by the next upload."
