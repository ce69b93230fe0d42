"""CPU seconds per 1,000 objects from Ramp's list to Ramp's receipt, ours and PostgreSQL's.

Durable as in production, HTTP to both sides included, one POST per document. Ramp's and the ERP's
own processes are not counted, nor are Celery's messages (a few per hundred objects).

CPU is what one machine's worth of customers is made of, and it is steadier than wall time among
noisy neighbours. Four customers, so that what one of them costs by itself is in it.
"""

from bench.figures import Measured
from bench.processor_time import processor_time
from bench.service import Service, real_service

STAGE = real_service
CUSTOMERS = ("harbor-coffee", "northwind-robotics", "pennine-outdoor", "blue-mesa-solar")
OBJECTS_EACH = 500
WARM_UP = 50


def measure(service: Service, objects_each: int = OBJECTS_EACH) -> Measured:
    connections = [service.connect(slug) for slug in CUSTOMERS]
    for connection in connections:
        service.buy(connection, WARM_UP)
    service.drain()
    for connection in connections:
        service.buy(connection, objects_each)
    before = processor_time()
    service.drain()
    used = processor_time() - before
    objects = objects_each * len(connections)
    return Measured(
        used.total * 1000 / objects,
        {"objects": objects, "unit": "CPU seconds per 1,000", **used.per_thousand(objects)},
    )
