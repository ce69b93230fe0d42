"""Lists kept by a name: to open, to count, to rename, to pin, and to begin with."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from django.contrib import messages
from django.http import Http404, HttpRequest, HttpResponse, QueryDict
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.utils import timezone
from django.views.decorators.http import require_GET, require_http_methods, require_POST

from rampbridge.lib.htmx import HtmxHttpRequest
from rampbridge.policy import Permission, Role, allow, roles_of
from syncing import saved_views
from syncing.job_forms import ViewForm
from syncing.models import SavedView
from syncing.queries import totals
from syncing.views.chosen import chosen_list

UNPROCESSABLE = 422
LEADS = frozenset({Role.MANAGER, Role.ADMIN})
"""Who looks after what is kept for the whole team."""
NOT_FILTERS = ("after", "version", "shown", "held")


@dataclass(frozen=True, slots=True)
class ViewRow:
    """One kept list."""

    view: SavedView
    is_own: bool
    may_change: bool

    @property
    def address(self) -> str:
        return address_of(self.view)

    @property
    def page_label(self) -> str:
        return saved_views.PAGES.get(self.view.page, self.view.page)

    @property
    def is_counted(self) -> bool:
        return self.view.page == "items"


def address_of(view: SavedView) -> str:
    """Where the list is. One without filters says so, or a role's first list would be shown."""
    query = view.query or ("state=open" if view.page == "items" else "")
    return f"{reverse(view.page)}?{query}" if query else reverse(view.page)


@require_http_methods(["GET", "POST"])
@allow(Permission.SEE)
def views(request: HttpRequest) -> HttpResponse:
    """All lists that the person can use; sent, one more is kept."""
    form = ViewForm(request.POST if request.method == "POST" else None)
    problem = ""
    if request.method == "POST":
        problem = _save(request, form)
        if not problem:
            return redirect("views")
    me = request.user.get_username()
    is_lead = not LEADS.isdisjoint(roles_of(request.user))
    rows = [
        ViewRow(view, view.owner == me, view.owner == me or (view.is_team and is_lead))
        for view in saved_views.visible(me)
    ]
    context = {
        "section": "views",
        "now": timezone.now(),
        "rows": rows,
        "is_lead": is_lead,
        "roles_to_choose": [role.value for role in Role],
        "problem": problem,
    }
    return render(request, "views/views.html", context, status=UNPROCESSABLE if problem else 200)


def _save(request: HttpRequest, form: ViewForm) -> str:
    """Keep the list that the form names. What is wrong, in words."""
    page = request.POST.get("page", "")
    if not form.is_valid():
        return " ".join(str(error) for errors in form.errors.values() for error in errors)
    try:
        view = saved_views.save(
            owner=request.user.get_username(),
            page=page,
            query=_filters(request, page),
            **form.cleaned_data,
        )
    except saved_views.NotKept as refusal:
        return str(refusal)
    messages.success(request, f"Saved {view.name}.")
    return ""


def _filters(request: HttpRequest, page: str) -> str:
    """The filters of the list, without where in it somebody was."""
    query = QueryDict(request.POST.get("query", "").lstrip("?")[: saved_views.LONGEST + 1])
    if page == "items":
        return chosen_list(query, me=request.user.get_username()).query
    kept = query.copy()
    for name in NOT_FILTERS:
        kept.pop(name, None)
    return kept.urlencode()


@require_POST
@allow(Permission.SEE)
def change_view(request: HttpRequest, pk: int) -> HttpResponse:
    """Rename, share, pin, delete a view, or let a role begin with it."""
    view = _visible(request, pk)
    me = request.user.get_username()
    is_lead = not LEADS.isdisjoint(roles_of(request.user))
    try:
        match request.POST.get("act"):
            case "rename":
                _rename(request, view, is_lead=is_lead)
            case "share" | "unshare" as act:
                saved_views.change(view, actor=me, is_lead=is_lead, is_team=act == "share")
            case "pin" | "unpin" as act:
                saved_views.change(view, actor=me, is_lead=is_lead, is_pinned=act == "pin")
            case "delete":
                saved_views.delete(view, actor=me, is_lead=is_lead)
                messages.success(request, f"Deleted {view.name}.")
            case "default":
                _begin_with(request, view, is_lead=is_lead)
            case _:
                raise Http404("no such act")
    except saved_views.NotKept as refusal:
        messages.error(request, str(refusal))
    return redirect("views")


def _rename(request: HttpRequest, view: SavedView, *, is_lead: bool) -> None:
    name = " ".join(request.POST.get("name", "").split())[:80]
    if not name:
        raise saved_views.NotKept("Give it a name.")
    saved_views.change(view, actor=request.user.get_username(), is_lead=is_lead, name=name)


def _begin_with(request: HttpRequest, view: SavedView, *, is_lead: bool) -> None:
    role = request.POST.get("role", "")
    if not is_lead:
        raise saved_views.NotKept("Managers and admins decide what a role begins with.")
    if role and role not in {one.value for one in Role}:
        raise Http404("no such role")
    saved_views.begin_with(view, role, actor=request.user.get_username())


def _visible(request: HttpRequest, pk: int) -> SavedView:
    return get_object_or_404(saved_views.visible(request.user.get_username()), pk=pk)


@require_GET
@allow(Permission.SEE)
def view_count(request: HtmxHttpRequest, pk: int) -> HttpResponse:
    """How many items a view holds; by itself, the view."""
    view = _visible(request, pk)
    if not request.htmx:
        return redirect(address_of(view))
    counted = _count(view, request.user.get_username(), timezone.now())
    return render(request, "views/_count.html", {"counted": counted})


def at_hand(views: Sequence[SavedView]) -> list[tuple[SavedView, str, None]]:
    """What the navigation shows at first; the counts come by `pinned_views`."""
    return [(view, address_of(view), None) for view in views]


@require_GET
@allow(Permission.SEE)
def pinned_views(request: HtmxHttpRequest) -> HttpResponse:
    """The navigation's views with their counts; by itself, the page of all views."""
    if not request.htmx:
        return redirect("views")
    now, me = timezone.now(), request.user.get_username()
    views = saved_views.pinned(me)
    counted = [(view, address_of(view), _count(view, me, now)) for view in views]
    return render(request, "parts/_pinned_views.html", {"pinned": counted})


def _count(view: SavedView, me: str, now: datetime) -> totals.Totals | None:
    """How many, from a roll-up or counted with a bound; None of what is not counted."""
    if view.page != "items":
        return None
    try:
        chosen = chosen_list(QueryDict(view.query), me=me)
    except Http404:  # its customer is no more
        return totals.Totals()
    return totals.totals(chosen.filter, now=now)
