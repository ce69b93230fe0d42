"""Close a customer whose Ramp lets us in no more."""

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils import timezone
from django.views.decorators.http import require_http_methods

from connections.forms import CloseHereForm
from connections.models import Chore, Connection, HealthCheck
from connections.upkeep import lifecycle
from rampbridge.policy import Permission, allow
from syncing.queries import standing
from syncing.queries.words import OPEN_WORDS
from syncing.views.customer_acts import open_customer

UNPROCESSABLE = 422


@require_http_methods(["GET", "POST"])
@allow(Permission.CONNECT)
def close_customer(request: HttpRequest, slug: str) -> HttpResponse:
    """Say what stays in Ramp, ask for the name and a reason, and stop everything here.

    Only where Ramp could not be told: who can be told is disconnected the other way.
    """
    connection = open_customer(slug)
    if connection.stage == Connection.Stage.CLOSED or not cannot_be_told(connection):
        return redirect("connection_settings", slug=slug)
    form = CloseHereForm(request.POST or None, name=connection.name)
    if request.method == "POST" and form.is_valid():
        lifecycle.close_here(
            connection, reason=form.cleaned_data["reason"], actor=request.user.get_username()
        )
        messages.success(request, f"{connection.name} is closed. In Ramp nothing was changed.")
        return redirect("connection_settings", slug=slug)
    lines = standing.standings(now=timezone.now(), connection_id=connection.pk)
    context = {
        "section": "customers",
        "tab": "settings",
        "connection": connection,
        "form": form,
        "open_items": sum(line.items for line in lines if line.word in OPEN_WORDS),
    }
    status = UNPROCESSABLE if request.method == "POST" else 200
    return render(request, "connections/close.html", context, status=status)


def cannot_be_told(connection: Connection) -> bool:
    """Whether Ramp was asked to disconnect the customer and it failed, or lets us in no more."""
    refused = Chore.objects.filter(
        connection=connection, kind=Chore.Kind.DISCONNECT, state=Chore.State.REFUSED
    )
    shut_out = HealthCheck.objects.filter(connection=connection, side="ramp", is_ok=False)
    return refused.exists() or shut_out.exists()
