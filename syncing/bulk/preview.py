"""What a job would do, before anybody asks for it: how many, how much, whose, how long."""

import uuid
from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from django.db.models import Case, Count, QuerySet, Sum, Value, When

from connections.models import Connection
from rampbridge.lib.money import Money
from syncing import services
from syncing.bulk.acts import Act
from syncing.bulk.jobs import MOST
from syncing.models import Pause, SyncItem
from syncing.queries.words import LOOKS, Look, Word, word_of
from syncing.settling import outside
from syncing.states import ItemState

CUSTOMERS_SHOWN = 8
WAITS = (
    "It waits for something else, such as its bill or its vendor, and goes on when that is there."
)


@dataclass(frozen=True, slots=True)
class Fate:
    """What becomes of the items that stand in one state."""

    look: Look
    items: int
    why_not: str
    """Empty: they are done."""


@dataclass(frozen=True, slots=True)
class Load:
    """What a job would send to one customer's ERP."""

    connection: Connection
    items: int
    per_second: float | None
    """How fast its ERP has taken documents lately."""
    waits: str
    """Why nothing is posted there now; empty: it is."""

    @property
    def lasts(self) -> timedelta | None:
        """How long that takes, behind what is queued already."""
        if not self.per_second or self.waits:
            return None
        return timedelta(seconds=self.items / self.per_second)


@dataclass(frozen=True, slots=True)
class Preview:
    """What a job would do."""

    items: int
    is_all: bool
    """Whether it is everything that was asked for; else there is more than one job can take."""
    sums: Sequence[Money]
    customers: int
    fates: Sequence[Fate]
    loads: Sequence[Load]
    """The customers with most to do; only of what goes to an ERP."""

    @property
    def willing(self) -> int:
        return sum(fate.items for fate in self.fates if not fate.why_not)

    @property
    def refused(self) -> int:
        return self.items - self.willing

    @property
    def more_customers(self) -> int:
        return max(self.customers - len(self.loads), 0)

    @property
    def lasts(self) -> timedelta | None:
        """Until the slowest of the shown customers is through; they work side by side."""
        return max((load.lasts for load in self.loads if load.lasts), default=None)


def preview(act: Act, items: QuerySet[SyncItem], *, now: datetime) -> Preview:
    """Look at the items, as many as one job takes. Four statements."""
    some = items.order_by("ready_at", "pk").values("pk")[: MOST + 1]
    lines = list(
        SyncItem.objects.filter(pk__in=some)
        .order_by()
        .annotate(
            waits=Case(When(state="READY", due_at=None, then=Value(value=True)), default=False),
            lapsed=Case(
                When(state="POSTING", lease_until__lt=now, then=Value(value=True)), default=False
            ),
        )
        .values(
            "connection_id", "state", "error_category", "currency", "exponent", "waits", "lapsed"
        )
        .annotate(n=Count("pk"), minor=Sum("amount_minor"))
    )
    found = sum(line["n"] for line in lines)
    owners = {line["connection_id"] for line in lines}
    return Preview(
        items=min(found, MOST),
        is_all=found <= MOST,
        sums=_sums(lines),
        customers=len(owners),
        fates=_fates(act, lines),
        loads=_loads(lines, now) if act == Act.RETRY else [],
    )


def why_not(act: Act, state: str, *, waits: bool) -> str:
    """Why an act leaves an item in this state alone; empty if it does not."""
    match act:
        case Act.RETRY if waits:
            return WAITS
        case Act.RETRY if state not in (ItemState.FAILED, ItemState.READY):
            return services.why_not_retried(state)
        case Act.OUTSIDE if state not in outside.MARKABLE:
            return "It is being posted, is in the ERP, or is settled already."
        case _:
            return ""


def _fates(act: Act, lines: Sequence[Mapping[str, Any]]) -> list[Fate]:
    fates: dict[tuple[Word, str], int] = defaultdict(int)
    for line in lines:
        word = Word.UNCERTAIN if line["lapsed"] else word_of(line["state"], line["error_category"])
        fates[word, why_not(act, line["state"], waits=line["waits"])] += line["n"]
    order = list(Word)
    ranked = sorted(fates.items(), key=lambda one: (bool(one[0][1]), order.index(one[0][0])))
    return [Fate(LOOKS[word], items, reason) for (word, reason), items in ranked]


def _sums(lines: Sequence[Mapping[str, Any]]) -> list[Money]:
    minor: dict[tuple[str, int], int] = defaultdict(int)
    items: dict[tuple[str, int], int] = defaultdict(int)
    for line in lines:
        key = line["currency"], line["exponent"]
        minor[key] += line["minor"]
        items[key] += line["n"]
    return [Money(minor[key], *key) for key in sorted(minor, key=lambda key: (-items[key], key[0]))]


def _loads(lines: Sequence[Mapping[str, Any]], now: datetime) -> list[Load]:
    to_do: dict[uuid.UUID, int] = defaultdict(int)
    for line in lines:
        if not why_not(Act.RETRY, line["state"], waits=line["waits"]):
            to_do[line["connection_id"]] += line["n"]
    most = sorted(to_do, key=lambda pk: (-to_do[pk], pk))[:CUSTOMERS_SHOWN]
    connections = Connection.objects.select_related("schedule").in_bulk(most)
    paused = set(
        Pause.objects.filter(connection_id__in=most, resumed_at=None).values_list(
            "connection_id", "object_type"
        )
    )
    return [
        Load(
            connection=connections[pk],
            items=to_do[pk],
            per_second=getattr(
                getattr(connections[pk], "schedule", None), "posts_per_second", None
            ),
            waits=_why_waits(connections[pk], paused, now),
        )
        for pk in most
    ]


def _why_waits(connection: Connection, paused: set[tuple[uuid.UUID, str]], now: datetime) -> str:
    schedule = getattr(connection, "schedule", None)
    if connection.stage != Connection.Stage.LIVE:
        return f"{connection.get_stage_display()}: they are queued and wait."
    if (connection.pk, "") in paused:
        return "Paused: they are queued and wait."
    if schedule is not None and schedule.blocked_at:
        return schedule.blocked_title or "Blocked: they are queued and wait."
    if schedule is not None and schedule.resume_at and schedule.resume_at > now:
        return f"{connection.erp_name} does not answer: they are queued and wait."
    if any(owner == connection.pk for owner, _ in paused):
        return "Some types are paused: those are queued and wait."
    return ""
