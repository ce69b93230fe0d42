"""How one customer is read and checked: the last pull, the sync button, the nightly comparison."""

from django.http import Http404, HttpResponse
from django.utils import timezone
from django.views.decorators.http import require_GET

from connections.models import Connection
from rampbridge.lib.htmx import HtmxHttpRequest
from rampbridge.policy import Permission, allow
from syncing.queries import comparisons, flow, presses, reading
from syncing.queries.words import type_label
from syncing.views.live import live, version_of


@require_GET
@allow(Permission.SEE)
def customer_runs(request: HtmxHttpRequest, slug: str) -> HttpResponse:
    """What is done for one customer, and when it was done last; live."""
    now = timezone.now()
    connection = Connection.objects.filter(slug=slug).select_related("schedule").first()
    if connection is None:
        raise Http404("no customer of that name")
    schedule = getattr(connection, "schedule", None)
    read = reading.reading(connection)
    pressed = presses.last_presses(connection.pk, now=now)
    compared = comparisons.last_comparison(connection.pk)
    context = {
        "section": "customers",
        "tab": "runs",
        "now": now,
        "connection": connection,
        "schedule": schedule,
        "reading": read,
        "presses": pressed,
        "button_types": [f"{type_label(one)}s" for one in connection.button_types],
        "comparison": compared,
        "latency": flow.latency(now=now, connection_id=connection.pk),
    }
    version = version_of(
        read.last and (read.last.pk, read.last.finished_at, read.last.seen),
        (read.lists, read.webhook),
        schedule and (schedule.fetch_asked_by, schedule.next_poll_at),
        [(one.request.pk, one.request.state, one.answered) for one in pressed],
        compared and (compared.run.pk, compared.run.finished_at),
    )
    return live(
        request,
        "syncing/customer_runs.html",
        "syncing/_customer_runs.html",
        version=version,
        context=context,
    )
