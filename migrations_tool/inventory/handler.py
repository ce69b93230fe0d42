"""Count what Ramp has, list by list and page by page, and keep it as evidence."""

import copy
import math
from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID
from zoneinfo import ZoneInfo

from connections.ramp.errors import ScopeMissing
from migrations_tool.inventory import bills_in_flight
from migrations_tool.inventory.counting import (
    BEFORE_LINK,
    IN_FLIGHT,
    OPEN_CREDITS,
    READINGS,
    Pages,
    Reading,
    add_flights,
)
from migrations_tool.inventory.tables import Inventory
from migrations_tool.inventory.tally import SYNCED, Tally
from migrations_tool.models import BillInFlight, ConnectionMigration
from migrations_tool.proofs import gate_of_evidence, newest
from migrations_tool.step_handler import Handler
from migrations_tool.steps import Step
from migrations_tool.wizard import Gate
from migrations_tool.work import Work
from rampbridge.lib.money import Money

CODE = "inventory.counted"
LATE = timedelta(days=3)
"""What is ready for longer was left behind."""
_BILLS_SHOWN = 100


class InventoryHandler(Handler):
    step = Step.INVENTORY

    def check(self, work: Work) -> None:
        """Count, if nobody has yet. It is a snapshot: what changes afterwards does not spoil it."""
        counted = newest(work.migration, CODE)
        if counted is None:
            self.apply(work)
        else:
            work.say(f"Counted on {counted.at:%-d %B %Y at %H:%M} UTC.", "Count again if you like.")

    def apply(self, work: Work) -> None:
        """Read every list to its end. After a crash it goes on after the last whole page."""
        place = work.place
        today = work.clock().astimezone(ZoneInfo(work.connection.time_zone)).date()
        tally = Tally(place.get("tally"), late_before=today - LATE)
        done = int(place.get("done", 0))
        unreadable: list[str] = list(place.get("unreadable", []))
        for number in range(int(place.get("reading", 0)), len(READINGS)):
            reading = READINGS[number]
            try:
                done = _read(work, number, reading, tally, done, unreadable)
            except ScopeMissing:
                unreadable.append(reading.name)
            _keep_place(work, number + 1, None, tally, done, unreadable)
        tally.settle_unsynced()
        _keep_baseline(work.migration, tally)
        _keep_evidence(work, tally, unreadable)

    def gates(self, migration: ConnectionMigration, *, now: datetime) -> Sequence[Gate]:
        counted = newest(migration, CODE)
        fix = "Give the app in Ramp what it lacks and count again, unless nothing of it is used."
        title = "Everything is counted"
        return [gate_of_evidence(counted, CODE, title, now=now, fix=fix, is_only_warning=True)]

    def panel(
        self,
        migration: ConnectionMigration,
        *,
        asked: Mapping[str, str],  # noqa: ARG002  the page has no parameters
        now: datetime,  # noqa: ARG002  nor a clock
    ) -> dict[str, Any]:
        counted = newest(migration, CODE)
        flying = BillInFlight.objects.filter(migration=migration, gone_at=None)
        bills = flying.order_by("-is_from_before_the_link", "issued_on", "pk")[:_BILLS_SHOWN]
        return {
            "counted": counted,
            "inventory": Inventory(counted) if counted else None,
            "bills": [(one, Money(one.amount_minor, one.currency, one.exponent)) for one in bills],
            "bills_shown": _BILLS_SHOWN,
        }


def _keep_baseline(migration: ConnectionMigration, tally: Tally) -> None:
    """What the old integration did not get through, of all that it should have: Ramp tells no
    errors of another, only what stays ready for days. Hypercare is measured by it.
    """
    left = int(tally.data["left_behind"])
    through = sum(of_type.get(SYNCED, {}).get("count", 0) for of_type in tally.totals().values())
    percent = math.ceil(100 * left / (left + through)) if left else 0
    migration.baseline = {"error_percent": percent, "left_behind": left, "synced": through}
    migration.save(update_fields=["baseline"])


def _read(
    work: Work, number: int, reading: Reading, tally: Tally, done: int, unreadable: list[str]
) -> int:
    """One list, from where the run stands in it.

    :returns: how many objects were read by now
    """
    start = work.place.get("start") if work.place.get("reading") == number else None
    pages = reading.pages(work.ramp, start)
    seen: set[UUID] = set()
    for page in _kept(work, pages):
        reading.count(tally, page)
        if reading.name == "bill":
            flying = bills_in_flight.keep(work.migration, page.items)
            add_flights(tally, page.items, flying)
            seen |= flying | {bills_in_flight.unread_id(one) for one in page.malformed}
        done += len(page.items) + len(page.malformed)
        if page.next_cursor is not None:  # after the last one the place is the next list
            _keep_place(work, number, page.next_cursor, tally, done, unreadable)
    if reading.name == "bill":
        bills_in_flight.look_again(work.migration, work.ramp, seen=seen, keep_lease=work.keep)
    return done


def _kept(work: Work, pages: Pages) -> Pages:
    """The pages, with the run held on to before each is asked for."""
    work.keep()
    for page in pages:
        yield page
        work.keep()


def _keep_place(
    work: Work,
    number: int,
    start: str | None,
    tally: Tally,
    done: int,
    unreadable: Sequence[str],
) -> None:
    work.place.update(
        reading=number,
        start=start,
        tally=copy.deepcopy(tally.data),
        done=done,
        unreadable=list(unreadable),
    )
    label = READINGS[number].label if number < len(READINGS) else "Adding up"
    work.progress(done, None, label)


def _keep_evidence(work: Work, tally: Tally, unreadable: Sequence[str]) -> None:
    flying = BillInFlight.objects.filter(migration=work.migration, gone_at=None)
    work.keep()
    entities = {str(one.id): one.name for one in work.ramp.entities()}
    linked_at = bills_in_flight.when_linked(work.migration)
    beside = tally.data["beside"]
    missing = [one.label.lower() for one in READINGS if one.name in unreadable]
    totals = tally.totals()
    count = sum(one["count"] for states in totals.values() for one in states.values())
    text = f"Objects counted: {count:,}."
    if missing:
        text += f" Not readable, for want of a permission: {', '.join(missing)}."
    work.trace_ids.append(work.ramp.last_trace_id)
    work.evidence(
        CODE,
        text,
        is_good=not unreadable,
        counts=totals,
        result={
            "by_entity": tally.data["types"],
            "entities": entities,
            "exponents": tally.data["exponents"],
            IN_FLIGHT: beside.get(IN_FLIGHT, {"count": 0, "amounts": {}}),
            OPEN_CREDITS: beside.get(OPEN_CREDITS, {"count": 0, "amounts": {}}),
            BEFORE_LINK: flying.filter(is_from_before_the_link=True).count(),
            "linked_at": linked_at.isoformat() if linked_at else "",
            "left_behind": tally.data["left_behind"],
            "unknown": tally.data["unknown"],
            "malformed": tally.data["malformed"],
            "unreadable": list(unreadable),
        },
    )
    work.say(text)
