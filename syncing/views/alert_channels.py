"""Where alerts are sent, and every message that was."""

from typing import Any

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils import timezone
from django.views.decorators.http import require_GET, require_http_methods, require_POST

from connections.models import AlertChannel
from rampbridge.lib.htmx import HtmxHttpRequest
from rampbridge.lib.keyset import Cursor
from rampbridge.policy import Permission, allow
from syncing.alert_forms import ChannelForm
from syncing.alerts import acts
from syncing.models import AlertDelivery
from syncing.queries import alerts as queries
from syncing.views.live import live, version_of
from syncing.views.narrowing import known

UNPROCESSABLE, CONFLICT = 422, 409


@require_GET
@allow(Permission.SEE)
def alert_channels(request: HttpRequest) -> HttpResponse:
    context = {
        "section": "alerts",
        "tab": "channels",
        "now": timezone.now(),
        "channels": queries.channels(),
    }
    return render(request, "alerts/channels.html", context)


@require_http_methods(["GET", "POST"])
@allow(Permission.WATCH)
def new_alert_channel(request: HttpRequest) -> HttpResponse:
    form = ChannelForm(request.POST) if request.method == "POST" else ChannelForm()
    return _edited(request, form, None)


@require_http_methods(["GET", "POST"])
@allow(Permission.WATCH)
def alert_channel(request: HttpRequest, pk: int) -> HttpResponse:
    channel = get_object_or_404(AlertChannel, pk=pk)
    data = request.POST if request.method == "POST" else None
    return _edited(request, ChannelForm(data, channel=channel), channel)


@require_POST
@allow(Permission.WATCH)
def try_alert_channel(request: HttpRequest, pk: int) -> HttpResponse:
    """Send a test, and show what becomes of it."""
    channel = get_object_or_404(AlertChannel, pk=pk)
    acts.try_channel(channel=channel, actor=request.user.get_username(), now=timezone.now())
    messages.success(request, f"A test goes to {channel.name} within a minute. Here it is shown.")
    return redirect("alert_deliveries")


@require_GET
@allow(Permission.SEE)
def alert_deliveries(request: HtmxHttpRequest) -> HttpResponse:
    """Every message, the newest first, with what the other side answered."""
    offered = queries.channels()
    chosen = _chosen(request, [one.pk for one in offered])
    state = known(request.GET.get("state", ""), [one.value for one in AlertDelivery.State])
    page, rows = queries.deliveries(
        channel=chosen, state=state, after=Cursor.parse(request.GET.get("after", ""))
    )
    context = {
        "section": "alerts",
        "tab": "deliveries",
        "now": timezone.now(),
        "page": page,
        "rows": rows,
        "channels": [(str(one.pk), one.name) for one in offered],
        "channel": str(chosen or ""),
        "states": AlertDelivery.State.choices,
        "state": state,
        "is_narrowed": bool(chosen or state),
    }
    version = version_of(
        [(row.delivery.pk, row.delivery.state, row.delivery.attempts) for row in rows]
    )
    return live(
        request,
        "alerts/deliveries.html",
        "alerts/_deliveries.html",
        version=version,
        context=context,
    )


@require_POST
@allow(Permission.WATCH)
def send_alert_again(request: HttpRequest, pk: int) -> HttpResponse:
    """Try a message anew that was given up."""
    delivery = get_object_or_404(AlertDelivery.objects.select_related("channel"), pk=pk)
    actor = request.user.get_username()
    if acts.send_again(delivery=delivery, actor=actor, now=timezone.now()):
        messages.success(request, "It is tried again within a minute.")
    else:
        messages.warning(request, "It is no longer given up.")
    return redirect("alert_deliveries")


def _chosen(request: HttpRequest, known_pks: list[int]) -> int | None:
    text = request.GET.get("channel", "")
    return next((pk for pk in known_pks if str(pk) == text), None)


def _edited(request: HttpRequest, form: ChannelForm, channel: AlertChannel | None) -> HttpResponse:
    if request.method != "POST":
        return _form(request, form, channel)
    if not form.is_valid():
        return _form(request, form, channel, status=UNPROCESSABLE)
    try:
        saved = acts.save_channel(
            channel=form.into(channel or AlertChannel()),
            url=form.cleaned_data["url"],
            actor=request.user.get_username(),
            version=(form.cleaned_data["version"] or 0) if channel else None,
        )
    except acts.ChangedMeanwhile as refusal:
        messages.error(request, str(refusal))
        return _form(request, form, channel, status=CONFLICT)
    messages.success(request, f"Saved “{saved.name}”. Send a test to see whether it arrives.")
    return redirect("alert_channels")


def _form(
    request: HttpRequest, form: ChannelForm, channel: AlertChannel | None, *, status: int = 200
) -> HttpResponse:
    context: dict[str, Any] = {
        "section": "alerts",
        "tab": "channels",
        "form": form,
        "channel": channel,
        "by": form.kind_chosen if form.is_bound or channel else "",
    }
    return render(request, "alerts/channel.html", context, status=status)
