"""Step 13: read the targets again and again; at the end, the closing report."""

from collections.abc import Mapping, Sequence
from dataclasses import asdict
from datetime import datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from migrations_tool.flip.earlier import is_over
from migrations_tool.flip.switching import look_from
from migrations_tool.hypercare import targets
from migrations_tool.models import ConnectionMigration, Report
from migrations_tool.proofs import gate_of_evidence
from migrations_tool.reports_written import closing
from migrations_tool.step_handler import Handler
from migrations_tool.steps import Step
from migrations_tool.wizard import Gate, Light
from migrations_tool.work import Work

CODE, TITLE = "hypercare.targets", "The targets have held for the agreed days"


class HypercareHandler(Handler):
    step = Step.HYPERCARE
    watch_every = timedelta(minutes=10)

    def check(self, work: Work) -> None:
        """Read the targets now."""
        _see_the_seat(work)
        found = _read(work)
        words = targets.unmet(found)
        held = targets.held(work.migration, now=work.clock())
        work.say(words or f"Every target is met, and was for {held.days} of {held.of} days.")

    def watch(self, work: Work) -> None:
        _see_the_seat(work)
        _read(work)

    def is_watching(self, migration: ConnectionMigration) -> bool:
        """From the end of the cutover check on, until the step is done."""
        return is_over(migration, Step.CUTOVER) and not is_over(migration, Step.HYPERCARE)

    def gates(self, migration: ConnectionMigration, *, now: datetime) -> Sequence[Gate]:
        return (_gate(migration, now),)

    def completed(self, work: Work) -> None:
        """Write the closing report, and the migration is finished."""
        from migrations_tool import services  # the engine, which knows this step, is behind it

        closing.write(work.migration, actor=work.actor, now=work.clock())
        services.end(
            work.migration,
            ConnectionMigration.State.FINISHED,
            because="Every step is done, and hypercare is over.",
            actor=work.actor,
            now=work.clock(),
            by_run=work.run,
        )
        work.say("Finished. The closing report is written, as a page and as a PDF.")

    def panel(
        self,
        migration: ConnectionMigration,
        *,
        asked: Mapping[str, str],  # noqa: ARG002  of the interface
        now: datetime,
    ) -> dict[str, Any]:
        closing_reports = migration.reports.filter(kind=Report.Kind.CLOSING)
        return {
            "targets": targets.targets(migration, now=now),
            "held": targets.held(migration, now=now),
            "days": targets.days(migration, now=now),
            "reading": targets.last_reading(migration),
            "closing_report": closing_reports.defer("html", "pdf", "facts")
            .order_by("-made_at", "-pk")
            .first(),
        }


def _see_the_seat(work: Work) -> None:
    """A customer may leave us again: posting stops then, and step 11 is stale.

    :raises RampError: if Ramp cannot be asked
    """
    if work.migration.flipped_at is not None and work.migration.new_connection_id is not None:
        look_from(work)


def _read(work: Work) -> list[targets.Target]:
    """Keep a reading if it says something else than the last one, or another day has begun where
    the customer is; and note that this hour is watched."""
    now = work.clock()
    found = targets.targets(work.migration, now=now)
    words = targets.unmet(found)
    last = targets.last_reading(work.migration)
    zone = ZoneInfo(work.connection.time_zone)
    today = now.astimezone(zone).date()
    is_same = (
        last is not None
        and last.is_good == (not words)
        and last.at.astimezone(zone).date() == today
    )
    targets.note_hour(work.migration, was_met=not words, now=now)
    if not is_same:
        work.evidence(
            targets.READING,
            words or "Every target is met.",
            is_good=not words,
            result={"targets": [asdict(one) for one in found]},
            good_for=targets.FRESH + timedelta(hours=1),
        )
    return found


def _gate(migration: ConnectionMigration, now: datetime) -> Gate:
    reading = targets.last_reading(migration)
    found = gate_of_evidence(
        reading,
        CODE,
        TITLE,
        now=now,
        fix="Mend what is named below; the days begin anew.",
        may_be_waived=True,
    )
    if not found.is_open:
        return found
    held = targets.held(migration, now=now)
    if held.is_enough:
        return Gate(CODE, TITLE, Light.GREEN, f"Held for {held.days} days.")
    words = f"Held for {held.days} of {held.of} days so far."
    if held.not_watched:
        words += f" Not watched, and not counted: {_hours(held.not_watched)}."
    fix = "Nothing to do but to wait; the targets are read by themselves."
    return Gate(CODE, TITLE, Light.UNKNOWN, words, fix, may_be_waived=True)


def _hours(count: int) -> str:
    return "1 hour" if count == 1 else f"{count} hours"
