"""One customer: is it working, since when, what is stuck, whose move."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import timedelta

from django.http import Http404, HttpResponse
from django.utils import timezone
from django.views.decorators.http import require_GET

from connections import queries as connection_queries
from connections.mirror import plan
from connections.models import Connection
from rampbridge.lib.htmx import HtmxHttpRequest
from rampbridge.lib.money import Money
from rampbridge.policy import Permission, allow
from syncing import pauses
from syncing.models import SyncItem
from syncing.queries import comparisons, flow, presses, reading, standing
from syncing.queries import fleet as fleet_queries
from syncing.queries import items as item_queries
from syncing.queries.health import Paused
from syncing.queries.words import Word, event_title, type_label
from syncing.views import customer_vendors
from syncing.views.chart import chart_summary
from syncing.views.live import live, version_of
from syncing.views.pauses import PauseRow


@dataclass(frozen=True, slots=True)
class TypeLine:
    """What stands where for one object type, in the Ramp to ERP pipe."""

    label: str
    object_type: str
    queued: int
    stuck: int
    done: int
    unsynced: Sequence[Money]
    paused: bool = False
    warned: int = 0
    """Refusals in a row for the same reason, if they are many."""


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
    paused = pauses.standing(connection)
    warnings = {flow.object_type: flow.refused_in_a_row for flow in pauses.warnings(connection)}
    read = reading.reading(connection)
    pressed = presses.last_presses(connection.pk, now=now)
    compared = comparisons.last_comparison(connection.pk)
    vendors = customer_vendors.unfinished(connection)
    reference = connection_queries.reference_counts(connection.pk)
    drifting = plan.drift_counts(connection)
    context = {
        "section": "customers",
        "now": now,
        "row": row,
        "connection": connection,
        "errors": item_queries.open_errors(connection.pk, now=now),
        "types": type_lines(lines, done, row.paused, warnings),
        "pauses": [PauseRow(one) for one in paused],
        "reading": read,
        "presses": pressed,
        "button_types": [f"{type_label(one)}s" for one in connection.button_types],
        "comparison": compared,
        "vendors": vendors,
        "done_today": sum(done.values()),
        "latency": flow.latency(now=now, connection_id=connection.pk),
        **chart_summary(connection, reference, drifting, now),
        "recent": recent,
        "events": [(event, event_title(event.kind, event.item.object_type)) for event in events],
    }
    version = version_of(
        (row.health, row.words, row.oldest_at, row.unsynced, done),
        [event.pk for event in events],
        [(one.pk, one.reason, one.canaries) for one in paused],
        warnings,
        read.last and (read.last.pk, read.last.finished_at, read.last.seen),
        (read.lists, read.webhook),
        row.schedule and row.schedule.fetch_asked_by,
        [(one.request.pk, one.request.state, one.answered) for one in pressed],
        compared and (compared.run.pk, compared.run.finished_at),
        [(one.creation.pk, one.look, one.waiting, one.creation.due_at) for one in vendors],
        (reference, drifting),
    )
    return live(
        request,
        "syncing/customer.html",
        "syncing/_customer.html",
        version=version,
        context=context,
    )


def type_lines(
    lines: Sequence[standing.Standing],
    done: Mapping[str, int],
    paused: Sequence[Paused] = (),
    warnings: Mapping[str, int] | None = None,
) -> list[TypeLine]:
    """One line per object type that this customer has or has had, or that is paused."""
    stopped = {one.object_type for one in paused}
    used = {line.object_type for line in lines} | set(done) | stopped
    return [
        _type_line(
            object_type,
            [line for line in lines if line.object_type == object_type],
            done.get(object_type, 0),
            paused=object_type in stopped,
            warned=(warnings or {}).get(object_type, 0),
        )
        for object_type in SyncItem.ObjectType.values
        if object_type in used
    ]


def _type_line(
    object_type: str,
    lines: Sequence[standing.Standing],
    done: int,
    *,
    paused: bool,
    warned: int,
) -> TypeLine:
    words = standing.by_word(lines)
    return TypeLine(
        label=str(SyncItem.ObjectType(object_type).label),
        object_type=object_type,
        queued=words[Word.QUEUED] + words[Word.WORKING] + words[Word.RETRYING],
        stuck=words[Word.CUSTOMER] + words[Word.NEEDS_PERSON] + words[Word.UNCERTAIN],
        done=done,
        unsynced=standing.sums(line for line in lines if standing.is_open(line)),
        paused=paused,
        warned=warned,
    )
