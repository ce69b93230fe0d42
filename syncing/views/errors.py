"""The error desk's list: groups of errors, not rows."""

from dataclasses import dataclass

from django.http import HttpResponse
from django.utils import timezone
from django.views.decorators.http import require_GET

from connections.models import Connection
from rampbridge.lib.htmx import HtmxHttpRequest, HttpResponseUnchanged, page_or_partial
from rampbridge.policy import Permission, allow
from syncing.error_forms import ErrorFilterForm
from syncing.queries import customer_choices
from syncing.queries import errors as queries
from syncing.queries.errors import CATEGORIES, ORIGINS
from syncing.queries.group_states import LOOKS, GroupState
from syncing.queries.words import Look
from syncing.views.live import live, version_of
from syncing.views.narrowing import customers_offered

OPEN_LOOK = Look("Open", "neutral", "circle-dot", "Every error of which an item is still open.")
PAGE, PART = "errors/errors.html", "errors/_errors.html"
MOST_START = 10_000


@dataclass(frozen=True, slots=True)
class Tab:
    """A state to choose above the list; of what is over nobody counts how much there ever was."""

    value: str
    look: Look
    groups: int | None
    is_current: bool


@require_GET
@allow(Permission.SEE)
def errors(request: HtmxHttpRequest) -> HttpResponse:
    """Groups by urgency, with filters in the address. The part polls itself."""
    now = timezone.now()
    version = version_of(queries.pulse(), now.replace(minute=0, second=0, microsecond=0))
    if _is_poll(request) and request.GET.get("version") == version:
        return HttpResponseUnchanged()
    form = ErrorFilterForm(request.GET)
    chosen = form.as_filter(request.user.get_username())
    page = queries.page_of_groups(chosen, now=now, start=_start(request.GET.get("from", "")))
    current = LOOKS[chosen.state] if chosen.state else OPEN_LOOK
    trends = queries.trends([row.fingerprint for row in page.rows], now=now) if page.rows else {}
    context = {
        "section": "errors",
        "now": now,
        "form": form,
        "page": page,
        "rows": [(row, trends[row.fingerprint]) for row in page.rows],
        "tabs": _tabs(chosen.state, page),
        "current": current,
        "is_resolved": chosen.state is GroupState.RESOLVED,
        "is_narrowed": chosen.is_narrowed,
        "customers": customers_offered(),
        "connection": _customer(form.value("customer")),
        "categories": CATEGORIES,
        "origins": ORIGINS,
        "erps": customer_choices.kinds_of_erp(),
    }
    return live(
        request,
        PAGE,
        PART,
        version=version,
        context=context,
    )


def _customer(slug: str) -> Connection | None:
    """Whose errors are shown, for the filter to say; one that nobody knows by what was asked."""
    if not slug:
        return None
    return Connection.objects.filter(slug=slug).first() or Connection(slug=slug, name=slug)


def _is_poll(request: HtmxHttpRequest) -> bool:
    return page_or_partial(request, PAGE, PART) == PART


def _tabs(state: GroupState | None, page: queries.GroupPage) -> list[Tab]:
    counted = sum(page.counts.values())
    tabs = [Tab("", OPEN_LOOK, counted, state is None)]
    for one in GroupState:
        is_over = one is GroupState.RESOLVED
        groups = None if is_over else page.counts[one]
        tabs.append(Tab(one.value, LOOKS[one], groups, state is one))
    return tabs


def _start(text: str) -> int:
    is_number = text.isascii() and text.isdigit() and len(text) < 6
    return min(int(text), MOST_START) if is_number else 0
