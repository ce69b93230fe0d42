"""HTTP calls per object of a tool that exists, over ours: to Ramp, and to an ERP that takes one a
time.

Every call is an outside latency somebody waits for and a share of somebody's rate limit. The two
sides count, so nobody can forget one.
"""

from collections.abc import Callable

from bench.figures import Measured
from bench.opponents.existing_tool import sync_one_by_one
from bench.outside import Purchases
from bench.service import Service, real_service

STAGE = real_service
OBJECTS = 1000


def measure(service: Service, objects: int = OBJECTS) -> Measured:
    theirs, ours = service.connect("blue-mesa-solar"), service.connect("harbor-coffee")
    outside = service.outside
    outside.buy(theirs.slug, Purchases(objects))
    business = outside.business(theirs.slug)
    tool = _calls_of(service, lambda: sync_one_by_one(outside, business, objects))
    service.buy(ours, objects)
    bridge = _calls_of(service, service.drain)
    return Measured(
        tool / bridge,
        {
            "objects": objects,
            "theirs_per_object": tool / objects,
            "ours_per_object": bridge / objects,
        },
    )


def _calls_of(service: Service, work: Callable[[], object]) -> int:
    outside = service.outside
    outside.forget_ramp_calls()
    before = outside.erp_calls()
    work()
    return sum(outside.ramp_calls().values()) + outside.erp_calls() - before
