"""What nobody is sure of: a card each, with what was sent, searched and found (P-04)."""

from django.contrib import messages
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.utils import timezone
from django.views.decorators.http import require_GET, require_POST

from connections.models import Connection
from rampbridge.lib.htmx import HtmxHttpRequest
from rampbridge.lib.keyset import Cursor
from rampbridge.policy import Permission, allow, can
from syncing.models import SyncItem
from syncing.queries import uncertain as queries
from syncing.queries.uncertain import Case
from syncing.settling import looks, reposting, second_person
from syncing.settling.refusal import NotSettled
from syncing.states import ItemState
from syncing.views.live import live, version_of
from syncing.views.settle_box import SettleBox, box_of

MOST_AT_ONCE = queries.PAGE_SIZE


@require_GET
@allow(Permission.SEE)
def uncertain(request: HtmxHttpRequest) -> HttpResponse:
    """The page; `?customer=` narrows it."""
    now = timezone.now()
    connection = _customer(request.GET.get("customer", ""))
    connection_id = connection.pk if connection else None
    settlements = second_person.waiting_settlements(connection_id)
    marks = second_person.waiting_marks(connection_id)
    page, cases = queries.page_of_cases(
        connection_id=connection_id,
        after=Cursor.parse(request.GET.get("after", "")),
        now=now,
        marks=marks if len(marks) < second_person.MOST else None,
    )
    boxes = [box_of(case, request.user, now) for case in cases]
    # What somebody lets wait comes last, and back to its place by itself.
    boxes.sort(key=lambda box: box.case.wait is not None)
    context = {
        "section": "uncertain",
        "now": now,
        "connection_filter": connection,
        "page": page,
        "boxes": boxes,
        "settlements": settlements,
        "marks": marks,
        "may_settle": can(request.user, Permission.SETTLE),
        "to_look": [box for box in boxes if _is_to_look(box)],
        "to_post": [box for box in boxes if _is_identical(box)],
        "back": request.get_full_path() if not request.htmx else request.path,
    }
    version = version_of(
        [box.case.facts for box in boxes],
        [one.pk for one in settlements],
        [one.pk for one in marks],
    )
    return live(
        request,
        "syncing/uncertain.html",
        "syncing/_uncertain.html",
        version=version,
        context=context,
    )


@require_POST
@allow(Permission.SETTLE)
def settle_together(request: HttpRequest, act: str) -> HttpResponse:
    """Look for several, or post several that were looked for and are certainly not there.

    Only for identical situations: each item is judged by itself once more, and what differs by now
    is left with the reason.
    """
    if act not in ("look", "post"):
        raise Http404("no such act")
    now, actor = timezone.now(), request.user.get_username()
    done, left = 0, []
    for item in _chosen(request):
        try:
            if act == "look":
                looks.ask(item=item, number="", actor=actor)
            else:
                reposting.post_anyway(item=item, reason="", actor=actor, now=now)
        except NotSettled as refusal:
            left.append(f"{item.reference}: {refusal}")
        else:
            done += 1
    what = "are searched for" if act == "look" else "are queued"
    if done:
        messages.success(request, f"{done} item{'s' if done > 1 else ''} {what}.")
    for words in left:
        messages.error(request, words)
    return redirect("uncertain")


def _chosen(request: HttpRequest) -> list[SyncItem]:
    named = request.POST.getlist("item")
    ids = [int(pk) for pk in named if pk.isascii() and pk.isdigit() and len(pk) < 19]
    found = SyncItem.objects.select_related("connection").filter(pk__in=ids[:MOST_AT_ONCE])
    return list(found.order_by("pk"))


def _is_to_look(box: SettleBox) -> bool:
    case: Case = box.case
    return (
        case.item.state == ItemState.REVIEW
        and not box.is_fresh
        and not box.is_waiting_for_answer
        and not case.pending
        and not case.mark
    )


def _is_identical(box: SettleBox) -> bool:
    """Searched by our reference just now, and neither it nor anything like it was found."""
    look = box.case.look
    return bool(
        box.can_post and look and look.is_conclusive and not look.candidates and not box.case.mark
    )


def _customer(slug: str) -> Connection | None:
    if not slug:
        return None
    found = Connection.objects.filter(slug=slug).first()
    if found is None:
        raise Http404("no customer of that name")
    return found
