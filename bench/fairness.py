"""What a customer with 100,000 items waiting costs the others: their p95 with it and without it.

Everything that decides who comes next is the real thing: the sweep's SQL, the work lease, the
claim's SQL, a worker's turn. Only time is not: the database's `now()` and the worker's clock are a
virtual one, which moves while an ERP answers and stands still while our code runs. So the outcome
is the same on any machine. How long the real statements take stands beside it.
"""

import heapq
import json
import random
import statistics
import time
import uuid
from collections.abc import Callable, Sequence
from contextlib import nullcontext
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from functools import partial
from unittest.mock import patch

from django.db import connection as database
from django.db import transaction

from bench.figures import Measured
from bench.virtual_clock import BEGAN, VirtualClock
from connections.erp.adapters.in_memory import InMemoryErp
from connections.erp.errors import ErpError
from connections.erp.records import Document, Posted
from connections.mappings import EntityTarget, MappingSet, Profile, Target
from connections.models import Connection
from rampbridge.celery import SWEEP_SECONDS
from syncing import claims, schedule, tasks
from syncing.models import ItemEvent, Schedule, SyncItem
from syncing.states import ItemState

STAGE = nullcontext

SMALL_CUSTOMERS = 50
HOG_ITEMS = 100_000
SLOTS = 8
"""Tasks at a time, as the demo's worker has them."""
ERP_SECONDS = 0.3
"""For one document; each ERP takes one at a time."""
REPORT_SECONDS = 0.15
SECONDS = 60.0
ITEMS_EACH = 15
"""Of each small customer, over that time: with 12.5 items a second half of the slots are busy."""
SEEDS = (1, 2)
ACCOUNT, CARD = "6200", "2150"
_A_MOMENT = 0.001
"""By which a lease has ended when its holder rings for the next turn."""


class SlowErp(InMemoryErp):
    """Takes its time over each document, by the virtual clock."""

    def __init__(self, clock: VirtualClock) -> None:
        super().__init__()
        self._clock = clock

    def post_many(self, docs: Sequence[Document]) -> Sequence[Posted | ErpError]:
        self._clock.spend(ERP_SECONDS * len(docs))
        return super().post_many(docs)


@dataclass
class Workers:
    """A queue of doorbells and so many slots that answer them, each at its virtual time."""

    clock: VirtualClock
    queue: list[tuple[float, int, Callable[[], None]]] = field(default_factory=list)
    _rung: int = 0
    free_at: list[float] = field(default_factory=lambda: [0.0] * SLOTS)

    def ring(self, job: Callable[[], None], at: float | None = None) -> None:
        """Put a doorbell into the queue: first rung, first answered."""
        self._rung += 1
        heapq.heappush(self.queue, (self.clock.seconds if at is None else at, self._rung, job))

    def run(self, until: float) -> None:
        """Answer all doorbells that a slot can begin with before a moment."""
        while self.queue:
            start = max(self.queue[0][0], self.free_at[0])
            if start >= until:
                return
            _, _, job = heapq.heappop(self.queue)
            _set(self.clock, start)
            job()
            heapq.heapreplace(self.free_at, self.clock.seconds)


