"""How much more memory a process needs while it reads a customer's 100,000 objects from Ramp.

A page is stored and let go before the next is asked for, so it must not matter how many there are.
"""

from unittest.mock import patch

from bench.cpu_pull import pull
from bench.figures import Measured
from bench.outside import Purchases
from bench.resident import forget_peak, peak, resident
from bench.service import Service, Stuck, real_service
from bench.stack import Unlimited
from syncing.models import SyncItem

STAGE = real_service
OBJECTS = 100_000
WARM_UP = 4_000
_AT_ONCE = 10_000


def measure(service: Service, *, objects: int = OBJECTS, warm_up: int = WARM_UP) -> Measured:
    connection = service.connect("harbor-coffee")
    with patch("connections.egress.tokens", lambda _: Unlimited()):

        def read(count: int) -> int:
            """Returns how many turns it took."""
            for start in range(0, count, _AT_ONCE):
                some = Purchases(min(_AT_ONCE, count - start))
                service.outside.buy(connection.slug, some)
            before, turns = SyncItem.objects.count(), 0
            while SyncItem.objects.count() < before + count:
                turns += 1
                if pull(connection) is None or turns > count:
                    raise Stuck(f"Not all of {count} objects were read in {turns} turns.")
            return turns

        read(warm_up)
        forget_peak()
        before = resident()
        turns = read(objects)
    return Measured(
        peak() - before,
        {
            "unit": "megabytes",
            "objects": objects,
            "turns": turns,
            "before": round(before, 1),
            "after": round(resident(), 1),
        },
    )
