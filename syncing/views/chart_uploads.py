"""What was uploaded: refreshes, their batches, and the records that were refused."""

import uuid

from django.http import Http404, HttpResponse
from django.utils import timezone
from django.views.decorators.http import require_GET

from connections.models import MirrorRun
from rampbridge.lib.htmx import HtmxHttpRequest
from rampbridge.policy import Permission, allow
from syncing.queries import chart_records, mirroring
from syncing.queries.chart_records import After
from syncing.queries.mirroring import Batch, Run
from syncing.views.chart import frame, mirrored_customer
from syncing.views.live import live, version_of

VIEWS = (("", "Refreshes"), ("batches", "Batches"), ("refused", "Refused records"))


@require_GET
@allow(Permission.SEE)
def upload_batches(request: HtmxHttpRequest, slug: str) -> HttpResponse:
    """Refreshes, or batches, or what was refused: the newest first."""
    now = timezone.now()
    connection = mirrored_customer(slug)
    show = request.GET.get("show", "")
    after = request.GET.get("after", "")
    context = {**frame(request, connection, now), "show": show, "views": VIEWS}
    if show == "refused":
        records = chart_records.records(connection.pk, only_refused=True, after=After.parse(after))
        context |= {"records": records.rows, "page": records}
        facts: object = records.rows
    elif show == "batches":
        page = mirroring.batches(connection.pk, after=after)
        context |= {"batches": [Batch(one) for one in page.rows], "page": page}
        facts = [(one.pk, one.state, one.taken, one.refused, one.calls) for one in page.rows]
    else:
        past = mirroring.runs(connection.pk, after=after)
        context |= {"runs": [Run(one) for one in past.rows], "page": past}
        facts = [(one.pk, one.state, one.sent, one.refused) for one in past.rows]
    return live(
        request,
        "syncing/chart_uploads.html",
        "syncing/_chart_uploads.html",
        version=version_of(show, facts, context["look"]),
        context=context,
    )


@require_GET
@allow(Permission.SEE)
def mirror_run(request: HtmxHttpRequest, slug: str, pk: uuid.UUID) -> HttpResponse:
    """One refresh: what was read, and each batch that it sent."""
    now = timezone.now()
    connection = mirrored_customer(slug)
    found = MirrorRun.objects.filter(connection=connection, pk=pk).first()
    if found is None:
        raise Http404("no such refresh")
    page = mirroring.batches_of(found, after=request.GET.get("after", ""))
    progress = mirroring.progress(found)
    context = {
        **frame(request, connection, now),
        "row": Run(found),
        "run": found,
        "progress": progress,
        "batches": [Batch(one) for one in page.rows],
        "page": page,
    }
    version = version_of(
        (found.state, found.seen, found.sent, found.refused, found.title),
        progress,
        [(one.pk, one.state, one.taken, one.refused, one.calls) for one in page.rows],
    )
    return live(
        request,
        "syncing/chart_run.html",
        "syncing/_chart_run.html",
        version=version,
        context=context,
    )
