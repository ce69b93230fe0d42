"""A customer's legal units: what each is in the ERP, and where its spend is booked."""

from django.db.models import Exists, OuterRef
from django.http import HttpResponse
from django.shortcuts import render
from django.utils import timezone
from django.views.decorators.http import require_GET

from connections.models import PostingProfile
from rampbridge.lib.htmx import HtmxHttpRequest
from rampbridge.policy import Permission, allow
from syncing.views.customer_acts import open_customer

SHOWN = 500


@require_GET
@allow(Permission.SEE)
def customer_entities(request: HtmxHttpRequest, slug: str) -> HttpResponse:
    """Each entity of Ramp's with its company; those that nobody has mapped come first."""
    connection = open_customer(slug)
    companies = dict(connection.erp_entities.values_list("erp_id", "name"))
    own = PostingProfile.objects.filter(entity=OuterRef("pk"))
    entities = connection.entities.annotate(has_accounts=Exists(own))
    found = list(entities.order_by("is_mapped", "-is_primary", "name", "pk")[:SHOWN])
    context = {
        "section": "customers",
        "tab": "entities",
        "now": timezone.now(),
        "connection": connection,
        "rows": [(one, companies.get(one.erp_entity, one.erp_entity)) for one in found],
        "unmapped": sum(not one.is_mapped for one in found),
    }
    return render(request, "syncing/customer_entities.html", context)
