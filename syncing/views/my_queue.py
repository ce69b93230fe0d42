"""What waits for whoever asks: a count for the top of every page, and the way to the list."""

from django.http import HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.views.decorators.http import require_GET

from rampbridge.lib.htmx import HtmxHttpRequest
from rampbridge.policy import Permission, allow
from syncing.queries.my_queue import my_queue as read_my_queue


@require_GET
@allow(Permission.SEE)
def my_queue(request: HtmxHttpRequest) -> HttpResponse:
    """The count; by itself, the list behind it."""
    if not request.htmx:
        return redirect(f"{reverse('items')}?owner=me")
    found = read_my_queue(request.user.get_username())
    return render(request, "parts/_my_queue.html", {"mine": found})
