"""What anybody may know: which of our parts work. No customers, no versions, no numbers."""

import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from threading import Lock

import structlog
from django.conf import settings
from django.contrib.auth.decorators import login_not_required
from django.db import DatabaseError
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.template.loader import render_to_string
from django.utils import timezone
from django.views.decorators.http import require_safe

from rampbridge.own_health.broker import BrokerFacts, broker_facts
from rampbridge.own_health.facts import database_facts, service_facts
from rampbridge.own_health.parts import Light, LightLook, parts

KEPT_SECONDS = 15.0
"""However many ask: the parts are looked at once in so long, by each process."""
COMPONENTS: Mapping[str, tuple[str, ...]] = {
    "Receiving from Ramp": ("webhooks", "polls", "ramp"),
    "Booking in ERPs": ("workers", "clock"),
    "Reporting to Ramp": ("reports",),
    "Pages and API": ("database",),
}
"""What people outside know of us, and what of ours it stands on."""
OPERATIONAL, DEGRADED, DOWN = "operational", "degraded", "down"
_WORDS = {Light.WATCH: DEGRADED, Light.ILL: DOWN}
_LOOKS = {
    OPERATIONAL: LightLook("Operational", "done", "circle-check"),
    DEGRADED: LightLook("Degraded", "customer", "triangle-alert"),
    DOWN: LightLook("Down", "person", "octagon-alert"),
}

log = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True)
class PublicStatus:
    """As of a moment."""

    at: datetime
    components: Mapping[str, str]

    @property
    def status(self) -> str:
        said = set(self.components.values())
        return next((word for word in (DOWN, DEGRADED) if word in said), OPERATIONAL)


class Cached:
    """Looks at most every few seconds, whoever asks: the address is open to all."""

    def __init__(self, look: Callable[[], PublicStatus]) -> None:
        self._look = look
        self._lock = Lock()
        self._until = float("-inf")
        self._known: PublicStatus | None = None

    def get(self, *, now: float) -> PublicStatus:
        """:param now: of the monotonic clock"""
        with self._lock:
            if self._known is None or now >= self._until:
                self._known, self._until = self._look(), now + KEPT_SECONDS
            return self._known

    def forget(self) -> None:
        """Look anew the next time."""
        self._known = None


def look() -> PublicStatus:
    """How everything is now. Without the database everything is down."""
    at = timezone.now()  # noqa: TID251  the moment of the look itself
    try:
        # Strangers who forge deliveries do not decide what others read here.
        facts = replace(service_facts(), refused_events=0)
        found = parts(facts, database_facts(), BrokerFacts(answers=True), release=settings.RELEASE)
    except DatabaseError as error:
        log.warning("status_not_read", cause=str(error))
        return PublicStatus(at, dict.fromkeys(COMPONENTS, DOWN))
    lights = {part.key: part.light for part in found}
    if not broker_facts().answers:
        lights["clock"] = Light.ILL  # nothing rings without it
    return PublicStatus(
        at,
        {
            name: _WORDS.get(max(lights[key] for key in keys), OPERATIONAL)
            for name, keys in COMPONENTS.items()
        },
    )


current = Cached(look)


@require_safe
@login_not_required
def status_page(request: HttpRequest) -> HttpResponse:
    """For people a small page, for programs the same as JSON. 503 if something is down."""
    known = current.get(now=time.monotonic())
    code = 503 if known.status == DOWN else 200
    answer: HttpResponse
    if request.GET.get("format") == "json" or not request.accepts("text/html"):
        answer = JsonResponse(
            {"status": known.status, "components": dict(known.components), "as_of": known.at},
            status=code,
        )
    else:
        # Without the request: who asks is nobody's business here, and would cost the database.
        shown = {
            "overall": _LOOKS[known.status],
            "components": [(name, _LOOKS[word]) for name, word in known.components.items()],
            "now": known.at,
            "at": known.at,
        }
        answer = HttpResponse(render_to_string("health/status.html", shown), status=code)
    answer["Cache-Control"] = f"public, max-age={KEPT_SECONDS:.0f}"
    answer["Vary"] = "Accept"
    return answer