class World:
    """Customers with one ERP each, and the workers they share."""

    def __init__(self, clock: VirtualClock) -> None:
        self.clock = clock
        self.workers = Workers(clock)
        self.erps: dict[uuid.UUID, SlowErp] = {}
        self.sweeps: list[float] = []
        """Real seconds that each look for what is due took."""

    def arrive(self, connection_id: uuid.UUID, moments: Sequence[float]) -> None:
        """A pull brings items at each of these moments, and rings for work on them."""
        for moment in moments:
            self.workers.ring(partial(self._work, connection_id), at=moment)

    def drain(self) -> None:
        """Sweep as beat does, until every small customer's items are through."""
        sweep_at = 0.0
        while sweep_at < SECONDS or _is_open():
            self.workers.run(until=sweep_at)
            _set(self.clock, sweep_at)
            began = time.perf_counter()
            due = schedule.ring()
            self.sweeps.append(time.perf_counter() - began)
            for one in due:
                if one.work:
                    self.workers.ring(partial(self._work, one.connection_id))
                if one.report:
                    self.workers.ring(partial(self._report, one.connection_id))
            sweep_at += SWEEP_SECONDS

    def _work(self, connection_id: uuid.UUID) -> None:
        erp = self.erps.setdefault(connection_id, SlowErp(self.clock))
        with (
            patch("connections.clients.erp_adapter", lambda *_: erp),
            patch("syncing.tasks.mapping_set", lambda *_: MAPPINGS),
            patch("syncing.tasks.ring", partial(self._rung, connection_id)),
        ):
            began = self.clock.seconds
            tasks.work_connection(connection_id=str(connection_id))
        if self.clock.seconds > began:  # others begin meanwhile, and must find it taken
            Schedule.objects.filter(pk=connection_id).update(
                work_lease=uuid.uuid4(),
                work_lease_until=BEGAN + timedelta(seconds=self.clock.seconds - _A_MOMENT),
            )

    def _rung(self, whose: uuid.UUID, doorbell: tasks.Doorbell, **_: str) -> None:
        again = doorbell is tasks.work_connection
        self.workers.ring(partial(self._work if again else self._report, whose))

    def _report(self, connection_id: uuid.UUID) -> None:
        self.clock.spend(REPORT_SECONDS)
        posted = SyncItem.objects.filter(connection_id=connection_id)
        posted.filter(state=ItemState.POSTED).update(state=ItemState.ACKING)
        posted.filter(state=ItemState.ACKING).update(state=ItemState.ACKED)


MAPPINGS = MappingSet(
    accounts={ACCOUNT: Target(ACCOUNT, ACCOUNT)},
    options={},
    fields={},
    entities={"": EntityTarget("All", "", is_mapped=True)},
    profiles={"": Profile(card_liability_account=CARD)},
)
_SMALL = "small"


def _set(clock: VirtualClock, seconds: float) -> None:
    """Go to a moment, perhaps an earlier one: slots work side by side, and we one by one."""
    clock.spend(seconds - clock.seconds)


def _is_open() -> bool:
    return SyncItem.objects.filter(label=_SMALL).exclude(state=ItemState.ACKED).exists()


def measure(_: None) -> Measured:
    clock = VirtualClock(BEGAN)
    hog, *small = [_connection(number) for number in range(SMALL_CUSTOMERS + 1)]
    alone: list[float] = []
    beside: list[float] = []
    sweeps: dict[str, list[float]] = {}
    with clock.rules():
        for seed in SEEDS:
            alone += _latencies(clock, small, seed, sweeps.setdefault("alone", []))
        _fill(hog)
        for seed in SEEDS:
            beside += _latencies(clock, small, seed, sweeps.setdefault("beside", []))
        claim = _claim_seconds(hog)
    return Measured(
        _p95(beside) / _p95(alone),
        {
            "items": len(beside),
            "p95_alone": round(_p95(alone), 3),
            "p95_beside": round(_p95(beside), 3),
            "hog_posted": ItemEvent.objects.filter(item__connection=hog, kind="posted").count(),
            "real_ms_per_sweep": {
                name: round(1000 * statistics.median(taken), 2) for name, taken in sweeps.items()
            },
            "real_ms_to_claim_of_hog": round(1000 * claim, 2),
        },
    )


def _p95(latencies: Sequence[float]) -> float:
    return statistics.quantiles(latencies, n=20)[-1]


