"""One item beside its list: what is wrong, what happened last, and what a person does about it."""

from datetime import datetime
from typing import Any
from urllib.parse import urlsplit

from django.contrib import messages
from django.core.exceptions import PermissionDenied
from django.http import Http404, HttpRequest, HttpResponse, QueryDict
from django.shortcuts import redirect, render
from django.utils import timezone
from django.views.decorators.http import require_GET, require_POST

from rampbridge.lib.htmx import HtmxHttpRequest, page_or_partial
from rampbridge.policy import Permission, allow, can, refusal, roles_of
from syncing import handling, selections
from syncing.bulk.acts import KINDS, Act
from syncing.bulk.single import NotDone, act_on
from syncing.job_forms import FORMS, ActForm, CommentForm
from syncing.models import SyncItem
from syncing.queries import items as item_queries
from syncing.queries.words import Word
from syncing.states import ItemState
from syncing.views import timeline
from syncing.views.chosen import as_shown, chosen_list

EVENTS_SHOWN = 6
COMMENT = "comment"
"""The one act here that is no job's."""
ON_ONE = (Act.ASSIGN, Act.SNOOZE, Act.TAG, Act.UNTAG)
"""What has a form of its own in the drawer."""


@require_GET
@allow(Permission.SEE)
def item_drawer(request: HtmxHttpRequest, pk: int) -> HttpResponse:
    """The item's summary; by itself it is a page too."""
    return _drawer(request, pk, timezone.now())


@require_POST
@allow(Permission.HANDLE)
def handle_item(request: HtmxHttpRequest, pk: int) -> HttpResponse:
    """Retry, assign, tag, put off or comment on one item, and show it as it is then."""
    now = timezone.now()
    name = request.POST.get("act", "")
    form = _form(request, name, now)
    said = problem = ""
    if form.is_valid():
        try:
            said = _carry_out(_item(pk), name, form, request.user.get_username())
        except (handling.NotHandled, NotDone) as reason:
            problem = str(reason)
    else:
        problem = " ".join(str(error) for errors in form.errors.values() for error in errors)
    if not request.htmx:
        if problem:
            messages.error(request, problem)
        else:
            messages.success(request, said)
        return redirect("item_drawer", pk=pk)
    return _drawer(request, pk, now, said=said, problem=problem)


def _form(request: HttpRequest, name: str, now: datetime) -> ActForm:
    """The form of an act that the person may do.

    :raises Http404: if there is no such act
    """
    if name == COMMENT:
        return CommentForm(request.POST, now=now, me=request.user.get_username(), prefix=name)
    if name not in Act.values or Act(name) not in FORMS:
        raise Http404("no such act")
    kind = KINDS[Act(name)]
    if not can(request.user, kind.permission):
        raise PermissionDenied(refusal(roles_of(request.user), kind.permission))
    return FORMS[kind.act](request.POST, now=now, me=request.user.get_username(), prefix=name)


def _carry_out(item: SyncItem, name: str, form: ActForm, me: str) -> str:
    """:raises NotHandled, NotDone: with words fit to show"""
    if name == COMMENT:
        handling.comment(item, text=form.cleaned_data["text"], author=me)
        return "Your comment stands on the timeline."
    return act_on(item, Act(name), form.argument(), actor=me)


def _item(pk: int) -> SyncItem:
    found = item_queries.with_handling(SyncItem.objects.filter(pk=pk)).first()
    if found is None:
        raise Http404("no such item")
    return found


def _drawer(
    request: HtmxHttpRequest,
    pk: int,
    now: datetime,
    *,
    said: str = "",
    problem: str = "",
) -> HttpResponse:
    item = _item(pk)
    (row,) = item_queries.rows([item], now)
    me = request.user.get_username()
    events = list(reversed(item.events.order_by("-pk")[:EVENTS_SHOWN]))
    forms = {act: FORMS[act](now=now, me=me, prefix=act) for act in ON_ONE}
    forms[Act.ASSIGN].initial["owner"] = f"@{me}"
    context = {
        "section": "items",
        "now": now,
        "item": item,
        "row": row,
        "connection": item.connection,
        "moments": list(timeline.moments(item, events)),
        "can_retry": can(request.user, Permission.RETRY) and _is_retryable(row),
        "forms": {str(act): one for act, one in forms.items()},
        "comment_form": CommentForm(now=now, me=me, prefix=COMMENT),
        "said": said,
        "problem": problem,
        "list_row": _row_of_list(request, row, now),
    }
    template = page_or_partial(request, "syncing/drawer.html", "syncing/_drawer.html")
    return render(request, template, context, status=422 if problem else 200)


def _is_retryable(row: item_queries.ItemRow) -> bool:
    return row.item.state == ItemState.FAILED or (row.word == Word.RETRYING and not row.is_waiting)


def _row_of_list(
    request: HtmxHttpRequest, row: item_queries.ItemRow, now: datetime
) -> dict[str, Any] | None:
    """The item's row of the list it was opened from, to be swapped there after an act."""
    if request.method != "POST" or not request.POST.get("in_list"):
        return None
    try:
        query = QueryDict(urlsplit(request.htmx.current_url or "").query)
    except ValueError:  # no address at all
        query = QueryDict()
    chosen = chosen_list(query, me=request.user.get_username())
    selection = selections.of(request.user.get_username(), chosen.query, now=now)
    return {
        "rows": as_shown([row], selection),
        "hide_customer": chosen.connection is not None,
    }
