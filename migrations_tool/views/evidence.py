"""What was seen, with whose eyes: the drawer beside a step, and the same as a page to print."""

from datetime import datetime

from django.http import Http404, HttpResponse
from django.shortcuts import render
from django.utils import timezone
from django.views.decorators.http import require_GET

from migrations_tool import queries
from migrations_tool.models import ConnectionMigration, Evidence
from migrations_tool.steps import BY_STEP, Step
from migrations_tool.views.looks import EVIDENCE_LOOKS, EVIDENCE_STALE
from rampbridge.lib.htmx import HtmxHttpRequest, page_or_partial
from rampbridge.lib.keyset import Cursor
from rampbridge.policy import Permission, allow
from syncing.queries.words import Look


@require_GET
@allow(Permission.SEE)
def migration_evidence(request: HtmxHttpRequest, pk: int, step: Step) -> HttpResponse:
    """Every line of a step; of all steps with `?of=all`."""
    now = timezone.now()
    try:
        found = ConnectionMigration.objects.select_related("connection").get(pk=pk)
    except ConnectionMigration.DoesNotExist:
        raise Http404("no such migration") from None
    is_all = request.GET.get("of") == "all"
    after = Cursor.parse(request.GET.get("after", ""))
    page = queries.evidence(found, None if is_all else step, after=after)
    context = {
        "section": "migrations",
        "now": now,
        "migration": found,
        "connection": found.connection,
        "step": BY_STEP[step],
        "is_all": is_all,
        "page": page,
        "lines": [(one, _look(one, now), BY_STEP[Step(one.step)]) for one in page.rows],
    }
    template = page_or_partial(
        request, "migrations_tool/evidence.html", "migrations_tool/_evidence.html"
    )
    return render(request, template, context)


def _look(one: Evidence, now: datetime) -> Look:
    if one.is_good and one.stale_at is not None and one.stale_at <= now:
        return EVIDENCE_STALE
    return EVIDENCE_LOOKS[one.is_good]
