"""One customer: is it working, since when, what is stuck, whose move."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import timedelta

from django.http import Http404, HttpResponse
from django.urls import NoReverseMatch, reverse
from django.utils import timezone
from django.views.decorators.http import require_GET

from connections import queries as connection_queries
from connections.mirror import plan
from connections.models import Connection
from rampbridge.lib.htmx import HtmxHttpRequest, HttpResponseUnchanged
from rampbridge.lib.money import Money
from rampbridge.policy import Permission, allow
from syncing import pauses
from syncing.models import SyncItem
from syncing.queries import buckets, customer_errors, customer_pulse, customer_stream, standing
from syncing.queries import fleet as fleet_queries
from syncing.queries.customer_errors import Cause
from syncing.queries.health import Paused
from syncing.queries.sentence import Situation, noun_of, sentence
from syncing.queries.words import LOOKS, Word
from syncing.views import customer_vendors
from syncing.views.chart import chart_summary
from syncing.views.live import is_unchanged, live, version_of
from syncing.views.pauses import PauseRow

EVENTS_SHOWN = 10
PAGE, PART = "syncing/customer.html", "syncing/_customer.html"


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
    """The customer's first page, live: the sentence, both pipes, what is wrong, what happened."""
    now = timezone.now()
    version = version_of(customer_pulse.pulse(slug, now=now))
    if is_unchanged(request, PAGE, PART, version=version):
        return HttpResponseUnchanged()
    try:
        row, lines = fleet_queries.customer(slug=slug, now=now)
    except Connection.DoesNotExist:
        raise Http404("no customer of that name") from None
    connection = row.connection
    done = buckets.done_by_type(connection.pk, since=now - timedelta(days=1))
    causes = customer_errors.causes(connection.pk)
    events = customer_stream.stream(connection.pk, now=now, size=EVENTS_SHOWN).lines
    paused = pauses.standing(connection) if row.paused else []
    reference = connection_queries.reference_counts(connection.pk)
    drifting = plan.drift_counts(connection)
    has_vendors = getattr(connection, "has_unfinished_vendors", True)
    vendors = customer_vendors.unfinished(connection) if has_vendors else []
    context = {
        "section": "customers",
        "tab": "overview",
        "now": now,
        "row": row,
        "connection": connection,
        "sentence": sentence(situation(row, causes, done_today=sum(done.values()))),
        "causes": causes,
        "uncertain_look": LOOKS[Word.UNCERTAIN],
        "unnamed_uncertain": row.uncertain - _held(causes, Word.UNCERTAIN),
        "vendors": vendors,
        "types": type_lines(lines, done, row.paused, row.warned),
        "pauses": [PauseRow(one) for one in paused],
        **chart_summary(connection, reference, drifting, now),
        "events": [(line, href(line, slug)) for line in events],
    }
    return live(
        request,
        PAGE,
        PART,
        version=version,
        context=context,
    )


def situation(
    row: fleet_queries.CustomerRow, causes: Sequence[Cause], *, done_today: int
) -> Situation:
    """What the customer's sentence tells of."""
    words, schedule = row.words, row.schedule
    return Situation(
        health=row.health,
        last_export_at=schedule.last_posted_at if schedule else None,
        done_today=done_today,
        waiting=row.waiting,
        waiting_for=_noun(causes, Word.CUSTOMER),
        needs_person=row.needs_person,
        needs_person_for=_noun(causes, Word.NEEDS_PERSON),
        uncertain=row.uncertain,
        retrying=words[Word.RETRYING],
        queued=words[Word.QUEUED] + words[Word.WORKING],
        oldest_at=row.oldest_at,
        unsynced=row.unsynced,
    )


def _noun(causes: Sequence[Cause], word: Word) -> str:
    """What most items of a word have in common."""
    first = next((one for one in causes if one.word == word), None)
    return noun_of(first.code) if first else ""


def _held(causes: Sequence[Cause], word: Word) -> int:
    return sum(one.items for one in causes if one.word == word)


_PAGES = {
    "item": ("item", False),
    "run": ("run", False),
    "job": ("job", False),
    "error": ("error_group", False),
    "pauses": ("pauses", True),
    "notes": ("customer_notes", True),
    "customer": ("connection_settings", True),
}


def href(line: customer_stream.Line, slug: str) -> str:
    """Where a line of the stream leads; empty for nowhere."""
    if line.subject in ("press", "chart_run"):
        name = "press" if line.subject == "press" else "mirror_run"
        return reverse(name, args=[slug, line.subject_id])
    name, is_customers = _PAGES.get(line.subject, ("", False))
    try:
        return reverse(name, args=[slug if is_customers else line.subject_id]) if name else ""
    except NoReverseMatch:  # a line may be about what has no page any more
        return ""


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
