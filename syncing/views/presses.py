"""One press of Ramp's sync button, while it is answered and afterwards."""

import uuid

from django.http import Http404, HttpResponse
from django.utils import timezone
from django.views.decorators.http import require_GET

from rampbridge.lib.htmx import HtmxHttpRequest
from rampbridge.policy import Permission, allow
from syncing.models import SyncRequest
from syncing.queries import presses
from syncing.views.customer_acts import open_customer
from syncing.views.live import live, version_of


@require_GET
@allow(Permission.SEE)
def press(request: HtmxHttpRequest, slug: str, pk: uuid.UUID) -> HttpResponse:
    """The clock, what became of the rows, and those that are not through."""
    now = timezone.now()
    connection = open_customer(slug)
    try:
        found = presses.press(connection.pk, pk, now=now)
    except SyncRequest.DoesNotExist:
        raise Http404("no such press of the sync button") from None
    asked = found.request
    rows = presses.standing(asked)
    open_rows = presses.open_rows(asked, now=now)
    version = version_of(
        (asked.state, asked.pulled_at, asked.requested),
        (asked.succeeded, asked.failed, asked.not_started, asked.last_ack_at),
        (found.may_start, found.is_over),
        [(row.word, row.items) for row in rows],
        [(row.item.pk, row.item.state_at, row.word) for row in open_rows],
    )
    context = {
        "section": "customers",
        "now": now,
        "connection": connection,
        "press": found,
        "asked": asked,
        "standing": rows,
        "rows": open_rows,
        "moved_on": max(asked.requested - sum(row.items for row in rows), 0),
    }
    return live(
        request, "syncing/press.html", "syncing/_press.html", version=version, context=context
    )
