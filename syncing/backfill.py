"""Read what is ready in Ramp within a window of days, however long ago (R-63).

A poll reads all that is ready, too. A backfill is for what a poll leaves out: vendor credits from
before the customer came, and types or times that shall be counted before they are brought. What it
brings waits behind what arrives by itself (`claims`), and its calls are of the ordinary lane.
"""

import logging
import uuid
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import date, datetime, time, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from django.contrib.postgres.functions import TransactionNow
from django.db import transaction

from connections import audit
from connections.models import Connection
from connections.ramp import errors
from connections.ramp.client import RampClient
from connections.ramp.pages import Page
from rampbridge.lib.money import Money
from syncing import intake, lists
from syncing.classifier import classify_ramp
from syncing.kinds import LISTS, Scope, Standing
from syncing.models import SyncItem, SyncRun
from syncing.snapshots import Stored, database_now
from syncing.statements import rows

PAGE_SIZE = 100
MOST_WAITS = 30
"""Times in a row that Ramp, or our own budget for it, may ask us to slow down."""

logger = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Dating:
    """By which of its dates Ramp lists a type in a window."""

    attribute: str
    words: str


DATINGS: Mapping[str, Dating] = {
    "bill": Dating(
        "created_at",
        "by the day it was entered in Ramp; not by a day of change, which Ramp does not filter by."
        " A payment comes with its bill, whenever it was paid.",
    ),
    "transaction": Dating(
        "user_transaction_time",
        "by the time of the purchase; not by the accounting date or the day it became ready.",
    ),
    "reimbursement": Dating(
        "created_at",
        "by the day the request was entered; not by the accounting date or the day it was paid.",
    ),
    "transfer": Dating("created_at", "by the day it began; not by the day it was completed."),
    "cashback": Dating("created_at", "by the day it was credited."),
    "vendor_credit": Dating(
        "created_at",
        "by the day it was entered in Ramp. Ramp does not know which of them are in the ERP"
        " already: what was entered there by hand is posted a second time.",
    ),
}
"""By list, in words that go on from its name."""


class BadOrder(Exception):
    """A backfill that cannot be done as asked. The message says what to ask for instead."""

    def __init__(self, about: str, message: str) -> None:
        super().__init__(message)
        self.about = about
        """The parameter of `order` that is wrong."""


@dataclass(frozen=True, slots=True)
class Position:
    """Where a backfill goes on: a list, perhaps of one entity, and Ramp's cursor in it."""

    list_name: str
    entity_id: uuid.UUID | None = None
    cursor: str = ""

    def __str__(self) -> str:
        entity = f"/{self.entity_id}" if self.entity_id else ""
        return f"{self.list_name}{entity}:{self.cursor}"

    @classmethod
    def parse(cls, text: str) -> "Position":
        """Read what `str` wrote.

        :raises ValueError: if it did not
        """
        where, colon, cursor = text.partition(":")
        name, slash, entity = where.partition("/")
        if not colon or name not in LISTS:
            raise ValueError(text)
        return cls(name, uuid.UUID(entity) if slash else None, cursor)


@dataclass(frozen=True, slots=True)
class Order:
    """What to bring. See `order`, which checks it."""

    first: date
    last: date
    """Inclusive, as the customer's calendar has it."""
    lists: Sequence[str]
    is_dry_run: bool = False
    budget: int | None = None
    """Calls of Ramp after which it stops. None: as many as it takes."""
    start: Position | None = None


def order(
    connection: Connection,
    *,
    first: date,
    last: date,
    today: date,
    lists: Sequence[str] = (),
    is_dry_run: bool = False,
    budget: int | None = None,
    start: Position | None = None,
) -> Order:
    """An order for a customer. Without `lists`, of everything that is switched on.

    :raises BadOrder: if it makes no sense; nothing was read then
    """
    if first > last:
        raise BadOrder("last", f"{last} is before {first}. Give the later day last.")
    if first > today:
        raise BadOrder("first", f"{first} is still to come. Give a day up to {today}.")
    if budget is not None and budget < 1:
        raise BadOrder("budget", "It takes one call at least. Give a number from 1 on.")
    if connection.stage == Connection.Stage.CLOSED:
        raise BadOrder("connection", f"{connection.name} is closed: nothing is read any more.")
    wanted = _checked_lists(connection, lists)
    if start is not None and start.list_name not in wanted:
        what = f"{start.list_name} is not among the types to read, {', '.join(wanted)}."
        raise BadOrder("start", f"{what} Name it with the types as well, or leave the start out.")
    return Order(first, last, wanted, is_dry_run, budget, start)


