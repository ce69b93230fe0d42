"""What was done as one, whoever set it off, and one pull from Ramp with its console."""

from django.http import Http404, HttpResponse
from django.utils import timezone
from django.views.decorators.http import require_GET

from rampbridge.lib.htmx import HtmxHttpRequest
from rampbridge.policy import Permission, allow
from syncing.models import SyncRun
from syncing.queries import items as item_queries
from syncing.queries import run_page
from syncing.queries import runs as run_queries
from syncing.queries.runs import KINDS, OUTCOMES, Wanted
from syncing.views.live import live, version_of
from syncing.views.narrowing import chosen_customer, customers_offered, known


@require_GET
@allow(Permission.SEE)
def runs(request: HtmxHttpRequest) -> HttpResponse:
    """One kind of runs, the newest first."""
    now = timezone.now()
    kind = known(request.GET.get("show", ""), KINDS)
    connection = chosen_customer(request)
    wanted = Wanted(
        kind=kind,
        connection_id=connection.pk if connection else None,
        trigger=known(request.GET.get("trigger", ""), dict(SyncRun.Trigger.choices)),
        outcome=known(request.GET.get("outcome", ""), OUTCOMES),
    )
    page = run_queries.page(wanted, after=request.GET.get("after", ""), now=now)
    context = {
        "section": "runs",
        "now": now,
        "kinds": KINDS.items(),
        "wanted": wanted,
        "connection": connection,
        "customers": customers_offered(),
        "triggers": SyncRun.Trigger.choices,
        "outcomes": OUTCOMES.items(),
        "page": page,
        "is_narrowed": any((wanted.connection_id, wanted.trigger, wanted.outcome)),
    }
    version = version_of(
        wanted,
        [(one.key, one.look.label, one.duration, one.counts, one.calls) for one in page.lines],
    )
    return live(request, "runs/runs.html", "runs/_runs.html", version=version, context=context)


@require_GET
@allow(Permission.SEE)
def run(request: HtmxHttpRequest, pk: int) -> HttpResponse:
    """One pull: its console while it goes on, what rang for it, and what it brought."""
    now = timezone.now()
    try:
        found = run_queries.pull(pk)
    except SyncRun.DoesNotExist:
        raise Http404("no such run") from None
    events = run_page.events_of(found)
    lists = run_page.cursors(found)
    brought = run_page.brought(found, now=now)
    context = {
        "section": "runs",
        "now": now,
        "run": found,
        "connection": found.connection,
        "look": run_queries.outcome_of(found),
        "duration": found.finished_at - found.started_at if found.finished_at else None,
        "throttled": found.throttled_ms / 1000,
        "steps": run_page.console(found, events, lists),
        "events": events[: run_page.SHOWN],
        "more_events": len(events) > run_page.SHOWN,
        "rows": item_queries.rows(brought, now),
        "sums": run_queries.amounts([found], now=now).get(found.pk, []),
    }
    version = version_of(
        (found.pages, found.seen, found.new, found.changed, found.calls, found.finished_at),
        [(one.pk, one.pages, one.completed_at) for one in lists],
        [(one.pk, one.handled_at, one.deliveries) for one in events],
        [(one.pk, one.state, one.state_at) for one in brought],
    )
    return live(request, "runs/run.html", "runs/_run.html", version=version, context=context)
