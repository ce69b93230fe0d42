"""What people set off for one customer, without waiting for its time."""

from django.contrib import messages
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.urls import reverse
from django.utils.html import format_html
from django.views.decorators.http import require_POST

from connections.models import Connection
from rampbridge.policy import Permission, allow
from syncing import services
from syncing.models import SyncRun


def open_customer(slug: str) -> Connection:
    """The customer of that name, with its schedule.

    :raises Http404: if there is none
    """
    found = Connection.objects.filter(slug=slug).select_related("schedule").first()
    if found is None:
        raise Http404("no customer of that name")
    return found


@require_POST
@allow(Permission.RUN)
def poll_now(request: HttpRequest, slug: str) -> HttpResponse:
    """Have Ramp read, then show the customer again."""
    try:
        services.poll_now(open_customer(slug), request.user.get_username())
    except services.NotRunning as refusal:
        messages.error(request, str(refusal))
    else:
        address = f"{reverse('runs')}?customer={slug}&trigger={SyncRun.Trigger.MANUAL}"
        words = 'Ramp is read within seconds. Follow it among <a href="{}">its runs</a>.'
        messages.success(request, format_html(words, address))
    return redirect("customer", slug=slug)


@require_POST
@allow(Permission.RUN)
def compare_now(request: HttpRequest, slug: str) -> HttpResponse:
    """Have Ramp, us and the ERP compared, then show the customer again."""
    try:
        services.compare_now(open_customer(slug), request.user.get_username())
    except services.NotRunning as refusal:
        messages.error(request, str(refusal))
    else:
        messages.success(request, "The comparison begins within seconds and takes minutes.")
    return redirect("customer_runs", slug=slug)
