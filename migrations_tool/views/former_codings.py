"""What was this coded to? The archive of codings, searched."""

from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils import timezone
from django.utils.http import urlencode
from django.views.decorators.http import require_GET

from connections.models import Connection
from migrations_tool import former_codings as archive
from rampbridge.policy import Permission, allow
from syncing.queries.search import LONGEST

CUSTOMERS_OFFERED = 500


@require_GET
@allow(Permission.SEE)
def former_codings(request: HttpRequest) -> HttpResponse:
    """Objects of a customer's archive, line by line as the old integration knew them."""
    now = timezone.now()
    text = request.GET.get("q", "").strip()[:LONGEST]
    customers = list(archive.customers()[:CUSTOMERS_OFFERED])
    customer = _customer(request) or (customers[0] if len(customers) == 1 else None)
    found = archive.find(text, customer, today=now.date(), after=request.GET.get("after", ""))
    newest = archive.archive_of(customer) if customer else None
    asked = {"q": text, "customer": customer.slug if customer else "", "after": found.next}
    return render(
        request,
        "migrations_tool/former_codings.html",
        {
            "section": "migrations",
            "now": now,
            "query": text,
            "found": found,
            "customer": customer,
            "customers": customers,
            "archive": newest,
            "is_first": "after" not in request.GET,
            "next": f"?{urlencode(asked)}" if found.next else "",
        },
    )


def _customer(request: HttpRequest) -> Connection | None:
    slug = request.GET.get("customer", "")
    if not slug:
        return None
    found = Connection.objects.filter(slug=slug[:80]).first()
    if found is None:
        raise Http404("no customer of that name")
    return found
