"""Calls of an upload where one record in a hundred was renamed, over the fewest possible.

Ramp changes one record per call.
"""

from bench import mirrored_chart
from bench.figures import Measured
from bench.virtual_service import VirtualService, virtual_service

STAGE = virtual_service
VENDORS, OPTIONS = 50_000, 5_000
ONE_IN = 100


def measure(service: VirtualService, vendors: int = VENDORS, options: int = OPTIONS) -> Measured:
    connection = mirrored_chart.customer(service, "changed", vendors=vendors, options=options)
    mirrored_chart.upload(service, connection)
    changed = mirrored_chart.change_every(ONE_IN, connection)
    made = mirrored_chart.upload(service, connection)
    return Measured(sum(made.values()) / changed, {"changed": changed, "made": made})
