"""What people set off about a customer's chart, without waiting for its time."""

from collections.abc import Callable
from functools import partial

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.views.decorators.http import require_POST

from connections import tasks
from connections.mirror import schedule, wishes
from connections.models import Connection
from rampbridge.policy import Permission, allow
from syncing.views.customer_acts import open_customer

_CLOSED = "This customer is closed: nothing is read or uploaded for it any more."


@require_POST
@allow(Permission.UPLOAD)
def read_erp(request: HttpRequest, slug: str) -> HttpResponse:
    """Have the ERP's chart read, all of it."""
    connection = open_customer(slug)
    wish = partial(schedule.read_soon, connection.pk, actor=request.user.get_username(), full=True)
    return _soon(request, connection, wish, f"{connection.erp_name} is read within seconds.")


@require_POST
@allow(Permission.UPLOAD)
def upload_chart(request: HttpRequest, slug: str) -> HttpResponse:
    """Have what differs uploaded."""
    connection = open_customer(slug)
    wish = partial(schedule.upload_soon, connection.pk, actor=request.user.get_username())
    text = f"{connection.erp_name} is read once more, then what differs goes to Ramp."
    return _soon(request, connection, wish, text)


@require_POST
@allow(Permission.UPLOAD)
def verify_chart(request: HttpRequest, slug: str) -> HttpResponse:
    """Have what Ramp has read back."""
    connection = open_customer(slug)
    wish = partial(schedule.verify_soon, connection.pk, actor=request.user.get_username())
    return _soon(request, connection, wish, "What Ramp has is read back within seconds.")


@require_POST
@allow(Permission.UPLOAD)
def switch_automatic(request: HttpRequest, slug: str) -> HttpResponse:
    """Upload what changes by itself from now on, or only when somebody says so."""
    connection = open_customer(slug)
    is_automatic = request.POST.get("automatic") == "on"
    wishes.set_automatic(connection, is_automatic=is_automatic, actor=request.user.get_username())
    if is_automatic:
        messages.success(request, "What changes is uploaded by itself from now on.")
    else:
        text = f"{connection.erp_name} is still read. Nothing is uploaded until somebody says so."
        messages.success(request, text)
    return redirect("chart", slug=slug)


def _soon(
    request: HttpRequest, connection: Connection, wish: Callable[[], None], text: str
) -> HttpResponse:
    if connection.stage == Connection.Stage.CLOSED:
        messages.error(request, _CLOSED)
        return redirect("chart", slug=connection.slug)
    schedule.ensure(connection)
    wish()
    tasks.ring(tasks.refresh_chart, connection_id=str(connection.pk))
    messages.success(request, text)
    return redirect("chart", slug=connection.slug)
