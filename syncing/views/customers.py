"""The fleet, and one customer: is it working, since when, what is stuck, whose move."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import timedelta

from django.http import Http404, HttpResponse
from django.utils import timezone
from django.views.decorators.http import require_GET

from connections import queries as connection_queries
from connections.models import Connection
from rampbridge.lib.htmx import HtmxHttpRequest
from rampbridge.lib.money import Money
from rampbridge.policy import Permission, allow
from syncing.models import SyncItem
from syncing.queries import fleet as fleet_queries
from syncing.queries import flow, standing
from syncing.queries import items as item_queries
from syncing.queries.words import Word
from syncing.views.live import live, version_of

SHOWN = 200


@dataclass(frozen=True, slots=True)
class TypeLine:
    """What stands where for one object type, in the Ramp to ERP pipe."""

    label: str
    object_type: str
    queued: int
    stuck: int
    done: int
    unsynced: Sequence[Money]


@require_GET
@allow(Permission.SEE)
def customers(request: HtmxHttpRequest) -> HttpResponse:
    now = timezone.now()
    everyone = fleet_queries.fleet(now=now)
    text = request.GET.get("q", "").strip().casefold()
    health = request.GET.get("health", "")
    erp = request.GET.get("erp", "")
    rows = [
        row
        for row in everyone
        if text in row.connection.name.casefold()
        and health in ("", row.health.label)
        and erp in ("", row.connection.erp_name)
    ]
    context = {
        "section": "customers",
        "now": now,
        "rows": rows[:SHOWN],
        "found": len(rows),
        "total": len(everyone),
        "hidden": len(everyone) - len(rows),
        "text": request.GET.get("q", "").strip(),
        "health": health,
        "erp": erp,
        "healths": sorted({row.health.label for row in everyone}),
        "erps": sorted({row.connection.erp_name for row in everyone}),
    }
    version = version_of(
        [(row.connection.pk, row.health, row.party, row.oldest_at, row.words) for row in rows],
        [
            row.schedule and (row.schedule.last_posted_at, row.schedule.last_acked_at)
            for row in rows
        ],
    )
    return live(
        request,
        "syncing/customers.html",
        "syncing/_customers.html",
        version=version,
        context=context,
    )


@require_GET
@allow(Permission.SEE)
def customer(request: HtmxHttpRequest, slug: str) -> HttpResponse:
    now = timezone.now()
    try:
        row, lines = fleet_queries.customer(slug=slug, now=now)
    except Connection.DoesNotExist:
        raise Http404("no customer of that name") from None
    connection = row.connection
    done = flow.done_since(connection.pk, now - timedelta(days=1))
    recent = item_queries.recent(connection.pk, now=now)
    events = item_queries.recent_events(connection.pk)
    context = {
        "section": "customers",
        "now": now,
        "row": row,
        "connection": connection,
        "errors": item_queries.open_errors(connection.pk, now=now),
        "types": type_lines(lines, done),
        "done_today": sum(done.values()),
        "latency": flow.latency(now=now, connection_id=connection.pk),
        "reference": connection_queries.reference_counts(connection.pk),
        "recent": recent,
        "events": events,
    }
    version = version_of(
        row.health, row.words, row.oldest_at, row.unsynced, done, [event.pk for event in events]
    )
    return live(
        request,
        "syncing/customer.html",
        "syncing/_customer.html",
        version=version,
        context=context,
    )


def type_lines(lines: Sequence[standing.Standing], done: Mapping[str, int]) -> list[TypeLine]:
    """One line per object type that this customer has or has had."""
    used = {line.object_type for line in lines} | set(done)
    return [
        _type_line(object_type, [line for line in lines if line.object_type == object_type], done)
        for object_type in SyncItem.ObjectType.values
        if object_type in used
    ]


def _type_line(
    object_type: str, lines: Sequence[standing.Standing], done: Mapping[str, int]
) -> TypeLine:
    words = standing.by_word(lines)
    return TypeLine(
        label=str(SyncItem.ObjectType(object_type).label),
        object_type=object_type,
        queued=words[Word.QUEUED] + words[Word.WORKING] + words[Word.RETRYING],
        stuck=words[Word.CUSTOMER] + words[Word.NEEDS_PERSON] + words[Word.UNCERTAIN],
        done=done.get(object_type, 0),
        unsynced=standing.sums(line for line in lines if standing.is_open(line)),
    )
