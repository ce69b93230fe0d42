"""Calls of a customer's first upload, over the fewest possible: 50,000 vendors, 5,000 options.

Beside the uploads there is one call that asks whether the seat is still ours.
"""

from bench import mirrored_chart
from bench.figures import Measured
from bench.virtual_service import VirtualService, virtual_service

STAGE = virtual_service
VENDORS, OPTIONS = 50_000, 5_000


def measure(service: VirtualService, vendors: int = VENDORS, options: int = OPTIONS) -> Measured:
    connection = mirrored_chart.customer(service, "first", vendors=vendors, options=options)
    made = mirrored_chart.upload(service, connection)
    fewest = mirrored_chart.fewest_calls(vendors, options)
    return Measured(sum(made.values()) / fewest, {"fewest": fewest, "made": made})
