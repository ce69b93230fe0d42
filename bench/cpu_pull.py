"""CPU seconds per 1,000 objects of the pull alone: pages of 100 into durable items with a timeline.

The comparison is with tools that only read: what they do in 0.10 to 0.13 seconds and keep nowhere,
we do and have it in PostgreSQL, judged new or changed, and counted for the pages.
"""

from django.utils import timezone

from bench.figures import Measured
from bench.outside import Purchases
from bench.processor_time import processor_time
from bench.service import Service, Stuck, real_service
from connections import clients
from connections.models import Connection
from syncing import polling
from syncing.lists import PAGES_PER_TURN
from syncing.models import SyncRun

STAGE = real_service
OBJECTS = 100 * PAGES_PER_TURN
WARM_UP = 200


def measure(service: Service, objects: int = OBJECTS) -> Measured:
    connection = service.connect("harbor-coffee")
    service.buy(connection, WARM_UP)
    service.drain()
    service.outside.buy(connection.slug, Purchases(objects))
    before = processor_time()
    run = pull(connection)
    used = processor_time() - before
    if run is None or run.new != objects:
        raise Stuck(f"The pull brought {run and run.new} of {objects} objects.")
    return Measured(
        used.total * 1000 / objects,
        {"objects": objects, "unit": "CPU seconds per 1,000", **used.per_thousand(objects)},
    )


def pull(connection: Connection) -> SyncRun | None:
    fresh = Connection.objects.select_related("schedule").get(pk=connection.pk)
    return polling.pull(
        fresh,
        clients.ramp_client(fresh),
        trigger=SyncRun.Trigger.POLL,
        now=timezone.now(),
        jitter=0.5,
    )
