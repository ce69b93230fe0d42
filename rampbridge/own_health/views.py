"""How our own parts are: a page for those who keep it running."""

from django.conf import settings
from django.http import HttpResponse
from django.utils import timezone
from django.views.decorators.http import require_GET

from rampbridge.lib.htmx import HtmxHttpRequest
from rampbridge.own_health.broker import broker_facts
from rampbridge.own_health.facts import database_facts, service_facts
from rampbridge.own_health.parts import LOOKS, Light, parts, worst
from rampbridge.own_health.promises import DAYS, promises
from rampbridge.policy import Permission, allow
from syncing.views.live import live, version_of


@require_GET
@allow(Permission.SEE)
def health_page(request: HtmxHttpRequest) -> HttpResponse:
    now = timezone.now()  # noqa: TID251  a view is an entry point
    facts = service_facts()
    found = parts(facts, database_facts(), broker_facts(), release=settings.RELEASE)
    kept = promises()
    context = {
        "section": "health",
        "now": now,
        "parts": sorted(found, key=lambda part: -part.light),
        "overall": LOOKS[worst(found)],
        "troubled": [part for part in found if part.light >= Light.WATCH],
        "processes": facts.processes,
        "promises": kept,
        "days": DAYS,
    }
    version = version_of(
        [(part.key, part.light, part.says, part.facts) for part in found],
        [(one.name, one.seen_at, one.tasks) for one in facts.processes],
        kept,
    )
    return live(
        request, "health/health.html", "health/_health.html", version=version, context=context
    )
