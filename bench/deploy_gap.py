"""Seconds from SIGTERM until another worker has claimed: what a deployment costs.

The only worker is asked to end in the middle of a backlog. It finishes the calls under way and
gives the rest back; the new one starts once it has ended, as a process manager would have it. A
rolling deployment starts the new one before and has no gap at all.
"""

import statistics
from functools import partial

from bench.figures import Measured
from bench.paired import interval
from bench.stack import (
    ERP_SECONDS,
    RAMP_SECONDS,
    Stack,
    acked,
    running_stack,
    wait_until,
)
from syncing import poll_schedule
from syncing.models import ItemEvent
from syncing.statements import rows

CUSTOMERS, TIMES = 8, 5
STAGE = partial(running_stack, customers=CUSTOMERS)
_BEFORE = 4
"""Objects booked by each customer's calls before a worker is asked to end."""
_EACH = 400
"""Of a customer's objects: enough for all times."""


def measure(stack: Stack, *, times: int = TIMES, each: int = _EACH) -> Measured:
    connections = stack.connect(CUSTOMERS)
    gaps = []
    with stack.working() as workers:
        stack.sync(connections, 25)
        stack.outside.take_time(ramp=RAMP_SECONDS, erp=ERP_SECONDS)
        stack.buy(connections, each)
        wanted = acked() + each * len(connections)
        for connection in connections:
            poll_schedule.fetch_soon(connection.pk, types=["transaction"])
        (worker,) = workers
        for _ in range(times):
            _wait_for_claims(_BEFORE * len(connections))
            asked_at = _now()
            worker.end()
            ended_at = _now()
            worker = stack.start_worker()
            workers.append(worker)
            wait_until(partial(_claimed_since, ended_at), seconds=60)
            gaps.append(_first_claim(ended_at) - asked_at)
        wait_until(lambda: acked() >= wanted, seconds=600, every=0.2)
        worker.end()
    return Measured(
        statistics.median(gaps),
        {
            "unit": "seconds",
            "gaps": [round(gap, 2) for gap in gaps],
            "longest_pause": round(_longest_pause(), 2),
            "uncertain": ItemEvent.objects.filter(kind="uncertain").count(),
        },
        interval(gaps),
    )


def _now() -> float:
    ((now,),) = rows("SELECT extract(epoch FROM clock_timestamp())::float8", None)
    return float(now)


def _claims_since(moment: float) -> int:
    ((count,),) = rows(
        "SELECT count(*) FROM syncing_itemevent WHERE kind = 'sent' AND at > to_timestamp(%s)",
        [moment],
    )
    return int(count)


def _claimed_since(moment: float) -> bool:
    return _claims_since(moment) > 0


def _wait_for_claims(number: int) -> None:
    began = _now()
    wait_until(lambda: _claims_since(began) >= number, seconds=60)


def _first_claim(since: float) -> float:
    ((first,),) = rows(
        "SELECT extract(epoch FROM min(at))::float8 FROM syncing_itemevent"
        " WHERE kind = 'sent' AND at > to_timestamp(%s)",
        [since],
    )
    return float(first)


def _longest_pause() -> float:
    """Between two documents of the backlog that were begun one after the other."""
    ((longest,),) = rows(
        """
        SELECT extract(epoch FROM max(pause))::float8 FROM (
            SELECT at - lag(at) OVER (ORDER BY at) AS pause FROM syncing_itemevent
            WHERE kind = 'sent') pauses
        """,
        None,
    )
    return float(longest)
