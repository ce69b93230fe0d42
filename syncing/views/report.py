"""One report to Ramp, frozen when it was made: its items, its key, and what Ramp said."""

import uuid

from django.http import Http404, HttpResponse
from django.utils import timezone
from django.views.decorators.http import require_GET

from rampbridge.lib.htmx import HtmxHttpRequest
from rampbridge.policy import Permission, allow
from syncing.models import AckBatch
from syncing.queries import items as item_queries
from syncing.queries import report_page
from syncing.queries import runs as run_queries
from syncing.queries.words import type_label
from syncing.views.live import live, version_of


@require_GET
@allow(Permission.SEE)
def report(request: HtmxHttpRequest, pk: uuid.UUID) -> HttpResponse:
    """The report, live until Ramp has answered."""
    now = timezone.now()
    try:
        batch = report_page.report(pk)
    except AckBatch.DoesNotExist:
        raise Http404("no such report") from None
    after = request.GET.get("after", "")
    found, following = report_page.items_in(batch, after=int(after) if after.isdecimal() else 0)
    context = {
        "section": "runs",
        "now": now,
        "batch": batch,
        "connection": batch.connection,
        "look": run_queries.REPORT_LOOKS[batch.state],
        "type_label": type_label(batch.sync_type.removesuffix("_SYNC").lower()),
        "is_success": batch.outcome == AckBatch.Outcome.SUCCESS,
        "duration": batch.closed_at - batch.created_at if batch.closed_at else None,
        "rows": item_queries.rows(found, now),
        "is_first": not after,
        "next": following,
    }
    version = version_of(
        (batch.state, batch.tries, batch.due_at, batch.problem, batch.sync_id),
        [(one.pk, one.state, one.state_at) for one in found],
    )
    return live(request, "runs/report.html", "runs/_report.html", version=version, context=context)