def _checked_lists(connection: Connection, lists: Sequence[str]) -> Sequence[str]:
    switched_on = [name for name in LISTS if name in connection.object_types]
    for name in lists:
        if name == SyncItem.ObjectType.BILL_PAYMENT:
            raise BadOrder("lists", "Bill payments come with their bills. Ask for bill instead.")
        if name not in LISTS:
            raise BadOrder("lists", f"There is no type {name!r}. There are: {', '.join(LISTS)}.")
        if name not in switched_on:
            what = f"{name} is not switched on for {connection.name}, so nothing would be posted."
            raise BadOrder("lists", f"{what} Switch it on first, or leave it out.")
    return [name for name in switched_on if not lists or name in lists]


@dataclass(slots=True)
class Tally:
    """What was listed of one type of item."""

    objects: int = 0
    """Ready in Ramp, within the window."""
    known: int = 0
    new: int = 0
    odd: int = 0
    """Not to be made sense of. Such an object becomes an item that says so."""
    amounts: dict[str, Money] = field(default_factory=dict)
    """Of the new ones, by currency."""

    def add(self, money: Money, *, is_known: bool) -> None:
        self.objects += 1
        if is_known:
            self.known += 1
            return
        self.new += 1
        before = self.amounts.get(money.currency)
        self.amounts[money.currency] = before + money if before else money


@dataclass(slots=True)
class Outcome:
    """How far a backfill came, and what it found."""

    tallies: dict[str, Tally] = field(default_factory=dict)
    """By object type."""
    calls: int = 0
    """Of Ramp's lists; a dry run costs as many as the real one."""
    outside: int = 0
    """Objects that Ramp listed although they lie outside the window. They were left alone."""
    goes_on_at: Position | None = None
    """Where there is more, if the budget was spent or Ramp could not be read."""
    problem: str = ""


def run(
    connection: Connection,
    ramp: RampClient,
    what: Order,
    *,
    actor: str,
    sleep: Callable[[float], None],
) -> Outcome:
    """Carry out an order. A dry run reads the same pages and stores nothing.

    It can be repeated, and may run beside polls: what is known already is only refreshed. Where
    Ramp, or our own budget for it, asks to slow down, it waits with `sleep`.
    """
    outcome = Outcome()
    if what.is_dry_run:
        _read(_Reading(connection, ramp, what, outcome, None, sleep))
        return outcome
    with transaction.atomic():
        shown = SyncRun.objects.create(
            connection=connection,
            trigger=SyncRun.Trigger.BACKFILL,
            actor=actor,
            started_at=TransactionNow(),
        )
        audit.record(
            actor,
            "runs.backfill",
            f"Began a backfill of {what.first} to {what.last}: {', '.join(what.lists)}.",
            connection_id=connection.pk,
            subject="run",
            subject_id=shown.pk,
        )
    _read(_Reading(connection, ramp, what, outcome, shown, sleep))
    shown.problem = outcome.problem
    lists.count_calls(shown, ramp)
    shown.finished_at = TransactionNow()
    shown.save()
    return outcome


@dataclass(frozen=True, slots=True)
class _Reading:
    """A backfill at work."""

    connection: Connection
    ramp: RampClient
    what: Order
    outcome: Outcome
    run: SyncRun | None
    """Where what was stored is shown. None: a dry run."""
    sleep: Callable[[float], None]

    @property
    def is_spent(self) -> bool:
        return self.what.budget is not None and self.outcome.calls >= self.what.budget

    def scope(self, position: Position) -> Scope:
        """The window, in the customer's own days."""
        zone = ZoneInfo(self.connection.time_zone)
        after = self.what.last + timedelta(days=1)
        return Scope(
            start=position.cursor or None,
            page_size=PAGE_SIZE,
            entity_id=position.entity_id,
            from_date=datetime.combine(self.what.first, time.min, zone),
            to_date=datetime.combine(after, time.min, zone) - timedelta(microseconds=1),
        )


