"""The customer's own view of its errors, and everything about it as text to hand on."""

from datetime import timedelta

from django.http import Http404, HttpResponse
from django.shortcuts import render
from django.utils import timezone
from django.views.decorators.http import require_GET

from connections import audit
from connections.models import Connection
from rampbridge.lib.htmx import HtmxHttpRequest
from rampbridge.lib.keyset import Cursor
from rampbridge.policy import Permission, allow
from syncing.queries import buckets, bundle, customer_errors, customer_stream, in_ramp
from syncing.queries import fleet as fleet_queries
from syncing.queries.sentence import as_text, sentence
from syncing.views.customer import situation
from syncing.views.customer_acts import open_customer

EVENTS_IN_BUNDLE = 30


@require_GET
@allow(Permission.SEE)
def customer_in_ramp(request: HtmxHttpRequest, slug: str) -> HttpResponse:
    """The texts, to the letter, that stand in Ramp for this customer's items."""
    connection = open_customer(slug)
    page = in_ramp.shown(connection.pk, after=Cursor.parse(request.GET.get("after", "")))
    context = {
        "section": "customers",
        "tab": "in-ramp",
        "now": timezone.now(),
        "connection": connection,
        "page": page,
        "rows": [in_ramp.Shown(item) for item in page.rows],
    }
    return render(request, "syncing/customer_in_ramp.html", context)


@require_GET
@allow(Permission.SEE)
def customer_bundle(request: HtmxHttpRequest, slug: str) -> HttpResponse:
    """How the customer stands, as text without anything secret. Whoever takes it leaves a line."""
    now = timezone.now()
    try:
        row, lines = fleet_queries.customer(slug=slug, now=now)
    except Connection.DoesNotExist:
        raise Http404("no customer of that name") from None
    connection = row.connection
    audit.record(
        request.user.get_username(),
        "customer.bundle",
        f"Took the support bundle of {connection.name}.",
        connection_id=connection.pk,
        subject="customer",
        subject_id=connection.pk,
    )
    causes = customer_errors.causes(connection.pk)
    done = sum(buckets.done_by_type(connection.pk, since=now - timedelta(days=1)).values())
    words = as_text(sentence(situation(row, causes, done_today=done)), now=now)
    events = customer_stream.stream(connection.pk, now=now, size=EVENTS_IN_BUNDLE).lines
    context = {
        "section": "customers",
        "tab": "bundle",
        "now": now,
        "connection": connection,
        "bundle": bundle.of_customer(row, lines, causes, events, sentence=words, now=now),
    }
    return render(request, "syncing/customer_bundle.html", context)
