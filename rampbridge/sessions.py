"""How long people stay signed in, and that browsers keep nothing of what they saw."""

import time
from collections.abc import Callable
from typing import Any

from django.contrib.auth import logout
from django.contrib.auth.signals import user_logged_in
from django.dispatch import receiver
from django.http import HttpRequest, HttpResponse

IDLE_SECONDS = 30 * 60
ABSOLUTE_SECONDS = 12 * 60 * 60
TOUCH_SECONDS = 60

# Live parts of a page ask again by themselves, with this header. They must not keep a session alive
# on a desk that everyone has left.
POLL_HEADER = "X-Live-Poll"

SIGNED_IN_AT = "signed_in_at"
SEEN_AT = "seen_at"


@receiver(user_logged_in, dispatch_uid="rampbridge.sessions")
def note_sign_in(request: HttpRequest, **_: Any) -> None:
    """Start both clocks of a session."""
    request.session[SIGNED_IN_AT] = request.session[SEEN_AT] = int(time.time())


class SessionLifetimeMiddleware:
    """End sessions after half an hour without a person, and after twelve hours in any case."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        if request.user.is_authenticated:
            self._check(request, int(time.time()))
        response = self.get_response(request)
        if request.user.is_authenticated and not response.has_header("Cache-Control"):
            response["Cache-Control"] = "no-store"
        return response

    def _check(self, request: HttpRequest, now: int) -> None:
        signed_in_at = request.session.get(SIGNED_IN_AT, 0)
        seen_at = request.session.get(SEEN_AT, 0)
        if now - signed_in_at > ABSOLUTE_SECONDS or now - seen_at > IDLE_SECONDS:
            logout(request)
        elif now - seen_at > TOUCH_SECONDS and POLL_HEADER not in request.headers:
            # At most once a minute: a write for every click would be for nothing.
            request.session[SEEN_AT] = now