def _read(reading: _Reading) -> None:
    outcome = reading.outcome
    for position in _positions(reading.connection, reading.what):
        at: Position | None = position
        cursors: set[str] = set()
        while at is not None:
            outcome.goes_on_at = at
            cursors.add(at.cursor)
            if reading.is_spent:
                return
            listed_at = database_now()
            try:
                page = _page(reading, at)
                if page and page.next_cursor in cursors:
                    raise errors.SchemaSurprise("The pages of Ramp's list lead in a circle.")
            except errors.RampError as error:
                outcome.problem = classify_ramp(error).title
                logger.warning(
                    "A backfill broke off.",
                    extra={"connection": reading.connection.slug, "why": str(error)},
                )
                return
            if page is None:
                return
            _take(reading, at, page, listed_at)
            at = replace(at, cursor=page.next_cursor) if page.next_cursor else None
    outcome.goes_on_at = None


def _positions(connection: Connection, what: Order) -> Iterator[Position]:
    """The beginning of each list that is to be read; of the first one, where it was left off."""
    entities: Sequence[uuid.UUID | None] = [None]
    if connection.scoped_by_entity:
        found = connection.entities.order_by("name", "pk")
        entities = list(found.values_list("ramp_id", flat=True))
    all_of_them = [Position(name, entity) for name in what.lists for entity in entities]
    if what.start is None:
        yield from all_of_them
        return
    lists = [(one.list_name, one.entity_id) for one in all_of_them]
    reached = (what.start.list_name, what.start.entity_id)
    if reached not in lists:
        raise BadOrder("start", "This start is of an entity that is no longer read. Begin anew.")
    yield what.start
    yield from all_of_them[lists.index(reached) + 1 :]


def _page(reading: _Reading, at: Position) -> Page[Any] | None:
    """One page; None if the budget was spent on waiting for it.

    :raises RampError: if Ramp cannot be read
    """
    kind = LISTS[at.list_name][0]
    for _ in range(MOST_WAITS):
        if reading.is_spent:
            return None
        reading.outcome.calls += 1
        try:
            return next(kind.ready(reading.ramp, reading.scope(at)))
        except errors.RampRateLimited as error:
            slow_down = error
            reading.sleep(error.retry_after.total_seconds())
    raise slow_down


def _take(reading: _Reading, at: Position, page: Page[Any], listed_at: datetime) -> None:
    within = replace(page, items=[one for one in page.items if _is_within(reading, at, one)])
    reading.outcome.outside += len(page.items) - len(within.items)
    _count(reading, at.list_name, within)
    if reading.run is None:
        return
    stored = intake.take_in(
        reading.connection,
        at.list_name,
        within,
        listed_at=listed_at,
        arrived_by=SyncItem.Arrival.BACKFILL,
    )
    _show(reading.run, stored)


def _is_within(reading: _Reading, at: Position, one: Any) -> bool:
    """Ramp ignores filters that it does not know, and then lists everything (gotcha 18)."""
    moment: datetime | None = getattr(one, DATINGS[at.list_name].attribute)
    scope = reading.scope(at)
    assert scope.from_date is not None
    assert scope.to_date is not None
    return moment is None or scope.from_date <= moment <= scope.to_date


def _count(reading: _Reading, list_name: str, page: Page[Any]) -> None:
    kinds = LISTS[list_name]
    known = _known(reading.connection, [kind.object_type for kind in kinds], page)
    for kind in kinds:
        tally = reading.outcome.tallies.setdefault(kind.object_type, Tally())
        for one in page.items:
            standing = kind.standing(one)
            if standing is Standing.READY:
                snapshot = kind.snapshot(one)
                is_known = (kind.object_type, snapshot.ramp_id) in known
                tally.add(snapshot.money, is_known=is_known)
            elif standing is Standing.UNKNOWN:
                tally.odd += 1
        tally.odd += sum(
            intake.standing_of_malformed(kind, one) in (Standing.READY, Standing.UNKNOWN)
            for one in page.malformed
        )


def _known(
    connection: Connection, object_types: Sequence[str], page: Page[Any]
) -> frozenset[tuple[str, uuid.UUID]]:
    found = rows(
        "SELECT object_type, ramp_id FROM syncing_syncitem"
        " WHERE connection_id = %s AND object_type = ANY(%s) AND ramp_id = ANY(%s)",
        [connection.pk, list(object_types), [one.id for one in page.items]],
    )
    return frozenset((object_type, ramp_id) for object_type, ramp_id in found)


def _show(shown: SyncRun, stored: Stored) -> None:
    shown.pages += 1
    shown.seen += stored.seen
    shown.new += stored.new
    shown.changed += stored.changed
    shown.save(update_fields=["pages", "seen", "new", "changed"])
