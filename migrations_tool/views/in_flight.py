"""Migrations under way by step: how long each waits, and for whom. For who looks at the whole."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from django.http import HttpResponse
from django.shortcuts import render
from django.utils import timezone
from django.views.decorators.http import require_GET

from migrations_tool import queries
from migrations_tool.models import ConnectionMigration
from migrations_tool.queries import Row
from migrations_tool.steps import BY_STEP, STEPS, Step
from migrations_tool.views.looks import STATUS_LOOKS
from migrations_tool.wizard import Status
from rampbridge.lib.htmx import HtmxHttpRequest, page_or_partial
from rampbridge.policy import Permission, allow
from syncing.queries.words import Look

READY_TO_FINISH = Look("Ready to finish", "done", "flag", "Every step is over.")
PARTIES = {
    Status.WAITING_FOR_CUSTOMER: "the customer",
    Status.WAITING_FOR_RAMP: "Ramp",
}


@dataclass(frozen=True, slots=True)
class Waiting:
    """One migration at its step."""

    migration: ConnectionMigration
    number: int
    title: str
    step: Step | None
    look: Look
    since: datetime
    on: str
    """Whose move it is, in words."""


@require_GET
@allow(Permission.SEE)
def migrations_in_flight(request: HtmxHttpRequest) -> HttpResponse:
    """Those under way, at most a page of them, by how far they are."""
    page = queries.migrations([ConnectionMigration.State.OPEN], after=None)
    waiting = [_waiting(row) for row in queries.rows(page.rows)]
    waiting.sort(key=lambda one: (one.number, one.since, one.migration.pk))
    context = {
        "section": "backlog",
        "now": timezone.now(),
        "waiting": waiting,
        "steps": _by_step(waiting),
        "has_more": page.next is not None,
    }
    template = page_or_partial(
        request, "migrations_tool/in_flight.html", "migrations_tool/_in_flight.html"
    )
    return render(request, template, context)


def _waiting(row: Row) -> Waiting:
    migration, record = row.migration, row.record
    if row.current is None or row.status is None:
        owner = migration.implementer or "us"
        return Waiting(
            migration, len(STEPS), "", None, READY_TO_FINISH, migration.started_at, owner
        )
    spec = BY_STEP[row.current]
    owner = (record.owner if record else "") or migration.implementer or "us"
    return Waiting(
        migration,
        spec.number,
        spec.title,
        row.current,
        STATUS_LOOKS[row.status],
        record.status_since if record else migration.started_at,
        PARTIES.get(row.status, owner),
    )


def _by_step(waiting: Sequence[Waiting]) -> list[tuple[int, str, int]]:
    """Number, title and how many, of each step that any is at."""
    places = {(one.number, one.title or one.look.label) for one in waiting}
    return [
        (number, title, sum(one.number == number for one in waiting))
        for number, title in sorted(places)
    ]
