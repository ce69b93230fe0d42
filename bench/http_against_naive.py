"""HTTP calls per object of the naive loop, over ours: to Ramp, and to an ERP that takes one a time.

Every call is an outside latency somebody waits for and a share of somebody's rate limit. The two
sides count, so nobody can forget one. A sequential tool that exists made 7.01 calls per object when
we ran it; `against_an_existing_tool` is that over ours.
"""

from collections.abc import Callable

from bench.figures import Measured
from bench.naive import sync_one_by_one
from bench.outside import Purchases
from bench.service import Service

OBJECTS = 1000
EXISTING_TOOL = 7.01


def measure(service: Service, objects: int = OBJECTS) -> Measured:
    theirs, ours = service.connect("verde-clinics"), service.connect("harbor-coffee")
    outside = service.outside
    ids = outside.buy(theirs.slug, Purchases(objects))
    naive = _calls_of(service, lambda: sync_one_by_one(outside, outside.business(theirs.slug), ids))
    service.buy(ours, objects)
    bridge = _calls_of(service, service.drain)
    return Measured(
        naive / bridge,
        {
            "objects": objects,
            "naive_per_object": naive / objects,
            "ours_per_object": bridge / objects,
            "against_an_existing_tool": round(EXISTING_TOOL * objects / bridge, 2),
        },
    )


def _calls_of(service: Service, work: Callable[[], None]) -> int:
    outside = service.outside
    outside.forget_ramp_calls()
    before = outside.erp_calls()
    work()
    return sum(outside.ramp_calls().values()) + outside.erp_calls() - before