def _latencies(
    clock: VirtualClock, small: Sequence[Connection], seed: int, sweeps: list[float]
) -> list[float]:
    """Seconds from ready to posted of each small customer's item."""
    of_small = [connection.pk for connection in small]
    Schedule.objects.update(rung_at=None, work_lease=None, work_lease_until=None)
    dice = random.Random(seed)
    _set(clock, 0.0)
    world = World(clock)
    for connection in small:
        moments = sorted(dice.uniform(0, SECONDS) for _ in range(ITEMS_EACH))
        _add_items(connection, _SMALL, [BEGAN + timedelta(seconds=one) for one in moments])
        world.arrive(connection.pk, moments)
    world.drain()
    sweeps += world.sweeps
    items = SyncItem.objects.filter(connection__in=of_small)
    found = [
        (posted - ready).total_seconds()
        for posted, ready in items.values_list("posted_at", "ready_at")
        if posted is not None
    ]
    assert len(found) == len(small) * ITEMS_EACH, "every item of a small customer is through"
    items.delete()
    return found


def _connection(number: int) -> Connection:
    connection = Connection.objects.create(
        slug=f"customer-{number}", name=f"Customer {number}", stage=Connection.Stage.LIVE,
        ramp_business_id=uuid.uuid4(), ramp_provider_name="rampbridge", erp_kind="ledger",
        erp_name="Ledger", object_types=["transaction"],
    )  # fmt: skip
    Schedule.objects.create(connection=connection, next_poll_at="2099-01-01T00:00Z")
    return connection


def _fill(hog: Connection) -> None:
    """100,000 items, all due since before anybody else's."""
    _add_items(hog, "hog", [BEGAN - timedelta(hours=1)] * HOG_ITEMS)
    with database.cursor() as cursor:
        cursor.execute("ANALYZE syncing_syncitem, syncing_itempayload")


@transaction.atomic
def _add_items(connection: Connection, label: str, moments: Sequence[datetime]) -> None:
    with database.cursor() as cursor:
        cursor.execute(
            """
            WITH new AS (
                INSERT INTO syncing_syncitem (
                    connection_id, object_type, ramp_id, phase, label, memo, person, amount_minor,
                    currency, exponent, content_hash, state, state_at, ready_at, due_at,
                    seen_ready_at, snapshot_at, attempts, claims_without_result, report_attempt,
                    reack_due, failure_telling, erp_ref, erp_id, erp_number, erp_url,
                    error_category, error_origin, error_code, error_title, error_fix, error_text,
                    error_detail, blocked_by)
                SELECT %s, 'transaction', gen_random_uuid(), 0, %s, '', '', 1234, 'USD', 2, '',
                    'READY', moment, moment, moment, moment, '2099-01-01', 0, 0, 0, false, '', '',
                    '', '', '', '', '', '', '', '', '', '', ''
                FROM unnest(%s::timestamptz[]) AS m(moment)
                RETURNING id, ramp_id
            )
            INSERT INTO syncing_itempayload (item_id, ramp)
            SELECT id, jsonb_set(%s::jsonb, '{id}', to_jsonb(ramp_id)) FROM new
            """,
            [connection.pk, label, list(moments), json.dumps(_BODY)],
        )


_BODY = {
    "amount": 12.34,
    "currency_code": "USD",
    "minor_unit_conversion_rate": 100,
    "state": "CLEARED",
    "sync_status": "SYNC_READY",
    "accounting_date": "2026-11-05T00:00:00+00:00",
    "user_transaction_time": "2026-11-04T09:30:00+00:00",
    "merchant_name": "Figma",
    "line_items": [
        {
            "amount": {
                "amount": 1234,
                "currency_code": "USD",
                "minor_unit_conversion_rate": 100,
            },
            "accounting_field_selections": [
                {"external_id": ACCOUNT, "name": ACCOUNT, "type": "GL_ACCOUNT"}
            ],
        }
    ],
}


def _claim_seconds(connection: Connection) -> float:
    """Real seconds that a claim takes in a queue this long."""
    taken = []
    for _ in range(20):
        with transaction.atomic():
            began = time.perf_counter()
            claimed = claims.lock_ready(connection.pk)
            taken.append(time.perf_counter() - began)
            assert len(claimed) == claims.CHUNK
            transaction.set_rollback(True)
    return statistics.median(taken)
