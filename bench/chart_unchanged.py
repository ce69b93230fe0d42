"""Calls of an upload where nothing has changed."""

from bench import mirrored_chart
from bench.figures import Measured
from bench.virtual_service import VirtualService, virtual_service

STAGE = virtual_service
VENDORS, OPTIONS = 50_000, 5_000


def measure(service: VirtualService, vendors: int = VENDORS, options: int = OPTIONS) -> Measured:
    connection = mirrored_chart.customer(service, "unchanged", vendors=vendors, options=options)
    mirrored_chart.upload(service, connection)
    made = mirrored_chart.upload(service, connection)
    return Measured(sum(made.values()), {"records": vendors + options, "made": made})
