# ruff: noqa: ARG002  the arguments are those of every step
"""Step 5: have the old integration sync what is ready, until nothing is left (R-88, F-28)."""

from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from migrations_tool import proofs
from migrations_tool.backup.old_seat import check_seat
from migrations_tool.drain import gates as conditions
from migrations_tool.drain import progress, readings
from migrations_tool.drain.counting import count_ready
from migrations_tool.drain.panel import panel
from migrations_tool.inventory import bills_in_flight
from migrations_tool.models import ConnectionMigration, StepRecord
from migrations_tool.step_handler import Handler
from migrations_tool.steps import Step
from migrations_tool.wizard import OVER, Gate, Light, Status
from migrations_tool.work import Work

_EARLY = timedelta(seconds=10)
"""A watch may come a moment before its time."""
_BILLS_EVERY = timedelta(minutes=15)


class DrainHandler(Handler):
    step = Step.DRAIN
    watch_every = timedelta(minutes=1)

    def check(self, work: Work) -> None:
        """Read the lists once, and keep as evidence where it stands."""
        if work.migration.flipped_at is not None:
            work.say("The customer has switched. What was drained until then is below.")
            return
        _read(work, bills=True)
        gates = conditions.gates(work.migration, now=work.clock())
        for gate in gates:
            _keep_evidence(work, gate)
        work.say(" ".join(gate.words for gate in gates))

    def is_watching(self, migration: ConnectionMigration) -> bool:
        """From the plan on until the switch, also when the step is done: people go on spending."""
        if migration.flipped_at is not None or migration.old_connection_id is None:
            return False
        records = StepRecord.objects.filter(migration=migration)
        found = dict(records.values_list("step", "status"))
        left_out = {Status.SKIPPED, Status.NOT_NEEDED}
        return found.get(Step.PLAN) in OVER and found.get(Step.DRAIN) not in left_out

    def watch(self, work: Work) -> None:
        """Read again, and keep evidence where a condition has turned."""
        last = next(iter(readings.newest_first(work.migration, most=1)), None)
        if last and work.clock() - last.at < progress.pause_for(last.total) - _EARLY:
            return
        _read(work, bills=_is_turn_of_bills(last.at if last else None, work.clock()))
        for gate in conditions.gates(work.migration, now=work.clock()):
            before = proofs.newest(work.migration, gate.code)
            if before is None or before.is_good != gate.is_open:
                _keep_evidence(work, gate)

    def gates(self, migration: ConnectionMigration, *, now: datetime) -> Sequence[Gate]:
        return conditions.gates(migration, now=now)

    def waits_for(self, migration: ConnectionMigration) -> Status | None:
        """While something is ready it is the customer's move, or their integration's."""
        if migration.flipped_at is not None:
            return None
        last = next(iter(readings.newest_first(migration, most=1)), None)
        is_theirs = last is not None and last.total > 0 and not progress.refused(last)
        return Status.WAITING_FOR_CUSTOMER if is_theirs else None

    def panel(
        self, migration: ConnectionMigration, *, asked: Mapping[str, str], now: datetime
    ) -> dict[str, Any]:
        return panel(migration, now=now)


def _read(work: Work, *, bills: bool) -> None:
    """What is ready at this moment. A silence of Ramp keeps nothing.

    :param bills: look at those in flight too
    """
    check_seat(work)
    counted = count_ready(work.ramp, work.keep)
    if bills and not counted["bill"].refused:
        _read_bills(work)
    readings.keep(work.migration, counted, now=work.clock())


def _read_bills(work: Work) -> None:
    """Those that are open in Ramp, and each of ours that is not on that list any more."""
    seen: set[UUID] = set()
    pages = work.ramp.bills(payment_status="OPEN")
    while True:
        work.keep()
        page = next(pages, None)
        if page is None:
            break
        seen |= bills_in_flight.keep(work.migration, page.items)
        seen |= bills_in_flight.keep_unread(work.migration, page.malformed)
    bills_in_flight.look_again(work.migration, work.ramp, seen=seen, keep_lease=work.keep)


def _is_turn_of_bills(last: datetime | None, now: datetime) -> bool:
    """Each quarter of an hour, for each of them may cost a call."""
    return last is None or _quarter(last) != _quarter(now)


def _quarter(when: datetime) -> int:
    return int(when.timestamp() // _BILLS_EVERY.total_seconds())


def _keep_evidence(work: Work, gate: Gate) -> None:
    last = readings.newest_first(work.migration, most=1)[0]
    counts = {
        name: {key: ready[key] for key in ("count", "amounts")}
        for name, ready in last.ready.items()
    }
    work.evidence(
        gate.code,
        gate.words,
        is_good=gate.light is Light.GREEN,
        counts=counts if gate.code == conditions.ZERO else {},
        result={"read_at": last.at.isoformat(), "total": last.total},
    )
