"""People settle an item: each act is one call into `syncing.settling`, refused with words."""

from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from django.contrib import messages
from django.http import Http404, HttpRequest, HttpResponse, QueryDict
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.utils import timezone
from django.utils.dateparse import parse_datetime
from django.utils.http import url_has_allowed_host_and_scheme
from django.views.decorators.http import require_POST

from rampbridge.lib.htmx import HtmxHttpRequest
from rampbridge.policy import Permission, allow
from syncing.models import ErpLook, OutsideMark, Settlement, SyncItem
from syncing.queries import uncertain
from syncing.settling import (
    adopting,
    disagreements,
    looks,
    outside,
    reposting,
    second_person,
    waiting,
)
from syncing.settling.refusal import NotSettled
from syncing.views.settle_box import box_of

Act = Callable[[SyncItem, QueryDict, str, datetime], str]
"""What one act does with the form. Returns the words that say what happened."""


def _look(item: SyncItem, form: QueryDict, actor: str, now: datetime) -> str:
    looks.ask(item=item, number=form.get("number", ""), actor=actor)
    return f"{item.connection.erp_name} is being searched. What it has appears here."


def _adopt(item: SyncItem, form: QueryDict, actor: str, now: datetime) -> str:
    pk = form.get("look", "")
    look = get_object_or_404(
        ErpLook.objects.select_related("item__connection", "item__payload"),
        pk=int(pk) if pk.isascii() and pk.isdigit() and len(pk) < 19 else 0,
        item=item,
    )
    settlement = adopting.adopt(
        look=look,
        erp_id=form.get("erp_id", ""),
        reason=form.get("reason", ""),
        actor=actor,
        now=now,
    )
    if settlement.state == Settlement.State.ASKED:
        return "A second person must agree, for the amounts differ. It waits on this page."
    return "It is that document. Ramp is told next."


def _post(item: SyncItem, form: QueryDict, actor: str, now: datetime) -> str:
    settlement = reposting.post_anyway(
        item=item, reason=form.get("reason", ""), actor=actor, now=now
    )
    if settlement.state == Settlement.State.ASKED:
        return "A second person must agree before it is posted. It waits on this page."
    return "Queued. The timeline shows what comes of it."


def _wait(item: SyncItem, form: QueryDict, actor: str, now: datetime) -> str:
    until = _moment(form, item, now)
    waiting.keep_waiting(
        item=item, until=until, reason=form.get("reason", ""), actor=actor, now=now
    )
    return f"It waits until {until.astimezone(ZoneInfo(item.connection.time_zone)):%-d %b, %H:%M}."


def _outside(item: SyncItem, form: QueryDict, actor: str, now: datetime) -> str:
    (marked,) = outside.mark_outside(
        [item.pk],
        erp_reference=form.get("number", ""),
        reason=form.get("reason", ""),
        actor=actor,
    )
    if not (marked.is_done or marked.waits):
        raise NotSettled(marked.words)
    return marked.words


def _take_back(item: SyncItem, form: QueryDict, actor: str, now: datetime) -> str:
    outside.take_back(item=item, reason=form.get("reason", ""), actor=actor)
    return "Queued. It is read from Ramp once more, then posted if Ramp calls it ready."


def _agree(item: SyncItem, form: QueryDict, actor: str, now: datetime) -> str:
    disagreements.agree(item=item, reason=form.get("reason", ""), actor=actor)
    return "Settled. The same difference is not raised again."


def _report(item: SyncItem, form: QueryDict, actor: str, now: datetime) -> str:
    disagreements.report_again(item=item, reason=form.get("reason", ""), actor=actor)
    return "It is reported to Ramp again."


def _decide(item: SyncItem, form: QueryDict, actor: str, now: datetime) -> str:
    """The second person's word, on whichever of the two waits."""
    agrees = form.get("word") == "agree"
    because = form.get("reason", "")
    settlement = item.settlements.filter(state=Settlement.State.ASKED).first()
    mark = item.outside_marks.filter(state=OutsideMark.State.ASKED).first()
    if settlement is not None:
        second_person.decide(settlement=settlement, agrees=agrees, because=because, actor=actor)
    elif mark is not None:
        outside.decide(mark=mark, agrees=agrees, because=because, actor=actor)
    else:
        raise NotSettled("Somebody has decided this already.")
    return "Agreed, and done." if agrees else "Refused. The item stays as it was."


_ACTS: dict[str, Act] = {
    "look": _look,
    "adopt": _adopt,
    "post": _post,
    "wait": _wait,
    "outside": _outside,
    "take-back": _take_back,
    "agree": _agree,
    "report": _report,
    "decide": _decide,
}


@require_POST
@allow(Permission.SETTLE)
def settle_item(request: HtmxHttpRequest, pk: int, act: str) -> HttpResponse:
    """Carry out one act. A refusal comes back as the box with the reason, and what was typed."""
    carry_out = _ACTS.get(act)
    item = SyncItem.objects.select_related("connection", "payload").filter(pk=pk).first()
    if carry_out is None or item is None:
        raise Http404("no such item or act")
    now = timezone.now()
    try:
        said = carry_out(item, request.POST, request.user.get_username(), now)
    except NotSettled as refusal:
        return _refused(request, item, act, str(refusal), now)
    messages.success(request, said)
    if request.htmx:
        return HttpResponse(headers={"HX-Redirect": _back(request, item)})
    return redirect(_back(request, item))


def _refused(
    request: HtmxHttpRequest, item: SyncItem, act: str, why: str, now: datetime
) -> HttpResponse:
    if not request.htmx:
        messages.error(request, why)
        return redirect(_back(request, item))
    fresh = SyncItem.objects.select_related("connection", "payload").get(pk=item.pk)
    typed = {"act": act, **request.POST.dict()}
    box = box_of(uncertain.case_of(fresh, now=now), request.user, now, problem=why, typed=typed)
    context: dict[str, Any] = {
        "box": box,
        "connection": fresh.connection,
        "now": now,
        "back": _back(request, item),
    }
    return render(request, "syncing/_settle.html", context, status=422)


def _back(request: HttpRequest, item: SyncItem) -> str:
    back = request.POST.get("back", "")
    if url_has_allowed_host_and_scheme(back, allowed_hosts=None) and back.startswith("/"):
        return back
    return reverse("item", args=[item.pk])


def _moment(form: QueryDict, item: SyncItem, now: datetime) -> datetime:
    """Until when: one of the hours on offer, or a time on the customer's clock."""
    hours = form.get("hours", "")
    if hours.isascii() and hours.isdigit() and len(hours) < 4:
        return now + timedelta(hours=int(hours))
    try:
        typed = parse_datetime(form.get("until", ""))
    except ValueError:
        typed = None
    if typed is None:
        raise NotSettled("Choose until when it waits.")
    return typed if typed.tzinfo else typed.replace(tzinfo=ZoneInfo(item.connection.time_zone))
