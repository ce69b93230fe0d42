"""SQL statements per object when a customer has many ready: sweep, pull, post, report.

Statements are round trips, locks and CPU on the one machine that cannot be doubled. Set-based SQL
makes their number a matter of chunks, not of objects. Counted where the program sends them, the
rate limiter's and the sweeps' own included.
"""

from bench.figures import Measured
from bench.service import Service, real_service
from bench.statement_log import StatementLog

STAGE = real_service
OBJECTS = 1000


def measure(service: Service, objects: int = OBJECTS) -> Measured:
    connection = service.connect("harbor-coffee")
    service.buy(connection, objects)
    log = StatementLog()
    service.drain(watch=log.watching)
    return Measured(
        log.total / objects,
        {
            "objects": objects,
            "statements": log.total,
            "by_the_clock": log.by_the_clock,
            "most": log.most(12),
        },
    )
