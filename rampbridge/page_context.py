"""What every page's frame shows: where we are, who is asking, and what waits for people."""

from dataclasses import dataclass
from datetime import datetime
from functools import cache
from typing import Any
from urllib.parse import urlsplit

from django.conf import settings
from django.http import HttpRequest
from django.utils import timezone
from django.utils.functional import SimpleLazyObject

from rampbridge.policy import Permission, can, roles_of
from syncing.queries.frame import Frame, frame
from syncing.saved_views import MOST_PINNED
from syncing.views.saved_views import at_hand

MOST_PEOPLE = 500
_LOOPBACK = {"127.0.0.1", "::1", "localhost"}


@dataclass(frozen=True, slots=True)
class PlaceBadge:
    """Which Ramp this installation works on; nobody must take one for the other."""

    kind: str
    label: str


def place(ramp_api_url: str) -> PlaceBadge:
    """Production, Ramp's sandbox, or the simulator, from Ramp's address."""
    host = urlsplit(ramp_api_url).hostname or ""
    if host in _LOOPBACK:
        return PlaceBadge("demo", "Demo data")
    if host.startswith("demo-api."):
        return PlaceBadge("sandbox", "Sandbox")
    return PlaceBadge("production", "Production")


def shell(request: HttpRequest) -> dict[str, Any]:
    """Context processor. The counts in the navigation cost a query only where they are drawn."""
    context: dict[str, Any] = {"place": place(settings.RAMP_API_URL)}
    user = getattr(request, "user", None)
    if user is not None and user.is_authenticated:
        now = timezone.now()  # noqa: TID251  a context processor is an entry point
        framed = cache(lambda: _frame(user.get_username(), now))
        context |= {
            "now": now,
            "roles": sorted(roles_of(user)),
            "may_retry": can(user, Permission.RETRY),
            "may_pause": can(user, Permission.PAUSE),
            "may_run": can(user, Permission.RUN),
            "may_connect": can(user, Permission.CONNECT),
            "may_make_keys": can(user, Permission.KEYS),
            "may_handle": can(user, Permission.HANDLE),
            "may_migrate": can(user, Permission.MIGRATE),
            "incidents": SimpleLazyObject(lambda: framed().incidents),
            "queues": SimpleLazyObject(lambda: framed().queues),
            "pinned": SimpleLazyObject(lambda: at_hand(framed().pinned)),
            "people": SimpleLazyObject(lambda: framed().people),
            "open_alerts": SimpleLazyObject(lambda: framed().alerts),
            "may_watch": can(user, Permission.WATCH),
        }
    return context


def _frame(me: str, now: datetime) -> Frame:
    return frame(me, now=now, most_pinned=MOST_PINNED, most_people=MOST_PEOPLE)
