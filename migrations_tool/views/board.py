"""The list of migrations, and how one begins and ends."""

from collections.abc import Mapping
from datetime import datetime
from zoneinfo import ZoneInfo

from django.contrib import messages
from django.http import HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils import timezone
from django.views.decorators.http import require_GET, require_http_methods

from connections import queries as connection_queries
from connections.models import Connection
from migrations_tool import proofs, queries, services
from migrations_tool.forms import EndForm, StartForm
from migrations_tool.models import ConnectionMigration, Report, StepRun
from migrations_tool.queries import Row
from migrations_tool.rollback import after_flip, before_flip
from migrations_tool.steps import BY_STEP, STEPS, Path, Step
from migrations_tool.views.looks import MIGRATION_LOOKS, STATUS_LOOKS
from migrations_tool.wizard import Refused, current_step
from rampbridge.lib.htmx import HtmxHttpRequest
from rampbridge.lib.keyset import Cursor
from rampbridge.policy import Permission, allow, can
from syncing.views.live import live, version_of

UNPROCESSABLE = 422
CUSTOMERS_LISTED = 100
State = ConnectionMigration.State

TABS: Mapping[str, tuple[str, tuple[State, ...]]] = {
    "": ("Under way", (State.OPEN,)),
    "finished": ("Finished", (State.FINISHED,)),
    "ended": ("Abandoned or rolled back", (State.ABANDONED, State.ROLLED_BACK)),
}


@require_GET
@allow(Permission.SEE)
def migrations(request: HtmxHttpRequest) -> HttpResponse:
    """Every migration: where it stands, whose move it is, and what blocks."""
    now = timezone.now()
    show = request.GET.get("show", "")
    show = show if show in TABS else ""
    page = queries.migrations(TABS[show][1], after=Cursor.parse(request.GET.get("after", "")))
    found = queries.rows(page.rows)
    may_start = can(request.user, Permission.MIGRATE)
    customers = connection_queries.customer_choices(at_most=CUSTOMERS_LISTED + 1)
    context = {
        "section": "migrations",
        "now": now,
        "page": page,
        "lines": [_line(one, now) for one in found],
        "tabs": [(name, label, name == show) for name, (label, _) in TABS.items()],
        "show": show,
        "steps": len(STEPS),
        "may_migrate": may_start,
        "customers": customers if len(customers) <= CUSTOMERS_LISTED else None,
        "form": StartForm(),
    }
    version = version_of([_facts(one) for one in found])
    return live(
        request,
        "migrations_tool/migrations.html",
        "migrations_tool/_migrations.html",
        version=version,
        context=context,
    )


def _facts(row: Row) -> tuple[object, ...]:
    """What changes when a line of the list does."""
    run = row.run
    return (
        (row.migration.pk, row.migration.state, row.asked, row.migration.flip_on),
        [(record.version, record.stale_because) for record in row.records.values()],
        (run.pk, run.state, run.done_items) if run else None,
    )


def _line(row: Row, now: datetime) -> dict[str, object]:
    flip_on = row.migration.flip_on
    today = now.astimezone(ZoneInfo(row.migration.connection.time_zone)).date()
    return {
        "row": row,
        "migration": row.migration,
        "connection": row.migration.connection,
        "look": MIGRATION_LOOKS[row.migration.state],
        "step": BY_STEP[row.current] if row.current else None,
        "step_look": STATUS_LOOKS[row.status] if row.status else None,
        "record": row.record,
        "days": (flip_on - today).days if flip_on else None,
        "late": (today - flip_on).days if flip_on else None,
        "stale": [BY_STEP[one] for one in row.stale],
    }


@require_http_methods(["GET", "POST"])
@allow(Permission.MIGRATE)
def migration_start(request: HtmxHttpRequest, slug: str) -> HttpResponse:
    """Begin a customer's migration, or go to the one that is under way."""
    connection = get_object_or_404(Connection, slug=slug)
    under_way = queries.open_migration_of(slug)
    if under_way is not None:
        return redirect("migration", under_way.pk)
    if request.method == "POST":
        try:
            started = services.start(
                connection,
                path=Path.MIGRATION,
                actor=request.user.get_username(),
                now=timezone.now(),
            )
        except Refused as refusal:
            messages.error(request, str(refusal))
            return redirect("migration_start", slug)
        messages.success(request, "Begun. The first check reads from Ramp which path it takes.")
        return redirect("migration", started.pk)
    context = {
        "section": "migrations",
        "now": timezone.now(),
        "connection": connection,
        "steps": STEPS,
        "earlier": list(connection.migrations.order_by("-started_at", "-pk")[:5]),
    }
    return render(request, "migrations_tool/start.html", context)


@require_GET
@allow(Permission.MIGRATE)
def migration_choose(request: HtmxHttpRequest) -> HttpResponse:
    """From a chosen customer to the page that begins the migration."""
    form = StartForm(request.GET)
    if form.is_valid() and Connection.objects.filter(slug=form.cleaned_data["customer"]).exists():
        return redirect("migration_start", form.cleaned_data["customer"])
    messages.error(request, "There is no such customer. Choose one from the list.")
    return redirect("migrations")


@require_http_methods(["GET", "POST"])
@allow(Permission.MIGRATE)
def migration_end(request: HtmxHttpRequest, pk: int) -> HttpResponse:
    """Finish a migration whose steps are all over, or abandon it with a reason."""
    now = timezone.now()
    found = get_object_or_404(ConnectionMigration.objects.select_related("connection"), pk=pk)
    seen = queries.seen(pk)
    current = current_step(seen.standings)
    me = request.user.get_username()
    form = EndForm(request.POST or None, customer=found.connection.name)
    refusal = ""
    if request.method == "POST":
        is_finish = request.POST.get("how") == "finish"
        try:
            if is_finish:
                services.finish(found, actor=me, now=now)
                messages.success(request, "Finished. It can be read, not changed.")
                return redirect("migration", pk)
            if form.is_valid():
                run = _ask_to_end(request, found, because=form.cleaned_data["because"], now=now)
                return redirect("migration_step", pk, run.step)
        except Refused as words:
            refusal = str(words)
    context = {
        "section": "migrations",
        "now": now,
        "migration": found,
        "connection": found.connection,
        "look": MIGRATION_LOOKS[found.state],
        "current": BY_STEP[current] if current else None,
        "flip": BY_STEP[Step.FLIP],
        "form": form,
        "refusal": refusal,
        "is_open": found.state == State.OPEN,
        "is_being_taken_back": after_flip.is_under_way(found),
        "seen": proofs.newest(found, after_flip.SEEN),
        "has_report": found.reports.filter(kind=Report.Kind.CLOSING).exists(),
    }
    status = UNPROCESSABLE if request.method == "POST" else 200
    return render(request, "migrations_tool/end.html", context, status=status)


def _ask_to_end(
    request: HtmxHttpRequest, migration: ConnectionMigration, *, because: str, now: datetime
) -> StepRun:
    """Give it up before the switch; after it, once it is taken back, end it as it is.

    :raises Refused: with words fit to show
    """
    me = request.user.get_username()
    if not after_flip.is_under_way(migration):
        run = before_flip.ask_to_abandon(migration, because=because, actor=me, now=now)
        messages.success(request, "It is being given up. Ramp is read before and after.")
        return run
    run = after_flip.ask_to_end_as_it_is(migration, because=because, actor=me, now=now)
    messages.success(request, "It is being ended. Ramp is read first.")
    return run
