"""One customer's month: what holds it, entity by entity, and the word that it is clean."""

import uuid
from datetime import date, datetime
from typing import Any

from django.contrib import messages
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils import timezone
from django.views.decorators.http import require_GET, require_POST

from connections.models import Connection
from rampbridge.policy import Permission, allow, can
from syncing import close_rules
from syncing.close_forms import BecauseForm, CloseDayForm
from syncing.closing import days, snapshots, stamps
from syncing.models import PeriodStamp
from syncing.queries import close_board as board
from syncing.queries import close_months
from syncing.queries.close_board import BoardRow
from syncing.views.customer_acts import open_customer

UNPROCESSABLE = 422


@require_GET
@allow(Permission.SEE)
def customer_close(request: HttpRequest, slug: str) -> HttpResponse:
    """The month that is being closed."""
    period = close_rules.last_ended(timezone.now().date())
    return redirect("close_month", slug=slug, month=f"{period:%Y-%m}")


@require_GET
@allow(Permission.SEE)
def close_month(request: HttpRequest, slug: str, month: str) -> HttpResponse:
    """What stands where in a month, who holds it, and who has called it clean."""
    return _page(request, open_customer(slug), _period(month))


def _page(
    request: HttpRequest,
    connection: Connection,
    period: date,
    *,
    refused: str = "",
    tried: str = "",
    day_form: CloseDayForm | None = None,
    status: int = 200,
) -> HttpResponse:
    now = timezone.now()
    rows = board.of_customer(connection.pk, now=now)
    row = next((one for one in rows if one.period == period), None)
    said = close_months.stamps_of(connection.pk, period)
    entities = close_months.entities_of(connection, row, said)
    names: dict[uuid.UUID | None, str] = {one.entity_id: one.name for one in entities}
    whole = next(
        (one for one in said if one.stamp.entity_ramp_id is None
         and one.stamp.state in ("asked", "standing")), None
    )  # fmt: skip
    working_day = row.working_day if row else days.working_day_of(connection)
    close_on = close_rules.close_on(period, working_day)
    context = {
        "section": "customers",
        "tab": "close",
        "now": now,
        "connection": connection,
        "title": f"{period:%B %Y}",
        "period": period,
        "month": f"{period:%Y-%m}",
        "row": row,
        "months": _months(rows, now),
        "entities": entities,
        "whole": whole,
        "said": [(one, names.get(one.stamp.entity_ramp_id, "")) for one in said],
        "held": _held(connection, row, period, now),
        "snapshots": close_months.snapshots_of(connection.pk, period),
        "working_day": working_day,
        "close_on": close_on,
        "close_at": close_rules.end_of(close_on, connection.time_zone),
        "has_ended": close_rules.month_after(period) <= now.date(),
        "day_form": day_form or CloseDayForm(initial={"working_day": working_day}),
        "may_close": can(request.user, Permission.CLOSE),
        "me": request.user.get_username(),
        "refused": refused,
        "tried": tried,
    }
    return render(request, "closing/month.html", context, status=status)


def _held(
    connection: Connection, row: BoardRow | None, period: date, now: datetime
) -> close_months.Held | None:
    if row is None or not row.unsynced:
        return None
    soon = now.date() + close_rules.DUE_SOON
    return close_months.held(connection.pk, period, soon=soon, now=now)


def _months(rows: list[BoardRow], now: datetime) -> list[tuple[date, BoardRow | None]]:
    """Every month of the board, with its row where anything is in it."""
    known = {row.period: row for row in rows}
    return [(one, known.get(one)) for one in close_rules.months(now.date())]


@require_POST
@allow(Permission.CLOSE)
def stamp_month(request: HttpRequest, slug: str, month: str) -> HttpResponse:
    """Call it clean, or ask a second person to agree that it is."""
    connection, period = open_customer(slug), _period(month)
    reason = request.POST.get("reason", "").strip()
    try:
        made = stamps.stamp(
            connection=connection,
            period=period,
            entity_id=_entity(request),
            reason=reason,
            actor=request.user.get_username(),
            now=timezone.now(),
        )
    except stamps.NotStamped as refusal:
        return _page(
            request, connection, period, refused=str(refusal), tried=reason, status=UNPROCESSABLE
        )
    if made.state == PeriodStamp.State.ASKED:
        messages.warning(request, "Somebody else must agree now. It is not clean until then.")
    else:
        messages.success(request, f"{period:%B %Y} is clean, as of {made.snapshot.name}.")
    return redirect("close_month", slug=slug, month=month)


@require_POST
@allow(Permission.CLOSE)
def decide_stamp(request: HttpRequest, slug: str, month: str, pk: int) -> HttpResponse:
    """Agree, do not agree, or take back."""
    connection, period = open_customer(slug), _period(month)
    found = PeriodStamp.objects.filter(connection=connection, period=period, pk=pk).first()
    act = request.POST.get("act", "")
    if found is None or act not in ("agree", "refuse", "withdraw"):
        raise Http404("no such decision")
    actor = request.user.get_username()
    form = BecauseForm(request.POST)
    if act != "agree" and not form.is_valid():
        problem = " ".join(map(str, form.errors["because"]))
        return _page(request, connection, period, refused=problem, status=UNPROCESSABLE)
    because = request.POST.get("because", "")
    try:
        if act == "withdraw":
            stamps.withdraw(stamp=found, because=because, actor=actor)
        else:
            stamps.decide(stamp=found, agrees=act == "agree", because=because, actor=actor)
    except stamps.NotStamped as refusal:
        return _page(request, connection, period, refused=str(refusal), status=UNPROCESSABLE)
    words = {
        "agree": f"{period:%B %Y} is clean.",
        "refuse": "It stays as it is: not clean.",
        "withdraw": "Taken back. It is not called clean any more.",
    }
    messages.success(request, words[act])
    return redirect("close_month", slug=slug, month=month)


@require_POST
@allow(Permission.SEE)
def snapshot_month(request: HttpRequest, slug: str, month: str) -> HttpResponse:
    """Freeze the month's figures as they are now."""
    made = snapshots.take_of_period(
        connection=open_customer(slug),
        period=_period(month),
        entity_id=_entity(request),
        actor=request.user.get_username(),
    )
    return redirect("close_snapshot", name=made.name)


@require_POST
@allow(Permission.CLOSE)
def set_close_day(request: HttpRequest, slug: str, month: str) -> HttpResponse:
    """Say on which working day the customer closes."""
    connection, period = open_customer(slug), _period(month)
    form = CloseDayForm(request.POST)
    if not form.is_valid():
        return _page(request, connection, period, day_form=form, status=UNPROCESSABLE)
    days.set_working_day(
        connection=connection,
        working_day=form.cleaned_data["working_day"],
        actor=request.user.get_username(),
    )
    messages.success(request, "The close day is saved.")
    return redirect("close_month", slug=slug, month=month)


def _period(month: str) -> date:
    try:
        return date.fromisoformat(f"{month}-01")
    except ValueError:
        raise Http404("no such month") from None


def _entity(request: HttpRequest) -> uuid.UUID | None:
    """The one entity that an act is about; none named is all of them."""
    named: Any = request.POST.get("entity", "")
    try:
        return uuid.UUID(named) if named else None
    except ValueError:
        raise Http404("no such entity") from None
