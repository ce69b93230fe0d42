"""How long we ourselves take from a webhook to Ramp's receipt, idle and under load.

Every event goes the whole way through the real processes: gunicorn, the broker, a worker, both
sides. What the two sides are told to take (a list, a document, a report) is taken off; what is left
is ours, their own processing included.

Under load events come as they like, at 70 % of what Ramp's budget allows: each costs a list and a
report. A customer's second event within two seconds waits for company on purpose, so customers take
turns, and no event falls into another's wait.
"""

import itertools
import random
import threading
import time
from collections.abc import Mapping, Sequence
from functools import partial

from bench.deliveries import ACCEPTED, Line, announced, share_secret
from bench.figures import Measured
from bench.outside import Purchases
from bench.paired import interval
from bench.service import Stuck
from bench.stack import (
    CALLS_EACH,
    ERP_SECONDS,
    RAMP_SECONDS,
    Stack,
    acked,
    running_stack,
    wait_until,
)
from connections.egress import LIMITS
from connections.models import WebhookSubscription
from syncing import inbox
from syncing.models import SyncItem
from syncing.statements import rows

CUSTOMERS = 50
STAGE = partial(running_stack, customers=CUSTOMERS)
IDLE_EVENTS, LOADED_EVENTS = 40, 400
OUTSIDE = 2 * RAMP_SECONDS + ERP_SECONDS
CALLS_PER_EVENT = 2
UTILISATION = 0.7
_LINES = 4
Told = tuple[str, float]
"""What was announced, and when by the clock on the wall, which the database shares."""


def measure(
    stack: Stack,
    *,
    customers: int = CUSTOMERS,
    idle: int = IDLE_EVENTS,
    loaded: int = LOADED_EVENTS,
    a_second: float = UTILISATION * LIMITS.rate / CALLS_PER_EVENT,
) -> Mapping[str, Measured]:
    connections = stack.connect(customers, calls=CALLS_EACH)
    subscriptions = [share_secret(one) for one in connections]
    with stack.web() as (address, _), stack.working():
        for _ in range(2):  # what processes read once, clients and tokens among it
            _one_by_one(stack, address, subscriptions, customers)
        stack.outside.take_time(ramp=RAMP_SECONDS, erp=ERP_SECONDS)
        alone = _one_by_one(stack, address, subscriptions, idle)
        busy = _as_they_like(stack, address, subscriptions, loaded, a_second)
    details = {"unit": "milliseconds without the outside's", "outside": 1000 * OUTSIDE}
    return {
        "latency": _figure(alone, 0.5, **details),
        "latency_p95": _figure(alone, 0.95, **details),
        "latency_loaded": Measured(
            percentile(busy, 0.95) / percentile(alone, 0.95),
            {
                "idle_p95": round(percentile(alone, 0.95), 1),
                "loaded_p95": round(percentile(busy, 0.95), 1),
                "loaded_p50": round(percentile(busy, 0.5), 1),
                "events": len(busy),
                "events_a_second": round(a_second, 2),
            },
        ),
    }


def percentile(values: Sequence[float], share: float) -> float:
    return sorted(values)[round(share * (len(values) - 1))]


def _figure(values: Sequence[float], share: float, **details: object) -> Measured:
    of = partial(percentile, share=share)
    return Measured(of(values), {"events": len(values), **details}, interval(values, of))


def _one_by_one(
    stack: Stack, address: str, subscriptions: Sequence[WebhookSubscription], events: int
) -> list[float]:
    """Each event once the one before is through, and no customer twice within its wait."""
    took = []
    with Line(address) as line:
        for number in range(events):
            told = _tell(stack, line, subscriptions[number % len(subscriptions)])
            wait_until(partial(_is_through, told[0]), seconds=30, every=0.01)
            took.append(told)
            if number % len(subscriptions) == len(subscriptions) - 1:
                time.sleep(inbox.DEBOUNCE.total_seconds())
    time.sleep(inbox.DEBOUNCE.total_seconds())
    return _own(took)


def _as_they_like(
    stack: Stack,
    address: str,
    subscriptions: Sequence[WebhookSubscription],
    events: int,
    a_second: float,
) -> list[float]:
    """Events at random moments, so many a second on average; customers in turns."""
    dice = random.Random(1)
    moments = itertools.accumulate(dice.expovariate(a_second) for _ in range(events))
    left = zip(itertools.cycle(subscriptions), moments, strict=False)
    wanted, began, told = acked() + events, time.monotonic(), list[Told]()
    lock = threading.Lock()

    def send() -> None:
        with Line(address) as line:
            while True:
                with lock:
                    subscription, moment = next(left, (None, 0.0))
                if subscription is None:
                    return
                time.sleep(max(0.0, began + moment - time.monotonic()))
                told.append(_tell(stack, line, subscription))

    senders = [threading.Thread(target=send) for _ in range(_LINES)]
    for sender in senders:
        sender.start()
    for sender in senders:
        sender.join()
    wait_until(lambda: acked() >= wanted, seconds=60, every=0.2)
    return _own(told)


def _tell(stack: Stack, line: Line, subscription: WebhookSubscription) -> Told:
    """Something becomes ready, and its webhook is delivered at once."""
    (ramp_id,) = stack.outside.buy(subscription.connection.slug, Purchases(1))
    delivery = announced(subscription, ramp_id)
    now = time.time()
    status = line.send(delivery)
    if status != ACCEPTED:
        raise Stuck(f"A webhook was answered with {status}.")
    return ramp_id, now


def _is_through(ramp_id: str) -> bool:
    return SyncItem.objects.filter(ramp_id=ramp_id, state=SyncItem.State.ACKED).exists()


def _own(sent: Sequence[Told]) -> list[float]:
    """Milliseconds from each delivery to the commit that says Ramp has confirmed, less the rest."""
    through = dict(
        rows(
            "SELECT i.ramp_id::text, extract(epoch FROM i.state_at)::float8"
            " FROM syncing_syncitem i WHERE i.ramp_id = ANY(%s::uuid[]) AND i.state = 'ACKED'",
            [[ramp_id for ramp_id, _ in sent]],
        )
    )
    return [1000 * (through[ramp_id] - began - OUTSIDE) for ramp_id, began in sent]
